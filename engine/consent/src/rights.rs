//! What people ask of whoever has their data: to see it, to have a copy, to have it erased. Each request is on record
//! from the moment it came in, has a day by which it is answered, and ends fulfilled, or refused for a reason that the
//! policy allows.
//!
//! [`Request`] is the state machine, pure; [`Desk`] keeps requests in the store, puts each step into the audit log in
//! the batch that takes it, and notices what is overdue; [`Copy`](copy::Copy) is everything that is held of a person.

pub mod besides;
pub mod bundle;
pub(crate) mod carrier;
pub mod copy;
pub mod desk;
mod entitlement;
pub mod explained;
pub mod items;
pub(crate) mod left;
pub(crate) mod names;
mod page;
mod porting;
mod receiving;
mod record;
pub mod referral;
mod referring;
pub mod request;
pub(crate) mod stored;

pub use desk::{Desk, Error};
pub use explained::Explained;
pub use porting::Imported;
pub use referral::{Referral, TenantAnswer};
pub use request::{Delay, EvidenceHash, Identity, NotNow, Particulars, Relative, Request, Standing, Step};

#[cfg(test)]
mod tests;
