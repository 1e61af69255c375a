//! `store`: what a store costs. Durable commits; how long a replicated one is without a leader after `kill -9`; what
//! memory a snapshot takes on its way; what a store is like while tables are written and merged.

mod bare;
mod cluster;
mod commits;
mod etcd;
mod postgres;
mod recovery;
mod replicas;
mod snapshot;
mod sustained;

use anyhow::{Context, Result, ensure};
use clap::Args as ClapArgs;

use crate::lab::{self, Lab};
use crate::report::Measured;

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Times that each sort of commit is measured, in turn, so that what else the disk does falls on all of them. 0: not
    /// measured.
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    pub(crate) rounds: usize,
    /// How long a measurement of commits takes.
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    pub(crate) seconds: u64,
    /// Times that the leader of three nodes is killed; a p99 takes a hundred. 0: not measured.
    #[arg(long, value_name = "COUNT", default_value_t = recovery::KILLS_OF_A_P99)]
    pub(crate) kills: usize,
    /// Size of the snapshot that a new node is sent. 0: not measured. The disk needs about five times as much.
    #[arg(long, value_name = "MEGABYTES", default_value_t = 1_000)]
    pub(crate) snapshot_mb: u64,
    /// How much is written to a store that is watched meanwhile. 0: not measured.
    #[arg(long, value_name = "MEGABYTES", default_value_t = 1_000)]
    pub(crate) written_mb: u64,
}

pub(crate) async fn run(lab: &Lab, args: &Args) -> Result<Measured> {
    ensure!(args.seconds > 0, "nothing can be measured in 0 seconds: give at least 1");
    let mut measured = Measured::default();
    if args.rounds > 0 {
        lab::begin("commits");
        measured = commits::measure(lab, args.rounds, args.seconds).await.context("commits")?;
    }
    if args.kills > 0 {
        lab::begin("recovery");
        let Measured { figures, notes } = recovery::measure(lab, args.kills).await.context("recovery")?;
        measured.figures.extend(figures);
        measured.notes.extend(notes);
    }
    if args.snapshot_mb > 0 {
        lab::begin("a snapshot");
        measured.figures.extend(snapshot::measure(lab, args.snapshot_mb).await.context("a snapshot")?);
    }
    if args.written_mb > 0 {
        lab::begin("a store that is written to");
        measured.figures.extend(sustained::measure(lab, args.written_mb).await.context("a store that is written to")?);
    }
    Ok(measured)
}
