//! [`Register`]: consent state, and every permit that rests on it.

mod granting;
mod holders;
mod permits;
mod reading;
pub(crate) mod state;
mod withdrawing;

#[cfg(test)]
mod tests;

use core::time::Duration;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sayso_policy::{ConsentState, Profile};
use sayso_runtime::{TaskKind, Tasks};
use sayso_store::{Batch, Condition, Error as StoreError, Op, Store, TypedKey};
use sayso_types::{Clock, DeviceId, SubjectId, TenantId};
use tokio::sync::{MappedMutexGuard, Mutex as AsyncMutex, MutexGuard, broadcast};

pub(crate) use self::holders::Holders;
use self::state::StoredState;
pub use self::withdrawing::Withdrawal;
use crate::tables::{DEVICE, DeviceKey, REGISTER, RegisterKey};
use crate::{Entry, Error, Journal};

/// Limits and deadlines of the register.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a withdrawal waits for the holders of permits to let go before it answers PENDING. Their gates are
    /// closed at once in any case; what is waited for is that buffers are gone.
    pub withdraw_wait: Duration,
    /// Permits in use at once. A session uses at most one a stage.
    pub permits_max: usize,
    /// Changes that may wait for the journal.
    pub journal_queue: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { withdraw_wait: Duration::from_secs(2), permits_max: 100_000, journal_queue: 4_096 }
    }
}

/// Changes of consent that a listener may lag behind before it has to read anew: a burst of a whole fleet's answers.
const CHANGES_WAITING_MAX: usize = 4_096;

/// One subject: its state, under its lock.
pub(crate) struct Subject {
    pub(crate) id: SubjectId,
    state: AsyncMutex<Option<StoredState>>,
}

/// The consent register of the subjects that this node owns.
pub struct Register {
    store: Arc<dyn Store>,
    journal: Journal,
    profile: Arc<Profile>,
    clock: Arc<dyn Clock>,
    options: Options,
    holders: Arc<Holders>,
    subjects: Mutex<HashMap<SubjectId, Weak<Subject>>>,
    changes: broadcast::Sender<(SubjectId, ConsentState)>,
    /// Subjects with a withdrawal that waits for a holder. One entry a subject.
    pending: Mutex<BTreeSet<SubjectId>>,
}

impl core::fmt::Debug for Register {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Register").field("profile", &self.profile.hash()).finish_non_exhaustive()
    }
}

impl Register {
    /// Opens the register in `store` under `profile`: checks the audit log, records the profile if it is new, and
    /// completes withdrawals that a crash interrupted (every permit of that time died with its process).
    ///
    /// # Errors
    /// [`Error::Log`] when the audit log is not what was written; [`Error::Store`] and [`Error::Damaged`] as they say.
    pub async fn open(
        store: Arc<dyn Store>,
        profile: Arc<Profile>,
        clock: Arc<dyn Clock>,
        tasks: Tasks,
        options: Options,
    ) -> Result<Arc<Self>, Error> {
        let journal = Journal::open(Arc::clone(&store), Arc::clone(&clock), &tasks, &profile, options.journal_queue).await?;
        let register = Arc::new(Self {
            holders: Arc::new(Holders::new(journal.clone(), options.permits_max)),
            journal,
            store,
            profile,
            clock,
            options,
            subjects: Mutex::default(),
            changes: broadcast::Sender::new(CHANGES_WAITING_MAX),
            pending: Mutex::default(),
        });
        register.complete_withdrawals().await?;
        tasks.spawn(TaskKind::Upkeep, "permit renewal", permits::renew(Arc::downgrade(&register))).detach();
        Ok(register)
    }

    /// The profile in force.
    #[must_use]
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// The journal that this register writes to.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The subject that `device` speaks for: a new pseudonym at its first contact.
    ///
    /// # Errors
    /// When the store does.
    pub async fn subject_of(&self, tenant: &TenantId, device: &DeviceId) -> Result<SubjectId, Error> {
        let key = DeviceKey::of(tenant, device).key();
        loop {
            if let Some(subject) = self.find_subject(tenant, device).await? {
                return Ok(subject);
            }
            let subject = SubjectId::random();
            let state = StoredState::new(tenant.clone());
            let batch = Batch::new()
                .require(key.clone(), Condition::Absent)
                .put(key.clone(), DEVICE.encode(&subject.0))
                .put(RegisterKey { subject }.key(), REGISTER.encode(&state.encode()));
            match self.store.commit(batch).await {
                Ok(_) => return Ok(subject),
                // The same device came through another door at the same moment.
                Err(StoreError::Conflict { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// The subject that `device` speaks for, if it was ever here.
    ///
    /// # Errors
    /// When the store does.
    pub async fn find_subject(&self, tenant: &TenantId, device: &DeviceId) -> Result<Option<SubjectId>, Error> {
        let mut found = self.store.read(&[DeviceKey::of(tenant, device).key()]).await?;
        let Some(stored) = found.pop().flatten() else { return Ok(None) };
        let (_, body) = DEVICE.decode(&stored.value).map_err(StoreError::from)?;
        let id = body.try_into().map_err(|_| Error::Damaged { what: "device", found: format!("{} bytes", body.len()) })?;
        Ok(Some(SubjectId(id)))
    }

    /// Every change of any subject's consent from here on, as soon as it is durable. Whoever lags has to read anew.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<(SubjectId, ConsentState)> {
        self.changes.subscribe()
    }

    /// How the subject stands now.
    ///
    /// # Errors
    /// When the store does.
    pub async fn state(&self, subject: SubjectId) -> Result<ConsentState, Error> {
        let subject = self.subject(subject);
        let state = self.lock(&subject).await?;
        Ok(state.consent.clone())
    }

    /// The one live entry of a subject. There is never more than one, so its lock orders everything about it.
    fn subject(&self, id: SubjectId) -> Arc<Subject> {
        let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(subject) = subjects.get(&id).and_then(Weak::upgrade) {
            return subject;
        }
        if subjects.len() == subjects.capacity() {
            subjects.retain(|_, subject| subject.strong_count() > 0);
        }
        let subject = Arc::new(Subject { id, state: AsyncMutex::new(None) });
        subjects.insert(id, Arc::downgrade(&subject));
        subject
    }

    /// Takes the subject's lock. The state is read from the store *under* the lock the first time, so that nothing
    /// can change between the reading and the using.
    async fn lock<'a>(&self, subject: &'a Subject) -> Result<MappedMutexGuard<'a, StoredState>, Error> {
        let mut guard = subject.state.lock().await;
        if guard.is_none() {
            let mut found = self.store.read(&[RegisterKey { subject: subject.id }.key()]).await?;
            let none = || Error::Damaged { what: "register", found: "there is none for this subject".into() };
            let stored = found.pop().flatten().ok_or_else(none)?;
            let (_, body) = REGISTER.decode(&stored.value).map_err(StoreError::from)?;
            let state = StoredState::decode(body, stored.version)?;
            *guard = Some(state);
        }
        Ok(MutexGuard::map(guard, |state| state.as_mut().expect("filled above, under the same lock")))
    }

    /// Writes `next` in place of `state`, with `entry`'s records and leaves, in one batch; then tells the watchers.
    /// After an error the state is as it was: the journal resolves unknown outcomes before it answers.
    async fn advance(
        &self,
        subject: &Subject,
        state: &mut StoredState,
        mut next: StoredState,
        mut entry: Entry,
    ) -> Result<(), Error> {
        let key = RegisterKey { subject: subject.id }.key();
        entry.require.push((key.clone(), Condition::Version(state.version)));
        entry.ops.push(Op::Put(key, REGISTER.encode(&next.encode())));
        next.version = self.journal.append(entry).await?;
        *state = next;
        // Nobody listening is fine: then nobody acts on what would have changed.
        let _ = self.changes.send((subject.id, state.consent.clone()));
        Ok(())
    }
}
