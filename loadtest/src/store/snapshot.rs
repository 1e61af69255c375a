//! What memory a snapshot takes on its way: of the leader that sends it, and of the new node that takes it. Their peak, as
//! the system counts it, above what they take before it begins.

use anyhow::Result;

use super::replicas::Replicas;
use crate::figure::{Aim, Figure};
use crate::lab::Lab;
use crate::server::Ask;

/// So few entries are kept that a new node has to be sent a snapshot.
const LOG_ENTRIES: u64 = 50;
/// What a node should take at most above what it takes at rest, in megabytes, however large the snapshot: tables in memory
/// before they are written (16 each), the cache (32), and what compaction reads and writes.
const AIM: Aim = Aim::Value(128.0);
const LEADER: u64 = 1;
const NEWCOMER: u64 = 2;

/// Has a node of `megabytes` send everything to a new one.
pub(super) async fn measure(lab: &Lab, megabytes: u64) -> Result<Vec<Figure>> {
    let mut replicas = Replicas::found(lab, "snapshot", LEADER, Some(LOG_ENTRIES)).await?;
    replicas.ask(LEADER, &Ask::Fill { bytes: megabytes * 1_000_000 })?;
    replicas.add(NEWCOMER)?;
    let mut resting = Vec::new();
    for node in [LEADER, NEWCOMER] {
        resting.push(replicas.ask(node, &Ask::ForgetPeak)?.resident_bytes);
    }
    replicas.ask(NEWCOMER, &Ask::Join)?;
    // the newcomer has applied what the leader has: it is all there
    replicas.leader().await?;
    let mut figures = Vec::new();
    for ((node, role), resting) in [(LEADER, "leader"), (NEWCOMER, "new node")].into_iter().zip(resting) {
        let peak = replicas.ask(node, &Ask::Stats)?.peak_resident_bytes;
        let name = |what| format!("snapshot of {megabytes} MB, {role}, memory {what}");
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        figures.push(Figure::new(name("at rest"), "MB", megabytes(resting)));
        figures.push(Figure::new(name("above it"), "MB", megabytes(peak.saturating_sub(resting))).aiming(AIM));
    }
    Ok(figures)
}
