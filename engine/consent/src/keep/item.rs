//! [`NewItem`]: something that is to be kept of a person, and [`Kept`]: what is.

use core::fmt;

use sayso_audit::Reference;
use sayso_policy::profile::Provenance;
use sayso_policy::{Gate, LegalBasis};
use sayso_types::{Category, ConsentVersion, Name, ProcessorId, Purpose, SubjectId, WallTime};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Bytes of one item: a few minutes of sound, a short video, a long document. More is kept in several.
pub const ITEM_BYTES_MAX: usize = 8 << 20;

/// Items of one person, and in which they are seen or heard: as many as end in one batch. Each is looked at when one more
/// comes.
pub const ITEMS_MAX: usize = 2_048;

/// Bytes of one person's items: what a disk takes for thousands of people.
pub const PERSON_BYTES_MAX: u64 = 256 << 20;

/// Items that one is made from: a model from a day's recordings.
pub const SOURCES_MAX: usize = 64;

/// Bytes of a media type, of a reference, of a ticket.
pub const WORDS_MAX: usize = 200;

/// The media type of what consists of the attributes that its category declares.
pub const JSON: &str = "application/json";

/// Where something that is kept comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// The person gave it, or it came of talking with them.
    Person,
    /// Their device reported it. What the category does not declare is taken out.
    Device,
    /// Somebody else handed it on.
    Party {
        /// Who: the policy has them as an active processor.
        party: ProcessorId,
        /// By what right they did.
        basis: LegalBasis,
        /// What shows it: their record of the person's consent, the agreement, the law. Sealed.
        reference: String,
    },
}

/// Shows no reference.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person => f.write_str("Person"),
            Self::Device => f.write_str("Device"),
            Self::Party { party, basis, .. } => {
                f.debug_struct("Party").field("party", party).field("basis", basis).finish_non_exhaustive()
            }
        }
    }
}

/// Something that is to be kept of a person. Wiped when it is dropped.
#[derive(Clone)]
pub struct NewItem {
    /// What it is.
    pub category: Category,
    /// What it is kept for.
    pub purpose: Purpose,
    /// What its bytes are, such as `application/json`, `text/plain` or `audio/ogg`.
    pub media_type: String,
    /// Its bytes.
    pub content: Zeroizing<Vec<u8>>,
    /// When it was collected; now, where nothing is said.
    pub collected_at: Option<WallTime>,
    /// Where it comes from.
    pub source: Source,
    /// Who is seen or heard in it. It must be said of categories whose `subject` is `speaker` or `pictured`, also where it is
    /// the person of whom it is kept.
    pub of: Option<SubjectId>,
    /// Items of the same person that it was made from: it ends with each of them.
    pub derived_from: Vec<Reference>,
    /// Which attribute of its category it is, where it is not JSON with all of them.
    pub attribute: Option<String>,
    /// What it belongs to, such as the ticket of a question to support. Sealed.
    pub ticket: Option<String>,
}

impl NewItem {
    /// `content` of the person's own, collected now.
    #[must_use]
    pub fn new(category: Category, purpose: Purpose, media_type: &str, content: Vec<u8>) -> Self {
        Self {
            category,
            purpose,
            media_type: media_type.to_owned(),
            content: Zeroizing::new(content),
            collected_at: None,
            source: Source::Person,
            of: None,
            derived_from: Vec::new(),
            attribute: None,
            ticket: None,
        }
    }

    /// The same from `source`.
    #[must_use]
    pub fn from(self, source: Source) -> Self {
        Self { source, ..self }
    }

    /// The same, in which `of` is seen or heard.
    #[must_use]
    pub fn of(self, of: SubjectId) -> Self {
        Self { of: Some(of), ..self }
    }

    /// The same, made from `items`.
    #[must_use]
    pub fn made_from(self, items: &[Reference]) -> Self {
        Self { derived_from: items.to_vec(), ..self }
    }
}

/// Shows nothing of what is in it.
impl fmt::Debug for NewItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { category, purpose, content, .. } = self;
        f.debug_struct("NewItem")
            .field("category", category)
            .field("purpose", purpose)
            .field("bytes", &content.len())
            .finish_non_exhaustive()
    }
}

/// Something that is kept of a person. Wiped when it is dropped.
#[derive(Clone)]
pub struct Kept {
    /// Which.
    pub id: Reference,
    /// What it is.
    pub category: Category,
    /// What it is kept for.
    pub purpose: Purpose,
    /// What its bytes are.
    pub media_type: String,
    /// How many it has.
    pub bytes: u64,
    /// Its bytes; empty in a list.
    pub content: Zeroizing<Vec<u8>>,
    /// When it was collected.
    pub collected_at: WallTime,
    /// The version of the person's consents then.
    pub cv: ConsentVersion,
    /// Where it comes from.
    pub source: Source,
    /// Who is seen or heard in it, if that was said.
    pub of: Option<SubjectId>,
    /// What it was made from.
    pub derived_from: Vec<Reference>,
    /// Which attribute of its category it is.
    pub attribute: Option<String>,
    /// What it belongs to.
    pub ticket: Option<String>,
}

/// Shows nothing of what is in it.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, category, purpose, bytes, .. } = self;
        f.debug_struct("Kept")
            .field("id", id)
            .field("category", category)
            .field("purpose", purpose)
            .field("bytes", bytes)
            .finish_non_exhaustive()
    }
}

/// What of an item is sealed beside its content. The stored form, inside the sealed record of schema version 1, is JSON.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attribute: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<String>,
}

impl Label {
    pub(crate) fn of(item: &NewItem) -> Self {
        let reference = match &item.source {
            Source::Party { reference, .. } => Some(reference.clone()),
            Source::Person | Source::Device => None,
        };
        let NewItem { media_type, attribute, ticket, .. } = item.clone();
        Self { media_type, attribute, reference, ticket }
    }
}

/// The gate that an item of `category` from `source` passes: where history is written, where recordings are, where devices
/// report, and where everything else is stored.
#[must_use]
pub fn gate_of(category: Category, source: &Source) -> Gate {
    const HISTORY: Category = Category(Name::constant("chat_history"));
    const RECORDING: Category = Category(Name::constant("conversation_audio"));
    match category {
        HISTORY => Gate::ChatHistory,
        RECORDING => Gate::ConversationAudio,
        _ if *source == Source::Device => Gate::DeviceReport,
        _ => Gate::Memory,
    }
}

/// Whether what comes from there must name whoever handed it on.
pub(crate) const fn names_a_party(provenance: Option<Provenance>) -> bool {
    matches!(provenance, Some(Provenance::Collected))
}
