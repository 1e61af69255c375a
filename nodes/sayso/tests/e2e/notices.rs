//! People are told that something changes, and that the service ends; then everybody is erased.

use sayso_device::DeviceEvent;
use sayso_tests::{Installation, Node, TENANT};
use sayso_wire::ToDevice;
use serde_json::Value;

use crate::sayso;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Runs `sayso COMMAND` as the operator of `node`.
async fn operate(installation: &Installation, node: &Node, command: &[&str], args: &[&str]) -> sayso_tests::Finished {
    let (certs, at) = (installation.file("admin"), node.admin.to_string());
    let operator = ["--admin", &at, "--certs", &certs];
    sayso().run(command.iter().chain(&operator).chain(args).copied()).await
}

#[tokio::test]
async fn a_device_tells_its_person_and_that_is_on_record() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    drop(device);

    let refused =
        ["--kind", "controller-change", "--say", "en=Somebody else takes over.", "--by", "2096-01-01T00:00:00Z"];
    operate(&installation, &node, &["notice", "send"], &refused).await.failure(&["there is none in `zh`"]);
    let args = [&refused[..], &["--say", "zh=服务将由他人接管。", "--json"]].concat();
    let sent = json(&operate(&installation, &node, &["notice", "send"], &args).await.success().stdout);
    let notice = sent["notice"].as_str().unwrap();
    let status = async || {
        json(&operate(&installation, &node, &["notice", "status"], &[notice, "--json"]).await.success().stdout)
    };
    while status().await["people"] != 1 {}

    let mut device = installation.first_device(&node).await;
    device.device.listen_start(sayso_wire::ListenMode::Realtime).unwrap();
    device.until_sentence("Somebody else takes over.").await;
    device.until_listening().await;
    let delivered = serde_json::json!([{ "standing": "delivered", "channel": "device", "people": 1 }]);
    while status().await["tallies"] != delivered {}
    let told = operate(&installation, &node, &["notice", "status"], &[notice]).await.success().stdout;
    assert!(told.contains("delivered (device): 1"), "{told}");
    let listed = operate(&installation, &node, &["notice", "list"], &[]).await.success().stdout;
    assert!(listed.starts_with(notice), "{listed}");
    assert!(node.terminate().await.status.success());
}

#[tokio::test]
async fn a_service_ends_and_erases_everybody_also_when_it_is_killed_meanwhile() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    let mut device = installation.device(&node, "speaker-2").await.unwrap();
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;

    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2)).to_string();
    let said = ["--say", "en=This service ends.", "--say", "zh=本服务将终止。", "--json"];
    let args = [&said[..], &["--by", &soon]].concat();
    let announced = json(&operate(&installation, &node, &["shutdown", "announce"], &args).await.success().stdout);
    let id = announced["shutdown"].as_str().unwrap().to_owned();
    assert_eq!(announced["state"], "announced");
    loop {
        let started = operate(&installation, &node, &["shutdown", "start"], &[&id, "--json"]).await;
        if started.status.success() {
            break;
        }
        started.failure(&["people were told that the service goes on"]);
    }
    device
        .until("the goodbye of the node", |event| {
            matches!(event, DeviceEvent::Ended(_) | DeviceEvent::Node(ToDevice::Goodbye(_))).then_some(())
        })
        .await;
    node.kill().await;

    let node = installation.start().await;
    let Err(refused) = installation.device(&node, "speaker-2").await else { panic!("nobody is let in any more") };
    assert!(refused.to_string().contains("the service has ended"), "{refused}");
    let status =
        async || json(&operate(&installation, &node, &["shutdown", "status"], &["--json"]).await.success().stdout);
    let completed = loop {
        let status = status().await;
        if status["state"] == "completed" {
            break status;
        }
        assert_eq!(status["state"], "erasing");
    };
    assert_eq!((&completed["people"], &completed["pending"]), (&2.into(), &0.into()));
    let person = ["--tenant", TENANT, &id, "--json"];
    let certificate = json(&operate(&installation, &node, &["rights", "certificate"], &person).await.success().stdout);
    assert_eq!(certificate["grounds"][0]["shutdown"], id.as_str());
    let operator = installation.operator(&node).await;
    assert!(operator.verify_log().await.is_clean());
    assert!(node.terminate().await.status.success());
}
