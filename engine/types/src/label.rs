//! What data is and where it may go: [`Label`], [`Cell`] and the two dimensions that are closed lists.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Category, ConsentVersion, Purpose, SubjectId, TurnId};

/// What sort of service receives the data: by what it does with it, not by what it is called. So a service of many parts is several
/// processors, and what a maker calls a memory is whoever sums up ([`Llm`](Self::Llm)) and whoever keeps
/// ([`Database`](Self::Database)), for the purpose of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessorKind {
    /// Voice activity detection.
    Vad,
    /// Speech recognition.
    Asr,
    /// Dialogue: whatever is made of words, an answer, what somebody wants (their intent), or a summary.
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
    /// E-mail.
    Email,
    /// Telephone calls.
    Call,
    /// Messages to an app or a device.
    Push,
    /// Tools and plug-ins.
    Tool,
    /// Message broker.
    MqttBroker,
    /// Database or other storage, a cache too.
    Database,
}

impl ProcessorKind {
    /// Every one.
    pub const ALL: [Self; 15] = [
        Self::Vad,
        Self::Asr,
        Self::Llm,
        Self::Tts,
        Self::Vision,
        Self::Voiceprint,
        Self::Embedding,
        Self::Moderation,
        Self::Sms,
        Self::Email,
        Self::Call,
        Self::Push,
        Self::Tool,
        Self::MqttBroker,
        Self::Database,
    ];

    /// Its name, as profiles spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vad => "vad",
            Self::Asr => "asr",
            Self::Llm => "llm",
            Self::Tts => "tts",
            Self::Vision => "vision",
            Self::Voiceprint => "voiceprint",
            Self::Embedding => "embedding",
            Self::Moderation => "moderation",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Call => "call",
            Self::Push => "push",
            Self::Tool => "tool",
            Self::MqttBroker => "mqtt_broker",
            Self::Database => "database",
        }
    }
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

/// A word that is not one of a closed list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is none of {}", .0.join(", "))]
pub struct UnknownWord(Vec<&'static str>);

impl FromStr for ProcessorKind {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        known.ok_or_else(|| UnknownWord(Self::ALL.map(Self::as_str).to_vec()))
    }
}

impl FromStr for RegionClass {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|region| region.as_str() == word);
        known.ok_or_else(|| UnknownWord(Self::ALL.map(Self::as_str).to_vec()))
    }
}

impl RegionClass {
    /// Every one, nearest first.
    pub const ALL: [Self; 3] = [Self::Local, Self::Domestic, Self::Overseas];

    /// Its name, as profiles spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Domestic => "domestic",
            Self::Overseas => "overseas",
        }
    }
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
