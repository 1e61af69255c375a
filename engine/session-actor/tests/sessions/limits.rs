//! Everything has a limit, and who meets it is told.

use sayso_session::{Full, Refusal};
use sayso_session_actor::{ActorSessions, Error, Options};
use sayso_types::{Purpose, TurnId};
use sayso_wire::ToNode;

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
