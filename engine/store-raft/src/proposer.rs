//! [`Proposer`]: batches that this node takes as the leader, proposed together so that one round of fsyncs carries many.
//!
//! ```text
//!   propose ──▶ queue ──▶ group ──encoded──▶ openraft: this disk, the others', applied ──▶ answers
//!                          └ one at a time
//! ```
//!
//! openraft writes one entry after another and hears nobody meanwhile: with a second group under way, the first would be
//! answered only after the disk had written both, and each would carry less. For the same reason those who were just answered
//! have their turn before the next group is made: who commits one batch after another would miss every other group.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use openraft::ServerState;
use openraft::error::{ClientWriteError, RaftError};
use openraft::metrics::RaftServerMetrics;
use sayso_runtime::{CancellationToken, TaskKind, Tasks};
use sayso_store::limits::BATCH_BYTES_MAX;
use sayso_store::room::Taken as Share;
use sayso_store::{Batch, Room};
use sayso_types::{Clock, Mono};
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;

use crate::codec::{EncodedBatch, proposal_of};
use crate::types::{Outcome, Raft};
use crate::{Address, NodeId};

/// Batches in one group: enough to make a round of fsyncs cheap, few enough to keep the first one's wait short.
const GROUP_BATCHES_MAX: usize = 1_024;
/// Bytes in one group, above which no further batch joins it. An entry is one group, so this bounds messages, too.
const GROUP_BYTES_MAX: usize = 1 << 20;
/// Bytes of batches that wait at once; those beyond wait until there is room. At least one batch of the greatest size fits.
const QUEUE_BYTES_MAX: usize = 32 << 20;
/// Bytes that a waiting batch counts beyond its size.
const BATCH_OVERHEAD_BYTES: usize = 512;
/// Batches that there is room for.
const QUEUE_BATCHES_MAX: usize = QUEUE_BYTES_MAX / BATCH_OVERHEAD_BYTES;

/// Why a batch was not decided by this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotDecided {
    /// It does not lead in that term. The batch was not proposed, or in vain.
    NotLeader(Option<NodeId>),
    /// Whether it is decided is not known.
    Unknown(String),
}

/// Where batches are put.
pub(crate) struct Proposer {
    queue: mpsc::Sender<Taken>,
    room: Room,
    clock: Arc<dyn Clock>,
    /// Nothing is taken while the leader hands over.
    pub(crate) handing_over: Arc<AtomicBool>,
}

/// A batch that waits.
#[derive(Debug)]
struct Taken {
    term: u64,
    batch: EncodedBatch,
    /// What it counts against the limits.
    bytes: usize,
    caller: Caller,
}

/// Who waits for it.
#[derive(Debug)]
struct Caller {
    since: Mono,
    answer: oneshot::Sender<Result<Outcome, NotDecided>>,
    /// Its share of the queue, given back when it is answered.
    _room: Share,
}

impl Proposer {
    /// Proposes to `raft` what is put in, until `closing`.
    pub(crate) fn start(raft: Raft, clock: Arc<dyn Clock>, tasks: &Tasks, closing: CancellationToken) -> Self {
        let (queue, taken) = mpsc::channel(QUEUE_BATCHES_MAX);
        let handing_over = Arc::new(AtomicBool::new(false));
        let groups =
            Groups { raft, clock: Arc::clone(&clock), waiting: VecDeque::new(), handing_over: handing_over.clone() };
        tasks.spawn(TaskKind::Storage, "raft proposals", groups.run(taken, closing)).detach();
        let room = Room::new("raft_proposal_bytes", QUEUE_BYTES_MAX.max(BATCH_BYTES_MAX * 2));
        Self { queue, room, clock, handing_over }
    }

    /// What becomes of `batch`, taken in `term`. Dropping this takes it back if it was not proposed yet.
    pub(crate) async fn propose(&self, term: u64, batch: &Batch) -> Result<Outcome, NotDecided> {
        let closed = || NotDecided::Unknown("this node is closing".to_owned());
        let since = self.clock.now();
        let bytes = batch.size();
        let share = u32::try_from(bytes + BATCH_OVERHEAD_BYTES).expect("a batch is within BATCH_BYTES_MAX");
        let room = self.room.take(share).await.map_err(|_| closed())?;
        let (answer, outcome) = oneshot::channel();
        let caller = Caller { since, answer, _room: room };
        self.queue.send(Taken { term, batch: batch.into(), bytes, caller }).await.map_err(|_| closed())?;
        outcome.await.map_err(|_| closed())?
    }
}

/// The other end of the queue.
struct Groups {
    raft: Raft,
    clock: Arc<dyn Clock>,
    waiting: VecDeque<Taken>,
    handing_over: Arc<AtomicBool>,
}

impl Groups {
    async fn run(mut self, mut queue: mpsc::Receiver<Taken>, closing: CancellationToken) {
        let mut taken = Vec::with_capacity(GROUP_BATCHES_MAX);
        loop {
            tokio::select! {
                biased;
                () = closing.cancelled() => return,
                count = queue.recv_many(&mut taken, GROUP_BATCHES_MAX) => {
                    if count == 0 {
                        return;
                    }
                    self.waiting.extend(taken.drain(..));
                }
            }
            while let Some((term, group)) = self.next_group() {
                tokio::select! {
                    biased;
                    () = closing.cancelled() => return,
                    () = self.propose(term, group) => {}
                    // what becomes of it then may never be heard here; who waits asks again
                    () = self.leads_no_more(term) => {}
                }
                yield_now().await;
            }
        }
    }

    /// Waits until this node does not lead in `term` any more.
    async fn leads_no_more(&self, term: u64) {
        let mut metrics = self.raft.server_metrics();
        let leads = |metrics: &RaftServerMetrics<NodeId, Address>| {
            metrics.state == ServerState::Leader && metrics.vote.leader_id.term == term
        };
        // it fails when Raft has ended, and so leads no more
        let _ = metrics.wait_for(|metrics| !leads(metrics)).await;
    }

    /// What is to be proposed next. Who cannot be served is told, who has gone is forgotten.
    fn next_group(&mut self) -> Option<(u64, Vec<Taken>)> {
        let (term, leader) = {
            let metrics = self.raft.server_metrics();
            let metrics = metrics.borrow();
            let leads = metrics.state == ServerState::Leader && !self.handing_over.load(Ordering::Acquire);
            (leads.then_some(metrics.vote.leader_id.term), metrics.current_leader)
        };
        let mut group = Vec::new();
        let mut bytes = 0;
        while group.len() < GROUP_BATCHES_MAX
            && bytes < GROUP_BYTES_MAX
            && let Some(taken) = self.waiting.pop_front()
        {
            if taken.caller.answer.is_closed() {
                continue;
            }
            if Some(taken.term) != term {
                let _ = taken.caller.answer.send(Err(NotDecided::NotLeader(leader)));
                continue;
            }
            bytes += taken.bytes;
            group.push(taken);
        }
        Some((term?, group)).filter(|(_, group)| !group.is_empty())
    }

    /// Has openraft decide a group, and answers the callers.
    async fn propose(&self, term: u64, group: Vec<Taken>) {
        let (batches, callers): (Vec<_>, Vec<_>) = group.into_iter().map(|taken| (taken.batch, taken.caller)).unzip();
        metrics::histogram!("sayso_store_raft_group_batches").record(batches.len() as f64);
        let outcomes = match self.raft.client_write(proposal_of(term, &batches)).await {
            Ok(response) => Ok(response.data),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(to))) => Err(NotDecided::NotLeader(to.leader_id)),
            Err(error) => Err(NotDecided::Unknown(error.to_string())),
        };
        answer(callers, outcomes, &*self.clock);
    }
}

fn answer(callers: Vec<Caller>, outcomes: Result<Vec<Outcome>, NotDecided>, clock: &dyn Clock) {
    let outcomes: Vec<_> = match outcomes {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error); callers.len()],
    };
    let now = clock.now();
    for (caller, outcome) in callers.into_iter().zip(outcomes) {
        metrics::histogram!("sayso_store_raft_commit_seconds").record(now.since(caller.since).as_secs_f64());
        // Whoever asked may have gone; the outcome stands.
        let _ = caller.answer.send(outcome);
    }
}
