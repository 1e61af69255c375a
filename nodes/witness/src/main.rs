//! `witness`: watches audit logs from outside. It cosigns a log's checkpoint only if the log has grown from the one that it
//! cosigned last.

mod cli;
mod config;
mod key;
mod serve;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Key(args) => key::run(&args),
        Command::Serve(args) => serve::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "witness: {error:#}");
            ExitCode::FAILURE
        }
    }
}
