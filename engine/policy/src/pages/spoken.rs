//! [`SpokenPart`]: what is read out, piece by piece.

use std::borrow::Cow;

use serde::Serialize;

use crate::profile::{Document, Language, SPOKEN_MAX, speaking_time};

/// A text that is read out in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpokenPart<'a> {
    /// Its language.
    pub language: Language,
    /// Its key: `spoken`, `more.N`, or `changed`, which is read out together with the question.
    pub key: String,
    /// The text.
    pub text: Cow<'a, str>,
    /// About how long it takes to say, in milliseconds.
    pub about_ms: u64,
    /// Whether that is short enough to be listened to.
    pub fits: bool,
}

/// The question, its further layers, and the question after a revision, in every language of `document`.
#[must_use]
pub fn spoken_parts(document: &Document) -> Vec<SpokenPart<'_>> {
    let parts = document.notice.iter().flat_map(|(language, notice)| {
        let more =
            notice.more.iter().enumerate().map(|(index, text)| (format!("more.{index}"), Cow::Borrowed(text.as_str())));
        let asked = ("spoken".to_owned(), Cow::Borrowed(notice.spoken.as_str()));
        let again = ("changed".to_owned(), Cow::Owned(notice.spoken_again(*language)));
        [asked].into_iter().chain(more).chain([again]).map(|(key, text)| {
            let about = speaking_time(&text);
            let about_ms = u64::try_from(about.as_millis()).unwrap_or(u64::MAX);
            SpokenPart { language: *language, key, text, about_ms, fits: about <= SPOKEN_MAX }
        })
    });
    parts.collect()
}
