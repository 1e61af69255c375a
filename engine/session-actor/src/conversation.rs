//! [`Conversation`]: a session with everything that carries out its effects. `consenting` has those that go to the
//! consent register.

mod consenting;

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use ractor::ActorRef;
use sayso_audio::{Event as Sound, Frame, Mode, Packet, Uplink};
use sayso_consent::Question;
use sayso_egress::Context;
use sayso_policy::ConsentState;
use sayso_provider::Fact;
use sayso_runtime::{TaskHandle, TaskKind};
use sayso_session::{Capture, Effect, Event, Means, Session, Stage, Timer};
use sayso_types::{Name, Purpose, TurnId};
use sayso_wire::{AudioPacket, ConsentDecision, Goodbye, GoodbyeReason, ToDevice, ToNode};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::actor::{Arguments, Awake, Message};
use crate::observed::{Change, Turns};
use crate::place::{Life, Place, Seen};
use crate::reply;
use crate::services::Services;
use crate::speech::{Sentence, Speaking};
use crate::timers::Timers;
use crate::transcription::{self, Feed, Heard};

/// How often an utterance that is going on is checked for packets that stopped coming.
const SILENCE_EVERY: Duration = Duration::from_millis(100);

/// Whether the actor goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    GoOn,
    Stop,
}

pub(crate) struct Conversation {
    place: Arc<Place>,
    services: Arc<Services>,
    actor: ActorRef<Message>,
    session: Session,
    language: Name,
    consent: ConsentState,
    notice_sha256: [u8; 32],
    question: Option<Question>,
    timers: Timers,
    events: VecDeque<Event>,
    effects: Vec<Effect>,

    listening: Option<Listening>,
    /// The utterance that has just begun, until the session says what for.
    begun: Option<mpsc::Receiver<Frame>>,
    heard: Option<Heard>,
    turn: TurnId,
    transcription: Option<TaskHandle>,
    reply: Option<TaskHandle>,
    speaking: Option<(TurnId, Speaking)>,

    turns: Turns,
    /// How long the stages of the latest turn took.
    stages: Vec<(Stage, Duration)>,
    lost: u64,
    next: Next,
    _awake: Awake,
}

/// The uplink while it listens, and the utterance in it.
struct Listening {
    uplink: Uplink,
    feed: Option<Feed>,
    heard_since: bool,
    _silence: TaskHandle,
}

/// What the pipeline found while it took a packet.
enum Mark {
    Start(mpsc::Receiver<Frame>),
    End([u8; 32]),
}

impl Conversation {
    pub(crate) fn start(
        args: Arguments,
        actor: ActorRef<Message>,
        consent: ConsentState,
        facts: Vec<(String, String)>,
    ) -> Self {
        let Arguments { services, place, session } = args;
        let (language, prompts) = services.prompts(Some(&place.identity.language).map(String::as_str));
        let mut conversation = Self {
            notice_sha256: Sha256::digest(prompts.consent.as_bytes()).into(),
            _awake: Awake(Arc::clone(&place)),
            place,
            services,
            actor,
            session,
            language,
            consent,
            question: None,
            timers: Timers::default(),
            events: VecDeque::new(),
            effects: Vec::new(),
            listening: None,
            begun: None,
            heard: None,
            turn: TurnId::default(),
            transcription: None,
            reply: None,
            speaking: None,
            turns: Turns::default(),
            stages: Vec::new(),
            lost: 0,
            next: Next::GoOn,
        };
        let facts = facts.into_iter().map(|(key, value)| Fact { key, value }).collect();
        let consent = consenting::view(&conversation.consent);
        conversation.run(Event::Attached { consent, facts });
        conversation
    }

    pub(crate) fn handle(&mut self, message: Message) -> Next {
        match message {
            Message::Control(message) => {
                self.place.control_waiting.fetch_sub(1, Ordering::AcqRel);
                self.control(message);
            }
            Message::Audio => self.hear(),
            Message::Event(event) => self.run(event),
            Message::Timer(timer, generation) if self.timers.ran_out(timer, generation) => self.run(Event::Timer(timer)),
            Message::Timer(..) => {}
            Message::Consent(state) => {
                self.consent = state;
                self.run(Event::ConsentChanged(consenting::view(&self.consent)));
            }
            Message::Connected => self.timers.disarm(Timer::Idle),
            Message::Disconnected => self.disconnected(),
            Message::Silence => self.silence(),
            Message::Close(goodbye) => {
                self.place.close(goodbye);
                self.next = Next::Stop;
            }
        }
        let seen = Seen {
            conversation: self.session.observe(),
            turns: self.turns,
            stages: self.stages.clone(),
            lost: self.lost,
        };
        self.place.see(seen, self.services.clock.wall());
        let _ = self.services.changes.send((self.place.identity.session, Change::Updated));
        self.next
    }

    /// Hands the conversation back to its place: the actor ends, what was said stays.
    pub(crate) fn park(&mut self) {
        let blank = Session::new(self.services.options.session.clone());
        let session = core::mem::replace(&mut self.session, blank);
        *self.place.life() = Life::Asleep(Box::new(session));
    }

    fn control(&mut self, message: ToNode) {
        match message {
            ToNode::ListenStart { mode, .. } => self.run(Event::ListenStart(mode)),
            ToNode::ListenStop { .. } => {
                self.hear();
                self.run(Event::ListenStop);
            }
            ToNode::TextInput { text, .. } => self.run(Event::Text(text)),
            ToNode::Abort { .. } => self.run(Event::Abort),
            ToNode::PlayoutPosition { turn, played_ms, finished } => {
                self.run(Event::Playout { turn, played_ms, finished });
            }
            ToNode::ConsentAnswer { decision, purpose: None, .. } => self.run(Event::ConsentPressed(decision)),
            ToNode::ConsentAnswer { decision: ConsentDecision::Withdraw, purpose, .. } => {
                self.withdraw(purpose, Means::Button);
            }
            ToNode::ConsentAnswer { decision, .. } => self.run(Event::ConsentPressed(decision)),
            // The gateway handles these before they get here.
            ToNode::Hello(_) | ToNode::Audio(_) | ToNode::Goodbye(_) => {}
        }
    }

    fn disconnected(&mut self) {
        self.run(Event::Abort);
        self.run(Event::ListenStop);
        self.next = Next::Stop;
    }

    /// Takes the packets that wait.
    fn hear(&mut self) {
        self.place.ring.heard();
        while let Some(packet) = self.place.ring.pop() {
            self.packet(&packet);
        }
    }

    fn packet(&mut self, packet: &AudioPacket) {
        let Some(listening) = &mut self.listening else { return };
        listening.heard_since = true;
        let mut marks = Marks::default();
        let heard = Packet { sequence: packet.sequence, timestamp_ms: packet.timestamp_ms, opus: &packet.opus };
        let feed = &mut listening.feed;
        if listening.uplink.push(heard, |sound| marks.take(feed, sound)).is_err() {
            metrics::counter!("sayso_session_packets_undecodable_total").increment(1);
        }
        self.lost = listening.uplink.stats().jitter.lost;
        self.found(marks);
    }

    /// Nothing came since the last look: the device, or the network, fell silent.
    fn silence(&mut self) {
        let Some(listening) = &mut self.listening else { return };
        if core::mem::take(&mut listening.heard_since) || !listening.uplink.is_talking() {
            return;
        }
        let mut marks = Marks::default();
        let feed = &mut listening.feed;
        let _ = listening.uplink.elapse(SILENCE_EVERY.as_millis() as u32, |sound| marks.take(feed, sound));
        self.found(marks);
    }

    fn found(&mut self, marks: Marks) {
        for mark in marks.0 {
            match mark {
                Mark::Start(frames) => {
                    self.begun = Some(frames);
                    self.run(Event::VoiceStart);
                    // Nobody wants it: it is dropped in front of the gate.
                    self.begun = None;
                }
                Mark::End(sha256) => {
                    self.heard = Some(Heard { turn: self.turn, sha256 });
                    self.run(Event::VoiceEnd);
                }
            }
        }
    }

    /// Lets the session take note of `event` and carries out what it wants done.
    fn run(&mut self, event: Event) {
        self.events.push_back(event);
        while let Some(event) = self.events.pop_front() {
            let mut effects = core::mem::take(&mut self.effects);
            self.session.handle(event, self.services.clock.now(), &mut effects);
            for effect in effects.drain(..) {
                self.carry_out(effect);
            }
            self.effects = effects;
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Tell(message) => {
                if matches!(message, ToDevice::ConsentPrompt { .. }) {
                    self.asked();
                }
                self.place.tell(message);
            }
            Effect::Listen(capture) => self.listen(capture),
            Effect::EndUtterance => self.end_utterance(),
            Effect::Transcribe(turn, purpose) => self.transcribe(turn, purpose),
            Effect::Respond(turn, request) => {
                let context = self.context(turn, Purpose::VOICE_INTERACTION);
                self.reply = Some(reply::start(&self.services, &self.actor, context, request));
            }
            Effect::Speak { turn, sentence, text, kind } => self.speak(turn, Sentence { number: sentence, text, kind }),
            Effect::FinishSpeech(turn) => {
                if let Some((_, speaking)) = self.speaking.as_mut().filter(|(speaking, _)| *speaking == turn) {
                    speaking.finish();
                }
                self.turns.answered += 1;
            }
            Effect::CancelTurn(turn) => self.cancel(turn),
            Effect::RecordConsent(turn, decision, means) => self.record(turn, decision, means),
            Effect::Withdraw(purpose, means) => self.withdraw(purpose, means),
            Effect::SaveFacts(facts) => self.save(facts),
            Effect::Arm(timer, after) => self.timers.arm(&self.services.tasks, &self.actor, timer, after),
            Effect::Disarm(timer) => self.timers.disarm(timer),
            Effect::Measured(turn, stage, took) => {
                if stage == Stage::Recognise {
                    self.stages.clear();
                }
                self.stages.push((stage, took));
                metrics::histogram!("sayso_turn_stage_seconds", "stage" => stage.name()).record(took.as_secs_f64());
                tracing::debug!(turn = turn.0, stage = stage.name(), ms = took.as_millis() as u64, "stage done");
            }
            Effect::Failed(turn, reason) => {
                self.turns.failed += 1;
                metrics::counter!("sayso_turns_failed_total", "reason" => reason).increment(1);
                tracing::info!(turn = turn.0, reason, "turn failed");
            }
            Effect::Passivate => self.next = Next::Stop,
            Effect::Close(goodbye) => {
                self.place.close(goodbye);
                self.next = Next::Stop;
            }
        }
    }

    fn listen(&mut self, capture: Capture) {
        let mode = match capture {
            // Codec state goes with it.
            Capture::Off => {
                self.listening = None;
                return;
            }
            Capture::Automatic => Mode::Automatic,
            Capture::PushToTalk => Mode::Manual,
        };
        let Ok(uplink) = Uplink::new(self.services.options.endpoint, mode) else {
            // The settings were checked when the node started.
            return self.place.tell(ToDevice::Goodbye(internal()));
        };
        // What was sent before belongs to an earlier state of things.
        while self.place.ring.pop().is_some() {}
        let actor = self.actor.clone();
        let silence = self.services.tasks.spawn(TaskKind::Call, "silence", async move {
            loop {
                tokio::time::sleep(SILENCE_EVERY).await;
                if actor.cast(Message::Silence).is_err() {
                    return;
                }
            }
        });
        self.listening = Some(Listening { uplink, feed: None, heard_since: false, _silence: silence });
    }

    fn end_utterance(&mut self) {
        let Some(listening) = &mut self.listening else { return };
        let mut marks = Marks::default();
        let feed = &mut listening.feed;
        let _ = listening.uplink.finish(|sound| marks.take(feed, sound));
        for mark in marks.0 {
            if let Mark::End(sha256) = mark {
                self.heard = Some(Heard { turn: self.turn, sha256 });
                self.events.push_back(Event::VoiceEnd);
            }
        }
    }

    fn transcribe(&mut self, turn: TurnId, purpose: Purpose) {
        let Some(frames) = self.begun.take() else { return };
        self.turn = turn;
        let context = self.context(turn, purpose);
        self.transcription = Some(transcription::start(&self.services, &self.actor, context, frames));
    }

    fn speak(&mut self, turn: TurnId, sentence: Sentence) {
        if self.speaking.as_ref().is_none_or(|(speaking, _)| *speaking != turn) {
            let context = self.context(turn, Purpose::VOICE_INTERACTION);
            let speaking = Speaking::start(&self.services, &self.actor, &self.place, context);
            self.speaking = Some((turn, speaking));
        }
        if self.speaking.as_ref().is_some_and(|(_, speaking)| !speaking.say(sentence)) {
            self.events.push_back(Event::Spoken(turn, Err("answer_too_long")));
        }
    }

    fn cancel(&mut self, turn: TurnId) {
        if self.reply.is_some() || self.transcription.is_some() || self.speaking.is_some() {
            self.turns.interrupted += 1;
        }
        tracing::debug!(turn = turn.0, "turn cancelled");
        self.transcription = None;
        self.reply = None;
        self.speaking = None;
        // An utterance that has just begun is not of the turn that it interrupts.
        if let Some(listening) = self.listening.as_mut().filter(|_| self.begun.is_none()) {
            listening.feed = None;
        }
    }

    fn context(&self, turn: TurnId, purpose: Purpose) -> Context {
        Context {
            subject: self.place.identity.subject,
            turn,
            cv: self.consent.cv,
            purpose,
            language: self.language.to_string(),
        }
    }
}

/// What the pipeline found while it took one packet: rarely more than one thing.
#[derive(Default)]
struct Marks(Vec<Mark>);

impl Marks {
    /// Frames go straight to the utterance's feed; beginnings and ends are kept until the session can be told.
    fn take(&mut self, feed: &mut Option<Feed>, sound: Sound<'_>) {
        match sound {
            Sound::SpeechStart => {
                let (begun, frames) = Feed::new();
                *feed = Some(begun);
                self.0.push(Mark::Start(frames));
            }
            Sound::Frame(frame) => {
                if let Some(feed) = feed {
                    feed.push(frame);
                }
            }
            Sound::SpeechEnd { .. } => {
                if let Some(feed) = feed.take() {
                    self.0.push(Mark::End(feed.finish()));
                }
            }
        }
    }
}

fn internal() -> Goodbye {
    Goodbye {
        reason: GoodbyeReason::Internal,
        text: "the session cannot listen".to_owned(),
        reconnect_in: Some(Duration::from_secs(5)),
    }
}
