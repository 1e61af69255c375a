//! [`Conversation`]: a session with everything that carries out its effects. `hearing` has the way in, `admission` the right
//! to take it, `consenting` what goes to the consent register, `keeping` what is kept of it.

mod admission;
mod consenting;
mod hearing;
mod keeping;
mod writes;

use std::collections::VecDeque;
use std::sync::Arc;

use ractor::ActorRef;
use sayso_consent::{Lineage, Remembered};
use sayso_egress::Context;
use sayso_policy::ConsentState;

use sayso_runtime::TaskHandle;
use sayso_session::{Capture, Effect, Ending, Event, GuestMode, Session};
use sayso_types::dialogue::Fact;
use sayso_types::{Category, Purpose, TurnId};
use sayso_wire::ToNode;
use tokio::sync::OwnedSemaphorePermit;

use self::admission::Admission;
pub(crate) use self::admission::Word;
use self::consenting::Put;
use self::hearing::Hearing;
use self::writes::Writes;
use crate::actor::{Arrival, Known, Mail, Message};
use crate::observed::Change;
use crate::place::{Asleep, Awake, Place, Seen};
use crate::reply;
use crate::services::Services;
use crate::speech::{Sentence, Speaking};
use crate::timers::Timers;
use crate::viewing;

/// Whether the actor goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    GoOn,
    Stop,
}

pub(crate) struct Conversation {
    services: Arc<Services>,
    actor: ActorRef<Message>,
    session: Session,
    /// How the subject stands.
    consent: ConsentState,
    /// What the latest turn that called somebody was made of.
    lineage: (TurnId, Lineage),
    /// What was asked for, while the question is open.
    question: Option<Put>,
    /// The fingerprint of what the device last reported of a press or of typing.
    reported: Option<[u8; 32]>,
    /// What is remembered of the person, each with the moment at which it was said.
    remembered: Vec<Remembered>,
    /// The room of what the device said, while it is handled.
    room: Option<Arc<OwnedSemaphorePermit>>,
    writes: Writes,
    /// What is kept: a withdrawal does not wait for it.
    keeping: Writes,
    timers: Timers,
    events: VecDeque<Event>,
    effects: Vec<Effect>,

    hearing: Hearing,
    transcription: Option<TaskHandle>,
    reply: Option<TaskHandle>,
    speaking: Option<Speaking>,
    /// After what was heard by it, which is gone when it is given back.
    admission: Option<Admission>,
    /// How often it was asked for.
    admissions: u64,

    seen: Seen,
    /// The turn whose stages were seen.
    measured: TurnId,
    /// Something happened that whoever watches may want to see.
    stirred: bool,
    /// To be put to sleep as soon as nothing is going on.
    sleepy: bool,
    /// Last, so that the place hears of the end when everything else is gone.
    awake: Awake,
}

impl Conversation {
    pub(crate) fn start(
        services: Arc<Services>,
        awake: Awake,
        actor: ActorRef<Message>,
        asleep: Asleep,
        known: Known,
    ) -> Self {
        let Known { consent, remembered, history, notices } = known;
        let Asleep { session, consent: before } = asleep;
        let facts = remembered.iter().map(|r| Fact { key: r.key.clone(), value: r.value.clone() }).collect();
        let mut conversation = Self {
            services,
            actor,
            session,
            consent: before,
            lineage: Default::default(),
            question: None,
            reported: None,
            remembered,
            room: None,
            writes: Writes::default(),
            keeping: Writes::default(),
            timers: Timers::default(),
            events: VecDeque::new(),
            effects: Vec::new(),
            hearing: Hearing::default(),
            transcription: None,
            reply: None,
            speaking: None,
            admission: None,
            admissions: 0,
            seen: awake.place().seen(),
            measured: TurnId::default(),
            stirred: false,
            sleepy: false,
            awake,
        };
        let view = conversation.view();
        conversation.run(Event::Attached { consent: view, facts, history });
        conversation.run(Event::Notices(conversation.to_tell(&notices)));
        // What changed while it slept is a change like any other.
        conversation.consent_changed(consent);
        conversation
    }

    pub(crate) fn handle(&mut self, message: Message) -> Next {
        match message {
            Message::Mail(mail) => {
                self.awake.took();
                match mail {
                    Mail::Control(message, room) => {
                        self.room = Some(Arc::new(room));
                        self.control(message);
                        self.room = None;
                    }
                    Mail::Audio => self.hear(),
                    Mail::Consent(state) => self.consent_changes(state),
                    Mail::Connected => self.run(Event::Detached),
                    Mail::Disconnected => {
                        self.run(Event::Detached);
                        self.sleepy = true;
                    }
                    Mail::GiveWay(speaker) => {
                        // what is being said is for nobody any more
                        self.run(Event::Abort);
                        let (seen, counted) = (self.session.observe(), self.hearing.awaited());
                        self.awake.give_way(speaker, Arrival { mode: seen.mode, counted, after: seen.turn });
                        return Next::Stop;
                    }
                    Mail::Arrived(Arrival { mode, counted, after }) => {
                        self.hearing.await_turn(counted);
                        self.run(Event::Arrived { mode, after });
                    }
                    Mail::End => {
                        self.awake.end();
                        return Next::Stop;
                    }
                }
            }
            Message::Event(event) => self.run(event),
            Message::Timer(timer, arming) if self.timers.ran_out(timer, arming) => self.run(Event::Timer(timer)),
            Message::Timer(..) => {}
            Message::Tick => self.tick(),
            Message::Admission(number, word) => self.admission_said(number, word),
        }
        self.show();
        self.fall_asleep()
    }

    fn place(&self) -> &Arc<Place> {
        self.awake.place()
    }

    /// Lets whoever watches see what happened.
    fn show(&mut self) {
        if core::mem::take(&mut self.stirred) {
            self.seen.conversation = self.session.observe();
            self.place().see(self.seen.clone(), self.services.clock.wall());
            self.services.tell(self.place().identity.session, Change::Updated);
        }
    }

    /// Hands the conversation back to its place, if it is time: the actor ends, what was said stays.
    fn fall_asleep(&mut self) -> Next {
        self.sleepy &= self.session.is_at_rest();
        if !self.sleepy {
            return Next::GoOn;
        }
        let identity = &self.place().identity;
        let (id, options) = (identity.session, Arc::clone(&identity.language.session));
        let Self { session, consent, awake, .. } = self;
        let asleep = awake.fall_asleep(|| {
            let blank = Session::new(id, options);
            let (session, consent) = (core::mem::replace(session, blank), core::mem::take(consent));
            Asleep { session, consent }
        });
        if !asleep {
            return Next::GoOn;
        }
        self.services.tell(self.place().identity.session, Change::Updated);
        Next::Stop
    }

    fn control(&mut self, message: ToNode) {
        if matches!(message, ToNode::TextInput { .. } | ToNode::ConsentAnswer { .. }) {
            self.reported = Some(consenting::fingerprint(&message));
        }
        match message {
            ToNode::ListenStart { turn, mode } => {
                self.hearing.await_turn(turn);
                self.begin_again();
                self.run(Event::ListenStart(mode));
            }
            ToNode::ListenStop { .. } => {
                self.hear();
                if !self.ends_when_admitted() {
                    self.run(Event::ListenStop);
                }
            }
            ToNode::TextInput { text, .. } => self.run(Event::Text(text)),
            ToNode::PictureOffer(offer) => self.run(Event::Picture(offer)),
            ToNode::GuestMode { on } => {
                self.run(Event::GuestMode(if on { GuestMode::On } else { GuestMode::Off }));
            }
            ToNode::Abort { .. } => self.run(Event::Abort),
            ToNode::PlayoutPosition { turn, played_ms, finished } => {
                self.run(Event::Playout { turn, played_ms, finished });
            }
            ToNode::ConsentAnswer { prompt_id, decision, purpose } => {
                self.run(Event::ConsentPressed { prompt_id, decision, purpose });
            }
            ToNode::PermissionChanged { capability, granted: false } => self.lose(capability),
            // whoever gave it back is asked when they talk the next time
            ToNode::PermissionChanged { capability, granted: true } => self.regain(capability),
            // The gateway and the inlet handle these before they get here.
            ToNode::Hello(_) | ToNode::Audio(_) | ToNode::PicturePart { .. } | ToNode::Goodbye(_) => {}
        }
    }

    /// Lets the session take note of `event` and carries out what it wants done.
    fn run(&mut self, event: Event) {
        self.stirred = true;
        self.events.push_back(event);
        while let Some(event) = self.events.pop_front() {
            let mut effects = core::mem::take(&mut self.effects);
            self.session.handle(event, self.services.clock.now(), &mut effects);
            for effect in effects.drain(..) {
                self.carry_out(effect);
            }
            self.effects = effects;
        }
        self.settle_admission();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Tell(message) => self.place().tell(message),
            Effect::Listen(capture) => self.listen(capture),
            Effect::EndUtterance => self.end_utterance(),
            Effect::Transcribe(turn, purpose) => self.transcribe(turn, purpose),
            Effect::Respond(turn, request) => {
                let context = self.context(turn, Purpose::VOICE_INTERACTION);
                let searched = self.may(Purpose::KNOWLEDGE, Category::KNOWLEDGE_BASE);
                self.reply = Some(reply::start(&self.services, &self.actor, context, request, searched));
                // Of what was said, it was prepared when the person began to speak.
                if self.speaking.as_ref().is_none_or(|speaking| speaking.turn() != turn) {
                    self.prepare_to_speak(turn);
                }
            }
            Effect::View(turn, offer) => {
                let context = self.context(turn, Purpose::VISION);
                self.reply = Some(viewing::start(&self.services, &self.actor, self.place(), context, offer));
                self.prepare_to_speak(turn);
            }
            Effect::KeepExchange(turn, cv, exchange) => self.keep_exchange(turn, cv, exchange),
            Effect::EndReply(_) => self.reply = None,
            Effect::Speak { turn, sentence, text, kind } => self.speak(turn, Sentence { number: sentence, text, kind }),
            Effect::FinishSpeech(turn) => {
                if let Some(speaking) = self.speaking.as_mut().filter(|speaking| speaking.turn() == turn) {
                    speaking.finish();
                }
            }
            Effect::CancelTurn(turn) => self.cancel(turn),
            Effect::NoteQuestion(asked) => self.note_question(&asked),
            Effect::NoteMore => self.note_more(),
            Effect::RecordConsent(turn, decision, means) => self.record(turn, decision, means),
            Effect::NotePolicy => self.shown_policy(),
            Effect::NoticeHeard(notice) => self.heard_notice(notice),
            Effect::Withdraw(taken, means) => self.withdraw(taken, means),
            Effect::GuestMode(wanted) => self.guest_mode(wanted),
            Effect::SaveFacts(facts) => self.save(facts),
            Effect::Arm(timer, after) => self.timers.arm(&self.services.tasks, &self.actor, timer, after),
            Effect::Disarm(timer) => self.timers.disarm(timer),
            Effect::Measured(turn, stage, took) => {
                if core::mem::replace(&mut self.measured, turn) != turn {
                    self.seen.stages.clear();
                }
                self.seen.stages.push((stage, took));
                metrics::histogram!("sayso_turn_stage_seconds", "stage" => stage.name()).record(took.as_secs_f64());
                tracing::debug!(turn = turn.0, stage = stage.name(), ms = took.as_millis() as u64, "stage done");
            }
            Effect::Ended(turn, ending) => self.count(turn, ending),
            Effect::Passivate => self.sleepy = true,
        }
    }

    fn prepare_to_speak(&mut self, turn: TurnId) {
        let context = self.context(turn, Purpose::VOICE_INTERACTION);
        self.speaking = Some(Speaking::prepare(&self.services, &self.actor, self.place(), context));
    }

    fn speak(&mut self, turn: TurnId, sentence: Sentence) {
        let speaking = match self.speaking.take().filter(|speaking| speaking.turn() == turn) {
            Some(speaking) => speaking,
            None => {
                let context = self.context(turn, Purpose::VOICE_INTERACTION);
                Speaking::start(&self.services, &self.actor, self.place(), context)
            }
        };
        if !speaking.say(sentence) {
            self.events.push_back(Event::Spoken(turn, Err("answer_too_long")));
        }
        self.speaking = Some(speaking);
    }

    /// Drops everything of `turn`: calls, sound that waits to be played, frames in front of the gate.
    fn cancel(&mut self, turn: TurnId) {
        tracing::debug!(turn = turn.0, "turn cancelled");
        self.place().silence(turn);
        self.place().intake.close();
        self.transcription = None;
        self.reply = None;
        self.speaking = None;
        self.hearing.cancel(turn);
    }

    fn count(&mut self, turn: TurnId, ending: Ending) {
        let turns = &mut self.seen.turns;
        let (counted, name) = match ending {
            Ending::Answered => (&mut turns.answered, "answered"),
            Ending::Interrupted => (&mut turns.interrupted, "interrupted"),
            Ending::Failed(reason) => {
                metrics::counter!("sayso_turns_failed_total", "reason" => reason).increment(1);
                tracing::info!(turn = turn.0, reason, "turn failed");
                (&mut turns.failed, "failed")
            }
        };
        *counted += 1;
        metrics::counter!("sayso_turns_total", "ending" => name).increment(1);
    }

    fn context(&mut self, turn: TurnId, purpose: Purpose) -> Context {
        if self.lineage.0 != turn {
            self.lineage = (turn, Lineage::default());
        }
        self.context_of(turn, purpose, self.lineage.1.clone())
    }

    fn context_of(&self, turn: TurnId, purpose: Purpose, lineage: Lineage) -> Context {
        let identity = &self.place().identity;
        let language = identity.language.name.to_string();
        Context { subject: identity.subject, turn, cv: self.consent.cv, purpose, language, lineage }
    }

    fn listen(&mut self, capture: Capture) {
        let records = self.records();
        self.hearing.listen(capture, self.services.options.endpoint, records);
        if capture == Capture::Off {
            self.place().ring.clear();
        }
    }
}
