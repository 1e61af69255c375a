//! [`Purge`]: how this node lets go of what was deleted. It is in three places: in entries of the log, in snapshots that are on
//! their way, and in files that were not rewritten since.

use core::fmt::Display;
use core::time::Duration;
use std::sync::Arc;

use openraft::error::Fatal;

use crate::NodeId;
use crate::machine::Machine;
use crate::types::{LogId, Raft};
use crate::within::{Wait, within};

/// How long this node may take to have applied what is to be purged. Who is farther behind is told when it is asked again.
const APPLIED_WITHIN: Duration = Duration::from_secs(10);
/// How long until the log is cut: a leader does not cut off what is on its way to somebody.
const CUT_WITHIN: Duration = Duration::from_secs(30);
/// How often that is asked for.
const CUT_AGAIN: Duration = Duration::from_millis(50);
/// How long the disk may take to be rewritten, with snapshots that end before: enough for a hundred gigabytes.
const REWRITTEN_WITHIN: Duration = Duration::from_secs(3_600);
/// How long a node that purges may be waited for.
pub(crate) const ANSWERED_WITHIN: Duration = Duration::from_secs(10 + 30 + 3_600 + 10);

/// Purges this node's disk.
pub(crate) struct Purge {
    pub(crate) raft: Raft,
    pub(crate) machine: Arc<Machine>,
    /// Held by whoever rewrites the disk, as that takes all of it.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Purge {
    /// Answers once nothing that was deleted or replaced by the entries up to `upto`, nor one of them, is in a file of this
    /// node; or why not, for people.
    pub(crate) async fn here(&self, upto: LogId) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        let applied = self.raft.wait(Some(APPLIED_WITHIN));
        let applied = applied.applied_index_at_least(Some(upto.index), "a purge").await;
        applied.map_err(|_| format!("it has not applied entry {} in {APPLIED_WITHIN:?}", upto.index))?;
        let cut = within(Wait::CutLog, CUT_WITHIN, self.cut(upto)).await;
        cut.map_err(|_| format!("its log is still on its way to others after {CUT_WITHIN:?}"))?.map_err(told)?;
        let rewritten = within(Wait::RewrittenDisk, REWRITTEN_WITHIN, self.machine.purge()).await;
        rewritten.map_err(|_| format!("its disk is not rewritten after {REWRITTEN_WITHIN:?}"))?.map_err(told)?;
        metrics::counter!("sayso_store_raft_purges_total").increment(1);
        Ok(())
    }

    /// Deletes the entries up to `upto`, also those that are kept for who is a little behind.
    async fn cut(&self, upto: LogId) -> Result<(), Fatal<NodeId>> {
        loop {
            // what a snapshot does not stand for stays, and what is on its way to somebody does for now
            self.raft.trigger().snapshot().await?;
            self.raft.trigger().purge_log(upto.index).await?;
            let wait = self.raft.wait(Some(CUT_AGAIN));
            if wait.metrics(|metrics| metrics.purged >= Some(upto), "a cut log").await.is_ok() {
                return Ok(());
            }
        }
    }
}

fn told(error: impl Display) -> String {
    error.to_string()
}
