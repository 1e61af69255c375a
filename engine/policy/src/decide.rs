//! [`decide()`]: may this data go to this processor now? A pure function, so that an auditor gets the same answer.

mod demand;

use core::fmt;

use sayso_types::{Category, Cell, ConsentVersion, Label, Name, ProcessorId, Purpose, RegionClass, WallTime};

pub(crate) use self::demand::Demand;
use crate::profile::{
    AtRest, CategoryRule, Deployment, Identifies, Mechanism, MinorRule, Processing, Processor, ProcessorState,
    PurposeRule, Retention, RetentionAction, Trigger,
};
use crate::{ConsentState, ExemptionGrant, Gate, InForce, LegalBasis, Narrowed, Period, Profile};

/// What is asked at a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// What the data is.
    pub label: Label,
    /// At which gate.
    pub gate: Gate,
    /// To whom it would go.
    pub processor: ProcessorId,
    /// When.
    pub now: WallTime,
}

/// The answer, why, and on what it rests: whoever has the same revisions gets the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// By what right it may, or why it may not.
    pub answer: Result<Grounds, Reason>,
    /// The version of the person's consents.
    pub cv: ConsentVersion,
    /// The revision of the profile.
    pub profile_rev: u32,
    /// The revision of the registry of processors.
    pub registry_rev: u32,
}

impl Decision {
    pub(crate) fn new(answer: Result<Grounds, Reason>, state: &ConsentState, in_force: &InForce) -> Self {
        let (profile_rev, registry_rev) = (in_force.profile().rev(), in_force.registry().rev());
        Self { answer, cv: state.cv, profile_rev, registry_rev }
    }

    /// Whether it may.
    #[must_use]
    pub const fn is_permit(&self) -> bool {
        self.answer.is_ok()
    }
}

/// By what right, and under what duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grounds {
    /// The cell that was decided on.
    pub cell: Cell,
    /// By what right.
    pub basis: LegalBasis,
    /// Where that right is written down.
    pub basis_ref: BasisRef,
    /// What the receiver must keep to.
    pub obligations: Obligations,
    /// The first moment at which it does not hold any more, if nothing changes until then: no permit lives longer.
    pub until: Option<WallTime>,
}

impl Grounds {
    /// The exemption grant that it rests on, if it rests on one: every use is noted.
    #[must_use]
    pub const fn exemption(&self) -> Option<Name> {
        match self.basis_ref {
            BasisRef::Exemption(grant) => Some(grant),
            BasisRef::Consent(_) | BasisRef::Profile(_) => None,
        }
    }
}

/// Where the right to process is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasisRef {
    /// In the person's consent record: the version at which it was given.
    Consent(ConsentVersion),
    /// In the profile: the revision whose purpose names the basis.
    Profile(u32),
    /// In the exemption grant of this name. Every use of it is noted.
    Exemption(Name),
}

/// The duties that come with the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Obligations {
    /// It must not be stored.
    pub no_store: bool,
    /// It must be overwritten in memory as soon as the turn ends.
    pub zeroise_at_turn_end: bool,
    /// What the category lists under `redact` must be taken out first.
    pub redact: bool,
    /// Only the fields that the processor lists for the category may go.
    pub only_fields: bool,
    /// The person may be a minor: what the profile has for minors holds.
    pub minor: bool,
}

/// Why not. The order is the order in which [`decide()`] asks, so that the first that applies is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The profile forbids it; no consent opens it.
    Prohibited,
    /// The profile does not know the purpose or the category, or does not use the one for the other.
    UnknownCell,
    /// The person may be a minor and no guardian is verified.
    MinorNoGuardian,
    /// The category, or whatever is said to the tenant's devices, is switched off for the time being.
    SwitchedOff,
    /// The tenant has not instructed it, or not any more.
    NotInstructed,
    /// The person had the use of it restricted: it is kept, and used for nothing.
    Restricted,
    /// The processor is not registered, not active, not examined in time, or not meant for this data.
    ProcessorState,
    /// The processor stands further away than the person allows.
    Region,
    /// As many people's data went there this year as its legal means covers.
    TransferLimit,
    /// It rests on a contract with the person, and they closed their account.
    AccountClosed,
    /// There is no valid consent that covers it, or to a purpose that must have been agreed to first.
    NoBasis,
    /// There is, and the person took back this part of it.
    TakenBack,
    /// The processor decides itself what it does with the data, and the person was not told of it yet.
    NotTold,
}

impl Reason {
    /// Every reason, in the order of asking.
    pub const ALL: [Self; 13] = [
        Self::Prohibited,
        Self::UnknownCell,
        Self::MinorNoGuardian,
        Self::SwitchedOff,
        Self::NotInstructed,
        Self::Restricted,
        Self::ProcessorState,
        Self::Region,
        Self::TransferLimit,
        Self::AccountClosed,
        Self::NoBasis,
        Self::TakenBack,
        Self::NotTold,
    ];

    /// Its name in audit leaves and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prohibited => "prohibited",
            Self::UnknownCell => "unknown_cell",
            Self::MinorNoGuardian => "minor_no_guardian",
            Self::SwitchedOff => "switched_off",
            Self::NotInstructed => "not_instructed",
            Self::Restricted => "restricted",
            Self::ProcessorState => "processor_state",
            Self::Region => "region",
            Self::TransferLimit => "transfer_limit",
            Self::AccountClosed => "account_closed",
            Self::NoBasis => "no_basis",
            Self::TakenBack => "taken_back",
            Self::NotTold => "not_told",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Decides whether data may go where `question` says, given what the person agreed to and the rules in force. What
/// nothing allows is denied.
///
/// `state` must be the register of the subject of the label.
#[must_use]
pub fn decide(question: &Question, state: &ConsentState, in_force: &InForce) -> Decision {
    decided(question, state, in_force, Form::AsItIs)
}

/// Decides as [`decide()`] does about what a registered [`Transformation`](crate::Transformation) makes of the data: it leads to
/// nobody where the retention of its category says that it is anonymised.
#[must_use]
pub fn decide_anonymised(question: &Question, state: &ConsentState, in_force: &InForce) -> Decision {
    decided(question, state, in_force, Form::Anonymised)
}

/// In which form data crosses a gate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is stored or said.
    AsItIs,
    /// As a registered transformation releases it.
    Anonymised,
}

fn decided(question: &Question, state: &ConsentState, in_force: &InForce, form: Form) -> Decision {
    let answer = Case::under(question, state, in_force, (form, Whose::TheirTenants)).and_then(|case| {
        let (basis, basis_ref, ends) = match case.own_basis(question, state) {
            Ok((basis, basis_ref)) => {
                let required = case.profile.document().required(case.purpose);
                (basis, basis_ref, agreed_until(basis_ref, question.label.purpose, required, state))
            }
            Err(reason) => {
                let grant = case.exemption(question, in_force).ok_or(reason)?;
                (grant.code.basis(), BasisRef::Exemption(grant.id), Some(grant.not_after))
            }
        };
        // the last of all, so that whoever is denied for this has but to be told, and nobody is told of a service that would
        // get nothing of theirs all the same
        if !case.was_told(state) {
            return Err(Reason::NotTold);
        }
        let term = case.term(state, in_force);
        let until = ends.into_iter().chain(case.receiver.examined_until()).chain(term).min();
        Ok(Grounds { cell: case.cell, basis, basis_ref, obligations: case.obligations(), until })
    });
    Decision::new(answer, state, in_force)
}

/// By whose instructions data is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Those of the person's tenant.
    TheirTenants,
    /// Those of any: what is the same for all tenants.
    Anybodys,
}

/// A question that nothing stands against but, perhaps, the want of a basis, or that the person was not told of the receiver.
pub(crate) struct Case<'a> {
    profile: &'a Profile,
    purpose: &'a PurposeRule,
    category: &'a CategoryRule,
    receiver: &'a Processor,
    cell: Cell,
    minor: bool,
}

impl<'a> Case<'a> {
    /// The checks in the order of [`Reason`], up to that of the basis.
    pub(crate) fn of(question: &Question, state: &ConsentState, in_force: &'a InForce) -> Result<Self, Reason> {
        Self::under(question, state, in_force, (Form::AsItIs, Whose::TheirTenants))
    }

    /// The same but for what the person's tenant instructs.
    pub(crate) fn of_any_tenant(
        question: &Question,
        state: &ConsentState,
        in_force: &'a InForce,
    ) -> Result<Self, Reason> {
        Self::under(question, state, in_force, (Form::AsItIs, Whose::Anybodys))
    }

    fn under(
        question: &Question,
        state: &ConsentState,
        in_force: &'a InForce,
        (form, whose): (Form, Whose),
    ) -> Result<Self, Reason> {
        let Question { label, gate, processor, .. } = *question;
        let profile: &Profile = in_force.profile();
        let purpose = profile.purpose(label.purpose);
        let category = profile.category(label.category);
        let receiver = profile.processor(processor);
        let age_years = profile.youngest(state.age);
        let minor = age_years < profile.protected_below();

        let does = |processing| is_done(processing, gate, purpose, receiver);
        let mut prohibitions = profile.document().prohibition.iter();
        if prohibitions.any(|p| p.covers((label.purpose, purpose), label.category, does, age_years))
            || category.is_some_and(|rule| is_closed(profile, (gate, form), label, rule, age_years))
        {
            return Err(Reason::Prohibited);
        }
        let (Some(purpose), Some(category)) = (purpose, category) else { return Err(Reason::UnknownCell) };
        if !category.purposes.contains(&label.purpose) {
            return Err(Reason::UnknownCell);
        }
        // words about nobody need no guardian and may be said by anyone: else nobody could be asked for consent
        let personal = category.is_personal();
        if personal && age_years < profile.guardian_required_below() && !state.guardian_verified {
            return Err(Reason::MinorNoGuardian);
        }
        let registry = in_force.registry();
        if registry.is_category_off(label.category) || registry.is_tenant_off(state.tenant.as_ref()) {
            return Err(Reason::SwitchedOff);
        }
        let used = (label.purpose, label.category);
        let tenant = state.tenant.as_ref();
        if whose == Whose::TheirTenants
            && is_instructable(purpose)
            && in_force.is_uninstructed(tenant, used, question.now)
        {
            return Err(Reason::NotInstructed);
        }
        if state.restricted.contains(&label.category) && gate.uses() {
            return Err(Reason::Restricted);
        }
        let narrowed = registry.narrowed(processor);
        let receiver = receiver.filter(|receiver| is_fit(receiver, question, profile, narrowed));
        let receiver = receiver.ok_or(Reason::ProcessorState)?;
        if personal && is_too_far(receiver, gate, state.farthest, profile) {
            return Err(Reason::Region);
        }
        if personal && narrowed == Some(Narrowed::TransferLimitReached) {
            return Err(Reason::TransferLimit);
        }
        let cell = Cell {
            purpose: label.purpose,
            category: label.category,
            kind: receiver.kind,
            region: receiver.region_class,
        };
        Ok(Self { profile, purpose, category, receiver, cell, minor })
    }

    /// Whether the person was told of the receiver, if they have to be before it gets anything of theirs.
    pub(crate) fn was_told(&self, state: &ConsentState) -> bool {
        !self.category.is_personal() || state.was_told_of(self.receiver)
    }

    /// When the tenant's instructions end, if it is the tenant's to instruct.
    pub(crate) fn term(&self, state: &ConsentState, in_force: &InForce) -> Option<WallTime> {
        let instructions = in_force.registry().instructions_of(state.tenant.as_ref());
        instructions.filter(|_| is_instructable(self.purpose))?.until
    }

    /// The right that it rests on by itself, and where that is written; or what it wants.
    pub(crate) fn own_basis(
        &self,
        question: &Question,
        state: &ConsentState,
    ) -> Result<(LegalBasis, BasisRef), Reason> {
        if self.ended(state) {
            return Err(Reason::AccountClosed);
        }
        let rests_on = self.purpose.basis;
        let required = self.profile.document().required(self.purpose);
        if !required.iter().all(|first| is_agreed_to(*first, question, state, self.profile)) {
            return Err(Reason::NoBasis);
        }
        if rests_on != LegalBasis::Consent {
            return Ok((rests_on, BasisRef::Profile(self.profile.rev())));
        }
        let demand = Demand::of(self.profile, self.purpose, self.category, self.receiver);
        let given = state.consents.get(&question.label.purpose).ok_or(Reason::NoBasis)?;
        if !(demand.is_met_by(given, self.profile.rev()) && given.covers(question.label.cv, question.now)) {
            return Err(Reason::NoBasis);
        }
        match state.took_back(&self.cell, self.receiver.id, question.label.cv) {
            None => Ok((rests_on, BasisRef::Consent(given.given_at))),
            Some(_) => Err(Reason::TakenBack),
        }
    }

    /// Whether the contract that it rests on has ended. Of the other rights nothing is known of the person that would be one's
    /// condition: the linter holds the profile's word for them against the laws.
    pub(crate) fn ended(&self, state: &ConsentState) -> bool {
        self.purpose.basis.is_contract() && state.is_closed
    }

    /// The first live grant that covers it.
    pub(crate) fn exemption<'b>(&self, question: &Question, in_force: &'b InForce) -> Option<&'b ExemptionGrant> {
        let does = |processing| is_done(processing, question.gate, Some(self.purpose), Some(self.receiver));
        let gives_away = does(Processing::Share) || does(Processing::Publish);
        let kept = |code| self.profile.document().exemption.get(&code).is_some_and(|e| e.is_for(gives_away));
        in_force.exemptions().iter().find(|grant| grant.names(question) && kept(grant.code))
    }

    /// The duties that come with the data.
    pub(crate) fn obligations(&self) -> Obligations {
        let Self { profile, category, receiver, cell, minor, .. } = *self;
        let at_once = profile.document().retention_of(category).is_some_and(|retention| {
            retention.trigger.iter().next() == Some(Trigger::TurnEnd)
                && retention.after.period().is_some_and(Period::is_zero)
                && retention.action == RetentionAction::Zeroise
        });
        Obligations {
            no_store: category.at_rest == AtRest::Forbidden || minor && minors_rule(profile, cell.category).no_store,
            zeroise_at_turn_end: at_once,
            redact: !category.redact.is_empty(),
            only_fields: receiver.fields.contains_key(&cell.category),
            minor,
        }
    }
}

/// When the consents end by themselves that something rests on: to `purpose`, where that is its basis, and to those that
/// it requires.
pub(crate) fn agreed_until(
    basis_ref: BasisRef,
    purpose: Purpose,
    required: impl IntoIterator<Item = Purpose>,
    state: &ConsentState,
) -> Option<WallTime> {
    let own = matches!(basis_ref, BasisRef::Consent(_)).then_some(purpose);
    required.into_iter().chain(own).filter_map(|purpose| state.consents.get(&purpose)?.expires_at).min()
}

/// Whether there is consent to `purpose`, as other purposes require it, that covers the data of `question`.
pub(crate) fn is_agreed_to(purpose: Purpose, question: &Question, state: &ConsentState, profile: &Profile) -> bool {
    let (Some(rule), Some(given)) = (profile.purpose(purpose), state.consents.get(&purpose)) else { return false };
    Demand::in_general(profile, rule).is_met_by(given, profile.rev()) && given.covers(question.label.cv, question.now)
}

/// Whether `processing` is done with the data: at the gate, for the purpose, or by the receiver.
pub(crate) fn is_done(
    processing: Processing,
    gate: Gate,
    purpose: Option<&PurposeRule>,
    receiver: Option<&Processor>,
) -> bool {
    gate.does(processing)
        || purpose.is_some_and(|rule| rule.processing.contains(&processing))
        || receiver.is_some_and(|receiver| match processing {
            Processing::Share => receiver.independent_controller,
            Processing::Train => receiver.trains_on_data == Some(true),
            _ => false,
        })
}

/// Whether a tenant says what is done for the purpose: not where a law does.
pub(crate) fn is_instructable(purpose: &PurposeRule) -> bool {
    purpose.basis != LegalBasis::LegalObligation
}

/// Whether what is said about the category closes the gate to it.
fn is_closed(profile: &Profile, (gate, form): (Gate, Form), label: Label, rule: &CategoryRule, age_years: u8) -> bool {
    let for_minors =
        if age_years < profile.protected_below() { minors_rule(profile, label.category) } else { MinorRule::default() };
    let stored = gate.stores() && (rule.at_rest == AtRest::Forbidden || for_minors.no_store);
    let said = gate == Gate::Log && !rule.content_free;
    let is_anonymised = || profile.document().retention_of(rule).and_then(Retention::transformation).is_some();
    let leads_to_nobody = rule.identifies == Identifies::Anonymised || form == Form::Anonymised && is_anonymised();
    let leads_back = gate == Gate::Telemetry && !leads_to_nobody;
    // nothing sensitive belongs on a test platform, and whatever is about a child is
    let on_trial = profile.header().deployment == Deployment::TestPlatform
        && (rule.is_barred_from_trials(label.category) || rule.is_personal() && age_years < profile.protected_below());
    for_minors.forbidden || stored || said || leads_back || on_trial
}

pub(crate) fn minors_rule(profile: &Profile, category: Category) -> MinorRule {
    profile.minors().overrides.get(&category).copied().unwrap_or_default()
}

/// Whether `receiver` may have anything now, stands behind the gate, and is meant for this data.
fn is_fit(receiver: &Processor, question: &Question, profile: &Profile, narrowed: Option<Narrowed>) -> bool {
    let Question { label, gate, now, .. } = question;
    let looked_at = match receiver.examined_until() {
        Some(end) => *now < end,
        None => receiver.is_own() || !profile.document().registry.due_diligence_required,
    };
    receiver.state == ProcessorState::Active
        && !narrowed.is_some_and(Narrowed::is_closed)
        && looked_at
        && gate.leads_to(receiver.kind)
        && receiver.accepts.contains(&label.category)
        && receiver.purposes.contains(&label.purpose)
}

/// Whether `receiver` stands where data about this person may not go.
fn is_too_far(receiver: &Processor, gate: Gate, farthest: RegionClass, profile: &Profile) -> bool {
    let transfers = &profile.document().transfers;
    let has_means = has_means(receiver);
    let overseas = receiver.region_class == RegionClass::Overseas;
    let stored_elsewhere = gate.stores() && !transfers.lets_store_in(&receiver.region);
    receiver.region_class > farthest || overseas && !(transfers.overseas && has_means) || stored_elsewhere
}

#[cfg(test)]
mod tests;

/// Whether there is a legal means by which data may go to `receiver` abroad.
pub(crate) const fn has_means(receiver: &Processor) -> bool {
    !matches!(receiver.mechanism, None | Some(Mechanism::None))
}
