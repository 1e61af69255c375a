//! [`within`]: waiting that has a limit. What did not come in time is counted under the name of what was waited for.

use core::time::Duration;

use futures::FutureExt;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// What is waited for, and not for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The answer to a caller's read or commit.
    Answer,
    /// A change of the cluster.
    Change,
    /// The leader's answer to one of the times that it is asked.
    Attempt,
    /// A handshake or a hello.
    Greeting,
    /// A peer's taking what it is told without being waited for.
    Word,
    /// A peer's taking many entries.
    Entries,
    /// A peer's taking a piece of a snapshot.
    SentPiece,
    /// A peer's having installed a snapshot.
    Installed,
    /// The next piece of a snapshot.
    NextPiece,
    /// Another node's taking over.
    HandOver,
    /// Any word of a member.
    Presence,
    /// The log's being cut, for a purge.
    CutLog,
    /// The disk's being rewritten, for a purge.
    RewrittenDisk,
    /// Another node's purge.
    PurgedPeer,
    /// What was answered here, to be seen here before this node closes.
    LastCommits,
    /// The last packets before this node closes.
    LastPackets,
}

impl Wait {
    /// Its name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Answer => "raft_answer",
            Self::Change => "raft_change",
            Self::Attempt => "raft_attempt",
            Self::Greeting => "raft_greeting",
            Self::Word => "raft_word",
            Self::Entries => "raft_entries",
            Self::SentPiece => "raft_sent_piece",
            Self::Installed => "raft_installed",
            Self::NextPiece => "raft_next_piece",
            Self::HandOver => "raft_hand_over",
            Self::Presence => "raft_presence",
            Self::CutLog => "raft_cut_log",
            Self::RewrittenDisk => "raft_rewritten_disk",
            Self::PurgedPeer => "raft_purged_peer",
            Self::LastCommits => "raft_last_commits",
            Self::LastPackets => "raft_last_packets",
        }
    }
}

/// What `work` gives, if it does within `limit`.
pub(crate) fn within<F: Future>(
    wait: Wait,
    limit: Duration,
    work: F,
) -> impl Future<Output = Result<F::Output, Elapsed>> {
    // not an async function: that would keep room for `work` twice
    timeout(limit, work).inspect(move |done| {
        if done.is_err() {
            metrics::counter!("sayso_store_timeouts_total", "wait" => wait.name()).increment(1);
        }
    })
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    const ALL: [Wait; 16] = [
        Wait::Answer,
        Wait::Change,
        Wait::Attempt,
        Wait::Greeting,
        Wait::Word,
        Wait::Entries,
        Wait::SentPiece,
        Wait::Installed,
        Wait::NextPiece,
        Wait::HandOver,
        Wait::Presence,
        Wait::CutLog,
        Wait::RewrittenDisk,
        Wait::PurgedPeer,
        Wait::LastCommits,
        Wait::LastPackets,
    ];

    #[test]
    fn what_does_not_come_in_time_is_counted_by_name_and_what_does_is_not() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                for wait in ALL {
                    assert_eq!(within(wait, Duration::MAX, async { 7 }).await, Ok(7));
                    let counted = format!("sayso_store_timeouts_total{{wait=\"{}\"}} 1", wait.name());
                    assert!(!metrics.render().contains(&counted), "{counted}");
                    assert!(within(wait, Duration::ZERO, core::future::pending::<()>()).await.is_err());
                    assert!(metrics.render().contains(&counted), "{counted} is not in {}", metrics.render());
                }
            });
        });
    }
}
