//! Notices: people are told that the policy changes, that somebody else answers for their data, that something happened to
//! it, or that the service ends; and what became of it is on record for each of them.
//!
//! ```text
//! send ──▶ spreading, page by page ──▶ each person: device ──▶ tenant
//!                                                 └ heard to its end, or reported: delivered
//! ```
//!
//! A [`Notice`] has texts in every language of the policy, an audience, a moment `by` which people must have been told, and
//! channels in the order in which they are tried. A person's next channel is begun when the one before has failed, or when
//! its share of the time has passed; those begun before stay open. [`Delivery`] is the state machine of one person, pure;
//! [`Notices`] keeps it in the store, with a leaf for each step in the batch that takes it.
//!
//! What is spread is what the store has: a crash goes on where it was, and nobody is sent the same twice.

pub(crate) mod book;
pub mod delivery;
pub mod notice;
mod outbox;
mod spreading;

pub use book::{ANNOUNCED_MAX, Error, NOTICES_MAX, Notices, TOLD_AT_ONCE, Tally};
pub use delivery::{Delivery, Standing, Step};
pub use notice::{Audience, Channel, Draft, Notice, NoticeKind, Refused, Text};
pub use outbox::{Outbox, Outgoing};

#[cfg(test)]
mod tests;
