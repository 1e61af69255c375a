//! [`Clause`]: one promise of the written policy, and [`ClauseId`], by which the rest of the profile cites it.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Language;

/// The name of a clause: letters, digits, `.` and `-`, such as `XZ-4.6a`; an item of a list within it in brackets
/// behind, as in `XZ-2.1(2)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClauseId(String);

impl ClauseId {
    /// Most characters in a clause id.
    pub const LEN_MAX: usize = 31;

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The clause that this is an item of; itself when it is a whole clause.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self(self.0.split('(').next().unwrap_or_default().to_owned())
    }
}

impl FromStr for ClauseId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (clause, item) = match text.split_once('(') {
            None => (text, None),
            Some((clause, rest)) => (clause, Some(rest.strip_suffix(')').unwrap_or_default())),
        };
        let plain = |part: &str, marks: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
        };
        if text.len() <= Self::LEN_MAX && plain(clause, ".-") && item.is_none_or(|i| plain(i, "")) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("`{text}` is not a clause id such as XZ-4.6a or XZ-2.1(2)"))
    }
}

impl TryFrom<String> for ClauseId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ClauseId> for String {
    fn from(id: ClauseId) -> Self {
        id.0
    }
}

impl fmt::Display for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One entry of the `clause` list. A clause is *kept* when an item of the profile cites it in `src` or when `engine`
/// says what in the engine keeps it for every profile; otherwise `outside` must say why no engine can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Its name.
    pub id: ClauseId,
    /// What it promises, in a line of our own words.
    pub says: String,
    /// The languages of the source whose text holds it; empty means all of them.
    #[serde(default)]
    pub languages: BTreeSet<Language>,
    /// What in the engine keeps it whatever the profile says.
    #[serde(default)]
    pub engine: Option<String>,
    /// The tests that show it, as `path/of/file.rs::test`.
    #[serde(default)]
    pub tests: BTreeSet<String>,
    /// What is still to be built before it is kept in a running node: the profile declares it, nothing acts on it yet.
    #[serde(default)]
    pub awaits: Option<String>,
    /// Why it is outside of what an engine can keep (a duty of people, say).
    #[serde(default)]
    pub outside: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_clauses_and_their_items() {
        let id = |text: &str| text.parse::<ClauseId>();
        assert_eq!(id("XZ-4.6a").unwrap().whole(), id("XZ-4.6a").unwrap());
        assert_eq!(id("XZ-2.1(2)").unwrap().whole(), id("XZ-2.1").unwrap());
        for wrong in ["", "(2)", "XZ-2.1(", "XZ-2.1()", "XZ-2.1(2", "XZ 2", "XZ-2.1(2)x", &"X".repeat(32)] {
            assert!(id(wrong).unwrap_err().contains("is not a clause id"), "{wrong}");
        }
    }
}
