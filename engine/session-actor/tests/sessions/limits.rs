//! Everything has a limit, and who meets it is told.

use sayso_session::{Full, Refusal};
use sayso_session_actor::{ActorSessions, Error, Options};
use sayso_types::{Purpose, TurnId};
use sayso_wire::{ConsentDecision, ConsentStatus, GoodbyeReason, ToDevice, ToNode};

use crate::device::{Device, hello};
use crate::node::{Node, Setup, options};
use crate::slow_store::Reads;
use crate::soon;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions() {
    let options = Options { sessions_max: 2, ..options() };
    let node = Node::with(Setup { options, ..Setup::default() }).await;
    let first = Device::connect(&node, "one").await;
    let _second = Device::connect(&node, "two").await;
    let refused = Device::try_connect(&node, hello("three")).await.map(|_| ()).unwrap_err();
    assert_eq!(refused, Refusal::OverLimit { what: "sessions", limit: 2 });
    // those who are in may come again, with or without their token
    let again = Device::resume(&node, "one", first.welcome.resume_token.clone()).await;
    assert!(again.welcome.resumed);
    Device::connect(&node, "one").await;
    assert_eq!(node.sessions.list().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_a_device() {
    let node = Node::start().await;
    node.agreed("speaker", &[Purpose::VOICE_INTERACTION]).await;
    let mut device = Device::connect(&node, "speaker").await;
    // the session cannot wake yet, so that what is said to it waits
    node.store.reads(Reads::Held);
    let abort = || ToNode::Abort { turn: TurnId(0) };
    let taken = (0..).take_while(|_| device.try_send(abort()).is_ok()).count();
    assert_eq!(taken, 64);
    assert_eq!(device.try_send(abort()), Err(Full));
    node.store.reads(Reads::Served);
    let asked = async {
        while device
            .try_send(ToNode::TextInput { turn: TurnId(1), text: sayso_types::Redacted::new("hello".into()) })
            .is_err()
        {
            tokio::task::yield_now().await;
        }
        device.hear_out().await
    };
    assert_eq!(soon(asked).await.1, ["All right."], "the session goes on with what it took");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_device_has_written_down_takes_room_until_it_is() {
    let node = Node::start().await;
    node.agreed("speaker", &[Purpose::VOICE_INTERACTION]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("hello");
    soon(device.hear_out()).await;
    // the session is awake and takes what it is sent, but nothing can be written
    soon(node.until_session("speaker", |s| s.turns.answered == 1)).await;
    node.store.reads(Reads::Held);
    let answer = |decision| ToNode::ConsentAnswer { prompt_id: String::new(), decision, purpose: None };
    for _ in 0..63 {
        device.send(answer(ConsentDecision::Withdraw));
    }
    // what nothing is written of is handled after them, and leaves its room
    device.send(answer(ConsentDecision::Agree));
    assert_eq!(soon(device.told_error()).await, "prompt_closed");
    soon(async {
        while device.try_send(answer(ConsentDecision::Withdraw)).is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(device.try_send(answer(ConsentDecision::Withdraw)), Err(Full), "as many wait as may");
    node.store.reads(Reads::Served);
    let withdrawn =
        |m: &ToDevice| matches!(m, ToDevice::ConsentChanged { status: ConsentStatus::Withdrawn, .. }).then_some(());
    soon(device.told(withdrawn)).await;
    soon(async {
        while device.try_send(ToNode::Abort { turn: TurnId(0) }).is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_session_that_cannot_wake_does_not_take_leaves_its_room() {
    let node = Node::start().await;
    node.agreed("speaker", &[Purpose::VOICE_INTERACTION]).await;
    let mut device = Device::connect(&node, "speaker").await;
    let token = device.welcome.resume_token.clone();
    node.store.reads(Reads::Held);
    let abort = || ToNode::Abort { turn: TurnId(0) };
    assert_eq!((0..).take_while(|_| device.try_send(abort()).is_ok()).count(), 64);
    node.store.reads(Reads::Failing);
    assert_eq!(soon(device.told_goodbye()).await, GoodbyeReason::Internal);
    // as many wait again, and no more: nothing of those that were lost is counted, neither as waiting nor as taken
    node.store.reads(Reads::Served);
    let mut device = Device::resume(&node, "speaker", token).await;
    assert!(device.welcome.resumed);
    node.store.reads(Reads::Held);
    // their room is there again once they are dropped, which nobody waits for
    let mut waiting = 0;
    soon(async {
        while waiting < 64 {
            match device.try_send(abort()) {
                Ok(()) => waiting += 1,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    assert!(device.try_send(abort()).is_err());
    node.store.reads(Reads::Failing);
    assert_eq!(soon(device.told_goodbye()).await, GoodbyeReason::Internal);
}

#[tokio::test]
async fn settings() {
    let node = Node::start().await;
    let mut options = Options::default();
    options.endpoint.hangover_ms = 7;
    let egress = sayso_egress::Egress::new(
        node.register.clone(),
        sayso_egress::Processors::none(),
        sayso_egress::Timeouts::default(),
        node.tasks.clone(),
    );
    let started = ActorSessions::start(
        node.register.clone(),
        std::sync::Arc::new(egress),
        node.tasks.clone(),
        node.clock.clone(),
        options,
    );
    let error = started.await.unwrap_err();
    assert!(matches!(error, Error::Endpoint(_)));
    assert!(error.to_string().contains("hangover-ms must be 100 to 5000, is 7"), "{error}");
}
