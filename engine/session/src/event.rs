//! What happens to a session.

use sayso_types::dialogue::{Action, Exchange, Fact};
use sayso_types::{ConsentVersion, NoticeId, Purpose, Redacted, TurnId};
use sayso_wire::{ConsentDecision, ListenMode, PictureOffer};

use crate::Taken;

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
    /// Takes it back: the gates are closing, but not everybody who held data has let go of it yet.
    Withdrawing,
    /// Agreed once and took it back.
    Withdrawn,
}

/// What a session knows about consent. It decides what to say and whether to listen, never what may flow: that is the
/// gate's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsentView {
    /// The subject's consent version: new data is labelled with it.
    pub cv: ConsentVersion,
    /// The answer to the consent question.
    pub standing: Standing,
    /// Whether facts may be kept beyond the conversation.
    pub memory: bool,
    /// Whether pictures may be looked at.
    pub pictures: bool,
    /// Whether what is said may be kept beyond the conversation.
    pub history: bool,
    /// What the person agreed to before and has to be asked again, because it has changed.
    pub asks_again: Vec<Purpose>,
}

impl ConsentView {
    /// Whether the conversation that was had under this may not go on under `later`: consent is gone, or was gone in
    /// between, which takes more than one change.
    #[must_use]
    pub const fn has_lapsed(&self, later: &Self) -> bool {
        matches!(self.standing, Standing::Given)
            && (!matches!(later.standing, Standing::Given) || later.cv.0 > self.cv.0.saturating_add(1))
    }
}

/// A notice that the person is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToTell {
    /// Which.
    pub notice: NoticeId,
    /// What is read out, in the language of the conversation.
    pub text: String,
    /// What the device shows meanwhile; empty where there is nothing but what it says.
    pub shown: String,
}

/// Something that happened. Results carry the turn they belong to.
#[derive(Clone, Debug)]
pub enum Event {
    /// The session begins, or wakes.
    Attached {
        /// Where the subject stands.
        consent: ConsentView,
        /// What was remembered from earlier conversations.
        facts: Vec<Fact>,
        /// The latest that was said in earlier conversations, oldest first, if it is kept.
        history: Vec<Exchange>,
    },
    /// What the person is to be told before the conversation goes on. It takes the place of what was to be told before, but of
    /// what is being said.
    Notices(Vec<ToTell>),
    /// The device is gone, or begins anew on another connection: nobody listens and nobody hears.
    Detached,
    /// The device starts to send sound.
    ListenStart(ListenMode),
    /// The device stops sending sound; with push to talk, the utterance is over.
    ListenStop,
    /// The person typed.
    Text(Redacted<String>),
    /// The device has taken a picture.
    Picture(PictureOffer),
    /// What was said about the picture of a turn: all of it, or a reason code.
    Viewed(TurnId, Result<Redacted<String>, &'static str>),
    /// The device says that a guest is there, or has left.
    GuestMode(crate::GuestMode),
    /// It could not be changed who speaks, for this reason.
    GuestModeRefused(&'static str),
    /// The person whose session this is speaks from here on, through a device that somebody else has spoken through.
    Arrived {
        /// How the device listens; `None` when it does not.
        mode: Option<ListenMode>,
        /// The latest turn that the device has heard of.
        after: TurnId,
    },
    /// What was taken back in words is not used from here on, and nothing else tells the person so.
    TakenBack(Taken),
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
    ConsentPressed {
        /// The prompt that is answered.
        prompt_id: String,
        /// What they decided.
        decision: ConsentDecision,
        /// What is taken back; `None` means everything.
        purpose: Option<Purpose>,
    },
    /// Nobody may listen to the person, or not any more, for this reason.
    NotListened(&'static str),
    /// The pipeline hears an utterance begin.
    VoiceStart,
    /// The utterance is complete.
    VoiceEnd,
    /// The utterance is complete, and nothing in it was a voice: somebody held the button and said nothing.
    VoiceNone,
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
    /// The subject's consent changed, by an answer to this session's question or through another door.
    ConsentChanged(ConsentView),
    /// That this session's question is put is on record, which is no answer to it.
    ConsentAsked(ConsentView),
    /// An answer could not be recorded: nothing is allowed that was not allowed before.
    AnswerUnrecorded(&'static str),
    /// A withdrawal could not be recorded: what was open is closed, but the consent stands.
    WithdrawalUnrecorded(&'static str),
    /// Something that this turn was made of was taken back, less than the consent to the conversation.
    OriginTakenBack(TurnId),
    /// A timer that the session armed has run out.
    Timer(crate::Timer),
}
