//! What is kept of conversations, and what of a person's documents belongs to a question: through the register, which decides
//! each time whether it may be.

mod history;
mod library;

pub(crate) use self::history::{History, keep_exchange};
pub(crate) use self::library::passages;

use std::sync::Arc;

use sayso_consent::Register;
use sayso_consent::keep::{Kept, NewItem, NotKept};
use sayso_types::{Category, ConsentVersion, Purpose, SubjectId};
use zeroize::Zeroizing;

/// Keeps `item`, which makes room for itself if need be: the oldest of its category goes that is kept for the same.
pub(crate) async fn keep(register: &Arc<Register>, subject: SubjectId, cv: ConsentVersion, item: NewItem) {
    let (category, again) = (item.category, item.clone());
    let kept = register.keep(subject, cv, item).await;
    let wants = match &kept {
        Err(NotKept::TooMany) => Some(0),
        Err(NotKept::TooMuch) => Some(again.content.len() as u64),
        _ => None,
    };
    let kept = match wants {
        Some(bytes) if make_room(register, subject, &again, bytes).await => register.keep(subject, cv, again).await,
        _ => kept,
    };
    if let Err(why) = kept {
        // what the person did not agree to is not kept, which is no failure; nothing of it is in the reason
        tracing::debug!(code = why.code(), %category, "nothing is kept of this turn");
    }
}

/// Deletes the oldest items of the same category and purpose, until one and `bytes` bytes are gone; none, where all of them are
/// not enough.
async fn make_room(register: &Arc<Register>, subject: SubjectId, item: &NewItem, bytes: u64) -> bool {
    let Ok(kept) = register.list_kept(subject, Some(item.category)).await else { return false };
    let Some(oldest) = oldest(&kept, item.purpose, bytes) else { return false };
    for one in oldest {
        if !matches!(register.drop_kept(subject, one.id).await, Ok(true)) {
            return false;
        }
    }
    true
}

/// The first of `kept` for `purpose` that have one item and `bytes` bytes among them.
fn oldest(kept: &[Kept], purpose: Purpose, bytes: u64) -> Option<Vec<&Kept>> {
    let (mut oldest, mut freed) = (Vec::new(), 0);
    for one in kept.iter().filter(|one| one.purpose == purpose) {
        freed += one.bytes;
        oldest.push(one);
        if freed >= bytes {
            return Some(oldest);
        }
    }
    None
}

/// Keeps the sound of an answer of `subject` that was put on record, as the policy says; its SHA-256 is in the record.
pub(crate) async fn keep_answer(register: &Arc<Register>, subject: SubjectId, file: Option<Zeroizing<Vec<u8>>>) {
    let (Some(file), Some((category, purpose))) = (file, register.profile().evidence()) else { return };
    let mut item = NewItem::new(category, purpose, "audio/ogg", Vec::new()).of(subject);
    item.content = file;
    // no older answer makes room for it: each shows what was said then
    if let Err(why) = register.keep(subject, ConsentVersion(u64::MAX), item).await {
        tracing::warn!(code = why.code(), "the sound of an answer is not kept; its record has the SHA-256");
    }
}

/// Whether an item of theirs may be told on for `purpose`: it is kept for that, and it shows nobody else, whose consent would be
/// another.
fn is_told(kept: &Kept, subject: SubjectId, purpose: Purpose) -> bool {
    kept.purpose == purpose && kept.of.is_none_or(|of| of == subject)
}

/// A recording of what somebody said.
pub(crate) fn recording(subject: SubjectId, file: Zeroizing<Vec<u8>>) -> NewItem {
    let mut item = NewItem::new(Category::CONVERSATION_AUDIO, Purpose::IMPROVE_VOICE, "audio/ogg", Vec::new());
    item.content = file;
    // who speaks is whom the device belongs to, as far as a node can tell
    item.of(subject)
}

#[cfg(test)]
mod tests {
    use sayso_audit::Reference;
    use sayso_consent::keep::Source;
    use sayso_types::WallTime;

    use super::*;

    fn kept(purpose: Purpose, bytes: u64) -> Kept {
        Kept {
            id: Reference([1; 16]),
            category: Category::CHAT_HISTORY,
            purpose,
            media_type: "text/plain".into(),
            bytes,
            content: Vec::new().into(),
            collected_at: WallTime(0),
            cv: ConsentVersion(1),
            source: Source::Person,
            of: None,
            derived_from: Vec::new(),
            attribute: None,
            ticket: None,
        }
    }

    #[test]
    fn room_is_made_of_what_is_kept_for_the_same_and_only_where_it_is_enough() {
        let all = [kept(Purpose::HISTORY, 10), kept(Purpose::MEMORY, 100), kept(Purpose::HISTORY, 20)];
        let sizes = |purpose, bytes| -> Option<Vec<u64>> {
            Some(oldest(&all, purpose, bytes)?.into_iter().map(|one| one.bytes).collect())
        };
        assert_eq!(sizes(Purpose::HISTORY, 0), Some(vec![10]), "one item");
        assert_eq!(sizes(Purpose::HISTORY, 11), Some(vec![10, 20]));
        assert_eq!(sizes(Purpose::HISTORY, 31), None, "what is kept for something else stays");
        assert_eq!(sizes(Purpose::VOICE_INTERACTION, 0), None);
    }
}
