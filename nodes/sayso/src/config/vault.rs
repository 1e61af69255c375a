//! The table `vault`: where keys are, and what wraps them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The keys under which personal data lies sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Vault {
    /// Where the keys of people are that a node without others keeps, each wrapped. Never in the same backup as the data.
    pub(crate) keys_dir: PathBuf,
    /// What holds the key encryption key.
    pub(crate) kek: Kek,
    /// For `file`: 64 hexadecimal digits a line, the newest last. Nobody but its owner may read it.
    pub(crate) kek_file: PathBuf,
    /// For `env`: the environment variable that holds the same.
    pub(crate) kek_variable: String,
    /// For `transit`: the key service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transit: Option<Transit>,
}

/// What holds the key encryption key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kek {
    /// A file.
    File,
    /// An environment variable.
    Env,
    /// The transit engine of a HashiCorp Vault or an OpenBao.
    Transit,
}

/// A transit engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Transit {
    /// Such as `https://vault.example.org:8200`.
    pub(crate) address: String,
    /// Where the engine is mounted.
    #[serde(default = "mount")]
    pub(crate) mount: String,
    /// The name of the key.
    pub(crate) key: String,
    /// The file with the token, such as the sink of an agent; without it the environment variable `VAULT_TOKEN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
    /// A certificate authority of one's own, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// Where the engine is unless somebody mounted it elsewhere.
fn mount() -> String {
    "transit".to_owned()
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            keys_dir: "keys".into(),
            kek: Kek::File,
            kek_file: "kek.key".into(),
            kek_variable: "SAYSO_KEK".to_owned(),
            transit: None,
        }
    }
}

impl Vault {
    /// The files that it names, to be made absolute.
    pub(crate) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let transit = self.transit.iter_mut().flat_map(|t| t.token_file.iter_mut().chain(t.ca_file.iter_mut()));
        [&mut self.keys_dir, &mut self.kek_file].into_iter().chain(transit)
    }
}
