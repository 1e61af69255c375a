//! What holds whatever happens, in whatever order.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;
use sayso_types::{NoticeId, Purpose};
use sayso_wire::ConsentDecision;

use super::*;
use crate::{GuestMode, Taken, ToTell};

fn any_event() -> impl Strategy<Value = Event> {
    let turn = (0u32..6).prop_map(TurnId);
    let standings =
        [Standing::Undecided, Standing::Given, Standing::Refused, Standing::Withdrawing, Standing::Withdrawn];
    let view =
        (0u64..6, prop::sample::select(standings.to_vec()), any::<[bool; 3]>()).prop_map(|(cv, standing, may)| {
            let [memory, pictures, history] = may;
            ConsentView { cv: ConsentVersion(cv), standing, memory, pictures, history, asks_again: Vec::new() }
        });
    let mode = prop::sample::select(vec![ListenMode::Auto, ListenMode::Manual, ListenMode::Realtime]);
    let text = || prop::sample::select(vec!["", "yes", "no", "guest mode", "hello there my friend. how are you?"]);
    let text = move || text().prop_map(|t| Redacted::new(t.to_owned()));
    let decision =
        prop::sample::select(vec![ConsentDecision::Agree, ConsentDecision::Refuse, ConsentDecision::Withdraw]);
    prop_oneof![
        mode.clone().prop_map(Event::ListenStart),
        prop::sample::select(vec![GuestMode::On, GuestMode::Off]).prop_map(Event::GuestMode),
        (prop::option::of(mode), turn.clone()).prop_map(|(mode, after)| Event::Arrived { mode, after }),
        Just(Event::GuestModeRefused("store_full")),
        Just(Event::ListenStop),
        Just(Event::Abort),
        Just(Event::Detached),
        Just(Event::NotListened("not_allowed")),
        Just(Event::VoiceStart),
        Just(Event::VoiceEnd),
        Just(Event::VoiceNone),
        text().prop_map(Event::Text),
        text().prop_map(|question| Event::Picture(picture(question))),
        (turn.clone(), text()).prop_map(|(t, s)| Event::Viewed(t, Ok(s))),
        turn.clone().prop_map(|t| Event::Viewed(t, Err("not_allowed"))),
        (turn.clone(), text()).prop_map(|(t, s)| Event::Transcribed(t, Ok(s))),
        turn.clone().prop_map(|t| Event::Transcribed(t, Err("timed_out"))),
        (turn.clone(), text()).prop_map(|(t, s)| Event::ReplyText(t, s)),
        turn.clone().prop_map(|t| Event::ReplyEnd(t, Ok(()))),
        turn.clone().prop_map(|t| Event::ReplyEnd(t, Err("broken"))),
        (turn.clone(), 0u32..3, 0u32..5000).prop_map(|(turn, sentence, at_ms)| Event::SentenceAt {
            turn,
            sentence,
            at_ms
        }),
        (turn.clone(), 0u32..5000).prop_map(|(t, ms)| Event::Spoken(t, Ok(ms))),
        (turn.clone(), 0u32..5000, any::<bool>()).prop_map(|(turn, played_ms, finished)| Event::Playout {
            turn,
            played_ms,
            finished
        }),
        view.clone().prop_map(|consent| Event::Attached { consent, facts: Vec::new(), history: Vec::new() }),
        view.prop_map(Event::ConsentChanged),
        Just(Event::Notices(vec![ToTell {
            notice: NoticeId([1; 16]),
            text: "It ends.".to_owned(),
            shown: "It ends.".to_owned()
        }])),
        Just(Event::AnswerUnrecorded("store_full")),
        Just(Event::WithdrawalUnrecorded("store_full")),
        Just(Event::TakenBack(Taken::WhatIsKept)),
        (turn, decision).prop_map(|(turn, decision)| Event::ConsentPressed {
            prompt_id: prompt_id(SESSION, turn),
            decision,
            purpose: None
        }),
        prop::sample::select(vec![Timer::Answer, Timer::Consent, Timer::Playout, Timer::Idle]).prop_map(Event::Timer),
    ]
}

/// An actor attaches a session only while nothing runs.
fn possible(rig: &Rig, event: &Event) -> bool {
    !matches!(event, Event::Attached { .. }) || rig.session.is_at_rest()
}

proptest! {
    /// Speech of a person is recognised for a conversation, and goes to a responder, only while consent is given.
    #[test]
    fn nothing_is_asked_of_anyone_without_consent(events in prop::collection::vec(any_event(), 0..80)) {
        let mut rig = Rig::new(ConsentView::default());
        for event in events {
            if !possible(&rig, &event) {
                continue;
            }
            rig.feed(event);
            let given = rig.session.consent.standing == Standing::Given;
            for effect in &rig.out {
                match effect {
                    Effect::Transcribe(_, purpose) if *purpose == Purpose::VOICE_INTERACTION => prop_assert!(given),
                    Effect::Respond(..) => prop_assert!(given),
                    Effect::View(..) => prop_assert!(given && rig.session.consent.pictures),
                    Effect::KeepExchange(..) => prop_assert!(rig.session.consent.history),
                    Effect::Listen(Capture::Automatic | Capture::PushToTalk) => {
                        prop_assert!(given || rig.session.asking.is_some());
                    }
                    _ => {}
                }
            }
            let listens = rig.session.capture != Capture::Off;
            prop_assert!(!listens || given || rig.session.asking.is_some(), "and it does not go on listening");
            let purpose = rig.session.listens_for();
            prop_assert!(!listens || purpose.is_some(), "and it says what for");
            let converses = purpose == Some(Purpose::VOICE_INTERACTION);
            prop_assert!(!converses || given && rig.session.asking.is_none(), "which is a conversation only if it may be one");
        }
    }

    /// A turn that was cancelled is never spoken for again.
    #[test]
    fn a_cancelled_turn_stays_silent(events in prop::collection::vec(any_event(), 0..80)) {
        let mut rig = Rig::new(GIVEN);
        let mut cancelled = BTreeSet::new();
        for event in events {
            if !possible(&rig, &event) {
                continue;
            }
            rig.feed(event);
            for effect in &rig.out {
                match effect {
                    Effect::CancelTurn(turn) => {
                        cancelled.insert(*turn);
                    }
                    Effect::Speak { turn, .. }
                    | Effect::Respond(turn, _)
                    | Effect::View(turn, _)
                    | Effect::Transcribe(turn, _)
                    | Effect::FinishSpeech(turn) => prop_assert!(!cancelled.contains(turn)),
                    _ => {}
                }
            }
        }
    }

    /// Every turn is counted once at most, and whatever the session waits for, a timer ends the waiting.
    #[test]
    fn turns_end_once_and_nothing_is_waited_for_without_end(events in prop::collection::vec(any_event(), 0..80)) {
        let mut rig = Rig::new(GIVEN);
        let (mut counted, mut armed) = (BTreeSet::new(), HashSet::new());
        armed.insert(Timer::Idle);
        let mut recording = false;
        for event in events {
            let due = match &event {
                Event::Timer(timer) => armed.remove(timer),
                event => possible(&rig, event),
            };
            if !due {
                continue;
            }
            rig.feed(event);
            for effect in &rig.out {
                match effect {
                    Effect::Ended(turn, _) => prop_assert!(counted.insert(*turn), "counted twice"),
                    Effect::Arm(timer, _) => { armed.insert(*timer); }
                    Effect::Disarm(timer) => { armed.remove(timer); }
                    Effect::RecordConsent(..) => recording = true,
                    // it sleeps, and wakes for the next event
                    Effect::Passivate => { armed.insert(Timer::Idle); }
                    _ => {}
                }
            }
            recording &= rig.session.asking.is_some();
            let session = &rig.session;
            let timer = match &session.turn {
                // an utterance is ended by the pipeline, sound by whoever makes it
                Some(turn) if turn.phase == Phase::Hearing => None,
                Some(turn) if turn.phase == Phase::Thinking => Some(Timer::Answer),
                Some(turn) => turn.answer.total_ms().map(|_| Timer::Playout),
                None if session.asking.is_some() => Some(Timer::Consent).filter(|_| !recording),
                None => Some(Timer::Idle).filter(|_| session.is_at_rest()),
            };
            prop_assert!(timer.is_none_or(|timer| armed.contains(&timer)), "{:?} for ever: {:?}", timer, session);
        }
    }
}
