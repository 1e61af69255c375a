//! Where processors are told to delete.

use std::path::PathBuf;

use sayso_types::ProcessorId;
use serde::{Deserialize, Serialize};

/// Where a processor is told to delete what it was given: by the protocol that `HttpForgetter` documents. The profile must say
/// that it can be told (`deletion_api = true`), and how long it keeps what it is given (`declared_retention`, a period).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Deletion {
    /// The processor's name in the profile.
    pub(crate) id: ProcessorId,
    /// Such as <https://api.example.com/privacy>; orders are posted to `/deletions` under it.
    pub(crate) url: String,
    /// The environment variable that holds its key, if it takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_key_env: Option<String>,
    /// Certificate authorities that are trusted besides the public ones, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
}
