//! What can be wrong with the description of a service. Errors of calls are [`sayso_provider::Error`].

use std::path::PathBuf;

/// Why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The base URL is not one.
    #[error("the base URL {url:?} {problem}; it must look like https://api.example.com/v1")]
    BaseUrl {
        /// The URL as configured, without a password that it may hold.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The API key cannot be sent in a header.
    #[error("the API key must be visible ASCII characters without spaces; check for a line break at its end")]
    ApiKey,
    /// The model or voice name cannot be sent.
    #[error("the {what} must be 1 to {max} characters without control characters")]
    Name {
        /// Which name: "model" or "voice".
        what: &'static str,
        /// Most bytes that it may have.
        max: usize,
    },
    /// The file of certificate authorities cannot be read.
    #[error("cannot read certificate authorities from {path}: {problem}", path = path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}
