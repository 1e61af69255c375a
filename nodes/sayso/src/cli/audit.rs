//! `sayso audit ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::NodeArgs;

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

/// The audit log under the name that the admin API gives it.
#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    #[command(subcommand)]
    pub(crate) command: AdminCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Export the audit log of a running node for an auditor, or print how far it is witnessed.
    Audit(AuditArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Write the log as files that `sayso verify` checks offline (c2sp.org/tlog-tiles).
    Export {
        #[command(flatten)]
        node: NodeArgs,
        /// Where to write them; must be empty or not there.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Print how far the log is witnessed, and how each witness stands.
    Witnesses {
        #[command(flatten)]
        node: NodeArgs,
    },
}
