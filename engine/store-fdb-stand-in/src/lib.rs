//! A stand-in for FoundationDB's client library (`libfdb_c` 7.3), for tests of `store-fdb` where there is no FoundationDB.
//!
//! It is a library of C functions, those that `store-fdb` and its tests link to, over a keyspace in the memory of one
//! process. It keeps nothing and talks to nobody. `.ci/fdb-stand-in` builds it, calls it `libfdb_c.so` in a directory of its
//! own, and runs the tests of `store-fdb` with it. No crate depends on it.
//!
//! # What it stands for
//!
//! ```text
//!   versions      a million a second; several commits share one now and then, apart by the rest of their stamp
//!   reads         at one version, five seconds long (1007), with what the transaction itself wrote before
//!   ranges        pages as the streaming modes have them, `more` also where nothing follows
//!   commits       conflict ranges (1020), versionstamps, ADD and BYTE_MAX; 10,000 bytes a key (2102), 100,000 a value
//!                 (2103), ten million a transaction (2101), counted as FoundationDB counts them
//!   watches       fire once what is there differs from what was seen; limited in number (1032)
//!   on_error      which errors are tried again, how often (retry limit) and how long (timeout, 1031), with what pauses
//!   futures       become ready on the network's thread, in the order in which they were asked for or, with faults, not
//! ```
//!
//! # Faults
//!
//! With a number in `SAYSO_FDB_STAND_IN_SEED`, it fails as a cluster does (the module `faults` draws): commits conflict,
//! or are not known to have happened, when they did and when they did not, or time out and happen later; reads find their
//! version too old or the storage behind; pages are cut short; watches fire for nothing, or fail.
//!
//! # What it does not stand for
//!
//! Durability, servers and what becomes of them, networks, several processes, TLS, other versions of the client, real delays,
//! throttling, system keys but for `\xff\xff/status/json`, key selectors that count keys, tenants, options beyond those
//! that `store-fdb` sets, and whatever FoundationDB does otherwise than its documentation and we think. Tests that pass with
//! it say that `store-fdb` keeps its contract over such a thing, and not that it does over FoundationDB: `make test-fdb`
//! says that.

#![expect(unsafe_code, reason = "a library of C functions: pointers are what it is called with")]

mod client;
mod code;
mod database;
mod faults;
mod future;
mod keyspace;
mod network;
mod pages;
mod transaction;
