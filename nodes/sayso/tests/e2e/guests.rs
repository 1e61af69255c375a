//! A guest at a device of a real node: asked for themselves, told nothing of the owner's, erased when they leave, also when the
//! node was killed meanwhile.

use sayso_device::DeviceEvent;
use sayso_tests::{Installation, Node, TENANT, TestDevice};
use sayso_types::TurnId;
use sayso_wire::ToDevice;
use serde_json::Value;

use crate::sayso;

/// Waits until the device is told that guest mode is on, or off.
async fn told(device: &mut TestDevice, wanted: &str) {
    let noticed = |event: &DeviceEvent| match event {
        DeviceEvent::Node(ToDevice::Notice { code, .. }) => (code == wanted).then_some(()),
        _ => None,
    };
    device.until(wanted, noticed).await;
}

/// What the device answers to `question`, to its end.
async fn answer(device: &mut TestDevice, question: &str) -> String {
    device.device.say_text(question).unwrap();
    let (turn, text): (TurnId, String) = device
        .until("an answer", |event| match event {
            DeviceEvent::Node(ToDevice::Sentence { turn, text, .. }) => Some((*turn, text.reveal().clone())),
            _ => None,
        })
        .await;
    let is_over =
        |event: &DeviceEvent| matches!(event, DeviceEvent::Played(played) if played.turn == turn).then_some(());
    device.until("the end of the answer", is_over).await;
    text
}

/// The visits that `sayso visit list` prints.
async fn visits(installation: &Installation, node: &Node) -> Vec<Value> {
    let (at, certs) = (node.admin.to_string(), installation.file("admin"));
    let listed = sayso().run(["visit", "list", "--admin", &at, "--certs", &certs, "--json"]).await.success();
    serde_json::from_str(&listed.stdout).unwrap()
}

#[tokio::test]
async fn a_guest_is_somebody_else_until_they_leave_whatever_becomes_of_the_node() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.hears("Remember that my cat is called Tom.", "Tom").await;
    device.until_listening().await;
    assert!(answer(&mut device, "What do you remember?").await.contains("Tom"));
    device.until_listening().await;

    device.device.say_text("Guest mode, please.").unwrap();
    told(&mut device, "guest_mode").await;
    let question = |event: &DeviceEvent| match event {
        DeviceEvent::Node(ToDevice::ConsentPrompt { prompt_id, .. }) => Some(prompt_id.clone()),
        _ => None,
    };
    let prompt = device.until("the guest's own question", question).await;
    device.agree(&prompt).await;
    device.until_listening().await;
    assert!(!answer(&mut device, "What do you remember?").await.contains("Tom"));
    device.until_listening().await;
    device.hears("Remember that my dog is called Rex.", "Rex").await;
    let [visit] = &visits(&installation, &node).await[..] else { panic!("one visit is open") };
    let (visit, subject) = (visit["visit"].as_str().unwrap().to_owned(), visit["subject"].as_str().unwrap().to_owned());
    drop(device);

    // the node dies, and the guest is still there
    node.kill().await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    told(&mut device, "guest_mode").await;
    device.listens_unasked().await;
    assert!(answer(&mut device, "What do you remember?").await.contains("Rex"));

    // the guest leaves, and the owner is spoken with
    let (at, certs) = (node.admin.to_string(), installation.file("admin"));
    let place = ["--admin", &at, "--certs", &certs, "--tenant", TENANT];
    let end = ["visit", "end", "--device-id", "speaker-1", "--json"];
    let ended = sayso().run(end.iter().chain(&place)).await.success();
    assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap()["visit"], visit.as_str());
    told(&mut device, "guest_mode_off").await;
    device.until_sentence("off").await;
    device.until_listening().await;
    let remembered = answer(&mut device, "What do you remember?").await;
    assert!(remembered.contains("Tom") && !remembered.contains("Rex"), "{remembered}");
    assert_eq!(visits(&installation, &node).await, [Value::Null; 0]);

    let admin = installation.operator(&node).await;
    let certified = |leaf: &sayso_audit::Leaf| leaf.fact.event.name() == "erase.certified";
    admin.until_leaf("the certificate of the guest's erasure", certified).await;
    let ask = ["rights", "certificate", &visit, "--subject", &subject];
    let certificate = sayso().run(ask.iter().chain(&place)).await.success().stdout;
    assert!(certificate.contains("Because a guest's visit is over"), "{certificate}");
    let report = admin.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn the_reference_device_has_a_switch_for_it() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let (server, certs) = (node.gateway.to_string(), installation.file("device"));
    let device = ["device", "--server", &server, "--certs", &certs, "--json", "--consent", "agree"];
    let talk = async |more: &[&str]| sayso().run(device.iter().chain(more)).await.success().stdout;
    let events = |out: &str| -> Vec<Value> { out.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    let codes = |events: &[Value]| -> Vec<String> {
        let notices = events.iter().filter(|event| event["event"] == "notice");
        notices.map(|event| event["code"].as_str().unwrap().to_owned()).collect()
    };
    let first = events(&talk(&["--text", "What is twelve times seven?"]).await);
    assert_eq!(codes(&first), [""; 0]);
    let guests = events(&talk(&["--guest", "on", "--text", "What is twelve times seven?"]).await);
    assert_eq!(codes(&guests), ["guest_mode"]);
    assert!(guests.iter().any(|event| event["event"] == "asks"), "the guest is asked, too");
    let owners = events(&talk(&["--guest", "off", "--text", "What is twelve times seven?"]).await);
    assert_eq!(codes(&owners), ["guest_mode", "guest_mode_off"]);
    assert!(!owners.iter().any(|event| event["event"] == "asks"), "the owner was asked before");
}
