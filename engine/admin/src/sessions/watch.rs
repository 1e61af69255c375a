//! [`Watcher`]: first every session, then every change, for one reader.

use std::collections::{BTreeSet, VecDeque};

use sayso_proto::admin::v1::{Session, SessionChange, WatchSessionsResponse};
use sayso_session_actor::{ActorSessions, Change, Snapshot};
use sayso_types::SessionId;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::{Filter, view};
use crate::refusal::Refusal;

/// Follows the sessions that a filter matches. It holds the ids that its reader has seen, so that a change says
/// "opened" or "updated" as the reader sees it, whatever it missed.
pub(super) struct Watcher {
    sessions: ActorSessions,
    changes: Receiver<(SessionId, Change)>,
    filter: Filter,
    seen: BTreeSet<SessionId>,
    /// Sessions that the reader has still to be shown.
    present: VecDeque<Snapshot>,
    /// Whether the reader has to be told that what it saw no longer counts.
    reset: bool,
}

impl Watcher {
    pub(super) fn new(sessions: ActorSessions, filter: Filter) -> Self {
        // Before the list: a change after it may be told twice, but none is missed.
        let changes = sessions.changes();
        let (seen, present) = Default::default();
        let mut watcher = Self { sessions, changes, filter, seen, present, reset: false };
        watcher.list();
        watcher
    }

    /// How many sessions the reader has seen or is about to see.
    pub(super) fn seen(&self) -> usize {
        self.seen.len()
    }

    /// What the reader has to be told next; waits for it.
    pub(super) async fn next(&mut self) -> Result<WatchSessionsResponse, Refusal> {
        loop {
            if core::mem::take(&mut self.reset) {
                return Ok(WatchSessionsResponse { change: SessionChange::Reset.into(), session: None });
            }
            if let Some(snapshot) = self.present.pop_front() {
                return Ok(told(SessionChange::Present, view::session(&snapshot)));
            }
            match self.changes.recv().await {
                Ok((id, Change::Closed)) => {
                    if self.seen.remove(&id) {
                        let session = Session { session_id: id.to_string(), ..Session::default() };
                        return Ok(told(SessionChange::Closed, session));
                    }
                }
                Ok((id, Change::Opened | Change::Updated)) => {
                    // Gone already: then its closing comes next.
                    let Some(snapshot) = self.sessions.get(id).filter(|s| self.filter.matches(s)) else { continue };
                    let change = if self.seen.insert(id) { SessionChange::Opened } else { SessionChange::Updated };
                    return Ok(told(change, view::session(&snapshot)));
                }
                Err(RecvError::Lagged(missed)) => {
                    metrics::counter!("sayso_admin_watch_missed_total").increment(missed);
                    self.reset = true;
                    self.list();
                }
                Err(RecvError::Closed) => return Err(Refusal::ShuttingDown),
            }
        }
    }

    fn list(&mut self) {
        self.present = self.sessions.list().into_iter().filter(|s| self.filter.matches(s)).collect();
        self.seen = self.present.iter().map(|s| s.session).collect();
    }
}

fn told(change: SessionChange, session: Session) -> WatchSessionsResponse {
    WatchSessionsResponse { change: change.into(), session: Some(session) }
}
