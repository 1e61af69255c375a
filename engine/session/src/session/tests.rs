//! The conversation as tables and stories: what happened, what the session wanted done.

use core::time::Duration;

use proptest::prelude::*;
use sayso_types::dialogue::{Action, Fact};
use sayso_types::{ConsentVersion, Mono, Purpose, Redacted, TurnId};
use sayso_wire::{ConsentDecision, ConsentStatus, ListenMode, SessionState, ToDevice};

use super::*;
use crate::{Decision, Means, Prompts, SpeechKind, Stage};

const GIVEN: ConsentView = ConsentView { cv: ConsentVersion(1), standing: Standing::Given, memory: false };

/// A session under test: feeds events on a clock of its own and keeps what came out.
struct Rig {
    session: Session,
    now: Mono,
    out: Vec<Effect>,
}

impl Rig {
    fn new(consent: ConsentView) -> Self {
        let prompts = Prompts {
            consent: "May I listen? Please say yes or no.".into(),
            thanks: "Thank you very much.".into(),
            refused: "All right, I will not.".into(),
            deferred: "I will ask another time.".into(),
            withdrawn: "I have stopped listening.".into(),
            not_understood: "Sorry, was that a yes?".into(),
            failed: "Something went wrong.".into(),
        };
        let session = Session::new(Options { prompts, ..Options::default() });
        let mut rig = Self { session, now: Mono(1_000_000_000), out: Vec::new() };
        rig.feed(Event::Attached { consent, facts: Vec::new() });
        rig
    }

    fn feed(&mut self, event: Event) -> &mut Self {
        self.out.clear();
        self.now = self.now.after(Duration::from_millis(10));
        self.session.handle(event, self.now, &mut self.out);
        self
    }

    fn turn(&self) -> TurnId {
        self.session.latest
    }

    fn state(&self) -> SessionState {
        self.session.observe().state
    }

    fn spoken_texts(&self) -> Vec<(SpeechKind, String)> {
        let speak = |e: &Effect| match e {
            Effect::Speak { text, kind, .. } => Some((*kind, text.reveal().clone())),
            _ => None,
        };
        self.out.iter().filter_map(speak).collect()
    }

    fn has(&self, matches: impl Fn(&Effect) -> bool) -> bool {
        self.out.iter().any(matches)
    }

    /// A prompt or answer with one sentence is synthesised and played to its end.
    fn play(&mut self, ms: u32) {
        let turn = self.turn();
        self.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
        self.feed(Event::Spoken(turn, Ok(ms)));
        self.feed(Event::Playout { turn, played_ms: ms, finished: true });
    }

    fn say(&mut self, text: &str) {
        self.feed(Event::VoiceStart).feed(Event::VoiceEnd);
        let turn = self.turn();
        self.feed(Event::Transcribed(turn, Ok(Redacted::new(text.into()))));
    }

    fn answer(&mut self, text: &str) {
        let turn = self.turn();
        self.feed(Event::ReplyText(turn, Redacted::new(text.into())));
        self.feed(Event::ReplyEnd(turn, Ok(())));
    }
}

fn listening(mode: ListenMode) -> Rig {
    let mut rig = Rig::new(GIVEN);
    rig.feed(Event::ListenStart(mode));
    rig
}

#[test]
fn first_contact_asks_before_anything_is_heard() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    let read_out: Vec<_> = rig.spoken_texts().into_iter().map(|(kind, text)| (kind == SpeechKind::Notice, text)).collect();
    assert_eq!(read_out, [(true, "May I listen?".to_owned()), (true, "Please say yes or no.".to_owned())]);
    assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::ConsentPrompt { .. }))));
    assert!(!rig.has(|e| matches!(e, Effect::Listen(_))), "the microphone stays off while the question is read");
    rig.feed(Event::VoiceStart);
    assert!(rig.out.is_empty(), "a voice during the question is nobody's answer yet");

    rig.play(3000);
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Automatic))));
    rig.feed(Event::VoiceStart);
    assert!(rig.has(|e| matches!(e, Effect::Transcribe(_, p) if *p == Purpose::CONSENT_ANSWER)));
    rig.feed(Event::VoiceEnd);
    let turn = rig.turn();
    rig.feed(Event::Transcribed(turn, Ok(Redacted::new("Yes, I agree.".into()))));
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(t, Decision::Agree, Means::Voice) if *t == turn)));
    assert!(!rig.has(|e| matches!(e, Effect::Respond(..))), "an answer to the question goes to no responder");

    rig.feed(Event::ConsentRecorded(GIVEN));
    assert!(rig.has(|e| matches!(
        e,
        Effect::Tell(ToDevice::ConsentChanged { status: ConsentStatus::Given, consent_version: ConsentVersion(1), .. })
    )));
    rig.play(800);
    assert_eq!(rig.state(), SessionState::Listening);
    rig.feed(Event::VoiceStart);
    assert!(rig.has(|e| matches!(e, Effect::Transcribe(_, p) if *p == Purpose::VOICE_INTERACTION)));
}

#[test]
fn an_unclear_answer_is_asked_again_and_then_deferred() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    rig.play(3000);
    rig.say("What do you mean?");
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "Sorry, was that a yes?".into())]);
    rig.play(900);
    rig.feed(Event::Timer(Timer::Consent));
    rig.play(900);
    rig.feed(Event::Timer(Timer::Consent));
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Defer, _))));
    rig.feed(Event::ConsentRecorded(ConsentView { cv: ConsentVersion(1), ..ConsentView::default() }));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "I will ask another time.".into())]);
    rig.play(500);
    assert_eq!(rig.state(), SessionState::Idle);
    rig.feed(Event::VoiceStart);
    assert!(rig.out.is_empty(), "nothing is heard without consent");
}

#[test]
fn a_decision_that_cannot_be_written_allows_nothing() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    rig.play(3000);
    rig.say("yes");
    rig.feed(Event::ConsentFailed("store_full"));
    assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::Error { code, .. }) if code == "store_full")));
    rig.play(500);
    rig.feed(Event::VoiceStart);
    assert!(!rig.has(|e| matches!(e, Effect::Transcribe(..))));
}

#[test]
fn a_turn_from_voice_to_voice_with_its_stages_measured() {
    let mut rig = listening(ListenMode::Auto);
    rig.feed(Event::VoiceStart).feed(Event::VoiceEnd);
    assert_eq!(rig.state(), SessionState::Thinking);
    let turn = rig.turn();
    rig.feed(Event::Transcribed(turn, Ok(Redacted::new("what time is it".into()))));
    assert!(rig.has(|e| matches!(e, Effect::Respond(t, r) if *t == turn && r.text == "what time is it")));
    assert!(rig.has(|e| matches!(e, Effect::Measured(_, Stage::Recognise, d) if *d == Duration::from_millis(10))));
    rig.feed(Event::ReplyText(turn, Redacted::new("It is ten past ".into())));
    assert!(rig.spoken_texts().is_empty());
    rig.feed(Event::ReplyText(turn, Redacted::new("four. And it ".into())));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Answer, "It is ten past four.".into())]);
    rig.feed(Event::ReplyEnd(turn, Ok(())));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Answer, "And it".into())]);
    assert!(rig.has(|e| matches!(e, Effect::FinishSpeech(t) if *t == turn)));
    rig.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
    assert_eq!(rig.state(), SessionState::Speaking);
    assert!(rig.has(|e| matches!(e, Effect::Measured(_, Stage::Answer, d) if *d == Duration::from_millis(50))));
    rig.feed(Event::SentenceAt { turn, sentence: 1, at_ms: 1500 });
    rig.feed(Event::Spoken(turn, Ok(2000)));
    rig.feed(Event::Playout { turn, played_ms: 2000, finished: true });
    assert_eq!(rig.state(), SessionState::Listening);
    assert_eq!(rig.session.context.history()[0].heard, "It is ten past four. And it");
}

#[test]
fn barge_in_stops_the_answer_and_keeps_what_was_heard_by_the_devices_clock() {
    let mut rig = listening(ListenMode::Realtime);
    rig.say("tell me a story");
    rig.answer("One two three four. Five six seven eight.");
    let turn = rig.turn();
    rig.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
    rig.feed(Event::SentenceAt { turn, sentence: 1, at_ms: 2000 });
    rig.feed(Event::Playout { turn, played_ms: 1000, finished: false });
    rig.feed(Event::VoiceStart);
    assert!(rig.has(|e| matches!(e, Effect::CancelTurn(t) if *t == turn)));
    assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::SpeechStop { turn: t, .. }) if *t == turn)));
    assert!(rig.has(|e| matches!(e, Effect::Transcribe(t, _) if *t == turn.next())));
    // the device reports where it really stopped
    rig.feed(Event::Playout { turn, played_ms: 2600, finished: true });
    assert_eq!(rig.session.context.history()[0].heard, "One two three four. Five six");
    // late results of the turn that is over change nothing
    rig.feed(Event::ReplyText(turn, Redacted::new("More.".into())));
    rig.feed(Event::Spoken(turn, Ok(4000)));
    assert!(rig.out.is_empty());
}

#[test]
fn half_duplex_does_not_hear_while_it_speaks() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("hello");
    rig.answer("Good morning to you.");
    let turn = rig.turn();
    rig.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
    rig.feed(Event::VoiceStart);
    assert!(rig.out.is_empty());
}

#[test]
fn push_to_talk_hears_from_press_to_release() {
    let mut rig = listening(ListenMode::Manual);
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::PushToTalk))));
    rig.feed(Event::VoiceStart);
    rig.feed(Event::ListenStop);
    assert!(rig.has(|e| matches!(e, Effect::EndUtterance)));
    rig.feed(Event::VoiceEnd);
    let turn = rig.turn();
    rig.feed(Event::Transcribed(turn, Ok(Redacted::new("hello".into()))));
    rig.answer("Good morning to you.");
    rig.play(700);
    assert_eq!(rig.state(), SessionState::Idle);
    rig.feed(Event::ListenStart(ListenMode::Manual));
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::PushToTalk))), "the next press opens the next utterance");
}

#[test]
fn withdrawal_in_mid_utterance_forgets_everything_and_says_so() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("my name is Anna");
    let turn = rig.turn();
    rig.feed(Event::ReplyAct(turn, Action::Remember(Fact { key: "name".into(), value: "Anna".into() })));
    rig.answer("Nice to meet you, Anna.");
    rig.play(900);
    rig.feed(Event::VoiceStart);
    let turn = rig.turn();
    let withdrawn = ConsentView { cv: ConsentVersion(2), standing: Standing::Withdrawn, memory: false };
    rig.feed(Event::ConsentChanged(withdrawn));
    assert!(rig.has(|e| matches!(e, Effect::CancelTurn(t) if *t == turn)));
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Off))));
    assert!(rig.has(|e| matches!(
        e,
        Effect::Tell(ToDevice::ConsentChanged { status: ConsentStatus::Withdrawn, .. })
    )));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "I have stopped listening.".into())]);
    assert_eq!((rig.session.observe().exchanges, rig.session.observe().facts), (0, 0));
    rig.play(900);
    assert_eq!(rig.state(), SessionState::Idle);
    // told again by the register when the withdrawal is effective: nothing more happens
    rig.feed(Event::ConsentChanged(withdrawn));
    assert!(rig.out.is_empty());
}

#[test]
fn a_withdrawal_by_voice_and_by_button_takes_the_one_path() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("stop listening");
    let turn = rig.turn();
    rig.feed(Event::ReplyAct(turn, Action::Withdraw));
    assert!(rig.has(|e| matches!(e, Effect::Withdraw(None, Means::Voice))));
    rig.feed(Event::ConsentPressed(ConsentDecision::Withdraw));
    assert!(rig.has(|e| matches!(e, Effect::Withdraw(None, Means::Button))));
}

#[test]
fn facts_are_saved_only_where_memory_is_consented_to() {
    for memory in [false, true] {
        let mut rig = Rig::new(ConsentView { memory, ..GIVEN });
        rig.feed(Event::ListenStart(ListenMode::Auto));
        rig.say("remember that I like tea");
        let turn = rig.turn();
        rig.feed(Event::ReplyAct(turn, Action::Remember(Fact { key: "like".into(), value: "tea".into() })));
        assert_eq!(rig.has(|e| matches!(e, Effect::SaveFacts(_))), memory);
        assert_eq!(rig.session.observe().facts, 1, "within the conversation it is remembered either way");
    }
}

#[test]
fn every_failure_is_told_and_leaves_the_session_usable() {
    for code in ["unreachable", "timed_out", "refused"] {
        let mut rig = listening(ListenMode::Auto);
        rig.feed(Event::VoiceStart).feed(Event::VoiceEnd);
        let turn = rig.turn();
        rig.feed(Event::Transcribed(turn, Err(code)));
        assert!(rig.has(|e| matches!(e, Effect::Failed(t, c) if *t == turn && *c == code)));
        assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::Error { .. }))));
        assert_eq!(rig.spoken_texts().len(), 1);
        // the voice fails as well: no endless complaint
        let notice = rig.turn();
        rig.feed(Event::Spoken(notice, Err("unreachable")));
        assert!(rig.spoken_texts().is_empty());
        assert_eq!(rig.state(), SessionState::Listening);
    }
}

#[test]
fn an_answer_that_never_comes_times_out() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("hello");
    rig.feed(Event::Timer(Timer::Answer));
    assert!(rig.has(|e| matches!(e, Effect::Failed(_, "answer_timeout"))));
}

#[test]
fn a_device_that_never_reports_play_out_does_not_hang_the_turn() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("hello");
    rig.answer("Good morning to you.");
    let turn = rig.turn();
    rig.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
    rig.feed(Event::Spoken(turn, Ok(1500)));
    assert!(rig.has(|e| matches!(e, Effect::Arm(Timer::Playout, d) if *d == Duration::from_millis(4500))));
    rig.feed(Event::Timer(Timer::Playout));
    assert_eq!(rig.state(), SessionState::Listening);
}

#[test]
fn idle_sessions_sleep_but_listening_ones_do_not() {
    let mut rig = listening(ListenMode::Auto);
    rig.feed(Event::Timer(Timer::Idle));
    assert!(rig.out.is_empty());
    rig.feed(Event::ListenStop);
    assert!(rig.has(|e| matches!(e, Effect::Arm(Timer::Idle, _))));
    rig.feed(Event::Timer(Timer::Idle));
    assert!(rig.has(|e| matches!(e, Effect::Passivate)));
}

#[test]
fn an_answer_without_end_is_cut_at_its_limit() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("tell me everything");
    let turn = rig.turn();
    let mut said = 0;
    for _ in 0..1000 {
        rig.feed(Event::ReplyText(turn, Redacted::new("This is one more sentence of it. ".into())));
        said += rig.spoken_texts().iter().map(|(_, text)| text.chars().count()).sum::<usize>();
    }
    assert!(said <= Options::default().answer_chars + 64, "{said}");
}

fn any_event() -> impl Strategy<Value = Event> {
    let turn = (0u32..6).prop_map(TurnId);
    let view = (0u64..4, 0usize..4, any::<bool>()).prop_map(|(cv, standing, memory)| ConsentView {
        cv: ConsentVersion(cv),
        standing: [Standing::Undecided, Standing::Given, Standing::Refused, Standing::Withdrawn][standing],
        memory,
    });
    let mode = prop::sample::select(vec![ListenMode::Auto, ListenMode::Manual, ListenMode::Realtime]);
    let text = || prop::sample::select(vec!["", "yes", "no", "hello there my friend. how are you?"]);
    let text = move || text().prop_map(|t| Redacted::new(t.to_owned()));
    prop_oneof![
        mode.prop_map(Event::ListenStart),
        Just(Event::ListenStop),
        Just(Event::Abort),
        Just(Event::VoiceStart),
        Just(Event::VoiceEnd),
        text().prop_map(Event::Text),
        (turn.clone(), text()).prop_map(|(t, s)| Event::Transcribed(t, Ok(s))),
        turn.clone().prop_map(|t| Event::Transcribed(t, Err("timed_out"))),
        (turn.clone(), text()).prop_map(|(t, s)| Event::ReplyText(t, s)),
        turn.clone().prop_map(|t| Event::ReplyEnd(t, Ok(()))),
        turn.clone().prop_map(|t| Event::ReplyEnd(t, Err("broken"))),
        (turn.clone(), 0u32..3, 0u32..5000)
            .prop_map(|(turn, sentence, at_ms)| Event::SentenceAt { turn, sentence, at_ms }),
        (turn.clone(), 0u32..5000).prop_map(|(t, ms)| Event::Spoken(t, Ok(ms))),
        (turn, 0u32..5000, any::<bool>())
            .prop_map(|(turn, played_ms, finished)| Event::Playout { turn, played_ms, finished }),
        view.clone().prop_map(Event::ConsentRecorded),
        view.prop_map(Event::ConsentChanged),
        prop::sample::select(vec![ConsentDecision::Agree, ConsentDecision::Refuse, ConsentDecision::Withdraw])
            .prop_map(Event::ConsentPressed),
        prop::sample::select(vec![Timer::Answer, Timer::Consent, Timer::Playout, Timer::Idle]).prop_map(Event::Timer),
    ]
}

proptest! {
    /// Whatever happens in whatever order: speech of a person is recognised for a conversation only while consent is
    /// given, and goes to a responder only then.
    #[test]
    fn nothing_is_asked_of_anyone_without_consent(events in prop::collection::vec(any_event(), 0..60)) {
        let mut rig = Rig::new(ConsentView::default());
        for event in events {
            rig.feed(event);
            let given = rig.session.consent.standing == Standing::Given;
            for effect in &rig.out {
                match effect {
                    Effect::Transcribe(_, purpose) if *purpose == Purpose::VOICE_INTERACTION => prop_assert!(given),
                    Effect::Respond(..) => prop_assert!(given),
                    Effect::Listen(Capture::Automatic | Capture::PushToTalk) => {
                        prop_assert!(given || rig.session.asking.is_some());
                    }
                    _ => {}
                }
            }
        }
    }

    /// A turn that was cancelled is never spoken for again.
    #[test]
    fn a_cancelled_turn_stays_silent(events in prop::collection::vec(any_event(), 0..60)) {
        let mut rig = Rig::new(GIVEN);
        let mut cancelled = std::collections::BTreeSet::new();
        for event in events {
            rig.feed(event);
            for effect in &rig.out {
                match effect {
                    Effect::CancelTurn(turn) => { cancelled.insert(*turn); }
                    Effect::Speak { turn, .. } | Effect::Respond(turn, _) | Effect::Transcribe(turn, _)
                    | Effect::FinishSpeech(turn) => prop_assert!(!cancelled.contains(turn)),
                    _ => {}
                }
            }
        }
    }
}
