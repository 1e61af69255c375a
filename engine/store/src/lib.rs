//! The persistence contract: an ordered keyspace of bytes with mini-transactions, which every backend keeps and
//! one conformance suite (feature `testing`) proves.
//!
//! ```text
//!   typed key ──key!──▶ Key ─┐
//!   record ──Schema──▶ Value ┴▶ Batch { token, require, ops } ──commit──▶ Version   (durable when answered)
//!                                                                │
//!                              Watch ◀── every change, in order ─┘
//! ```
//!
//! Callers hold an `Arc<dyn Store>` and never know which backend runs.
//!
//! # Limits
//!
//! Whatever a store does not do without end has a name, under which it is measured, in every backend alike:
//!
//! | metric | counts |
//! |---|---|
//! | `sayso_store_refused_total{limit}` | requests over a limit of [`limits`] |
//! | `sayso_store_room_taken{room}` | what is taken of a [`Room`], in the unit that its name ends with: queues in bytes, reads |
//! | `sayso_store_room_waits_total{room}` | who had to wait for room |
//! | `sayso_store_timeouts_total{wait}` | what did not come within the time that it had |

pub mod batch;
pub mod cluster;
pub mod decide;
pub mod error;
pub mod key;
pub mod limits;
pub mod part;
pub mod room;
pub mod schema;
pub mod store;
pub mod value;
pub mod watch;

#[cfg(feature = "testing")]
pub mod testing;

pub use batch::{Batch, Condition, Op, Token};
pub use cluster::{Cluster, ClusterError};
pub use error::{Error, Retryable};
pub use key::{Key, Prefix, Range};
pub use part::{KeyPart, PartError, TypedKey};
pub use room::Room;
pub use schema::{Schema, SchemaError};
pub use store::{Entry, Page, Store};
pub use value::{Value, Version, Versioned};
pub use watch::{Change, Lagged, Watch, Watchers};
