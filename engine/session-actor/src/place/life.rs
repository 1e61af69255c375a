//! [`Life`]: the session's half of a place.

use std::sync::{Arc, Weak};

use ractor::ActorRef;
use sayso_policy::ConsentState;
use sayso_session::Session;

use super::{Place, lock};
use crate::actor::{Arrival, Mail, Message, Speaker};
use crate::directory::Directory;

/// A conversation that nobody runs.
pub(crate) struct Asleep {
    pub(crate) session: Session,
    /// How the subject stood when it fell asleep, or at first when it was put here.
    pub(crate) consent: ConsentState,
}

pub(super) enum Life {
    /// Boxed, so that a place is small while its session is awake.
    Asleep(Box<Asleep>),
    /// An actor has the conversation.
    Awake {
        actor: ActorRef<Message>,
        /// Mail that it has not taken yet.
        waiting: usize,
    },
    /// It is over: what is posted goes nowhere.
    Over,
}

impl Life {
    pub(super) const fn is_awake(&self) -> bool {
        matches!(self, Self::Awake { .. })
    }

    #[expect(clippy::result_large_err, reason = "what could not be posted goes back to be posted again")]
    pub(super) fn post(&mut self, mail: Mail) -> Result<(), Mail> {
        match self {
            Self::Awake { actor, waiting } => {
                // An actor that is no more takes no mail; its `Awake` is about to say what becomes of the place.
                *waiting += usize::from(actor.cast(Message::Mail(mail)).is_ok());
                Ok(())
            }
            Self::Asleep(_) => Err(mail),
            Self::Over => Ok(()),
        }
    }

    /// Whether the session sleeps and knows this already.
    pub(super) fn sleeps_knowing(&self, state: &ConsentState) -> bool {
        matches!(self, Self::Asleep(asleep) if asleep.consent == *state)
    }

    pub(super) fn end(&mut self) {
        if self.post(Mail::End).is_err() {
            *self = Self::Over;
        }
    }
}

impl Place {
    /// Posts to the session, which is first woken with `wake` if it sleeps. Whatever else happens comes before or after.
    pub(crate) fn post_or_wake(&self, mail: Mail, wake: impl FnOnce(Asleep) -> Option<ActorRef<Message>>) {
        let mut life = lock(&self.life);
        let Err(mail) = life.post(mail) else { return };
        if let Life::Asleep(asleep) = core::mem::replace(&mut *life, Life::Over)
            && let Some(actor) = wake(*asleep)
        {
            *life = Life::Awake { actor, waiting: 0 };
            // It is awake, so it is posted.
            let _ = life.post(mail);
        }
    }
}

/// The hold that an actor has on its place. However the actor ends, panics included, the place does not go on without
/// a session: `post_stop` would not run then, dropping does.
pub(crate) struct Awake {
    place: Arc<Place>,
    directory: Weak<Directory>,
    /// Whether the place has its session back, or needs none any more.
    settled: bool,
}

impl Awake {
    pub(crate) fn new(place: Arc<Place>, directory: Weak<Directory>) -> Self {
        metrics::gauge!("sayso_session_awake").increment(1.0);
        Self { place, directory, settled: false }
    }

    pub(crate) const fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Mail was taken out of the mailbox.
    pub(crate) fn took(&self) {
        if let Life::Awake { waiting, .. } = &mut *lock(&self.place.life) {
            *waiting -= 1;
        }
    }

    /// Gives the session back to the place, which wakes it when there is mail. `false` when some waits already: then
    /// `session` is not called, and the actor has to go on.
    pub(crate) fn fall_asleep(&mut self, session: impl FnOnce() -> Asleep) -> bool {
        let mut life = lock(&self.place.life);
        if !matches!(*life, Life::Awake { waiting: 0, .. }) {
            return false;
        }
        *life = Life::Asleep(Box::new(session()));
        self.settled = true;
        true
    }

    /// Gives the session back although it could not start. Mail that waits is lost.
    pub(crate) fn give_up(mut self, asleep: Asleep) {
        *lock(&self.place.life) = Life::Asleep(Box::new(asleep));
        self.settled = true;
    }

    /// The session is over, and somebody else's begins at the device, as `arrival` says.
    pub(crate) fn give_way(&mut self, speaker: Speaker, arrival: Arrival) {
        // without the directory it is the node that ends
        if let Some(directory) = self.directory.upgrade() {
            directory.hand_over(&self.place, speaker, arrival);
        }
        self.end();
    }

    /// The session is over, as it should be.
    pub(crate) fn end(&mut self) {
        *lock(&self.place.life) = Life::Over;
        self.settled = true;
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        metrics::gauge!("sayso_session_awake").decrement(1.0);
        if self.settled {
            return;
        }
        *lock(&self.place.life) = Life::Over;
        // Without the directory it is the node that ends.
        if let Some(directory) = self.directory.upgrade() {
            tracing::error!("a session failed and was ended");
            metrics::counter!("sayso_session_failures_total").increment(1);
            directory.failed(&self.place);
        }
    }
}
