//! [`SourceDocument`]: the written policy that a profile turns into data.

use serde::{Deserialize, Serialize};

use super::Language;
use super::canonical::hex32;

/// One entry of the `source` list: the policy as published in one language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceDocument {
    /// Its language.
    pub lang: Language,
    /// What it is called, or where it is published.
    #[serde(default)]
    pub title: Option<String>,
    /// SHA-256 of its text, in hexadecimal.
    #[serde(default, with = "hex32")]
    pub sha256: Option<[u8; 32]>,
    /// Whether its text is the one that counts where languages differ.
    #[serde(default)]
    pub prevails: bool,
    /// The numbers of its sections as printed, in its order: `1`, `1.1`, `6(4)`.
    #[serde(default)]
    pub numbering: Vec<String>,
    /// The numbers of the sections that its table of contents announces.
    #[serde(default)]
    pub contents: Vec<String>,
}
