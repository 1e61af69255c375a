//! [`decide()`]: may this data go to this processor now? A pure function, so that an auditor gets the same answer.

use core::fmt;

use sayso_types::{Cell, ConsentVersion, Label, ProcessorId, WallTime};

use crate::profile::{AtRest, CategoryRule, Processing, RetentionAction, Trigger};
use crate::{ConsentState, LegalBasis, Period, Profile};

/// The answer, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Permit(Grounds),
    /// It may not.
    Deny(Reason),
}

impl Decision {
    /// Whether it may.
    #[must_use]
    pub const fn is_permit(&self) -> bool {
        matches!(self, Self::Permit(_))
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
}

/// Where the right to process is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasisRef {
    /// In the person's consent record: the version at which it was given.
    Consent(ConsentVersion),
    /// In the profile: the revision whose purpose names the basis.
    Profile(u32),
}

/// The duties that come with the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Obligations {
    /// It must not be stored.
    pub no_store: bool,
    /// It must be overwritten in memory as soon as the turn ends.
    pub zeroise_at_turn_end: bool,
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
    /// The processor is not registered, not active, not examined in time, or not meant for this data.
    ProcessorState,
    /// The processor stands further away than the person allows.
    Region,
    /// There is no valid consent that covers it.
    NoBasis,
}

impl Reason {
    /// Every reason, in the order of asking.
    pub const ALL: [Self; 6] =
        [Self::Prohibited, Self::UnknownCell, Self::MinorNoGuardian, Self::ProcessorState, Self::Region, Self::NoBasis];

    /// Its name in audit leaves and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prohibited => "prohibited",
            Self::UnknownCell => "unknown_cell",
            Self::MinorNoGuardian => "minor_no_guardian",
            Self::ProcessorState => "processor_state",
            Self::Region => "region",
            Self::NoBasis => "no_basis",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Decides whether data labelled `label` may go to `processor` at `now`, given what the person agreed to and the
/// profile that governs this person. What nothing allows is denied.
///
/// `state` must be the register of `label.subject`.
#[must_use]
pub fn decide(
    label: &Label,
    processor: ProcessorId,
    now: WallTime,
    state: &ConsentState,
    profile: &Profile,
) -> Decision {
    match ground(label, processor, now, state, profile) {
        Ok(grounds) => Decision::Permit(grounds),
        Err(reason) => Decision::Deny(reason),
    }
}

/// The checks, in the order of [`Reason`].
fn ground(
    label: &Label,
    processor: ProcessorId,
    now: WallTime,
    state: &ConsentState,
    profile: &Profile,
) -> Result<Grounds, Reason> {
    let purpose = profile.purpose(label.purpose).ok_or(Reason::UnknownCell)?;
    let category = profile.category(label.category).ok_or(Reason::UnknownCell)?;
    let age_years = profile.youngest(state.age);
    if profile.prohibits(purpose, label.category, Processing::Transmit, age_years) {
        return Err(Reason::Prohibited);
    }
    if !category.purposes.contains(&label.purpose) {
        return Err(Reason::UnknownCell);
    }
    // words about nobody need no guardian and may be said by anyone: else nobody could be asked for consent
    let personal = category.is_personal();
    if personal && age_years < profile.minors().guardian_required_below && !state.guardian_verified {
        return Err(Reason::MinorNoGuardian);
    }
    let receiver = profile.processor(processor).ok_or(Reason::ProcessorState)?;
    let meant_for = receiver.accepts.contains(&label.category) && receiver.purposes.contains(&label.purpose);
    if !receiver.is_active(now) || !meant_for {
        return Err(Reason::ProcessorState);
    }
    if personal && receiver.region_class > state.farthest {
        return Err(Reason::Region);
    }
    let basis_ref = match purpose.basis {
        LegalBasis::Consent => BasisRef::Consent(consent(label, now, state, profile, category)?),
        _ => BasisRef::Profile(profile.rev()),
    };
    Ok(Grounds {
        cell: Cell {
            purpose: label.purpose,
            category: label.category,
            kind: receiver.kind,
            region: receiver.region_class,
        },
        basis: purpose.basis,
        basis_ref,
        obligations: Obligations::of(profile, category),
    })
}

/// The version at which the consent was given that covers `label`, if one does.
fn consent(
    label: &Label,
    now: WallTime,
    state: &ConsentState,
    profile: &Profile,
    category: &CategoryRule,
) -> Result<ConsentVersion, Reason> {
    let given = state.consents.get(&label.purpose).ok_or(Reason::NoBasis)?;
    let covers = given.status.is_valid()
        && given.consent_type >= profile.min_consent_type(category)
        && (given.separate || !category.separate)
        && given.profile_rev == profile.rev()
        && given.expires_at.is_none_or(|end| now < end)
        && label.cv >= given.given_at;
    if covers { Ok(given.given_at) } else { Err(Reason::NoBasis) }
}

impl Obligations {
    fn of(profile: &Profile, category: &CategoryRule) -> Self {
        let at_once = profile.document().retention_of(category).is_some_and(|retention| {
            retention.trigger.iter().next() == Some(Trigger::TurnEnd)
                && retention.after.period().is_some_and(Period::is_zero)
                && retention.action == RetentionAction::Zeroise
        });
        Self { no_store: category.at_rest == AtRest::Forbidden, zeroise_at_turn_end: at_once }
    }
}
