//! The program, end to end: real processes, real models, real disks. The harness is the crate `sayso-tests`.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod accounts;
mod cluster;
mod command_line;
mod complaint;
mod configured;
mod conversation;
mod deletion;
mod demo;
mod disclosure;
mod erased;
mod exemption;
mod failover;
#[cfg(feature = "fdb")]
mod fdb;
mod full_disk;
mod guardian;
mod guests;
mod holds;
mod incident;
mod keeping;
mod kept;
mod kill;
mod members;
mod moving;
mod notices;
mod numbers;
mod pages;
mod parting;
mod permits;
mod pictures;
mod place;
mod policy;
mod porting;
mod provider_down;
mod realtime;
mod receipts;
mod referral;
mod reload;
mod rights;
mod startup;
mod store;
mod strangers;
mod tenant;
mod vault;
mod withdrawal;
mod witnessed;

use sayso_tests::Sayso;

/// The program as Cargo built it for these tests.
fn sayso() -> Sayso {
    Sayso::at(env!("CARGO_BIN_EXE_sayso"))
}
