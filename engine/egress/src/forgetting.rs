//! Telling processors to delete what they were given.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use sayso_consent::deletion::{DeletionAnswer, DeletionOrder};
use sayso_provider::{Error, Forget, Forgotten};
use sayso_runtime::TaskKind;
use sayso_types::ProcessorId;

use crate::Egress;

/// How often what is due is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a processor has for an answer; one that needs longer says that it is not done yet.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Orders that one processor is told at once.
const TOLD_AT_ONCE: usize = 8;

/// How long a processor that did not answer is left alone: what else it is to be told would fail like what it was told.
const REST: Duration = Duration::from_secs(60);

impl Egress {
    /// Starts telling processors to delete what they were given, for as long as there is somebody else who holds this. Each is
    /// told by itself: one that does not answer holds up no other. Also where nobody can be told: whoever could be before is
    /// given up on when their time is over, and nothing waits for them.
    pub fn start_forgetting(self: &Arc<Self>) {
        let egress = Arc::downgrade(self);
        let deletions = async move {
            let (mut telling, mut busy) = (FuturesUnordered::new(), BTreeSet::new());
            while let Some(egress) = egress.upgrade() {
                for (processor, orders) in egress.due(&busy).await {
                    busy.insert(processor);
                    let egress = Arc::clone(&egress);
                    telling.push(async move {
                        let answers = egress.tell(processor, orders).await;
                        drop(egress);
                        if !answers {
                            tokio::time::sleep(REST).await;
                        }
                        processor
                    });
                }
                drop(egress);
                let look = tokio::time::sleep(LOOK_EVERY);
                tokio::pin!(look);
                loop {
                    tokio::select! {
                        () = &mut look => break,
                        Some(processor) = telling.next() => busy.remove(&processor),
                    };
                }
            }
        };
        self.tasks.spawn(TaskKind::Upkeep, "deletions", deletions).detach();
    }

    /// What processors that are not `busy` are to be told.
    async fn due(&self, busy: &BTreeSet<ProcessorId>) -> BTreeMap<ProcessorId, Vec<DeletionOrder>> {
        let mut due: BTreeMap<_, Vec<_>> = BTreeMap::new();
        match self.register.due_deletions(busy).await {
            Ok(orders) => orders.into_iter().for_each(|order| due.entry(order.processor).or_default().push(order)),
            Err(error) => tracing::warn!(%error, "what processors are to delete could not be read, trying again"),
        }
        due
    }

    /// Tells `processor` what it is to delete; `false` as soon as it does not answer, when the rest is left for later.
    async fn tell(&self, processor: ProcessorId, orders: Vec<DeletionOrder>) -> bool {
        let told = futures::stream::iter(orders).map(|order| async move { self.give(processor, &order).await });
        told.buffer_unordered(TOLD_AT_ONCE).all(core::future::ready).await
    }

    /// Gives one order; whether others may be given after it.
    async fn give(&self, processor: ProcessorId, order: &DeletionOrder) -> bool {
        let Some(forgetter) = self.processors.forgetters.get(&processor) else { return false };
        match self.register.deletion_requested(order).await {
            Ok(true) => {}
            Ok(false) => return true,
            Err(error) => {
                tracing::warn!(%error, %processor, "that it is told to delete could not be recorded, trying again");
                return false;
            }
        }
        let calls = order.segments.iter().map(|segment| segment.0).collect();
        let forget = Forget { id: order.of.0, why: order.why.as_str(), calls, timeout: ANSWER_WITHIN };
        match forgetter.forget(&forget).await {
            Ok(Forgotten::Everything { answer }) => {
                if let Err(error) = self.register.deletion_confirmed(order, DeletionAnswer(answer)).await {
                    tracing::warn!(%error, %processor, "that it has deleted could not be recorded, asking again");
                }
                true
            }
            Ok(Forgotten::NotYet) => {
                tracing::debug!(%processor, "it has not deleted everything yet, asking again");
                true
            }
            Err(error) => {
                metrics::counter!("sayso_deletions_failed_total", "code" => error.code()).increment(1);
                tracing::warn!(%error, %processor, tries = order.tries, "it could not be told to delete, trying again");
                // what is wrong with one order need not be wrong with the next
                matches!(error, Error::Rejected(_) | Error::Malformed(_))
            }
        }
    }
}
