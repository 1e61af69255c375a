//! Telling processors to delete what they were given.

use core::time::Duration;
use std::sync::Arc;

use futures::StreamExt;
use sayso_consent::deletion::{DeletionAnswer, DeletionOrder};
use sayso_provider::{Forget, Forgotten};
use sayso_runtime::TaskKind;

use crate::Egress;

/// How often what is due is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a processor has for an answer; one that needs longer says that it is not done yet.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Processors that are told at once, so that one which does not answer holds up few others.
const TOLD_AT_ONCE: usize = 8;

impl Egress {
    /// Starts telling processors to delete what they were given, for as long as there is somebody else who holds this. Also where
    /// nobody can be told: whoever could be before is given up on when their time is over, and nothing waits for them.
    pub fn start_forgetting(self: &Arc<Self>) {
        let egress = Arc::downgrade(self);
        let deletions = async move {
            while let Some(egress) = egress.upgrade() {
                egress.tell_to_forget().await;
                drop(egress);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        self.tasks.spawn(TaskKind::Upkeep, "deletions", deletions).detach();
    }

    /// Tells every processor what is due: what a second's look does.
    pub async fn tell_to_forget(&self) {
        match self.register.due_deletions().await {
            Ok(due) => {
                let told = futures::stream::iter(due).map(|order| async move { self.tell(&order).await });
                told.buffer_unordered(TOLD_AT_ONCE).collect::<()>().await;
            }
            Err(error) => tracing::warn!(%error, "what processors are to delete could not be read, trying again"),
        }
    }

    async fn tell(&self, order: &DeletionOrder) {
        let Some(forgetter) = self.processors.forgetters.get(&order.processor) else { return };
        let calls = order.segments.iter().map(|segment| segment.0).collect();
        let forget = Forget { id: order.of.0, why: order.why.as_str(), calls, timeout: ANSWER_WITHIN };
        let processor = order.processor;
        match forgetter.forget(&forget).await {
            Ok(Forgotten::Everything { answer }) => {
                if let Err(error) = self.register.deletion_confirmed(order, DeletionAnswer(answer)).await {
                    tracing::warn!(%error, %processor, "that it has deleted could not be recorded, asking again");
                }
            }
            Ok(Forgotten::NotYet) => tracing::debug!(%processor, "it has not deleted everything yet, asking again"),
            Err(error) => {
                metrics::counter!("sayso_deletions_failed_total", "code" => error.code()).increment(1);
                tracing::warn!(%error, %processor, tries = order.tries, "it could not be told to delete, trying again");
            }
        }
    }
}
