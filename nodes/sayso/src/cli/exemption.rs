//! `sayso exemption ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sayso_types::{DeviceId, TenantId};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
One of the operator's people proposes, others approve: two where the ground is X01 to X04 or X10, more where the policy says
so. Each needs a certificate of their own: sayso operator add NAME --node DIR --out DIR.")]
pub(crate) struct ExemptionArgs {
    #[command(subcommand)]
    pub(crate) command: ExemptionCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExemptionCommand {
    /// Propose to do something without consent, on a ground that the policy keeps for itself.
    Propose(ProposeArgs),
    /// Approve what somebody else proposed; with the last approval that it needs it is in force.
    Approve {
        #[command(flatten)]
        node: NodeArgs,
        /// The exemption, as `propose` and `list` print it.
        #[arg(value_name = "EXEMPTION")]
        id: String,
    },
    /// Take a proposal or an exemption back; every gate that rests on it closes at once.
    Revoke {
        #[command(flatten)]
        node: NodeArgs,
        /// The exemption, as `propose` and `list` print it.
        #[arg(value_name = "EXEMPTION")]
        id: String,
    },
    /// Print exemptions, newest first, whatever became of them.
    List {
        #[command(flatten)]
        node: NodeArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ProposeArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// The ground, as in the policy's exemptions: X01 to X14.
    #[arg(value_name = "CODE")]
    pub(crate) code: String,
    /// What for, a purpose of the policy (repeatable).
    #[arg(long = "purpose", value_name = "ID", required_unless_present = "ticket", conflicts_with = "ticket")]
    pub(crate) purposes: Vec<String>,
    /// Which data, a category of the policy (repeatable).
    #[arg(long = "category", value_name = "ID", required = true)]
    pub(crate) categories: Vec<String>,
    /// To whom, a processor of the policy (repeatable).
    #[arg(long = "processor", value_name = "ID", required_unless_present = "ticket", conflicts_with = "ticket")]
    pub(crate) processors: Vec<String>,
    /// For how long from the last approval on, such as PT2H or P1D; no longer than the policy lets it.
    #[arg(long = "for", value_name = "DURATION")]
    pub(crate) lasts: String,
    /// What it is approved on, such as an order; its SHA-256 is put on record.
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: PathBuf,
    /// Only the data of the person who speaks to this device.
    #[arg(long, value_name = "ID")]
    pub(crate) device_id: Option<DeviceId>,
    /// Whose device that is.
    #[arg(long, value_name = "ID", default_value = "home")]
    pub(crate) tenant: TenantId,
    /// To read what is kept of that person yourself, for a day at most: what you work on, as your system for tickets names it.
    #[arg(long, value_name = "TICKET", requires = "device_id")]
    pub(crate) ticket: Option<String>,
}
