//! [`SpokenPart`]: what is read out, piece by piece.

use serde::Serialize;

use crate::profile::{Document, Language, SPOKEN_MAX, speaking_time};

/// A text that is read out in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpokenPart<'a> {
    /// Its language.
    pub language: Language,
    /// Its key: `spoken`, or `more.N`.
    pub key: String,
    /// The text.
    pub text: &'a str,
    /// About how long it takes to say, in milliseconds.
    pub about_ms: u64,
    /// Whether that is short enough to be listened to.
    pub fits: bool,
}

/// The question and its further layers, in every language of `document`, in the order in which they are read out.
#[must_use]
pub fn spoken_parts(document: &Document) -> Vec<SpokenPart<'_>> {
    let parts = document.notice.iter().flat_map(|(language, notice)| {
        let more = notice.more.iter().enumerate().map(|(index, text)| (format!("more.{index}"), text));
        let layers = [("spoken".to_owned(), &notice.spoken)].into_iter().chain(more);
        layers.map(|(key, text)| {
            let about = speaking_time(text);
            let about_ms = u64::try_from(about.as_millis()).unwrap_or(u64::MAX);
            SpokenPart { language: *language, key, text, about_ms, fits: about <= SPOKEN_MAX }
        })
    });
    parts.collect()
}
