//! How long three nodes are without a leader: from `kill -9` of the one that leads until another node's commit is answered,
//! which takes a new leader and a majority's disks. Timers are the default ones.

use anyhow::Result;

use super::replicas::Replicas;
use crate::figure::{Aim, Figure};
use crate::lab::{Ground, Lab, Latencies};
use crate::server::Ask;

const NODES: u64 = 3;
/// What the slowest of a hundred should take at most, in milliseconds.
const AIM: Aim = Aim::Value(1_500.0);

/// Kills the leader `kills` times, each time when all three follow it.
pub(super) async fn measure(lab: &Lab, kills: usize) -> Result<Vec<Figure>> {
    let ground = Ground::new();
    let mut replicas = Replicas::found(lab, "recovery", NODES, None).await?;
    let mut latencies = Latencies::new();
    for round in 0..kills {
        let leader = replicas.leader().await?;
        let others: Vec<u64> = (1..=NODES).filter(|node| *node != leader).collect();
        let killed_at = ground.clock.now();
        replicas.kill(leader);
        // either of the two may be the next leader, or has to find it
        replicas.ask(others[round % others.len()], &Ask::Commit)?;
        latencies.extend([ground.clock.now().since(killed_at)]);
        replicas.restart(leader)?;
    }
    let quantiles = latencies.quantiles();
    let name = |quantile| format!("commit after kill -9 of the leader, {kills} rounds, {quantile}");
    Ok(vec![Figure::new(name("p50"), "ms", quantiles.p50), Figure::new(name("p99"), "ms", quantiles.p99).aiming(AIM)])
}
