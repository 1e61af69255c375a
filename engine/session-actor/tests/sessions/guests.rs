//! Guests at a device: asked for themselves, told nothing of the owner's, and gone when they leave.

use sayso_consent::Means;
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::visits::Visit;
use sayso_policy::ConsentStatus;
use sayso_types::{Category, Purpose, SubjectId, TurnId};
use sayso_wire::{
    AudioFormat, ConsentDecision, ConsentStatus as Told, GoodbyeReason, ListenMode, SessionState, ToDevice, ToNode,
};

use crate::device::{Device, Seen};
use crate::node::{Node, Setup, device_id, patient_profile, tenant};
use crate::{soon, sound};

const VOICE: Purpose = Purpose::VOICE_INTERACTION;
const GREETING: [&str; 2] = ["Guest mode is on.", "When it ends, what is kept of you is erased."];

/// Waits until the device is told `code`.
async fn noticed(device: &mut Device, wanted: &str) {
    soon(device.told(|m| matches!(m, ToDevice::Notice { code, .. } if code == wanted).then_some(()))).await;
}

/// Waits for the consent question; its prompt.
async fn asked(device: &mut Device) -> String {
    let prompt = |m: &ToDevice| match m {
        ToDevice::ConsentPrompt { prompt_id, .. } => Some(prompt_id.clone()),
        _ => None,
    };
    soon(device.told(prompt)).await
}

/// Agrees to the question `prompt_id`, which was heard out, and hears the thanks.
async fn agrees(device: &mut Device, prompt_id: String) {
    device.send(ToNode::ConsentAnswer { prompt_id, decision: ConsentDecision::Agree, purpose: None });
    let given = |m: &ToDevice| {
        matches!(m, ToDevice::ConsentChanged { purpose, status: Told::Given, .. } if *purpose == VOICE).then_some(())
    };
    soon(device.told(given)).await;
    assert_eq!(soon(device.hear_out()).await.1, ["Thanks."]);
}

fn visit(node: &Node) -> Option<Visit> {
    node.register.visit(&tenant(), &device_id("speaker"))
}

/// Switches guest mode on by the device, which listens, and has the guest agree.
async fn guest(node: &Node, device: &mut Device) -> Visit {
    device.send(ToNode::GuestMode { on: true });
    noticed(device, "guest_mode").await;
    assert_eq!(soon(device.hear_out()).await.1, GREETING);
    let prompt = asked(device).await;
    assert_eq!(soon(device.hear_out()).await.1, ["May I listen?"]);
    agrees(device, prompt).await;
    visit(node).unwrap()
}

/// Types `text` and hears the answer out; how many bytes the dialogue was told.
async fn told_with(node: &Node, device: &mut Device, text: &str) -> u64 {
    let before = node.responder.desk().received().bytes;
    device.write(text);
    soon(device.hear_out()).await;
    node.responder.desk().received().bytes - before
}

async fn kept(node: &Node, subject: SubjectId) -> usize {
    node.register.list_kept(subject, Some(Category::CHAT_HISTORY)).await.unwrap().len()
}

/// Waits until so many exchanges of `subject` are kept.
async fn until_kept(node: &Node, subject: SubjectId, expected: usize) {
    let waiting = async {
        while kept(node, subject).await != expected {
            tokio::task::yield_now().await;
        }
    };
    soon(waiting).await;
}

async fn is_erased(node: &Node, visit: &Visit) {
    let json = soon(node.register.until_certified(visit.subject, visit.id)).await.unwrap();
    assert_eq!(Certificate::parse(&json).unwrap().grounds[0], Ground::Visit(visit.id.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_told_nothing_of_the_owners_and_leaves_nothing_with_them() {
    let node = Node::start().await;
    let owner = node.agreed("speaker", &[VOICE, Purpose::MEMORY, Purpose::HISTORY]).await;
    node.register.save_facts(owner, &[("cat".to_owned(), "Mia".to_owned())]).await.unwrap();
    let mut device = Device::connect(&node, "speaker").await;
    told_with(&node, &mut device, "my cat is called Mia").await;
    until_kept(&node, owner, 1).await;
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;

    let visit = guest(&node, &mut device).await;
    soon(node.until_session("speaker", |s| s.subject == visit.subject && s.conversation.exchanges == 0)).await;
    let to_guest = told_with(&node, &mut device, "what is my cat called").await;
    // somebody who is nobody's guest, and of whom nothing is known either
    node.agreed("another", &[VOICE, Purpose::MEMORY]).await;
    let mut another = Device::connect(&node, "another").await;
    assert_eq!(told_with(&node, &mut another, "what is my cat called").await, to_guest, "not a byte more");
    let seen = soon(node.until_session("speaker", |s| s.turns.answered == 1)).await;
    assert_eq!((seen.conversation.facts, seen.conversation.exchanges), (0, 1));
    assert_eq!(
        (kept(&node, visit.subject).await, kept(&node, owner).await),
        (0, 1),
        "the guest was not asked for that"
    );

    device.send(ToNode::GuestMode { on: false });
    noticed(&mut device, "guest_mode_off").await;
    assert_eq!(soon(device.hear_out()).await.1, ["Guest mode is off."]);
    let seen = soon(node.until_session("speaker", |s| s.subject == owner && s.conversation.facts == 1)).await;
    assert_eq!(seen.conversation.exchanges, 1, "what the owner said before, and nothing of the guest's");
    assert!(told_with(&node, &mut device, "what is my cat called").await > to_guest);
    is_erased(&node, &visit).await;
    assert_eq!(kept(&node, visit.subject).await, 0);
    assert_eq!(node.register.facts(owner).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_words_from_the_first_to_the_last() {
    let hears = vec!["Guest mode, please.", "Yes.", "tell me something", "I'm back."];
    let node = Node::with(Setup { hears, ..Setup::default() }).await;
    let owner = node.agreed("speaker", &[VOICE]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;
    let utterance = sound::utterance(AudioFormat::MONO_16K);
    device.say(&utterance);
    noticed(&mut device, "guest_mode").await;
    let (greeting, said) = soon(device.hear_out()).await;
    assert_eq!(said, GREETING);
    assert_eq!(node.responder.desk().received().calls, 0, "that is nothing to answer");
    asked(&mut device).await;
    let (question, _) = soon(device.hear_out()).await;
    assert!(TurnId(0) < greeting && greeting < question, "the device hears on, turn after turn");
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&utterance);
    assert_eq!(soon(device.hear_out()).await.1, ["Thanks."]);
    let visit = visit(&node).unwrap();
    let agreed = node.register.state(visit.subject).await.unwrap();
    assert_eq!(agreed.status(VOICE), ConsentStatus::Given, "by the guest's own voice");
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&utterance);
    assert_eq!(soon(device.hear_out()).await.1, ["All right."]);
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&utterance);
    noticed(&mut device, "guest_mode_off").await;
    assert_eq!(soon(device.hear_out()).await.1, ["Guest mode is off."]);
    soon(node.until_session("speaker", |s| s.subject == owner)).await;
    soon(device.told_state(SessionState::Listening)).await;
    assert_eq!(node.responder.desk().received().calls, 1);
    assert_eq!(node.register.records(owner).await.unwrap().1.len(), 1, "the owner agreed once, before");
    is_erased(&node, &visit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_a_yes_nothing_but_the_answer_is_heard_and_a_no_is_the_guests() {
    let node = Node::hearing(&["No.", "never to be understood"]).await;
    let owner = node.agreed("speaker", &[VOICE]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;
    node.register.begin_visit(&tenant(), &device_id("speaker")).await.unwrap();
    noticed(&mut device, "guest_mode").await;
    device.say(&sound::voice(800));
    assert_eq!(soon(device.hear_out()).await.1, GREETING);
    assert_eq!(soon(device.hear_out()).await.1, ["May I listen?"]);
    assert_eq!(node.transcriber.desk().received().calls, 0, "who speaks before that is not heard");
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    assert_eq!(soon(device.hear_out()).await.1, ["I will not."]);
    soon(device.told_state(SessionState::Idle)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    let guest = visit(&node).unwrap().subject;
    let state = |subject| node.register.state(subject);
    assert_eq!(state(guest).await.unwrap().status(VOICE), ConsentStatus::Refused);
    assert_eq!(state(owner).await.unwrap().status(VOICE), ConsentStatus::Given);
    assert_eq!(node.transcriber.desk().received().calls, 1);
    // the owner takes theirs back meanwhile, by another door: the guest's session hears nothing of it
    device.look_away();
    assert!(soon(node.register.withdraw(owner, &[], Means::Integrator)).await.unwrap().ok);
    node.register.end_visit(&tenant(), &device_id("speaker")).await.unwrap();
    noticed(&mut device, "guest_mode_off").await;
    assert_eq!(soon(device.hear_out()).await.1, ["Guest mode is off."]);
    device.listen(ListenMode::Auto);
    assert_eq!(soon(device.hear_out()).await.1, ["May I listen?"], "and the owner is asked anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_whose_device_comes_again_goes_on_where_they_were() {
    let node = Node::start().await;
    node.agreed("speaker", &[VOICE]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;
    let visit = guest(&node, &mut device).await;
    told_with(&node, &mut device, "remember me").await;
    soon(node.until_session("speaker", |s| s.turns.answered == 1)).await;
    let token = device.welcome.resume_token.clone();
    drop(device);
    let mut device = Device::resume(&node, "speaker", token).await;
    assert!(device.welcome.resumed);
    noticed(&mut device, "guest_mode").await;
    let seen = soon(node.until_session("speaker", |s| s.connected)).await;
    assert_eq!((seen.subject, seen.conversation.exchanges), (visit.subject, 1));

    // without its token it begins anew, and is the guest's all the same
    let mut anew = Device::connect(&node, "speaker").await;
    assert_eq!(soon(device.told_goodbye()).await, GoodbyeReason::Replaced);
    noticed(&mut anew, "guest_mode").await;
    assert_eq!(soon(node.until_session("speaker", |s| s.connected)).await.subject, visit.subject);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visit_ends_with_the_session_where_the_policy_says_so() {
    let profile = format!("{}\n[visits]\nend_with_session = true\n", patient_profile());
    let node = Node::with(Setup { profile, ..Setup::default() }).await;
    let owner = node.agreed("speaker", &[VOICE]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;
    let visit = guest(&node, &mut device).await;
    let mut anew = Device::connect(&node, "speaker").await;
    is_erased(&node, &visit).await;
    noticed(&mut anew, "guest_mode_off").await;
    soon(node.until_session("speaker", |s| s.subject == owner)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_microphone_that_is_taken_away_is_taken_away_from_both() {
    let node = Node::start().await;
    let owner = node.agreed("speaker", &[VOICE]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;
    let guest = guest(&node, &mut device).await.subject;
    device.send(ToNode::PermissionChanged { capability: "microphone".parse().unwrap(), granted: false });
    for person in [guest, owner] {
        let is_withdrawn = async {
            while node.register.state(person).await.unwrap().status(VOICE) != ConsentStatus::Withdrawn {
                tokio::task::yield_now().await;
            }
        };
        soon(is_withdrawn).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_stops_when_somebody_else_comes_to_speak() {
    let node = Node::start().await;
    node.agreed("speaker", &[VOICE]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("tell me a story");
    let begins = |m: &ToDevice| match m {
        ToDevice::SpeechStart { turn } => Some(*turn),
        _ => None,
    };
    let story = soon(device.told(begins)).await;
    node.register.begin_visit(&tenant(), &device_id("speaker")).await.unwrap();
    let stopped = |m: &ToDevice| match m {
        ToDevice::SpeechStop { turn, .. } => Some(*turn),
        _ => None,
    };
    assert_eq!(soon(device.told(stopped)).await, story);
    let (greeting, said) = soon(device.hear_out()).await;
    assert!(greeting > story && said == GREETING);
    let of_story = device.packets(story).len();
    let after = device.seen().iter().rposition(|s| matches!(s, Seen::Packet(packet, _) if packet.turn == story));
    let greeted = device.seen().iter().position(|s| matches!(s, Seen::Packet(packet, _) if packet.turn == greeting));
    assert!(after.is_none() || after < greeted, "{of_story} packets of the story, none of them after that");
}
