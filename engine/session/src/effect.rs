//! What a session wants done.

use core::time::Duration;

use sayso_types::dialogue::{Exchange, Fact, Request};
use sayso_types::{ConsentVersion, NoticeId, Purpose, Redacted, TurnId};
use sayso_wire::{PictureOffer, ToDevice};

/// How the uplink listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture {
    /// Not at all: sound that arrives is dropped unheard, codec state is released.
    Off,
    /// Utterances are found by voice activity.
    Automatic,
    /// Everything until the device says stop is one utterance.
    PushToTalk,
}

/// What a spoken text is, which decides under which label it goes to the voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeechKind {
    /// An answer to the person: their data.
    Answer,
    /// The controller's own words: nobody's data.
    Notice,
}

/// What the consent question asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What one yes grants.
    pub purposes: Vec<Purpose>,
    /// Whether the person agreed to it before, and it has changed since.
    pub again: bool,
}

/// What the person decided about the consent question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Agrees.
    Agree,
    /// Does not agree.
    Refuse,
    /// Gave no answer that could be understood.
    Defer,
}

/// By which means a decision reached the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Spoken; the utterance is the evidence.
    Voice,
    /// Pressed, tapped or typed on the device; what it reported is the evidence.
    Button,
}

/// What a person takes back of what they agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// All of it.
    Everything,
    /// What was asked for this.
    One(Purpose),
    /// That what they say is kept.
    WhatIsKept,
    /// That they are known by their voice, and that it is kept.
    Voice,
}

impl Taken {
    /// The purposes that the consent is to; none for all.
    #[must_use]
    pub fn purposes(&self) -> &[Purpose] {
        match self {
            Self::Everything => &[],
            Self::One(purpose) => core::slice::from_ref(purpose),
            Self::WhatIsKept => &[Purpose::MEMORY, Purpose::HISTORY, Purpose::IMPROVE_VOICE],
            Self::Voice => &[Purpose::SPEAKER_IDENTITY, Purpose::IMPROVE_VOICE],
        }
    }
}

/// Whether the device is spoken to by somebody who is not its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestMode {
    /// A guest is there.
    On,
    /// The guest has left.
    Off,
}

/// Timers. Arming one again moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The answer is due.
    Answer,
    /// The answer to the consent question is due.
    Consent,
    /// The device should have finished playing.
    Playout,
    /// Nothing has happened for long enough to go to sleep.
    Idle,
}

/// A stage of a turn whose duration is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// End of utterance to text.
    Recognise,
    /// Text to the first words of the answer.
    Respond,
    /// First words to the first sound.
    Synthesize,
    /// End of utterance to the first sound: what the person waits.
    Answer,
}

impl Stage {
    /// Its name in metrics and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recognise => "recognise",
            Self::Respond => "respond",
            Self::Synthesize => "synthesize",
            Self::Answer => "answer",
        }
    }
}

/// How a turn ended, for those who count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The person heard the answer out.
    Answered,
    /// The person, or a change of consent, stopped it.
    Interrupted,
    /// It could not be answered, or only in part, for this reason.
    Failed(&'static str),
}

/// Something to be done, in the order given.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send this to the device.
    Tell(ToDevice),
    /// Listen like this from now on.
    Listen(Capture),
    /// Treat the utterance as complete (push to talk).
    EndUtterance,
    /// Recognise the utterance that has just begun, as this turn, for this purpose.
    Transcribe(TurnId, Purpose),
    /// Get an answer.
    Respond(TurnId, Request),
    /// Take in the picture that was offered, and have it looked at.
    View(TurnId, PictureOffer),
    /// Keep this exchange, which began under this version of the consent, beyond the conversation.
    KeepExchange(TurnId, ConsentVersion, Exchange),
    /// Speak this sentence after those of the same turn before it.
    Speak {
        /// The answer's turn.
        turn: TurnId,
        /// Which sentence, from 0.
        sentence: u32,
        /// What to say.
        text: Redacted<String>,
        /// What it is.
        kind: SpeechKind,
    },
    /// No more sentences will come for this turn.
    FinishSpeech(TurnId),
    /// Take no more of this turn's answer from the responder.
    EndReply(TurnId),
    /// Drop everything of this turn: calls, sound waiting to be played, buffers.
    CancelTurn(TurnId),
    /// Put on record that the consent question is being put.
    NoteQuestion(Asked),
    /// Remember that a further layer of the notice is read out while the question is open.
    NoteMore,
    /// Write the person's decision, with the evidence of this turn, and tell the result.
    RecordConsent(TurnId, Decision, Means),
    /// Put on record that the person was shown which policy holds.
    NotePolicy,
    /// Put on record that the person has heard this notice to its end.
    NoticeHeard(NoticeId),
    /// Take consent back, and tell the result.
    Withdraw(Taken, Means),
    /// Have a guest speak from here on, in a session of their own, or the owner again.
    GuestMode(GuestMode),
    /// Keep these facts, all there are, beyond the conversation.
    SaveFacts(Vec<Fact>),
    /// Post [`Event::Timer`](crate::Event::Timer) after this long, unless disarmed or armed again.
    Arm(Timer, Duration),
    /// Forget the timer.
    Disarm(Timer),
    /// A stage took this long.
    Measured(TurnId, Stage, Duration),
    /// A turn is over: count it. Only of turns that were conversation, and of prompts that could not be spoken.
    Ended(TurnId, Ending),
    /// Put the session to sleep; the connection may live on.
    Passivate,
}
