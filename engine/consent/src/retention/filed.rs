//! [`Filed`]: what is filed at the desks where people decide, and ends by a rule.

use sayso_policy::Happened;
use sayso_policy::profile::Trigger;
use sayso_store::TypedKey as _;
use sayso_types::{Category, Name, WallTime};

use crate::complaints::Complaint;
use crate::disclosure::Disclosure;
use crate::exemption::{Proposal, Standing};
use crate::tables::{ComplaintKey, DisclosureKey, ExemptionKey};

/// What is filed of people, or of nobody, and is no record of one person's register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Filed {
    /// Complaints.
    Complaints,
    /// What was given to authorities.
    Disclosures,
    /// What was proposed to be done without consent, and whose data it was used on.
    Exemptions,
}

impl Filed {
    pub(crate) const ALL: [Self; 3] = [Self::Complaints, Self::Disclosures, Self::Exemptions];

    /// Its table.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Complaints => ComplaintKey::TABLE,
            Self::Disclosures => DisclosureKey::TABLE,
            Self::Exemptions => ExemptionKey::TABLE,
        }
    }

    /// Under which category a profile may say when it ends.
    pub(crate) const fn category(self) -> Category {
        Category(Name::constant(match self {
            Self::Complaints => "complaint_record",
            Self::Disclosures => "disclosure_record",
            Self::Exemptions => "exemption_record",
        }))
    }
}

/// What has happened to a complaint; [`None`] while it waits for its answer.
pub(crate) fn happened_to_complaint(complaint: &Complaint) -> Option<Happened> {
    Some(over(complaint.received, complaint.answer?.at))
}

/// What has happened to a disclosure; [`None`] while its people are yet to be told of it.
pub(crate) fn happened_to_disclosure(disclosure: &Disclosure) -> Option<Happened> {
    let is_to_be_told = disclosure.tell_at.is_some() && disclosure.told_at.is_none();
    (!is_to_be_told).then(|| over(disclosure.made_at, disclosure.told_at.unwrap_or(disclosure.made_at)))
}

/// What has happened to a proposal; [`None`] while it is in force. One that was taken back counts from when its time would have
/// been over, which is on record, and one that nobody approved from when it was made.
pub(crate) fn happened_to_exemption(proposal: &Proposal) -> Option<Happened> {
    let made = proposal.proposed.at;
    match proposal.standing {
        Standing::Live { .. } => None,
        Standing::Proposed => Some(over(made, proposal.approved.last().map_or(made, |said| said.at))),
        Standing::Expired | Standing::Revoked => {
            Some(over(made, proposal.approved.last().map_or(made, |said| proposal.terms.lasts.after(said.at))))
        }
    }
}

/// What has happened to something that was `made` then and was over `at` then.
fn over(made: WallTime, at: WallTime) -> Happened {
    Happened::collected(made).and(Trigger::PurposeEnded, at).and(Trigger::Withdraw, at)
}
