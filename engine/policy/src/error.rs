//! [`Error`]: why a text is not a profile that may be put in force.

use core::fmt;

/// What is wrong with a profile, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not TOML, a value of the wrong type, or something mandatory that is not there.
    #[error("line {line}: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// What the parser found.
        message: String,
    },
    /// A key or a value that is none of those allowed in its place.
    #[error("line {line}: `{found}` is not known here{nearest}")]
    Unknown {
        /// Line, from 1.
        line: usize,
        /// The key or value.
        found: String,
        /// The known one that looks most like it.
        nearest: Nearest,
    },
    /// A purpose, category or processor is named that the profile does not declare.
    #[error("{place}: {sort} `{name}` is not declared in this profile; declare it or remove it here{nearest}")]
    Reference {
        /// The key that names it, as a path.
        place: String,
        /// `purpose` or `category`.
        sort: &'static str,
        /// The name.
        name: String,
        /// The declared one that looks most like it.
        nearest: Nearest,
    },
    /// A mandatory text is empty.
    #[error("{place} is empty: {remedy}")]
    Empty {
        /// The key, as a path.
        place: String,
        /// What belongs there.
        remedy: &'static str,
    },
    /// Categories that are derived from one another in a circle.
    #[error("category.{0}.derived_from leads back to {0}: data cannot be its own source")]
    Cycle(String),
    /// Permits that would live too long or too short.
    #[error("defaults.permit_ttl is {found_ms} ms; it must be between {min_ms} and {max_ms} ms")]
    PermitTtl {
        /// What the profile says.
        found_ms: u128,
        /// The shortest.
        min_ms: u128,
        /// The longest.
        max_ms: u128,
    },
    /// An active overseas processor for which no transfer mechanism is named.
    #[error(
        "processor {0} is active and overseas but names no `mechanism`; name the transfer mechanism or set state = \"draft\""
    )]
    NoTransferMechanism(String),
    /// The answer to a consent question would go somewhere else than to a local recogniser.
    #[error(
        "processor {0} takes `consent_answer` but is not a local recogniser (kind = \"asr\", region_class = \"local\"); remove the purpose from it"
    )]
    ConsentAnswerLeaves(String),
    /// The answer to a consent question could be stored.
    #[error("category.{0} is used for `consent_answer`, so at_rest must be \"forbidden\"")]
    ConsentAnswerStored(String),
    /// The spoken question asks for a purpose that does not rest on consent.
    #[error("asks.spoken: purpose `{0}` has another basis than Consent, so there is nothing to ask; remove it")]
    NothingToAsk(String),
    /// A language without texts, or texts in a language that is not offered.
    #[error("{place} has no entry for language `{language}`; add it or remove the language")]
    Language {
        /// The key, as a path.
        place: &'static str,
        /// The language tag.
        language: String,
    },
    /// A spoken question that takes too long to listen to.
    #[error(
        "notice.{language}.spoken takes about {seconds} s to say; keep it within {max} s and put the rest into `screen`"
    )]
    SpokenTooLong {
        /// The language tag.
        language: String,
        /// Estimated length.
        seconds: u64,
        /// The longest allowed.
        max: u64,
    },
}

/// The known name that looks most like a wrong one, if any does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest(Option<String>);

impl Nearest {
    /// How alike two names must be to be suggested, from 0 to 1 (normalised Damerau-Levenshtein): two letters wrong
    /// in five is a typing error, more is another word.
    const SIMILARITY_MIN: f64 = 0.6;

    /// The one of `known` that looks most like `found`.
    pub(crate) fn to<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let alike = |name: &str| strsim::normalized_damerau_levenshtein(found, name);
        let best = known.into_iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
        Self(best.filter(|name| alike(name) >= Self::SIMILARITY_MIN).map(str::to_owned))
    }

    /// Its text.
    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_deref().map_or(Ok(()), |name| write!(f, "; did you mean `{name}`?"))
    }
}

impl Error {
    /// Reads a TOML error: serde names an unknown key and the known ones only in its message, between backticks.
    pub(crate) fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        let message = error.message();
        let mut names = message.split('`').skip(1).step_by(2);
        match names.next() {
            Some(found) if message.starts_with("unknown field") || message.starts_with("unknown variant") => {
                Self::Unknown { line, found: found.to_owned(), nearest: Nearest::to(found, names) }
            }
            _ => Self::Syntax { line, message: message.to_owned() },
        }
    }
}
