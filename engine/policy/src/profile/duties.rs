//! What the controller owes people besides their rights: [`NoticeDuty`], [`Incident`], [`Revision`].

use std::collections::BTreeSet;

use sayso_types::ProcessorKind;
use serde::{Deserialize, Serialize};

use super::Src;
use crate::{ConsentType, Deadline};

/// One `[notify.OCCASION]` table: how people are told on an occasion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoticeDuty {
    /// How long before it, or after it where it cannot be foreseen.
    pub within: Option<Deadline>,
    /// In which form.
    pub form: BTreeSet<NoticeForm>,
    /// Through what, the first that works.
    pub channels: Vec<NoticeChannel>,
    /// The clauses that say so.
    pub src: Src,
}

/// In which form people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeForm {
    /// Where everybody can read it.
    Announcement,
    /// In the app.
    App,
    /// In the console.
    Console,
    /// In an e-mail.
    Email,
    /// On a page.
    Page,
    /// So that nobody can overlook it.
    Prominent,
    /// On the screen of the device.
    Screen,
    /// The device says it.
    Spoken,
}

/// Through what people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeChannel {
    /// Where everybody can read it.
    Announcement,
    /// An e-mail.
    Email,
    /// A message in the app.
    InAppMessage,
    /// A letter.
    Letter,
    /// The first page of the service.
    MainPage,
    /// A telephone call.
    Phone,
    /// A push message.
    Push,
    /// A text message.
    Sms,
}

impl NoticeForm {
    /// Who carries it, if the engine cannot do it itself.
    #[must_use]
    pub const fn takes(self) -> Option<Carrier> {
        match self {
            Self::Email => Some(Carrier::Service(ProcessorKind::Email)),
            Self::Announcement
            | Self::App
            | Self::Console
            | Self::Page
            | Self::Prominent
            | Self::Screen
            | Self::Spoken => None,
        }
    }
}

impl NoticeChannel {
    /// Who carries it, if the engine cannot do it itself: what everybody can read stands on its own page.
    #[must_use]
    pub const fn takes(self) -> Option<Carrier> {
        match self {
            Self::Announcement | Self::MainPage => None,
            Self::Email => Some(Carrier::Service(ProcessorKind::Email)),
            Self::InAppMessage | Self::Push => Some(Carrier::Service(ProcessorKind::Push)),
            Self::Letter => Some(Carrier::People),
            Self::Phone => Some(Carrier::Service(ProcessorKind::Call)),
            Self::Sms => Some(Carrier::Service(ProcessorKind::Sms)),
        }
    }
}

/// Who carries a notice that the engine cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A service of this sort.
    Service(ProcessorKind),
    /// Nobody but people.
    People,
}

/// An occasion on which people are told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeOccasion {
    /// Data is collected.
    Collection,
    /// Sensitive data is about to be collected.
    Sensitive,
    /// Data is about to be handed on.
    Sharing,
    /// Data is about to leave the jurisdiction.
    Export,
    /// The list of processors changes.
    ProcessorList,
    /// Somebody else becomes the controller.
    ControllerChange,
    /// The policy is revised.
    Revision,
    /// The policy is revised in a way that matters.
    MaterialChange,
    /// The service ends.
    Shutdown,
    /// Data is about to be published.
    Publication,
    /// Somebody refuses or withdraws.
    Refusal,
    /// A request was answered.
    RequestOutcome,
    /// An exemption was used.
    ExemptionUsed,
    /// An independent controller is used for the first time.
    IndependentController,
    /// The service is used for the first time: what not to tell it.
    FirstUse,
    /// Somebody begins to use the service, every time: the device shows which policy holds and where to read it.
    Session,
}

/// `[incident]`: what is done when data got where it should not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Incident {
    /// Whether people can report one.
    pub report_endpoint: bool,
    /// Telling the people concerned.
    pub subjects: Option<IncidentNotice>,
    /// Telling the authority.
    pub regulator: Option<IncidentNotice>,
    /// The clauses that say so.
    pub src: Src,
}

/// Whom an incident is told, by when, and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentNotice {
    /// By when, from its detection.
    pub within: Deadline,
    /// What is told.
    #[serde(default)]
    pub fields: BTreeSet<IncidentField>,
    /// Through what, the first that works.
    #[serde(default)]
    pub channels: Vec<NoticeChannel>,
    /// The law that demands it, by the name of its floor.
    #[serde(default)]
    pub law: Option<String>,
    /// The clauses that say so.
    #[serde(default)]
    pub src: Src,
}

/// What is told of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentField {
    /// What happened.
    Situation,
    /// What it may lead to.
    Impact,
    /// What was and will be done.
    Measures,
    /// What people can do themselves.
    SelfProtection,
    /// What is done to make up for it.
    Remedies,
}

/// `[revision]`: how the policy changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Revision {
    /// What it takes for a change that matters to hold for somebody.
    pub material: Acceptance,
    /// What it takes for any other change.
    pub editorial: Acceptance,
    /// The clauses that say so.
    pub src: Src,
}

/// What it takes for a change to hold for somebody, the least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    /// To be told.
    Notice,
    /// To be told and to go on using the service.
    ContinuedUse,
    /// To agree anew.
    #[default]
    Consent,
}

impl Acceptance {
    /// The clearest agreement that it can amount to.
    #[must_use]
    pub const fn consent_type(self) -> Option<ConsentType> {
        match self {
            Self::Notice => None,
            Self::ContinuedUse => Some(ConsentType::Implied),
            Self::Consent => Some(ConsentType::Expressed),
        }
    }
}
