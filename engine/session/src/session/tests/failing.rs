//! What cannot be done is told, and the session is usable afterwards.

use sayso_types::Purpose;

use super::*;

fn told_error(rig: &Rig, expected: &str) -> bool {
    rig.has(|e| matches!(e, Effect::Tell(ToDevice::Error { code, .. }) if code == expected))
}

#[test]
fn every_failure_is_told_and_leaves_the_session_usable() {
    for code in ["unreachable", "timed_out", "refused"] {
        let mut rig = listening(ListenMode::Auto);
        rig.feed(Event::VoiceStart).feed(Event::VoiceEnd);
        let turn = rig.turn();
        rig.feed(Event::Transcribed(turn, Err(code)));
        assert_eq!(rig.endings(), [(turn, Ending::Failed(code))]);
        assert!(told_error(&rig, code));
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
    let turn = rig.turn();
    rig.feed(Event::Timer(Timer::Answer));
    assert_eq!(rig.endings(), [(turn, Ending::Failed("answer_timeout"))]);
}

#[test]
fn half_an_answer_is_said_and_counted_once() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("hello");
    let turn = rig.turn();
    rig.feed(Event::ReplyText(turn, Redacted::new("Good morning to".into())));
    rig.feed(Event::ReplyEnd(turn, Err("incomplete")));
    assert!(told_error(&rig, "incomplete"));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Answer, "Good morning to".into())]);
    assert!(rig.has(|e| matches!(e, Effect::FinishSpeech(t) if *t == turn)));
    assert_eq!(rig.endings(), [(turn, Ending::Failed("incomplete"))]);
    rig.play(900);
    assert_eq!(rig.endings(), []);
    assert_eq!(rig.state(), SessionState::Listening);
}

#[test]
fn an_answer_that_is_none_is_a_failure() {
    for text in ["", "?!", "\u{0}\u{202e} -"] {
        let mut rig = listening(ListenMode::Auto);
        rig.say("hello");
        let turn = rig.turn();
        rig.feed(Event::ReplyText(turn, Redacted::new(text.into())));
        rig.feed(Event::ReplyEnd(turn, Ok(())));
        assert_eq!(rig.endings(), [(turn, Ending::Failed("no_answer"))], "{text:?}");
    }
}

#[test]
fn a_voice_that_says_nothing_or_breaks_off_is_a_failure() {
    for (result, code) in [(Ok(0), "no_sound"), (Err("incomplete"), "incomplete")] {
        let mut rig = listening(ListenMode::Auto);
        rig.say("hello");
        rig.answer("Good morning to you.");
        let turn = rig.turn();
        rig.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
        rig.feed(Event::Spoken(turn, result));
        assert_eq!(rig.endings(), [(turn, Ending::Failed(code))]);
        assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::SpeechStop { turn: t, .. }) if *t == turn)));
    }
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
fn a_question_that_cannot_be_read_out_is_not_open() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    let turn = rig.turn();
    rig.feed(Event::Spoken(turn, Err("unreachable")));
    assert!(told_error(&rig, "unreachable"));
    rig.feed(Event::VoiceStart);
    assert!(rig.out.is_empty(), "nobody is heard who was not asked");
    rig.feed(Event::ListenStart(ListenMode::Auto));
    assert!(rig.has(|e| matches!(e, Effect::NoteQuestion(_))), "and the next try asks again");
}

#[test]
fn nobody_says_more_than_the_limit_at_a_time() {
    let limit = Options::default().said_chars;
    let mut rig = listening(ListenMode::Auto);
    rig.feed(Event::Text(Redacted::new("word ".repeat(limit))));
    assert!(told_error(&rig, "text_too_long"));
    assert!(!rig.has(|e| matches!(e, Effect::Respond(..))));
    rig.say(&"word ".repeat(limit));
    assert!(rig.has(|e| matches!(e, Effect::Respond(_, request) if request.text.chars().count() == limit)));
}

#[test]
fn whom_nobody_may_listen_to_is_told_so_once_and_heard_when_they_begin_again() {
    let told = |rig: &Rig| told_error(rig, "not_allowed");
    let waits = |rig: &Rig| rig.state() == SessionState::Idle && rig.session.listens_for().is_none();
    // while nothing is said
    let mut rig = listening(ListenMode::Auto);
    assert_eq!(rig.session.listens_for(), Some(Purpose::VOICE_INTERACTION));
    rig.feed(Event::NotListened("not_allowed"));
    assert!(told(&rig) && rig.has(|e| matches!(e, Effect::Listen(Capture::Off))));
    assert_eq!(rig.spoken_texts().len(), 1);
    rig.play(500);
    assert!(waits(&rig));
    rig.feed(Event::ListenStart(ListenMode::Auto));
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Automatic))));

    // in the midst of an utterance: it is answered by nobody
    rig.feed(Event::VoiceStart);
    let turn = rig.turn();
    rig.feed(Event::NotListened("not_allowed"));
    assert!(told(&rig) && rig.has(|e| matches!(e, Effect::CancelTurn(of) if *of == turn)));
    assert_eq!(rig.endings(), [(turn, Ending::Failed("not_allowed"))]);
    rig.play(500);
    assert!(waits(&rig));

    // while an answer is made: it was heard before
    let mut rig = listening(ListenMode::Realtime);
    rig.say("what time is it");
    rig.feed(Event::NotListened("not_allowed"));
    assert!(told(&rig) && rig.state() == SessionState::Thinking);
    rig.answer("Noon.");
    rig.play(500);
    assert!(waits(&rig));

    // while the answer to the question is waited for: that stays open, and is asked once more
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    rig.play(500);
    assert_eq!(rig.session.listens_for(), Some(Purpose::CONSENT_ANSWER));
    rig.feed(Event::NotListened("not_allowed"));
    assert!(told(&rig) && rig.state() == SessionState::Idle && !rig.session.is_at_rest());
    rig.feed(Event::Timer(Timer::Consent));
    rig.play(500);
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Automatic))));
}
