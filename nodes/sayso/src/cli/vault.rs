//! `sayso vault ...`.

use clap::{Args, Subcommand};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
What is personal is sealed under keys of each person, these are wrapped under a shard key, and that under the key encryption
key (KEK). To change the KEK, put a new version into its file, variable or service, and have the node read it (SIGHUP).

Once a year, and whenever somebody may have copied the shard key:  sayso vault rotate --admin ADDR --certs DIR")]
pub(crate) struct VaultArgs {
    #[command(subcommand)]
    pub(crate) command: VaultCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Print which shard key wraps people's keys, and under which KEK.
    Show(VaultNodeArgs),
    /// Put a new shard key in the place of the old one, which is destroyed; nobody waits meanwhile. It goes on when this command
    /// ends early, and what was interrupted is finished by the next one.
    Rotate(VaultNodeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct VaultNodeArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}
