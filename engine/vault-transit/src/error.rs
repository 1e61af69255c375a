//! What can be wrong with the options. What can go wrong in use is a [`KekError`](sayso_vault::KekError).

use std::path::PathBuf;

/// Why there can be no such KEK.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// The address is not one.
    #[error("the address {address} of the key service is not http://HOST or https://HOST, with a port if need be")]
    Address {
        /// What was given.
        address: String,
    },
    /// The mount or the name of the key cannot stand in a URL.
    #[error("{option} {value:?} is not made of letters, digits, '_', '-' and '.' (and '/' in a mount)")]
    Name {
        /// Which option.
        option: &'static str,
        /// What was given.
        value: String,
    },
    /// The file of authorities cannot be used.
    #[error("{path} should hold certificates of authorities in PEM: {problem}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}
