//! What data is and where it may go: [`Label`], [`Cell`] and the two dimensions that are closed lists.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{Category, ConsentVersion, Purpose, SubjectId, TurnId};

/// What sort of service receives the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessorKind {
    /// Voice activity detection.
    Vad,
    /// Speech recognition.
    Asr,
    /// Dialogue.
    Llm,
    /// Speech synthesis.
    Tts,
    /// Picture understanding.
    Vision,
    /// Speaker identification.
    Voiceprint,
    /// Vector search.
    Embedding,
    /// Content moderation.
    Moderation,
    /// Text messages.
    Sms,
    /// Tools and plug-ins.
    Tool,
    /// Message broker.
    MqttBroker,
    /// Database or other storage.
    Database,
}

/// How far the data travels, nearest first: a fallback may move towards `Local`, never away from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionClass {
    /// Inside the operator's own machines.
    Local,
    /// Inside the jurisdiction of the profile.
    Domestic,
    /// Anywhere else.
    Overseas,
}

/// The unit of consent and of gating: purpose × category × processor kind × region class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// What for.
    pub purpose: Purpose,
    /// What data.
    pub category: Category,
    /// What sort of receiver.
    pub kind: ProcessorKind,
    /// How far.
    pub region: RegionClass,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{:?}/{:?}", self.purpose, self.category, self.kind, self.region)
    }
}

/// What a piece of data is: whose, of which category, collected for which purpose, in which turn, and under which
/// consent version it came in. Data derived from it (a transcript, an answer) inherits subject, turn and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// Whose data it is.
    pub subject: SubjectId,
    /// What it is.
    pub category: Category,
    /// What it was collected for.
    pub purpose: Purpose,
    /// The turn it belongs to: the lineage by which derived work is cancelled.
    pub turn: TurnId,
    /// The subject's consent version when it entered the engine.
    pub cv: ConsentVersion,
}

impl Label {
    /// The label of data of `category` derived from this.
    #[must_use]
    pub const fn derive(self, category: Category) -> Self {
        Self { category, ..self }
    }
}
