//! [`Item`]: what is kept of a person, in a copy, and taken in from one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sayso_types::{Category, Name, Purpose, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

use super::bundle::KEPT;
use crate::keep::{Kept, Source};
use crate::{Error, Register};

/// Bytes of an item whose content is in the copy itself; a longer one is a file of a bundle.
pub const INLINE_MAX: u64 = 64 << 10;

/// Bytes of contents in a copy: a quarter of what a copy may have.
const INLINED_MAX: u64 = 1 << 20;

/// Bytes of the files of items in a bundle. What does not fit is handed out by itself.
const FILED_MAX: u64 = 12 << 20;

/// Bytes of one such file: what a reader of bundles takes.
const FILE_MAX: u64 = 4 << 20;

/// How to get a content that is neither in a copy nor in a file of its bundle.
const BY_ITSELF: &str = "ask the operator for it by its id (sayso kept get)";

/// Something that is kept of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which.
    pub id: String,
    /// What it is.
    pub category: Category,
    /// What it is kept for.
    pub purpose: Purpose,
    /// What its bytes are.
    pub media_type: String,
    /// How many it has.
    pub bytes: u64,
    /// When it was collected.
    pub collected_at: WallTime,
    /// `person`, `device`, or the processor that handed it on.
    pub source: Name,
    /// What shows by what right that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Who is seen or heard in it, where that is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<SubjectId>,
    /// What it was made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived_from: Vec<String>,
    /// Which attribute of its category it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// What it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Its content, where that is short and text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its content, where that is short and no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// In which file of the bundle its content is, where it is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How to get its content, where it is in neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_here: Option<String>,
}

impl Item {
    fn of(kept: &Kept) -> Self {
        let (source, reference) = match &kept.source {
            Source::Person => (Name::constant("person"), None),
            Source::Device => (Name::constant("device"), None),
            Source::Party { party, reference, .. } => (party.0, Some(reference.clone())),
        };
        Self {
            id: kept.id.to_string(),
            category: kept.category,
            purpose: kept.purpose,
            media_type: kept.media_type.clone(),
            bytes: kept.bytes,
            collected_at: kept.collected_at,
            source,
            reference,
            of: kept.of,
            derived_from: kept.derived_from.iter().map(ToString::to_string).collect(),
            attribute: kept.attribute.clone(),
            ticket: kept.ticket.clone(),
            text: None,
            base64: None,
            file: None,
            not_here: None,
        }
    }

    /// One with its content.
    pub(crate) fn whole(kept: &Kept) -> Self {
        Self::of(kept).with(&kept.content)
    }

    /// Its content, where that is in the copy.
    #[must_use]
    pub fn content(&self) -> Option<Vec<u8>> {
        match (&self.text, &self.base64) {
            (Some(text), _) => Some(text.clone().into_bytes()),
            (None, Some(coded)) => BASE64.decode(coded).ok(),
            (None, None) => None,
        }
    }

    /// Whether its content is in the copy itself.
    const fn is_inline(&self) -> bool {
        self.text.is_some() || self.base64.is_some()
    }

    /// Whether its content is the file `name` of its bundle; an earlier program did not say which that is.
    pub(super) fn is_file(&self, name: &str) -> bool {
        let is_named = self.file.as_deref().map(|file| file == name);
        !self.is_inline() && is_named.unwrap_or_else(|| name.strip_prefix(KEPT) == Some(self.id.as_str()))
    }

    fn with(mut self, content: &[u8]) -> Self {
        match core::str::from_utf8(content) {
            Ok(text) => self.text = Some(text.to_owned()),
            Err(_) => self.base64 = Some(BASE64.encode(content)),
        }
        self
    }
}

/// Everything that is kept of `subject`, and of others in which they are seen or heard, with the contents that are short.
pub(super) async fn of(register: &Register, subject: SubjectId) -> Result<Vec<Item>, Error> {
    let (mut items, mut inlined) = (Vec::new(), 0);
    let own = register.list_kept(subject, None).await?.into_iter().map(|kept| (subject, kept));
    for (keeper, kept) in own.chain(register.list_shown(subject).await?) {
        let item = Item::of(&kept);
        let fits = kept.bytes <= INLINE_MAX && inlined + kept.bytes <= INLINED_MAX;
        let whole = if fits { register.shown_item(keeper, kept.id).await? } else { None };
        inlined += whole.as_ref().map_or(0, |whole| whole.bytes);
        items.push(match whole {
            Some(whole) => item.with(&whole.content),
            None => Item { not_here: Some(BY_ITSELF.to_owned()), ..item },
        });
    }
    Ok(items)
}

/// The contents of those of `items` of `subject` that are not in the copy, as many as `files` at most, by their names in a
/// bundle, which the items have from here on.
pub(super) async fn files(
    register: &Register,
    subject: SubjectId,
    items: &mut [Item],
    files: usize,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let (mut filed, mut named) = (0, Vec::new());
    for item in items.iter_mut().filter(|item| !item.is_inline()) {
        let Some(id) = hex::decode(&item.id).ok().and_then(|id| id.try_into().ok()) else { continue };
        if named.len() >= files || item.bytes > FILE_MAX || filed + item.bytes > FILED_MAX {
            continue;
        }
        let Some(whole) = register.shown_item(subject, sayso_audit::Reference(id)).await? else { continue };
        filed += whole.bytes;
        let name = format!("{KEPT}{}.{}", item.id, extension(&item.media_type));
        (item.file, item.not_here) = (Some(name.clone()), None);
        named.push((name, whole.content.to_vec()));
    }
    Ok(named)
}

/// By what files are called that have such bytes.
fn extension(media_type: &str) -> &'static str {
    match media_type.split(';').next().unwrap_or_default().trim() {
        "audio/ogg" | "audio/opus" => "opus",
        "application/json" => "json",
        "text/plain" => "txt",
        "text/markdown" => "md",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        _ => "bin",
    }
}
