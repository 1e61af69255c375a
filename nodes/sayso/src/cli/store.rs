//! `sayso store`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Say what the store holds, table by table, and who belongs to the cluster.
    Inspect(StoreFileArgs),
    /// Read everything, and compare it with its checksums and the audit log with its head.
    Check(StoreFileArgs),
    /// Write everything into a directory, with checksums. What was broken off goes on where it was.
    #[command(visible_alias = "backup")]
    Export(ExportStoreArgs),
    /// Put an export into an empty store. What was broken off goes on where it was.
    #[command(visible_alias = "restore")]
    Import(ImportStoreArgs),
    /// Move everything from another store into this one, which is empty. What was broken off goes on where it was.
    Migrate(MigrateArgs),
    /// Let one more node join the cluster that replicates this store: print a token, and wait for who has it.
    Invite(InviteArgs),
}

/// Which store, and how to tell about it.
#[derive(Debug, Args)]
pub(crate) struct StoreFileArgs {
    /// The configuration of the node whose store it is. The node itself must not run; one of a cluster needs a majority
    /// of the others.
    #[arg(long, value_name = "FILE", env = "SAYSO_CONFIG")]
    pub(crate) config: PathBuf,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportStoreArgs {
    /// Where to: a new or empty directory, or that of an export that was broken off.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreFileArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportStoreArgs {
    /// What `sayso store export` wrote.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreFileArgs,
}

/// A store of one node, by its directory.
#[derive(Clone, Debug)]
pub(crate) struct LocalDir(pub(crate) PathBuf);

impl FromStr for LocalDir {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dir = text.strip_prefix("local:").filter(|dir| !dir.is_empty());
        dir.map(|dir| Self(dir.into())).ok_or("expected local:DIR, with the data-dir of a node whose store is local")
    }
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// The store that it is moved from: local:DIR, with the data-dir of a node that does not run. It stays as it is.
    #[arg(long, value_name = "local:DIR")]
    pub(crate) from: LocalDir,
    #[command(flatten)]
    pub(crate) store: StoreFileArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InviteArgs {
    /// The configuration of a node of the cluster, in the directory that `sayso init --peer` made.
    #[arg(long, value_name = "FILE", env = "SAYSO_CONFIG")]
    pub(crate) config: PathBuf,
    /// Where to wait for the new node (TCP).
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:4437")]
    pub(crate) listen: SocketAddr,
    /// Where the new node reaches this command. Default: where it waits.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) at: Option<String>,
    /// The number of a node that is lost, and in whose place the new one comes: it leaves the cluster once the new one
    /// belongs to it.
    #[arg(long, value_name = "NODE")]
    pub(crate) replaces: Option<u64>,
    /// How long to wait, in minutes. The token is worth nothing afterwards.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1_440))]
    pub(crate) minutes: u64,
    /// Print JSON instead of the token alone.
    #[arg(long)]
    pub(crate) json: bool,
}
