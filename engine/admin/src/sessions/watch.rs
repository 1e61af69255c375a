//! [`Watcher`]: first every session, then what changes, for one reader.

use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use sayso_proto::admin::v1::{Session, SessionChange, WatchSessionsResponse};
use sayso_session_actor::{ActorSessions, Change};
use sayso_types::SessionId;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Filter, view};
use crate::refusal::Refusal;

/// How long changes are gathered before they are told. A session that talks changes with every packet; whoever looks
/// on cannot follow more than a few changes a second.
const GATHER: Duration = Duration::from_millis(250);

/// Follows the sessions that a filter matches. What it tells comes from comparing what is there with what its reader
/// has seen, so it is right whatever was missed in between.
pub(super) struct Watcher {
    sessions: ActorSessions,
    changes: Receiver<(SessionId, Change)>,
    filter: Filter,
    /// Cancelled when there is no time left to gather.
    shutdown: CancellationToken,
    seen: BTreeSet<SessionId>,
    /// What is still to be told.
    telling: VecDeque<WatchSessionsResponse>,
}

impl Watcher {
    pub(super) fn new(sessions: ActorSessions, filter: Filter, shutdown: CancellationToken) -> Self {
        // Before the first look: what changes after it may be told twice, but is not missed.
        let changes = sessions.changes();
        let (seen, telling) = (BTreeSet::new(), VecDeque::new());
        let mut watcher = Self { sessions, changes, filter, shutdown, seen, telling };
        watcher.look(SessionChange::Present, &Changed::default());
        watcher
    }

    /// How many sessions the reader knows of.
    pub(super) fn seen(&self) -> usize {
        self.seen.len()
    }

    /// What the reader has to be told next; waits for it.
    pub(super) async fn next(&mut self) -> Result<WatchSessionsResponse, Refusal> {
        loop {
            if let Some(told) = self.telling.pop_front() {
                return Ok(told);
            }
            let changed = self.gather().await?;
            self.look(SessionChange::Opened, &changed);
        }
    }

    /// Waits for a change, and takes with it those that follow soon.
    async fn gather(&mut self) -> Result<Changed, Refusal> {
        let mut changed = Changed::default();
        match self.changes.recv().await {
            Ok((id, _)) => changed.add(id),
            Err(RecvError::Lagged(missed)) => changed.miss(missed),
            Err(RecvError::Closed) => return Err(Refusal::ShuttingDown),
        }
        tokio::select! {
            () = sleep(GATHER) => {}
            () = self.shutdown.cancelled() => {}
        }
        loop {
            match self.changes.try_recv() {
                Ok((id, _)) => changed.add(id),
                Err(TryRecvError::Lagged(missed)) => changed.miss(missed),
                // Closed shows again when the next change is waited for.
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(changed),
            }
        }
    }

    /// Compares what is there with what the reader has seen. What is new to them is told as `new`.
    fn look(&mut self, new: SessionChange, changed: &Changed) {
        let there: Vec<_> = self.sessions.list().into_iter().filter(|s| self.filter.matches(s)).collect();
        let ids: BTreeSet<_> = there.iter().map(|s| s.session).collect();
        let closed = self.seen.difference(&ids).map(|id| {
            let session = Session { session_id: id.to_string(), ..Session::default() };
            told(SessionChange::Closed, session)
        });
        self.telling.extend(closed);
        for snapshot in &there {
            if !self.seen.contains(&snapshot.session) {
                self.telling.push_back(told(new, view::session(snapshot)));
            } else if changed.has(snapshot.session) {
                self.telling.push_back(told(SessionChange::Updated, view::session(snapshot)));
            }
        }
        self.seen = ids;
    }
}

/// Sessions that changed.
#[derive(Default)]
struct Changed {
    ids: BTreeSet<SessionId>,
    /// Which others did is not known.
    missed: bool,
}

impl Changed {
    fn add(&mut self, id: SessionId) {
        self.ids.insert(id);
    }

    fn miss(&mut self, missed: u64) {
        metrics::counter!("sayso_admin_watch_missed_total").increment(missed);
        self.missed = true;
    }

    fn has(&self, id: SessionId) -> bool {
        self.missed || self.ids.contains(&id)
    }
}

fn told(change: SessionChange, session: Session) -> WatchSessionsResponse {
    WatchSessionsResponse { change: change.into(), session: Some(session) }
}
