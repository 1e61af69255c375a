//! What integrators have the engine keep of a person: accounts, documents, recordings, pictures, what devices report.
//!
//! ```text
//! NewItem ──▶ attributes, source, whose it is ──▶ decide(), of each who is concerned ──▶ sealed, in parts
//!                      │ refused, with the reason                                            │
//!                      ▼                                                                     ▼
//!                   NotKept             head, retention mark, store.written and derive.created: one batch
//! ```
//!
//! * An *item* is of one category and kept for one purpose. Its category must be one that the policy lets be stored, and
//!   `decide()` must let it pass at the gate where it comes in: [`gate_of`].
//! * Its *head* says what is not personal and has to be looked at often; what the item is, and its content, are sealed, under
//!   the keys of whoever it is of: of another person than the one whom it is kept of, where they are the one who is seen or
//!   heard in it ([`NewItem::of`]). Both must agree, and it ends when either takes that back.
//! * What was made from an item ([`NewItem::derived_from`]) ends with it.
//! * An item is there when its head is. An ending deletes heads in the batch that records it; the parts go after that, before
//!   any certificate is issued.

pub mod attributes;
pub(crate) mod head;
pub mod item;
pub mod refused;

pub use item::{Kept, NewItem, Source, gate_of};
pub use refused::NotKept;
