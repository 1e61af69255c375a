//! [`KeyWrap`]: the contract of whatever holds the key encryption key (KEK).

use core::fmt;
use std::io;
use std::path::PathBuf;

use async_trait::async_trait;

use crate::{KeyId, SecretKey};

/// Holds the KEK, in as many versions as there are, and wraps keys under the newest.
///
/// # Rules that every implementation keeps
///
/// - What one process wrapped, every other with the same KEK unwraps.
/// - A wrapped key is bound to its `context`: it MUST NOT unwrap with another.
/// - The wrong KEK, a changed byte and another context are errors, never another key.
/// - It takes up a new version of the KEK without being made anew, so that the KEK can be changed while a node runs.
/// - No byte of a key is in an error, a log line or a `Debug` text.
///
/// It is asked when a vault is unlocked and when keys are wrapped anew, never for a record: it may be slow.
#[async_trait]
pub trait KeyWrap: fmt::Debug + Send + Sync + 'static {
    /// `key`, wrapped under the newest version of the KEK.
    ///
    /// # Errors
    /// Why the KEK is not to be had.
    async fn wrap(&self, key: &SecretKey, context: &[u8]) -> Result<Vec<u8>, KekError>;

    /// The key in `wrapped`, which may be wrapped under any version.
    ///
    /// # Errors
    /// [`KekError::Unknown`] or [`KekError::Refused`] when it is wrapped under none of them; [`KekError::Kind`] when
    /// something else wrapped it; [`KekError::Altered`] when it is not what was wrapped; else why the KEK is not to be had.
    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<SecretKey, KekError>;

    /// The same key, wrapped under the newest version.
    ///
    /// # Errors
    /// As [`unwrap`](Self::unwrap).
    async fn rewrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Vec<u8>, KekError> {
        let key = self.unwrap(wrapped, context).await?;
        self.wrap(&key, context).await
    }

    /// The part of `wrapped` that names the version of the KEK that it is wrapped under, and shows nothing of a key.
    fn version_of<'a>(&self, wrapped: &'a [u8]) -> &'a [u8];
}

/// Why the KEK does not do it.
#[derive(Debug, thiserror::Error)]
pub enum KekError {
    /// The file with it, or with the token for it, cannot be read.
    #[error("cannot read {path}, which should hold a key encryption key or the token for one: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than its owner may read or write the file.
    #[error(
        "{path} holds the key encryption key and has mode {mode:04o}: nobody but its owner may see it; chmod 600 it"
    )]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The environment variable with it, or with the token for it, is not set, or not text.
    #[error("the environment variable {name} should hold a key encryption key or the token for one, and is not set")]
    Variable {
        /// The variable.
        name: String,
    },
    /// What should be the KEK is not.
    #[error("{place}: a key encryption key is 64 hexadecimal digits a line, the newest last; {found}")]
    Malformed {
        /// Where it is from.
        place: String,
        /// What is there instead.
        found: &'static str,
    },
    /// The keys are wrapped under a KEK that is not there.
    #[error(
        "the keys are wrapped under the key encryption key {id}, which {place} does not hold: add it, or restore the key \
         store that belongs to this one"
    )]
    Unknown {
        /// The KEK that they name.
        id: KeyId,
        /// Where the KEK is from.
        place: String,
    },
    /// The keys were wrapped by another kind of KEK.
    #[error("the keys were not wrapped by {expected}: configure the kind of key encryption key that wrapped them")]
    Kind {
        /// What is configured.
        expected: &'static str,
    },
    /// What was to be unwrapped is not what was wrapped.
    #[error("a wrapped key was changed, or is of another data set; restore the key store from a backup")]
    Altered,
    /// The key service cannot be reached, or has a fault. Trying again can help.
    #[error("the key service {service} cannot be used: {reason}")]
    Unavailable {
        /// Its address.
        service: String,
        /// Why.
        reason: String,
    },
    /// The key service refused: the token, the name of the key, or what it was to unwrap.
    #[error("the key service {service} refused: {reason}")]
    Refused {
        /// Its address.
        service: String,
        /// What it said.
        reason: String,
    },
}
