//! Notices: told before anything else, once, and heard when the device has played all of it.

use sayso_types::{NoticeId, Purpose};

use super::*;
use crate::ToTell;

const FIRST: NoticeId = NoticeId([1; 16]);
const SECOND: NoticeId = NoticeId([2; 16]);

/// Somebody who is to be told two things.
fn rig(consent: ConsentView) -> Rig {
    let mut rig = Rig::new(consent);
    let notices = [(FIRST, "The service ends in May."), (SECOND, "Somebody else takes over.")];
    let to_tell = notices.map(|(notice, text)| ToTell { notice, text: text.to_owned(), shown: String::new() });
    rig.feed(Event::Notices(to_tell.into()));
    rig
}

fn said(rig: &Rig) -> Vec<String> {
    rig.spoken_texts().into_iter().map(|(_, text)| text).collect()
}

fn heard(rig: &Rig) -> Vec<NoticeId> {
    let heard = |effect: &Effect| match effect {
        Effect::NoticeHeard(notice) => Some(*notice),
        _ => None,
    };
    rig.out.iter().filter_map(heard).collect()
}

#[test]
fn notices_are_told_one_after_the_other_and_then_the_conversation_goes_on() {
    let mut rig = rig(GIVEN);
    rig.feed(Event::ListenStart(ListenMode::Auto));
    assert_eq!(rig.spoken_texts(), [(SpeechKind::Notice, "The service ends in May.".to_owned())]);
    rig.feed(Event::ListenStart(ListenMode::Auto));
    assert!(rig.out.is_empty(), "it is heard out");
    rig.feed(Event::VoiceStart);
    assert!(rig.out.is_empty(), "and nobody listens meanwhile");
    rig.play(900);
    assert_eq!((heard(&rig), said(&rig)), (vec![FIRST], vec!["Somebody else takes over.".to_owned()]));
    rig.play(900);
    assert_eq!(heard(&rig), [SECOND]);
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::Automatic))));
    rig.feed(Event::VoiceStart);
    assert!(rig.has(|e| matches!(e, Effect::Transcribe(_, p) if *p == Purpose::VOICE_INTERACTION)));
    rig.feed(Event::Abort).feed(Event::ListenStart(ListenMode::Auto));
    assert_eq!(said(&rig), [""; 0], "each is told once");
}

#[test]
fn whoever_has_yet_to_be_asked_is_told_first() {
    let mut rig = rig(ConsentView::default());
    rig.feed(Event::ListenStart(ListenMode::Auto));
    rig.play(900);
    rig.play(900);
    assert_eq!(said(&rig), ["May I listen?", "Please say yes or no."]);
}

#[test]
fn what_was_not_played_to_its_end_is_not_heard() {
    // the device never says that it has played it
    let mut unconfirmed = rig(GIVEN);
    unconfirmed.feed(Event::ListenStart(ListenMode::Auto));
    let turn = unconfirmed.turn();
    unconfirmed.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 }).feed(Event::Spoken(turn, Ok(900)));
    unconfirmed.feed(Event::Timer(Timer::Playout));
    assert_eq!(heard(&unconfirmed), []);
    assert_eq!(said(&unconfirmed), ["Somebody else takes over."]);

    // the person wants quiet
    let mut quiet = rig(GIVEN);
    quiet.feed(Event::ListenStart(ListenMode::Auto)).feed(Event::Abort);
    assert_eq!(heard(&quiet), []);
    quiet.feed(Event::ListenStart(ListenMode::Auto));
    assert_eq!(said(&quiet), [""; 0], "it waits for the next conversation");

    // the voice fails
    let mut silent = rig(GIVEN);
    silent.feed(Event::ListenStart(ListenMode::Auto));
    let turn = silent.turn();
    silent.feed(Event::Spoken(turn, Err("voice_unavailable")));
    assert_eq!(heard(&silent), []);
    silent.feed(Event::ListenStart(ListenMode::Auto));
    assert!(
        silent.has(|e| matches!(e, Effect::Listen(Capture::Automatic))),
        "and the conversation is had all the same"
    );
}

#[test]
fn a_person_who_pushes_to_talk_is_told_and_then_talks() {
    let mut rig = rig(GIVEN);
    rig.feed(Event::ListenStart(ListenMode::Manual)).feed(Event::ListenStop);
    rig.play(900);
    rig.play(900);
    assert_eq!(heard(&rig), [SECOND]);
    rig.feed(Event::ListenStart(ListenMode::Manual));
    assert!(rig.has(|e| matches!(e, Effect::Listen(Capture::PushToTalk))));
}

fn to_tell(notice: NoticeId, text: &str) -> ToTell {
    ToTell { notice, text: text.to_owned(), shown: format!("{text} Read this.") }
}

#[test]
fn what_there_is_to_tell_in_the_midst_of_a_conversation_is_told_as_soon_as_nobody_speaks() {
    let mut idle = listening(ListenMode::Auto);
    idle.feed(Event::Notices(vec![to_tell(FIRST, "It goes to Far.")]));
    assert_eq!(said(&idle), ["It goes to Far."]);
    let shows = |text: &str| {
        let text = text.to_owned();
        move |e: &Effect| matches!(e, Effect::Tell(ToDevice::Notice { text: shown, .. }) if *shown == text)
    };
    assert!(idle.has(shows("It goes to Far. Read this.")), "and shown");
    // what comes meanwhile is told after it, and this not again
    idle.feed(Event::Notices(vec![to_tell(FIRST, "It goes to Far."), to_tell(SECOND, "And to Near.")]));
    assert_eq!(said(&idle), [""; 0]);
    idle.play(900);
    assert_eq!((heard(&idle), said(&idle)), (vec![FIRST], vec!["And to Near.".to_owned()]));
    idle.play(900);
    assert!(idle.has(|e| matches!(e, Effect::Listen(Capture::Automatic))));

    let mut busy = Rig::new(ConsentView::default());
    busy.feed(Event::ListenStart(ListenMode::Auto));
    busy.play(900);
    busy.feed(Event::ConsentChanged(GIVEN));
    assert_eq!(said(&busy), ["Thank you very much."]);
    busy.feed(Event::Notices(vec![to_tell(FIRST, "It goes to Far.")]));
    assert_eq!(said(&busy), [""; 0], "what is being said is said to its end");
    busy.play(900);
    assert_eq!(said(&busy), ["It goes to Far."]);

    let mut pressing = listening(ListenMode::Manual);
    pressing.feed(Event::Notices(vec![to_tell(FIRST, "It goes to Far.")]));
    assert_eq!(said(&pressing), [""; 0], "whoever holds the button is about to speak");
    let mut away = Rig::new(GIVEN);
    away.feed(Event::Notices(vec![to_tell(FIRST, "It goes to Far.")]));
    assert_eq!(said(&away), [""; 0], "nobody is there");
    away.feed(Event::ListenStart(ListenMode::Auto));
    assert_eq!(said(&away), ["It goes to Far."]);
}

#[test]
fn whoever_comes_is_shown_the_policy_each_time() {
    let shown = |rig: &Rig| {
        let texts = rig.out.iter().filter_map(|effect| match effect {
            Effect::Tell(ToDevice::Notice { code, text }) if code == "policy" => Some(text.clone()),
            _ => None,
        });
        let texts: Vec<_> = texts.collect();
        let noted = rig.out.iter().filter(|effect| matches!(effect, Effect::NotePolicy)).count();
        assert_eq!(texts.len(), noted, "what is shown is put on record");
        texts
    };
    let text = || Event::Text(Redacted::new("what time is it".to_owned()));
    let begin = |consent: ConsentView, policy: &str| {
        let mut rig = Rig::new(consent.clone());
        rig.session = Session::new(SESSION, Options { policy: policy.to_owned(), ..Options::default() });
        rig.feed(Event::Attached { consent, facts: Vec::new(), history: Vec::new() });
        rig
    };
    let policy = "Home, revision 2. Please read it: https://example.com";
    // also who has yet to be asked, and who has said no
    for consent in [GIVEN, ConsentView::default(), WITHDRAWN] {
        let mut rig = begin(consent.clone(), policy);
        assert_eq!(shown(&rig), [""; 0], "nobody is there yet");
        assert_eq!(shown(rig.feed(Event::ListenStart(ListenMode::Auto))), [policy]);
        assert_eq!(shown(rig.feed(Event::ListenStart(ListenMode::Auto))), [""; 0], "once for each time that they come");
        assert_eq!(shown(rig.feed(text())), [""; 0]);
        // who goes and comes again, in words, and who comes back to a device that slept
        rig.feed(Event::Detached);
        assert_eq!(shown(rig.feed(text())), [policy]);
        rig.feed(Event::Attached { consent, facts: Vec::new(), history: Vec::new() });
        assert_eq!(shown(rig.feed(Event::ListenStart(ListenMode::Manual))), [policy]);
        // and who was away while somebody else spoke
        assert_eq!(shown(rig.feed(Event::Arrived { mode: Some(ListenMode::Auto), after: TurnId(9) })), [policy]);
        assert_eq!(shown(rig.feed(Event::ListenStart(ListenMode::Auto))), [""; 0]);
    }
    let mut rig = begin(GIVEN, "");
    assert_eq!(shown(rig.feed(Event::ListenStart(ListenMode::Auto))), [""; 0], "where nothing is promised");
}
