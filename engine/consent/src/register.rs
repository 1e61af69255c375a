//! [`Register`]: consent state, and every permit that rests on it.

mod announcing;
mod anonymising;
mod answering;
mod asking;
mod deleting;
mod demanded;
mod due;
mod ending;
mod erasing;
mod exempting;
mod expiring;
mod exporting;
mod filing;
mod granting;
mod growing;
mod guarding;
mod holders;
mod holding;
mod instructing;
mod introducing;
mod keeping;
mod lending;
mod letting_go;
mod letting_read;
pub(crate) mod noting;
mod parting;
mod permits;
mod purging;
mod reading;
mod redacting;
mod remaining;
pub(crate) mod remembering;
mod retaining;
mod revising;
mod revoking;
mod serving;
mod showing;
pub(crate) mod state;
pub(crate) mod switching;
pub(crate) mod tagging;
mod unbinding;
mod upkeep;
mod visiting;
mod watching;
mod withdrawing;

#[cfg(test)]
mod tests;

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use core::time::Duration;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwap;
use sayso_policy::{ConsentState, Profile, Revisions};
use sayso_runtime::{TaskKind, Tasks};
use sayso_store::{Batch, Condition, Error as StoreError, Op, Store, TypedKey};
use sayso_types::{Clock, DeviceId, Mono, ProcessorId, SubjectId, TenantId};
use sayso_vault::Vault;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, RwLock, broadcast, oneshot, watch};

pub(crate) use self::holders::{Holder, Holders};
use self::holding::Holds;
pub use self::lending::Fenced;
pub use self::noting::Configured;
pub use self::parting::PARTS_MAX;
pub use self::redacting::TakesOut;
use self::serving::Served;
use self::state::StoredState;
pub use self::switching::Thrown;
pub(crate) use self::upkeep::Look;
pub use self::withdrawing::Withdrawal;
use crate::tables::{DEVICE, DeviceKey, REGISTER, RegisterKey};
use crate::visits::{DeviceOf, Visits};
use crate::volume::Volumes;
use crate::{Entry, Error, Journal, Tenure, format, switch, tenants};

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
    /// How long this process owns the register.
    pub tenure: Tenure,
    /// Whether somebody serves [what is announced](crate::notices::Notices::announced) to everybody.
    pub has_page: bool,
    /// The processors that somebody tells to delete, as [`Register::due_deletions`] says. Of those a certificate waits for
    /// their answer.
    pub deletes: BTreeSet<ProcessorId>,
    /// How long they have for it.
    pub confirm_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            withdraw_wait: Duration::from_secs(2),
            permits_max: 100_000,
            journal_queue: 4_096,
            tenure: Tenure::sole(),
            has_page: false,
            deletes: BTreeSet::new(),
            confirm_within: Duration::from_secs(86_400),
        }
    }
}

/// Changes of consent that a listener may lag behind before it has to read anew: a burst of a whole fleet's answers.
const CHANGES_WAITING_MAX: usize = 4_096;

/// A subject whose turn it is: nothing else changes it or issues permits for it for as long as this lives.
pub(crate) struct Subject {
    id: SubjectId,
    pub(crate) state: StoredState,
    /// The moment before the state was read.
    asked_at: Mono,
    _turn: OwnedMutexGuard<()>,
}

impl Subject {
    pub(crate) const fn id(&self) -> SubjectId {
        self.id
    }
}

/// The consent register of the subjects that this node owns.
pub struct Register {
    pub(crate) store: Arc<dyn Store>,
    /// Seals what is personal in the store.
    vault: Arc<Vault>,
    journal: Journal,
    /// The policy in its revisions, and what they allow.
    revisions: ArcSwap<Revisions>,
    /// Held by whoever changes the rules: puts a revision or an exemption in force or ends one, throws a switch.
    publishing: AsyncMutex<()>,
    /// Whose tenant is on record.
    served: Served,
    /// The newest revision of the policy, also while it is being put in force.
    coming: AtomicU32,
    /// Whether the service has ended: nothing passes any more, and nothing is agreed to.
    ended: watch::Sender<bool>,
    /// Whether that is being written: nobody is told, and nothing more is opened.
    is_ending: AtomicBool,
    /// Held by whoever carries out erasures.
    erasing: AsyncMutex<purging::Pace>,
    /// Held by whoever takes the end of the service a step further.
    ending: AsyncMutex<()>,
    /// Held by whoever spreads notices.
    pub(crate) spreading: AsyncMutex<()>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    pub(crate) options: Options,
    holders: Arc<Holders>,
    /// The lock of each subject that somebody is waiting for or has.
    turns: Mutex<HashMap<SubjectId, Weak<AsyncMutex<()>>>>,
    changes: broadcast::Sender<(SubjectId, ConsentState)>,
    /// Subjects with a withdrawal that is not yet in effect, and the permits that were taken back for it.
    pending: Mutex<HashMap<SubjectId, Vec<Arc<Holder>>>>,
    /// What laws demand to be kept. Whoever ends or erases something reads it until that is on record.
    holds: RwLock<Holds>,
    /// How much goes to each processor today.
    volumes: Arc<Volumes>,
    /// Held by whoever counts a person whose data goes overseas for the first time in a year.
    crossing: AsyncMutex<()>,
    /// Held by whoever counts people whose data is anonymised, or releases the counts.
    counting: AsyncMutex<()>,
    /// Held by whoever begins or ends a visit.
    visiting: AsyncMutex<()>,
    /// Who visits which device.
    visits: Mutex<Visits>,
    speakers: broadcast::Sender<DeviceOf>,
    /// Whether everything that is stored is marked for when it ends under the policy in force.
    is_marked: AtomicBool,
    /// Before then nothing ends of what is filed at the desks: milliseconds since the Unix epoch.
    filed_from: AtomicU64,
}

impl core::fmt::Debug for Register {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Register").field("profile", &self.profile().hash()).finish_non_exhaustive()
    }
}

impl Register {
    /// Opens the register in `store`, whose personal data `vault` seals, under `profile`, which is the policy that was
    /// in force before or its next revision: checks the audit log, records which profile is in force, and completes
    /// withdrawals that a crash interrupted (every permit of that time died with its process, or with its tenure).
    ///
    /// # Errors
    /// [`Error::Newer`] when a newer program has used the store; [`Error::Revision`] when `profile` is one that people are
    /// to be told of first, or older than the one that was in force, or another policy; [`Error::Log`] when the audit log
    /// is not what was written; [`Error::OtherVault`] when the keys are not those of this store; [`Error::Vault`],
    /// [`Error::Store`] and [`Error::Damaged`] as they say.
    pub async fn open(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        profile: Arc<Profile>,
        clock: Arc<dyn Clock>,
        tasks: Tasks,
        options: Options,
    ) -> Result<Arc<Self>, Error> {
        // before anything is written: whoever does not know all that is here would lose some of it
        let raised = format::raised(store.as_ref()).await?;
        let (revisions, mut changes) = revising::opened(store.as_ref(), Arc::clone(&profile), clock.wall()).await?;
        let switches = switching::switches_in(store.as_ref()).await?;
        switching::count_off(&switches);
        let instructed = tenants::stored::tenants_in(store.as_ref()).await?;
        let revisions = revisions.with_registry(tenants::added_to(switch::registry(&switches), &instructed));
        let revisions = revisions.with_exemptions(exempting::stored(store.as_ref()).await?);
        let ended = ending::stored(store.as_ref()).await?.is_some_and(|(shutdown, _)| shutdown.started_at.is_some());
        let (written, limit) = (Arc::clone(&store), options.journal_queue);
        changes.ops.extend(raised);
        let journal = Journal::open(written, Arc::clone(&clock), &tasks, &revisions, changes, limit).await?;
        let holds = RwLock::new(Holds::stored(store.as_ref()).await?);
        let (visits, rule) = (visiting::visits_in(store.as_ref()).await?, revisions.newest().visits());
        let visits = visiting::at_start(visits, rule.end_with_session, clock.wall());
        let volumes = Arc::new(Volumes::stored(store.as_ref(), clock.wall()).await?);
        let register = Arc::new(Self {
            holders: Arc::new(Holders::new(journal.clone(), options.permits_max)),
            journal,
            store,
            vault,
            coming: AtomicU32::new(revisions.newest().rev()),
            revisions: ArcSwap::from_pointee(revisions),
            publishing: AsyncMutex::default(),
            served: Served::default(),
            ended: watch::Sender::new(ended),
            is_ending: AtomicBool::new(false),
            erasing: AsyncMutex::default(),
            ending: AsyncMutex::default(),
            spreading: AsyncMutex::default(),
            clock,
            tasks,
            options,
            turns: Mutex::default(),
            changes: broadcast::Sender::new(CHANGES_WAITING_MAX),
            pending: Mutex::default(),
            holds,
            volumes,
            crossing: AsyncMutex::default(),
            counting: AsyncMutex::default(),
            visiting: AsyncMutex::default(),
            visits: Mutex::new(Visits::stored(visits)),
            speakers: broadcast::Sender::new(CHANGES_WAITING_MAX),
            is_marked: AtomicBool::new(false),
            filed_from: AtomicU64::new(0),
        });
        register.enter_vault().await?;
        register.restore_loans().await?;
        register.complete_withdrawals().await?;
        register.look_after();
        Ok(register)
    }

    /// The newest revision of the policy.
    #[must_use]
    pub fn profile(&self) -> Arc<Profile> {
        Arc::clone(self.revisions.load().newest())
    }

    /// The policy in its revisions.
    #[must_use]
    pub fn revisions(&self) -> Arc<Revisions> {
        self.revisions.load_full()
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
            let state = StoredState::new(tenant.clone(), self.new_tag_key(subject).await?);
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
        let id =
            body.try_into().map_err(|_| Error::Damaged { what: "device", found: format!("{} bytes", body.len()) })?;
        Ok(Some(SubjectId(id)))
    }

    /// Whose devices the subject speaks to; [`None`] for somebody who was never here.
    ///
    /// # Errors
    /// When the store does.
    pub async fn tenant_of(&self, subject: SubjectId) -> Result<Option<TenantId>, Error> {
        let mut found = self.store.read(&[RegisterKey { subject }.key()]).await?;
        Ok(found
            .pop()
            .flatten()
            .map(|stored| StoredState::of(&stored))
            .transpose()?
            .map(|state| state.tenant().clone()))
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
        Ok(self.read(subject).await?.consent)
    }

    /// What the register holds of `subject`, as it is stored.
    pub(crate) async fn read(&self, subject: SubjectId) -> Result<StoredState, Error> {
        let mut found = self.store.read(&[RegisterKey { subject }.key()]).await?;
        self.opened_state(subject, found.pop().flatten().ok_or(Error::UnknownSubject)?).await
    }

    /// Waits for the subject's turn, and reads its state within it, so that nothing can change between the reading and
    /// the using.
    pub(crate) async fn lock(&self, id: SubjectId) -> Result<Subject, Error> {
        let turn = self.turn(id).lock_owned().await;
        let asked_at = self.clock.now();
        Ok(Subject { id, state: self.read(id).await?, asked_at, _turn: turn })
    }

    /// As [`lock`](Self::lock); [`None`] for somebody who was forgotten for good, of whom nothing is left but a mark.
    pub(crate) async fn lock_known(&self, id: SubjectId) -> Result<Option<Subject>, Error> {
        match self.lock(id).await {
            Ok(subject) => Ok(Some(subject)),
            Err(Error::UnknownSubject) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The one lock of a subject.
    fn turn(&self, id: SubjectId) -> Arc<AsyncMutex<()>> {
        let mut turns = lock(&self.turns);
        if let Some(turn) = turns.get(&id).and_then(Weak::upgrade) {
            return turn;
        }
        if turns.len() == turns.capacity() {
            turns.retain(|_, turn| turn.strong_count() > 0);
            // Room for as many again: what is forgotten is looked for once in as many turns, not in each.
            let live = turns.len();
            turns.reserve(live + 1);
        }
        let turn = Arc::new(AsyncMutex::new(()));
        turns.insert(id, Arc::downgrade(&turn));
        turn
    }

    /// Writes `next` in place of the subject's state, with `entry`'s records and leaves, in one batch; then tells the
    /// watchers. After an error nothing has changed, unless the journal has stopped: then nothing ever will.
    pub(crate) async fn advance(
        &self,
        subject: &mut Subject,
        mut next: StoredState,
        mut entry: Entry,
    ) -> Result<(), Error> {
        let key = RegisterKey { subject: subject.id }.key();
        entry.require.push((key.clone(), Condition::Version(subject.state.version)));
        entry.ops.push(Op::Put(key, REGISTER.encode(&next.encode())));
        next.version = self.append_of([&*subject], entry).await?;
        subject.state = next;
        // Nobody listening is fine: then nobody acts on what would have changed.
        let _ = self.changes.send((subject.id, subject.state.consent.clone()));
        Ok(())
    }

    /// Does `work` to its end, whether or not whoever asked for it goes on waiting: two changes of a subject never
    /// overlap, and no half of one depends on a connection.
    pub(crate) async fn to_the_end<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, outcome) = oneshot::channel();
        let work = async move {
            // What a caller who left does not take is dropped, and so a lease is released.
            let _ = done.send(work.await);
        };
        self.tasks.spawn(TaskKind::Storage, name, work).detach();
        // Gone without an answer: the process is ending.
        outcome.await.map_err(|_| Error::Stopped)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
