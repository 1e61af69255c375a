//! Votes, names of entries, entries.

use openraft::{CommittedLeaderId, EntryPayload};
use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::entry::Payload;

use super::membership::membership_from;
use super::{Malformed, membership_into, required};
use crate::types::{Entry, LogId, NodeId, Proposal, Vote};

pub(crate) fn vote_into(vote: &Vote) -> wire::Vote {
    wire::Vote { term: vote.leader_id.term, node: vote.leader_id.node_id.0, committed: vote.committed }
}

pub(crate) fn vote_from(vote: Option<wire::Vote>) -> Result<Vote, Malformed> {
    let wire::Vote { term, node, committed } = required(vote, "it has no vote")?;
    Ok(if committed { Vote::new_committed(term, NodeId(node)) } else { Vote::new(term, NodeId(node)) })
}

pub(crate) fn log_id_into(id: &LogId) -> wire::LogId {
    wire::LogId { term: id.leader_id.term, node: id.leader_id.node_id.0, index: id.index }
}

pub(crate) fn log_id_from(id: wire::LogId) -> LogId {
    LogId::new(CommittedLeaderId::new(id.term, NodeId(id.node)), id.index)
}

pub(crate) fn entry_into(entry: &Entry) -> wire::Entry {
    let payload = match &entry.payload {
        EntryPayload::Blank => Payload::Blank(wire::Blank {}),
        EntryPayload::Normal(Proposal(bytes)) => Payload::Proposal(bytes.clone()),
        EntryPayload::Membership(membership) => Payload::Membership(membership_into(membership)),
    };
    wire::Entry { log_id: Some(log_id_into(&entry.log_id)), payload: Some(payload) }
}

pub(crate) fn entry_from(entry: wire::Entry) -> Result<Entry, Malformed> {
    let payload = match required(entry.payload, "an entry has no payload")? {
        Payload::Blank(_) => EntryPayload::Blank,
        Payload::Proposal(bytes) => EntryPayload::Normal(Proposal(bytes)),
        Payload::Membership(membership) => EntryPayload::Membership(membership_from(membership)),
    };
    Ok(Entry { log_id: log_id_from(required(entry.log_id, "an entry has no id")?), payload })
}
