//! [`SessionActor`]: a session that is awake.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use sayso_policy::ConsentState;
use sayso_session::{Event, Session, Timer};
use sayso_wire::{Goodbye, ToNode};

use crate::conversation::Conversation;
use crate::place::{Life, Place};
use crate::services::Services;

/// What reaches a session. Sound is not among it: it waits in the place's ring.
pub(crate) enum Message {
    /// The device says something.
    Control(ToNode),
    /// There are packets in the ring.
    Audio,
    /// A stage of a turn has a result.
    Event(Event),
    /// A timer ran out; the number tells whether it is the one that is armed.
    Timer(Timer, u64),
    /// The subject's consent changed.
    Consent(ConsentState),
    /// The device connected (again).
    Connected,
    /// The device is gone.
    Disconnected,
    /// No packets came for a while.
    Silence,
    /// The session is to end.
    Close(Goodbye),
}


/// Runs one [`Conversation`]. Handlers never wait for anyone but the consent register's memory.
pub(crate) struct SessionActor;

/// What an actor starts from.
pub(crate) struct Arguments {
    pub(crate) services: Arc<Services>,
    pub(crate) place: Arc<Place>,
    pub(crate) session: Session,
}

impl Actor for SessionActor {
    type Msg = Message;
    type State = Conversation;
    type Arguments = Arguments;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Arguments) -> Result<Conversation, ActorProcessingErr> {
        let subject = args.place.identity.subject;
        let consent = args.services.register.state(subject).await?;
        let facts = args.services.register.facts(subject).await?;
        metrics::gauge!("sayso_session_awake").increment(1.0);
        Ok(Conversation::start(args, myself, consent, facts))
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut Conversation,
    ) -> Result<(), ActorProcessingErr> {
        if state.handle(message) == crate::conversation::Next::Stop {
            state.park();
            myself.stop(None);
        }
        Ok(())
    }
}

/// What must happen however an actor ends, panics included: `post_stop` does not run then, dropping does.
pub(crate) struct Awake(pub(crate) Arc<Place>);

impl Drop for Awake {
    fn drop(&mut self) {
        metrics::gauge!("sayso_session_awake").decrement(1.0);
        let mut life = self.0.life();
        if !matches!(*life, Life::Asleep(_)) {
            *life = Life::Between;
        }
    }
}
