//! [`ActorSessions`]: the sessions of this node, by subject.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::FutureExt;
use futures::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorId, ActorRuntime};
use sayso_consent::Register;
use sayso_egress::Egress;
use sayso_runtime::{TaskKind, Tasks};
use sayso_session::{Attach, Attached, DeviceOutlet, Refusal, Session, Sessions};
use sayso_types::{Clock, SessionId, SubjectId};
use sayso_wire::{Goodbye, GoodbyeReason, Limits, ResumeToken, VERSIONS, Welcome};
use tokio::sync::broadcast;

use crate::actor::{Arguments, Message, SessionActor};
use crate::inlet::Inlet;
use crate::observed::{Change, Snapshot};
use crate::place::{Identity, Life, Place};
use crate::services::Services;
use crate::supervisor::Supervisor;
use crate::Options;

/// Changes of sessions that a watcher may lag behind before it has to list anew.
const CHANGES_WAITING_MAX: usize = 1_024;

/// How long a device should wait before it comes again after its session failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Every place of this node.
pub(crate) struct Directory {
    services: Arc<Services>,
    supervisor: Mutex<Option<ActorCell>>,
    places: Mutex<HashMap<SubjectId, Arc<Place>>>,
    actors: Mutex<HashMap<ActorId, SubjectId>>,
    generation: AtomicU64,
}

/// The sessions of this node.
#[derive(Clone)]
pub struct ActorSessions(Arc<Directory>);

impl core::fmt::Debug for ActorSessions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ActorSessions({})", self.0.places().len())
    }
}

impl ActorSessions {
    /// Starts the supervisor and whatever keeps sessions informed of changes of consent.
    ///
    /// # Errors
    /// When the supervisor's actor does not start.
    pub async fn start(
        register: Arc<Register>,
        egress: Arc<Egress>,
        tasks: Tasks,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, ractor::SpawnErr> {
        let changes = broadcast::Sender::new(CHANGES_WAITING_MAX);
        let consent = register.changes();
        let services = Arc::new(Services { register, egress, tasks: tasks.clone(), clock, options, changes });
        let directory = Arc::new(Directory {
            services,
            supervisor: Mutex::default(),
            places: Mutex::default(),
            actors: Mutex::default(),
            generation: AtomicU64::new(0),
        });
        let (supervisor, _) = Actor::spawn(None, Supervisor, Arc::downgrade(&directory)).await?;
        *lock(&directory.supervisor) = Some(supervisor.get_cell());
        let follow = follow_consent(Arc::downgrade(&directory), consent);
        tasks.spawn(TaskKind::Upkeep, "consent changes", follow).detach();
        Ok(Self(directory))
    }

    /// Every session as it stands, by id.
    #[must_use]
    pub fn list(&self) -> Vec<Snapshot> {
        let mut all: Vec<_> = self.0.places().values().map(|place| place.snapshot()).collect();
        all.sort_by_key(|snapshot| snapshot.session);
        all
    }

    /// One session as it stands.
    #[must_use]
    pub fn get(&self, session: SessionId) -> Option<Snapshot> {
        let places = self.0.places();
        places.values().find(|place| place.identity.session == session).map(|place| place.snapshot())
    }

    /// What happens to sessions from here on. Whoever lags has to list anew.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<(SessionId, Change)> {
        self.0.services.changes.subscribe()
    }

    /// Tells every device to come again after `reconnect_in` and ends every session.
    pub fn drain(&self, reconnect_in: Duration) {
        for place in core::mem::take(&mut *self.0.places()).into_values() {
            let goodbye = goodbye(GoodbyeReason::ShuttingDown, "the node is shutting down", Some(reconnect_in));
            if place.post(Message::Close(goodbye.clone())).is_err() {
                place.close(goodbye);
            }
        }
    }
}

impl Sessions for ActorSessions {
    fn attach(&self, device: Attach, outlet: Arc<dyn DeviceOutlet>) -> BoxFuture<'_, Result<Attached, Refusal>> {
        self.0.attach(device, outlet).boxed()
    }
}

impl Directory {
    async fn attach(self: &Arc<Self>, device: Attach, outlet: Arc<dyn DeviceOutlet>) -> Result<Attached, Refusal> {
        let refused = |e: sayso_consent::Error| Refusal::Register(e.to_string());
        let subject = self.services.register.subject_of(&device.tenant, &device.device).await.map_err(refused)?;
        // Without its consent state nothing could flow: then the device had better try again.
        self.services.register.state(subject).await.map_err(refused)?;
        let (place, resumed) = self.place(subject, device)?;
        let generation = self.generation.fetch_add(1, Ordering::Relaxed) + 1;
        let replaced = goodbye(GoodbyeReason::Replaced, "this device connected again", None);
        place.connect(generation, outlet, replaced);
        let _ = place.post(Message::Connected);
        let welcome = self.welcome(&place, resumed);
        let change = if resumed { Change::Updated } else { Change::Opened };
        let _ = self.services.changes.send((place.identity.session, change));
        Ok(Attached { welcome, inlet: Box::new(Inlet { generation, place, directory: Arc::clone(self) }) })
    }

    /// The subject's place: the one it had, if the device can show its token; otherwise a new one.
    fn place(&self, subject: SubjectId, device: Attach) -> Result<(Arc<Place>, bool), Refusal> {
        let mut places = self.places();
        if let Some(place) = places.get(&subject) {
            if device.hello.resume_token.as_ref() == Some(&place.identity.resume) {
                return Ok((Arc::clone(place), true));
            }
            let replaced = goodbye(GoodbyeReason::Replaced, "this device began a new session", None);
            if place.post(Message::Close(replaced.clone())).is_err() {
                place.close(replaced);
            }
        } else if places.len() >= self.services.options.sessions_max {
            metrics::counter!("sayso_session_refused_total").increment(1);
            return Err(Refusal::OverLimit { what: "sessions", limit: self.services.options.sessions_max });
        }
        let (_, prompts) = self.services.prompts(device.hello.language.as_deref());
        let asked = self.services.register.profile().asks().spoken.iter().copied().collect();
        let options = sayso_session::Options { prompts, asked_purposes: asked, ..self.services.options.session.clone() };
        let identity = Identity {
            session: SessionId::random(),
            resume: resume_token(),
            tenant: device.tenant,
            device: device.device,
            subject,
            firmware: device.hello.firmware,
            language: device.hello.language.unwrap_or_default(),
            downlink: device.hello.downlink,
            opened: self.services.clock.wall(),
        };
        let place = Arc::new(Place::new(identity, Session::new(options)));
        places.insert(subject, Arc::clone(&place));
        metrics::gauge!("sayso_session_places").set(places.len() as f64);
        Ok((place, false))
    }

    fn welcome(&self, place: &Place, resumed: bool) -> Welcome {
        Welcome {
            version: VERSIONS[0],
            session_id: place.identity.session,
            resume_token: Some(place.identity.resume.clone()),
            uplink: sayso_wire::AudioFormat::MONO_16K,
            downlink: place.identity.downlink,
            limits: Limits {
                message_bytes_max: sayso_wire::MESSAGE_BYTES_MAX as u32,
                audio_bytes_max: sayso_wire::AUDIO_BYTES_MAX as u32,
                utterance_ms_max: self.services.options.endpoint.max_utterance_ms,
                idle_timeout_ms: self.services.options.resume_within.as_millis() as u32,
            },
            resumed,
        }
    }

    /// Posts to the session, waking it first if it sleeps.
    pub(crate) fn post(self: &Arc<Self>, place: &Arc<Place>, message: Message) {
        let Err(message) = place.post(message) else { return };
        let session = {
            let mut life = place.life();
            match core::mem::replace(&mut *life, Life::Between) {
                Life::Asleep(session) => *session,
                // Somebody else is waking it, or it is just going to sleep: try again through the tasks.
                other => {
                    *life = other;
                    drop(life);
                    return self.post_later(place, message);
                }
            }
        };
        let Some(supervisor) = lock(&self.supervisor).clone() else { return };
        let arguments =
            Arguments { services: Arc::clone(&self.services), place: Arc::clone(place), session };
        match ActorRuntime::spawn_linked_instant(None, SessionActor, arguments, supervisor) {
            Ok((actor, _)) => {
                lock(&self.actors).insert(actor.get_id(), place.identity.subject);
                // It is queued until the actor has started.
                let _ = actor.cast(message);
                *place.life() = Life::Awake(actor);
            }
            Err(error) => {
                tracing::error!(%error, "a session could not be woken");
                place.close(goodbye(GoodbyeReason::Internal, "the session could not be woken", Some(AFTER_FAILURE)));
            }
        }
    }

    fn post_later(self: &Arc<Self>, place: &Arc<Place>, message: Message) {
        let (directory, place) = (Arc::downgrade(self), Arc::clone(place));
        let later = async move {
            tokio::task::yield_now().await;
            if let Some(directory) = directory.upgrade().filter(|d| d.holds(&place)) {
                directory.post(&place, message);
            }
        };
        self.services.tasks.spawn(TaskKind::Call, "post to a waking session", later).detach();
    }

    /// The device is gone: its session stops what it does and is kept for a while.
    pub(crate) fn disconnected(self: &Arc<Self>, place: &Arc<Place>) {
        let _ = place.post(Message::Disconnected);
        let (directory, place, keep) = (Arc::downgrade(self), Arc::clone(place), self.services.options.resume_within);
        let expire = async move {
            tokio::time::sleep(keep).await;
            if let Some(directory) = directory.upgrade().filter(|_| !place.is_connected()) {
                directory.remove(&place);
            }
        };
        self.services.tasks.spawn(TaskKind::Upkeep, "session expiry", expire).detach();
    }

    /// An actor panicked or returned an error: what it held is gone, and the device should begin anew.
    pub(crate) fn failed(&self, actor: ActorId) {
        if let Some(place) = self.ended(actor) {
            self.remove(&place);
            place.close(goodbye(GoodbyeReason::Internal, "the session failed", Some(AFTER_FAILURE)));
        }
    }

    /// An actor ended.
    pub(crate) fn ended(&self, actor: ActorId) -> Option<Arc<Place>> {
        let subject = lock(&self.actors).remove(&actor)?;
        self.places().get(&subject).cloned()
    }

    fn remove(&self, place: &Arc<Place>) {
        let mut places = self.places();
        if places.get(&place.identity.subject).is_some_and(|current| Arc::ptr_eq(current, place)) {
            places.remove(&place.identity.subject);
            metrics::gauge!("sayso_session_places").set(places.len() as f64);
            let _ = self.services.changes.send((place.identity.session, Change::Closed));
        }
    }

    fn holds(&self, place: &Arc<Place>) -> bool {
        self.places().get(&place.identity.subject).is_some_and(|current| Arc::ptr_eq(current, place))
    }

    fn places(&self) -> MutexGuard<'_, HashMap<SubjectId, Arc<Place>>> {
        lock(&self.places)
    }
}

/// Tells sessions of every change of their subject's consent. Asleep or not: who withdraws must be told that it holds.
async fn follow_consent(
    directory: Weak<Directory>,
    mut changes: broadcast::Receiver<(SubjectId, sayso_policy::ConsentState)>,
) {
    loop {
        let changed = match changes.recv().await {
            Ok(change) => vec![change],
            Err(broadcast::error::RecvError::Closed) => return,
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                metrics::counter!("sayso_session_consent_changes_missed_total").increment(missed);
                let Some(directory) = directory.upgrade() else { return };
                directory.read_all().await
            }
        };
        let Some(directory) = directory.upgrade() else { return };
        for (subject, state) in changed {
            let place = directory.places().get(&subject).cloned();
            if let Some(place) = place.filter(|p| p.is_connected()) {
                directory.post(&place, Message::Consent(state));
            }
        }
    }
}

impl Directory {
    async fn read_all(&self) -> Vec<(SubjectId, sayso_policy::ConsentState)> {
        let subjects: Vec<SubjectId> = self.places().keys().copied().collect();
        let mut read = Vec::with_capacity(subjects.len());
        for subject in subjects {
            match self.services.register.state(subject).await {
                Ok(state) => read.push((subject, state)),
                Err(error) => tracing::warn!(%error, "a consent state could not be read"),
            }
        }
        read
    }
}

fn resume_token() -> ResumeToken {
    ResumeToken::new([SessionId::random().0, SessionId::random().0].concat()).expect("32 bytes are a token")
}

fn goodbye(reason: GoodbyeReason, text: &str, reconnect_in: Option<Duration>) -> Goodbye {
    Goodbye { reason, text: text.to_owned(), reconnect_in }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
