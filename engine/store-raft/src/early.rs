//! [`Early`]: sends what a leader appends to the others while its own disk writes, so that a commit waits for one disk and
//! not for two, one after the other.
//!
//! ```text
//!   append ──▶ this disk ─────────────▶ openraft: append entries ──▶ sent already: its answer is this one's
//!      └─────▶ append entries, early ──▶ the others' disks ──────────────┘
//! ```
//!
//! openraft asks the others only once its own disk has answered. What is sent here is the same message as it will send then,
//! and a leader may send it as soon as it likes: it counts itself only once its own disk has it. But it must not lead on in
//! its term after it has lost what it sent, so who starts again has [lost its term](crate::log). What does not arrive, or in
//! another order, is sent by openraft all the same.
//!
//! It also carries what is committed by then, so that under load a node is sent one message a group, and not three.

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use prost::Message;
use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::append_entries_answer::Answer;
use tokio::sync::{oneshot, watch};

use crate::NodeId;
use crate::codec::log_id_into;
use crate::types::{LogId, Vote};

/// Entries of more bytes are not sent twice: for them the network takes longer than the disk.
const EARLY_BYTES_MAX: usize = 256 << 10;

/// Where the answers to a message will be, of those whom it was sent to.
pub(crate) type Answers = HashMap<NodeId, oneshot::Receiver<wire::AppendEntriesAnswer>>;

/// What one of them answers; nothing if it does not.
type Answering = Shared<BoxFuture<'static, Option<wire::AppendEntriesAnswer>>>;

/// The way to everybody else.
pub(crate) struct Early {
    node: NodeId,
    tell: Box<dyn Fn(wire::AppendEntries) -> Answers + Send + Sync>,
    last: watch::Sender<Option<Arc<Word>>>,
}

/// What was sent to the others at once.
pub(crate) struct Word {
    vote: Vote,
    /// The last of its entries: whoever answers that it succeeded has everything up to it.
    pub(crate) last: LogId,
    committed: Option<LogId>,
    answers: HashMap<NodeId, Answering>,
}

impl Early {
    /// That of `node`, which has `tell` send something to all its peers and say where they will answer.
    pub(crate) fn new(node: NodeId, tell: impl Fn(wire::AppendEntries) -> Answers + Send + Sync + 'static) -> Self {
        Self { node, tell: Box::new(tell), last: watch::Sender::default() }
    }

    /// That of `node`, which has no peers.
    #[cfg(test)]
    pub(crate) fn alone(node: NodeId) -> Arc<Self> {
        Arc::new(Self::new(node, |_| Answers::new()))
    }

    /// Whether `node` is this one.
    pub(crate) fn is_from(&self, node: u64) -> bool {
        self.node.0 == node
    }

    /// Sends entries that are appended after `previous`, if this node does so as their leader.
    pub(crate) fn send(&self, previous: Option<LogId>, committed: Option<LogId>, entries: &[wire::Entry], last: LogId) {
        let leader = last.leader_id;
        if leader.node_id != self.node {
            return;
        }
        let message = wire::AppendEntries {
            vote: Some(wire::Vote { term: leader.term, node: leader.node_id.0, committed: true }),
            previous: previous.as_ref().map(log_id_into),
            entries: entries.to_vec(),
            committed: committed.as_ref().map(log_id_into),
        };
        if message.encoded_len() <= EARLY_BYTES_MAX {
            metrics::counter!("sayso_store_raft_early_total").increment(1);
            let answers = (self.tell)(message).into_iter();
            let answers = answers.map(|(node, answer)| (node, answer.map(Result::ok).boxed().shared())).collect();
            let vote = Vote::new_committed(leader.term, leader.node_id);
            self.last.send_replace(Some(Arc::new(Word { vote, last, committed, answers })));
        }
    }

    /// What was sent last.
    pub(crate) fn last(&self) -> Option<Arc<Word>> {
        self.last.borrow().clone()
    }

    /// Waits until something is sent under `vote` that carries `committed` or more.
    pub(crate) async fn next(&self, vote: &Vote, committed: Option<LogId>) -> Option<Arc<Word>> {
        let mut last = self.last.subscribe();
        let sent = last.wait_for(|word| word.as_ref().is_some_and(|word| word.carries(vote, committed))).await;
        sent.ok()?.clone()
    }
}

impl Word {
    /// Whether it was sent under `vote` and says that `committed` or more is committed.
    pub(crate) fn carries(&self, vote: &Vote, committed: Option<LogId>) -> bool {
        self.vote == *vote && self.committed >= committed
    }

    /// What `node` answers to it; nothing if it does not.
    pub(crate) async fn answer(&self, node: NodeId) -> Option<Answer> {
        self.answers.get(&node)?.clone().await?.answer
    }
}

impl fmt::Debug for Early {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Early").field(&self.node).finish()
    }
}

#[cfg(test)]
mod tests {
    use openraft::CommittedLeaderId;

    use super::*;

    const ME: NodeId = NodeId(1);
    const OTHER: NodeId = NodeId(2);

    fn log_id(term: u64, index: u64) -> LogId {
        LogId::new(CommittedLeaderId::new(term, ME), index)
    }

    /// One whose peer answers everything that it is sent.
    fn answered() -> Early {
        Early::new(ME, |_| {
            let (answered, answer) = oneshot::channel();
            let success = Some(Answer::Success(wire::Blank {}));
            answered.send(wire::AppendEntriesAnswer { answer: success }).expect("is waited for");
            Answers::from([(OTHER, answer)])
        })
    }

    #[tokio::test]
    async fn a_word_says_what_it_was_sent_with_and_has_an_answer_of_whom_it_was_sent_to() {
        let early = answered();
        assert!(early.last().is_none());
        early.send(None, Some(log_id(3, 4)), &[], log_id(3, 5));
        let word = early.last().expect("is sent");
        assert_eq!(word.last, log_id(3, 5));
        let vote = Vote::new_committed(3, ME);
        assert!(word.carries(&vote, Some(log_id(3, 4))) && word.carries(&vote, None));
        assert!(!word.carries(&vote, Some(log_id(3, 5))), "more is committed by now");
        assert!(!word.carries(&Vote::new_committed(4, ME), None), "it leads in another term by now");
        assert_eq!(word.answer(OTHER).await, Some(Answer::Success(wire::Blank {})));
        assert_eq!(word.answer(NodeId(3)).await, None, "it was not connected");
    }

    #[tokio::test]
    async fn what_is_committed_waits_for_a_word_that_says_so() {
        let early = answered();
        let vote = Vote::new_committed(3, ME);
        let mut next = core::pin::pin!(early.next(&vote, Some(log_id(3, 5))));
        early.send(None, Some(log_id(3, 4)), &[], log_id(3, 5));
        assert!(futures::poll!(&mut next).is_pending());
        early.send(Some(log_id(3, 5)), Some(log_id(3, 5)), &[], log_id(3, 6));
        assert_eq!(next.await.expect("is sent").last, log_id(3, 6));
    }

    #[test]
    fn who_follows_sends_nothing() {
        let early = answered();
        early.send(None, None, &[], LogId::new(CommittedLeaderId::new(3, OTHER), 5));
        assert!(early.last().is_none());
    }
}
