//! [`Cited`]: where something that a profile says is written: what its `src` key names.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ClauseId;

/// What an item of a profile keeps: its `src` key.
pub type Src = BTreeSet<Cited>;

/// A clause of the written policy (`XZ-4.6a`), or an article of a law that demands what the policy does not say, spelled as
/// in `basis_code` (`cn-pipl:45`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Cited {
    /// The policy promises it.
    Clause(ClauseId),
    /// A law demands it.
    Article {
        /// The law, without its version: `cn-pipl`.
        law: String,
        /// Where in it: `45`.
        article: String,
    },
}

impl Cited {
    /// Most characters in an article with its law.
    pub const LEN_MAX: usize = 63;

    /// The whole clause, when it is one of the written policy or an item of one.
    #[must_use]
    pub fn clause(&self) -> Option<ClauseId> {
        match self {
            Self::Clause(id) => Some(id.whole()),
            Self::Article { .. } => None,
        }
    }
}

impl FromStr for Cited {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((law, article)) = text.split_once(':') else { return text.parse().map(Self::Clause) };
        let plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
        if text.len() <= Self::LEN_MAX && plain(law) && plain(article) {
            return Ok(Self::Article { law: law.to_owned(), article: article.to_owned() });
        }
        Err(format!("`{text}` is not an article of a law such as cn-pipl:45"))
    }
}

impl TryFrom<String> for Cited {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Cited> for String {
    fn from(cited: Cited) -> Self {
        cited.to_string()
    }
}

impl fmt::Display for Cited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clause(id) => write!(f, "{id}"),
            Self::Article { law, article } => write!(f, "{law}:{article}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_clauses_and_articles() {
        let cited = |text: &str| text.parse::<Cited>();
        assert_eq!(cited("XZ-2.1(2)").unwrap().clause().unwrap().as_str(), "XZ-2.1");
        let article = cited("cn-pipl:13-1").unwrap();
        assert_eq!(article, Cited::Article { law: "cn-pipl".to_owned(), article: "13-1".to_owned() });
        assert_eq!((article.to_string().as_str(), article.clause()), ("cn-pipl:13-1", None));
        assert_eq!(serde_json::to_value(article).unwrap(), "cn-pipl:13-1");
        let clause = cited("XZ-2.1(2)").unwrap().clause().unwrap();
        assert_eq!(serde_json::to_value(clause).unwrap(), "XZ-2.1");
        assert!(cited("XZ 2").unwrap_err().contains("is not a clause id"));
        for wrong in ["cn-pipl:", ":45", "cn-pipl:45:1", "cn pipl:45", &format!("cn-pipl:{}", "4".repeat(56))] {
            assert!(cited(wrong).unwrap_err().contains("is not an article"), "{wrong}");
        }
    }
}
