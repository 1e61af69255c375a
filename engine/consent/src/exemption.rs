//! What is done without somebody's consent: proposed by one of the operator's people, approved by others, for a time, and
//! on record with every use.
//!
//! ```text
//!              approve, by enough others           its time is over
//!  Proposed ─────────────────────────────▶ Live ─────────────────────▶ Expired
//!     └────────────── revoke ───────────────┴────────────────────────▶ Revoked
//! ```
//!
//! [`Proposal`] is the state machine, pure; [`Register`](crate::Register) keeps proposals, puts live ones in force and takes
//! back what rests on one that ends. A grant opens nothing that the policy prohibits, or that no processor may have.

pub mod demand;
pub mod proposal;
pub mod reading;

use sayso_store::Error as StoreError;

use crate::Error as RegisterError;

pub use demand::{Demand, DemandError};
pub use proposal::{NotNow, Proposal, Standing, Terms};
pub use reading::{NotRead, Reading, ReadingError};

/// Why nothing came of a proposal or a step.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The register did not do it.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// There is no such proposal.
    #[error("there is no such exemption; check its id")]
    Unknown,
    /// Too many wait or live.
    #[error("{limit} exemptions are proposed or live; revoke one first", limit = sayso_policy::EXEMPTIONS_MAX)]
    TooMany,
    /// It is not where that step can be taken.
    #[error(transparent)]
    NotNow(#[from] NotNow),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Register(error.into())
    }
}
