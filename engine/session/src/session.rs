//! [`Session`]: one conversation as a state machine.
//!
//! ```text
//!            ListenStart                 VoiceStart                 VoiceEnd
//!   idle ────────────────▶ listening ────────────────▶ hearing ────────────────▶ thinking
//!     ▲                        ▲  ▲                       ▲                          │ first sound
//!     │ ListenStop, stop       │  └── nothing was said ───┼──────────────────────────┤
//!     │                        │ play-out finished        │ barge-in                 ▼
//!     └────────────────────────┴──────────────────────────┴───────────────────── speaking
//! ```
//!
//! The consent question runs through the same states: its prompt is *spoken*, its answer is *heard*, both as turns of
//! their own kind. Files: `hearing` (from sound to text), `answering` (from text to sound), `consenting` (the
//! question and every change of consent).

mod answering;
mod consenting;
mod hearing;
#[cfg(test)]
mod tests;

use sayso_types::{Mono, TurnId};
use sayso_wire::{ListenMode, SessionState, ToDevice};

use crate::sentence::SentenceSplitter;
use crate::{Answer, Capture, ConsentView, Context, Effect, Event, Options, Standing, Timer};

/// What a turn is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The person says something and is answered.
    Conversation,
    /// The consent question is read out.
    Question,
    /// The person answers the consent question.
    Reply,
    /// The session says something on its own behalf.
    Notice,
}

/// Where the turn stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Hearing,
    Thinking,
    Speaking,
}

/// One utterance and its answer, or one prompt.
#[derive(Debug)]
struct Turn {
    kind: Kind,
    phase: Phase,
    answer: Answer,
    splitter: SentenceSplitter,
    /// End of the utterance: where the person's waiting begins.
    asked_at: Option<Mono>,
    /// When the text of the utterance was known.
    understood_at: Option<Mono>,
    /// When the first sentence of the answer was known.
    worded_at: Option<Mono>,
    /// After this turn the person wants to be left alone.
    stop_after: bool,
    /// No more text is taken: the answer reached its limit.
    full: bool,
}

impl Turn {
    const fn new(id: TurnId, kind: Kind, phase: Phase) -> Self {
        Self {
            kind,
            phase,
            answer: Answer::new(id),
            splitter: SentenceSplitter::new(),
            asked_at: None,
            understood_at: None,
            worded_at: None,
            stop_after: false,
            full: false,
        }
    }

    const fn id(&self) -> TurnId {
        self.answer.turn()
    }
}

/// What the admin API and the logs may know of a session: nothing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// What it is doing.
    pub state: SessionState,
    /// How the device listens; `None` when it does not.
    pub mode: Option<ListenMode>,
    /// The latest turn.
    pub turn: TurnId,
    /// Where the subject stands on consent.
    pub consent: ConsentView,
    /// Exchanges in context.
    pub exchanges: usize,
    /// Facts in context.
    pub facts: usize,
}

/// One conversation. See the module's text for its states.
#[derive(Debug)]
pub struct Session {
    options: Options,
    consent: ConsentView,
    mode: Option<ListenMode>,
    /// The latest turn id given out.
    latest: TurnId,
    /// The turn that is running; `None` when idle or listening.
    turn: Option<Turn>,
    /// The answer that was running last, while the device may still report what it played of it.
    last: Option<Answer>,
    /// How often the consent question was put, while it is open.
    asking: Option<u32>,
    context: Context,
    told: SessionState,
    capture: Capture,
}

impl Session {
    /// A conversation in which nothing has happened yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            consent: ConsentView::default(),
            mode: None,
            latest: TurnId::default(),
            turn: None,
            last: None,
            asking: None,
            context: Context::default(),
            told: SessionState::Idle,
            capture: Capture::Off,
        }
    }

    /// Takes note of what happened at `now`; appends what is to be done to `effects`, in order. Never waits, never
    /// fails: an event that does not fit the state (a result of an older turn, a report about nothing) is ignored.
    pub fn handle(&mut self, event: Event, now: Mono, effects: &mut Vec<Effect>) {
        match event {
            Event::Attached { consent, facts } => {
                self.consent = consent;
                if consent.memory {
                    self.context.set_facts(facts);
                }
            }
            Event::ListenStart(mode) => self.listen_start(mode, effects),
            Event::ListenStop => self.listen_stop(effects),
            Event::Text(text) => self.typed(text.into_inner(), now, effects),
            Event::Abort => self.abort(effects),
            Event::Playout { turn, played_ms, finished } => self.playout(turn, played_ms, finished, effects),
            Event::ConsentPressed(decision) => self.consent_pressed(decision, effects),
            Event::VoiceStart => self.voice_start(effects),
            Event::VoiceEnd => self.voice_end(now, effects),
            Event::Transcribed(turn, result) => self.transcribed(turn, result, now, effects),
            Event::ReplyText(turn, text) => self.reply_text(turn, text.reveal(), now, effects),
            Event::ReplyAct(turn, action) => self.reply_act(turn, action, effects),
            Event::ReplyEnd(turn, result) => self.reply_end(turn, result, now, effects),
            Event::SentenceAt { turn, sentence, at_ms } => self.sentence_at(turn, sentence, at_ms, now, effects),
            Event::Spoken(turn, result) => self.spoken(turn, result, effects),
            Event::ConsentRecorded(view) | Event::ConsentChanged(view) => self.consent_changed(view, effects),
            Event::ConsentFailed(reason) => self.consent_failed(reason, effects),
            Event::Timer(timer) => self.timer(timer, effects),
        }
        self.tell_state(effects);
    }

    /// What may be known of it.
    #[must_use]
    pub fn observe(&self) -> Observed {
        Observed {
            state: self.state(),
            mode: self.mode,
            turn: self.latest,
            consent: self.consent,
            exchanges: self.context.history().len(),
            facts: self.context.facts().len(),
        }
    }

    fn state(&self) -> SessionState {
        match self.turn.as_ref().map(|t| t.phase) {
            Some(Phase::Hearing) => SessionState::Listening,
            Some(Phase::Thinking) => SessionState::Thinking,
            Some(Phase::Speaking) => SessionState::Speaking,
            None if self.capture != Capture::Off => SessionState::Listening,
            None => SessionState::Idle,
        }
    }

    fn tell_state(&mut self, effects: &mut Vec<Effect>) {
        let state = self.state();
        if state != self.told {
            self.told = state;
            effects.push(Effect::Tell(ToDevice::StateChanged { state, turn: self.latest }));
        }
    }

    /// The running turn, if it is `id`.
    fn running(&mut self, id: TurnId) -> Option<&mut Turn> {
        self.turn.as_mut().filter(|t| t.id() == id)
    }

    fn begin(&mut self, kind: Kind, phase: Phase, effects: &mut Vec<Effect>) -> TurnId {
        self.latest = self.latest.next();
        self.turn = Some(Turn::new(self.latest, kind, phase));
        effects.push(Effect::Disarm(Timer::Idle));
        self.latest
    }

    fn set_capture(&mut self, capture: Capture, effects: &mut Vec<Effect>) {
        if capture != self.capture {
            self.capture = capture;
            effects.push(Effect::Listen(capture));
        }
    }

    /// Stops the running turn where it stands. What the person heard of it is kept, by the device's clock.
    fn interrupt(&mut self, reason: &str, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn.take() else { return };
        let id = turn.id();
        effects.push(Effect::CancelTurn(id));
        effects.push(Effect::Disarm(Timer::Answer));
        effects.push(Effect::Disarm(Timer::Playout));
        if turn.phase == Phase::Speaking {
            effects.push(Effect::Tell(ToDevice::SpeechStop { turn: id, reason: reason.to_owned() }));
        }
        self.retire(turn.answer);
    }

    /// Keeps the answer for what the device may still report, and what was heard of it for the model.
    fn retire(&mut self, answer: Answer) {
        self.context.heard(answer.turn(), answer.heard());
        self.last = Some(answer);
    }

    /// What comes after a turn: the answer to the question just put, the next utterance, or nothing.
    fn rest(&mut self, effects: &mut Vec<Effect>) {
        let capture = match self.mode {
            _ if self.asking.is_none() && self.consent.standing != Standing::Given => Capture::Off,
            Some(ListenMode::Auto | ListenMode::Realtime) => Capture::Automatic,
            // With push to talk the person opens the next utterance; without listening nobody does.
            Some(ListenMode::Manual) | None => Capture::Off,
        };
        self.set_capture(capture, effects);
        if self.asking.is_some() {
            effects.push(Effect::Arm(Timer::Consent, self.options.consent_within));
        } else {
            effects.push(Effect::Arm(Timer::Idle, self.options.idle_after));
        }
    }

    /// The turn cannot be answered: tells the device why, and the person in words.
    fn fail(&mut self, code: &'static str, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn.take() else { return };
        let (id, kind) = (turn.id(), turn.kind);
        effects.push(Effect::Failed(id, code));
        effects.push(Effect::CancelTurn(id));
        effects.push(Effect::Disarm(Timer::Answer));
        effects.push(Effect::Tell(ToDevice::Error {
            code: code.to_owned(),
            text: "this turn could not be answered".to_owned(),
            remedy: "try again; if it stays so, the operator finds the reason under this code in the metrics".to_owned(),
            turn: id,
        }));
        self.retire(turn.answer);
        match kind {
            // Saying that the voice fails needs the voice: once is enough.
            Kind::Notice => self.rest(effects),
            Kind::Question | Kind::Reply => {
                self.asking = None;
                self.rest(effects);
            }
            Kind::Conversation => {
                let text = self.options.prompts.failed.clone();
                self.say(Kind::Notice, &text, effects);
            }
        }
    }

    fn abort(&mut self, effects: &mut Vec<Effect>) {
        self.interrupt("abort", effects);
        // Whoever wants quiet while being asked has not decided.
        if self.asking.take().is_some() {
            effects.push(Effect::Disarm(Timer::Consent));
        }
        self.rest(effects);
    }

    fn timer(&mut self, timer: Timer, effects: &mut Vec<Effect>) {
        match timer {
            Timer::Answer => self.fail("answer_timeout", effects),
            Timer::Consent => self.no_consent_answer(effects),
            Timer::Playout => {
                if let Some(turn) = &self.turn {
                    let (id, total) = (turn.id(), turn.answer.total_ms().unwrap_or_default());
                    self.playout(id, total, true, effects);
                }
            }
            Timer::Idle if self.turn.is_none() && self.capture == Capture::Off => effects.push(Effect::Passivate),
            Timer::Idle => {}
        }
    }
}
