//! The consent question, its answers, and withdrawal.

use sayso_types::Purpose;
use sayso_types::dialogue::{Action, Fact};
use sayso_wire::ConsentDecision;

use super::*;
use crate::{Asked, Decision, Means};

fn asked() -> Rig {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    rig
}

fn press(prompt_id: &str, decision: ConsentDecision) -> Event {
    Event::ConsentPressed { prompt_id: prompt_id.to_owned(), decision, purpose: None }
}

fn fact(key: &str, value: &str) -> Fact {
    Fact { key: key.into(), value: value.into() }
}

#[test]
fn first_contact_asks_before_anything_is_heard() {
    let mut rig = asked();
    let read_out: Vec<_> =
        rig.spoken_texts().into_iter().map(|(kind, text)| (kind == SpeechKind::Notice, text)).collect();
    assert_eq!(read_out, [(true, "May I listen?".to_owned()), (true, "Please say yes or no.".to_owned())]);
    assert!(rig.has(|e| matches!(e, Effect::NoteQuestion(_))), "that it was asked goes on record");
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

    rig.feed(Event::ConsentChanged(GIVEN));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "Thank you very much.".into())]);
    assert_eq!(rig.endings(), [], "the question is no turn of a conversation");
    rig.play(800);
    assert_eq!(rig.state(), SessionState::Listening);
    rig.feed(Event::VoiceStart);
    assert!(rig.has(|e| matches!(e, Effect::Transcribe(_, p) if *p == Purpose::VOICE_INTERACTION)));
}

#[test]
fn whoever_wants_to_know_more_is_told_piece_by_piece_and_asked_for_an_answer_then() {
    let mut rig = asked();
    rig.play(3000);
    let wants_more = |rig: &mut Rig| {
        rig.out.clear();
        rig.feed(Event::VoiceStart);
        rig.feed(Event::VoiceEnd);
        let turn = rig.turn();
        rig.feed(Event::Transcribed(turn, Ok(Redacted::new("Tell me more, please.".into()))));
        assert!(!rig.has(|e| matches!(e, Effect::RecordConsent(..) | Effect::Respond(..))), "that is no answer");
        let said: Vec<_> = rig.spoken_texts().into_iter().map(|(_, text)| text).collect();
        let is_noted = rig.has(|e| matches!(e, Effect::NoteMore));
        rig.play(3000);
        (said.join(" "), is_noted)
    };
    assert_eq!(wants_more(&mut rig), ("It stays in your home.".to_owned(), true));
    assert_eq!(wants_more(&mut rig), ("You can say no.".to_owned(), true));
    assert_eq!(wants_more(&mut rig), ("Sorry, was that a yes?".to_owned(), false), "there is no more to say");

    rig.feed(Event::VoiceStart);
    rig.feed(Event::VoiceEnd);
    let turn = rig.turn();
    rig.feed(Event::Transcribed(turn, Ok(Redacted::new("No.".into()))));
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(t, Decision::Refuse, Means::Voice) if *t == turn)));
}

/// Agreed once, to what has changed since.
fn changed() -> ConsentView {
    ConsentView { asks_again: vec![Purpose::VOICE_INTERACTION], ..GIVEN }
}

/// Whoever hears the question again, up to where they may answer.
fn asked_again() -> Rig {
    let mut rig = Rig::new(changed());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    let said: Vec<_> = rig.spoken_texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(said, ["The terms have changed.", "May I listen?", "Please say yes or no."]);
    let asked = Asked { purposes: vec![Purpose::VOICE_INTERACTION], again: true };
    assert!(rig.has(|e| matches!(e, Effect::NoteQuestion(a) if *a == asked)));
    assert!(!rig.has(|e| matches!(e, Effect::Listen(_))), "it is read to the end first");
    rig.play(3000);
    rig
}

/// What is said goes into a conversation.
fn converses(rig: &mut Rig) -> bool {
    rig.feed(Event::VoiceStart);
    rig.has(|e| matches!(e, Effect::Transcribe(_, p) if *p == Purpose::VOICE_INTERACTION))
}

#[test]
fn whoever_agrees_to_what_has_changed_talks_on_under_it() {
    let mut rig = asked_again();
    rig.say("Yes.");
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Agree, Means::Voice))));
    rig.feed(Event::ConsentChanged(ConsentView { cv: ConsentVersion(2), ..GIVEN }));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "Thank you very much.".into())]);
    rig.play(800);
    assert!(converses(&mut rig));
}

#[test]
fn whoever_does_not_agree_to_what_has_changed_talks_on_as_before() {
    let mut rig = asked_again();
    rig.say("No.");
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Refuse, Means::Voice))));
    rig.feed(Event::ConsentChanged(ConsentView { cv: ConsentVersion(2), ..GIVEN }));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "Then it stays as it was.".into())]);
    rig.play(800);
    assert!(converses(&mut rig));
}

#[test]
fn whoever_does_not_answer_is_asked_in_the_next_conversation() {
    let mut rig = asked_again();
    for _ in 0..2 {
        rig.feed(Event::Timer(Timer::Consent));
        rig.play(900);
    }
    rig.feed(Event::Timer(Timer::Consent));
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Defer, _))));
    rig.feed(Event::ConsentChanged(ConsentView { cv: ConsentVersion(2), ..changed() }));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "Then it stays as it was.".into())]);
    rig.play(800);
    assert!(converses(&mut rig));

    let mut rig = asked_again();
    rig.feed(Event::Abort);
    rig.feed(Event::ListenStart(ListenMode::Auto));
    assert!(converses(&mut rig), "whoever wants quiet is not asked at once again");
}

#[test]
fn what_changes_and_is_not_asked_leaves_the_question_open() {
    let mut rig = asked();
    rig.play(3000);
    rig.feed(Event::ConsentChanged(ConsentView { cv: ConsentVersion(1), ..ConsentView::default() }));
    assert_eq!(rig.spoken_texts(), []);
    rig.say("Yes.");
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Agree, Means::Voice))));
}

#[test]
fn that_the_question_is_on_record_answers_it_neither_before_nor_after_it_is_answered() {
    for is_quick in [true, false] {
        let mut rig = asked();
        rig.play(3000);
        let put_on_record = |rig: &mut Rig| {
            rig.feed(Event::ConsentAsked(ConsentView { cv: ConsentVersion(1), ..ConsentView::default() }));
            assert_eq!(rig.spoken_texts(), [], "nothing is said of it");
        };
        if !is_quick {
            put_on_record(&mut rig);
        }
        rig.say("Yes.");
        assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Agree, Means::Voice))));
        if is_quick {
            put_on_record(&mut rig);
        }
        rig.feed(Event::ConsentChanged(ConsentView { cv: ConsentVersion(2), ..GIVEN }));
        assert_ne!(rig.spoken_texts(), []);
    }
}

#[test]
fn an_unclear_answer_is_asked_again_and_then_deferred() {
    let mut rig = asked();
    rig.play(3000);
    rig.say("What do you mean?");
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "Sorry, was that a yes?".into())]);
    rig.play(900);
    rig.feed(Event::Timer(Timer::Consent));
    rig.play(900);
    rig.feed(Event::Timer(Timer::Consent));
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Defer, _))));
    rig.feed(Event::ConsentChanged(ConsentView { cv: ConsentVersion(1), ..ConsentView::default() }));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "I will ask another time.".into())]);
    rig.play(500);
    assert_eq!(rig.state(), SessionState::Idle);
    rig.feed(Event::VoiceStart);
    assert!(rig.out.is_empty(), "nothing is heard without consent");
}

#[test]
fn with_push_to_talk_the_answer_is_given_at_the_next_press() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Manual));
    rig.play(3000);
    assert!(rig.has(|e| matches!(e, Effect::Arm(Timer::Consent, _))));
    assert_eq!(rig.state(), SessionState::Idle, "nobody holds the button");
    assert!(!rig.session.is_at_rest(), "but an answer is expected");
    rig.feed(Event::ListenStart(ListenMode::Manual));
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::PushToTalk))));
    rig.feed(Event::VoiceStart);
    assert!(rig.has(|e| matches!(e, Effect::Transcribe(_, p) if *p == Purpose::CONSENT_ANSWER)));
    rig.feed(Event::ListenStop).feed(Event::VoiceEnd);
    let turn = rig.turn();
    rig.feed(Event::Transcribed(turn, Ok(Redacted::new("no thank you".into()))));
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(t, Decision::Refuse, Means::Voice) if *t == turn)));
}

#[test]
fn the_prompt_is_answered_with_a_button_also_while_it_is_read_and_when_it_was_put_again() {
    let mut rig = asked();
    let prompt = rig.prompt_id();
    rig.feed(press(&prompt, ConsentDecision::Agree));
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Agree, Means::Button))));

    let mut rig = asked();
    rig.play(3000);
    rig.feed(Event::Timer(Timer::Consent));
    rig.feed(press(&prompt, ConsentDecision::Refuse));
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Refuse, Means::Button))));
}

/// Whether the device is told that what it sent answers nothing.
fn closed(rig: &Rig) -> bool {
    rig.has(|e| matches!(e, Effect::Tell(ToDevice::Error { code, .. }) if code == "prompt_closed"))
}

#[test]
fn a_button_without_its_prompt_answers_nothing() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(press("1", ConsentDecision::Agree));
    assert!(closed(&rig) && !rig.has(|e| matches!(e, Effect::RecordConsent(..))), "nobody was asked");
    let mut rig = asked();
    let earlier = prompt_id(SessionId([8; 16]), rig.turn());
    for another in ["another", "1", &earlier] {
        rig.feed(press(another, ConsentDecision::Agree));
        assert!(closed(&rig) && !rig.has(|e| matches!(e, Effect::RecordConsent(..))), "it answers something else");
    }
}

#[test]
fn the_first_answer_counts_and_what_comes_while_it_is_written_is_told_to_be_none() {
    for again in [false, true] {
        let mut rig = if again { asked_again() } else { asked() };
        let prompt = rig.prompt_id();
        rig.feed(press(&prompt, ConsentDecision::Agree));
        assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Agree, Means::Button))));
        rig.feed(press(&prompt, ConsentDecision::Refuse));
        assert!(closed(&rig) && !rig.has(|e| matches!(e, Effect::RecordConsent(..))));
        rig.feed(Event::Timer(Timer::Consent));
        assert!(!rig.has(|e| matches!(e, Effect::RecordConsent(..) | Effect::Speak { .. })), "nor is it asked again");
        rig.feed(Event::ConsentChanged(ConsentView { cv: ConsentVersion(2), ..GIVEN }));
        assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "Thank you very much.".into())], "as it is on record");
    }
}

#[test]
fn a_typed_answer_is_what_the_device_reports() {
    let mut rig = asked();
    rig.feed(Event::Text(Redacted::new("yes".into())));
    let turn = rig.turn();
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(t, Decision::Agree, Means::Button) if *t == turn)));
    let mut rig = asked();
    rig.feed(Event::Text(Redacted::new("what for?".into())));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "Sorry, was that a yes?".into())]);
}

#[test]
fn text_without_consent_asks_for_it_and_goes_nowhere() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::Text(Redacted::new("what time is it".into())));
    assert!(rig.has(|e| matches!(e, Effect::NoteQuestion(_))));
    assert!(!rig.has(|e| matches!(e, Effect::Respond(..))));
}

#[test]
fn whoever_wants_quiet_while_being_asked_has_not_decided() {
    let mut rig = asked();
    rig.feed(Event::Abort);
    assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::SpeechStop { .. }))) || rig.state() == SessionState::Idle);
    assert!(!rig.has(|e| matches!(e, Effect::RecordConsent(..))));
    assert!(rig.session.is_at_rest());
}

#[test]
fn an_answer_that_cannot_be_written_allows_nothing() {
    let mut rig = asked();
    rig.play(3000);
    rig.say("yes");
    rig.feed(Event::AnswerUnrecorded("store_full"));
    assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::Error { code, .. }) if code == "store_full")));
    rig.play(500);
    rig.feed(Event::VoiceStart);
    assert!(!rig.has(|e| matches!(e, Effect::Transcribe(..))));
}

#[test]
fn a_withdrawal_that_cannot_be_written_stops_listening_all_the_same() {
    let mut rig = listening(ListenMode::Auto);
    rig.feed(Event::VoiceStart);
    rig.feed(Event::WithdrawalUnrecorded("store_full"));
    assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::Error { code, .. }) if code == "store_full")));
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Off))));
    rig.play(500);
    assert_eq!(rig.state(), SessionState::Idle);
}

#[test]
fn withdrawal_in_mid_utterance_stops_at_once_and_says_done_when_it_is() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("my name is Anna");
    let turn = rig.turn();
    rig.feed(Event::ReplyAct(turn, Action::Remember(fact("name", "Anna"))));
    rig.answer("Nice to meet you, Anna.");
    rig.play(900);
    rig.feed(Event::VoiceStart);
    let turn = rig.turn();

    rig.feed(Event::ConsentChanged(WITHDRAWING));
    assert!(rig.has(|e| matches!(e, Effect::CancelTurn(t) if *t == turn)));
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Off))));
    assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::Notice { code, .. }) if code == "withdrawing")));
    assert_eq!(rig.endings(), [(turn, Ending::Interrupted)]);
    assert_eq!(rig.spoken_texts(), [], "nothing is promised before it holds");
    assert_eq!((rig.session.observe().exchanges, rig.session.observe().facts), (0, 0));
    assert!(rig.session.last.is_none(), "the answer is forgotten, too");
    assert_eq!(rig.state(), SessionState::Idle);

    rig.feed(Event::ConsentChanged(WITHDRAWN));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "I have stopped listening.".into())]);
    rig.play(900);
    assert_eq!(rig.state(), SessionState::Idle);
    for old in [WITHDRAWN, GIVEN] {
        rig.feed(Event::ConsentChanged(old));
        assert!(rig.out.is_empty(), "what was known, or is older, changes nothing");
    }
}

#[test]
fn a_conversation_does_not_outlive_the_consent_that_it_was_had_under() {
    let again = ConsentView { cv: ConsentVersion(3), ..GIVEN };
    let other = ConsentView { cv: ConsentVersion(2), memory: true, ..GIVEN };
    for (later, kept) in [(WITHDRAWN, 0), (again, 0), (other, 1)] {
        // told while it is awake
        let mut rig = listening(ListenMode::Auto);
        rig.say("hello");
        rig.answer("Good morning to you.");
        rig.play(700);
        rig.feed(Event::ConsentChanged(later.clone()));
        assert_eq!(rig.session.observe().exchanges, kept, "{later:?}");

        // found when it wakes
        let mut rig = listening(ListenMode::Auto);
        rig.say("hello");
        rig.answer("Good morning to you.");
        rig.play(700);
        rig.feed(Event::Detached);
        rig.feed(Event::Attached { consent: later.clone(), facts: Vec::new(), history: Vec::new() });
        assert_eq!(rig.session.observe().exchanges, kept, "{later:?}");
    }
}

#[test]
fn consent_through_another_door_is_welcomed_only_where_somebody_wants_to_talk() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ConsentChanged(GIVEN));
    assert_eq!(rig.spoken_texts(), []);
    let mut rig = asked();
    rig.play(3000);
    rig.feed(Event::ConsentChanged(GIVEN));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "Thank you very much.".into())]);
    rig.play(800);
    rig.feed(Event::VoiceStart);
    assert!(rig.has(|e| matches!(e, Effect::Transcribe(_, p) if *p == Purpose::VOICE_INTERACTION)));
}
