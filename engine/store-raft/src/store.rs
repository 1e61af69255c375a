//! [`RaftStore`]: the contract, on one node of a cluster.

mod cluster;
mod purging;

use core::fmt;
use core::future::pending;
use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use openraft::SnapshotPolicy;
use openraft::error::{InitializeError, RaftError};
use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::change_members::Change;
use sayso_runtime::{CancellationToken, TaskKind, Tasks};
use sayso_store::{Batch, Key, Page, Prefix, Range, Store, Version, Versioned, Watch, limits};
use sayso_store_local::LocalOptions;
use tokio::sync::watch;

use self::purging::Purging;
use crate::barrier::Barrier;
use crate::cluster::Cluster;
use crate::disk::Disk;
use crate::early::Early;
use crate::leader::Leader;
use crate::link::Links;
use crate::log::Log;
use crate::machine::{Applier, Machine, RaftSweep};
use crate::members::{Members, Status};
use crate::peer::Peers;
use crate::proposer::Proposer;
use crate::purge::Purge;
use crate::service::Service;
use crate::types::{LogId, Outcome, Raft};
use crate::within::{Wait, within};
use crate::{Address, Error, NodeId, RaftOptions};

/// How far a node may be behind the log to be sent entries instead of a snapshot, in shares of what the log keeps.
const LAG_SHARES: u64 = 2;
/// How long closing waits for commits that were answered here and are still on their way to this node's state.
const LAST_COMMITS_WITHIN: Duration = Duration::from_secs(1);
/// How long until a founder that cannot be reached yet is tried again.
const GREET_RETRY: Duration = Duration::from_millis(200);

/// One node's end of a replicated store. Any node takes reads and commits; those that do not lead ask the one that does.
pub struct RaftStore {
    cluster: Arc<Cluster>,
    disk: Arc<Disk>,
    machine: Arc<Machine>,
    raft: Raft,
    links: Arc<Links>,
    leader: Arc<Leader>,
    members: Arc<Members>,
    barrier: Barrier,
    purge: Arc<Purge>,
    /// Held by the purge of all that is under way here: what it has not finished is there for the next.
    purging: tokio::sync::Mutex<Option<Purging>>,
    /// The last commit that a caller here was told of. Watches here give it before they end.
    answered_upto: AtomicU64,
    address: Address,
    founders: Vec<(NodeId, Address)>,
    /// What those founders said who will have nothing to do with this node as it is configured.
    strangers: watch::Sender<BTreeMap<NodeId, Error>>,
    answer_within: Duration,
    tasks: Tasks,
    closing: CancellationToken,
}

impl RaftStore {
    /// Opens a node on the disk in `dir`, which is made if there is none. A founder founds its cluster with the others; any
    /// other node waits until it [joins](Self::join).
    ///
    /// # Errors
    /// [`Error::ForeignDisk`] before anything is written; otherwise what is wrong with the options or the disk.
    pub async fn open(dir: &Path, options: RaftOptions, tasks: Tasks) -> Result<Arc<Self>, Error> {
        let config = Arc::new(check(&options)?);
        let local = LocalOptions {
            memtable_bytes: options.memtable_bytes,
            cache_bytes: options.cache_bytes,
            ..LocalOptions::new(Arc::clone(&options.clock))
        };
        let place = dir.to_owned();
        let opened = tasks.blocking("open store", move || Disk::open(&place, local)).await;
        let disk = Arc::new(opened.map_err(unavailable)??);
        let machine = Machine::open(Arc::clone(&disk))?;
        let cluster = Arc::new(Cluster::open(&options, Arc::clone(&disk), machine.removed()).await?);
        let links = Links::bind(&options, Arc::clone(&cluster), tasks.clone()).await?;
        let told = Arc::downgrade(&links);
        let early = Early::new(options.node, move |entries| {
            told.upgrade().map(|links| links.tell(&entries)).unwrap_or_default()
        });
        let early = Arc::new(early);
        let log = Log::open(Arc::clone(&disk), Arc::clone(&machine), Arc::clone(&early))?;
        let (peers, applier) = (Peers { links: Arc::clone(&links), early }, Applier(Arc::clone(&machine)));
        let raft = Raft::new(options.node, config, peers, log, applier).await.map_err(unavailable)?;
        let closing = tasks.stopping();
        let proposer = Arc::new(Proposer::start(raft.clone(), Arc::clone(&options.clock), &tasks, closing.clone()));
        let leader =
            Arc::new(Leader { raft: raft.clone(), links: Arc::clone(&links), proposer: Arc::clone(&proposer) });
        let changing = tokio::sync::Mutex::default();
        let members = Arc::new(Members { leader: Arc::clone(&leader), timers: options.timers, changing });
        let (machine_here, turn) = (Arc::clone(&machine), tokio::sync::Mutex::default());
        let purge = Arc::new(Purge { raft: raft.clone(), machine: machine_here, turn });
        let service =
            Service { raft: raft.clone(), proposer, members: Arc::clone(&members), purge: Arc::clone(&purge) };
        links.serve(Arc::new(service));
        let store = Arc::new(Self {
            cluster,
            disk,
            machine,
            raft,
            links,
            leader,
            members,
            barrier: Barrier::default(),
            purge,
            purging: tokio::sync::Mutex::default(),
            answered_upto: AtomicU64::new(0),
            address: options.address.clone(),
            founders: options.founders.iter().map(|(node, address)| (*node, address.clone())).collect(),
            strangers: watch::Sender::default(),
            answer_within: options.answer_within,
            tasks,
            closing,
        });
        if options.founders.contains_key(&options.node) {
            store.found(&options).await?;
        }
        store.greet();
        store.part_with_removed();
        Ok(store)
    }

    /// Founds the cluster, if that was not done yet. All founders do, with the same members, and so agree.
    async fn found(&self, options: &RaftOptions) -> Result<(), Error> {
        if self.raft.is_initialized().await.map_err(unavailable)? {
            return Ok(());
        }
        match self.raft.initialize(options.founders.clone()).await {
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Connects to everybody that this node knows: a peer that still holds a connection to what this node was before it
    /// was restarted learns from the new one that it is in vain.
    fn greet(&self) {
        let known = self.status().members.into_iter().map(|member| (member.node, member.address));
        let removed = self.cluster.removed().borrow().clone();
        let others = known.chain(self.founders.iter().cloned());
        for (node, address) in others.filter(|(node, _)| *node != self.cluster.node && !removed.contains(node)) {
            let links = Arc::clone(&self.links);
            let (closing, strangers) = (self.closing.clone(), self.strangers.clone());
            let greet = async move {
                while let Err(error) = links.connect(node, &address).await {
                    if !matches!(error, Error::Unreachable { .. }) {
                        tracing::error!(%error, "a peer and this node do not belong together");
                        if error.is_for_good() {
                            strangers.send_modify(|strangers| drop(strangers.insert(node, error)));
                        }
                        return;
                    }
                    tokio::select! {
                        () = closing.cancelled() => return,
                        () = tokio::time::sleep(GREET_RETRY) => {}
                    }
                }
            };
            self.tasks.spawn(TaskKind::Upkeep, "greet a peer", greet).detach();
        }
    }

    /// Ends what there is with nodes that are removed from the cluster, this one among them.
    fn part_with_removed(&self) {
        let (cluster, links, raft) = (Arc::clone(&self.cluster), Arc::clone(&self.links), self.raft.clone());
        let closing = self.closing.clone();
        let part = async move {
            let mut removed = cluster.removed();
            loop {
                tokio::select! {
                    () = closing.cancelled() => return,
                    () = cluster.until_parted() => return raft.runtime_config().elect(false),
                    changed = removed.changed() => if changed.is_err() { return },
                }
                let gone = removed.borrow_and_update().clone();
                for node in gone {
                    if node == cluster.node { cluster.part().await } else { links.say_goodbye(node) }
                }
            }
        };
        self.tasks.spawn(TaskKind::Upkeep, "part with removed nodes", part).detach();
    }

    /// Waits until this node cannot go on although nobody closed it: it was removed from its cluster, or founds one with nobody
    /// because all other founders are strangers to it, or its Raft ended, as it does where its disk fails it. What to tell
    /// whoever runs it.
    pub async fn ended(&self) -> Error {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => pending().await,
            () = self.cluster.until_parted() => self.cluster.goodbye(),
            error = self.until_stranger() => error,
            reason = self.leader.ended() => Error::Ended { node: self.cluster.node, reason },
        }
    }

    /// Waits until all other founders have refused this one, and nothing was ever agreed on here; what one of them said.
    async fn until_stranger(&self) -> Error {
        let mut strangers = self.strangers.subscribe();
        let others = self.founders.iter().filter(|(node, _)| *node != self.cluster.node).count();
        let is_founder = others < self.founders.len();
        let refused = strangers.wait_for(|strangers| {
            is_founder && others > 0 && strangers.len() == others && self.raft.metrics().borrow().last_applied.is_none()
        });
        // the sender lives as long as this
        let said = refused.await.ok().and_then(|strangers| strangers.values().next().cloned());
        match said {
            Some(error) => error,
            None => pending().await,
        }
    }

    /// Where this node listens for its peers.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.links.local_addr()
    }

    /// The cluster as this node knows it.
    #[must_use]
    pub fn status(&self) -> Status {
        self.members.status()
    }

    /// Makes this node a voter of the cluster that the founders of its options belong to. It learns everything first.
    /// Joining again does nothing.
    ///
    /// # Errors
    /// [`Error::ForeignCluster`] or [`Error::ForeignCertificate`] before anything is written; [`Error::Membership`] when
    /// its id is taken; [`Error::Unreachable`] when this takes longer than a call may.
    pub async fn join(&self) -> Result<(), Error> {
        let me = wire::Member { node: self.cluster.node.0, address: self.address.0.clone() };
        let steps = [Change::AddLearner(me), Change::Promote(self.cluster.node.0)];
        self.in_time("the cluster", async {
            for change in steps {
                self.ask_any(change).await?;
            }
            Ok(())
        })
        .await
    }

    /// Has any member make a change, for a node that does not know yet who leads.
    async fn ask_any(&self, change: Change) -> Result<(), Error> {
        loop {
            for (node, address) in self.founders.iter().filter(|(node, _)| *node != self.cluster.node) {
                match self.members.ask_member(*node, address, change.clone()).await {
                    Ok(()) => return Ok(()),
                    Err(Error::Unreachable { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            self.leader.pause().await;
        }
    }

    /// Adds a node as a learner: it follows and does not vote. It may not be there yet.
    ///
    /// # Errors
    /// [`Error::Membership`] when its id is taken; [`Error::Unreachable`] when this takes longer than a call may.
    pub async fn add_learner(&self, node: NodeId, address: Address) -> Result<(), Error> {
        self.change(Change::AddLearner(wire::Member { node: node.0, address: address.0 })).await
    }

    /// Makes a learner a voter, once it has caught up.
    ///
    /// # Errors
    /// [`Error::Membership`] when there is no such learner; [`Error::Unreachable`] when this takes longer than a call may.
    pub async fn promote(&self, node: NodeId) -> Result<(), Error> {
        self.change(Change::Promote(node.0)).await
    }

    /// Removes a node, dead or alive. A cluster of three of which one is dead takes no harm from it, and a new node with a
    /// new id can [join](Self::join) in its place. The one that is removed is told so as soon as it hears of anybody, and is none
    /// any more, also after a restart. Removing it again does nothing.
    ///
    /// # Errors
    /// [`Error::Membership`] for the last voter, or where those who are left would be without a majority;
    /// [`Error::Unreachable`] when this takes longer than a call may.
    pub async fn remove(&self, node: NodeId) -> Result<(), Error> {
        self.change(Change::Remove(node.0)).await
    }

    /// Has `node` lead, so that the one that leads now can be shut down without a pause until others notice. Commits that
    /// come meanwhile wait.
    ///
    /// # Errors
    /// [`Error::Membership`] when it is no voter, or not there; [`Error::Unreachable`] when this takes longer than a call may.
    pub async fn transfer_to(&self, node: NodeId) -> Result<(), Error> {
        self.change(Change::TransferTo(node.0)).await
    }

    async fn change(&self, change: Change) -> Result<(), Error> {
        self.in_time("the leader", self.members.change(change)).await
    }

    async fn in_time<T>(&self, whom: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let reason = format!("nothing came of it in {:?}", self.answer_within);
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Err(sayso_store::Error::Closed.into()),
            done = within(Wait::Change, self.answer_within, work) => {
                done.unwrap_or_else(|_| Err(Error::Unreachable { whom: whom.to_owned(), reason }))
            }
        }
    }

    /// Two passes over all that is committed by now, of one moment: the one to say what there is, the other to take it.
    /// Whatever is written meanwhile is in neither.
    ///
    /// # Errors
    /// The state of the store, as of a read.
    pub async fn sweep_twice(&self) -> Result<[RaftSweep; 2], sayso_store::Error> {
        self.answered(async {
            self.catch_up().await?;
            self.machine.sweep_twice().await
        })
        .await
    }

    /// Ends this node's part, in order: has another node lead, takes no more calls, lets watches see what was answered here,
    /// leaves Raft, ends the connections, closes the disk. Calls under way are answered [`Closed`](sayso_store::Error::Closed).
    /// Closing again does nothing.
    pub async fn close(&self) {
        if !self.closing.is_cancelled() {
            self.members.hand_over().await;
        }
        self.closing.cancel();
        self.machine.applies(self.answered_upto.load(Ordering::Acquire), LAST_COMMITS_WITHIN).await;
        self.disk.stop_waiting();
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(%error, "this node's Raft ended badly");
        }
        self.links.close().await;
        self.machine.watchers.close();
        let disk = Arc::clone(&self.disk);
        if let Err(lost) = self.tasks.blocking("close store", move || disk.close()).await {
            tracing::warn!(%lost, "the disk was not closed in order");
        }
    }

    /// `work`, if it ends in time, before the store is closed, and while this node belongs to its cluster.
    async fn answered<T>(
        &self,
        work: impl Future<Output = Result<T, sayso_store::Error>>,
    ) -> Result<T, sayso_store::Error> {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Err(sayso_store::Error::Closed),
            () = self.cluster.until_parted() => Err(sayso_store::Error::Closed),
            answer = within(Wait::Answer, self.answer_within, work) => answer.unwrap_or_else(|_| {
                let reason = format!("no leader with a majority answered in {:?}", self.answer_within);
                Err(sayso_store::Error::Unavailable { reason })
            }),
        }
    }

    /// Waits until this node has seen everything that was committed before; the last entry of that.
    async fn catch_up(&self) -> Result<Option<LogId>, sayso_store::Error> {
        let leader = Arc::clone(&self.leader);
        let seen = self.barrier.wait(async move { leader.read_index().await }).await;
        let Some(seen) = seen else { return Ok(None) };
        let applied = self.raft.wait(None).applied_index_at_least(Some(seen.index), "a read").await;
        applied.map(|_| Some(seen)).map_err(|error| sayso_store::Error::Unavailable { reason: error.to_string() })
    }
}

#[async_trait]
impl Store for RaftStore {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, sayso_store::Error> {
        limits::check_read(keys)?;
        self.answered(async {
            self.catch_up().await?;
            self.machine.read(&keys.iter().collect::<Vec<_>>())
        })
        .await
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, sayso_store::Error> {
        limits::check_scan(&range, limit)?;
        self.answered(async {
            self.catch_up().await?;
            self.machine.scan(&range, limit)
        })
        .await
    }

    async fn commit(&self, batch: Batch) -> Result<Version, sayso_store::Error> {
        batch.check()?;
        self.answered(async {
            match self.leader.commit(&batch).await {
                Outcome::Committed(version) => {
                    self.answered_upto.fetch_max(sequence_of(version), Ordering::AcqRel);
                    Ok(version)
                }
                Outcome::Conflict(key) => {
                    metrics::counter!("sayso_store_raft_conflicts_total").increment(1);
                    Err(sayso_store::Error::Conflict { key })
                }
                Outcome::Void => unreachable!("asked again until it is decided"),
            }
        })
        .await
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, sayso_store::Error> {
        self.answered(async {
            self.catch_up().await?;
            self.machine.watchers.watch(prefix)
        })
        .await
    }

    /// Rewrites the disks of all members, which takes as long as that does: only what has to be agreed on is bounded as other
    /// calls are.
    async fn purge(&self) -> Result<Vec<u64>, sayso_store::Error> {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Err(sayso_store::Error::Closed),
            purged = self.purge_everywhere() => purged,
        }
    }
}

impl Drop for RaftStore {
    /// A node that was not closed falls silent and lets go of its disk; its Raft ends when it finds that out.
    fn drop(&mut self) {
        self.closing.cancel();
        self.links.stop_serving();
        self.disk.close();
    }
}

impl fmt::Debug for RaftStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RaftStore").field("node", &self.cluster.node).finish_non_exhaustive()
    }
}

/// What openraft needs to know, if the options make sense.
fn check(options: &RaftOptions) -> Result<openraft::Config, Error> {
    let wrong = |key, what: &str| Err(Error::Options { key, what: what.to_owned() });
    if options.node.0 == 0 || options.founders.contains_key(&NodeId(0)) {
        return wrong("node", "ids of nodes begin with 1");
    }
    if options.founders.is_empty() {
        return wrong("founders", "name the nodes that found the cluster, or that it is joined through");
    }
    if options.cluster.as_str().contains('_') {
        return wrong("cluster", "certificates name it, so it is made of a-z, 0-9, '-' and '.'");
    }
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (heartbeat, election) = (ms(options.timers.heartbeat), ms(options.timers.election));
    if heartbeat == 0 || election < heartbeat.saturating_mul(3) {
        return wrong(
            "timers",
            "an election takes at least three heartbeats, of which each takes a millisecond or more",
        );
    }
    let config = openraft::Config {
        cluster_name: options.cluster.to_string(),
        heartbeat_interval: heartbeat,
        election_timeout_min: election / 2,
        election_timeout_max: election,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(options.log_entries),
        max_in_snapshot_log_to_keep: options.log_entries / LAG_SHARES,
        replication_lag_threshold: options.log_entries * LAG_SHARES,
        ..openraft::Config::default()
    };
    config.validate().map_err(|error| Error::Options { key: "timers", what: error.to_string() })
}

fn sequence_of(version: Version) -> u64 {
    let [sequence @ .., _, _] = version.to_bytes();
    u64::from_be_bytes(sequence)
}

fn unavailable(reason: impl fmt::Display) -> Error {
    Error::Store(sayso_store::Error::Unavailable { reason: reason.to_string() })
}
