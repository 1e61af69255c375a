//! What is taken back: in words or by a button, all of it or less, and what was made of it.

use sayso_types::Purpose;
use sayso_types::dialogue::{Action, Fact};
use sayso_wire::ConsentDecision;

use super::*;
use crate::{Means, Taken};

fn fact(key: &str, value: &str) -> Fact {
    Fact { key: key.into(), value: value.into() }
}

#[test]
fn a_withdrawal_by_voice_and_by_button_takes_the_one_path() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("stop listening");
    let turn = rig.turn();
    assert!(rig.has(|e| matches!(e, Effect::Withdraw(Taken::Everything, Means::Voice))));
    assert!(!rig.has(|e| matches!(e, Effect::Respond(..) | Effect::KeepExchange(..))), "it goes to nobody");
    assert!(
        rig.has(|e| matches!(e, Effect::CancelTurn(t) if *t == turn)),
        "it is over before the gates close under it"
    );
    assert_eq!(rig.state(), SessionState::Idle);
    rig.feed(Event::ConsentChanged(WITHDRAWING));
    assert_eq!(rig.spoken_texts(), []);
    rig.feed(Event::ConsentChanged(WITHDRAWN));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "I have stopped listening.".into())]);
    rig.play(800);
    rig.feed(Event::ConsentPressed { prompt_id: String::new(), decision: ConsentDecision::Withdraw, purpose: None });
    assert!(rig.has(|e| matches!(e, Effect::Withdraw(Taken::Everything, Means::Button))));
    let (prompt_id, decision, purpose) = (String::new(), ConsentDecision::Withdraw, Some(Purpose::MEMORY));
    rig.feed(Event::ConsentPressed { prompt_id, decision, purpose });
    assert!(rig.has(|e| matches!(e, Effect::Withdraw(Taken::One(p), Means::Button) if *p == Purpose::MEMORY)));
}

#[test]
fn less_than_everything_is_taken_back_in_words_and_the_conversation_goes_on() {
    for (said, taken) in [("Please don't save this.", Taken::WhatIsKept), ("forget my voice", Taken::Voice)] {
        let mut rig = listening(ListenMode::Auto);
        rig.say(said);
        assert!(rig.has(|e| matches!(e, Effect::Withdraw(t, Means::Voice) if *t == taken)), "{said}");
        assert!(!rig.has(|e| matches!(e, Effect::Respond(..) | Effect::KeepExchange(..))), "it goes to nobody");
        assert_eq!(rig.session.observe().mode, Some(ListenMode::Auto));
        rig.feed(Event::TakenBack(taken));
        assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "It is taken back.".into())]);
        rig.play(800);
        rig.say("what time is it");
        assert!(rig.has(|e| matches!(e, Effect::Respond(..))), "{said}");
    }
}

#[test]
fn who_takes_back_while_they_are_asked_is_asked_no_more() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    rig.play(900);
    rig.say("Stop listening!");
    assert!(rig.has(|e| matches!(e, Effect::Withdraw(Taken::Everything, Means::Voice))));
    assert!(rig.session.asking.is_none() && rig.state() == SessionState::Idle);
    // there is nothing to take back of which the person would be told
    rig.feed(Event::TakenBack(Taken::Everything));
    assert_eq!(rig.spoken_texts().last().unwrap().1, "I have stopped listening.");
    rig.play(800);
    assert_eq!(rig.state(), SessionState::Idle);
}

#[test]
fn facts_are_saved_only_where_memory_is_consented_to() {
    for memory in [false, true] {
        let mut rig = Rig::new(ConsentView { memory, ..GIVEN });
        rig.feed(Event::ListenStart(ListenMode::Auto));
        rig.say("remember that I like tea");
        let turn = rig.turn();
        rig.feed(Event::ReplyAct(turn, Action::Remember(fact("like", "tea"))));
        assert_eq!(rig.has(|e| matches!(e, Effect::SaveFacts(_))), memory);
        assert_eq!(rig.session.observe().facts, 1, "within the conversation it is remembered either way");
    }
}

#[test]
fn memory_that_is_withdrawn_is_forgotten_and_the_conversation_goes_on() {
    let mut rig = Rig::new(ConsentView { memory: true, ..GIVEN });
    rig.feed(Event::Attached {
        consent: ConsentView { memory: true, ..GIVEN },
        facts: vec![fact("name", "Anna")],
        history: Vec::new(),
    });
    rig.feed(Event::ListenStart(ListenMode::Auto));
    rig.feed(Event::VoiceStart);
    rig.feed(Event::ConsentChanged(ConsentView { cv: ConsentVersion(2), ..GIVEN }));
    assert_eq!(rig.session.observe().facts, 0);
    assert!(!rig.has(|e| matches!(e, Effect::CancelTurn(_))));
    assert_eq!(rig.state(), SessionState::Listening);
}

#[test]
fn a_turn_that_was_made_of_what_is_taken_back_ends_and_leaves_nothing() {
    let mut rig = Rig::new(ConsentView { history: true, ..GIVEN });
    rig.feed(Event::ListenStart(ListenMode::Auto));
    rig.say("what time is it");
    let turn = rig.turn();
    rig.answer("It is noon.");
    rig.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
    rig.feed(Event::Playout { turn, played_ms: 900, finished: false });
    rig.feed(Event::OriginTakenBack(turn));
    assert!(rig.has(|e| matches!(e, Effect::CancelTurn(cancelled) if *cancelled == turn)));
    assert!(!rig.has(|e| matches!(e, Effect::KeepExchange(..))), "though part of it was heard");
    assert!(rig.has(|e| matches!(e, Effect::Tell(ToDevice::SpeechStop { .. }))));
    assert_eq!(rig.endings(), [(turn, Ending::Failed("origin_taken_back"))]);
    assert_eq!((rig.spoken_texts(), rig.session.observe().exchanges), (Vec::new(), 0));
    // what the device reports of it is about nothing any more
    rig.feed(Event::Playout { turn, played_ms: 1_000, finished: true });
    assert_eq!((rig.out.len(), rig.state()), (0, SessionState::Listening));
    // neither the next is concerned, nor one that has been heard out
    rig.say("and now");
    rig.feed(Event::OriginTakenBack(turn));
    let turn = rig.turn();
    rig.answer("It is noon.");
    rig.play(1_000);
    rig.feed(Event::OriginTakenBack(turn));
    assert_eq!((rig.out.len(), rig.session.observe().exchanges), (0, 1));
    // whose call was stopped first has failed by then, and leaves nothing either
    rig.say("and now");
    let turn = rig.turn();
    rig.feed(Event::ReplyEnd(turn, Err("refused")));
    assert_eq!(rig.session.observe().exchanges, 2);
    rig.feed(Event::OriginTakenBack(turn));
    assert_eq!(rig.session.observe().exchanges, 1);
}
