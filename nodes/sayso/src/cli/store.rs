//! `sayso store`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};

use sayso_policy::Place;

use super::NodeArgs;
use crate::config::StoreKind;

#[derive(Debug, Args)]
#[command(after_help = "\
Nodes come with `invite`, and go with `remove`. To look after those of a cluster, ask the one that serves:
  sayso store members --admin 127.0.0.1:4434 --certs one/admin
  sayso store lead 2 ...
  sayso store remove 3 ...

One that serves is not removed: stop it, another takes over, and that one removes it.")]
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
    /// Write everything but keys into a directory or an object store, with checksums. What was broken off goes on where it was.
    #[command(visible_alias = "backup")]
    Export(ExportStoreArgs),
    /// Put an export into an empty store, or one of keys beside their data. What was broken off goes on where it was.
    #[command(visible_alias = "restore")]
    Import(ImportStoreArgs),
    /// Move everything from another store into this one, which is empty. What was broken off goes on where it was.
    Migrate(MigrateArgs),
    /// Let one more node join the cluster that replicates this store: print a token, and wait for who has it.
    Invite(InviteArgs),
    /// Print the nodes of a cluster: who leads, who votes, how far behind each is, and who does not answer.
    Members(MembersArgs),
    /// Remove a node from a cluster for good, dead or alive: it stops, and does not come back.
    Remove(OneMemberArgs),
    /// Have a node of a cluster lead those that replicate, so that the one that does now can be stopped or removed.
    Lead(OneMemberArgs),
}

/// A node that serves, of a cluster.
#[derive(Debug, Args)]
pub(crate) struct MembersArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A node of a cluster, and one that serves, who is asked.
#[derive(Debug, Args)]
pub(crate) struct OneMemberArgs {
    /// The number of the node, as `sayso store members` lists it.
    #[arg(value_name = "NODE")]
    pub(crate) member: u64,
    #[command(flatten)]
    pub(crate) at: MembersArgs,
}

/// Which store, and how to tell about it.
#[derive(Debug, Args)]
pub(crate) struct StoreFileArgs {
    /// The configuration of the node whose store it is. A node that runs is asked what is in its store, except on FoundationDB;
    /// nothing is put into it. One of a cluster needs a majority of the others.
    #[arg(long, value_name = "FILE", env = "SAYSO_CONFIG")]
    pub(crate) config: PathBuf,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a dump is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DumpAt {
    /// In a directory.
    Dir(PathBuf),
    /// In an object store.
    Bucket {
        /// The bucket.
        bucket: String,
        /// What the names of its objects begin with; empty for the whole bucket.
        prefix: String,
    },
}

impl FromStr for DumpAt {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(place) = text.strip_prefix("s3://") else {
            if text.contains("://") {
                return Err("expected a directory, or s3://BUCKET/PREFIX: nothing else is known that has :// in it");
            }
            return Ok(Self::Dir(text.into()));
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_end_matches('/');
        let is_word = |word: &str| !word.is_empty() && word != "." && word != "..";
        if !is_word(bucket) || !(prefix.is_empty() || prefix.split('/').all(is_word)) {
            return Err("expected s3://BUCKET or s3://BUCKET/PREFIX, without empty parts");
        }
        Ok(Self::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

/// Which service an object store is.
const OBJECT_STORES: &str = "\
An object store is any that speaks the protocol of Amazon S3. These environment variables say which, and in whose name;
who that is has to be allowed to list the bucket, and to read, write and delete in it:
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION (us-east-1), AWS_ENDPOINT_URL (Amazon's), and
AWS_CA_BUNDLE (who vouches for the service, PEM).";

#[derive(Debug, Args)]
#[command(after_help = OBJECT_STORES)]
pub(crate) struct ExportStoreArgs {
    /// Where to: a new or empty directory, s3://BUCKET/PREFIX, or the place of an export that was broken off.
    #[arg(value_name = "PLACE")]
    pub(crate) to: DumpAt,
    /// Write the keys of people instead, of a store that has them: as they are wrapped, and in a place of their own, because
    /// whoever has both and the KEK reads what was there on that day. Keep it for short.
    #[arg(long)]
    pub(crate) keys: bool,
    /// Where the bucket stands: a country (ISO 3166, such as CN), or the word of the profile's for the place. Needed where the
    /// profile says where data may be stored (transfers.storage).
    #[arg(long, value_name = "PLACE")]
    pub(crate) region: Option<Place>,
    #[command(flatten)]
    pub(crate) store: StoreFileArgs,
}

#[derive(Debug, Args)]
#[command(after_help = OBJECT_STORES)]
pub(crate) struct ImportStoreArgs {
    /// Where `sayso store export` wrote to: a directory or s3://BUCKET/PREFIX.
    #[arg(value_name = "PLACE")]
    pub(crate) from: DumpAt,
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
    /// The store that it is moved from: local:DIR, with the data-dir of a node. A node that runs moves it while it serves,
    /// and ends when everything is there. What is there stays, with a note that it was moved, with which no node serves it
    /// any more.
    #[arg(long, value_name = "local:DIR")]
    pub(crate) from: LocalDir,
    /// The kind of store that it is moved to; fails when the configuration names another.
    #[arg(long, value_name = "KIND", value_enum)]
    pub(crate) to: Option<StoreKind>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_directory_or_part_of_a_bucket() {
        let bucket =
            |bucket: &str, prefix: &str| Ok(DumpAt::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() });
        assert_eq!("s3://b/home/monday/".parse(), bucket("b", "home/monday"));
        assert_eq!("s3://b".parse(), bucket("b", ""));
        assert_eq!("backup".parse(), Ok(DumpAt::Dir("backup".into())));
        let others = ["gs://b/x", "az://b", "file:///b", "S3://b", "dir/gs://b"];
        for wrong in ["s3://", "s3:///x", "s3://b/x//y", "s3://b/../other", "s3://../b"].into_iter().chain(others) {
            assert!(wrong.parse::<DumpAt>().is_err(), "{wrong}");
        }
    }
}
