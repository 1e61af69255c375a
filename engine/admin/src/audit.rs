//! The `Audit` service: the log as it is, for whoever wants to check it.

use core::time::Duration;
use std::sync::Arc;
use std::vec;

use futures::stream;
use sayso_audit::{Checkpoint, Reference, Signer};
use sayso_consent::Journal;
use sayso_consent::anchor::{Anchored, Standing};
use sayso_consent::journal::SHARD;
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::audit_server::Audit;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use crate::feed::{Feed, Feeds};
use crate::operator::Operator;
use crate::refusal::Refusal;

/// Leaves that are read at once: at a few hundred bytes each, one reader holds well below a megabyte.
const PAGE: u64 = 256;

/// How often a follower looks for new leaves: soon enough for whoever reads them, and a cheap read of an empty range.
const FOLLOW_EVERY: Duration = Duration::from_millis(250);

/// Serves the audit log. Leaves name nobody, so reading them is not on record.
pub(crate) struct AuditService {
    pub(crate) journal: Journal,
    pub(crate) signer: Arc<Signer>,
    pub(crate) feeds: Feeds,
    /// How far witnesses vouch for the log; [`None`] when none are asked.
    pub(crate) anchored: Option<watch::Receiver<Anchored>>,
}

impl AuditService {
    async fn feed(
        &self,
        operator: &Operator,
        request: proto::ReadAuditRequest,
    ) -> Result<Feed<proto::ReadAuditResponse>, Refusal> {
        check_shard(request.shard)?;
        let from = request.from_index;
        let limited = if request.limit == 0 { u64::MAX } else { from.saturating_add(request.limit) };
        let end = if request.follow {
            limited
        } else {
            let (size, _) = self.journal.head().await?;
            if from > size {
                return Err(Refusal::PastTheEnd { size });
            }
            size.min(limited)
        };
        let reader = Reader { journal: self.journal.clone(), next: from, end, page: Vec::new().into_iter() };
        let leaves = stream::unfold(reader, |mut reader| async { Some((reader.next().await.transpose()?, reader)) });
        Ok(self.feeds.open(self.feeds.slot()?, operator, leaves))
    }

    async fn note(&self, request: proto::CheckpointRequest) -> Result<proto::CheckpointResponse, Refusal> {
        check_shard(request.shard)?;
        // before the head, so that it is never of more than that
        let witnessed_note = self.journal.witnessed().await?.unwrap_or_default();
        let (size, root) = self.journal.head().await?;
        Ok(proto::CheckpointResponse { note: Checkpoint::sign(size, root, &self.signer), witnessed_note })
    }

    async fn prove(&self, request: proto::ReceiptRequest) -> Result<proto::ReceiptResponse, Refusal> {
        check_shard(request.shard)?;
        let len = request.reference.len();
        let problem = format!("the id of a consent record or a withdrawal has 16 bytes, this has {len}");
        let reference = request
            .reference
            .try_into()
            .map(Reference)
            .map_err(|_| Refusal::Invalid { field: "reference", problem })?;
        let problem = "no consent was given and no withdrawal is in effect under this id; check it, or ask again later";
        let unknown = Refusal::NotFound { field: "reference", problem };
        let (receipt, is_witnessed) = self.journal.receipt(reference, &self.signer).await?.ok_or(unknown)?;
        Ok(proto::ReceiptResponse { receipt: receipt.encode(), is_witnessed })
    }

    async fn standing(&self, request: proto::WitnessesRequest) -> Result<proto::WitnessesResponse, Refusal> {
        check_shard(request.shard)?;
        let (size, _) = self.journal.head().await?;
        let Some(anchored) = &self.anchored else {
            return Ok(proto::WitnessesResponse { size, ..proto::WitnessesResponse::default() });
        };
        let anchored = anchored.borrow().clone();
        let witnesses = anchored.witnesses.into_iter().map(|witness| standing(witness.name, witness.standing));
        Ok(proto::WitnessesResponse { witnessed_size: anchored.size, size, witnesses: witnesses.collect() })
    }
}

/// A witness's standing in the terms of the API.
fn standing(name: String, standing: Standing) -> proto::WitnessStanding {
    let (state, size, at, problem) = match standing {
        Standing::Unasked => (proto::WitnessState::Unasked, 0, 0, String::new()),
        Standing::Cosigned { size, at } => (proto::WitnessState::Cosigned, size, at.0, String::new()),
        Standing::Failed { error } => (proto::WitnessState::Failed, 0, 0, error.to_string()),
        Standing::Ahead { size } => {
            (proto::WitnessState::Ahead, size, 0, "it has cosigned more leaves than the log has".to_owned())
        }
        Standing::Forked { size } => {
            (proto::WitnessState::Forked, size, 0, "it has cosigned another log of this name".to_owned())
        }
    };
    proto::WitnessStanding { name, state: state.into(), size, cosigned_unix_ms: at, problem }
}

fn check_shard(shard: u32) -> Result<(), Refusal> {
    let problem = "this node keeps the log of shard 0 only; ask for that";
    if shard == SHARD { Ok(()) } else { Err(Refusal::NotFound { field: "shard", problem }) }
}

/// Reads leaves in order, as they come.
struct Reader {
    journal: Journal,
    next: u64,
    /// The first index that is not wanted.
    end: u64,
    page: vec::IntoIter<Vec<u8>>,
}

impl Reader {
    /// The next leaf; waits for it. [`None`] at the end.
    async fn next(&mut self) -> Result<Option<proto::ReadAuditResponse>, Refusal> {
        while self.next < self.end {
            if let Some(leaf) = self.page.next() {
                let index = self.next;
                self.next += 1;
                return Ok(Some(proto::ReadAuditResponse { index, leaf }));
            }
            let wanted = PAGE.min(self.end - self.next) as usize;
            self.page = self.journal.read(self.next, wanted).await?.into_iter();
            if self.page.len() == 0 {
                tokio::time::sleep(FOLLOW_EVERY).await;
            }
        }
        Ok(None)
    }
}

#[tonic::async_trait]
impl Audit for AuditService {
    type ReadStream = Feed<proto::ReadAuditResponse>;

    async fn read(&self, request: Request<proto::ReadAuditRequest>) -> Result<Response<Self::ReadStream>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.feed(&operator, request.into_inner()).await?))
    }

    async fn checkpoint(
        &self,
        request: Request<proto::CheckpointRequest>,
    ) -> Result<Response<proto::CheckpointResponse>, Status> {
        Ok(Response::new(self.note(request.into_inner()).await?))
    }

    async fn receipt(
        &self,
        request: Request<proto::ReceiptRequest>,
    ) -> Result<Response<proto::ReceiptResponse>, Status> {
        Ok(Response::new(self.prove(request.into_inner()).await?))
    }

    async fn witnesses(
        &self,
        request: Request<proto::WitnessesRequest>,
    ) -> Result<Response<proto::WitnessesResponse>, Status> {
        Ok(Response::new(self.standing(request.into_inner()).await?))
    }
}
