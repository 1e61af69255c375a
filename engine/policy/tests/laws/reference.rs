//! The slow reference: `decide()` as the design words it, over the plain document. It looks at every objection, gives
//! the first, and takes nothing from the code under test but the vocabulary and calendar arithmetic.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use sayso_policy::profile::{
    AtRest, CategoryRule, DataSubject, Deployment, Document, ExemptionCode, ExemptionScope, Identifies, Mechanism,
    MinorRule, Processing, Processor, ProcessorState, ProhibitedPurpose, PurposeRule, RetentionAction, Sensitivity,
    Trigger, UnknownAge,
};
use sayso_policy::{
    AgeBand, BasisRef, ConsentState, ConsentStatus, ConsentType, ExemptionGrant, Gate, Grounds, Introduction,
    LegalBasis, Narrowed, Obligations, Period, PurposeConsent, Question, Reason, Vocabulary,
};
use sayso_types::{Category, Cell, ProcessorId, Purpose, RegionClass, TenantId, WallTime};

use crate::hops::hop;
use crate::parts::shuts_out;

/// The rules, before anything is made of them.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) document: Document,
    pub(crate) narrowed: Vec<(ProcessorId, Narrowed)>,
    pub(crate) categories_off: Vec<Category>,
    pub(crate) tenants_off: Vec<TenantId>,
    /// For what, which data, and until when.
    pub(crate) instructions: Vec<(TenantId, Instructed)>,
    pub(crate) grants: Vec<ExemptionGrant>,
}

/// What a tenant instructs: for what, which data, until when, and whether it attested where they come from.
pub(crate) type Instructed = (Vec<Purpose>, Vec<Category>, Option<WallTime>, bool);

/// Whether a purpose is `broad`, or narrower.
fn is_case_of(term: &str, broad: &str) -> bool {
    term.trim_start_matches("dpv:") == broad || Vocabulary::dpv().broader(term).any(|above| is_case_of(above, broad))
}

/// What a law asks a consent of its own for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Special,
    Provision,
    Publication,
    Overseas,
    Training,
}

/// A law: below which age a guardian must agree, and what must be agreed to explicitly, and whether apart.
struct Law {
    name: &'static str,
    guardian_below: u8,
    asks: &'static [(About, bool)],
}

const LAWS: [Law; 6] = [
    Law {
        name: "cn-anthropomorphic@2026-07-15",
        guardian_below: 14,
        asks: &[(About::Provision, false), (About::Training, true)],
    },
    Law { name: "cn-incident@2025-11-01", guardian_below: 0, asks: &[] },
    Law {
        name: "cn-pipl@2021",
        guardian_below: 14,
        asks: &[(About::Special, true), (About::Provision, true), (About::Publication, true), (About::Overseas, true)],
    },
    Law { name: "cn-xborder@2024-03-22", guardian_below: 0, asks: &[] },
    Law { name: "coppa@2025", guardian_below: 13, asks: &[(About::Provision, true)] },
    Law { name: "gdpr@2016-679", guardian_below: 16, asks: &[(About::Special, false)] },
];

/// What every profile is held to.
const COMMON: Law = Law { name: "common@1", guardian_below: 13, asks: &[] };

/// The names of the laws that a profile can stand under.
pub(crate) fn law_names() -> Vec<String> {
    LAWS.iter().map(|law| law.name.to_owned()).collect()
}

/// What `decide()` should answer.
pub(crate) fn answer(world: &World, question: &Question, state: &ConsentState) -> Result<Grounds, Reason> {
    let facts = Facts::gather(world, question, state);
    let objections = [
        (facts.is_prohibited(), Reason::Prohibited),
        (facts.is_unknown(), Reason::UnknownCell),
        (facts.lacks_guardian(), Reason::MinorNoGuardian),
        (facts.is_switched_off(), Reason::SwitchedOff),
        (facts.is_uninstructed(), Reason::NotInstructed),
        (facts.is_restricted(), Reason::Restricted),
        (facts.is_unfit(), Reason::ProcessorState),
        (facts.is_too_far(), Reason::Region),
        (facts.is_beyond_the_limit(), Reason::TransferLimit),
    ];
    if let Some((_, reason)) = objections.into_iter().find(|(applies, _)| *applies) {
        return Err(reason);
    }
    let nothing = match facts.own_basis() {
        _ if facts.has_no_contract() => Reason::AccountClosed,
        None => Reason::NoBasis,
        Some(_) => Reason::TakenBack,
    };
    let (basis, basis_ref, ends) = facts.bases().into_iter().next().ok_or(nothing)?;
    if facts.is_untold() {
        return Err(Reason::NotTold);
    }
    let receiver = facts.receiver.unwrap();
    let cell = Cell {
        purpose: question.label.purpose,
        category: question.label.category,
        kind: receiver.kind,
        region: receiver.region_class,
    };
    let examined = receiver.due_diligence.as_ref().map(|looked| looked.valid.after(looked.at));
    let term = facts.instructions().and_then(|(_, _, until, _)| *until);
    let until = ends.into_iter().chain(examined).chain(term).min();
    Ok(Grounds { cell, basis, basis_ref, obligations: facts.obligations(), until })
}

/// What is the case about one question.
struct Facts<'a> {
    world: &'a World,
    question: &'a Question,
    state: &'a ConsentState,
    purpose: Option<&'a PurposeRule>,
    category: Option<&'a CategoryRule>,
    receiver: Option<&'a Processor>,
    /// What may have happened to the receiver.
    narrowed: Vec<Narrowed>,
    /// How old the person may be.
    ages: RangeInclusive<u8>,
    /// Everything that is done with the data.
    done: BTreeSet<Processing>,
}

impl<'a> Facts<'a> {
    fn gather(world: &'a World, question: &'a Question, state: &'a ConsentState) -> Self {
        let document = &world.document;
        let purpose = document.purpose.get(&question.label.purpose);
        let receiver = document.processor.get(&question.processor);
        let ages = match (state.age, document.defaults.unknown_age) {
            (AgeBand::Under13, _) => 0..=12,
            (AgeBand::Under14, _) => 13..=13,
            (AgeBand::Under16, _) => 14..=15,
            (AgeBand::Under18, _) => 16..=17,
            (AgeBand::Adult, _) | (AgeBand::Unknown, UnknownAge::Adult) => 18..=120,
            (AgeBand::Unknown, UnknownAge::Minor | UnknownAge::Ask) => 0..=120,
        };
        let mut done = purpose.map(|rule| rule.processing.clone()).unwrap_or_default();
        done.insert(hop(question.gate).0);
        // sound and pictures are taken in for whoever looks at them first
        if [Gate::VoiceActivity, Gate::Vision].contains(&question.gate) {
            done.insert(Processing::Collect);
        }
        if receiver.is_some_and(|receiver| receiver.independent_controller) {
            done.insert(Processing::Share);
        }
        if receiver.is_some_and(|receiver| receiver.trains_on_data.unwrap_or(false)) {
            done.insert(Processing::Train);
        }
        let said = world.narrowed.iter().filter(|(id, _)| *id == question.processor);
        Self {
            world,
            question,
            state,
            purpose,
            category: document.category.get(&question.label.category),
            receiver,
            narrowed: said.map(|(_, narrowed)| *narrowed).collect(),
            ages,
            done,
        }
    }

    fn may_be_below(&self, years: u8) -> bool {
        self.ages.clone().any(|age| age < years)
    }

    fn laws(&self) -> impl Iterator<Item = &'static Law> {
        LAWS.iter().filter(|law| self.world.document.profile.law_floor.contains(law.name)).chain([&COMMON])
    }

    fn needs_guardian(&self) -> bool {
        let own = self.world.document.minors.guardian_required_below;
        self.may_be_below(own) || self.laws().any(|law| self.may_be_below(law.guardian_below))
    }

    fn is_minor(&self) -> bool {
        let own = self.world.document.minors.special_regime_below;
        self.needs_guardian() || self.may_be_below(own) || self.may_be_below(14)
    }

    fn for_minors(&self) -> MinorRule {
        let rule = self.world.document.minors.overrides.get(&self.question.label.category);
        rule.filter(|_| self.is_minor()).copied().unwrap_or_default()
    }

    fn is_personal(&self) -> bool {
        self.category.is_some_and(|rule| rule.sensitivity != Sensitivity::None)
    }

    fn is_picture(&self, rule: &CategoryRule) -> bool {
        self.question.label.category.as_str() == "image" || rule.dpv.iter().any(|term| is_case_of(term, "pd:Picture"))
    }

    fn is_kept_there(&self) -> bool {
        [Processing::Store, Processing::Copy].contains(&hop(self.question.gate).0)
    }

    fn is_prohibited(&self) -> bool {
        let label = &self.question.label;
        let listed = self.world.document.prohibition.iter().any(|p| {
            let purpose = match &p.purpose {
                Some(ProhibitedPurpose::Id(id)) => label.purpose == *id,
                Some(ProhibitedPurpose::Dpv(term)) => self.purpose.is_some_and(|rule| is_case_of(&rule.dpv, term)),
                None => true,
            };
            let category = p.category.is_none() || p.category == Some(label.category);
            let processing = p.processing.is_none_or(|processing| self.done.contains(&processing));
            let age = p.when.as_ref().is_none_or(|when| self.may_be_below(when.age_lt));
            [purpose, category, processing, age] == [true; 4]
        });
        let Some(rule) = self.category else { return listed };
        let trial = self.world.document.profile.deployment == Deployment::TestPlatform;
        listed
            || self.for_minors().forbidden
            || self.is_kept_there() && (rule.at_rest != AtRest::Allowed || self.for_minors().no_store)
            || self.question.gate == Gate::Log && !rule.content_free
            || self.question.gate == Gate::Telemetry && rule.identifies != Identifies::Anonymised
            || trial && rule.sensitivity == Sensitivity::Special
            || trial && self.is_personal() && self.is_picture(rule)
            || trial && self.is_personal() && self.is_minor()
    }

    fn is_unknown(&self) -> bool {
        let used = self.category.is_some_and(|rule| rule.purposes.contains(&self.question.label.purpose));
        self.purpose.is_none() || !used
    }

    fn lacks_guardian(&self) -> bool {
        self.is_personal() && self.needs_guardian() && !self.state.guardian_verified
    }

    fn is_switched_off(&self) -> bool {
        let World { categories_off, tenants_off, .. } = self.world;
        categories_off.contains(&self.question.label.category)
            || self.state.tenant.iter().any(|tenant| tenants_off.iter().any(|off| off == tenant))
    }

    /// What the person's tenant wants, where a law does not say it.
    fn instructions(&self) -> Option<&Instructed> {
        let by_law = self.purpose.is_some_and(|rule| rule.basis == LegalBasis::LegalObligation);
        let theirs = |(tenant, _): &&(TenantId, _)| !by_law && self.state.tenant.iter().any(|own| own == tenant);
        self.world.instructions.iter().find(theirs).map(|(_, instructions)| instructions)
    }

    fn is_uninstructed(&self) -> bool {
        let Question { label, now, .. } = self.question;
        let by_law = self.purpose.is_some_and(|rule| rule.basis == LegalBasis::LegalObligation);
        let of_a_product = self.category.is_some_and(|rule| rule.subject == DataSubject::TenantUser);
        let Some((purposes, categories, until, attested)) = self.instructions() else {
            return self.world.document.tenants.attest && of_a_product && !by_law;
        };
        self.world.document.tenants.attest && of_a_product && !attested
            || !purposes.contains(&label.purpose)
            || !categories.contains(&label.category)
            || until.is_some_and(|until| until <= *now)
    }

    fn is_restricted(&self) -> bool {
        let is_kept = self.state.restricted.iter().any(|kept| *kept == self.question.label.category);
        is_kept && self.question.gate != Gate::Access && self.question.gate != Gate::Replica
    }

    fn is_unfit(&self) -> bool {
        let Some(receiver) = self.receiver else { return true };
        let closed = [Narrowed::DueDiligenceExpired, Narrowed::Suspended, Narrowed::Terminated];
        let unexamined = match &receiver.due_diligence {
            Some(looked_at) => looked_at.valid.after(looked_at.at) <= self.question.now,
            None => self.world.document.registry.due_diligence_required && receiver.party != "operator",
        };
        receiver.state != ProcessorState::Active
            || self.narrowed.iter().any(|narrowed| closed.contains(narrowed))
            || unexamined
            || !hop(self.question.gate).1.contains(&receiver.kind)
            || !receiver.accepts.contains(&self.question.label.category)
            || !receiver.purposes.contains(&self.question.label.purpose)
    }

    fn is_too_far(&self) -> bool {
        let (Some(receiver), true) = (self.receiver, self.is_personal()) else { return false };
        let transfers = &self.world.document.transfers;
        let steps = |region| match region {
            RegionClass::Local => 0,
            RegionClass::Domestic => 1,
            RegionClass::Overseas => 2,
        };
        let no_means = receiver.mechanism.as_ref().is_none_or(|mechanism| *mechanism == Mechanism::None);
        let storable = transfers.storage.is_empty() || transfers.storage.contains(&receiver.region);
        steps(receiver.region_class) > steps(self.state.farthest)
            || steps(receiver.region_class) == 2 && (!transfers.overseas || no_means)
            || self.is_kept_there() && !storable
    }

    fn is_beyond_the_limit(&self) -> bool {
        self.is_personal() && self.narrowed.contains(&Narrowed::TransferLimitReached)
    }

    fn is_untold(&self) -> bool {
        let Some(receiver) = self.receiver else { return false };
        let told = |what: &Introduction<'_>| self.state.told.iter().any(|heard| *heard == what.hash());
        self.is_personal() && receiver.independent_controller && !receiver.introduction().iter().any(told)
    }

    /// Whether a contract is what it would rest on, and the person has none any more.
    fn has_no_contract(&self) -> bool {
        let contracts = [LegalBasis::ContractPerformance, LegalBasis::EnterIntoContract];
        self.state.is_closed && self.purpose.is_some_and(|rule| contracts.contains(&rule.basis))
    }

    /// The right that it rests on by itself, also of a part that was taken back, and when what it rests on ends.
    fn own_basis(&self) -> Option<(LegalBasis, BasisRef, Vec<WallTime>)> {
        let purpose = self.purpose.unwrap();
        let rev = self.world.document.profile.rev;
        if !self.comes_in_order(purpose) || self.has_no_contract() {
            None
        } else if purpose.basis == LegalBasis::Consent {
            let given = self.agreed(purpose.id, &self.asked());
            given.map(|given| {
                let ends = self.ends(purpose).into_iter().chain(given.expires_at).collect();
                (LegalBasis::Consent, BasisRef::Consent(given.given_at), ends)
            })
        } else {
            Some((purpose.basis, BasisRef::Profile(rev), self.ends(purpose)))
        }
    }

    /// Whether somebody wants what they agreed to, but not this of it.
    fn is_taken_back(&self) -> bool {
        let mut parts = self.state.parts.iter();
        self.purpose.unwrap().basis == LegalBasis::Consent
            && parts.any(|part| shuts_out(part, &self.question.label, self.receiver.unwrap()))
    }

    /// Every right that there is, the first to be named first, and when what it rests on ends.
    fn bases(&self) -> Vec<(LegalBasis, BasisRef, Vec<WallTime>)> {
        let own = self.own_basis().filter(|_| !self.is_taken_back());
        let live = self.world.grants.iter().filter(|grant| self.is_valid(grant)).take(64);
        let covering = live.filter(|grant| self.covers(grant));
        let granted = covering.map(|grant| (ground(grant.code), BasisRef::Exemption(grant.id), vec![grant.not_after]));
        own.into_iter().chain(granted).collect()
    }

    /// When the consents end that `purpose` requires, and those that these require.
    fn ends(&self, purpose: &PurposeRule) -> Vec<WallTime> {
        let firsts = purpose.requires.iter();
        let ends = firsts.flat_map(|first| {
            let own = self.state.consents.get(first).and_then(|given| given.expires_at);
            own.into_iter().chain(self.ends(&self.world.document.purpose[first]))
        });
        ends.collect()
    }

    /// Whether all that `purpose` requires was agreed to, and what that requires, too.
    fn comes_in_order(&self, purpose: &PurposeRule) -> bool {
        purpose.requires.iter().all(|first| {
            let rule = &self.world.document.purpose[first];
            let asked = (self.world.document.defaults.min_consent_type, rule.separate, false);
            self.agreed(*first, &[asked]).is_some() && self.comes_in_order(rule)
        })
    }

    /// Consent to `purpose` that holds now, for this data, and is all that is `asked` of it.
    fn agreed(&self, purpose: Purpose, asked: &[(ConsentType, bool, bool)]) -> Option<&PurposeConsent> {
        let consents = self.state.consents.iter().filter(|(id, _)| **id == purpose).map(|(_, given)| given);
        let mut enough = consents.filter(|given| {
            [ConsentStatus::Given, ConsentStatus::Renewed].contains(&given.status)
                && given.profile_rev == self.world.document.profile.rev
                && given.expires_at.is_none_or(|end| end > self.question.now)
                && self.question.label.cv.0 >= given.given_at.0
                && asked.iter().all(|(least, separate, written)| {
                    given.consent_type >= *least && given.separate >= *separate && given.written >= *written
                })
        });
        enough.next()
    }

    /// Everything that is asked of consent: how clear, whether apart, whether in writing.
    fn asked(&self) -> Vec<(ConsentType, bool, bool)> {
        let (purpose, category, receiver) = (self.purpose.unwrap(), self.category.unwrap(), self.receiver.unwrap());
        let least = category.min_consent_type.unwrap_or(self.world.document.defaults.min_consent_type);
        let implied = ConsentType::Implied;
        let mut asked = vec![(least, category.separate, category.written), (implied, purpose.separate, false)];
        for (region, more) in &category.in_region {
            if *region <= receiver.region_class {
                asked.push((more.min_consent_type.unwrap_or(implied), more.separate, false));
            }
        }
        for (about, apart) in self.laws().flat_map(|law| law.asks) {
            // what a gate alone does is not the purpose of the processing
            let purposely = |processing| purpose.processing.contains(&processing);
            let at_hand = match about {
                About::Special => category.sensitivity == Sensitivity::Special,
                About::Provision => purposely(Processing::Share) || receiver.independent_controller,
                About::Publication => purposely(Processing::Publish),
                About::Overseas => receiver.region_class == RegionClass::Overseas,
                About::Training => purposely(Processing::Train) || receiver.trains_on_data == Some(true),
            };
            if at_hand {
                asked.push((ConsentType::ExplicitlyExpressed, *apart, false));
            }
        }
        asked
    }

    /// Whether the profile lets `grant` open anything.
    fn is_valid(&self, grant: &ExemptionGrant) -> bool {
        use ExemptionCode::{X01, X02, X03, X04, X09, X10, X13};
        let document = &self.world.document;
        let Some(kept) = document.exemption.get(&grant.code) else { return false };
        let by_law = if [X01, X02, X03, X04, X10].contains(&grant.code) { 2 } else { 1 };
        let end = match kept.max {
            Period::Iso(max) => max.after(grant.not_before),
            Period::WorkingDays(days) => WallTime(grant.not_before.0 + u64::from(days) * 86_400_000),
        };
        let fits = grant.categories.iter().all(|id| {
            let rule = document.category.get(id);
            rule.is_some_and(|rule| grant.code != X09 || rule.content_free)
                && rule.is_some_and(|rule| grant.code != X13 || rule.identifies == Identifies::Anonymised)
                && (kept.categories.is_empty() || kept.categories.contains(id))
        });
        grant.approvers.len() >= by_law
            && grant.approvers.len() >= usize::from(kept.approvers)
            && grant.not_before < grant.not_after
            && grant.not_after <= end
            && fits
    }

    /// Whether `grant`, a valid one, covers the question.
    fn covers(&self, grant: &ExemptionGrant) -> bool {
        let Question { label, processor, now, .. } = self.question;
        let gives_away = self.done.contains(&Processing::Share) || self.done.contains(&Processing::Publish);
        let needed = if gives_away { ExemptionScope::SharePublish } else { ExemptionScope::CollectUse };
        let somebody_else = grant.subject.is_some() && grant.subject != Some(label.subject);
        !somebody_else
            && grant.purposes.contains(&label.purpose)
            && grant.categories.contains(&label.category)
            && grant.processors.contains(processor)
            && (grant.not_before.0..grant.not_after.0).contains(&now.0)
            && self.world.document.exemption[&grant.code].scope.contains(&needed)
    }

    fn obligations(&self) -> Obligations {
        let (category, receiver) = (self.category.unwrap(), self.receiver.unwrap());
        let retention = category.retention.as_ref().or(self.world.document.retention.default.as_ref());
        let zeroise_at_turn_end = retention.is_some_and(|rule| {
            let triggers: BTreeSet<_> = rule.trigger.iter().collect();
            triggers.contains(&Trigger::TurnEnd)
                && !triggers.contains(&Trigger::Collected)
                && rule.action == RetentionAction::Zeroise
                && rule.after.period().is_some_and(|after| after.shortest().is_zero())
        });
        Obligations {
            no_store: category.at_rest == AtRest::Forbidden || self.for_minors().no_store,
            zeroise_at_turn_end,
            redact: category.redact.iter().next().is_some(),
            only_fields: receiver.fields.keys().any(|id| *id == self.question.label.category),
            minor: self.is_minor(),
        }
    }
}

/// What each ground is a case of.
fn ground(code: ExemptionCode) -> LegalBasis {
    use ExemptionCode::{X01, X02, X03, X04, X05, X06, X07, X08, X09, X10, X11, X12, X13, X14};
    let grounds: [(&[ExemptionCode], LegalBasis); 6] = [
        (&[X01, X03], LegalBasis::OfficialAuthority),
        (&[X02, X11, X12], LegalBasis::PublicInterest),
        (&[X04, X10], LegalBasis::VitalInterest),
        (&[X05, X06, X09, X13], LegalBasis::LegitimateInterest),
        (&[X07], LegalBasis::ContractPerformance),
        (&[X08, X14], LegalBasis::LegalObligation),
    ];
    grounds.into_iter().find(|(codes, _)| codes.contains(&code)).unwrap().1
}
