//! `sayso`: the one binary. Each command is a file; [`node`] is the composition root that names providers, [`backend`] the
//! one that opens stores.

mod audit;
mod backend;
mod certs;
mod cli;
mod complaint;
mod config;
mod consent;
mod demo;
mod device;
mod disclosure;
mod exemption;
mod export;
mod guardian;
mod hold;
mod incident;
mod init;
mod join;
mod kept;
mod models;
mod node;
mod notice;
mod operator;
mod output;
mod permit;
mod policy;
mod progress;
mod receipts;
mod referral;
mod rights;
mod serve;
mod shell;
mod shutdown;
mod statistic;
mod store;
mod switch;
mod tenant;
mod vault;
mod verify;
mod visit;
mod witnesses;
mod wrapping;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{AdminArgs, AdminCommand, Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Device(args) => device::run(args),
        Command::Models(args) => models::run(args),
        Command::Init(args) => init::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Store(args) => store::run(args),
        Command::Policy(args) => policy::run(&args),
        Command::Receipts(args) => receipts::run(&args),
        Command::Consent(args) => consent::run(&args),
        Command::Audit(args) | Command::Admin(AdminArgs { command: AdminCommand::Audit(args) }) => audit::run(&args),
        Command::Exemption(args) => exemption::run(&args),
        Command::Operator(args) => init::operator(&args),
        Command::Rights(args) => rights::run(&args),
        Command::Incident(args) => incident::run(&args),
        Command::Switch(args) => switch::run(&args),
        Command::Hold(args) => hold::run(&args),
        Command::Notice(args) => notice::run(&args),
        Command::Shutdown(args) => shutdown::run(&args),
        Command::Guardian(args) => guardian::run(&args),
        Command::Permit(args) => permit::run(&args),
        Command::Disclosure(args) => disclosure::run(&args),
        Command::Complaint(args) => complaint::run(&args),
        Command::Kept(args) => kept::run(&args),
        Command::Referral(args) => referral::run(&args),
        Command::Tenant(args) => tenant::run(&args),
        Command::Statistic(args) => statistic::run(&args),
        Command::Visit(args) => visit::run(&args),
        Command::Vault(args) => wrapping::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}
