//! [`Citation`]: where a rule stands, and how that is known.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// An article, and how it was learned: `PIPL 31 [K]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Citation {
    /// The law and its article.
    pub article: String,
    /// How it was learned.
    pub mark: Mark,
}

/// How somebody came to know what a law says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// `[P]`: read on a public page.
    PublicPage,
    /// `[K]`: known from memory; to be checked before it is quoted.
    Memory,
}

/// A text is not a [`Citation`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a source such as `PIPL 31 [K]`: an article, then [P] (read on a public page) or [K] (from memory)"
)]
pub struct CitationError(String);

impl FromStr for Citation {
    type Err = CitationError;

    fn from_str(text: &str) -> Result<Self, CitationError> {
        let marks = [(" [P]", Mark::PublicPage), (" [K]", Mark::Memory)];
        let cited = marks.into_iter().find_map(|(suffix, mark)| Some((text.strip_suffix(suffix)?.trim(), mark)));
        match cited {
            Some((article, mark)) if !article.is_empty() => Ok(Self { article: article.to_owned(), mark }),
            _ => Err(CitationError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Citation {
    type Error = CitationError;

    fn try_from(text: String) -> Result<Self, CitationError> {
        text.parse()
    }
}

impl From<Citation> for String {
    fn from(citation: Citation) -> Self {
        citation.to_string()
    }
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.mark {
            Mark::PublicPage => "P",
            Mark::Memory => "K",
        };
        write!(f, "{} [{mark}]", self.article)
    }
}
