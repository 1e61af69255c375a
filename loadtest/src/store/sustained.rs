//! What a store of one node is like while much is written to it, and so tables are written and merged all the time: how long
//! commits take, and how much memory.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sayso_runtime::TaskKind;
use sayso_runtime::tasks::Exit;
use sayso_store::{Batch, Key};
use tokio::sync::Mutex;

use crate::figure::{Aim, Figure};
use crate::lab::node::open_store;
use crate::lab::usage::{forget_peak, peak_resident_bytes, resident_bytes};
use crate::lab::{Ground, Lab, Latencies};

const CLIENTS: u64 = 16;
/// Bytes of a value: random, so that nothing gets smaller on its way.
const VALUE_BYTES: usize = 4_096;
/// Values of a commit.
const VALUES: u64 = 8;
/// A commit that takes longer was held up.
const HELD_UP: Duration = Duration::from_millis(500);
/// What a store should take at most above what it takes at rest, in megabytes: six tables in memory (16 each), the queue
/// (32), the cache (32), and what flushing and merging read and write.
const AIM: Aim = Aim::Value(256.0);

/// Writes so many megabytes, under keys in no order, so that every table overlaps with every other.
pub(super) async fn measure(lab: &Lab, megabytes: u64) -> Result<Vec<Figure>> {
    let ground = Ground::new();
    let store = open_store(&lab.dir("sustained"), &ground).await?;
    let each = (megabytes * 1_000_000).div_ceil(CLIENTS * VALUES * VALUE_BYTES as u64);
    let resting = resident_bytes()?;
    forget_peak()?;
    let taken = Arc::new(Mutex::new((Latencies::new(), 0)));
    let began = ground.clock.now();
    let running: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (store, clock, taken) = (Arc::clone(&store), Arc::clone(&ground.clock), Arc::clone(&taken));
            ground.tasks.spawn(TaskKind::Client, "client", async move {
                let mut random = fastrand::Rng::with_seed(client);
                for _ in 0..each {
                    let batch = batch(&mut random);
                    let asked_at = clock.now();
                    store.commit(batch).await.context("a commit failed")?;
                    let took = clock.now().since(asked_at);
                    let mut taken = taken.lock().await;
                    taken.0.record(took);
                    taken.1 += u64::from(took > HELD_UP);
                }
                Ok::<_, anyhow::Error>(())
            })
        })
        .collect();
    for client in running {
        ensure!(client.join().await == Exit::Done, "a client failed; the log above says why");
    }
    let lasted = ground.clock.now().since(began);
    let peak = peak_resident_bytes()?;
    let (latencies, held_up) = Arc::into_inner(taken).expect("the clients have ended").into_inner();
    let named = |what: &str| format!("{megabytes} MB are written by {CLIENTS} clients, {what}");
    let quantiles = latencies.quantiles();
    Ok(vec![
        Figure::new(named("a second"), "MB/s", megabytes as f64 / lasted.as_secs_f64()),
        Figure::new(named("commit, p50"), "ms", quantiles.p50),
        Figure::new(named("commit, p99"), "ms", quantiles.p99),
        Figure::new(named("commit, slowest"), "ms", quantiles.max),
        Figure::new(named(&format!("commits that took longer than {HELD_UP:?}")), "", held_up as f64),
        Figure::new(named("memory above rest"), "MB", peak.saturating_sub(resting) as f64 / 1e6).aiming(AIM),
    ])
}

fn batch(random: &mut fastrand::Rng) -> Batch {
    (0..VALUES).fold(Batch::new(), |batch, _| {
        let mut value = vec![0; VALUE_BYTES];
        random.fill(&mut value);
        batch.put(Key::from_bytes(format!("written {:016x}", random.u64(..))), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_store_that_is_written_to_is_measured() {
        let figures = measure(&Lab::new(1, None).unwrap(), 5).await.unwrap();
        assert!(figures[0].value > 0.0 && figures[3].value >= figures[1].value, "{figures:?}");
    }
}
