//! The consent register: who said yes to what, every right that follows from it, and the journal that records both.
//!
//! ```text
//!            decide / withdraw                         acquire
//!  session ───────────────────▶ Register ◀──────────────────────────── egress
//!  admin                          │   │  holders: permit ─▶ Revoker
//!                                 ▼   ▼
//!                               Journal  ── state change + audit leaves, one batch ──▶ store
//! ```
//!
//! * [`Register`] is the only writer of consent state. A subject's changes and its permits are ordered by one lock a
//!   subject: no permit can be issued between "withdrawal requested" and "withdrawal effective".
//! * [`Journal`] sequences the audit log. Leaves are appended in the same batch as the change that they record, many
//!   callers in one batch.
//! * [`Lease`] is a permit in use: dropping it tells the register that its holder has let go of the data.
//! * [`Lineage`] is what the data of a turn was made of: what that was taken back of goes with it.
//! * [`Loan`] is a permit in use outside of the node: it ends when its holder says so, or is known to have ended.
//! * [`rights::Desk`] takes people's requests, watches the day by which each is answered, and hands out copies.
//! * [`switch`] turns a processor, a category or a tenant off, whatever the policy says.
//! * [`tenants`] keeps what tenants instruct, which narrows the policy, and erases everything of those that have ended.
//! * [`incidents::IncidentDesk`] keeps what went wrong, finds whose data it was, and watches by when somebody is told.
//! * [`exemption::Proposal`] is what is to be done without consent, until enough people approve it and its time is over.
//! * [`complaints::ComplaintDesk`] takes complaints of people and of tenants, and watches their days.
//! * [`disclosure::DisclosureDesk`] gives authorities what they may have by law, encrypted, on a grant.
//! * [`retention`] says what ends what is stored, and [`retention::Hold`] what keeps it.
//! * [`anonymised`] says what becomes of data that is to lead to nobody when it ends.
//! * [`keep`] has what integrators have kept of people: sealed, on record, and ended with what it rests on.
//! * [`notices::Notices`] tells people that something changes, and keeps what became of it.
//! * [`guardian`] says who answers for children, and what their age closes.
//! * [`visits`] says who talks to a device that is somebody else's, and lets nothing of them stay behind.
//! * [`shutdown`] ends the service: nothing is collected any more, and everybody's data is erased.
//! * [`Anchor`] has the end of the log witnessed by others.
//! * [`format`](mod@format) keeps programs away from a store in which a newer one may have put what they do not know.
//! * [`Tenure`] keeps a store to one register at a time where several processes have the store open.

pub mod anchor;
pub mod anonymised;
pub mod complaints;
pub mod deletion;
pub mod disclosure;
pub mod erasure;
pub mod error;
pub mod evidence;
pub mod exemption;
pub mod format;
pub mod guardian;
pub mod incidents;
pub mod journal;
pub mod keep;
pub mod lease;
pub mod lineage;
pub mod loan;
mod mutant;
pub mod notices;
pub mod receipt;
pub mod record;
pub mod register;
pub mod remembered;
pub mod replay;
pub mod retention;
pub mod rights;
mod segments;
pub mod shutdown;
pub mod switch;
mod tables;
pub mod tenants;
pub mod tenure;
pub mod transfer;
pub mod visits;
pub mod volume;

pub use anchor::{Anchor, AnchorOptions, Anchored};
pub use error::Error;
pub use evidence::{Answer, Asking, Ending, Means, Question};
pub use journal::{Entry, Journal, LogCheck};
pub use lease::{Ask, Denied, Lease};
pub use lineage::Lineage;
pub use loan::{Borrower, Loan};
pub use register::{Configured, Fenced, Options, Register, TakesOut, Thrown, Withdrawal};
pub use remembered::Remembered;
pub use replay::{Governed, Governing, Replay, Replayed};
pub use tenure::Tenure;

#[cfg(test)]
mod golden;
