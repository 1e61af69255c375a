//! [`Leader`]: who leads, as this node knows, and how it is asked.

use core::future::pending;
use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use openraft::ServerState;
use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::{outcome, request, response};
use sayso_store::{Batch, Key};
use tokio::time::sleep;

use crate::codec::{batch_into, log_id_from, version_from};
use crate::link::Links;
use crate::proposer::Proposer;
use crate::types::{LogId, Outcome, Raft};
use crate::within::{Wait, within};
use crate::{Address, NodeId};

/// How long one attempt to ask the leader may take. After it the leader is asked again, or another.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(2);
/// How long until the next attempt, unless who leads changes before.
const RETRY: Duration = Duration::from_millis(20);

/// Asks the leader, wherever it is.
pub(crate) struct Leader {
    pub(crate) raft: Raft,
    pub(crate) links: Arc<Links>,
    pub(crate) proposer: Arc<Proposer>,
}

/// Where the leader is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Here { term: u64 },
    There { node: NodeId, address: Address, term: u64 },
}

impl Leader {
    /// Where the leader is, if it is known.
    pub(crate) fn place(&self) -> Option<Place> {
        let metrics = self.raft.server_metrics();
        let metrics = metrics.borrow();
        let (term, leader) = (metrics.vote.leader_id.term, metrics.current_leader?);
        if leader == self.links.cluster.node {
            return (metrics.state == ServerState::Leader).then_some(Place::Here { term });
        }
        let address = metrics.membership_config.membership().get_node(&leader)?.clone();
        Some(Place::There { node: leader, address, term })
    }

    /// What became of `batch`, asked until it is known. The batch's token makes asking twice harmless, and the term that
    /// each attempt is bound to sees to it that no earlier one takes effect after a later one was answered.
    pub(crate) async fn commit(&self, batch: &Batch) -> Outcome {
        loop {
            let place = self.place();
            let outcome = match &place {
                None => None,
                Some(here @ Place::Here { term }) => tokio::select! {
                    outcome = self.proposer.propose(*term, batch) => outcome.ok(),
                    () = self.moves(here) => None,
                },
                Some(there @ Place::There { node, address, term }) => tokio::select! {
                    outcome = self.forward(*node, address, *term, batch) => outcome,
                    () = self.moves(there) => None,
                },
            };
            match outcome {
                Some(Outcome::Void) | None => self.pause().await,
                Some(outcome) => return outcome,
            }
        }
    }

    async fn forward(&self, node: NodeId, address: &Address, term: u64, batch: &Batch) -> Option<Outcome> {
        metrics::counter!("sayso_store_raft_forwarded_total").increment(1);
        let request = request::Request::Propose(wire::Propose { term, batch: Some(batch_into(batch)) });
        match within(Wait::Attempt, ATTEMPT_WITHIN, self.links.request(node, address, request)).await.ok()?.ok()? {
            response::Response::Propose(wire::Outcome { outcome: Some(outcome) }) => match outcome {
                outcome::Outcome::Committed(version) => Some(Outcome::Committed(version_from(&version).ok()?)),
                outcome::Outcome::Conflict(key) => Some(Outcome::Conflict(Key::from_bytes(key))),
            },
            _ => None,
        }
    }

    /// The entry that a read must have seen, asked until it is known; none when there is nothing to see.
    pub(crate) async fn read_index(&self) -> Option<LogId> {
        loop {
            let asked = match self.place() {
                None => None,
                Some(Place::Here { .. }) => self.read_index_here().await,
                Some(Place::There { node, address, .. }) => {
                    let request = request::Request::ReadIndex(wire::ReadIndex {});
                    match within(Wait::Attempt, ATTEMPT_WITHIN, self.links.request(node, &address, request)).await {
                        Ok(Ok(response::Response::ReadIndex(answer))) => Some(answer.log_id.map(log_id_from)),
                        _ => None,
                    }
                }
            };
            match asked {
                Some(read) => return read,
                None => self.pause().await,
            }
        }
    }

    /// The same as the leader, if this node is. Not while it hands over: asking the others renews their trust in it.
    pub(crate) async fn read_index_here(&self) -> Option<Option<LogId>> {
        if self.proposer.handing_over.load(Ordering::Acquire) {
            return None;
        }
        self.raft.get_read_log_id().await.ok().map(|(read, _applied)| read)
    }

    /// Waits until the leader is not at `place` any more. Every commit under way waits here, and so on what changes with the
    /// leader only: all of openraft's metrics change several times a commit.
    async fn moves(&self, place: &Place) {
        let mut metrics = self.raft.server_metrics();
        metrics.mark_unchanged();
        while self.place().as_ref() == Some(place) && metrics.changed().await.is_ok() {}
    }

    /// Waits a little, or until somebody else leads.
    pub(crate) async fn pause(&self) {
        let (before, mut metrics) = (self.place(), self.raft.server_metrics());
        let moves = async {
            while self.place() == before {
                if metrics.changed().await.is_err() {
                    // Raft has ended, and nothing moves any more
                    return pending().await;
                }
            }
        };
        tokio::select! {
            () = moves => {}
            () = sleep(RETRY) => {}
        }
    }

    /// Waits until this node's Raft has ended; why, as far as it said.
    pub(crate) async fn ended(&self) -> String {
        let mut metrics = self.raft.metrics();
        loop {
            if let Err(fatal) = &metrics.borrow_and_update().running_state {
                return fatal.to_string();
            }
            if metrics.changed().await.is_err() {
                return "it panicked".to_owned();
            }
        }
    }
}
