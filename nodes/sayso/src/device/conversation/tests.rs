mod node;

use sayso_runtime::Tasks;
use sayso_types::{Purpose, SampleRate, TurnId};
use sayso_wire::{ConsentStatus, Goodbye, GoodbyeReason, SessionState, ToDevice, ToNode};

use self::node::{Side, TestNode};
use super::*;

fn recording() -> Utterance {
    Utterance::Recording { title: "a.wav".to_owned(), sound: Pcm::new(SampleRate::HZ_16K, vec![0; 960]) }
}

fn text(text: &str) -> Utterance {
    Utterance::Text(text.to_owned())
}

/// Lets a device hold its conversation with a node that answers by `script`; the outcome, and what the node was told.
async fn held(
    script: fn(&ToNode, &Side),
    button: Option<ConsentDecision>,
    utterances: &[Utterance],
) -> (Result<(), String>, Vec<&'static str>) {
    let tasks = Tasks::new();
    let node = TestNode::start(script, &tasks);
    let (device, events) = Device::connect(node.device_options(), &tasks).await.unwrap();
    let mut conversation = Conversation::new(device.clone(), events, View::Lines, ListenMode::Manual);
    conversation.button = button;
    let outcome = conversation.hold(utterances).await.map_err(|error| format!("{error:#}"));
    device.goodbye().await;
    (outcome, node.told())
}

/// A node that asks for consent before it does anything else, as ours do in push-to-talk mode.
fn asks_first(message: &ToNode, side: &Side) {
    let consented = side.was_told("agree");
    match message {
        ToNode::ListenStart { .. } if consented => side.state(SessionState::Listening),
        ToNode::ListenStart { .. } | ToNode::TextInput { .. } if !consented => {
            let (prompt_id, text) = ("1".to_owned(), "May I listen?".to_owned());
            side.tell(ToDevice::ConsentPrompt { prompt_id, text, purposes: vec![Purpose::VOICE_INTERACTION] });
            side.speak();
        }
        ToNode::ConsentAnswer { decision, .. } => {
            let status = match decision {
                ConsentDecision::Agree => ConsentStatus::Given,
                _ => ConsentStatus::Refused,
            };
            let (purpose, consent_version) = (Purpose::VOICE_INTERACTION, Default::default());
            side.tell(ToDevice::ConsentChanged { purpose, status, consent_version });
            side.speak();
        }
        ToNode::ListenStop { .. } | ToNode::TextInput { .. } => side.speak(),
        ToNode::PlayoutPosition { finished: true, .. } => side.state(SessionState::Idle),
        _ => {}
    }
}

#[tokio::test]
async fn the_question_is_heard_out_and_answered_before_anything_is_said() {
    let (outcome, told) = held(asks_first, Some(ConsentDecision::Agree), &[recording(), recording()]).await;
    assert_eq!(outcome, Ok(()));
    let turn = ["listen_start", "listen_stop", "played"];
    assert_eq!(told, [&["listen_start", "played", "agree", "played"][..], &turn, &turn].concat());
}

#[tokio::test]
async fn what_was_typed_before_there_was_consent_is_typed_again() {
    let (outcome, told) = held(asks_first, Some(ConsentDecision::Agree), &[text("hello")]).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(told, ["text", "played", "agree", "played", "text", "played"]);
}

#[tokio::test]
async fn whoever_refuses_is_not_listened_to() {
    let (outcome, told) = held(asks_first, Some(ConsentDecision::Refuse), &[recording()]).await;
    assert_eq!(outcome, Err("consent is refused, so the node listens to nothing more".to_owned()));
    assert_eq!(told, ["listen_start", "played", "refuse", "played"]);
    let (outcome, _) = held(asks_first, Some(ConsentDecision::Refuse), &[]).await;
    assert_eq!(outcome, Ok(()), "there was nothing else to say");
}

#[tokio::test]
async fn a_question_that_stays_open_is_a_failure() {
    let (outcome, _) = held(asks_first, None, &[text("what?")]).await;
    assert!(outcome.unwrap_err().contains("still open"));
}

#[tokio::test]
async fn an_error_of_the_node_ends_it_with_what_to_do() {
    let fails = |message: &ToNode, side: &Side| {
        if let ToNode::TextInput { turn, .. } = message {
            let word = |text: &str| text.to_owned();
            let (code, text, remedy) = (word("busy"), word("too much to do"), word("try later"));
            side.tell(ToDevice::Error { code, text, remedy, turn: *turn });
        }
    };
    let (outcome, told) = held(fails, None, &[text("hello"), text("are you there?")]).await;
    assert_eq!(outcome, Err("busy: too much to do; try later".to_owned()));
    assert_eq!(told, ["text"]);
}

#[tokio::test]
async fn a_node_that_leaves_ends_it_with_its_reason() {
    let leaves = |message: &ToNode, side: &Side| {
        if matches!(message, ToNode::TextInput { turn: TurnId(1), .. }) {
            side.close(Goodbye { reason: GoodbyeReason::ShuttingDown, text: String::new(), reconnect_in: None });
        }
    };
    let (outcome, _) = held(leaves, None, &[text("hello")]).await;
    assert_eq!(outcome, Err("the node left: shutting_down".to_owned()));
}
