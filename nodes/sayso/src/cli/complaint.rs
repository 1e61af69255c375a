//! `sayso complaint ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sayso_types::{DeviceId, TenantId};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
The words of a complaint and of its answer stay with whoever took them: what the node keeps is their SHA-256, an id under which
anybody can ask what became of it, and the day by which it is answered (fifteen working days where the policy says nothing).")]
pub(crate) struct ComplaintArgs {
    #[command(subcommand)]
    pub(crate) command: ComplaintCommand,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Where a complaint is, and about whose devices.
#[derive(Debug, Args)]
pub(crate) struct ComplaintNode {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// The tenant that it is about.
    #[arg(long, value_name = "ID", default_value = "home")]
    pub(crate) tenant: TenantId,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ComplaintCommand {
    /// File a complaint; prints it, with its id and the day by which it is answered.
    File {
        #[command(flatten)]
        at: ComplaintNode,
        /// The complaint.
        #[arg(value_name = "FILE")]
        text: PathBuf,
        /// What came with it.
        #[arg(long, value_name = "FILE")]
        evidence: Option<PathBuf>,
        /// The device that the person speaks to who complains. Without it: the tenant itself complains.
        #[arg(long, value_name = "ID")]
        device_id: Option<DeviceId>,
    },
    /// Answer a complaint, once.
    Answer {
        #[command(flatten)]
        at: ComplaintNode,
        /// The complaint, as `file` and `list` print it.
        #[arg(value_name = "COMPLAINT")]
        id: String,
        /// What came of it.
        #[arg(value_name = "OUTCOME")]
        outcome: OutcomeArg,
        /// The answer.
        #[arg(value_name = "FILE")]
        text: PathBuf,
    },
    /// Print what became of a complaint.
    Show {
        #[command(flatten)]
        at: ComplaintNode,
        /// The complaint, as `file` and `list` print it.
        #[arg(value_name = "COMPLAINT")]
        id: String,
    },
    /// Print the complaints of a tenant and its people, newest first.
    List {
        #[command(flatten)]
        at: ComplaintNode,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OutcomeArg {
    /// It was right, and what it was about is put right.
    Upheld,
    /// It was right in part.
    UpheldInPart,
    /// It was not right, and the answer says why.
    NotUpheld,
}
