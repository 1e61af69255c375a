//! [`Carrier`]: what carries out which request, once it is accepted.

use sayso_policy::profile::RightKind;

use super::request::Request;

/// What carries out a request. All but people answer it themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// People, who then say that it is done.
    People,
    /// An erasure, whose certificate answers it.
    Erasure,
    /// An erasure, with whose certificate the account is closed.
    Closing,
    /// A withdrawal of consent to what it names, or to everything.
    Withdrawal,
    /// A limit to how far data about the person travels.
    Limit,
    /// The state in which what is stored is kept and used for nothing.
    Restriction,
    /// The word that relatives have nothing of it once the person has died.
    Barring,
    /// What the person says, put in the place of what is remembered.
    Correction,
}

impl Carrier {
    /// Whether it begins when the request is accepted. A correction waits for what the person says.
    pub(crate) const fn begins_at_once(self) -> bool {
        !matches!(self, Self::People | Self::Correction)
    }
}

impl Request {
    /// What carries it out.
    pub(crate) fn carrier(&self) -> Carrier {
        match self.kind {
            RightKind::Erase | RightKind::GuardianErase => Carrier::Erasure,
            RightKind::Cancel => Carrier::Closing,
            RightKind::Withdraw => Carrier::Withdrawal,
            // whoever names nothing that rests on consent is answered by people
            RightKind::Object | RightKind::MarketingOptOut if !self.purposes.is_empty() => Carrier::Withdrawal,
            RightKind::RefuseOverseas => Carrier::Limit,
            RightKind::Restrict => Carrier::Restriction,
            RightKind::Rectify | RightKind::Supplement => Carrier::Correction,
            RightKind::DeceasedRelatives => Carrier::Barring,
            RightKind::Access
            | RightKind::Copy
            | RightKind::Port
            | RightKind::Explain
            | RightKind::Object
            | RightKind::MarketingOptOut
            | RightKind::Complain
            | RightKind::ShutdownNotice => Carrier::People,
        }
    }
}

/// Whether a request of this `kind` may name purposes.
pub(crate) const fn names_purposes(kind: RightKind) -> bool {
    matches!(kind, RightKind::Withdraw | RightKind::Object | RightKind::MarketingOptOut)
}
