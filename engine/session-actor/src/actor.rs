//! [`SessionActor`]: a session that is awake.

use std::sync::{Arc, Weak};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use sayso_consent::Remembered;
use sayso_consent::notices::{self, Notice, Notices};
use sayso_policy::ConsentState;
use sayso_session::{Event, Timer};
use sayso_types::dialogue::Exchange;
use sayso_types::{ConsentVersion, Purpose, SubjectId, TurnId};
use sayso_wire::{GoodbyeReason, ListenMode, ToNode};
use tokio::sync::OwnedSemaphorePermit;

use crate::conversation::{Conversation, Next, Word};
use crate::directory::Directory;
use crate::kept::History;
use crate::options::AFTER_FAILURE;
use crate::place::{Asleep, Awake, Place, goodbye};
use crate::services::Services;

/// What reaches a session from outside, through its place. Sound is not among it: it waits in the place's ring.
pub(crate) enum Mail {
    /// The device says something, which takes room.
    Control(ToNode, OwnedSemaphorePermit),
    /// There are packets in the ring.
    Audio,
    /// The subject's consent changed.
    Consent(ConsentState),
    /// The device connected again.
    Connected,
    /// The device is gone.
    Disconnected,
    /// Somebody else speaks through the device from here on: the session is to end, and theirs to begin.
    GiveWay(Speaker),
    /// The person of this session speaks from here on.
    Arrived(Arrival),
    /// The session is to end.
    End,
}

/// Who speaks through a device.
pub(crate) struct Speaker {
    pub(crate) subject: SubjectId,
    /// Whether they are a guest.
    pub(crate) is_guest: bool,
    /// How they stand.
    pub(crate) consent: ConsentState,
}

/// How a device is that somebody else has spoken through.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrival {
    /// How it listens; `None` when it does not.
    pub(crate) mode: Option<ListenMode>,
    /// What it counts what it sends as.
    pub(crate) counted: TurnId,
    /// The latest turn that it has heard of.
    pub(crate) after: TurnId,
}

/// What reaches a session.
pub(crate) enum Message {
    /// From outside.
    Mail(Mail),
    /// A stage of a turn has a result.
    Event(Event),
    /// A timer ran out; the number tells whether it is the one that is armed.
    Timer(Timer, u64),
    /// Time passes in the middle of an utterance.
    Tick,
    /// What became of the right to listen that has this number.
    Admission(u64, Word),
}

/// Runs one [`Conversation`]. Its handler never waits for anyone.
pub(crate) struct SessionActor;

/// What an actor starts from.
pub(crate) struct Arguments {
    pub(crate) services: Arc<Services>,
    pub(crate) directory: Weak<Directory>,
    pub(crate) place: Arc<Place>,
    pub(crate) asleep: Asleep,
}

impl Actor for SessionActor {
    type Msg = Message;
    type State = Conversation;
    type Arguments = Arguments;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Arguments) -> Result<Conversation, ActorProcessingErr> {
        let Arguments { services, directory, place, asleep } = args;
        let awake = Awake::new(Arc::clone(&place), directory);
        // a conversation that goes on knows itself what was said
        let begins = asleep.session.observe().exchanges == 0;
        match read(&services, place.identity.subject, begins).await {
            Ok(known) => Ok(Conversation::start(services, awake, myself, asleep, known)),
            Err(error) => {
                // Without it nothing could flow. The conversation is kept for when the device comes again.
                tracing::warn!(%error, "a session cannot wake: the consent register cannot be read");
                awake.give_up(asleep);
                let text = "the consent register cannot be read";
                place.close(goodbye(GoodbyeReason::Internal, text, Some(AFTER_FAILURE)));
                Err(error.into())
            }
        }
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        conversation: &mut Conversation,
    ) -> Result<(), ActorProcessingErr> {
        if conversation.handle(message) == Next::Stop {
            myself.stop(None);
        }
        Ok(())
    }
}

/// What is known of a person when their session wakes.
pub(crate) struct Known {
    /// How they stand.
    pub(crate) consent: ConsentState,
    /// What they asked to have remembered.
    pub(crate) remembered: Vec<Remembered>,
    /// The latest that was said in earlier conversations, if this one begins.
    pub(crate) history: Vec<Exchange>,
    /// What they are to be told.
    pub(crate) notices: Vec<Notice>,
}

/// What the person is to be told: also of services that they are about to use and that have a policy of their own.
pub(crate) async fn to_tell(
    services: &Services,
    subject: SubjectId,
    cv: ConsentVersion,
) -> Result<Vec<Notice>, notices::Error> {
    services.egress.introduce(subject, cv).await?;
    Notices::new(Arc::clone(&services.register)).to_tell(subject).await
}

async fn read(services: &Services, subject: SubjectId, begins: bool) -> Result<Known, notices::Error> {
    let consent = services.register.state(subject).await?;
    let remembered = services.register.remembered(subject).await?;
    let agreed = consent.has_agreed(Purpose::HISTORY, services.clock.wall());
    let history = if begins && agreed {
        History::latest(&services.register, subject, services.options.session.history_len).await
    } else {
        Vec::new()
    };
    let notices = to_tell(services, subject, consent.cv).await?;
    Ok(Known { consent, remembered, history, notices })
}
