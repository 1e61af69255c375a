//! [`Directory`]: the places of this node, by subject.

use core::time::Duration;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ractor::{ActorCell, ActorRef, ActorRuntime};
use sayso_consent::visits::DeviceOf;
use sayso_policy::ConsentState;
use sayso_runtime::TaskKind;
use sayso_session::{Attach, Attached, DeviceOutlet, Refusal};
use sayso_types::{Purpose, SessionId, SubjectId};
use sayso_wire::{GoodbyeReason, Hello, Limits, ResumeToken, ToDevice, VERSIONS, Welcome};
use tokio::sync::broadcast;

use crate::actor::{Arguments, Arrival, Mail, Message, SessionActor, Speaker};
use crate::inlet::Inlet;
use crate::observed::Change;
use crate::options::AFTER_FAILURE;
use crate::place::{Asleep, Identity, Link, Place, goodbye};
use crate::services::Services;

/// Every place of this node.
pub(crate) struct Directory {
    pub(crate) services: Arc<Services>,
    supervisor: ActorCell,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    by_subject: HashMap<SubjectId, Arc<Place>>,
    /// No device gets a session any more.
    draining: bool,
}

impl Directory {
    pub(crate) fn new(services: Services, supervisor: ActorCell) -> Self {
        Self { services: Arc::new(services), supervisor, places: Mutex::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.places().by_subject.len()
    }

    /// Every place.
    pub(crate) fn all(&self) -> Vec<Arc<Place>> {
        self.places().by_subject.values().map(Arc::clone).collect()
    }

    /// The place of this session.
    pub(crate) fn find(&self, session: SessionId) -> Option<Arc<Place>> {
        self.places().by_subject.values().find(|place| place.identity.session == session).map(Arc::clone)
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<(SessionId, Change)> {
        self.services.changes.subscribe()
    }

    pub(crate) async fn attach(
        self: &Arc<Self>,
        device: Attach,
        outlet: Arc<dyn DeviceOutlet>,
    ) -> Result<Attached, Refusal> {
        if *self.services.register.ended().borrow() {
            return Err(Refusal::ServiceEnded);
        }
        let refused = |e: sayso_consent::Error| Refusal::Register(e.to_string());
        let device_of = (device.tenant.clone(), device.device.clone());
        // Without its consent state nothing could flow: then the device had better try again.
        let speaker = self.speaker(&device_of).await.map_err(refused)?;
        let (subject, is_guest) = (speaker.subject, speaker.is_guest);
        let Seat { place, generation, resumed, replaced, earlier } = self.seat(speaker, device, outlet)?;
        if let Some(earlier) = earlier {
            earlier.close(goodbye(GoodbyeReason::Replaced, "this device connected again", None));
        }
        if let Some(replaced) = replaced {
            self.close(&replaced, GoodbyeReason::Replaced, "this device began a new session", None);
        }
        // What the session did for an earlier connection is over. One that sleeps does nothing.
        let _ = place.post(Mail::Connected);
        self.services.tell(place.identity.session, if resumed { Change::Updated } else { Change::Opened });
        let welcome = self.welcome(&place, resumed);
        if is_guest {
            place.tell(who_speaks(&place));
        }
        // Whoever came to speak meanwhile found no place here to give way.
        let visitor = self.services.register.visit(&device_of.0, &device_of.1).map(|visit| visit.subject);
        if visitor != Some(subject).filter(|_| is_guest) {
            self.speaker_changed(&device_of).await;
        }
        Ok(Attached { welcome, inlet: Box::new(Inlet::new(place, generation, Arc::clone(self))) })
    }

    /// Who speaks through `device`.
    async fn speaker(&self, (tenant, device): &DeviceOf) -> Result<Speaker, sayso_consent::Error> {
        let register = &self.services.register;
        let visit = register.visit(tenant, device);
        let is_guest = visit.is_some();
        let subject = match visit {
            Some(visit) => visit.subject,
            None => register.subject_of(tenant, device).await?,
        };
        Ok(Speaker { subject, is_guest, consent: register.state(subject).await? })
    }

    /// Connects the device to its place: the one it had, if it shows its token; otherwise a new one.
    fn seat(&self, speaker: Speaker, device: Attach, outlet: Arc<dyn DeviceOutlet>) -> Result<Seat, Refusal> {
        let Speaker { subject, is_guest, consent } = speaker;
        let Attach { tenant, device, hello } = device;
        let languages = self.services.languages.under(&self.services.register.profile(), &self.services.options);
        let language = languages.choose(hello.language.as_deref());
        let limit = self.services.options.sessions_max;
        let mut places = self.places();
        if places.draining {
            return Err(Refusal::ShuttingDown);
        }
        let is_full = places.by_subject.len() >= limit;
        let entry = places.by_subject.entry(subject);
        if let Entry::Occupied(entry) = &entry {
            let place = Arc::clone(entry.get());
            let its_own = hello.resume_token.as_ref() == Some(&place.identity.resume);
            // A conversation is had in one language.
            if its_own && Arc::ptr_eq(&place.identity.language, language) {
                let (earlier, generation) = connect(&place, outlet, &hello);
                return Ok(Seat { place, generation, resumed: true, replaced: None, earlier });
            }
        } else if is_full {
            metrics::counter!("sayso_session_refused_total").increment(1);
            return Err(Refusal::OverLimit { what: "sessions", limit });
        }
        let identity = Identity {
            session: SessionId::random(),
            resume: resume_token(),
            tenant,
            device,
            subject,
            is_guest,
            language: Arc::clone(language),
            opened: self.services.clock.wall(),
        };
        let place = Arc::new(Place::new(identity, Link::new(&hello), consent));
        let (earlier, generation) = connect(&place, outlet, &hello);
        let replaced = match entry {
            Entry::Occupied(mut entry) => Some(entry.insert(Arc::clone(&place))),
            Entry::Vacant(entry) => {
                entry.insert(Arc::clone(&place));
                None
            }
        };
        gauge(&places);
        Ok(Seat { place, generation, resumed: false, replaced, earlier })
    }

    fn welcome(&self, place: &Place, resumed: bool) -> Welcome {
        let (uplink, downlink) = {
            let link = place.link();
            (link.uplink, link.downlink)
        };
        Welcome {
            version: VERSIONS[0],
            session_id: place.identity.session,
            resume_token: Some(place.identity.resume.clone()),
            uplink,
            downlink,
            limits: Limits {
                message_bytes_max: sayso_wire::MESSAGE_BYTES_MAX as u32,
                audio_bytes_max: sayso_wire::AUDIO_BYTES_MAX as u32,
                utterance_ms_max: self.services.options.endpoint.max_utterance_ms,
                // A session never ends a connection for its silence.
                idle_timeout_ms: 0,
            },
            resumed,
        }
    }

    /// Posts to the session, waking it first if it sleeps.
    pub(crate) fn post(self: &Arc<Self>, place: &Arc<Place>, mail: Mail) {
        place.post_or_wake(mail, |asleep| self.wake(place, asleep));
    }

    fn wake(self: &Arc<Self>, place: &Arc<Place>, asleep: Asleep) -> Option<ActorRef<Message>> {
        let arguments = Arguments {
            services: Arc::clone(&self.services),
            directory: Arc::downgrade(self),
            place: Arc::clone(place),
            asleep,
        };
        // How its start went, it says itself: see `Awake`.
        match ActorRuntime::spawn_linked_instant(None, SessionActor, arguments, self.supervisor.clone()) {
            Ok((actor, _)) => Some(actor),
            Err(error) => {
                tracing::error!(%error, "a session could not be woken");
                None
            }
        }
    }

    /// A subject's consent changed.
    pub(crate) fn consent_changed(self: &Arc<Self>, subject: SubjectId, state: ConsentState) {
        let Some(place) = self.places().by_subject.get(&subject).map(Arc::clone) else { return };
        let is_over = |place: &Place| {
            let Identity { tenant, device, .. } = &place.identity;
            self.services.register.visit(tenant, device).is_none_or(|visit| visit.subject != subject)
        };
        if place.identity.is_guest && is_over(&place) {
            // it gives way, and nobody is there any more who would have to hear that nothing is open
            return;
        }
        if place.fresh_since < state.stale_before {
            // What it remembers of the person was put right, restricted, given back or erased: it begins anew.
            if self.remove(&place, |_| true) {
                self.close(&place, GoodbyeReason::Done, "what is held of you has changed", Some(AFTER_FAILURE));
            }
            return;
        }
        if place.sleeps_knowing(&state) {
            return;
        }
        let may_converse = state.status(Purpose::VOICE_INTERACTION).is_valid();
        if place.link().is_connected() {
            // Asleep or not: who withdraws must be told that it holds.
            self.post(&place, Mail::Consent(state));
        } else if place.post(Mail::Consent(state)).is_err() && !may_converse {
            // Nobody is there to be told, and what was said is not kept for when they come back.
            if self.remove(&place, |_| true) {
                self.end(&place);
            }
        }
    }

    /// Somebody else may speak through `device` from here on: whose session it had gives way to theirs.
    pub(crate) async fn speaker_changed(self: &Arc<Self>, device: &DeviceOf) {
        let is_its = |place: &Arc<Place>| (&place.identity.tenant, &place.identity.device) == (&device.0, &device.1);
        for place in self.all().into_iter().filter(is_its) {
            match self.speaker(device).await {
                Ok(speaker) if speaker.subject == place.identity.subject => {}
                Ok(speaker) => {
                    if let Err(Mail::GiveWay(speaker)) = place.post(Mail::GiveWay(speaker)) {
                        let arrival = Arrival { after: place.seen().conversation.turn, ..Arrival::default() };
                        self.hand_over(&place, speaker, arrival);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "who speaks cannot be read: the device has to come again");
                    if self.remove(&place, |_| true) {
                        self.close(&place, GoodbyeReason::Internal, "somebody else may speak", Some(AFTER_FAILURE));
                    }
                }
            }
        }
    }

    /// Ends the session of `place`, and begins one of `speaker` on its connection, if it has one. Its device is as `arrival` says.
    pub(crate) fn hand_over(self: &Arc<Self>, place: &Arc<Place>, speaker: Speaker, arrival: Arrival) {
        let Speaker { subject, is_guest, consent } = speaker;
        if !self.remove(place, |_| true) {
            return;
        }
        place.end();
        self.services.tell(place.identity.session, Change::Closed);
        let languages = self.services.languages.under(&self.services.register.profile(), &self.services.options);
        let Identity { resume, tenant, device, language, .. } = &place.identity;
        let identity = Identity {
            session: SessionId::random(),
            // the device knows no other
            resume: resume.clone(),
            tenant: tenant.clone(),
            device: device.clone(),
            subject,
            is_guest,
            language: Arc::clone(languages.choose(Some(language.name.as_str()))),
            opened: self.services.clock.wall(),
        };
        let next = {
            let (mut places, mut link) = (self.places(), place.link());
            if places.draining || places.by_subject.contains_key(&subject) {
                // the node stops, or the device has come again already
                link.close(goodbye(GoodbyeReason::Replaced, "somebody else speaks", Some(AFTER_FAILURE)));
                return;
            }
            let Some(handed) = link.hand_over() else { return };
            let next = Arc::new(Place::new(identity, handed, consent));
            link.goes_on_at(Arc::clone(&next));
            places.by_subject.insert(subject, Arc::clone(&next));
            gauge(&places);
            next
        };
        next.tell(who_speaks(&next));
        self.post(&next, Mail::Arrived(arrival));
        self.services.tell(next.identity.session, Change::Opened);
    }

    /// The device is gone: its session stops what it does and is kept for a while.
    pub(crate) fn disconnected(self: &Arc<Self>, place: &Arc<Place>) {
        let _ = place.post(Mail::Disconnected);
        self.services.tell(place.identity.session, Change::Updated);
        let (directory, expiring, keep) =
            (Arc::downgrade(self), Arc::downgrade(place), self.services.options.resume_within);
        let expire = async move {
            tokio::time::sleep(keep).await;
            if let (Some(directory), Some(place)) = (directory.upgrade(), expiring.upgrade())
                && directory.remove(&place, |place| !place.link().is_connected())
            {
                directory.end(&place);
            }
        };
        let expiry = self.services.tasks.spawn(TaskKind::Upkeep, "session expiry", expire);
        place.link().expiry = Some(expiry);
    }

    /// The session's actor panicked or could not go on: what it held is gone, and the device should begin anew.
    pub(crate) fn failed(&self, place: &Arc<Place>) {
        self.remove(place, |_| true);
        self.close(place, GoodbyeReason::Internal, "the session failed", Some(AFTER_FAILURE));
    }

    /// Tells every device to come again and ends every session.
    pub(crate) fn drain(&self, reconnect_in: Duration) {
        self.end_all("the node is shutting down", Some(reconnect_in));
    }

    /// Tells every device that the service has ended, and ends every session.
    pub(crate) fn end_service(&self) {
        self.end_all("the service has ended", None);
    }

    fn end_all(&self, text: &str, reconnect_in: Option<Duration>) {
        let places = {
            let mut places = self.places();
            places.draining = true;
            let taken = core::mem::take(&mut places.by_subject);
            gauge(&places);
            taken
        };
        for place in places.values() {
            self.close(place, GoodbyeReason::ShuttingDown, text, reconnect_in);
        }
    }

    /// Ends the session of a place that was removed, telling the device why.
    fn close(&self, place: &Place, reason: GoodbyeReason, text: &str, reconnect_in: Option<Duration>) {
        place.close(goodbye(reason, text, reconnect_in));
        self.end(place);
    }

    /// Ends the session of a place that was removed, and a visit with it where the policy says so.
    fn end(&self, place: &Place) {
        place.end();
        self.services.tell(place.identity.session, Change::Closed);
        let register = &self.services.register;
        let Identity { tenant, device, subject, is_guest, .. } = &place.identity;
        let is_theirs = |visit: sayso_consent::visits::Visit| visit.subject == *subject;
        if *is_guest
            && register.profile().visits().end_with_session
            && register.visit(tenant, device).is_some_and(is_theirs)
        {
            let (register, tenant, device) = (Arc::clone(register), tenant.clone(), device.clone());
            let ends = async move {
                if let Err(error) = register.end_visit(&tenant, &device).await {
                    tracing::warn!(%error, "a visit did not end with its session; it ends when its time is over");
                }
            };
            self.services.tasks.spawn(TaskKind::Upkeep, "end of a visit", ends).detach();
        }
    }

    /// Removes `place`, if it is still there and `when` says so.
    fn remove(&self, place: &Arc<Place>, when: impl FnOnce(&Place) -> bool) -> bool {
        let mut places = self.places();
        let current = places.by_subject.get(&place.identity.subject).is_some_and(|current| Arc::ptr_eq(current, place));
        if !current || !when(place) {
            return false;
        }
        places.by_subject.remove(&place.identity.subject);
        gauge(&places);
        true
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Its children end with it.
        self.supervisor.stop(None);
    }
}

/// Where a device was put.
struct Seat {
    place: Arc<Place>,
    generation: u64,
    /// Whether it goes on with the session that it had.
    resumed: bool,
    /// The session that it gave up by coming without its token.
    replaced: Option<Arc<Place>>,
    /// The connection that it had.
    earlier: Option<Arc<dyn DeviceOutlet>>,
}

/// Connects a device; its earlier connection, and the number of the new one.
fn connect(place: &Place, outlet: Arc<dyn DeviceOutlet>, hello: &Hello) -> (Option<Arc<dyn DeviceOutlet>>, u64) {
    let mut link = place.link();
    (link.connect(outlet, hello), link.generation())
}

/// What tells a device who is spoken with.
fn who_speaks(place: &Place) -> ToDevice {
    let Identity { is_guest, language, .. } = &place.identity;
    let prompts = &language.session.prompts;
    let (code, text) =
        if *is_guest { ("guest_mode", &prompts.guest_mode) } else { ("guest_mode_off", &prompts.guest_mode_off) };
    ToDevice::Notice { code: code.to_owned(), text: text.clone() }
}

fn gauge(places: &Places) {
    metrics::gauge!("sayso_session_places").set(places.by_subject.len() as f64);
}

fn resume_token() -> ResumeToken {
    ResumeToken::new([SessionId::random().0, SessionId::random().0].concat()).expect("32 bytes are a token")
}
