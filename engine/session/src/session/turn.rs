//! [`Turn`]: one utterance and its answer, or one prompt.

use sayso_types::{ConsentVersion, Mono, TurnId};

use crate::Answer;
use crate::sentence::SentenceSplitter;

/// What a turn is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The person says something and is answered.
    Conversation,
    /// The consent question is read out.
    Question,
    /// The person answers the consent question.
    Reply,
    /// The session says something on its own behalf.
    Notice,
    /// The person is told something that whoever answers for their data has to tell them.
    Told,
}

/// Where the turn stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Hearing,
    Thinking,
    Speaking,
}

#[derive(Debug)]
pub(super) struct Turn {
    pub(super) kind: Kind,
    /// The version of the consent under which it began.
    pub(super) cv: ConsentVersion,
    pub(super) phase: Phase,
    pub(super) answer: Answer,
    pub(super) splitter: SentenceSplitter,
    /// End of the utterance: where the person's waiting begins.
    pub(super) asked_at: Option<Mono>,
    /// When the text of the utterance was known.
    pub(super) understood_at: Option<Mono>,
    /// When the first sentence of the answer was known.
    pub(super) worded_at: Option<Mono>,
    /// Something was done about it, so that there need not be an answer in words.
    pub(super) acted: bool,
    /// It is about a picture.
    pub(super) looks: bool,
    /// After this turn the person wants to be left alone.
    pub(super) stop_after: bool,
    /// The device says that it has played all of it.
    pub(super) played_out: bool,
    /// The answer broke off: it was counted as failed, and what there is of it is said.
    pub(super) broken: bool,
}

impl Turn {
    pub(super) const fn new(id: TurnId, cv: ConsentVersion, kind: Kind, phase: Phase) -> Self {
        Self {
            kind,
            cv,
            phase,
            answer: Answer::new(id),
            splitter: SentenceSplitter::new(),
            asked_at: None,
            understood_at: None,
            worded_at: None,
            acted: false,
            looks: false,
            stop_after: false,
            played_out: false,
            broken: false,
        }
    }

    pub(super) const fn id(&self) -> TurnId {
        self.answer.turn()
    }

    /// Whether somebody is recognising it.
    pub(super) const fn awaits_text(&self) -> bool {
        matches!(self.kind, Kind::Conversation | Kind::Reply) && self.understood_at.is_none()
    }

    /// Whether its end is still to be counted.
    pub(super) fn counts(&self) -> bool {
        self.kind == Kind::Conversation && !self.broken
    }
}
