//! Nodes that are killed and networks that fail while clients read and write: nothing acknowledged is lost, and what
//! clients saw could have happened on one machine.
//!
//! `SAYSO_RAFT_FAULT_RUNS` says how many seeded runs there are; a failure names its seed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sayso_runtime::Tasks;
use sayso_store::testing::linearizability::{Action, Event, is_linearizable};
use sayso_store::{Batch, Condition, Error, Key, Range, Retryable, Store, Value};
use sayso_store_raft::{NodeId, RaftOptions, RaftStore};
use tokio::runtime::{self, Runtime};

use crate::cluster::Cluster;
use crate::network::Network;

/// Runs when nothing else is asked for.
const RUNS: u64 = 8;
const NODES: u64 = 3;
const CLIENTS: u64 = 4;
const ACTIONS_EACH: u64 = 20;
const REGISTERS: u64 = 2;

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    KillLeader,
    KillFollower,
    KillAll,
    IsolateLeader,
    IsolateFollower,
    LeaderIsDeaf,
    LeaderIsMute,
    Loss,
    Delay,
}

const FAULTS: [Fault; 9] = [
    Fault::KillLeader,
    Fault::IsolateLeader,
    Fault::KillAll,
    Fault::LeaderIsDeaf,
    Fault::Loss,
    Fault::KillFollower,
    Fault::LeaderIsMute,
    Fault::IsolateFollower,
    Fault::Delay,
];

/// A node with a runtime of its own, so that killing it stops everything in it wherever it is.
struct Node {
    runtime: Runtime,
    store: Arc<RaftStore>,
}

/// The nodes that live.
#[derive(Clone, Default)]
struct Nodes(Arc<Mutex<BTreeMap<NodeId, Arc<Node>>>>);

impl Nodes {
    fn all(&self) -> BTreeMap<NodeId, Arc<Node>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs `call` on a node that lives, in its runtime; nothing when there is none or it dies meanwhile.
    async fn on_any<T, F>(&self, random: &mut fastrand::Rng, call: impl FnOnce(Arc<RaftStore>) -> F) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let nodes = self.all();
        let node = random.choice(nodes.values())?;
        let called = node.runtime.handle().spawn(call(Arc::clone(&node.store)));
        drop(nodes);
        called.await.ok()
    }
}

/// A cluster under fire.
struct Field {
    cluster: Cluster,
    network: Network,
    nodes: Nodes,
}

impl Field {
    async fn start() -> Self {
        let mut cluster = Cluster::new(NODES);
        let listen: Vec<_> = (1..=NODES).map(|node| cluster.options(node).listen).collect();
        let network = Network::start(&mut cluster.founders).await;
        assert!(cluster.founders.values().zip(listen).all(|(relay, listen)| *relay != listen.into()));
        let mut field = Self { cluster, network, nodes: Nodes::default() };
        for node in 1..=NODES {
            field.open(NodeId(node)).await;
        }
        field
    }

    async fn open(&mut self, node: NodeId) {
        let options = self.cluster.options(node.0);
        // few entries, so that nodes come back to find that they need a snapshot
        let options = RaftOptions { log_entries: 40, answer_within: Duration::from_secs(3), ..options };
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let dir = self.cluster.dir_of(node.0);
        let opened = runtime.handle().spawn(async move {
            loop {
                match RaftStore::open(&dir, options.clone(), Tasks::new()).await {
                    // what was killed a moment ago is still falling
                    Err(sayso_store_raft::Error::Store(Error::InUse { .. })) => tokio::task::yield_now().await,
                    opened => return opened.expect("opens"),
                }
            }
        });
        let store = opened.await.expect("does not panic");
        self.nodes.0.lock().unwrap_or_else(PoisonError::into_inner).insert(node, Arc::new(Node { runtime, store }));
    }

    /// Ends a node as it is: nothing in it runs on.
    async fn kill(&self, node: NodeId) {
        let killed = self.nodes.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&node);
        let mut killed = killed.expect("it lives");
        // clients let go of it within a moment
        let Node { runtime, store } = loop {
            match Arc::try_unwrap(killed) {
                Ok(node) => break node,
                Err(held) => killed = held,
            }
            tokio::task::yield_now().await;
        };
        runtime.shutdown_background();
        drop(store);
    }

    fn leader(&self) -> Option<NodeId> {
        let nodes = self.nodes.all();
        nodes
            .values()
            .filter_map(|node| Some((node.store.status().term, node.store.status().leader?)))
            .max()
            .map(|(_, leader)| leader)
    }

    async fn wait_for_leader(&self) -> NodeId {
        loop {
            if let Some(leader) = self.leader() {
                return leader;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Does `fault`, for as long as it lasts.
    async fn inflict(&mut self, fault: Fault, random: &mut fastrand::Rng) {
        let leader = self.wait_for_leader().await;
        let all: Vec<_> = (1..=NODES).map(NodeId).collect();
        let others: Vec<_> = all.iter().copied().filter(|node| *node != leader).collect();
        let follower = others[random.usize(..others.len())];
        let lasts = Duration::from_millis(random.u64(200..1_500));
        let cut = |from: &[NodeId], to: &[NodeId]| {
            let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to)));
            self.network.rules().blocked.extend(pairs);
        };
        let victims = match fault {
            Fault::KillLeader => vec![leader],
            Fault::KillFollower => vec![follower],
            Fault::KillAll => all.clone(),
            _ => Vec::new(),
        };
        match fault {
            Fault::KillLeader | Fault::KillFollower | Fault::KillAll => {}
            Fault::IsolateLeader => {
                cut(&[leader], &others);
                cut(&others, &[leader]);
            }
            Fault::IsolateFollower => {
                cut(&[follower], &all);
                cut(&all, &[follower]);
            }
            Fault::LeaderIsDeaf => cut(&others, &[leader]),
            Fault::LeaderIsMute => cut(&[leader], &others),
            Fault::Loss => self.network.rules().loss_percent = random.u8(5..40),
            Fault::Delay => self.network.rules().delay = Duration::from_millis(random.u64(5..60)),
        }
        for victim in &victims {
            self.kill(*victim).await;
        }
        tokio::time::sleep(lasts).await;
        for victim in victims {
            self.open(victim).await;
        }
        self.network.heal();
    }

    async fn stop(self) {
        for (_, node) in self.nodes.all() {
            let store = Arc::clone(&node.store);
            node.runtime.handle().spawn(async move { store.close().await }).await.expect("closes");
        }
        let nodes = core::mem::take(&mut *self.nodes.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (_, node) in nodes {
            let Node { runtime, store } = Arc::into_inner(node).expect("nobody else holds it");
            drop(store);
            runtime.shutdown_background();
        }
        self.network.stop().await;
    }
}

/// One client: registers that it shares with the others, and keys of its own.
struct Client {
    nodes: Nodes,
    clock: Arc<AtomicU64>,
    random: fastrand::Rng,
    seed: u64,
    number: u64,
}

impl Client {
    /// Commits `batch`, asking node after node, until the outcome is known.
    async fn commit(&mut self, batch: Batch) -> bool {
        loop {
            let batch = batch.clone();
            match self.nodes.on_any(&mut self.random, |store| async move { store.commit(batch).await }).await {
                Some(Ok(_)) => return true,
                Some(Err(Error::Conflict { .. })) => return false,
                Some(Err(error)) => assert!(error.retryable() || matches!(error, Error::Closed), "{error}"),
                None => tokio::task::yield_now().await,
            }
        }
    }

    async fn read(&mut self, key: &Key) -> Option<u64> {
        loop {
            let keys = vec![key.clone()];
            if let Some(Ok(mut held)) =
                self.nodes.on_any(&mut self.random, |store| async move { store.read(&keys).await }).await
            {
                let number = |value: Value| u64::from_be_bytes(value[..].try_into().expect("eight bytes"));
                return held.remove(0).map(|held| number(held.value));
            }
            tokio::task::yield_now().await;
        }
    }

    /// What it did to the registers; all its own keys are committed.
    async fn run(mut self) -> Vec<(u64, Event)> {
        let mut events = Vec::new();
        let mut known = [None; REGISTERS as usize];
        for n in 0..ACTIONS_EACH {
            let own = Batch::new().put(own_key(self.seed, self.number, n), "kept");
            assert!(self.commit(own).await);
            let register = self.random.u64(..REGISTERS);
            let key = Key::from_bytes(format!("register {} {register}", self.seed));
            let (value, from) = (self.number << 32 | n, known[register as usize]);
            let put = Batch::new().put(key.clone(), value.to_be_bytes().to_vec());
            let choice = self.random.u8(..4);
            let called = self.clock.fetch_add(1, Ordering::SeqCst);
            let action = match choice {
                0 => {
                    assert!(self.commit(put).await);
                    Action::Put(value)
                }
                1 => {
                    let bytes = |from: u64| Condition::Value(from.to_be_bytes().to_vec().into());
                    let done = self.commit(put.require(key, from.map_or(Condition::Absent, bytes))).await;
                    Action::Swap { from, to: value, done }
                }
                _ => Action::Read(self.read(&key).await),
            };
            let answered = self.clock.fetch_add(1, Ordering::SeqCst);
            match action {
                Action::Read(read) => known[register as usize] = read,
                Action::Put(value) | Action::Swap { to: value, done: true, .. } => {
                    known[register as usize] = Some(value)
                }
                Action::Swap { done: false, .. } => {}
            }
            events.push((register, Event { called, answered, action }));
        }
        events
    }
}

fn own_key(seed: u64, client: u64, n: u64) -> Key {
    Key::from_bytes(format!("own {seed:06} {client} {n:04}"))
}

/// What ran.
#[derive(Default)]
struct Report {
    faults: BTreeMap<Fault, u64>,
    acknowledged: u64,
    lost: usize,
    actions: u64,
    violations: u64,
    /// What makes the test fail.
    findings: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faults {:?}; acknowledged commits {}, lost {}; ", self.faults, self.acknowledged, self.lost)?;
        write!(f, "actions in histories {}, violations of linearizability {}", self.actions, self.violations)
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_histories_are_linearizable() {
    let runs = std::env::var("SAYSO_RAFT_FAULT_RUNS").ok().map_or(RUNS, |runs| runs.parse().expect("a number"));
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let report = runtime.block_on(async {
        let mut field = Field::start().await;
        let mut report = Report::default();
        for seed in 0..runs {
            let fault = FAULTS[(seed % FAULTS.len() as u64) as usize];
            run(&mut field, seed, fault, &mut report).await;
        }
        let lost = lost(&field, runs).await;
        report.lost = lost.len();
        report.findings.extend(lost);
        field.stop().await;
        report
    });
    println!("{runs} runs: {report}");
    assert!(report.findings.is_empty(), "{}", report.findings.join("\n"));
}

/// One run: clients at work, one fault in the middle of it.
async fn run(field: &mut Field, seed: u64, fault: Fault, report: &mut Report) {
    let clock = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let random = fastrand::Rng::with_seed(seed * CLIENTS + number);
            let client = Client { nodes: field.nodes.clone(), clock: Arc::clone(&clock), random, seed, number };
            #[expect(clippy::disallowed_methods, reason = "clients are in no node")]
            tokio::spawn(client.run())
        })
        .collect();
    // in the middle: when the first actions are answered
    while clock.load(Ordering::SeqCst) < CLIENTS * 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    field.inflict(fault, &mut fastrand::Rng::with_seed(!seed)).await;
    let mut events = Vec::new();
    for client in clients {
        events.extend(client.await.expect("no client fails"));
    }
    for register in 0..REGISTERS {
        let history: Vec<_> = events.iter().filter(|(of, _)| *of == register).map(|(_, event)| *event).collect();
        if !is_linearizable(&history, None) {
            report.violations += 1;
            report.findings.push(format!("seed {seed}, {fault:?}, register {register}: {history:#?}"));
        }
    }
    *report.faults.entry(fault).or_default() += 1;
    report.acknowledged += CLIENTS * ACTIONS_EACH;
    report.actions += events.len() as u64;
}

/// Commits that were acknowledged and that some node does not have.
async fn lost(field: &Field, runs: u64) -> Vec<String> {
    let expected: Vec<Key> = (0..runs)
        .flat_map(|seed| (0..CLIENTS).flat_map(move |client| (0..ACTIONS_EACH).map(move |n| own_key(seed, client, n))))
        .collect();
    let mut lost = Vec::new();
    for (number, node) in field.nodes.all() {
        let store = Arc::clone(&node.store);
        let scan = async move {
            let mut found = BTreeSet::new();
            let mut rest = Some(Range { start: Key::from_bytes("own "), end: Key::from_bytes("own!") });
            while let Some(range) = rest {
                // a node that came back a moment ago may need a moment
                let Ok(page) = store.scan(range.clone(), 1_000).await else {
                    rest = Some(range);
                    continue;
                };
                found.extend(page.entries.into_iter().map(|entry| entry.key));
                rest = page.rest;
            }
            found
        };
        let found: BTreeSet<Key> = node.runtime.handle().spawn(scan).await.expect("scans");
        for key in expected.iter().filter(|key| !found.contains(key)) {
            lost.push(format!("node {number} lost {}", key.as_bytes().escape_ascii()));
        }
    }
    lost
}
