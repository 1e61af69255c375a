//! Whether a gate was right to refuse what it refused, as far as the log and a profile say.
//!
//! A refusal is asked again, by what the log says of the person, under the revisions of the policy and of the registry that the
//! leaf names. Where the log is silent, every answer is tried: how old the person is, how far they let data travel, how clearly
//! an integrator's consent was expressed, and whether something ended in the moment between the decision and its leaf. A refusal
//! is unfounded if [`decide()`] gives its reason by none of them.
//!
//! What the log cannot know is taken as it is said:
//! - that an earlier program refused, which did not say with which consent version the data was labelled;
//! - that nothing allowed it, where only a grant would have: a grant may be used and need not be;
//! - that a child's consent was over: it ends with their childhood, and no leaf says when that is;
//! - that consent did not count which was given under another revision, or by an older one of somebody who has changed since;
//! - that a tenant was switched off, or had not instructed it, where the log does not say whose the person is;
//! - how much had gone somewhere, where the profile says how much may: what is set aside is in no leaf;
//! - how many people's data had gone overseas, where several revisions counted them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sayso_audit::{ActorKind, Event, Leaf, MinorEvent, SubjectTag};
use sayso_policy::profile::Volume;
use sayso_policy::{
    AgeBand, ConsentState, ConsentType, Gate, InForce, PurposeConsent, Question, Reason, Registry, decide,
    decide_anonymised,
};
use sayso_types::{
    Cell, ConsentVersion, Label, ProcessorId, ProcessorKind, Purpose, RegionClass, SubjectId, TurnId, WallTime,
};

use super::{Replay, somebody};
use crate::volume::{TOO_MUCH, most};

/// How long a refusal may wait to be written down, in which something may have ended by itself: far longer than it does.
const WAITS_MS: u64 = 60_000;

/// Ages, the most likely first.
const AGES: [AgeBand; 6] =
    [AgeBand::Adult, AgeBand::Unknown, AgeBand::Under13, AgeBand::Under14, AgeBand::Under16, AgeBand::Under18];

/// How far people let data travel, the most likely first.
const REGIONS: [RegionClass; 3] = [RegionClass::Overseas, RegionClass::Local, RegionClass::Domestic];

/// What the log says of each person besides what they may have at most.
#[derive(Debug, Default)]
pub(super) struct Denials(BTreeMap<SubjectTag, Known>);

#[derive(Debug, Default)]
struct Known {
    given: BTreeMap<Purpose, Given>,
    /// What was answered last, by one answer.
    answered: (ConsentVersion, BTreeSet<Purpose>),
    /// Whether a guardian is verified or none is needed, as far as that was said.
    guardian: Option<bool>,
}

/// How somebody said yes.
#[derive(Clone, Copy, Debug)]
struct Given {
    rev: u32,
    by: ActorKind,
    is_separate: bool,
}

impl Denials {
    /// Goes on by a leaf.
    pub(super) fn leaf(&mut self, leaf: &Leaf) {
        let (fact, Some(subject)) = (&leaf.fact, leaf.fact.subject) else { return };
        match &fact.event {
            Event::ConsentGiven { purpose, .. } => {
                let given = Given { rev: fact.profile_rev, by: fact.actor.kind, is_separate: true };
                let known = self.0.entry(subject).or_default();
                known.given.insert(*purpose, given);
                known.answered(fact.cv, *purpose);
            }
            Event::ConsentRefused { purpose, .. } | Event::ConsentDeferred { purpose, .. } => {
                self.0.entry(subject).or_default().answered(fact.cv, *purpose);
            }
            Event::Minor(event) => {
                let known = self.0.entry(subject).or_default();
                match event {
                    MinorEvent::Detected { .. } | MinorEvent::GuardianFailed { .. } => known.guardian = Some(false),
                    MinorEvent::GuardianVerified { .. } | MinorEvent::Cleared { .. } => known.guardian = Some(true),
                    MinorEvent::GuardianRequested { .. } | MinorEvent::DataErased { .. } => {}
                }
            }
            _ => {}
        }
    }
}

impl Known {
    /// The answer that made `cv` is about `purpose`, too: whatever one answer says of several purposes is about none by itself.
    fn answered(&mut self, cv: ConsentVersion, purpose: Purpose) {
        if self.answered.0 != cv {
            self.answered = (cv, BTreeSet::new());
        }
        self.answered.1.insert(purpose);
        if self.answered.1.len() > 1 {
            for purpose in &self.answered.1 {
                self.given.entry(*purpose).and_modify(|given| given.is_separate = false);
            }
        }
    }

    /// `consent` to `purpose` as weak as it can be under revision `rev`; [`None`] where it may not count at all.
    fn weakest(&self, purpose: Purpose, consent: PurposeConsent, rev: u32) -> Option<PurposeConsent> {
        let given = self.given.get(&purpose).filter(|given| given.rev == rev && self.guardian.is_none())?;
        let consent_type = match given.by {
            ActorKind::Subject | ActorKind::Device => ConsentType::Expressed,
            ActorKind::Guardian => return None,
            ActorKind::Tenant | ActorKind::Operator | ActorKind::System => ConsentType::Implied,
        };
        Some(PurposeConsent { consent_type, separate: given.is_separate, written: false, ..consent })
    }
}

/// What was refused, as its leaf says.
struct Refusal {
    gate: Gate,
    cell: Cell,
    processor: ProcessorId,
    labelled: ConsentVersion,
    reason: Reason,
}

impl Replay {
    /// Asks again what the leaf at `index` says was refused.
    pub(super) fn refused(&mut self, index: u64, leaf: &Leaf) {
        let fact = &leaf.fact;
        let Event::GateDenied { gate, cell, processor, reason, labelled: Some(labelled), .. } = fact.event else {
            return;
        };
        if !self.governs(fact.profile_rev) {
            return;
        }
        // one that the log has not told of yet, or never: nothing can be said by it
        let Some(registry) = self.registries.told(fact.registry_rev) else { return };
        let gate = Gate::ALL.into_iter().find(|one| one.name() == gate);
        let known = Reason::ALL.into_iter().find(|one| one.as_str() == reason.as_str());
        let refusal = gate.zip(known).map(|(gate, reason)| Refusal { gate, cell, processor, labelled, reason });
        let is_too_much = || reason.as_str() == TOO_MUCH && self.may_be_too_much(&cell, processor);
        let is_as_said = match &refusal {
            Some(refusal) => self.is_taken_as_said(leaf, refusal),
            None => gate.is_some() && is_too_much(),
        };
        if is_as_said {
            return;
        }
        self.found.refusals += 1;
        let is_founded = refusal.is_some_and(|refusal| self.is_refused(leaf, &refusal, &registry));
        if !is_founded {
            self.found.unfounded.push(index);
        }
    }

    /// Whether `refusal` is one of those of which the log does not say enough.
    fn is_taken_as_said(&self, leaf: &Leaf, refusal: &Refusal) -> bool {
        let Refusal { cell, processor, reason, .. } = refusal;
        let profile = self.rules.profile();
        let goes_overseas = profile.transfer(*processor, cell.category).is_some();
        let tenant = leaf.fact.subject.and_then(|subject| self.people.get(&subject)?.tenant.as_ref());
        match reason {
            // consent to an older revision is held against what the newest says of the receiver, too
            Reason::NoBasis => self.has_newer(),
            Reason::SwitchedOff | Reason::NotInstructed => tenant.is_none() && self.registries.names_tenants(),
            // what is stored there is never placed overseas, and asked of the newest revision
            Reason::Region => cell.kind == ProcessorKind::Database && (goes_overseas || self.has_newer()),
            Reason::TransferLimit => {
                let to = (cell, *processor);
                let several = self.effective.len() > 1;
                goes_overseas && (several || !self.transfers.has_room(leaf, to, profile, WAITS_MS))
            }
            _ => false,
        }
    }

    /// Whether [`decide()`] refuses it for the reason that is said, by anything that the log leaves open.
    fn is_refused(&self, leaf: &Leaf, refusal: &Refusal, registry: &Arc<Registry>) -> bool {
        let Refusal { gate, cell, processor, labelled, reason } = *refusal;
        let rules = self.rules.clone().with_registry(Arc::clone(registry));
        let label = Label {
            subject: SubjectId([0; 16]),
            category: cell.category,
            purpose: cell.purpose,
            turn: TurnId(0),
            cv: labelled,
        };
        // what a device reports is collected at one gate and stored behind another
        let is_stored = cell.kind == ProcessorKind::Database && !gate.stores();
        let gates = [Some(gate), is_stored.then_some(Gate::Memory)];
        let times = [leaf.place.wall, WallTime(self.now.0.saturating_add(WAITS_MS))];
        let questions = || {
            let at = |gate: Gate| times.map(|now| Question { label, gate, processor, now });
            gates.into_iter().flatten().flat_map(at)
        };
        self.possible(leaf).any(|state| questions().any(|question| gives(reason, &question, &state, &rules)))
    }

    /// The person whom `leaf` is about, in each way that the log leaves open.
    fn possible(&self, leaf: &Leaf) -> impl Iterator<Item = ConsentState> + use<> {
        let subject = leaf.fact.subject;
        let person = subject.and_then(|subject| self.people.get(&subject)).cloned().unwrap_or_else(somebody);
        let known = subject.and_then(|subject| self.denials.0.get(&subject));
        let rev = self.rules.profile().rev();
        let weak = person.consents.iter().filter_map(|(purpose, consent)| {
            let weakest = known.and_then(|known| known.weakest(*purpose, consent.clone(), rev))?;
            Some((*purpose, weakest))
        });
        let weak = ConsentState { consents: weak.collect(), ..person.clone() };
        let guardians = match known.and_then(|known| known.guardian) {
            Some(is_verified) => vec![is_verified],
            None => vec![true, false],
        };
        let cases = [weak, person];
        cases.into_iter().flat_map(move |person| {
            let guardians = guardians.clone();
            AGES.into_iter().flat_map(move |age| {
                let (person, guardians) = (person.clone(), guardians.clone());
                guardians.into_iter().flat_map(move |guardian_verified| {
                    let person = person.clone();
                    REGIONS.into_iter().map(move |farthest| ConsentState {
                        age,
                        guardian_verified,
                        farthest,
                        ..person.clone()
                    })
                })
            })
        })
    }

    /// Whether the profile says how much of this may go there, or another has come into force since that may.
    fn may_be_too_much(&self, cell: &Cell, processor: ProcessorId) -> bool {
        let Volume { per_call, per_day } = most([self.rules.profile().as_ref()], (processor, cell.category));
        per_call.is_some() || per_day.is_some() || self.has_newer()
    }

    /// Whether a newer revision than the profile has come into force by now.
    fn has_newer(&self) -> bool {
        self.effective.keys().any(|rev| *rev > self.rules.profile().rev())
    }
}

/// Whether `question` is refused for `reason`.
fn gives(reason: Reason, question: &Question, state: &ConsentState, rules: &InForce) -> bool {
    let is_reason = |answer: Result<_, Reason>| answer.err() == Some(reason);
    is_reason(decide(question, state, rules).answer)
        || question.gate == Gate::Telemetry && is_reason(decide_anonymised(question, state, rules).answer)
}
