//! Witnesses of audit logs, over HTTP, by C2SP `tlog-witness`.
//!
//! ```text
//!  a node's Anchor ── WitnessClient ──▶ POST /add-checkpoint ──▶ WitnessServer ── judge ──▶ Ledger (durable)
//!                  ◀── cosignature, or the size that was cosigned last ──┘           └ refused as a fork: evidence kept
//! ```
//!
//! A witness runs outside of what it watches: another machine, another operator. It keeps one checkpoint a log and a key of
//! its own, and learns nothing about anybody: checkpoints are a name, a number and a hash. Requests are not secret and not
//! authenticated but by the log's signature in them, and answers not but by the witness's: TLS is for those who want it, by
//! a proxy in front of the server.

pub mod client;
pub mod ledger;
pub mod server;

pub use client::{Address, AddressError, WitnessClient};
pub use ledger::{Ledger, LedgerError};
pub use server::{Error, Options, WitnessServer};
