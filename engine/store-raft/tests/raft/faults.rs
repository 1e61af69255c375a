//! Nodes that are killed, stopped and damaged, and networks and disks that fail, while clients read and write: nothing
//! acknowledged is lost, what clients saw could have happened on one machine, and who watches misses no last change and sees
//! none after a later one. Each node is a process of its own.
//!
//! `SAYSO_RAFT_FAULT_RUNS` says how many seeded runs there are, `SAYSO_RAFT_FAULT_SEED` which is the first; a failure names
//! its seed.

mod client;
mod report;
mod watcher;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sayso_runtime::SystemClock;
use sayso_store::testing::linearizability::{Action, Event, is_linearizable};
use sayso_store::{Batch, Key, Prefix, Range, Store};
use sayso_store_raft::NodeId;
use sayso_types::Clock;
use tokio::runtime;
use tokio::time::{sleep, timeout};

use self::client::{ACTIONS_EACH, CLIENTS, Client, REGISTERS, own_key, own_keys, registers};
use self::report::Report;
use self::watcher::Watcher;
use crate::processes::{self, Ask, Processes, be_a_node_if_told};

const NODES: u64 = 3;
/// How long a node tries to reach the others before it says that it cannot.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// How long a run may take until the cluster counts as stuck.
const RUN_WITHIN: Duration = Duration::from_secs(90);
/// How large files may be on a disk that is full: the mark of the log is overwritten in place, which needs no space.
const FULL_BYTES: u64 = 4_096;

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    KillLeader,
    KillFollower,
    KillAll,
    /// It is stopped where it is and goes on later, when the others may have another leader.
    PauseLeader,
    PauseFollower,
    IsolateLeader,
    IsolateFollower,
    LeaderIsDeaf,
    LeaderIsMute,
    Loss,
    Delay,
    FullDisk,
    /// Power is lost: what was not synced yet is gone, from some point on.
    TornWrite,
    /// Or is not what was written.
    FlippedTail,
    /// What was acknowledged is damaged: the node must refuse to go on, and is replaced.
    DamagedDisk,
    SlowSync,
    /// By days, so that by its clock no certificate is valid; a node is started again with it, and talks to nobody.
    ClockJump,
}

const FAULTS: [Fault; 17] = [
    Fault::KillLeader,
    Fault::PauseLeader,
    Fault::KillAll,
    Fault::IsolateLeader,
    Fault::TornWrite,
    Fault::FullDisk,
    Fault::LeaderIsDeaf,
    Fault::DamagedDisk,
    Fault::SlowSync,
    Fault::ClockJump,
    Fault::Loss,
    Fault::KillFollower,
    Fault::FlippedTail,
    Fault::LeaderIsMute,
    Fault::PauseFollower,
    Fault::IsolateFollower,
    Fault::Delay,
];

/// Runs when nothing else is asked for: one of each kind.
const RUNS: u64 = FAULTS.len() as u64;

/// A fault and its instant, as the seed has it.
pub(crate) struct Plan {
    fault: Fault,
    /// How many calls and answers of clients come before it.
    at: u64,
    /// And how long it waits then.
    after: Duration,
    lasts: Duration,
    random: fastrand::Rng,
}

impl Plan {
    fn of(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(!seed);
        let fault = FAULTS[(seed % FAULTS.len() as u64) as usize];
        // every action is a call and an answer; what is left goes on while things are wrong
        let at = random.u64(..CLIENTS * ACTIONS_EACH);
        let after = Duration::from_micros(random.u64(..20_000));
        let lasts = Duration::from_millis(random.u64(200..1_500));
        Self { fault, at, after, lasts, random }
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_histories_are_linearizable() {
    be_a_node_if_told();
    let number = |key, default| std::env::var(key).ok().map_or(default, |runs| runs.parse().expect("a number"));
    let first = number("SAYSO_RAFT_FAULT_SEED", 0);
    let runs = number("SAYSO_RAFT_FAULT_RUNS", RUNS);
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let report = runtime.block_on(async {
        let mut field = Processes::start(NODES, ANSWER_WITHIN).await;
        let mut report = Report::default();
        for seed in first..first + runs {
            let run = run(&mut field, seed, Plan::of(seed), &mut report);
            if timeout(RUN_WITHIN, run).await.is_err() {
                report.findings.push(format!("seed {seed}, {:?}: not over after {RUN_WITHIN:?}", Plan::of(seed).fault));
                return report;
            }
        }
        let lost = lost(&field, first..first + runs).await;
        report.lost = lost.len();
        report.findings.extend(lost);
        field.stop().await;
        report
    });
    println!("{runs} runs: {report}; {}", report.write().display());
    assert!(report.findings.is_empty(), "{}", report.findings.join("\n"));
}

/// Says which run it was that panicked.
struct Named(u64, Fault);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(io::stderr(), "it was seed {}, {:?}", self.0, self.1);
        }
    }
}

/// One run: clients at work, one fault while they are.
async fn run(field: &mut Processes, seed: u64, mut plan: Plan, report: &mut Report) {
    let _named = Named(seed, plan.fault);
    let system = SystemClock::new();
    let clock = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let random = fastrand::Rng::with_seed(seed * CLIENTS + number);
            let client = Client { nodes: field.nodes.clone(), clock: Arc::clone(&clock), random, seed, number };
            #[expect(clippy::disallowed_methods, reason = "clients are in no node")]
            tokio::spawn(client.run())
        })
        .collect();
    let watched = [registers(seed), own_keys(seed)];
    let watchers = watched.each_ref().map(|prefix| {
        let (nodes, random) = (field.nodes.clone(), fastrand::Rng::with_seed(seed));
        let watcher = Watcher { nodes, random, prefix: prefix.clone(), last: last_of(prefix) };
        #[expect(clippy::disallowed_methods, reason = "watchers are in no node")]
        tokio::spawn(watcher.run())
    });
    while clock.load(Ordering::SeqCst) < plan.at {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(plan.after).await;
    let hit = match inflict(field, &mut plan).await {
        Ok(hit) => hit,
        Err(finding) => {
            report.findings.push(format!("seed {seed}, {:?}: {finding}", plan.fault));
            Vec::new()
        }
    };
    let mut events = Vec::new();
    for client in clients {
        match client.await {
            Ok(did) => events.extend(did),
            Err(failed) => report.findings.push(format!("seed {seed}, {:?}: a client: {failed}", plan.fault)),
        }
    }
    for register in 0..REGISTERS {
        let history: Vec<_> = events.iter().filter(|(of, _)| *of == register).map(|(_, event)| *event).collect();
        if !is_linearizable(&history) {
            report.violations += 1;
            report.findings.push(format!("seed {seed}, {:?}, register {register}: {history:#?}", plan.fault));
        }
    }
    heals(field).await;
    let well = field.nodes.any(&mut plan.random);
    let lasts = watched.iter().fold(Batch::new(), |batch, prefix| batch.put(last_of(prefix), "last"));
    while well.commit(lasts.clone()).await.is_err() {
        sleep(Duration::from_millis(10)).await;
    }
    for (watcher, prefix) in watchers.into_iter().zip(&watched) {
        match watcher.await {
            Ok(mut seen) => {
                seen.compare(&well, prefix).await;
                report.watched(seed, &plan, seen);
            }
            Err(failed) => report.findings.push(format!("seed {seed}, {:?}: a watcher: {failed}", plan.fault)),
        }
    }
    // with each action a client committed a key of its own
    let is_commit = |event: &Event| matches!(event.action, Action::Put(_) | Action::Swap { done: true, .. });
    report.acknowledged += events.iter().map(|(_, event)| 1 + u64::from(is_commit(event))).sum::<u64>();
    report.actions += events.len() as u64;
    let hit: Vec<_> = hit.into_iter().map(|node| node.0).collect();
    report.ran(seed, &plan, &hit, system.now().since(Default::default()).as_millis());
}

/// What is put under `prefix` when everything else was.
fn last_of(prefix: &Prefix) -> Key {
    Key::from_bytes([prefix.as_bytes(), b"last"].concat())
}

/// Does what is planned, for as long as it lasts, and makes it good again; which nodes were hit. Otherwise: what a node did
/// that it should not have.
async fn inflict(field: &mut Processes, plan: &mut Plan) -> Result<Vec<NodeId>, String> {
    let leader = field.leader().await;
    let all = field.members();
    let others: Vec<_> = all.iter().copied().filter(|node| *node != leader).collect();
    let random = &mut plan.random;
    let follower = others[random.usize(..others.len())];
    let anyone = all[random.usize(..all.len())];
    let hit = match plan.fault {
        Fault::KillLeader | Fault::PauseLeader | Fault::IsolateLeader | Fault::LeaderIsDeaf | Fault::LeaderIsMute => {
            vec![leader]
        }
        Fault::KillFollower | Fault::PauseFollower | Fault::IsolateFollower => vec![follower],
        Fault::KillAll | Fault::Loss | Fault::Delay => all.clone(),
        Fault::DamagedDisk => vec![anyone],
        Fault::FullDisk | Fault::TornWrite | Fault::FlippedTail | Fault::SlowSync | Fault::ClockJump => {
            if random.bool() { all.clone() } else { vec![anyone] }
        }
    };
    match plan.fault {
        Fault::KillLeader | Fault::KillFollower | Fault::KillAll => {
            kill(field, &hit);
            sleep(plan.lasts).await;
            open(field, &hit).await?;
        }
        Fault::TornWrite | Fault::FlippedTail => {
            kill(field, &hit);
            for node in &hit {
                match plan.fault {
                    Fault::TornWrite => processes::tear(&field.disk_of(*node), random),
                    _ => processes::flip_behind_the_mark(&field.disk_of(*node), random),
                }
            }
            sleep(plan.lasts).await;
            open(field, &hit).await?;
        }
        Fault::DamagedDisk => {
            kill(field, &hit);
            let damaged = processes::damage(&field.disk_of(anyone), random).display().to_string();
            match field.open(anyone).await {
                Err(said) if said.contains(&format!("{damaged} is damaged")) => field.replace(anyone).await,
                Err(said) => return Err(format!("node {anyone} does not name {damaged}: {said}")),
                Ok(()) => return Err(format!("node {anyone} serves, though {damaged} is damaged")),
            }
        }
        Fault::PauseLeader | Fault::PauseFollower => {
            field.running(hit[0]).pause();
            sleep(plan.lasts).await;
            field.running(hit[0]).go_on();
        }
        Fault::FullDisk => {
            hit.iter().for_each(|node| field.running(*node).limit_files(Some(FULL_BYTES)));
            sleep(plan.lasts).await;
            hit.iter().for_each(|node| field.running(*node).limit_files(None));
        }
        Fault::SlowSync => {
            let delay = random.u64(20..300);
            tell(field, &hit, || Ask::SlowSyncs(delay)).await;
            sleep(plan.lasts).await;
            tell(field, &hit, || Ask::SlowSyncs(0)).await;
        }
        Fault::ClockJump => {
            const DAY_MS: i64 = 24 * 3_600_000;
            for node in &hit {
                let days = random.i64(1..=10) * if random.bool() { 1 } else { -1 };
                field.tell(*node, &Ask::SetClock(days * DAY_MS)).await;
            }
            // its connections outlive that: it has to make new ones
            kill(field, &hit);
            open(field, &hit).await?;
            let (node, apart) = (hit[0], field.nodes.all()[&hit[0]].clone());
            if apart.read(&[Key::from_bytes("apart")]).await.is_ok() {
                return Err(format!(
                    "node {node} reads with the others, although by its clock nobody's certificate is valid"
                ));
            }
            tell(field, &hit, || Ask::SetClock(0)).await;
        }
        Fault::IsolateLeader
        | Fault::IsolateFollower
        | Fault::LeaderIsDeaf
        | Fault::LeaderIsMute
        | Fault::Loss
        | Fault::Delay => {
            fail_network(field, plan.fault, hit[0], &all, random);
            sleep(plan.lasts).await;
            field.network.heal();
        }
    }
    Ok(hit)
}

fn fail_network(field: &Processes, fault: Fault, node: NodeId, all: &[NodeId], random: &mut fastrand::Rng) {
    let mut rules = field.network.rules();
    let others = all.iter().copied().filter(|other| *other != node);
    if matches!(fault, Fault::IsolateLeader | Fault::IsolateFollower | Fault::LeaderIsMute) {
        rules.blocked.extend(others.clone().map(|other| (node, other)));
    }
    if matches!(fault, Fault::IsolateLeader | Fault::IsolateFollower | Fault::LeaderIsDeaf) {
        rules.blocked.extend(others.map(|other| (other, node)));
    }
    if fault == Fault::Loss {
        rules.loss_percent = random.u8(5..40);
    }
    if fault == Fault::Delay {
        rules.delay = Duration::from_millis(random.u64(5..60));
    }
}

fn kill(field: &mut Processes, nodes: &[NodeId]) {
    nodes.iter().for_each(|node| field.kill(*node));
}

async fn open(field: &mut Processes, nodes: &[NodeId]) -> Result<(), String> {
    for node in nodes {
        field.open(*node).await.map_err(|said| format!("node {node} does not open: {said}"))?;
    }
    Ok(())
}

async fn tell(field: &Processes, nodes: &[NodeId], ask: impl Fn() -> Ask) {
    for node in nodes {
        field.tell(*node, &ask()).await;
    }
}

/// Waits until every node answers a read again, which takes that it has caught up.
async fn heals(field: &Processes) {
    for node in field.nodes.all().into_values() {
        while node.read(&[Key::from_bytes("healed")]).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Commits that were acknowledged and that some node does not have.
async fn lost(field: &Processes, seeds: std::ops::Range<u64>) -> Vec<String> {
    let expected: Vec<Key> = seeds
        .flat_map(|seed| (0..CLIENTS).flat_map(move |client| (0..ACTIONS_EACH).map(move |n| own_key(seed, client, n))))
        .collect();
    let mut lost = Vec::new();
    for (number, node) in field.nodes.all() {
        let mut found = BTreeSet::new();
        let mut rest = Some(Range { start: Key::from_bytes("own "), end: Key::from_bytes("own!") });
        while let Some(range) = rest {
            let page = node.scan(range, 1_000).await.expect("scans");
            found.extend(page.entries.into_iter().map(|entry| entry.key));
            rest = page.rest;
        }
        for key in expected.iter().filter(|key| !found.contains(key)) {
            lost.push(format!("node {number} lost {}", key.as_bytes().escape_ascii()));
        }
    }
    lost
}
