//! [`explain()`]: why [`decide()`] says what it says, question by question.

mod fact;
mod told;
mod wording;

use sayso_types::{Category, Cell, Name, RegionClass};

pub use fact::{Closing, Fact};
pub use told::{Told, ToldFact, ToldStep};

use crate::decide::{Demand, has_means, is_agreed_to, is_done, is_instructable, minors_rule};
use crate::error::Nearest;
use crate::profile::{AtRest, CategoryRule, Deployment, Identifies, Processor, PurposeRule, Src};
use crate::{AgeBand, ConsentState, Decision, Gate, InForce, LegalBasis, Profile, Question, Reason, decide};

/// An answer of [`decide()`] with the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What was asked.
    pub question: Question,
    /// What [`decide()`] says.
    pub decision: Decision,
    /// What it asked itself, in its order, up to the first that was answered with no.
    pub steps: Vec<Step>,
}

/// One question of [`decide()`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The reason that is given when the answer is no.
    pub reason: Reason,
    /// What was looked at. The answer is yes when all of it holds.
    pub facts: Vec<Fact>,
    /// The clauses of the written policy, or the articles of a law, that the facts rest on.
    pub clauses: Src,
}

impl Step {
    /// Whether the answer is yes.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.facts.iter().all(Fact::holds)
    }
}

/// Explains what [`decide()`] says to the same arguments.
#[must_use]
pub fn explain(question: &Question, state: &ConsentState, in_force: &InForce) -> Explanation {
    let decision = decide(question, state, in_force);
    let asking = Asking { question, state, in_force, decision: &decision, steps: Vec::new() };
    let steps = asking.ask();
    Explanation { question: *question, decision, steps }
}

/// The questions, asked one after the other.
struct Asking<'a> {
    question: &'a Question,
    state: &'a ConsentState,
    in_force: &'a InForce,
    decision: &'a Decision,
    steps: Vec<Step>,
}

impl<'a> Asking<'a> {
    fn profile(&self) -> &'a Profile {
        self.in_force.profile()
    }

    fn ask(mut self) -> Vec<Step> {
        // an answer of no ends it
        let _ = self.all();
        self.steps
    }

    fn all(&mut self) -> Option<()> {
        let profile = self.profile();
        let Question { label, processor, .. } = *self.question;
        let (purpose, category) = (profile.purpose(label.purpose), profile.category(label.category));
        self.prohibited(purpose, category)?;
        self.step(
            Reason::UnknownCell,
            vec![
                Fact::PurposeDeclared {
                    purpose: label.purpose,
                    declared: purpose.is_some(),
                    nearest: Nearest::to(label.purpose.as_str(), profile.purposes().map(|rule| rule.id.as_str())),
                },
                Fact::CategoryDeclared {
                    category: label.category,
                    declared: category.is_some(),
                    nearest: Nearest::to(
                        label.category.as_str(),
                        profile.document().category.keys().map(Category::as_str),
                    ),
                },
            ],
        )?;
        let (purpose, category) = (purpose?, category?);
        let used = category.purposes.contains(&purpose.id);
        self.step(Reason::UnknownCell, vec![Fact::UsedFor { category: label.category, purpose: purpose.id, used }])?;
        self.step(Reason::MinorNoGuardian, vec![self.guardian(category)])?;
        let switches = self.switches(label.category);
        if !switches.is_empty() {
            self.step(Reason::SwitchedOff, switches)?;
        }
        let instructed = self.instructed(purpose, category);
        if !instructed.is_empty() {
            self.step(Reason::NotInstructed, instructed)?;
        }
        if self.state.restricted.contains(&label.category) {
            let used = self.question.gate.uses();
            self.step(Reason::Restricted, vec![Fact::Restricted { category: label.category, used }])?;
        }
        let receiver = profile.processor(processor);
        let mut facts = vec![Fact::Registered { processor, registered: receiver.is_some() }];
        facts.extend(receiver.into_iter().flat_map(|receiver| self.receiver(receiver)));
        self.step(Reason::ProcessorState, facts)?;
        let receiver = receiver?;
        let facts = self.place(receiver, category);
        self.step(Reason::Region, facts)?;
        let narrowed = self.in_force.registry().narrowed(processor).filter(|_| category.is_personal());
        if let Some(narrowed) = narrowed {
            self.step(Reason::TransferLimit, vec![Fact::WithinLimit { processor, narrowed }])?;
        }
        let facts = self.basis(purpose, category, receiver);
        if purpose.basis.is_contract() && !matches!(facts[..], [Fact::Exempted { .. }]) {
            let closed = self.state.is_closed;
            self.step(Reason::AccountClosed, vec![Fact::Contract { purpose: purpose.id, closed }])?;
        }
        self.step(Reason::NoBasis, facts)?;
        if let Some(fact) = self.taken_back(purpose, receiver) {
            self.step(Reason::TakenBack, vec![fact])?;
        }
        if receiver.introduction().is_some() && category.is_personal() {
            let told = self.state.was_told_of(receiver);
            self.step(Reason::NotTold, vec![Fact::Introduced { processor, told }])?;
        }
        Some(())
    }

    /// Notes a question and its answer; [`None`] when that is no.
    fn step(&mut self, reason: Reason, facts: Vec<Fact>) -> Option<()> {
        let keys: Vec<_> = facts.iter().filter_map(Fact::key).collect();
        let under =
            |cited: &str, key: &str| key.strip_prefix(cited).is_some_and(|r| r.is_empty() || r.starts_with('.'));
        let cited = self.profile().document().cited().filter(|(cited, _)| keys.iter().any(|key| under(cited, key)));
        let clauses = cited.flat_map(|(_, src)| src.iter().cloned()).collect();
        self.note(Step { reason, facts, clauses })
    }

    fn note(&mut self, step: Step) -> Option<()> {
        let passed = step.passed();
        self.steps.push(step);
        passed.then_some(())
    }

    fn prohibited(&mut self, purpose: Option<&PurposeRule>, category: Option<&CategoryRule>) -> Option<()> {
        let Question { label, gate, processor, .. } = *self.question;
        let profile = self.profile();
        let age_years = profile.youngest(self.state.age);
        let receiver = profile.processor(processor);
        let does = |processing| is_done(processing, gate, purpose, receiver);
        let rules = profile.document().prohibition.iter();
        let covering: Vec<_> =
            rules.filter(|rule| rule.covers((label.purpose, purpose), label.category, does, age_years)).collect();
        let mut clauses: Src = covering.iter().flat_map(|rule| rule.src.iter().cloned()).collect();
        let mut facts: Vec<_> = covering.into_iter().map(|rule| Fact::Prohibited { rule: rule.clone() }).collect();
        if let Some(rule) = category {
            let closings = closings(profile, self.question, rule, age_years);
            if !closings.is_empty() {
                clauses.extend(rule.src.iter().cloned());
            }
            facts.extend(closings.into_iter().map(|why| Fact::Closed { gate, category: label.category, why }));
        }
        if facts.is_empty() {
            facts.push(Fact::NotProhibited);
        }
        self.note(Step { reason: Reason::Prohibited, facts, clauses })
    }

    fn guardian(&self, category: &CategoryRule) -> Fact {
        let below = self.profile().guardian_required_below();
        let youngest = self.profile().youngest(self.state.age);
        match category.is_personal() {
            false => Fact::AboutNobody { category: self.question.label.category },
            true if youngest >= below && self.state.age == AgeBand::Unknown => {
                Fact::TakenForOldEnough { youngest, below }
            }
            true if youngest >= below => Fact::OldEnough { youngest, below },
            true => Fact::Guardian { youngest, below, verified: self.state.guardian_verified },
        }
    }

    /// The switches that are thrown; where none is, that is not worth a step.
    fn switches(&self, category: Category) -> Vec<Fact> {
        let registry = self.in_force.registry();
        let tenant = self.state.tenant.clone().filter(|tenant| registry.is_tenant_off(Some(tenant)));
        let off = registry.is_category_off(category).then_some(Fact::CategoryOff { category });
        off.into_iter().chain(tenant.map(|tenant| Fact::TenantOff { tenant })).collect()
    }

    /// What the tenant attested and instructs, where it has to, or has, and it is for it to say.
    fn instructed(&self, purpose: &PurposeRule, category: &CategoryRule) -> Vec<Fact> {
        if !is_instructable(purpose) {
            return Vec::new();
        }
        let (label, now, registry) = (self.question.label, self.question.now, self.in_force.registry());
        let tenant = self.state.tenant.as_ref();
        let must_attest = self.profile().document().is_attested(category);
        let attested = || Fact::Attested { tenant: tenant.cloned(), attested: registry.is_attested(tenant) };
        let covered = registry.instructions_of(tenant).map(|given| given.cover(label.purpose, label.category, now));
        let instructed = tenant.cloned().zip(covered).map(|(tenant, covered)| Fact::Instructed { tenant, covered });
        must_attest.then(attested).into_iter().chain(instructed).collect()
    }

    fn receiver(&self, receiver: &Processor) -> [Fact; 6] {
        let Question { label, gate, now, .. } = *self.question;
        let processor = receiver.id;
        let required = !receiver.is_own() && self.profile().document().registry.due_diligence_required;
        [
            Fact::State { processor, state: receiver.state },
            Fact::Narrowed { processor, narrowed: self.in_force.registry().narrowed(processor) },
            Fact::Examined { processor, until: receiver.examined_until(), now, required },
            Fact::Behind { processor, gate, leads: gate.leads_to(receiver.kind) },
            Fact::Accepts { processor, category: label.category, accepted: receiver.accepts.contains(&label.category) },
            Fact::Serves { processor, purpose: label.purpose, meant: receiver.purposes.contains(&label.purpose) },
        ]
    }

    fn place(&self, receiver: &Processor, category: &CategoryRule) -> Vec<Fact> {
        if !category.is_personal() {
            return vec![Fact::AboutNobody { category: self.question.label.category }];
        }
        let (processor, region) = (receiver.id, receiver.region_class);
        let transfers = &self.profile().document().transfers;
        let mut facts = vec![Fact::Reach { processor, region, farthest: self.state.farthest }];
        if region == RegionClass::Overseas {
            facts.push(Fact::Overseas { allowed: transfers.overseas });
            facts.push(Fact::Means { processor, found: has_means(receiver) });
        }
        if self.question.gate.stores() && !transfers.storage.is_empty() {
            let here = transfers.storage.contains(&receiver.region);
            facts.push(Fact::StoredHere { processor, region: receiver.region.clone(), here });
        }
        facts
    }

    /// The exemption grant that it rests on, or would, if the person were told of the receiver.
    fn grant(&self, receiver: &Processor) -> Option<Name> {
        let answer = match self.decision.answer {
            // whoever is told has the same right
            Err(Reason::NotTold) => {
                let mut told = self.state.clone();
                told.told.extend(receiver.introduction().map(|introduction| introduction.hash()));
                decide(self.question, &told, self.in_force).answer
            }
            answer => answer,
        };
        answer.ok()?.exemption()
    }

    /// The part that the person took back of the consent that it would rest on; where they took none, that is not worth a step.
    fn taken_back(&self, purpose: &PurposeRule, receiver: &Processor) -> Option<Fact> {
        let label = self.question.label;
        let (kind, region) = (receiver.kind, receiver.region_class);
        let cell = Cell { purpose: label.purpose, category: label.category, kind, region };
        let found = self.state.took_back(&cell, receiver.id, label.cv).filter(|_| purpose.basis == LegalBasis::Consent);
        let (part, status) = found.filter(|_| self.grant(receiver).is_none())?;
        Some(Fact::TakenBack { part, status })
    }

    fn basis(&self, purpose: &PurposeRule, category: &CategoryRule, receiver: &Processor) -> Vec<Fact> {
        let (id, rev) = (purpose.id, self.profile().rev());
        if let Some(grant) = self.grant(receiver) {
            return vec![Fact::Exempted { grant }];
        }
        let required = self.profile().document().required(purpose).into_iter();
        let mut facts: Vec<_> = required
            .map(|first| {
                let agreed = is_agreed_to(first, self.question, self.state, self.profile());
                Fact::AgreedFirst { purpose: id, first, agreed }
            })
            .collect();
        if purpose.basis != LegalBasis::Consent {
            facts.push(Fact::OtherBasis { purpose: id, basis: purpose.basis, code: purpose.basis_code.clone(), rev });
            return facts;
        }
        let Some(given) = self.state.consents.get(&id) else {
            facts.push(Fact::NoRecord { purpose: id });
            return facts;
        };
        let demand = Demand::of(self.profile(), purpose, category, receiver);
        facts.extend([
            Fact::Status { purpose: id, status: given.status },
            Fact::Clarity { found: given.consent_type, min: demand.min_type },
            Fact::Separate { found: given.separate, required: demand.separate },
            Fact::Written { found: given.written, required: demand.written },
            Fact::Revision { found: given.profile_rev, rev },
            Fact::Lasting { until: given.expires_at, now: self.question.now },
            Fact::Fresh { data: self.question.label.cv, since: given.given_at },
        ]);
        facts
    }
}

/// What is said about the category that closes the gate to it.
fn closings(profile: &Profile, question: &Question, rule: &CategoryRule, age_years: u8) -> Vec<Closing> {
    let Question { label, gate, .. } = *question;
    let minor = age_years < profile.protected_below();
    let for_minors = minors_rule(profile, label.category);
    let on_trial = profile.header().deployment == Deployment::TestPlatform;
    let all = [
        (minor && for_minors.forbidden, Closing::Minor),
        (gate.stores() && rule.at_rest == AtRest::Forbidden, Closing::AtRest),
        (gate.stores() && minor && for_minors.no_store, Closing::MinorAtRest),
        (gate == Gate::Log && !rule.content_free, Closing::Content),
        (gate == Gate::Telemetry && rule.identifies != Identifies::Anonymised, Closing::LeadsBack),
        (on_trial && rule.is_barred_from_trials(label.category), Closing::Trial),
        (on_trial && rule.is_personal() && minor, Closing::MinorTrial),
    ];
    all.into_iter().filter(|(closes, _)| *closes).map(|(_, why)| why).collect()
}

#[cfg(test)]
mod tests;
