//! Retention: everything that is stored has a rule that ends it, and is ended by it.
//!
//! ```text
//! stored ──▶ a mark in the index, at the moment at which its rule ends it; in the batch that stores it
//!                │ each minute, and when a node starts: the marks whose moment has come
//!                ▼
//!            the rule is asked again ──▶ held    a legal hold keeps it; it ends when that is released
//!                │                   ──▶ not yet the rule has changed meanwhile: another mark
//!                ▼
//!            retention.due, retention.executed, and the deletion: one batch
//! ```
//!
//! A mark says when to look, and the rule what to do: a mark too many, or too early, does no harm. When a revision comes
//! into force, and when a register opens, everything that is stored is marked anew, so that a shorter rule reaches what is
//! there. A rule that says `anonymise` erases, too, and first hands what it names to a registered transformation: see
//! [`anonymised`](crate::anonymised).
//!
//! What is filed at the desks where people decide (complaints, what was given to authorities, what was done without consent)
//! is about several people or nobody, and has no marks: see `register/filing.rs`.
//!
//! `stored::TABLES` lists every table of the store with what ends it, [`Hold`] is what keeps it.

pub(crate) mod filed;
pub mod hold;
pub(crate) mod stored;

pub(crate) use filed::Filed;
pub use hold::{Hold, HoldError, HoldOrder};
pub(crate) use stored::Stored;
