//! Sleeping and waking, coming and going.

use std::time::Duration;

use sayso_session::Refusal;
use sayso_session_actor::Change;
use sayso_store::{Range, Store, limits::SCAN_LIMIT_MAX};
use sayso_types::Purpose;
use sayso_wire::{AudioFormat, GoodbyeReason, Hello, ListenMode, SessionState, ToDevice};

use crate::device::{Device, hello};
use crate::node::{Node, Setup, sleepy};
use crate::{soon, sound};

const VOICE: [Purpose; 1] = [Purpose::VOICE_INTERACTION];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_sleeps_and_wakes_with_what_was_said() {
    let node = Node::with(Setup { hears: vec!["hello"], options: sleepy(), ..Setup::default() }).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    for turn in 1..=3 {
        device.write("hello");
        soon(device.hear_out()).await;
        let asleep = soon(node.until_session("speaker", |s| !s.awake && s.turns.answered == turn)).await;
        assert_eq!((asleep.conversation.exchanges as u64, asleep.connected), (turn, true));
        // packets to a sleeper wake nobody, and do not deafen it either
        device.say(&sound::voice(100));
    }
    device.listen(ListenMode::Auto);
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    soon(device.hear_out()).await;
    assert_eq!(node.session("speaker").unwrap().conversation.exchanges, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_word_is_lost_to_a_session_that_falls_asleep() {
    let node = Node::with(Setup { options: sleepy(), ..Setup::default() }).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    for n in 0..300 {
        // an abort leaves it at rest, so that it is about to fall asleep when the text comes
        device.send(sayso_wire::ToNode::Abort { turn: sayso_types::TurnId(0) });
        if n % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        device.write("hello");
        let thinking =
            |m: &ToDevice| matches!(m, ToDevice::StateChanged { state: SessionState::Thinking, .. }).then_some(());
        soon(device.told(thinking)).await;
    }
    assert_eq!(node.sessions.list().len(), 1);
}

/// XZ-1.2: a device that is bound to nobody's account has its say in memory, and nowhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_a_device_says_of_itself_when_it_connects_not_a_row_is_stored() {
    const MAC: &str = "a0:b1:c2:d3:e4:f5";
    let node = Node::start().await;
    let says = Hello { firmware: MAC.to_owned(), ..hello("speaker") };
    let device = Device::try_connect(&node, says).await.unwrap();
    let session = soon(node.until_session("speaker", |session| session.connected)).await;
    assert_eq!(session.firmware, MAC, "it is known while it is there");
    drop(device);
    soon(node.until_session("speaker", |session| !session.connected)).await;
    let rows = node.store.scan(Range::all(), SCAN_LIMIT_MAX).await.unwrap();
    assert!(rows.rest.is_none() && !rows.entries.is_empty(), "all of what is stored was looked at");
    let has_it = |bytes: &[u8]| bytes.windows(MAC.len()).any(|some| some == MAC.as_bytes());
    assert!(!rows.entries.iter().any(|row| has_it(row.key.as_bytes()) || has_it(&row.value)));
    assert!(node.register.list_heads(session.subject, None).await.unwrap().is_empty(), "nor is anything sealed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_connection_wins_and_goes_on_with_the_conversation() {
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &VOICE).await;
    let mut old = Device::connect(&node, "speaker").await;
    old.write("hello");
    soon(old.hear_out()).await;
    old.listen(ListenMode::Auto);
    soon(old.told_state(SessionState::Listening)).await;

    let mut new = Device::resume(&node, "speaker", old.welcome.resume_token.clone()).await;
    assert!(new.welcome.resumed);
    assert_eq!(new.welcome.session_id, old.welcome.session_id);
    assert_eq!(soon(old.told_goodbye()).await, GoodbyeReason::Replaced);
    // what the old connection still sends leads nowhere
    old.write("ignored");
    old.say(&sound::utterance(AudioFormat::MONO_16K));
    // nobody listens on behalf of the new one before it says so; its packets are counted from 0 again
    soon(new.told_state(SessionState::Idle)).await;
    new.listen(ListenMode::Auto);
    soon(new.told_state(SessionState::Listening)).await;
    new.say(&sound::utterance(AudioFormat::MONO_16K));
    soon(new.hear_out()).await;
    drop(old);
    let seen = soon(node.until_session("speaker", |s| s.turns.answered == 2)).await;
    assert_eq!((seen.conversation.exchanges, seen.connected), (2, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reconnecting_stops_what_was_said_to_the_connection_before() {
    let node = Node::start().await;
    node.agreed("speaker", &VOICE).await;
    let mut old = Device::connect(&node, "speaker").await;
    old.write("hello");
    let started = |m: &ToDevice| matches!(m, ToDevice::SpeechStart { .. }).then_some(());
    soon(old.told(started)).await;
    let mut new = Device::resume(&node, "speaker", old.welcome.resume_token.clone()).await;
    soon(new.told_state(SessionState::Idle)).await;
    let seen = soon(node.until_session("speaker", |s| s.turns.interrupted == 1)).await;
    assert_eq!(seen.conversation.exchanges, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_token_a_device_begins_anew() {
    let node = Node::start().await;
    node.agreed("speaker", &VOICE).await;
    let mut changes = node.sessions.changes();
    let mut old = Device::connect(&node, "speaker").await;
    old.write("hello");
    soon(old.hear_out()).await;
    let new = Device::connect(&node, "speaker").await;
    assert!(!new.welcome.resumed);
    assert_ne!(new.welcome.session_id, old.welcome.session_id);
    assert_eq!(soon(old.told_goodbye()).await, GoodbyeReason::Replaced);
    assert_eq!(node.session("speaker").unwrap().conversation.exchanges, 0);
    let closed = async { while changes.recv().await.unwrap() != (old.welcome.session_id, Change::Closed) {} };
    soon(closed).await;
    // a token of somebody else is none
    let stranger = Device::resume(&node, "stranger", new.welcome.resume_token.clone()).await;
    assert!(!stranger.welcome.resumed);
    // and a conversation is had in one language
    let hello =
        Hello { language: Some("zh".into()), resume_token: new.welcome.resume_token.clone(), ..hello("speaker") };
    assert!(!Device::try_connect(&node, hello).await.unwrap().welcome.resumed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_waits_for_its_device_for_a_while() {
    let mut setup = Setup::default();
    setup.options.resume_within = Duration::from_millis(20);
    let node = Node::with(setup).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;
    drop(device);
    soon(node.until(|all| all.is_empty())).await;
    assert!(node.transcriber.desk().received().calls == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_comes_and_goes_leaves_nothing_behind() {
    let node = Node::with(Setup { options: sleepy(), ..Setup::default() }).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    soon(node.until_session("speaker", |s| !s.awake)).await;
    let tasks = node.tasks.len();
    for n in 0..50 {
        device.listen(ListenMode::Auto);
        if n % 2 == 0 {
            soon(device.told_state(SessionState::Listening)).await;
        }
        let token = device.welcome.resume_token.clone();
        drop(device);
        device = Device::resume(&node, "speaker", token).await;
        assert!(device.welcome.resumed);
    }
    soon(node.until_session("speaker", |s| !s.awake && s.connected)).await;
    let gone = async {
        while node.tasks.len() > tasks {
            tokio::task::yield_now().await;
        }
    };
    soon(gone).await;
    assert_eq!(node.sessions.list().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_sends_everybody_away_and_lets_nobody_in() {
    let node = Node::start().await;
    node.agreed("speaker", &VOICE).await;
    let mut asleep = Device::connect(&node, "asleep").await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("hello");
    let started = |m: &ToDevice| matches!(m, ToDevice::SpeechStart { .. }).then_some(());
    soon(device.told(started)).await;
    let mut changes = node.sessions.changes();
    node.sessions.drain(Duration::from_secs(7));
    for device in [&mut asleep, &mut device] {
        let goodbye = |seen: &crate::device::Seen| match seen {
            crate::device::Seen::Goodbye(goodbye) => Some(goodbye.clone()),
            _ => None,
        };
        let goodbye = soon(device.until(goodbye)).await;
        assert_eq!((goodbye.reason, goodbye.reconnect_in), (GoodbyeReason::ShuttingDown, Some(Duration::from_secs(7))));
    }
    assert!(node.sessions.list().is_empty());
    let mut open = vec![asleep.welcome.session_id, device.welcome.session_id];
    let closed = async {
        while !open.is_empty() {
            if let (session, Change::Closed) = changes.recv().await.unwrap() {
                open.retain(|id| *id != session);
            }
        }
    };
    soon(closed).await;
    let refused = Device::try_connect(&node, hello("speaker")).await.map(|_| ()).unwrap_err();
    assert_eq!(refused, Refusal::ShuttingDown);
    soon(node.synthesizer.desk().wait_until(|r| r.running == 0)).await;
}
