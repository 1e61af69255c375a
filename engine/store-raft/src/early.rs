//! [`Early`]: sends what a leader appends to the others while its own disk writes, so that a commit waits for one disk and
//! not for two, one after the other.
//!
//! ```text
//!   append ──▶ this disk ─────────────▶ openraft: append entries ──▶ there already: answered from memory
//!      └─────▶ append entries, early ──▶ the others' disks
//! ```
//!
//! openraft asks the others only once its own disk has answered. What is sent here is the same message as it will send then,
//! and a leader may send it as soon as it likes: it counts itself only once its own disk has it. But it must not lead on in
//! its term after it has lost what it sent, so who starts again has [lost its term](crate::log). What does not arrive, or in
//! another order, is sent by openraft all the same.

use core::fmt;

use prost::Message;
use sayso_proto::peer::v1 as wire;

use crate::NodeId;
use crate::codec::log_id_into;
use crate::types::LogId;

/// Entries of more bytes are not sent twice: for them the network takes longer than the disk.
const EARLY_BYTES_MAX: usize = 256 << 10;

/// The way to everybody else.
pub(crate) struct Early {
    node: NodeId,
    tell: Box<dyn Fn(wire::AppendEntries) + Send + Sync>,
}

impl Early {
    /// That of `node`, which has `tell` send something to all its peers, and forget about it.
    pub(crate) fn new(node: NodeId, tell: impl Fn(wire::AppendEntries) + Send + Sync + 'static) -> Self {
        Self { node, tell: Box::new(tell) }
    }

    /// Whether `node` is this one.
    pub(crate) fn is_from(&self, node: u64) -> bool {
        self.node.0 == node
    }

    /// Sends entries that are appended after `previous`, if this node does so as their leader.
    pub(crate) fn send(&self, previous: Option<LogId>, entries: &[wire::Entry]) {
        let Some(leader) = entries.first().and_then(|entry| entry.log_id).filter(|id| self.is_from(id.node)) else {
            return;
        };
        let message = wire::AppendEntries {
            vote: Some(wire::Vote { term: leader.term, node: leader.node, committed: true }),
            previous: previous.as_ref().map(log_id_into),
            entries: entries.to_vec(),
            committed: None,
        };
        if message.encoded_len() <= EARLY_BYTES_MAX {
            metrics::counter!("sayso_store_raft_early_total").increment(1);
            (self.tell)(message);
        }
    }
}

impl fmt::Debug for Early {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Early").field(&self.node).finish()
    }
}
