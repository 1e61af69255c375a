//! `store`: durable commits a second, of a store of one node and of three that replicate each other, against the bare
//! append of the same bytes on the same disk with one `fdatasync` a group.

mod bare;
mod cluster;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args as ClapArgs;
use sayso_runtime::TaskKind;
use sayso_runtime::tasks::Exit;
use sayso_store::{Batch, Key, Store};
use tokio::sync::Mutex;

use self::bare::BareLog;
use self::cluster::Cluster;
use crate::figure::{Aim, Figure, median};
use crate::lab::node::open_store;
use crate::lab::{Ground, Lab, Latencies};

/// Clients that commit at the same time, each one commit after another.
const CLIENTS: [usize; 3] = [1, 16, 256];
/// Bytes of a value: a leaf of the audit log, or a small record.
const VALUE_BYTES: usize = 512;
/// Keys that a client writes to, in turn.
const KEYS: u64 = 1_000;
/// How much longer a commit may take than the bare append: 1/0.7 on one node, 1/0.4 on three that share a disk.
const LOCAL_AIM: Aim = Aim::Ratio(1.0 / 0.7);
const CLUSTER_AIM: Aim = Aim::Ratio(1.0 / 0.4);

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Times that each is measured, in turn, so that what else the disk does falls on all of them.
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    pub(crate) rounds: usize,
    /// How long a measurement takes.
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    pub(crate) seconds: u64,
}

/// What is measured.
#[derive(Clone)]
enum Target {
    Bare(Arc<BareLog>),
    Store(Arc<dyn Store>),
}

impl Target {
    async fn commit(&self, client: usize, count: u64) -> Result<()> {
        let key = format!("client {client:04} {:04}", count % KEYS);
        match self {
            Self::Bare(log) => log.append([key.as_bytes(), &[7; VALUE_BYTES]].concat()).await,
            Self::Store(store) => {
                let batch = Batch::new().put(Key::from_bytes(key), vec![7; VALUE_BYTES]);
                store.commit(batch).await.map(drop).context("a commit failed")
            }
        }
    }
}

/// What came of one sort of store with so many clients.
#[derive(Default)]
struct Measured {
    /// Microseconds a commit, a round each.
    each_us: Vec<f64>,
    latencies: Option<Latencies>,
}

pub(crate) async fn run(lab: &Lab, args: &Args) -> Result<Vec<Figure>> {
    ensure!(args.rounds > 0 && args.seconds > 0, "nothing to measure: give at least 1 round of 1 second");
    let ground = Ground::new();
    let bare = Target::Bare(Arc::new(BareLog::create(&lab.dir("bare.log"))?));
    let local = Target::Store(open_store(&lab.dir("local"), &ground).await?);
    let cluster = Cluster::start(lab, &ground).await?;
    let targets = [bare, local, Target::Store(cluster.leader())];
    let mut figures = Vec::new();
    for clients in CLIENTS {
        let mut measured: [Measured; 3] = core::array::from_fn(|_| Measured::default());
        for _ in 0..args.rounds {
            for (target, measured) in targets.iter().zip(&mut measured) {
                measure(target, clients, Duration::from_secs(args.seconds), &ground, measured).await?;
            }
        }
        figures.extend(shown(clients, &measured));
    }
    cluster.close().await;
    Ok(figures)
}

/// Has `clients` commit for `length`.
async fn measure(
    target: &Target,
    clients: usize,
    length: Duration,
    ground: &Ground,
    measured: &mut Measured,
) -> Result<()> {
    let latencies = Arc::new(Mutex::new(measured.latencies.take().unwrap_or_else(Latencies::new)));
    let began = ground.clock.now();
    let ends = began.after(length);
    let count = Arc::new(core::sync::atomic::AtomicU64::new(0));
    let running: Vec<_> = (0..clients)
        .map(|client| {
            let (target, clock) = (target.clone(), Arc::clone(&ground.clock));
            let (latencies, count) = (Arc::clone(&latencies), Arc::clone(&count));
            ground.tasks.spawn(TaskKind::Client, "client", async move {
                let mut took = Vec::new();
                let mut asked_at = clock.now();
                while asked_at < ends {
                    target.commit(client, took.len() as u64).await?;
                    let answered_at = clock.now();
                    took.push(answered_at.since(asked_at));
                    asked_at = answered_at;
                }
                count.fetch_add(took.len() as u64, core::sync::atomic::Ordering::Relaxed);
                latencies.lock().await.extend(took);
                Ok::<_, anyhow::Error>(())
            })
        })
        .collect();
    for client in running {
        ensure!(client.join().await == Exit::Done, "a client failed; the log above says why");
    }
    let lasted = ground.clock.now().since(began);
    let count = count.load(core::sync::atomic::Ordering::Relaxed);
    measured.each_us.push(lasted.as_secs_f64() * 1e6 / count as f64);
    measured.latencies = Some(Arc::into_inner(latencies).expect("the clients have ended").into_inner());
    Ok(())
}

/// The figures of one number of clients.
fn shown(clients: usize, [bare, local, cluster]: &[Measured; 3]) -> Vec<Figure> {
    let named = |what: &str| format!("commit, {what}, {clients} client{}", if clients == 1 { "" } else { "s" });
    let floor = median(bare.each_us.clone());
    let mut figures = vec![Figure::new(named("bare append"), "us", floor)];
    for (what, measured, aim) in [("1 node", local, LOCAL_AIM), ("3 nodes", cluster, CLUSTER_AIM)] {
        // a round's ratio is of measurements that followed each other
        let ratios = measured.each_us.iter().zip(&bare.each_us).map(|(is, bare)| is / bare).collect();
        let each = median(measured.each_us.clone());
        figures.push(Figure::new(named(what), "us", each).above_by(floor, median(ratios)).aiming(aim));
        figures.push(Figure::new(format!("{}, a second", named(what)), "/s", 1e6 / each));
        if let Some(latencies) = &measured.latencies {
            let quantiles = latencies.quantiles();
            figures.push(Figure::new(format!("{}, p50", named(what)), "ms", quantiles.p50));
            figures.push(Figure::new(format!("{}, p99", named(what)), "ms", quantiles.p99));
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn each_sort_of_store_is_measured_against_the_bare_append() {
        let lab = Lab::new(1, None).unwrap();
        let ground = Ground::new();
        let bare = Target::Bare(Arc::new(BareLog::create(&lab.dir("bare.log")).unwrap()));
        let cluster = Cluster::start(&lab, &ground).await.unwrap();
        let targets = [bare, Target::Store(cluster.leader())];
        let mut measured: [Measured; 2] = Default::default();
        for (target, measured) in targets.iter().zip(&mut measured) {
            measure(target, 4, Duration::from_millis(100), &ground, measured).await.unwrap();
        }
        let [bare, cluster_measured] = measured;
        assert!(bare.each_us[0] > 0.0 && cluster_measured.each_us[0] > 0.0);
        let figures = shown(4, &[bare, Measured { each_us: vec![3.0], latencies: None }, cluster_measured]);
        assert!(figures.iter().any(|figure| figure.name == "commit, 3 nodes, 4 clients" && figure.ratio.is_some()));
        cluster.close().await;
    }
}
