//! [`Replay`]: recomputes the verdict of each segment in a log with [`decide()`](decide()), the day by which each request was
//! to be answered, each complaint, too, and people and authorities told of each incident, and by when what was due had to end, as an auditor does who has the profile.
//!
//! The leaves say who agreed to what, when, and what was handed to whom. They do not say how old somebody is, how clearly
//! they agreed, or how far they let data travel, because that is about them; only that somebody was found to be a child without
//! a guardian, and when they had one, or needed none any more. Where the log is silent, the replay takes the
//! answer that allows most (but whose tenant it does not name has attested nothing, where the profile asks for that): a segment that it finds
//! fault with had no right to be, whatever the answer was. What it finds no fault with was allowed as far as the log shows.
//! A refusal is asked again the other way round: where the log is silent, it takes the answer that allows least.
//! What rests on an exemption must say so, and on one that enough people had granted for it and that was live.

mod announced;
mod anonymised;
mod denials;
mod dependants;
mod duties;
mod endings;
mod governing;
mod grants;
mod holds;
mod promises;
mod registries;
mod replayed;
mod requests;
mod revised;
mod transfers;
mod volumes;

use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_audit::verify::Closing;
use sayso_audit::{
    Actor, Anonymised, AnonymisedStep, ControlEvent, DeskEvent, Event, Hash, Leaf, LineageEvent, MinorEvent,
    RequestStep, Scope, SubjectTag, UNCOUNTED,
};
use sayso_policy::revisions::OLDER_MAX;
use sayso_policy::{
    AgeBand, ConsentState, ConsentStatus, ConsentType, ExemptionGrant, Gate, InForce, IntroductionHash, PartStatus,
    Profile, PurposeConsent, Question, Registry, decide, decide_anonymised,
};
use sayso_types::{
    Category, Cell, ConsentVersion, Label, Name, ProcessorId, ProcessorKind, Purpose, RegionClass, SubjectId, TurnId,
    WallTime,
};

use self::anonymised::Releases;
use self::denials::Denials;
use self::dependants::Dependants;
use self::duties::Duties;
use self::endings::Endings;
pub use self::governing::{Governed, Governing};
use self::grants::Grants;
use self::promises::Promises;
use self::registries::Registries;
pub use self::replayed::Replayed;
use self::requests::{Happened, Requests};
use self::transfers::Transfers;
use self::volumes::Volumes;

/// Goes through the leaves of a log in order.
#[derive(Debug)]
pub struct Replay {
    rules: InForce,
    /// The profiles that came into force, by their revision.
    effective: BTreeMap<u32, Hash>,
    people: BTreeMap<SubjectTag, ConsentState>,
    registries: Registries,
    grants: Grants,
    requests: Requests,
    duties: Duties,
    endings: Endings,
    transfers: Transfers,
    volumes: Volumes,
    releases: Releases,
    dependants: Dependants,
    denials: Denials,
    promises: Promises,
    /// The segments that were decided by what was so before, and that nothing allows any more; where each was opened.
    overtaken: Closing<u64>,
    /// When the newest leaf was written.
    now: WallTime,
    found: Replayed,
}

impl Replay {
    /// A replay of what was done under `profile`.
    #[must_use]
    pub fn new(profile: Arc<Profile>) -> Self {
        Self {
            rules: InForce::new(profile),
            effective: BTreeMap::new(),
            people: BTreeMap::new(),
            registries: Registries::default(),
            grants: Grants::default(),
            requests: Requests::default(),
            duties: Duties::default(),
            endings: Endings::default(),
            transfers: Transfers::default(),
            volumes: Volumes::default(),
            releases: Releases::default(),
            dependants: Dependants::default(),
            denials: Denials::default(),
            promises: Promises::default(),
            overtaken: Closing::new(),
            now: WallTime(0),
            found: Replayed::default(),
        }
    }

    /// Goes on by the leaf at `index`.
    pub fn leaf(&mut self, index: u64, leaf: &Leaf) {
        let fact = &leaf.fact;
        self.now = self.now.max(leaf.place.wall);
        self.overtaken.leaf(leaf);
        self.denials.leaf(leaf);
        let governing = self.governs(fact.profile_rev).then(|| self.rules.profile().as_ref());
        self.promises.leaf(index, leaf, governing);
        match &fact.event {
            Event::PolicyEffective { profile } => {
                let is_first = self.effective.insert(fact.profile_rev, *profile).is_none();
                if is_first && self.governs(fact.profile_rev) {
                    self.endings.in_force(leaf.place.wall);
                }
            }
            Event::ConsentGiven { purpose, .. } => {
                if let Some(subject) = fact.subject {
                    let expires_at = self.rules.profile().consent_end(*purpose, leaf.place.wall);
                    let given = PurposeConsent { expires_at, ..self.given(fact.cv) };
                    let lets_go = !self.governs(fact.profile_rev) || self.rules.profile().goes_overseas(*purpose);
                    let person = self.person(subject);
                    person.consents.insert(*purpose, given);
                    if lets_go {
                        person.farthest = RegionClass::Overseas;
                    }
                }
            }
            Event::ConsentRequested { purpose, .. } => {
                if let Some(subject) = fact.subject {
                    let requested = PurposeConsent { status: ConsentStatus::Requested, ..self.given(fact.cv) };
                    let person = self.person(subject);
                    if !person.status(*purpose).is_valid() {
                        person.consents.insert(*purpose, requested);
                    }
                }
            }
            Event::ConsentExpired { purpose, .. } => {
                if let Some(subject) = fact.subject {
                    withdraw(self.person(subject), Scope::Purpose(*purpose));
                }
            }
            Event::NoticeServed { text, processor: Some(_) } => {
                if let Some(subject) = fact.subject {
                    self.person(subject).told.insert(IntroductionHash(text.0));
                }
            }
            // whoever is asked anew because of another revision, and says no, stays governed by the one that they agreed to
            Event::ConsentRefused { purpose, .. } | Event::ConsentDeferred { purpose, .. } => {
                let is_newest = self.effective.keys().all(|rev| *rev <= fact.profile_rev);
                if let Some(subject) = fact.subject.filter(|_| is_newest) {
                    self.person(subject).consents.remove(purpose);
                }
            }
            // the gates close with the request; what is opened between it and its effect is late
            Event::WithdrawRequested { withdrawal, scope }
            | Event::Control(ControlEvent::ConsentEnded { withdrawal, scope, .. }) => {
                if let Some(subject) = fact.subject {
                    withdraw(self.person(subject), *scope);
                }
                self.dependants.requested(*withdrawal, index);
            }
            Event::WithdrawEffective { withdrawal, scope } => {
                let profile = Arc::clone(self.rules.profile());
                if self.dependants.are_open(leaf, *withdrawal, *scope, &profile) && self.is_known() {
                    self.found.across.push(index);
                }
            }
            Event::Minor(event) => self.minor(index, leaf, event),
            Event::StoreRestricted { category, how, .. } => {
                if let Some(subject) = fact.subject {
                    let restricted = &mut self.person(subject).restricted;
                    if how.as_str() == "lifted" {
                        restricted.remove(category)
                    } else {
                        restricted.insert(*category)
                    };
                }
            }
            Event::AccountCancelled { .. } => {
                if let Some(subject) = fact.subject {
                    self.person(subject).is_closed = true;
                }
            }
            Event::ProcessorChanged { processor, change, .. } => {
                self.registries.processor(fact.registry_rev, *processor, *change);
            }
            Event::CategorySwitched { category, is_off, .. } => {
                self.registries.category(fact.registry_rev, *category, *is_off);
            }
            Event::TenantSwitched { tenant, is_off, .. } => {
                self.registries.tenant(fact.registry_rev, *tenant, *is_off);
            }
            // told before something is opened or stored of somebody whose tenant has given instructions
            Event::Control(ControlEvent::TenantServes { tenant }) => {
                if let Some(subject) = fact.subject {
                    self.person(subject).tenant = Some(registries::named(*tenant));
                }
            }
            Event::Control(ControlEvent::PartGiven { part, .. }) => {
                if let Some(subject) = fact.subject {
                    let again = PartStatus::GivenAgain(fact.cv);
                    let parts = self.person(subject).parts.iter_mut();
                    parts.filter(|(taken, _)| part.includes(taken)).for_each(|(_, status)| *status = again);
                }
            }
            Event::Control(event) => self.registries.instructions(fact.registry_rev, event),
            Event::SegmentClosed { segment, bytes, cell, processor, reason, .. } => {
                self.dependants.closed(*segment);
                let is_within = self.volumes.closed(*segment, (cell, *processor), *bytes, self.rules.profile());
                let is_too_much = !is_within && self.governs(fact.profile_rev);
                // who has let go had been given it; of whom nothing was heard may never have been
                let at_least = (*bytes).max(u64::from(*reason == UNCOUNTED));
                if self.overtaken.closed(*segment, at_least).is_some() || is_too_much {
                    self.found.denied.push(index);
                }
            }
            Event::SegmentOpened { segment, cell, processor, turn } => {
                let grant = self.grants.of(*segment);
                let is_covered = self.transfers.opened(leaf, (cell, *processor), self.rules.profile());
                // by the profile or a newer one: from then on the node knew what requires what by it
                if grant.is_none() && self.is_known() && fact.profile_rev >= self.rules.profile().rev() {
                    self.dependants.opened((index, leaf), *segment, cell.purpose);
                }
                let is_left = self.volumes.opened(*segment, (cell, *processor), leaf.place.wall, self.rules.profile());
                if self.judges(index, fact.profile_rev) {
                    let to = (*cell, *processor, Gate::of(cell.kind));
                    let by = |registry: &_, grant| self.allows(registry, leaf, to, *turn, grant);
                    let lived = grant.and_then(|grant| self.grants.lived(grant, fact.subject));
                    let live = grant.and_then(|grant| self.grants.live(grant, fact.subject));
                    let then = by(&self.registries.at(fact.registry_rev), lived);
                    match (then && is_covered && is_left, by(self.registries.newest(), live)) {
                        (true, true) => {}
                        (true, false) => {
                            self.overtaken.must_close(*segment, fact.actor != Actor::SYSTEM, false, index);
                        }
                        (false, _) => self.found.denied.push(index),
                    }
                }
            }
            Event::Request { request, step, detail, .. } => {
                let is_near = *step == RequestStep::TaskDone && *detail == RequestStep::NEAR;
                if let Some(subject) = fact.subject.filter(|_| is_near) {
                    self.person(subject).farthest = RegionClass::Domestic;
                }
                let happened = Happened { leaf: index, at: leaf.place.wall, step: *step, detail: *detail };
                let profile = self.governs(fact.profile_rev).then(|| self.rules.profile().as_ref());
                self.requests.step(*request, &happened, profile.as_slice());
            }
            Event::RetentionDue { .. }
            | Event::RetentionExecuted { .. }
            | Event::RetentionHeld { .. }
            | Event::HoldSet { .. }
            | Event::HoldReleased { .. } => {
                let profile = self.governs(fact.profile_rev).then(|| self.rules.profile());
                self.endings.leaf(index, leaf, profile.map(AsRef::as_ref));
            }
            Event::Lineage(LineageEvent::Written { gate, cell, processor, .. }) => {
                if self.judges(index, fact.profile_rev) && !self.stores(leaf, *gate, *cell, *processor) {
                    self.found.denied.push(index);
                }
            }
            Event::Desk(DeskEvent::Complaint { .. }) | Event::Incident { .. } => {
                let profile = self.governs(fact.profile_rev).then(|| self.rules.profile());
                self.duties.leaf((index, leaf.place.wall), &fact.event, profile.map(AsRef::as_ref));
            }
            Event::Desk(DeskEvent::DisclosurePermitted { disclosure, category, grant, .. })
                if self.grants.is_to_read(*grant, *disclosure, (fact.subject, *category)) => {}
            Event::Desk(DeskEvent::ContentRead { access, category, ticket, .. }) => {
                if self.judges(index, fact.profile_rev) {
                    let profile = self.rules.profile();
                    let may = match ticket {
                        Some(ticket) => self.grants.reads(leaf, (*access, *category), *ticket, profile),
                        None => !profile.is_content(*category),
                    };
                    if !may {
                        self.found.denied.push(index);
                    }
                }
            }
            Event::GateDenied { .. } => self.refused(index, leaf),
            Event::Anonymised(anonymised) => self.anonymised(index, leaf, anonymised),
            Event::Desk(DeskEvent::DisclosurePermitted { category, grant, .. }) => {
                if self.judges(index, fact.profile_rev) {
                    let of_whom = (fact.subject, *category);
                    if !self.grants.discloses(*grant, of_whom, leaf.place.wall, self.rules.profile()) {
                        self.found.denied.push(index);
                    }
                }
            }
            _ => self.grants.leaf(leaf),
        }
    }

    /// What it has come to by the time of the newest leaf.
    #[must_use]
    pub fn finish(self) -> Replayed {
        self.finish_at(WallTime(0))
    }

    /// The same by `at`, if that is later: what was still to be done, and is due by then, was not.
    #[must_use]
    pub fn finish_at(mut self, at: WallTime) -> Replayed {
        self.now = self.now.max(at);
        self.found.denied.extend(self.overtaken.finish());
        let (late_complaints, late_incidents) = self.duties.finish(self.now);
        let (late, overstayed) = (self.requests.finish(self.now), self.endings.finish(self.now));
        let (late_withdrawals, late_erasures) = self.promises.finish(self.now);
        let found = self.found;
        Replayed { late, late_complaints, late_incidents, late_withdrawals, late_erasures, overstayed, ..found }
    }

    /// Goes on by what became of a child. As old as a child can be by the profile: more of it is closed to the younger.
    fn minor(&mut self, index: u64, leaf: &Leaf, event: &MinorEvent) {
        let (fact, profile) = (&leaf.fact, Arc::clone(self.rules.profile()));
        let governing = self.governs(fact.profile_rev).then_some(profile.as_ref());
        self.endings.minor(index, leaf, event, governing);
        let Some(subject) = fact.subject else { return };
        match event {
            MinorEvent::Detected { .. } => {
                let bands = [AgeBand::Under18, AgeBand::Under16, AgeBand::Under14, AgeBand::Under13];
                let needs =
                    |band: &AgeBand, profile: &Profile| profile.youngest(*band) < profile.guardian_required_below();
                let child = governing.and_then(|profile| bands.into_iter().find(|band| needs(band, profile)));
                if let Some(age) = child {
                    let person = self.person(subject);
                    (person.age, person.guardian_verified) = (age, false);
                }
            }
            MinorEvent::GuardianVerified { .. } | MinorEvent::Cleared { .. } => {
                let person = self.person(subject);
                (person.age, person.guardian_verified) = (AgeBand::Adult, true);
            }
            MinorEvent::GuardianRequested { .. }
            | MinorEvent::GuardianFailed { .. }
            | MinorEvent::DataErased { .. } => {}
        }
    }

    /// Goes on by the leaf at `index`, of data that was to lead to nobody.
    fn anonymised(&mut self, index: u64, leaf: &Leaf, anonymised: &Anonymised) {
        let is_governed = self.governs(leaf.fact.profile_rev);
        let profile = Arc::clone(self.rules.profile());
        let is_released = self.releases.leaf(anonymised, is_governed.then_some(profile.as_ref()));
        if !self.judges(index, leaf.fact.profile_rev) {
            return;
        }
        let is_counted = anonymised.step != AnonymisedStep::HandedOn || self.counts(leaf, anonymised.category);
        if !(is_released && is_counted) {
            self.found.denied.push(index);
        }
    }

    /// Whether somebody may be counted, whose data of `category` ends by `leaf`: for something that it is used for, at a place of
    /// the node's own.
    fn counts(&self, leaf: &Leaf, category: Category) -> bool {
        let profile = self.rules.profile();
        let Some(rule) = profile.category(category) else { return false };
        let places = || profile.processors().filter(|one| one.kind == ProcessorKind::Database && one.is_own());
        let registry = self.registries.at(leaf.fact.registry_rev);
        rule.purposes.iter().any(|purpose| {
            places().any(|place| {
                let label = (*purpose, category, TurnId(0));
                let (question, state, rules) = self.asked(&registry, leaf, label, (place.id, Gate::Telemetry), None);
                decide_anonymised(&question, &state, &rules).is_permit()
            })
        })
    }

    /// Whether the profile is the one that was in force as revision `rev`.
    fn governs(&self, rev: u32) -> bool {
        let profile = self.rules.profile();
        rev == profile.rev() && self.effective.get(&rev) == Some(&Hash(profile.hash().0))
    }

    /// Whether the profile is one of those that the node goes by: it was in force, and not too many came after it.
    fn is_known(&self) -> bool {
        let rev = self.rules.profile().rev();
        self.governs(rev) && self.effective.keys().filter(|other| **other > rev).count() <= OLDER_MAX
    }

    /// Whether the verdict that the leaf at `index` tells is by the profile. By another that was in force it is not checked; by
    /// one that never was nothing is allowed.
    fn judges(&mut self, index: u64, rev: u32) -> bool {
        if self.governs(rev) {
            self.found.checked += 1;
            return true;
        }
        if self.effective.contains_key(&rev) {
            self.found.others += 1;
        } else {
            self.found.denied.push(index);
        }
        false
    }

    /// Whether what `leaf` says to be stored passed the `gate` and may stand behind it.
    fn stores(&self, leaf: &Leaf, gate: Name, cell: Cell, processor: ProcessorId) -> bool {
        let Some(gate) = Gate::ALL.into_iter().find(|one| one.name() == gate) else { return false };
        let registry = self.registries.at(leaf.fact.registry_rev);
        let passes = |gate| self.allows(&registry, leaf, (cell, processor, gate), TurnId(0), None);
        passes(gate) && (gate.stores() || passes(Gate::Memory))
    }

    fn allows(
        &self,
        registry: &Arc<Registry>,
        leaf: &Leaf,
        (cell, processor, gate): (Cell, ProcessorId, Gate),
        turn: TurnId,
        grant: Option<&ExemptionGrant>,
    ) -> bool {
        let label = (cell.purpose, cell.category, turn);
        let (question, state, rules) = self.asked(registry, leaf, label, (processor, gate), grant);
        decide(&question, &state, &rules).answer.is_ok_and(|grounds| grounds.cell == cell)
    }

    /// What was to be asked, of whom, and by which rules.
    fn asked(
        &self,
        registry: &Arc<Registry>,
        leaf: &Leaf,
        (purpose, category, turn): (Purpose, Category, TurnId),
        (processor, gate): (ProcessorId, Gate),
        grant: Option<&ExemptionGrant>,
    ) -> (Question, ConsentState, InForce) {
        let fact = &leaf.fact;
        let person = fact.subject.and_then(|subject| self.people.get(&subject));
        let mut state = ConsentState { cv: fact.cv, ..person.cloned().unwrap_or_else(somebody) };
        // what is told of a service is what the newest revision has: whoever it is for is a question of that one
        if self.effective.keys().any(|rev| *rev > self.rules.profile().rev()) {
            state.told.extend(self.rules.profile().introductions().map(|introduction| introduction.hash()));
        }
        // decide() looks at whose data it is nowhere but in exemptions, and only those are there that are for this person
        let subject = SubjectId([0; 16]);
        let label = Label { subject, category, purpose, turn, cv: fact.cv };
        let ttl = self.rules.profile().defaults().permit_ttl;
        let now = grant.map_or(leaf.place.wall, |grant| grants::decided_at(grant, leaf.place.wall, ttl));
        let rules = self.rules.clone().with_registry(Arc::clone(registry)).with_exemptions(grant.cloned());
        (Question { label, gate, processor, now }, state, rules)
    }

    fn person(&mut self, subject: SubjectTag) -> &mut ConsentState {
        self.people.entry(subject).or_insert_with(somebody)
    }

    /// Consent given at `cv`, as good as consent can be.
    fn given(&self, cv: ConsentVersion) -> PurposeConsent {
        PurposeConsent {
            status: ConsentStatus::Given,
            consent_type: ConsentType::ExplicitlyExpressed,
            separate: true,
            written: true,
            given_at: cv,
            profile_rev: self.rules.profile().rev(),
            expires_at: None,
        }
    }
}

/// Somebody who has agreed to nothing, and for whom everything else speaks.
fn somebody() -> ConsentState {
    ConsentState { age: AgeBand::Adult, guardian_verified: true, ..ConsentState::new() }
}

fn withdraw(person: &mut ConsentState, scope: Scope) {
    let covered = |purpose: &Purpose| scope.covers(*purpose);
    if let Scope::Part(part) = scope {
        person.parts.insert(part, PartStatus::Withdrawn);
    }
    for (_, consent) in person.consents.iter_mut().filter(|(purpose, _)| covered(purpose)) {
        consent.status = ConsentStatus::Withdrawn;
    }
}
