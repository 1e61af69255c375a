//! A person's own documents, searched for what they ask.

use std::sync::Arc;

use sayso_consent::Register;
use sayso_types::{Category, Purpose, SubjectId};
use zeroize::Zeroizing;

use crate::search;

/// Passages that go along with a question: as many as a model takes in without losing sight of it.
const PASSAGES_MAX: usize = 3;

/// Bytes of documents that are searched for one question, the newest first: a shelf of manuals, read in milliseconds.
const SEARCHED_BYTES_MAX: u64 = 4 << 20;

/// The passages of the documents of `subject` that speak of `question`. They are read anew each time: what was deleted, taken
/// back or put right is not found any more. Whether any of them goes further is decided at the gate.
pub(crate) async fn passages(register: &Arc<Register>, subject: SubjectId, question: &str) -> Vec<String> {
    let kept = match register.list_kept(subject, Some(Category::KNOWLEDGE_BASE)).await {
        Ok(kept) => kept,
        Err(error) => {
            tracing::warn!(%error, "documents cannot be read; the question is answered without them");
            return Vec::new();
        }
    };
    let (mut texts, mut bytes) = (Vec::new(), 0);
    let documents = kept.iter().rev().filter(|document| super::is_told(document, subject, Purpose::KNOWLEDGE));
    for document in documents.filter(|document| document.media_type.starts_with("text/")) {
        bytes += document.bytes;
        if bytes > SEARCHED_BYTES_MAX {
            metrics::counter!("sayso_session_documents_not_searched_total").increment(1);
            continue;
        }
        if let Ok(Some(document)) = register.kept(subject, document.id).await
            && let Ok(text) = core::str::from_utf8(&document.content)
        {
            texts.push(Zeroizing::new(text.to_owned()));
        }
    }
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
    search::passages(&texts, question, PASSAGES_MAX)
}
