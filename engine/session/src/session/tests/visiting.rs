//! Guests: what makes a session give way to another one, and how that one begins.

use super::*;
use crate::{Decision, GuestMode, Means};

/// A guest's session, of somebody who was never asked.
fn guest() -> Rig {
    let mut rig = Rig::new(ConsentView::default());
    rig.session.is_guests = true;
    rig
}

fn wants(rig: &Rig) -> Option<GuestMode> {
    rig.out.iter().find_map(|effect| match effect {
        Effect::GuestMode(wanted) => Some(*wanted),
        _ => None,
    })
}

fn said(rig: &Rig) -> Vec<String> {
    rig.spoken_texts().into_iter().map(|(_, text)| text).collect()
}

#[test]
fn who_says_that_a_guest_is_there_is_not_answered_and_not_listened_to_any_more() {
    for mode in [ListenMode::Auto, ListenMode::Realtime, ListenMode::Manual] {
        let mut rig = listening(mode);
        rig.say("Guest mode, please.");
        assert_eq!(wants(&rig), Some(GuestMode::On), "{mode:?}");
        assert!(!rig.has(|e| matches!(e, Effect::Respond(..) | Effect::KeepExchange(..))));
        assert_eq!((rig.session.capture, rig.session.context.exchanges()), (Capture::Off, 0));
        assert_eq!(rig.session.observe().mode, Some(mode), "the guest's session goes on as the device listens");
        rig.feed(Event::VoiceStart);
        assert!(rig.out.is_empty(), "what is said now is not the owner's");
    }
}

#[test]
fn a_guest_may_say_so_instead_of_answering_the_owners_question() {
    let mut rig = Rig::new(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    rig.play(900);
    rig.say("I'm a guest.");
    assert_eq!(wants(&rig), Some(GuestMode::On));
    assert!(!rig.has(|e| matches!(e, Effect::RecordConsent(..))) && rig.session.asking.is_none());
}

#[test]
fn typed_words_and_the_device_itself_do_the_same() {
    let mut rig = Rig::new(GIVEN);
    rig.feed(Event::Text(Redacted::new("访客模式".to_owned())));
    assert_eq!(wants(&rig), Some(GuestMode::On));
    let mut rig = guest();
    rig.feed(Event::Text(Redacted::new("I'm back".to_owned())));
    assert_eq!((wants(&rig), said(&rig).len()), (Some(GuestMode::Off), 0), "who is back is not asked as a guest first");
    for (mut rig, wanted) in [(Rig::new(GIVEN), GuestMode::On), (guest(), GuestMode::Off)] {
        rig.feed(Event::GuestMode(wanted));
        assert_eq!(wants(&rig), Some(wanted));
    }
}

#[test]
fn what_holds_already_is_said_again_and_changes_nothing() {
    for (mut rig, wanted, says) in
        [(Rig::new(GIVEN), GuestMode::Off, "The guest has left."), (guest(), GuestMode::On, "A guest is here.")]
    {
        rig.feed(Event::GuestMode(wanted));
        assert_eq!((wants(&rig), said(&rig)), (None, vec![says.to_owned()]));
    }
    let mut rig = listening(ListenMode::Auto);
    rig.say("I'm back.");
    assert_eq!(wants(&rig), None);
    assert!(rig.has(|e| matches!(e, Effect::Respond(..))), "of the owner it means something else");
}

#[test]
fn a_guest_is_told_so_and_then_asked_for_their_own_consent() {
    for mode in [ListenMode::Auto, ListenMode::Realtime, ListenMode::Manual] {
        let mut rig = guest();
        rig.feed(Event::Arrived { mode: Some(mode), after: TurnId(41) });
        assert_eq!((said(&rig), rig.turn()), (vec!["A guest is here.".to_owned()], TurnId(42)));
        assert!(!rig.has(|e| matches!(e, Effect::Listen(Capture::Automatic | Capture::PushToTalk))));
        rig.play(900);
        assert_eq!(said(&rig), ["May I listen?", "Please say yes or no."]);
        rig.play(900);
        assert!(!rig.has(|e| matches!(e, Effect::Transcribe(..))));
    }
}

#[test]
fn a_guest_who_does_not_agree_is_not_asked_again_at_once() {
    let mut rig = guest();
    rig.feed(Event::Arrived { mode: Some(ListenMode::Auto), after: TurnId(1) });
    rig.play(900);
    rig.play(900);
    rig.say("No.");
    assert!(rig.has(|e| matches!(e, Effect::RecordConsent(_, Decision::Refuse, Means::Voice))));
    let refused = ConsentView { cv: ConsentVersion(1), standing: Standing::Refused, ..ConsentView::default() };
    rig.feed(Event::ConsentChanged(refused));
    assert_eq!(said(&rig), ["All right, I will not."]);
    rig.play(900);
    assert_eq!((said(&rig).len(), rig.session.capture), (0, Capture::Off));
    rig.feed(Event::ListenStart(ListenMode::Auto));
    rig.play(900);
    rig.say("The guest has left.");
    assert_eq!(wants(&rig), Some(GuestMode::Off), "the owner is heard when the question is put again");
}

#[test]
fn an_owner_who_is_back_is_listened_to_and_a_device_that_does_not_listen_is_only_told() {
    let mut rig = Rig::new(GIVEN);
    rig.feed(Event::Arrived { mode: Some(ListenMode::Auto), after: TurnId(7) });
    assert_eq!(said(&rig), ["The guest has left."]);
    rig.play(900);
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Automatic))));
    let mut rig = guest();
    rig.feed(Event::Arrived { mode: None, after: TurnId(7) });
    rig.play(900);
    assert_eq!((said(&rig).len(), rig.session.asking.is_some()), (0, false));
}

#[test]
fn who_cannot_become_a_guest_is_told_and_heard_on() {
    let mut rig = listening(ListenMode::Auto);
    rig.say("Guest mode.");
    rig.feed(Event::GuestModeRefused("too_many_visits"));
    let told = |e: &Effect| matches!(e, Effect::Tell(ToDevice::Error { code, .. }) if code == "too_many_visits");
    assert!(rig.has(told));
    assert_eq!(said(&rig), ["Something went wrong."]);
    rig.play(900);
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Automatic))));
}
