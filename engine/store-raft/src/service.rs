//! [`Service`]: what this node does for its peers.

use core::time::Duration;
use std::sync::Arc;

use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, VoteRequest};
use quinn::RecvStream;
use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::append_entries_answer::Answer;
use sayso_proto::peer::v1::request::Request;
use sayso_proto::peer::v1::response::Response;
use sayso_proto::peer::v1::{FailureKind, outcome};

use crate::NodeId;
use crate::codec::{
    Malformed, batch_from, entry_from, log_id_from, log_id_into, meta_from, required, vote_from, vote_into,
};
use crate::link::frame::{self, Budget, FrameError};
use crate::machine::SnapshotData;
use crate::members::Members;
use crate::proposer::{NotDecided, Proposer};
use crate::purge::Purge;
use crate::types::{Outcome, Raft, Snapshot};
use crate::within::{Wait, within};

/// How long the next piece of a snapshot may take to come.
const PIECE_WITHIN: Duration = Duration::from_secs(60);

/// Answers peers.
pub(crate) struct Service {
    pub(crate) raft: Raft,
    pub(crate) proposer: Arc<Proposer>,
    pub(crate) members: Arc<Members>,
    pub(crate) purge: Arc<Purge>,
}

/// Why a request has no answer of its type.
enum NotAnswered {
    Frame(FrameError),
    Failure(wire::Failure),
}

impl Service {
    /// The answer to a request. More of it may come on `stream`.
    pub(crate) async fn answer(
        &self,
        from: NodeId,
        request: wire::Request,
        stream: &mut RecvStream,
        budget: &Budget,
    ) -> Result<Response, FrameError> {
        match self.answer_to(from, request, stream, budget).await {
            Ok(response) => Ok(response),
            Err(NotAnswered::Failure(failure)) => Ok(Response::Failure(failure)),
            Err(NotAnswered::Frame(error)) => Err(error),
        }
    }

    async fn answer_to(
        &self,
        from: NodeId,
        request: wire::Request,
        stream: &mut RecvStream,
        budget: &Budget,
    ) -> Result<Response, NotAnswered> {
        let request = required(request.request, "a request is of a type that this version does not know")?;
        Ok(match request {
            Request::AppendEntries(entries) => Response::AppendEntries(self.append(entries).await?),
            Request::RequestVote(vote) => Response::RequestVote(self.vote(vote).await?),
            Request::InstallSnapshot(snapshot) => {
                Response::InstallSnapshot(self.install(snapshot, stream, budget).await?)
            }
            Request::Propose(propose) => Response::Propose(self.propose(propose).await?),
            Request::ReadIndex(_) => Response::ReadIndex(self.read_index().await?),
            Request::ChangeMembers(change) => {
                tracing::info!(%from, ?change, "asked to change the cluster");
                let passed_on = change.passed_on;
                let change = required(change.change, "a change is of a type that this version does not know")?;
                let mut changed = self.members.change_here(change.clone()).await;
                if !passed_on && matches!(&changed, Err(failure) if failure.kind() == FailureKind::NotLeader) {
                    changed = self.members.pass_on(change).await;
                }
                changed.map_err(NotAnswered::Failure)?;
                Response::ChangeMembers(wire::ChangeMembersAnswer {})
            }
            Request::ListMembers(_) => {
                Response::ListMembers(self.members.tell_members().await.map_err(NotAnswered::Failure)?)
            }
            Request::Elect(_) => {
                self.raft.trigger().elect().await.map_err(unavailable)?;
                Response::Elect(wire::ElectAnswer {})
            }
            Request::Purge(purge) => {
                let upto = log_id_from(required(purge.upto, "a purge does not say of what")?);
                self.purge.here(upto).await.map_err(unavailable)?;
                Response::Purge(wire::PurgeAnswer {})
            }
        })
    }

    async fn append(&self, request: wire::AppendEntries) -> Result<wire::AppendEntriesAnswer, NotAnswered> {
        let entries = request.entries.into_iter().map(entry_from).collect::<Result<_, _>>()?;
        let answer = self.raft.append_entries(AppendEntriesRequest {
            vote: vote_from(request.vote)?,
            prev_log_id: request.previous.map(log_id_from),
            entries,
            leader_commit: request.committed.map(log_id_from),
        });
        let answer = match answer.await.map_err(unavailable)? {
            AppendEntriesResponse::Success => Answer::Success(wire::Blank {}),
            AppendEntriesResponse::PartialSuccess(Some(upto)) => Answer::Partial(log_id_into(&upto)),
            AppendEntriesResponse::PartialSuccess(None) | AppendEntriesResponse::Conflict => {
                Answer::Conflict(wire::Blank {})
            }
            AppendEntriesResponse::HigherVote(vote) => Answer::HigherVote(vote_into(&vote)),
        };
        Ok(wire::AppendEntriesAnswer { answer: Some(answer) })
    }

    async fn vote(&self, request: wire::RequestVote) -> Result<wire::RequestVoteAnswer, NotAnswered> {
        let (vote, last_log_id) = (vote_from(request.vote)?, request.last_log_id.map(log_id_from));
        let answer = self.raft.vote(VoteRequest { vote, last_log_id }).await.map_err(unavailable)?;
        Ok(wire::RequestVoteAnswer {
            vote: Some(vote_into(&answer.vote)),
            granted: answer.vote_granted,
            last_log_id: answer.last_log_id.as_ref().map(log_id_into),
        })
    }

    /// Takes in a snapshot, piece by piece: a piece is read once the one before is written.
    async fn install(
        &self,
        begin: wire::InstallSnapshot,
        stream: &mut RecvStream,
        budget: &Budget,
    ) -> Result<wire::InstallSnapshotAnswer, NotAnswered> {
        let (vote, meta) = (vote_from(begin.vote)?, meta_from(begin.meta)?);
        let data = self.raft.begin_receiving_snapshot().await.map_err(unavailable)?;
        let SnapshotData::Received(receiving) = &*data else {
            return Err(unavailable("this node makes room for a snapshot of its own"));
        };
        let mut count = 0;
        loop {
            let piece = within(Wait::NextPiece, PIECE_WITHIN, frame::read::<wire::SnapshotChunk>(stream, budget)).await;
            let (piece, _room) = piece.map_err(unavailable)?.map_err(NotAnswered::Frame)?;
            count += piece.records.len() as u64;
            if count != piece.count {
                return Err(Malformed { what: "a piece of a snapshot is missing" }.into());
            }
            if piece.last {
                break;
            }
            receiving.write(piece.records).await.map_err(unavailable)?;
        }
        metrics::counter!("sayso_store_raft_snapshots_received_total").increment(1);
        let answer = self.raft.install_full_snapshot(vote, Snapshot { meta, snapshot: data }).await;
        Ok(wire::InstallSnapshotAnswer { vote: Some(vote_into(&answer.map_err(unavailable)?.vote)) })
    }

    async fn propose(&self, request: wire::Propose) -> Result<wire::Outcome, NotAnswered> {
        let batch = batch_from(required(request.batch, "a proposal has no batch")?)?;
        // Checked where it came from, and here because that may be a program with other limits.
        batch.check().map_err(|_| Malformed { what: "a batch is over the limits" })?;
        let outcome = match self.proposer.propose(request.term, &batch).await {
            Ok(Outcome::Committed(version)) => outcome::Outcome::Committed(version.to_bytes().to_vec().into()),
            Ok(Outcome::Conflict(key)) => outcome::Outcome::Conflict(key.as_bytes().to_vec().into()),
            Ok(Outcome::Void) => return Err(not_leader(None)),
            Err(NotDecided::NotLeader(leader)) => return Err(not_leader(leader)),
            Err(NotDecided::Unknown(reason)) => return Err(unavailable(reason)),
        };
        Ok(wire::Outcome { outcome: Some(outcome) })
    }

    async fn read_index(&self) -> Result<wire::ReadIndexAnswer, NotAnswered> {
        let read = self.members.leader.read_index_here().await.ok_or_else(|| not_leader(None))?;
        Ok(wire::ReadIndexAnswer { log_id: read.as_ref().map(log_id_into) })
    }
}

impl From<Malformed> for NotAnswered {
    fn from(error: Malformed) -> Self {
        let kind = FailureKind::Invalid.into();
        Self::Failure(wire::Failure { kind, reason: error.to_string(), ..wire::Failure::default() })
    }
}

fn unavailable(reason: impl ToString) -> NotAnswered {
    let kind = FailureKind::Unavailable.into();
    NotAnswered::Failure(wire::Failure { kind, reason: reason.to_string(), ..wire::Failure::default() })
}

fn not_leader(leader: Option<NodeId>) -> NotAnswered {
    let (kind, reason) = (FailureKind::NotLeader.into(), "it does not lead".to_owned());
    let leader = leader.unwrap_or_default().0;
    NotAnswered::Failure(wire::Failure { kind, reason, leader, ..wire::Failure::default() })
}
