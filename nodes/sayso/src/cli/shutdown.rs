//! `sayso shutdown ...`.

use clap::{Args, Subcommand};

use super::{NodeArgs, TextsArgs};

#[derive(Debug, Args)]
pub(crate) struct ShutdownArgs {
    #[command(subcommand)]
    pub(crate) command: ShutdownCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ShutdownCommand {
    /// Tell everybody that the service ends; prints its id, and from when on it may be ended.
    #[command(after_help = "\
Example:  sayso shutdown announce --admin 127.0.0.1:4434 --certs DIR/admin \\
              --say en='This service ends on the first of May.' --say zh='本服务将于五月一日终止。'")]
    Announce {
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        texts: TextsArgs,
        /// From when on the service may be ended, such as 2027-05-01T00:00:00Z. Without it, as soon as the policy allows.
        #[arg(long, value_name = "TIME")]
        by: Option<jiff::Timestamp>,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// End the service: nothing more is collected from anybody, and everybody's data is erased. There is no way back.
    ///
    /// Every gate closes at once, and devices are sent away. Erasing goes on by itself, also after a restart; `status` shows
    /// how far it is. The log, receipts and certificates stay readable.
    Start {
        #[command(flatten)]
        node: NodeArgs,
        /// The shutdown, as `announce` and `status` print it: so that none is started by mistake.
        #[arg(value_name = "SHUTDOWN")]
        shutdown: String,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Print how far the end of the service has come.
    Status {
        #[command(flatten)]
        node: NodeArgs,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}
