//! How long three nodes are without a leader: from `kill -9` of the one that leads until another node's commit is answered,
//! which takes a new leader and a majority's disks. Timers are the default ones.

use anyhow::Result;

use super::replicas::Replicas;
use crate::figure::{Aim, Figure};
use crate::lab::{Ground, Lab, Latencies};
use crate::report::Measured;
use crate::server::Ask;

const NODES: u64 = 3;
/// What the slowest of a hundred should take at most, in milliseconds.
const AIM: Aim = Aim::Value(1_500.0);
/// Kills of which one in a hundred can be told. Of fewer the slowest is given, and called that.
pub(super) const KILLS_OF_A_P99: usize = 100;

/// Kills the leader `kills` times, each time when all three follow it.
pub(super) async fn measure(lab: &Lab, kills: usize) -> Result<Measured> {
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
    let (slow, slow_ms) = if kills < KILLS_OF_A_P99 { ("slowest", quantiles.max) } else { ("p99", quantiles.p99) };
    let figures =
        vec![Figure::new(name("p50"), "ms", quantiles.p50), Figure::new(name(slow), "ms", slow_ms).aiming(AIM)];
    Ok(Measured { figures, notes: vec![note()] })
}

/// What these figures are of.
fn note() -> String {
    format!(
        "A commit after kill -9 is timed from the kill of the leader to the answer of another of the {NODES} nodes, which are \
         processes of their own on this machine and one disk."
    )
}
