//! [`Approval`]: that somebody answers for it that something remains which an erasure does not reach.

use sayso_types::{Name, WallTime};
use serde::{Deserialize, Serialize};

use crate::Error;

/// That somebody has looked at what remains, and answers for it.
///
/// The stored form, schema version 1, is JSON without what remains, which is in its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What remains, as [`Residual::name`](super::Residual::name) calls it.
    #[serde(skip, default = "unsaid")]
    pub residual: Name,
    /// Why that is so, such as `receiver_dissolved`.
    pub reason: Name,
    /// Who answers for it.
    pub by: String,
    /// Since when.
    pub at: WallTime,
}

/// Why nobody answers for it.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// There is no certificate that says what remains.
    #[error("nothing of the person was erased for this, or not yet; approve what the certificate says to remain")]
    NotCertified,
    /// The certificate says nothing of it.
    #[error("the certificate says that other things remain: {0}")]
    NotThere(String),
    /// Somebody did before.
    #[error("{by} has approved that it remains already")]
    Approved {
        /// Who.
        by: String,
    },
    /// The register does not do it.
    #[error(transparent)]
    Register(#[from] Error),
}

impl Approval {
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }

    pub(crate) fn decode(residual: Name, body: &[u8]) -> Result<Self, Error> {
        let damaged = |e: serde_json::Error| Error::Damaged {
            what: "residual",
            found: format!("{:?} at column {}", e.classify(), e.column()),
        };
        serde_json::from_slice::<Self>(body).map(|approval| Self { residual, ..approval }).map_err(damaged)
    }
}

const fn unsaid() -> Name {
    Name::constant("unsaid")
}
