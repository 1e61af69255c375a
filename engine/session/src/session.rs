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
//! their own kind. Files: `hearing` (from sound to text), `withdrawing` (what is taken back aloud), `answering` (from text to sound), `ending` (how turns end),
//! `consenting` (the question and every change of consent), `telling` (notices to the person), `viewing` (from a picture to
//! text), `visiting` (guests).

mod answering;
mod consenting;
mod ending;
mod hearing;
mod telling;
#[cfg(test)]
mod tests;
mod turn;
mod viewing;
mod visiting;
mod withdrawing;

use std::collections::VecDeque;
use std::sync::Arc;

use sayso_types::{Mono, Purpose, SessionId, TurnId};
use sayso_wire::{ListenMode, SessionState, ToDevice};

use self::consenting::Asking;
use self::turn::{Kind, Phase, Turn};
use crate::{Answer, Capture, ConsentView, Context, Effect, Event, Options, Standing, Timer, ToTell};

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
    id: SessionId,
    options: Arc<Options>,
    /// When the event happened that is being handled.
    now: Mono,
    consent: ConsentView,
    mode: Option<ListenMode>,
    /// The latest turn id given out.
    latest: TurnId,
    /// The turn that is running; `None` when idle or listening.
    turn: Option<Turn>,
    /// The answer that was running last, while the device may still report what it played of it.
    last: Option<Answer>,
    /// The latest turn that failed.
    failed: Option<TurnId>,
    /// The consent question, while it is open.
    asking: Option<Asking>,
    /// The question that is put again was not answered: this conversation goes on without it.
    put_off: bool,
    /// What the person is to be told before the conversation goes on.
    notices: VecDeque<ToTell>,
    /// Whether whoever uses the device next has yet to be shown which policy holds.
    comes: bool,
    /// Whether it is had with a guest.
    is_guests: bool,
    /// The person has just been told that they speak, and comes next.
    arrives: bool,
    context: Context,
    told: SessionState,
    capture: Capture,
}

impl Session {
    /// The conversation `id`, in which nothing has happened yet. Conversations of one kind share their options.
    #[must_use]
    pub fn new(id: SessionId, options: impl Into<Arc<Options>>) -> Self {
        Self {
            id,
            options: options.into(),
            now: Mono::default(),
            consent: ConsentView::default(),
            mode: None,
            latest: TurnId::default(),
            turn: None,
            last: None,
            failed: None,
            asking: None,
            put_off: false,
            notices: VecDeque::new(),
            comes: true,
            is_guests: false,
            arrives: false,
            context: Context::default(),
            told: SessionState::Idle,
            capture: Capture::Off,
        }
    }

    /// The same, had with a guest.
    #[must_use]
    pub fn of_guest(id: SessionId, options: impl Into<Arc<Options>>) -> Self {
        Self { is_guests: true, ..Self::new(id, options) }
    }

    /// Takes note of what happened at `now`; appends what is to be done to `effects`, in order. Never waits, never
    /// fails: an event that does not fit the state (a result of an older turn, a report about nothing) is ignored.
    pub fn handle(&mut self, event: Event, now: Mono, effects: &mut Vec<Effect>) {
        self.now = now;
        self.shows_policy(&event, effects);
        match event {
            Event::Attached { consent, facts, history } => self.attached(consent, facts, history, effects),
            Event::Notices(notices) => self.has_to_tell(notices, effects),
            Event::Detached => self.detached(effects),
            Event::ListenStart(mode) => self.listen_start(mode, effects),
            Event::ListenStop => self.listen_stop(effects),
            Event::Text(text) => self.typed(text.reveal(), effects),
            Event::Picture(offer) => self.shown(offer, effects),
            Event::Viewed(turn, result) => self.viewed(turn, result, effects),
            Event::GuestMode(wanted) => self.guest_mode(wanted, effects),
            Event::GuestModeRefused(code) => self.guest_mode_refused(code, effects),
            Event::Arrived { mode, after } => self.arrived(mode, after, effects),
            Event::TakenBack(taken) => self.taken_back(taken, effects),
            Event::Abort => self.abort(effects),
            Event::Playout { turn, played_ms, finished } => self.playout(turn, played_ms, finished, effects),
            Event::ConsentPressed { prompt_id, decision, purpose } => {
                self.consent_pressed(&prompt_id, decision, purpose, effects);
            }
            Event::NotListened(code) => self.not_listened(code, effects),
            Event::VoiceStart => self.voice_start(effects),
            Event::VoiceEnd => self.voice_end(effects),
            Event::VoiceNone => self.voice_none(effects),
            Event::Transcribed(turn, result) => self.transcribed(turn, result, effects),
            Event::ReplyText(turn, text) => self.reply_text(turn, text.reveal(), effects),
            Event::ReplyAct(turn, action) => self.reply_act(turn, action, effects),
            Event::ReplyEnd(turn, result) => self.reply_end(turn, result, effects),
            Event::SentenceAt { turn, sentence, at_ms } => self.sentence_at(turn, sentence, at_ms, effects),
            Event::Spoken(turn, result) => self.spoken(turn, result, effects),
            Event::ConsentChanged(view) => self.consent_changed(view, effects),
            Event::ConsentAsked(view) => self.consent_asked(view),
            Event::OriginTakenBack(turn) => self.disown(turn, effects),
            Event::AnswerUnrecorded(reason) => self.answer_unrecorded(reason, effects),
            Event::WithdrawalUnrecorded(reason) => self.withdrawal_unrecorded(reason, effects),
            Event::Timer(timer) => self.timer(timer, effects),
        }
        self.tell_state(effects);
    }

    /// What the person is listened to for while their device sends sound; `None` when nothing that it sends is wanted.
    #[must_use]
    pub fn listens_for(&self) -> Option<Purpose> {
        match self.asking {
            _ if self.mode.is_none() && self.capture == Capture::Off => None,
            Some(_) => Some(Purpose::CONSENT_ANSWER),
            None => self.may_converse().then_some(Purpose::VOICE_INTERACTION),
        }
    }

    /// Whether nothing is going on and nothing is expected, so that it can sleep.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.turn.is_none() && self.asking.is_none() && self.capture == Capture::Off
    }

    /// What may be known of it.
    #[must_use]
    pub fn observe(&self) -> Observed {
        Observed {
            state: self.state(),
            mode: self.mode,
            turn: self.latest,
            consent: self.consent.clone(),
            exchanges: self.context.exchanges(),
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

    /// The running turn, if it is `id` and somebody is answering it.
    fn answering(&mut self, id: TurnId) -> Option<&mut Turn> {
        self.running(id).filter(|t| t.kind == Kind::Conversation && t.understood_at.is_some())
    }

    fn begin(&mut self, kind: Kind, phase: Phase, effects: &mut Vec<Effect>) -> TurnId {
        self.latest = self.latest.next();
        self.turn = Some(Turn::new(self.latest, self.consent.cv, kind, phase));
        effects.push(Effect::Disarm(Timer::Idle));
        self.latest
    }

    fn set_capture(&mut self, capture: Capture, effects: &mut Vec<Effect>) {
        if capture != self.capture {
            self.capture = capture;
            effects.push(Effect::Listen(capture));
        }
    }

    /// Listens anew, also if it listens already: sound from here on has nothing to do with sound before.
    fn listen_anew(&mut self, capture: Capture, effects: &mut Vec<Effect>) {
        self.capture = capture;
        effects.push(Effect::Listen(capture));
    }

    fn may_converse(&self) -> bool {
        self.consent.standing == Standing::Given
    }

    /// Whether the consent question comes before anything else: nothing was agreed to, or what was has changed.
    fn has_to_ask(&self) -> bool {
        self.asking.is_none() && (!self.may_converse() || (!self.consent.asks_again.is_empty() && !self.put_off))
    }

    /// What comes after a turn: the answer to the question just put, the next utterance, or nothing.
    fn rest(&mut self, effects: &mut Vec<Effect>) {
        let capture = match self.mode {
            _ if self.asking.is_none() && !self.may_converse() => Capture::Off,
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

    fn detached(&mut self, effects: &mut Vec<Effect>) {
        self.mode = None;
        self.abort(effects);
    }

    fn abort(&mut self, effects: &mut Vec<Effect>) {
        self.interrupt("abort", effects);
        // Whoever wants quiet while being asked has not decided.
        if self.asking.take().is_some() {
            self.put_off = true;
            effects.push(Effect::Disarm(Timer::Consent));
        }
        self.put_off_notices();
        self.rest(effects);
    }

    fn timer(&mut self, timer: Timer, effects: &mut Vec<Effect>) {
        match timer {
            Timer::Answer => self.fail("answer_timeout", effects),
            Timer::Consent => self.no_consent_answer(effects),
            Timer::Playout => {
                if let Some(turn) = &self.turn {
                    let (id, total) = (turn.id(), turn.answer.total_ms().unwrap_or_default());
                    self.played(id, total, true, effects);
                }
            }
            Timer::Idle if self.is_at_rest() => {
                // Whoever wakes it says how they listen.
                self.mode = None;
                effects.push(Effect::Passivate);
            }
            Timer::Idle => {}
        }
    }
}
