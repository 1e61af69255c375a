//! `sayso incident ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sayso_types::{Category, ProcessorId, TenantId};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
An incident, from its report to its end:
  sayso incident open --report TEXT ...             prints its id, and by when who is told
  sayso switch off processor NAME --reason leak --incident ID ...
  sayso incident assess ID --processor NAME --from 2026-11-20T00:00:00Z --until 2026-11-21T00:00:00Z ...
  sayso incident affected ID ...                    whose data it was
  sayso incident contain ID ...
  sayso incident notify ID --regulator FILE-NUMBER ...
  sayso incident notify ID --people notice.toml ...
  sayso incident close ID ...")]
pub(crate) struct IncidentArgs {
    #[command(subcommand)]
    pub(crate) command: IncidentCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// Open an incident: data got, or may have got, where it should not.
    Open {
        #[command(flatten)]
        at: IncidentNode,
        /// What happened. Kept in the store; the audit log has its SHA-256.
        #[arg(long, value_name = "TEXT")]
        report: String,
        /// Whose people's data it is. Default: everybody's, or your own.
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
        /// When it was found, such as 2026-11-22T14:00:00Z: the clocks run from then on. Default: now.
        #[arg(long, value_name = "TIME")]
        detected: Option<jiff::Timestamp>,
    },
    /// Print incidents, oldest first.
    List {
        #[command(flatten)]
        at: IncidentNode,
        /// Only those of this tenant.
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
    },
    /// Say what it concerns: what went to a processor, or of a category, in a span of time. Whose data it was is then found
    /// in the audit log.
    Assess {
        #[command(flatten)]
        one: OneArgs,
        /// To whom (repeatable). Default: anybody.
        #[arg(long, value_name = "NAME")]
        processor: Vec<ProcessorId>,
        /// Of what (repeatable). Default: anything.
        #[arg(long, value_name = "NAME")]
        category: Vec<Category>,
        /// By which consent records (repeatable), as `sayso consent invalidate` prints them. Default: by any right.
        #[arg(long = "consent", value_name = "RECORD")]
        consents: Vec<String>,
        /// The first moment.
        #[arg(long, value_name = "TIME")]
        from: jiff::Timestamp,
        /// The first moment after it.
        #[arg(long, value_name = "TIME")]
        until: jiff::Timestamp,
    },
    /// Say that it spreads no further.
    Contain {
        #[command(flatten)]
        one: OneArgs,
    },
    /// Say that the authority was told, or tell the people concerned.
    Notify {
        #[command(flatten)]
        one: OneArgs,
        /// The authority was told: its file number, or how.
        #[arg(long, value_name = "TEXT", required_unless_present = "people", conflicts_with = "people")]
        regulator: Option<String>,
        /// Send this to the people concerned: a TOML file with a table for each language of the policy (`[en]`) and in it
        /// spoken (what their devices say, within 20 s), situation, impact, measures, self_protection, contact and, where
        /// the policy promises it, remedies.
        #[arg(long, value_name = "FILE")]
        people: Option<PathBuf>,
    },
    /// Say that nothing is left to do.
    Close {
        #[command(flatten)]
        one: OneArgs,
        /// There was no incident.
        #[arg(long)]
        unfounded: bool,
    },
    /// Print the people whose data it was, by their pseudonyms.
    Affected {
        #[command(flatten)]
        one: OneArgs,
    },
}

/// A running node, and how its answer is printed.
#[derive(Debug, Args)]
pub(crate) struct IncidentNode {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    #[command(flatten)]
    pub(crate) at: IncidentNode,
    /// The incident, as `open` and `list` print it.
    #[arg(value_name = "ID")]
    pub(crate) incident: String,
}
