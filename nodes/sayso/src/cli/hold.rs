//! `sayso hold ...`.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use sayso_types::{Category, DeviceId, TenantId};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
A hold keeps what a law demands to be kept: while it is set, what is in its scope neither ends when its time is over nor is
erased when somebody asks. Processing stops all the same. Release it as soon as the law lets you.

One person:  sayso hold set --admin ADDR --certs DIR --device-id ID --law \"cn-cpl:67, order 2026/17\"
Everybody:   sayso hold set --admin ADDR --certs DIR --category memory_summary --law TEXT --until 2027-01-31T00:00:00Z")]
pub(crate) struct HoldArgs {
    #[command(subcommand)]
    pub(crate) command: HoldCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Set a hold; prints it.
    Set(SetHoldArgs),
    /// Print the holds that are set, oldest first.
    List {
        #[command(flatten)]
        node: NodeArgs,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Release a hold: what was due meanwhile ends, and what was to be erased is erased.
    Release {
        #[command(flatten)]
        node: NodeArgs,
        /// The hold, as `set` and `list` print it.
        #[arg(value_name = "HOLD")]
        hold: String,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SetHoldArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// The device that the person speaks to whose data is kept. Without it: everybody's.
    #[arg(long, value_name = "ID")]
    pub(crate) device_id: Option<DeviceId>,
    /// Whose device it is.
    #[arg(long, value_name = "ID", default_value = "home", requires = "device_id")]
    pub(crate) tenant: TenantId,
    /// What is kept, as the policy calls it (memory_summary), or consent_record, withdrawal_record, rights_request,
    /// erasure_certificate, complaint_record, disclosure_record, exemption_record. Without it: all of these.
    #[arg(long, value_name = "NAME")]
    pub(crate) category: Option<Category>,
    /// The law that demands it, and the order that says so.
    #[arg(long, value_name = "TEXT")]
    pub(crate) law: String,
    /// When the hold ends by itself, such as 2027-01-31T00:00:00Z. Without it: when it is released.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}
