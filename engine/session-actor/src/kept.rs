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

/// Keeps `item`, which makes room for itself if need be: the oldest of its category goes.
pub(crate) async fn keep(register: &Arc<Register>, subject: SubjectId, cv: ConsentVersion, item: NewItem) {
    let (category, again) = (item.category, item.clone());
    let kept = match register.keep(subject, cv, item).await {
        Err(NotKept::TooMany | NotKept::TooMuch) if drop_oldest(register, subject, category).await => {
            register.keep(subject, cv, again).await
        }
        kept => kept,
    };
    if let Err(why) = kept {
        // what the person did not agree to is not kept, which is no failure; nothing of it is in the reason
        tracing::debug!(code = why.code(), %category, "nothing is kept of this turn");
    }
}

/// Whether an item of theirs may be told on for `purpose`: it is kept for that, and it shows nobody else, whose consent would be
/// another.
fn is_told(kept: &Kept, subject: SubjectId, purpose: Purpose) -> bool {
    kept.purpose == purpose && kept.of.is_none_or(|of| of == subject)
}

async fn drop_oldest(register: &Arc<Register>, subject: SubjectId, category: Category) -> bool {
    let Ok(kept) = register.list_kept(subject, Some(category)).await else { return false };
    let Some(oldest) = kept.first() else { return false };
    matches!(register.drop_kept(subject, oldest.id).await, Ok(true))
}

/// A recording of what somebody said.
pub(crate) fn recording(subject: SubjectId, file: Zeroizing<Vec<u8>>) -> NewItem {
    let mut item = NewItem::new(Category::CONVERSATION_AUDIO, Purpose::IMPROVE_VOICE, "audio/ogg", Vec::new());
    item.content = file;
    // who speaks is whom the device belongs to, as far as a node can tell
    item.of(subject)
}
