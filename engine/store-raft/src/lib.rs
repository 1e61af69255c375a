//! Store contract on three to five nodes that replicate each other with Raft (crate openraft), so that every commit that was
//! answered is on a majority of the disks, and any node but a majority may be gone.
//!
//! ```text
//!   commit ─▶ leader ─▶ proposer ─▶ openraft ─▶ log (one fsync here) ┐
//!     any node asks      groups        │                             ├▶ disk: one engine of store-local's a node
//!     the one that leads               └▶ peer ─▶ link ═QUIC═▶ service ─▶ openraft ─▶ log (one fsync there)
//!                                                                    │
//!   read ─▶ barrier (ReadIndex, many reads a round) ─▶ machine ◀─────┘ applied when a majority has it
//! ```
//!
//! - [`RaftStore`] is a node. Any of them takes any call; those that do not lead ask the leader (`leader`).
//! - `proposer`: batches that come together are one entry of the log, so that a round of fsyncs carries many commits.
//!   Whether a batch is let in is decided when it is applied, by the code that store-local decides with
//!   ([`sayso_store::decide`]), and so alike on every node.
//! - `early`: what the leader appends is on its way to the others while its own disk writes, with what is committed by then.
//!   Its answer is the answer to what openraft asks later, so under load a group of commits is one message to each node.
//! - `recent`: the end of the log in memory, from which it is sent and applied.
//! - `log`, `machine`: openraft's storage. Both are in one engine, in whose log everything is in order: a state that is
//!   applied needs no fsync of its own, because it follows from entries that are synced, and is never without them.
//! - `machine/snapshot`: a snapshot is a pass over the disk as it is now. It is sent in pieces as the peer takes them, into
//!   a generation of its own there, which replaces the other in one write. One that breaks off is begun anew.
//! - `link`: one connection a pair of nodes, mutually authenticated; a stream a request; everything bounded.
//! - `purge`: what was deleted leaves the disks of all members: their logs are cut, and their files rewritten.
//! - `members`: nodes join, are promoted, leave, are replaced and hand over while the cluster serves.
//!
//! # Outcomes
//!
//! A commit is tried until its outcome is known or its time is over. Trying again is harmless: a batch that was committed is
//! known by its token. And no try takes effect after a later one was answered: each is bound to the term of the leader that
//! it is sent to. In an entry of another term it is void, and within a term a leader keeps the order in which it takes
//! batches.
//!
//! # Ids
//!
//! A node that loses its disk has forgotten for whom it voted and what it acknowledged. It must not come back under its old
//! id: remove it, and join with a new one. Who was removed is part of the state that the log leads to: every member refuses it
//! from then on, tells it why, and no member takes its id again.

mod barrier;
mod cluster;
mod codec;
mod disk;
mod early;
mod error;
#[cfg(test)]
mod golden;
mod leader;
mod link;
mod log;
mod machine;
mod members;
mod options;
mod peer;
mod proposer;
mod purge;
mod recent;
mod service;
mod store;
#[cfg(test)]
mod suite;
mod types;
mod within;

pub use cluster::peer_name;
pub use error::Error;
pub use machine::RaftSweep;
pub use members::{Member, Status};
pub use options::{RaftOptions, Timers, Tls};
pub use store::RaftStore;
pub use types::{Address, NodeId};
