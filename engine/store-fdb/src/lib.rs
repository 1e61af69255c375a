//! Store contract on FoundationDB, for fleets that outgrow a few nodes.
//!
//! Everything is behind the cargo feature `fdb`, because it links FoundationDB's client library (`libfdb_c` 7.3, which
//! only [its own site](https://github.com/apple/foundationdb/releases) has) and wants libclang to build. Without the
//! feature this crate is empty.
//!
//! ```text
//!   read, scan   one read version, snapshot reads          linearizable: a read version is at least as new as
//!                                                          every commit that was acknowledged before it was asked for
//!   commit       read the token and what is required       each read adds a conflict range, so that the commit
//!                set values under the commit's stamp       succeeds only if all of it still holds
//!                append to the log, touch the lane's count
//!   watch        follow the log, lane by lane, woken by native watches of the counts
//! ```
//!
//! # Versions
//!
//! A key's version is the *versionstamp* of the commit that wrote it: ten bytes that FoundationDB fills in when it
//! commits, greater for every later commit. A counter of our own would be a key that all commits read and write, so
//! that no two could ever run at once; a version that a client makes up orders nothing. Stamps are of one cluster:
//! what is moved to another is put there anew, under stamps of its own.
//!
//! # A commit whose outcome is not known
//!
//! Every commit writes its token, and reads it first. When FoundationDB cannot tell what became of a commit
//! (`commit_unknown_result`, `cluster_version_changed`, a time-out while it was under way), the batch is tried again:
//! whichever attempt comes first writes the token, and the other finds it or conflicts on it. A refusal needs no such
//! fence: the attempt before was let in because all conditions held at its read version; if one does not hold now, its
//! key was written in between, and that attempt conflicts on it.
//!
//! Tokens are forgotten, oldest first, once a lane has more than
//! [`TOKENS_REMEMBERED`](sayso_store::limits::TOKENS_REMEMBERED) of them. The last that many commits of the store are
//! therefore remembered whichever lanes they fell in, and eight times as many are kept at most, but for what is
//! committed between two rounds of upkeep.
//!
//! # Watches
//!
//! A native watch says that a key changed and not to what, nor how often. So every commit also appends what it changed
//! to a log, under its stamp. A follower in each process reads the log at one read version: all commits up to that
//! version are in it and none will join them, so their changes are handed out whole and in order. The log is spread
//! over eight lanes, each with a count of its commits that is watched natively: eight native watches a store, however
//! many watches callers open. The watches are set in the transaction that reads the log, so nothing falls between, and
//! anew after each wake. Should one fail, or never fire, the log is read every ten seconds regardless.
//!
//! A watcher is told [`Lagged`](sayso_store::Lagged) where the log cannot say what became of a key: when a process was
//! cut off for longer than the log is kept, and when a batch over 90 kB, which the log names but does not repeat, was
//! overwritten before it was read.
//!
//! # Scans
//!
//! A page is read at one read version and is small enough for FoundationDB's five seconds. One that does take longer is
//! read anew, at another version, and not cut short: a page ends where its limits or the range do, so that a few keys that
//! one batch wrote are seen together. The next page is of another moment, as the contract says.
//!
//! # What it has run on
//!
//! CI has no FoundationDB. There the tests of this crate run on `engine/store-fdb-stand-in`, a stand-in for its client, without
//! faults and with those that seeds draw, and so do a node and a store that moves. We have never run it on a real cluster:
//! `make test-fdb` does, and says against which version.
//!
//! # Metrics
//!
//! `sayso_store_fdb_commit_seconds`, `_conflicts_total`, `_unknown_total` (commits that had to be asked for again),
//! `_retries_total` by FoundationDB's error code, `_unavailable_total`, `_in_flight_bytes`, `_followed_commits_total`,
//! `_log_lost_total`, `_native_watch_failures_total`, `_tokens_forgotten_total`.

#[cfg(any(test, feature = "fdb"))]
mod layout;
#[cfg(any(test, feature = "fdb"))]
mod record;

#[cfg(feature = "fdb")]
mod cluster;
#[cfg(feature = "fdb")]
mod commit;
#[cfg(feature = "fdb")]
mod fault;
#[cfg(feature = "fdb")]
mod follower;
#[cfg(feature = "fdb")]
mod network;
#[cfg(feature = "fdb")]
mod opening;
#[cfg(feature = "fdb")]
mod options;
#[cfg(feature = "fdb")]
mod read;
#[cfg(feature = "fdb")]
mod store;
#[cfg(feature = "fdb")]
mod upkeep;

#[cfg(feature = "fdb")]
pub use network::{FdbNetwork, NetworkOptions, Tls};
#[cfg(feature = "fdb")]
pub use options::{FdbOptions, Space};
#[cfg(feature = "fdb")]
pub use store::FdbStore;
