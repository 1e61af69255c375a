//! Turns, from voice to voice.

use sayso_types::Purpose;
use sayso_types::dialogue::Action;

use super::*;
use crate::Stage;

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
    assert_eq!(rig.endings(), [], "it is answered when it was heard");
    rig.feed(Event::Playout { turn, played_ms: 2000, finished: true });
    assert_eq!(rig.endings(), [(turn, Ending::Answered)]);
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
    assert_eq!(rig.endings(), [(turn, Ending::Interrupted)]);
    // the device reports where it really stopped
    rig.feed(Event::Playout { turn, played_ms: 2600, finished: true });
    assert_eq!(rig.session.context.history()[0].heard, "One two three four. Five six");
    // late results of the turn that is over change nothing
    rig.feed(Event::ReplyText(turn, Redacted::new("More.".into())));
    rig.feed(Event::Spoken(turn, Ok(4000)));
    assert!(rig.out.is_empty());
}

#[test]
fn whoever_starts_to_talk_at_once_need_not_wait_for_thanks() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Realtime));
    rig.play(3000);
    rig.say("yes");
    rig.feed(Event::ConsentChanged(GIVEN));
    let thanks = rig.turn();
    rig.feed(Event::VoiceStart);
    assert!(rig.has(|e| matches!(e, Effect::CancelTurn(t) if *t == thanks)));
    assert!(rig.has(|e| matches!(e, Effect::Transcribe(_, p) if *p == Purpose::VOICE_INTERACTION)));
    assert_eq!(rig.endings(), [], "a prompt is no turn of the conversation");
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
    // nor while it answers what was typed
    let mut rig = listening(ListenMode::Auto);
    rig.feed(Event::Text(Redacted::new("hello".into())));
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Off))));
    rig.answer("Good morning to you.");
    rig.play(500);
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Automatic))));
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
fn a_button_held_in_silence_says_nothing() {
    let mut rig = listening(ListenMode::Manual);
    rig.feed(Event::VoiceStart);
    let turn = rig.turn();
    rig.feed(Event::ListenStop);
    rig.feed(Event::VoiceNone);
    assert!(rig.has(|e| matches!(e, Effect::CancelTurn(t) if *t == turn)), "nobody goes on recognising it");
    assert_eq!((rig.state(), rig.endings()), (SessionState::Idle, Vec::new()));
    // nor does a press without a single packet
    rig.feed(Event::ListenStart(ListenMode::Manual));
    rig.feed(Event::ListenStop);
    assert_eq!(rig.state(), SessionState::Idle);
}

#[test]
fn listening_again_is_listening_anew() {
    let mut rig = listening(ListenMode::Auto);
    rig.feed(Event::ListenStart(ListenMode::Auto));
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Automatic))), "its packets are counted from 0 again");
}

#[test]
fn a_noise_is_as_if_it_had_not_been() {
    for heard in ["", "  ", "...", "\u{0}\u{202e}"] {
        let mut rig = listening(ListenMode::Auto);
        rig.say(heard);
        assert_eq!((rig.state(), rig.endings()), (SessionState::Listening, Vec::new()), "{heard:?}");
        assert!(!rig.has(|e| matches!(e, Effect::Respond(..) | Effect::Tell(ToDevice::Transcript { .. }))));
    }
}

#[test]
fn a_person_who_says_stop_is_left_alone() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("stop");
    let turn = rig.turn();
    rig.feed(Event::ReplyAct(turn, Action::Stop));
    rig.feed(Event::ReplyEnd(turn, Ok(())));
    assert_eq!(rig.endings(), [(turn, Ending::Answered)], "what was done needs no words");
    assert_eq!(rig.state(), SessionState::Idle);
}

#[test]
fn a_device_that_is_gone_leaves_a_session_that_can_sleep() {
    for mode in [ListenMode::Auto, ListenMode::Manual, ListenMode::Realtime] {
        let mut rig = listening(mode);
        rig.say("hello");
        rig.answer("Good morning to you.");
        let turn = rig.turn();
        rig.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
        rig.feed(Event::Detached);
        assert!(rig.has(|e| matches!(e, Effect::CancelTurn(t) if *t == turn)));
        assert!(rig.session.is_at_rest(), "{mode:?}");
        assert_eq!(rig.session.observe().exchanges, 1, "the conversation is kept");
    }
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
    let (mut said, mut cut) = (0, 0);
    for _ in 0..1000 {
        rig.feed(Event::ReplyText(turn, Redacted::new("This is one more sentence of it. ".into())));
        said += rig.spoken_texts().iter().map(|(_, text)| text.chars().count()).sum::<usize>();
        cut += usize::from(rig.has(|e| matches!(e, Effect::EndReply(t) if *t == turn)));
        if cut > 0 {
            break;
        }
    }
    assert_eq!(cut, 1, "the responder is told to stop");
    assert!(rig.has(|e| matches!(e, Effect::FinishSpeech(_))));
    assert!(said <= Options::default().answer_chars + 64, "{said}");
}
