//! Pictures, from the offer to the answer.

use super::*;

fn looks() -> ConsentView {
    ConsentView { pictures: true, ..GIVEN }
}

fn offered(rig: &mut Rig, question: &str) -> TurnId {
    rig.feed(Event::Picture(picture(Redacted::new(question.into()))));
    rig.turn()
}

fn error(rig: &Rig) -> Option<String> {
    rig.out.iter().find_map(|effect| match effect {
        Effect::Tell(ToDevice::Error { code, .. }) => Some(code.clone()),
        _ => None,
    })
}

#[test]
fn what_a_picture_shows_is_said_like_any_answer() {
    let mut rig = Rig::new(looks());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    let turn = offered(&mut rig, " Where is\u{0} the cup? ");
    assert_eq!(rig.state(), SessionState::Thinking);
    let asked =
        |e: &Effect| matches!(e, Effect::View(t, o) if *t == turn && o.question.reveal() == "Where is the cup?");
    assert!(rig.has(asked), "{:?}", rig.out);
    rig.feed(Event::Viewed(turn, Ok(Redacted::new("It stands on the table.".into()))));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Answer, "It stands on the table.".into())]);
    assert!(rig.has(|e| matches!(e, Effect::FinishSpeech(t) if *t == turn)));
    rig.play(1_000);
    assert_eq!(rig.endings(), [(turn, Ending::Answered)]);
    let exchange = &rig.session.context.history()[0];
    assert_eq!((exchange.said.as_str(), exchange.heard.as_str()), ("Where is the cup?", "It stands on the table."));
}

#[test]
fn without_consent_to_pictures_none_is_taken_in_and_the_device_is_told_why() {
    let mut rig = listening(ListenMode::Auto);
    offered(&mut rig, "");
    assert_eq!(error(&rig).as_deref(), Some("picture_not_allowed"));
    assert!(!rig.has(|e| matches!(e, Effect::View(..))) && rig.state() == SessionState::Listening);
    // whoever was never asked is asked first
    let mut rig = Rig::new(ConsentView::default());
    offered(&mut rig, "");
    assert!(rig.has(|e| matches!(e, Effect::NoteQuestion(_))) && !rig.has(|e| matches!(e, Effect::View(..))));
}

#[test]
fn what_the_gate_refuses_is_told_to_the_device_and_not_said() {
    for code in ["not_allowed", "refused"] {
        let mut rig = Rig::new(looks());
        let turn = offered(&mut rig, "");
        rig.feed(Event::Viewed(turn, Err(code)));
        assert_eq!(error(&rig).as_deref(), Some("picture_not_allowed"));
        assert_eq!(rig.endings(), [(turn, Ending::Failed("picture_not_allowed"))]);
        assert_eq!((rig.spoken_texts().len(), rig.session.context.exchanges()), (0, 0));
    }
    let mut rig = Rig::new(looks());
    let turn = offered(&mut rig, "");
    rig.feed(Event::Viewed(turn, Err("timed_out")));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "Something went wrong.".into())]);
}

#[test]
fn consent_to_pictures_that_is_taken_back_ends_what_is_said_about_one_and_forgets_it() {
    let mut rig = Rig::new(looks());
    rig.feed(Event::ListenStart(ListenMode::Realtime));
    rig.say("hello");
    rig.answer("Hello to you.");
    rig.play(500);
    let turn = offered(&mut rig, "What is it?");
    rig.feed(Event::Viewed(turn, Ok(Redacted::new("A cup on a table, and a cat.".into()))));
    rig.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
    rig.feed(Event::ConsentChanged(ConsentView { cv: ConsentVersion(2), ..GIVEN }));
    assert!(rig.has(|e| matches!(e, Effect::CancelTurn(t) if *t == turn)));
    assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::SpeechStop { turn: t, .. }) if *t == turn)));
    let history = rig.session.context.history();
    assert_eq!(history.iter().map(|e| e.said.as_str()).collect::<Vec<_>>(), ["hello"], "the conversation goes on");
    assert_eq!(rig.state(), SessionState::Listening);
    rig.feed(Event::Playout { turn, played_ms: 400, finished: true });
    assert_eq!(rig.session.context.history().len(), 1);
}

#[test]
fn what_was_seen_is_not_kept_with_what_was_said() {
    let mut rig = Rig::new(ConsentView { history: true, ..looks() });
    rig.feed(Event::ListenStart(ListenMode::Auto));
    let kept = |rig: &Rig| rig.has(|e| matches!(e, Effect::KeepExchange(..)));
    let turn = offered(&mut rig, "What is it?");
    rig.feed(Event::Viewed(turn, Ok(Redacted::new("A cup on a table.".into()))));
    rig.play(1_000);
    assert_eq!(rig.endings(), [(turn, Ending::Answered)]);
    assert!(!kept(&rig), "it goes with the consent to pictures, which what is kept does not");
    rig.say("hello");
    rig.answer("Hello to you.");
    rig.play(500);
    assert!(kept(&rig));
    // nor what was heard of it before it was stopped
    let turn = offered(&mut rig, "What is it?");
    rig.feed(Event::Viewed(turn, Ok(Redacted::new("A cup on a table.".into()))));
    rig.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
    rig.feed(Event::Spoken(turn, Ok(1_000)));
    rig.feed(Event::Playout { turn, played_ms: 900, finished: false });
    rig.feed(Event::Abort);
    assert!(rig.has(|e| matches!(e, Effect::CancelTurn(t) if *t == turn)) && !kept(&rig));
}

#[test]
fn a_question_that_is_too_long_is_refused_and_one_in_answer_to_another_is_no_picture() {
    let mut rig = Rig::new(looks());
    offered(&mut rig, &"x".repeat(4_001));
    assert_eq!(error(&rig).as_deref(), Some("text_too_long"));
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    offered(&mut rig, "");
    assert_eq!(error(&rig).as_deref(), Some("picture_not_allowed"), "the question is heard out");
}
