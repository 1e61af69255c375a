//! `sayso switch ...`.

use clap::{Args, Subcommand, ValueEnum};
use sayso_types::Name;

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sayso switch off processor cloud-asr --reason leak --admin 127.0.0.1:4434 --certs my-node/admin
  sayso switch off category voice_audio --reason leak --incident ID ...
  sayso switch list ...
  sayso switch transfers ...
  sayso switch volumes ...

A switch takes away and never gives: what is on has what the policy and people's consent give it.")]
pub(crate) struct SwitchArgs {
    #[command(subcommand)]
    pub(crate) command: SwitchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SwitchCommand {
    /// Turn a processor, a category or a tenant off: nothing of it passes any gate when this ends.
    Off {
        #[command(flatten)]
        throw: ThrowArgs,
        /// A processor only, and for good: it cannot be turned on again.
        #[arg(long)]
        for_good: bool,
    },
    /// Turn it on again.
    On {
        #[command(flatten)]
        throw: ThrowArgs,
    },
    /// Print how many people's data has gone overseas in a calendar year, and how many may.
    Transfers {
        #[command(flatten)]
        node: NodeArgs,
        /// Which year; the present one if it is not given.
        #[arg(long)]
        year: Option<u32>,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Print how much has gone to each processor today, by UTC, and how much may.
    Volumes {
        #[command(flatten)]
        node: NodeArgs,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Print every switch that was ever thrown.
    List {
        #[command(flatten)]
        node: NodeArgs,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ThrowArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// What it is.
    #[arg(value_name = "SORT")]
    pub(crate) sort: SortArg,
    /// The processor's or the category's id in the policy, or the tenant's.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Why: a word for the audit log, such as leak; nothing about a person.
    #[arg(long, value_name = "WORD")]
    pub(crate) reason: Name,
    /// The incident that it is thrown for, as `sayso incident list` prints it.
    #[arg(long, value_name = "ID")]
    pub(crate) incident: Option<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SortArg {
    /// Nothing goes to it.
    Processor,
    /// Nothing of it goes anywhere.
    Category,
    /// Nothing of the people before its devices goes anywhere.
    Tenant,
}
