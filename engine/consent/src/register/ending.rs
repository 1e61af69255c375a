//! The end of the service: announced, started, carried out. See [`shutdown`](crate::shutdown) for the steps.

use core::sync::atomic::Ordering;
use std::sync::Arc;

use sayso_audit::{Actor, Event};
use sayso_store::{Condition, Error as StoreError, Op, Range, Store, TypedKey, Version};
use sayso_types::SubjectId;
use tokio::sync::watch;

use super::Register;
use super::holders::SHUTDOWN;
use crate::erasure::Ground;
use crate::erasure::pending::Pending;
use crate::journal::{About, SHARD};
use crate::notices::{Draft, NoticeKind, Notices};
use crate::shutdown::{Error, Progress, Shutdown};
use crate::tables::{ERASURE, RegisterKey, SHUTDOWN as SCHEMA, ShutdownKey};
use crate::{Entry, Error as RegisterError};

/// People for whom an erasure is begun in one batch: some hundred kilobytes, which hold nobody else up.
const PAGE: usize = 256;

/// Erasures on their way beyond which no more are begun: each look at what is due reads them all.
const ERASING_MAX: usize = 1_024;

/// The end of the service as `store` has it.
pub(super) async fn stored(store: &dyn Store) -> Result<Option<(Shutdown, Version)>, RegisterError> {
    let Some(found) = store.read(&[ShutdownKey { shard: SHARD }.key()]).await?.pop().flatten() else { return Ok(None) };
    let (_, body) = SCHEMA.decode(&found.value).map_err(StoreError::from)?;
    let damaged = |e: serde_json::Error| format!("{:?} at column {}", e.classify(), e.column());
    let shutdown =
        serde_json::from_slice(body).map_err(|e| RegisterError::Damaged { what: "shutdown", found: damaged(e) })?;
    Ok(Some((shutdown, found.version)))
}

/// What writes `next` in place of what was stored at `before`.
fn entry(before: Option<Version>, next: &Shutdown) -> Entry {
    let key = ShutdownKey { shard: SHARD }.key();
    let unchanged = before.map_or(Condition::Absent, Condition::Version);
    let json = serde_json::to_vec(next).expect("plain values are JSON");
    Entry { require: vec![(key.clone(), unchanged)], ops: vec![Op::Put(key, SCHEMA.encode(&json))], ..Entry::default() }
}

impl Register {
    /// Tells whether the service has ended: nothing is collected any more, and whoever talks is to be sent away.
    #[must_use]
    pub fn ended(&self) -> watch::Receiver<bool> {
        self.ended.subscribe()
    }

    /// Whether the service has ended, or its end is being written.
    pub(crate) fn has_ended(&self) -> bool {
        self.is_ending.load(Ordering::Acquire) || *self.ended.borrow()
    }

    /// Announces to everybody that the service ends, with `draft`, whose kind is [`NoticeKind::Shutdown`] whatever it says.
    /// The service may end once its time has passed. What was begun is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// [`Error::Announced`], [`Error::Notice`], or as the register says.
    pub async fn announce_shutdown(self: &Arc<Self>, draft: Draft) -> Result<Shutdown, Error> {
        let register = Arc::clone(self);
        self.to_the_end("announce shutdown", async move { register.announce_now(draft).await }).await?
    }

    async fn announce_now(self: &Arc<Self>, draft: Draft) -> Result<Shutdown, Error> {
        let _turn = self.ending.lock().await;
        if stored(self.store.as_ref()).await?.is_some() {
            return Err(Error::Announced);
        }
        let notice = Notices::new(Arc::clone(self)).send(Draft { kind: NoticeKind::Shutdown, ..draft }, None).await?;
        let shutdown = Shutdown {
            id: SubjectId::random().0,
            notice: notice.id,
            announced_at: notice.made_at,
            not_before: notice.by,
            started_at: None,
            people: 0,
            reached: None,
            is_everybody: false,
            completed_at: None,
        };
        self.journal.append(entry(None, &shutdown)).await.map_err(Error::from)?;
        Ok(shutdown)
    }

    /// Ends the service, as it was announced as `id`: once it is durable no gate lets anything through any more, no permit
    /// and no consent is given, and the erasure of everybody's data has begun. What was begun is finished, also when the
    /// caller does not wait for it.
    ///
    /// # Errors
    /// [`Error::NotAnnounced`], [`Error::TooSoon`], [`Error::Started`], or as the register says.
    pub async fn start_shutdown(self: &Arc<Self>, id: [u8; 16], by: Actor) -> Result<Shutdown, Error> {
        let register = Arc::clone(self);
        let started = async move { register.start_now(id, by).await };
        self.to_the_end("start shutdown", started).await?
    }

    async fn start_now(&self, id: [u8; 16], by: Actor) -> Result<Shutdown, Error> {
        let _turn = self.ending.lock().await;
        let found = stored(self.store.as_ref()).await?;
        let (announced, version) = found.filter(|(shutdown, _)| shutdown.id == id).ok_or(Error::NotAnnounced)?;
        let started = announced.started(self.clock.wall())?;
        let mut entry = entry(Some(version), &started);
        entry.events.push(About::default().by(by, Event::ShutdownStarted { shutdown: started.reference() }));
        // first: what is opened while it is written may follow it in the log
        self.is_ending.store(true, Ordering::Release);
        let written = self.journal.append(entry).await;
        if written.is_ok() {
            self.close_everything();
        }
        self.is_ending.store(false, Ordering::Release);
        written.map_err(Error::from)?;
        Ok(started)
    }

    /// Closes every gate for good.
    fn close_everything(&self) {
        self.ended.send_replace(true);
        // whoever acquires a permit meanwhile looks again after entering it
        for subject in self.holders.subjects() {
            self.holders.take_back_if(subject, SHUTDOWN, |_| true);
        }
    }

    /// How far the end of the service has come; [`None`] when none was announced.
    ///
    /// # Errors
    /// As the register says.
    pub async fn shutdown(&self) -> Result<Option<Progress>, RegisterError> {
        let Some((shutdown, _)) = stored(self.store.as_ref()).await? else { return Ok(None) };
        let pending = if shutdown.is_erasing() { self.due_erasures().await?.len() as u64 } else { 0 };
        Ok(Some(Progress { shutdown, pending }))
    }

    /// Begins the erasure of further people, and completes the shutdown when the last one is certified.
    pub(super) async fn carry_out_shutdown(&self) -> Result<(), RegisterError> {
        if !self.has_ended() {
            return Ok(());
        }
        let _turn = self.ending.lock().await;
        loop {
            let Some((shutdown, version)) = stored(self.store.as_ref()).await? else { return Ok(()) };
            let pending = self.due_erasures().await?.len();
            if !shutdown.is_erasing() || pending >= ERASING_MAX || (shutdown.is_everybody && pending > 0) {
                return Ok(());
            }
            if shutdown.is_everybody {
                let completed = Shutdown { completed_at: Some(self.clock.wall()), ..shutdown };
                let mut entry = entry(Some(version), &completed);
                let event = Event::ShutdownCompleted { shutdown: completed.reference(), people: completed.people };
                entry.events.push(About::default().event(event));
                self.journal.append(entry).await?;
                tracing::info!(people = completed.people, "the service has ended, and everybody's data is erased");
                return Ok(());
            }
            self.erase_more(shutdown, version).await?;
        }
    }

    /// Begins the erasure of the next page of people.
    async fn erase_more(&self, shutdown: Shutdown, version: Version) -> Result<(), RegisterError> {
        let mut range = Range::from(RegisterKey::table());
        if let Some(subject) = shutdown.reached {
            range.start = RegisterKey { subject }.key().successor();
        }
        let page = self.store.scan(range, PAGE).await?;
        let now = self.clock.wall();
        let mut next = Shutdown {
            people: shutdown.people + page.entries.len() as u64,
            is_everybody: page.rest.is_none(),
            ..shutdown
        };
        let mut erasures = Vec::with_capacity(page.entries.len());
        for found in page.entries {
            let RegisterKey { subject } = RegisterKey::parse(&found.key).map_err(StoreError::from)?;
            let pending = Pending::new(None, Ground::Shutdown(next.id), now);
            erasures.push(Op::Put(pending.row(subject), ERASURE.encode(&pending.encode())));
            next.reached = Some(subject);
        }
        let mut entry = entry(Some(version), &next);
        entry.ops.extend(erasures);
        self.journal.append(entry).await?;
        Ok(())
    }
}
