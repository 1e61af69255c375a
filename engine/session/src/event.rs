//! What happens to a session.

use sayso_types::dialogue::{Action, Fact};
use sayso_types::{ConsentVersion, Redacted, TurnId};
use sayso_wire::{ConsentDecision, ListenMode};

/// Where the subject stands on what the profile's consent question asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Never answered, or asked to be asked later.
    #[default]
    Undecided,
    /// Agreed.
    Given,
    /// Did not agree.
    Refused,
    /// Agreed once and took it back.
    Withdrawn,
}

/// What a session knows about consent. It decides what to say, never what may flow: that is the gate's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsentView {
    /// The subject's consent version: new data is labelled with it.
    pub cv: ConsentVersion,
    /// The answer to the consent question.
    pub standing: Standing,
    /// Whether facts may be kept beyond the conversation.
    pub memory: bool,
}

/// Something that happened. Results carry the turn they belong to.
#[derive(Clone, Debug)]
pub enum Event {
    /// The device is here (again).
    Attached {
        /// Where the subject stands.
        consent: ConsentView,
        /// What was remembered from earlier conversations.
        facts: Vec<Fact>,
    },
    /// The device starts to send sound.
    ListenStart(ListenMode),
    /// The device stops sending sound; with push to talk, the utterance is over.
    ListenStop,
    /// The person typed.
    Text(Redacted<String>),
    /// The person wants quiet.
    Abort,
    /// What the device has played of a turn's answer.
    Playout {
        /// The answer's turn.
        turn: TurnId,
        /// Milliseconds that left the loudspeaker.
        played_ms: u32,
        /// Nothing more of it will be played.
        finished: bool,
    },
    /// The person pressed a button about consent.
    ConsentPressed(ConsentDecision),
    /// The pipeline hears an utterance begin.
    VoiceStart,
    /// The utterance is complete.
    VoiceEnd,
    /// Recognition of a turn ended: the text, or a reason code.
    Transcribed(TurnId, Result<Redacted<String>, &'static str>),
    /// More text of a turn's answer.
    ReplyText(TurnId, Redacted<String>),
    /// The responder found that the person asks something of the engine.
    ReplyAct(TurnId, Action),
    /// The answer's text is complete, or broke off with a reason code.
    ReplyEnd(TurnId, Result<(), &'static str>),
    /// The sound of a sentence starts here in the turn's play-out.
    SentenceAt {
        /// The answer's turn.
        turn: TurnId,
        /// Which sentence, from 0.
        sentence: u32,
        /// Milliseconds from the start of the turn's sound.
        at_ms: u32,
    },
    /// All sound of the turn has been produced, this much in all; or it broke off with a reason code.
    Spoken(TurnId, Result<u32, &'static str>),
    /// The register has recorded a decision; this is the new state.
    ConsentRecorded(ConsentView),
    /// The register could not record a decision; nothing has changed.
    ConsentFailed(&'static str),
    /// Consent changed through another door (the admin API, another device).
    ConsentChanged(ConsentView),
    /// A timer that the session armed has run out.
    Timer(crate::Timer),
}
