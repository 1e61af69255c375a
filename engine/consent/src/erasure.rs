//! Erasure: what is sealed of a person is forgotten, and a certificate says how, and what it could not reach.
//!
//! ```text
//! asked ──▶ committed ──▶ listed ──▶ destroyed ──▶ purged ──▶ certified
//!   │        │             │          │             │          └ the certificate, and what remains
//!   │        │             │          │             └ neither keys nor ciphertext are in the files of the stores
//!   │        │             │          └ the keys are in no store and in no memory
//!   │        │             └ which keys there are is written down, so that a crash loses none of their names
//!   │        └ the records are deleted; nothing is sealed for the person before the keys are gone
//!   └ a withdrawal and a refusal begin at `committed`; a request, the end of a visit and of the service withdraw first
//! ```
//!
//! Each step is durable before the next begins, and can be taken twice: whatever ends the process, the next one goes on
//! where it was. `pending::Pending` is what is stored meanwhile, [`Certificate`] what is stored after it.

pub mod approval;
pub mod certificate;
pub mod legal_minimum;
pub mod open;
pub(crate) mod pending;
pub mod told;

pub use approval::{Approval, ApprovalError};
pub use certificate::{Certificate, Ground, Key, Residual};
pub use legal_minimum::LegalMinimum;
pub use open::OpenResidual;
