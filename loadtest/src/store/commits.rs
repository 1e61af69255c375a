//! Durable commits a second: of a store of one node, of three that replicate each other, and beside them of etcd and of
//! PostgreSQL where they are installed. All of them on one disk, against the bare append of the same bytes with one
//! `fdatasync` a group.
//!
//! Clients of our stores are in the process of the node that they ask, as they are in a node of Sayso. Clients of the
//! others are in another process, as theirs are.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sayso_runtime::TaskKind;
use sayso_runtime::tasks::Exit;
use sayso_store::{Batch, Key, Store};
use tokio::sync::Mutex;

use super::bare::BareLog;
use super::cluster::Cluster;
use super::etcd::{self, Etcd};
use super::postgres::{self, Postgres};
use crate::figure::{Aim, Figure, median};
use crate::lab::node::open_store;
use crate::lab::usage::process_cpu;
use crate::lab::{Ground, Lab, Latencies};
use crate::report::Measured;

/// Clients that commit at the same time, each one commit after another.
const CLIENTS: [usize; 3] = [1, 16, 256];
/// Bytes of a value: a leaf of the audit log, or a small record.
pub(super) const VALUE_BYTES: usize = 512;
/// Keys that a client writes to, in turn.
pub(super) const KEYS: u64 = 1_000;
/// How much longer a commit may take than the bare append: 1/0.7 on one node, 1/0.4 on three that share a disk.
const LOCAL_AIM: Aim = Aim::Ratio(1.0 / 0.7);
const CLUSTER_AIM: Aim = Aim::Ratio(1.0 / 0.4);

/// What is measured.
#[derive(Clone)]
enum Target {
    Bare(Arc<BareLog>),
    Store(Arc<dyn Store>),
    Etcd(Arc<Etcd>),
    Postgres(Arc<Postgres>),
}

impl Target {
    /// Whether it runs in this process.
    const fn is_here(&self) -> bool {
        matches!(self, Self::Bare(_) | Self::Store(_))
    }

    async fn commit(&self, client: usize, count: u64) -> Result<()> {
        let key = format!("client {client:04} {:04}", count % KEYS);
        match self {
            Self::Bare(log) => log.append([key.as_bytes(), &[7; VALUE_BYTES]].concat()).await,
            Self::Store(store) => {
                let batch = Batch::new().put(Key::from_bytes(key), vec![7; VALUE_BYTES]);
                store.commit(batch).await.map(drop).context("a commit failed")
            }
            Self::Etcd(etcd) => etcd.put(client, &key, &[7; VALUE_BYTES]).await,
            Self::Postgres(_) => bail!("PostgreSQL has clients of its own"),
        }
    }
}

/// One sort of store, and what came of it with so many clients.
struct Sort {
    name: &'static str,
    target: Target,
    aim: Option<Aim>,
    /// Microseconds a commit, a round each.
    each_us: Vec<f64>,
    /// Microseconds of CPU time a commit, a round each, of what runs in this process.
    cpu_us: Vec<f64>,
    latencies: Latencies,
}

impl Sort {
    fn new(name: &'static str, target: Target, aim: Option<Aim>) -> Self {
        Self { name, target, aim, each_us: Vec::new(), cpu_us: Vec::new(), latencies: Latencies::new() }
    }

    fn forget(&mut self) {
        (self.each_us, self.cpu_us, self.latencies) = (Vec::new(), Vec::new(), Latencies::new());
    }
}

/// Measures each sort of store with each number of clients, `rounds` times for so many seconds.
pub(super) async fn measure(lab: &Lab, rounds: usize, seconds: u64) -> Result<Measured> {
    let ground = Ground::new();
    let bare = Target::Bare(Arc::new(BareLog::create(&lab.dir("bare.log"))?));
    let local = Target::Store(open_store(&lab.dir("local"), &ground).await?);
    let cluster = Cluster::start(lab, &ground).await?;
    let mut sorts = vec![
        Sort::new("bare append", bare, None),
        Sort::new("1 node", local, Some(LOCAL_AIM)),
        Sort::new("3 nodes", Target::Store(cluster.leader()), Some(CLUSTER_AIM)),
    ];
    let mut notes: Vec<_> = NOTES.map(str::to_owned).into();
    notes.extend(add_others(lab, &mut sorts).await?);
    let mut figures = Vec::new();
    for clients in CLIENTS {
        sorts.iter_mut().for_each(Sort::forget);
        for _ in 0..rounds {
            for sort in &mut sorts {
                measure_one(sort, clients, Duration::from_secs(seconds), &ground).await?;
            }
        }
        figures.extend(shown(clients, &sorts));
    }
    cluster.close().await;
    Ok(Measured { figures, notes })
}

/// What these figures are of.
const NOTES: [&str; 4] = [
    "Each sort of store is compared with a bare append of the same bytes to a file on the same disk, with one fdatasync for all \
     that wait, in the same round. Its clients wait and are woken as those of a store are, one each; nothing is checked, kept in \
     order, or there to be read again.",
    "CPU time is that of this process, clients included. Where it is more than the machine has, that is what there is to wait for, \
     and not the disk.",
    "\"1 node\" and \"3 nodes\" are in this process, with their clients, who ask the node that leads. The 3 nodes talk over QUIC \
     with TLS on loopback and share one disk, which each of them syncs.",
    "etcd and PostgreSQL, where they are measured, are processes of their own. etcd's 3 members share the disk, too; they and \
     their clients talk without TLS. PostgreSQL is one server, with synchronous commits, on a Unix socket.",
];

/// Adds what others have made, as far as it is installed, and says what is not.
async fn add_others(lab: &Lab, sorts: &mut Vec<Sort>) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    let missing =
        |what: &str, package: &str| format!("{what} is not installed, so not measured: apt-get install {package}");
    if is_installed(etcd::PROGRAM) {
        let etcd = Etcd::start(&lab.dir("etcd")).await?;
        sorts.push(Sort::new("etcd, 3 members", Target::Etcd(Arc::new(etcd)), None));
    } else {
        notes.push(missing("etcd", etcd::PACKAGE));
    }
    if let Some(programs) = postgres::programs() {
        let postgres = Postgres::start(programs, &lab.dir("postgres")).await?;
        sorts.push(Sort::new("PostgreSQL", Target::Postgres(Arc::new(postgres)), None));
    } else {
        notes.push(missing("PostgreSQL", postgres::PACKAGE));
    }
    Ok(notes)
}

/// Whether a program is on the path.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// Has `clients` commit for `length`.
async fn measure_one(sort: &mut Sort, clients: usize, length: Duration, ground: &Ground) -> Result<()> {
    if let Target::Postgres(postgres) = &sort.target {
        let run = postgres.run(clients, length)?;
        sort.each_us.push(run.each_us);
        sort.latencies.extend(run.took);
        return Ok(());
    }
    let latencies = Arc::new(Mutex::new(Latencies::new()));
    let cpu_before = process_cpu();
    let began = ground.clock.now();
    let ends = began.after(length);
    let running: Vec<_> = (0..clients)
        .map(|client| {
            let (target, clock) = (sort.target.clone(), Arc::clone(&ground.clock));
            let latencies = Arc::clone(&latencies);
            ground.tasks.spawn(TaskKind::Client, "client", async move {
                let mut took = Vec::new();
                let mut asked_at = clock.now();
                while asked_at < ends {
                    target.commit(client, took.len() as u64).await?;
                    let answered_at = clock.now();
                    took.push(answered_at.since(asked_at));
                    asked_at = answered_at;
                }
                latencies.lock().await.extend(took);
                Ok::<_, anyhow::Error>(())
            })
        })
        .collect();
    for client in running {
        ensure!(client.join().await == Exit::Done, "a client failed; the log above says why");
    }
    let (lasted, cpu) = (ground.clock.now().since(began), process_cpu() - cpu_before);
    let latencies = Arc::into_inner(latencies).expect("the clients have ended").into_inner();
    let each_us = |time: Duration| time.as_secs_f64() * 1e6 / latencies.count() as f64;
    sort.each_us.push(each_us(lasted));
    if sort.target.is_here() {
        sort.cpu_us.push(each_us(cpu));
    }
    sort.latencies.add(&latencies);
    Ok(())
}

/// The figures of one number of clients. The first of the sorts is what the others are compared with.
fn shown(clients: usize, sorts: &[Sort]) -> Vec<Figure> {
    let Some((bare, others)) = sorts.split_first() else { return Vec::new() };
    let named = |what: &str| format!("commit, {what}, {clients} client{}", if clients == 1 { "" } else { "s" });
    let floor = median(bare.each_us.clone());
    let mut figures = vec![Figure::new(named(bare.name), "us", floor)];
    let bare_cpu = median(bare.cpu_us.clone());
    figures.push(Figure::new(cpu_name(&named(bare.name)), "us", bare_cpu));
    for Sort { name, aim, each_us, cpu_us, latencies, .. } in others {
        // a round's ratio is of measurements that followed each other
        let ratios = each_us.iter().zip(&bare.each_us).map(|(is, bare)| is / bare).collect();
        let each = median(each_us.clone());
        let figure = Figure::new(named(name), "us", each).above_by(floor, median(ratios));
        figures.push(aim.map_or(figure.clone(), |aim| figure.aiming(aim)));
        figures.push(Figure::new(format!("{}, a second", named(name)), "/s", 1e6 / each));
        if !cpu_us.is_empty() {
            figures.push(Figure::new(cpu_name(&named(name)), "us", median(cpu_us.clone())).above(bare_cpu));
        }
        let quantiles = latencies.quantiles();
        figures.push(Figure::new(format!("{}, p50", named(name)), "ms", quantiles.p50));
        figures.push(Figure::new(format!("{}, p99", named(name)), "ms", quantiles.p99));
    }
    figures
}

fn cpu_name(named: &str) -> String {
    format!("{named}, CPU time")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has four clients commit to `target` and to the bare append.
    async fn figures(lab: &Lab, name: &'static str, target: Target) -> Vec<Figure> {
        let bare = Target::Bare(Arc::new(BareLog::create(&lab.dir("bare.log")).unwrap()));
        let mut sorts = [Sort::new("bare append", bare, None), Sort::new(name, target, Some(CLUSTER_AIM))];
        for sort in &mut sorts {
            // pgbench counts in seconds
            measure_one(sort, 4, Duration::from_secs(1), &Ground::new()).await.unwrap();
        }
        shown(4, &sorts)
    }

    fn assert_compared(figures: &[Figure], name: &str) {
        let figure = figures.iter().find(|figure| figure.name == name).unwrap();
        assert!(figure.value > 0.0 && figure.ratio > Some(0.0) && figure.met.is_some(), "{figure:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn commits_of_three_nodes_are_measured_against_the_bare_append() {
        let lab = Lab::new(1, None).unwrap();
        let cluster = Cluster::start(&lab, &Ground::new()).await.unwrap();
        assert_compared(&figures(&lab, "3 nodes", Target::Store(cluster.leader())).await, "commit, 3 nodes, 4 clients");
        cluster.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn others_are_measured_where_they_are_installed() {
        let lab = Lab::new(1, None).unwrap();
        let mut sorts = Vec::new();
        let notes = add_others(&lab, &mut sorts).await.unwrap();
        assert_eq!(sorts.len() + notes.len(), 2, "each is there or said to be missing: {notes:?}");
        for (n, Sort { name, target, .. }) in sorts.into_iter().enumerate() {
            let lab = Lab::new(n as u64, None).unwrap();
            assert_compared(&figures(&lab, name, target).await, &format!("commit, {name}, 4 clients"));
        }
    }
}
