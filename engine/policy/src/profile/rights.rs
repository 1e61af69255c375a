//! [`Rights`]: what people may ask for, and by when it is answered.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Src;
use crate::{Deadline, Period};

/// `[rights]`: what people may ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rights {
    /// By when a request is answered, where its kind does not say.
    pub respond_within: Option<Deadline>,
    /// What starts the clock. Where both are named both run, and the earlier end governs.
    pub clock_start: BTreeSet<ClockStart>,
    /// How long proving who one is may take.
    pub identity_within: Option<Period>,
    /// The rights, by kind: `[rights.offers.erase]`.
    #[serde(deserialize_with = "super::canonical::by_word")]
    pub offers: BTreeMap<RightKind, Right>,
    /// Whether repeated requests may cost something.
    pub fee_when_repeated: bool,
    /// Why a request may be refused (DPV's justifications).
    pub refusals: BTreeSet<Refusal>,
    /// The clauses that say so.
    pub src: Src,
}

/// What people may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RightKind {
    /// To see it.
    Access,
    /// To have a copy.
    Copy,
    /// To have it put right.
    Rectify,
    /// To have it completed.
    Supplement,
    /// To have it erased.
    Erase,
    /// To have it kept but used for nothing.
    Restrict,
    /// To take consent back, in whole or in part.
    Withdraw,
    /// To close the account.
    Cancel,
    /// To take it elsewhere.
    Port,
    /// To be told why something was done.
    Explain,
    /// To object, and not to be judged by a machine.
    Object,
    /// To complain.
    Complain,
    /// To get no more advertising.
    MarketingOptOut,
    /// To be told when the service ends.
    ShutdownNotice,
    /// For relatives of somebody who died.
    DeceasedRelatives,
    /// To have nothing processed overseas.
    RefuseOverseas,
    /// For guardians, to have a minor's data erased.
    GuardianErase,
}

/// One right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Right {
    /// Through what it is used.
    pub channel: BTreeSet<RightChannel>,
    /// By when it is answered.
    pub within: Option<Deadline>,
    /// How long the tenant, who is asked first, has to answer; nobody but the operator is asked where nothing is said. By
    /// when the person is answered does not change.
    pub tenant_first: Option<Period>,
    /// For erasure: on which grounds.
    pub grounds: BTreeSet<ErasureGround>,
    /// The clauses that say so.
    pub src: Src,
}

/// Through what a right is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RightChannel {
    /// Where everybody can read it.
    Announcement,
    /// The app.
    App,
    /// The console of the service.
    Console,
    /// The contact that the policy names.
    Contact,
    /// Whoever made the app or the device.
    Developer,
    /// Buttons and settings of the device.
    Device,
    /// An e-mail.
    Email,
    /// A letter.
    Letter,
    /// Whoever runs the service.
    Operator,
    /// The telephone.
    Phone,
    /// The platform that the service is part of.
    Platform,
    /// A procedure that was published elsewhere.
    PublishedProcedure,
    /// A push message.
    Push,
    /// The settings of the system.
    Settings,
    /// A text message.
    Sms,
    /// Words that are said to the device.
    Voice,
}

impl RightChannel {
    /// Whether a person reads and answers at its other end, so that nothing happens on the spot.
    #[must_use]
    pub const fn is_slow(self) -> bool {
        matches!(self, Self::Contact | Self::Email | Self::Letter | Self::Operator | Self::Phone)
    }
}

/// On which grounds data is erased (the union over the five policies; PIPL 47, GDPR 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureGround {
    /// Its purpose is achieved, cannot be, or no longer needs it.
    PurposeEnded,
    /// It is processed unlawfully.
    Unlawful,
    /// It is processed against the agreement.
    AgreementBroken,
    /// It was collected without consent.
    WithoutConsent,
    /// The account was closed.
    AccountCancelled,
    /// Consent was withdrawn.
    ConsentWithdrawn,
    /// The service or its term ended.
    ServiceEnded,
    /// A guardian asked, or a minor's data was collected without one.
    Guardian,
    /// The tenant told so.
    TenantInstructed,
    /// Another law.
    OtherLaw,
}

/// What starts the clock of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockStart {
    /// It came in.
    Received,
    /// The person proved who they are.
    IdentityVerified,
}

/// Why a request may be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// It is repeated without a reason.
    ProcessExcessive,
    /// It has no ground at all.
    ProcessFrivolous,
    /// It would harm the rights of others.
    ThirdPartyRightsImpaired,
    /// It would take out of all proportion.
    DisproportionateEffortRequired,
    /// Whoever asked is not who they say.
    IdentityVerificationFailure,
    /// A law demands the contrary.
    LegalObligationImpaired,
}
