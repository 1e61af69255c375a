//! What authorities are given by law: on a grant that enough people approved, no more than it names, and encrypted so that
//! nobody but the recipient can read it.
//!
//! ```text
//! demand ──▶ proposal ── approved by others ──▶ grant ──▶ made: read, encrypted, on record, handed out
//!                                                             └── when the grant says so ──▶ the people are told
//! ```
//!
//! A [`Demand`](crate::exemption::Demand) is part of an exemption's terms, and is approved, ends and is taken back as every
//! other. [`DisclosureDesk`] makes disclosures on live grants; [`sealed`] is the file that is handed out. It is kept nowhere:
//! the log has its SHA-256 and size. Whoever loses it has another one made, which is another disclosure.

pub mod desk;
mod document;
pub mod sealed;
mod stored;

pub use desk::{DisclosureDesk, Error, Made};
pub use sealed::{OpenError, Sealed};
pub use stored::Disclosure;
