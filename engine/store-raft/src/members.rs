//! [`Members`]: who belongs to the cluster, and how that changes while it serves.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::future::join_all;
use openraft::error::{ChangeMembershipError, ClientWriteError, RaftError};
use openraft::metrics::{RaftMetrics, WaitError};
use openraft::{ChangeMembers, LogIdOptionExt, ServerState};
use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::change_members::Change;
use sayso_proto::peer::v1::{ChangeRefusal, FailureKind, request, response};
use sayso_store::cluster::{self, Refusal, Role};

use crate::codec::{member_state_from, member_state_into, refusal_from, refusal_into};
use crate::leader::{Leader, Place};
use crate::within::{Wait, within};
use crate::{Address, Error, NodeId, Timers};

/// Entries that a learner may be behind to be promoted: it catches up on them while the change is agreed on.
const BEHIND_MAX: u64 = 1_000;
/// How long a hand-over may take, in elections, before the leader goes on itself.
const HANDOVER_ELECTIONS: u32 = 6;
/// How long a member may take to answer to be there: longer than a stall of a busy machine.
const THERE_WITHIN: Duration = Duration::from_secs(2);
/// How long the leader may take to list the members, of which it asks all at once.
const LIST_WITHIN: Duration = Duration::from_secs(4);

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub node: NodeId,
    /// Where its peers reach it.
    pub address: Address,
    /// Whether it votes. A learner only follows.
    pub voter: bool,
}

/// A cluster, as one of its nodes knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The node that says so.
    pub node: NodeId,
    /// Who leads, if known.
    pub leader: Option<NodeId>,
    /// How many elections there were.
    pub term: u64,
    /// The last entry of the log that this node has applied.
    pub applied: Option<u64>,
    /// The last entry of its log.
    pub last: Option<u64>,
    /// Who belongs to it, by id.
    pub members: Vec<Member>,
}

/// Changes who belongs to the cluster.
pub(crate) struct Members {
    pub(crate) leader: Arc<Leader>,
    pub(crate) timers: Timers,
    /// Held while the cluster changes: one change after another.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

impl Members {
    /// The cluster as this node knows it.
    pub(crate) fn status(&self) -> Status {
        let metrics = self.leader.raft.metrics();
        let metrics = metrics.borrow();
        let membership = metrics.membership_config.membership();
        let voters: BTreeSet<_> = membership.voter_ids().collect();
        let members = membership.nodes().map(|(node, address)| Member {
            node: *node,
            address: address.clone(),
            voter: voters.contains(node),
        });
        Status {
            node: metrics.id,
            leader: metrics.current_leader,
            term: metrics.current_term,
            applied: metrics.last_applied.map(|id| id.index),
            last: metrics.last_log_index,
            members: members.collect(),
        }
    }

    /// Has the leader make a change, wherever it is; asks until it is made or refused.
    pub(crate) async fn change(&self, change: Change) -> Result<(), Error> {
        loop {
            let asked = match self.leader.place() {
                None => None,
                Some(Place::Here { .. }) => {
                    Some(self.change_here(change.clone()).await.map_err(|failure| failed(self.me(), failure)))
                }
                Some(Place::There { node, address, .. }) => Some(self.ask_member(node, &address, change.clone()).await),
            };
            match asked {
                Some(Err(Error::Unreachable { .. })) | None => self.leader.pause().await,
                Some(changed) => return changed,
            }
        }
    }

    /// Asks `node`, which leads or knows who does.
    pub(crate) async fn ask_member(&self, node: NodeId, address: &Address, change: Change) -> Result<(), Error> {
        self.ask_for(node, address, change, false).await
    }

    /// Asks the leader in the name of a node that does not know it.
    pub(crate) async fn pass_on(&self, change: Change) -> Result<(), wire::Failure> {
        let Some(Place::There { node, address, .. }) = self.leader.place() else {
            return Err(failure(FailureKind::NotLeader, "who leads is not known"));
        };
        self.ask_for(node, &address, change, true).await.map_err(|error| match error {
            Error::Membership { refusal, reason } => refused(refusal, reason),
            error => failure(FailureKind::Unavailable, error.to_string()),
        })
    }

    async fn ask_for(&self, node: NodeId, address: &Address, change: Change, passed_on: bool) -> Result<(), Error> {
        let request = request::Request::ChangeMembers(wire::ChangeMembers { passed_on, change: Some(change) });
        match self.leader.links.request(node, address, request).await? {
            response::Response::ChangeMembers(_) => Ok(()),
            response::Response::Failure(failure) => Err(failed(node, failure)),
            _ => Err(Error::unreachable(node, "its answer is not of the request's type")),
        }
    }

    /// Who belongs to the cluster, and how far each is, as the leader says, wherever it is.
    pub(crate) async fn list(&self) -> Result<Vec<cluster::Member>, Error> {
        loop {
            match self.leader.place() {
                None => {}
                Some(Place::Here { .. }) => {
                    if let Some(members) = self.list_here().await {
                        return Ok(members);
                    }
                }
                Some(Place::There { node, address, .. }) => {
                    let asked = request::Request::ListMembers(wire::ListMembers {});
                    match within(Wait::Attempt, LIST_WITHIN, self.leader.links.request(node, &address, asked)).await {
                        Ok(Ok(response::Response::ListMembers(answer))) => {
                            let members = answer.members.into_iter().map(|member| member_state_from(member, node));
                            return members.collect::<Result<_, _>>().map_err(|error| Error::unreachable(node, error));
                        }
                        // it does not know the question
                        Ok(Ok(response::Response::Failure(failure))) if failure.kind() == FailureKind::Invalid => {
                            return Err(Error::Version { node });
                        }
                        _ => {}
                    }
                }
            }
            self.leader.pause().await;
        }
    }

    /// The same as the leader; none when this node is not.
    pub(crate) async fn list_here(&self) -> Option<Vec<cluster::Member>> {
        let Status { members, leader, .. } = self.status();
        if leader != Some(self.me()) {
            return None;
        }
        let states = members.into_iter().map(|Member { node, address, voter }| async move {
            let role = match voter {
                _ if node == self.me() => Role::Leader,
                true => Role::Voter,
                false => Role::Learner,
            };
            let is_there = self.is_there(node, &address).await;
            let behind = if node == self.me() { Some(0) } else { self.behind(node) };
            cluster::Member { node: node.0, address: address.0, role, behind, is_there }
        });
        Some(join_all(states).await)
    }

    /// What a peer is told of the members.
    pub(crate) async fn tell_members(&self) -> Result<wire::ListMembersAnswer, wire::Failure> {
        let members = self.list_here().await.ok_or_else(|| failure(FailureKind::NotLeader, "it does not lead"))?;
        Ok(wire::ListMembersAnswer { members: members.into_iter().map(member_state_into).collect() })
    }

    /// Whether a member answers anything at all.
    async fn is_there(&self, node: NodeId, address: &Address) -> bool {
        if node == self.me() {
            return true;
        }
        // who does not lead says so at once, and does nothing
        let asked = request::Request::ReadIndex(wire::ReadIndex {});
        matches!(within(Wait::Presence, THERE_WITHIN, self.leader.links.request(node, address, asked)).await, Ok(Ok(_)))
    }

    fn me(&self) -> NodeId {
        self.leader.links.cluster.node
    }

    /// Makes a change as the leader. One that is made already is none.
    pub(crate) async fn change_here(&self, change: Change) -> Result<(), wire::Failure> {
        let _changing = self.changing.lock().await;
        if self.leader.raft.metrics().borrow().state != ServerState::Leader {
            return Err(failure(FailureKind::NotLeader, "it does not lead"));
        }
        match change {
            Change::AddLearner(wire::Member { node, address }) => self.add(NodeId(node), Address(address)).await,
            Change::Promote(node) => self.promote(NodeId(node)).await,
            Change::Remove(node) => self.remove(NodeId(node)).await,
            Change::TransferTo(node) => self.transfer(NodeId(node)).await,
        }
    }

    async fn add(&self, node: NodeId, address: Address) -> Result<(), wire::Failure> {
        match self.member(node) {
            Some(member) if member.address == address => Ok(()),
            Some(member) => {
                let reason = format!("there is a node {node} at {}; give each disk an id of its own", member.address);
                Err(refused(Refusal::Taken, reason))
            }
            None if self.leader.links.cluster.removed().borrow().contains(&node) => {
                let reason =
                    format!("node {node} was removed, and its number is not given again; let a new node join instead");
                Err(refused(Refusal::Removed, reason))
            }
            None => self.apply(ChangeMembers::AddNodes(BTreeMap::from([(node, address)]))).await,
        }
    }

    async fn promote(&self, node: NodeId) -> Result<(), wire::Failure> {
        let member = self.member(node).ok_or_else(|| unknown(node))?;
        if member.voter {
            return Ok(());
        }
        if self.behind(node).is_none_or(|behind| behind > BEHIND_MAX) {
            return Err(failure(FailureKind::Unavailable, format!("node {node} has not caught up yet")));
        }
        self.apply(ChangeMembers::AddVoterIds(BTreeSet::from([node]))).await
    }

    async fn remove(&self, node: NodeId) -> Result<(), wire::Failure> {
        let Some(member) = self.member(node) else { return Ok(()) };
        if !member.voter {
            return self.apply(ChangeMembers::RemoveNodes(BTreeSet::from([node]))).await;
        }
        self.require_majority_without(node).await?;
        if node == self.me() {
            // who leads is to see the end of what it began
            let reason = if self.step_aside().await { "it does not lead any more" } else { "nobody else can lead yet" };
            return Err(failure(FailureKind::NotLeader, reason));
        }
        self.apply(ChangeMembers::RemoveVoters(BTreeSet::from([node]))).await
    }

    /// Fails where those who vote now, or who are left to without `node`, could not agree on anything: a change that was begun
    /// then would hold up every commit until the others are back.
    async fn require_majority_without(&self, node: NodeId) -> Result<(), wire::Failure> {
        let voters: Vec<_> = self.status().members.into_iter().filter(|member| member.voter).collect();
        if voters.len() == 1 {
            let reason = format!("node {node} is the only one that votes: without it nothing would be left");
            return Err(refused(Refusal::LastVoter, reason));
        }
        let there = join_all(voters.iter().map(|voter| self.is_there(voter.node, &voter.address))).await;
        let there: BTreeSet<_> =
            voters.iter().zip(there).filter(|(_, there)| *there).map(|(one, _)| one.node).collect();
        let left = voters.iter().filter(|voter| voter.node != node).map(|voter| voter.node).collect::<BTreeSet<_>>();
        let left_there = left.intersection(&there).count();
        if there.len() * 2 <= voters.len() || left_there * 2 <= left.len() {
            let reason = format!(
                "without node {node}, {} nodes vote, and {left_there} of them can be reached; of those that vote now, {} of {}. \
                 Start the others first, or remove one that is gone",
                left.len(),
                there.len(),
                voters.len(),
            );
            return Err(refused(Refusal::NoMajority, reason));
        }
        Ok(())
    }

    /// Hands leadership to `node`: takes nothing more, waits until it has everything and the others are free to vote, and
    /// has it stand for election.
    async fn transfer(&self, node: NodeId) -> Result<(), wire::Failure> {
        let member = self.member(node).ok_or_else(|| unknown(node))?;
        if !member.voter {
            return Err(refused(Refusal::NoVoter, format!("node {node} does not vote yet, and so cannot lead")));
        }
        let raft = &self.leader.raft;
        if node == self.me() {
            return Ok(());
        }
        if !self.is_there(node, &member.address).await {
            return Err(refused(Refusal::NotThere, format!("node {node} cannot be reached; start it first")));
        }
        let handing_over = HandingOver::begin(&self.leader);
        let handed = within(Wait::HandOver, self.timers.election * HANDOVER_ELECTIONS, async {
            let mut metrics = raft.metrics();
            while self.behind(node) != Some(0) && metrics.changed().await.is_ok() {}
            handing_over.fall_silent();
            loop {
                // Refused as long as the others still hear of this leader.
                let elect = request::Request::Elect(wire::Elect {});
                let _ = self.leader.links.request(node, &member.address, elect).await;
                // long enough for all to vote on a busy machine: who stands anew has all votes asked for anew
                let wait = raft.wait(Some(self.timers.election / 2));
                match wait.metrics(|metrics| self.is_led_by_another(metrics), "a hand-over").await {
                    Ok(metrics) if metrics.current_leader == Some(node) => return Ok(()),
                    // it would have the other stand against whoever was quicker
                    Ok(_) => return Err(failure(FailureKind::Unavailable, "another node was quicker, and leads now")),
                    Err(WaitError::Timeout(..)) => {}
                    // it would have the other stand again and again, and see no leader ever
                    Err(WaitError::ShuttingDown) => {
                        return Err(failure(FailureKind::Unavailable, "this node takes part in no election any more"));
                    }
                }
            }
        });
        let late = || failure(FailureKind::Unavailable, format!("node {node} did not take over in time"));
        handed.await.unwrap_or_else(|_| Err(late()))
    }

    /// Has another node lead, if this one does: who stops in order is not to be missed first. Where nobody takes over in time, it
    /// is.
    pub(crate) async fn hand_over(&self) {
        let limit = self.timers.election * HANDOVER_ELECTIONS;
        if within(Wait::HandOver, limit, self.hand_to_somebody()).await.is_err() {
            tracing::warn!("nobody took over from this node in time");
        }
    }

    async fn hand_to_somebody(&self) {
        let _changing = self.changing.lock().await;
        self.step_aside().await;
    }

    /// Has another node lead, if this one does; whether one does then.
    async fn step_aside(&self) -> bool {
        let Leader { raft, links, .. } = &*self.leader;
        if raft.metrics().borrow().state != ServerState::Leader {
            return true;
        }
        let members = self.status().members.into_iter();
        let mut others: Vec<_> = members.filter(|one| one.voter && one.node != self.me()).collect();
        others.sort_by_key(|other| self.behind(other.node).unwrap_or(u64::MAX));
        for Member { node, .. } in others {
            let Some(connection) = links.live(node) else { continue };
            let handed = tokio::select! {
                handed = self.transfer(node) => handed,
                // who stops at the same moment takes nothing over
                gone = connection.closed() => Err(failure(FailureKind::Unavailable, gone.to_string())),
            };
            match handed {
                Ok(()) => {
                    tracing::info!(%node, "handed over");
                    return true;
                }
                Err(failure) => tracing::warn!(%node, reason = failure.reason, "it did not take over"),
            }
            if self.is_led_by_another(&raft.metrics().borrow()) {
                return true;
            }
        }
        false
    }

    fn is_led_by_another(&self, metrics: &RaftMetrics<NodeId, Address>) -> bool {
        metrics.current_leader.is_some_and(|leader| leader != self.me())
    }

    fn member(&self, node: NodeId) -> Option<Member> {
        self.status().members.into_iter().find(|member| member.node == node)
    }

    /// Entries that a node lacks, as the leader knows.
    fn behind(&self, node: NodeId) -> Option<u64> {
        let metrics = self.leader.raft.metrics();
        let metrics = metrics.borrow();
        let matching = metrics.replication.as_ref()?.get(&node)?;
        Some(metrics.last_log_index.unwrap_or_default().saturating_sub(matching.index().unwrap_or_default()))
    }

    async fn apply(&self, change: ChangeMembers<NodeId, Address>) -> Result<(), wire::Failure> {
        match self.leader.raft.change_membership(change, false).await {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_))) => {
                Err(failure(FailureKind::NotLeader, "it does not lead any more"))
            }
            Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(error))) => match error {
                ChangeMembershipError::InProgress(_) => Err(failure(FailureKind::Unavailable, error.to_string())),
                error => Err(refused(Refusal::Other, error.to_string())),
            },
            Err(RaftError::Fatal(error)) => Err(failure(FailureKind::Unavailable, error.to_string())),
        }
    }
}

/// A leader that takes nothing more, so that another can lead. When this ends, however it does, it leads on if it still may.
struct HandingOver<'a>(&'a Leader);

impl<'a> HandingOver<'a> {
    fn begin(leader: &'a Leader) -> Self {
        leader.proposer.handing_over.store(true, Ordering::Release);
        Self(leader)
    }

    /// Has the others hear nothing any more, so that they are free to vote.
    fn fall_silent(&self) {
        self.0.raft.runtime_config().heartbeat(false);
        self.0.raft.runtime_config().elect(false);
    }
}

impl Drop for HandingOver<'_> {
    fn drop(&mut self) {
        self.0.raft.runtime_config().heartbeat(true);
        self.0.raft.runtime_config().elect(true);
        self.0.proposer.handing_over.store(false, Ordering::Release);
    }
}

/// What it means that `node` did not do what it was asked.
fn failed(node: NodeId, failure: wire::Failure) -> Error {
    match failure.kind() {
        FailureKind::Invalid => Error::Membership { refusal: refusal_from(failure.refusal()), reason: failure.reason },
        _ => Error::unreachable(node, failure.reason),
    }
}

fn unknown(node: NodeId) -> wire::Failure {
    refused(Refusal::Unknown, format!("node {node} is not of this cluster"))
}

fn refused(refusal: Refusal, reason: String) -> wire::Failure {
    wire::Failure { refusal: refusal_into(refusal).into(), ..failure(FailureKind::Invalid, reason) }
}

fn failure(kind: FailureKind, reason: impl Into<String>) -> wire::Failure {
    let refusal = ChangeRefusal::Unspecified.into();
    wire::Failure { kind: kind.into(), reason: reason.into(), leader: 0, refusal }
}
