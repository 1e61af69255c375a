//! `sayso-loadtest`: what Sayso costs, in figures and as ratios to the bare parts, measured in the same run.
//!
//! Each command is a file and measures one promise:
//!
//! ```text
//!   frame_path        one 20 ms frame, from the datagram to the gate      opus + webrtc-vad, and quinn
//!   idle_memory       a device that is connected and silent               a bare quinn connection
//!   turn_latency      from the end of an utterance to the answer's sound  -
//!   withdraw_latency  from a withdrawal to its OK                         a bare durable commit
//!   store             a durable commit, on one node and on three          a bare append with fdatasync; etcd, PostgreSQL
//!                     a leader that is killed; a snapshot on its way      -
//!   withdraw_wire     withdrawals in the midst of uploads to services     -
//!   consent           answers, withdrawals while many talk, gate, log     bare commits, a bare hash
//! ```
//!
//! [`lab`] is what they share. Servers run in processes of their own ([`server`]), so that what is measured is theirs
//! alone. Costs are CPU time, not time on a wall clock, wherever that says the same: a busy machine does not change
//! it much. Nothing here fails because a figure is poor; it fails when something could not be measured.

mod all;
mod cli;
mod consent;
mod figure;
mod frame_path;
mod idle_memory;
mod lab;
mod report;
mod server;
mod store;
mod turn_latency;
mod withdraw_latency;
mod withdraw_wire;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::cli::{Cli, Command};
use crate::lab::Lab;
use crate::report::Report;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "sayso-loadtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    if matches!(cli.command, Command::Server) {
        return server::run();
    }
    let lab = Lab::new(cli.seed, cli.data.as_deref())?;
    let runtime = lab::runtime()?;
    let (measured, out) = match &cli.command {
        Command::FramePath(args) => (runtime.block_on(frame_path::run(&lab, args))?.into(), None),
        Command::IdleMemory(args) => (runtime.block_on(idle_memory::run(&lab, args))?.into(), None),
        Command::TurnLatency(args) => (runtime.block_on(turn_latency::run(&lab, args))?.into(), None),
        Command::WithdrawLatency(args) => (runtime.block_on(withdraw_latency::run(&lab, args))?.into(), None),
        Command::Store(args) => (runtime.block_on(store::run(&lab, args))?, None),
        Command::Consent(args) => (runtime.block_on(consent::run(&lab, args))?.into(), None),
        Command::WithdrawWire(args) => (runtime.block_on(withdraw_wire::run(&lab, args))?.into(), None),
        Command::All(args) => (runtime.block_on(all::run(&lab))?.into(), args.out.as_deref()),
        Command::Server => return server::run(),
    };
    Report::new(cli.seed, measured).deliver(cli.json, out)
}
