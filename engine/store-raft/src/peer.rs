//! [`Peer`]: openraft's way to one node.

use core::time::Duration;
use std::sync::Arc;

use openraft::error::{Fatal, NetworkError, RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse};
use openraft::{AnyError, OptionalSend};
use prost::Message;
use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::append_entries_answer::Answer;
use sayso_proto::peer::v1::{request, response};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::codec::{Malformed, entry_into, log_id_from, log_id_into, meta_into, required, vote_from, vote_into};
use crate::early::Early;
use crate::link::Links;
use crate::link::frame::{self, Budget};
use crate::types::{LogId, Snapshot, Types, Vote};
use crate::within::{Wait, within};
use crate::{Address, Error, NodeId};

/// How long until a node that cannot be reached is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// Entries of more bytes are sent apart from the call, which openraft gives up after a heartbeat: what is on its way gets
/// there, and the next call waits for it instead of sending the same again.
const LARGE_BYTES: usize = 256 << 10;
/// How long those may take.
const LARGE_WITHIN: Duration = Duration::from_secs(10);
/// How long a peer may take to make room for a piece of a snapshot, or to install all of it.
const SNAPSHOT_WITHIN: Duration = Duration::from_secs(60);

type RpcError = RPCError<NodeId, Address, RaftError<NodeId>>;

/// How long the news that something is committed waits for entries that it can go with, which under load there are at once.
const COMMIT_ALONE_AFTER: Duration = Duration::from_millis(1);

/// Makes [`Peer`]s.
#[derive(Clone)]
pub(crate) struct Peers {
    pub(crate) links: Arc<Links>,
    pub(crate) early: Arc<Early>,
}

impl RaftNetworkFactory<Types> for Peers {
    type Network = Peer;

    async fn new_client(&mut self, target: NodeId, address: &Address) -> Peer {
        let (links, early) = (Arc::clone(&self.links), Arc::clone(&self.early));
        Peer { links, early, target, address: address.clone(), on_its_way: None, told: None, awaited: None }
    }
}

/// One node.
pub(crate) struct Peer {
    links: Arc<Links>,
    early: Arc<Early>,
    target: NodeId,
    address: Address,
    on_its_way: Option<OnItsWay>,
    /// What it has been told is committed, once it was asked at all.
    told: Option<Option<LogId>>,
    /// The last entry for whose early answer was waited. It is not waited for twice.
    awaited: Option<LogId>,
}

/// Entries that are being sent.
#[derive(Debug)]
struct OnItsWay {
    what: wire::AppendEntries,
    answer: oneshot::Receiver<Result<response::Response, Error>>,
}

impl Peer {
    async fn ask(&self, request: request::Request) -> Result<response::Response, Error> {
        self.links.request(self.target, &self.address, request).await
    }

    /// What it answers to a message that was sent to it [early](Early), if that says all that `rpc` does.
    async fn answered_early(&mut self, rpc: &AppendEntriesRequest<Types>) -> Option<Answer> {
        let word = match rpc.entries.last() {
            Some(last) => {
                if self.awaited.replace(last.log_id) == Some(last.log_id) {
                    return None;
                }
                self.early.last().filter(|word| word.last == last.log_id)?
            }
            // Nothing is new but what is committed. A first message is one of its own: who asks for a read waits for it.
            None if self.told.is_some_and(|told| told < rpc.leader_commit) => {
                tokio::select! {
                    word = self.early.next(&rpc.vote, rpc.leader_commit) => word?,
                    () = sleep(COMMIT_ALONE_AFTER) => return None,
                }
            }
            None => return None,
        };
        if !word.carries(&rpc.vote, rpc.leader_commit) {
            return None;
        }
        // what it refuses is asked in order
        word.answer(self.target).await.filter(|answer| matches!(answer, Answer::Success(_) | Answer::HigherVote(_)))
    }

    async fn send_large(&mut self, entries: wire::AppendEntries) -> Result<response::Response, Error> {
        // The commit index may have moved, and does not matter until it moves again.
        let same = |sent: &wire::AppendEntries| {
            sent.vote == entries.vote && sent.previous == entries.previous && sent.entries == entries.entries
        };
        if !self.on_its_way.as_ref().is_some_and(|sent| same(&sent.what)) {
            let (answered, answer) = oneshot::channel();
            let (links, target, address) = (Arc::clone(&self.links), self.target, self.address.clone());
            let request = request::Request::AppendEntries(entries.clone());
            self.links.apart("entries for a peer", async move {
                let answer = within(Wait::Entries, LARGE_WITHIN, links.request(target, &address, request)).await;
                let _ = answered.send(answer.unwrap_or_else(|late| Err(Error::unreachable(target, late))));
            });
            self.on_its_way = Some(OnItsWay { what: entries, answer });
        }
        // Dropped while it waits, it leaves what is on its way to the next call.
        let sent = self.on_its_way.as_mut().expect("it was put there");
        let answer = (&mut sent.answer).await;
        self.on_its_way = None;
        answer.unwrap_or_else(|_| Err(Error::unreachable(self.target, "this node is closing")))
    }

    async fn append_in_order(&mut self, rpc: &AppendEntriesRequest<Types>) -> Result<Answer, RpcError> {
        let entries = wire::AppendEntries {
            vote: Some(vote_into(&rpc.vote)),
            previous: rpc.prev_log_id.as_ref().map(log_id_into),
            entries: rpc.entries.iter().map(entry_into).collect(),
            committed: rpc.leader_commit.as_ref().map(log_id_into),
        };
        let answer = if entries.encoded_len() > LARGE_BYTES {
            self.send_large(entries).await
        } else {
            self.ask(request::Request::AppendEntries(entries)).await
        };
        match answer.map_err(unreachable)? {
            response::Response::AppendEntries(answer) => {
                required(answer.answer, "an answer is empty").map_err(malformed)
            }
            other => Err(unreachable(self.unexpected(Some(other)))),
        }
    }

    async fn send_snapshot(&self, vote: &Vote, snapshot: Snapshot) -> Result<wire::InstallSnapshotAnswer, Error> {
        let lost = |error: frame::FrameError| Error::unreachable(self.target, error);
        let (mut send, mut receive) = self.links.stream(self.target, &self.address).await?;
        let begin = wire::InstallSnapshot { vote: Some(vote_into(vote)), meta: Some(meta_into(&snapshot.meta)) };
        let begin = wire::Request { request: Some(request::Request::InstallSnapshot(begin)) };
        frame::write(&mut send, &begin).await.map_err(lost)?;
        let (mut data, mut count) = (snapshot.snapshot, 0);
        loop {
            let records = data.next_page()?;
            let last = records.is_empty();
            count += records.len() as u64;
            // QUIC's flow control waits for the peer: no more of the snapshot is in memory than one piece.
            let piece = wire::SnapshotChunk { records, last, count };
            let sent = within(Wait::SentPiece, SNAPSHOT_WITHIN, frame::write(&mut send, &piece)).await;
            sent.map_err(|late| Error::unreachable(self.target, late))?.map_err(lost)?;
            if last {
                break;
            }
        }
        let _ = send.finish();
        let budget = Budget::new();
        let answer =
            within(Wait::Installed, SNAPSHOT_WITHIN, frame::read::<wire::Response>(&mut receive, &budget)).await;
        let (answer, _) = answer.map_err(|late| Error::unreachable(self.target, late))?.map_err(lost)?;
        match answer.response {
            Some(response::Response::InstallSnapshot(answer)) => Ok(answer),
            other => Err(self.unexpected(other)),
        }
    }

    fn unexpected(&self, response: Option<response::Response>) -> Error {
        let reason = match response {
            Some(response::Response::Failure(failure)) => failure.reason,
            _ => "its answer is not of the request's type".to_owned(),
        };
        Error::unreachable(self.target, reason)
    }
}

impl RaftNetwork<Types> for Peer {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<NodeId>, RpcError> {
        let answer = match self.answered_early(&rpc).await {
            Some(answer) => answer,
            None => self.append_in_order(&rpc).await?,
        };
        self.told = Some(rpc.leader_commit);
        Ok(match answer {
            Answer::Success(_) => AppendEntriesResponse::Success,
            Answer::Partial(upto) => AppendEntriesResponse::PartialSuccess(Some(log_id_from(upto))),
            Answer::Conflict(_) => AppendEntriesResponse::Conflict,
            Answer::HigherVote(vote) => AppendEntriesResponse::HigherVote(vote_from(Some(vote)).map_err(malformed)?),
        })
    }

    async fn vote(&mut self, rpc: VoteRequest<NodeId>, _option: RPCOption) -> Result<VoteResponse<NodeId>, RpcError> {
        let request = wire::RequestVote {
            vote: Some(vote_into(&rpc.vote)),
            last_log_id: rpc.last_log_id.as_ref().map(log_id_into),
        };
        match self.ask(request::Request::RequestVote(request)).await.map_err(unreachable)? {
            response::Response::RequestVote(answer) => Ok(VoteResponse {
                vote: vote_from(answer.vote).map_err(malformed)?,
                vote_granted: answer.granted,
                last_log_id: answer.last_log_id.map(log_id_from),
            }),
            other => Err(unreachable(self.unexpected(Some(other)))),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<NodeId>, StreamingError<Types, Fatal<NodeId>>> {
        metrics::counter!("sayso_store_raft_snapshots_sent_total").increment(1);
        let sent = tokio::select! {
            closed = cancel => return Err(StreamingError::Closed(closed)),
            sent = self.send_snapshot(&vote, snapshot) => sent,
        };
        let answer = sent.map_err(|error| StreamingError::Unreachable(Unreachable::new(&error)))?;
        let vote = vote_from(answer.vote).map_err(|error| StreamingError::Network(NetworkError::new(&error)))?;
        Ok(SnapshotResponse { vote })
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(core::iter::repeat(RETRY))
    }
}

fn unreachable(error: Error) -> RpcError {
    RPCError::Unreachable(Unreachable::new(&error))
}

fn malformed(error: Malformed) -> RpcError {
    RPCError::Network(NetworkError::new(&AnyError::new(&error)))
}
