//! Store contract on one node, one disk: every commit is in a log before it is answered, and found again by key in an
//! LSM tree.
//!
//! ```text
//!   dir/lock   held by the process that has the store open
//!   dir/log/   commits in order, a segment a memtable; one fsync a group of commits
//!   dir/mark   how far the log was acknowledged
//!   dir/tree/  tables that memtables became, merged in the background (crate lsm-tree)
//! ```
//!
//! # Why these parts
//!
//! Durable commits of 512-byte values by 1, 16 and 256 clients, on the two-core machine with one virtual disk where
//! this was chosen (best of two runs, a noisy disk): appending the bare bytes with a group's `fdatasync`
//! 1,318/7,913/72,417 a second; fjall 3.1 (the database around the same LSM tree) 2,944/14,253/47,443; redb 4.5
//! 587/4,932/19,910, because every group rewrites as many pages of its B-tree as it has keys. fjall is fast enough, but
//! cuts its journal off at the first damaged entry without a word, and one full disk stops it until it is opened again.
//! So the tree is used without its database, behind a log of our own.
//!
//! What came of it, each commit under a condition that is looked up: for 1 and 16 clients, 0.28 to 1.7 times the bare
//! append measured beside it. That spread is the disk's, whose bare append was as unsteady from one run to the next: it
//! says that a commit costs about what its `fdatasync` does, and nothing finer. For 256 clients, 30,000 to 55,000 a second
//! in less than 100 MB. Opening checks about a gigabyte a second.
//!
//! While 16 clients wrote 600 MB, on a machine that was busy with other things, no commit of 32 kB took longer than 0.5 s, in
//! 131 MB of memory; before merging had a thread of its own, 16 commits did, the longest 1.1 s, in 160 MB.

mod engine;
mod fault;
mod index;
mod keeper;
mod log;
mod manifest;
mod options;
mod queue;
mod recovery;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod writer;

pub use engine::{Engine, Sweep};
pub use options::LocalOptions;
pub use queue::Durability;
pub use store::LocalStore;
