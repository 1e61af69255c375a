//! A law demands that something is kept: it is, a request to erase it is answered so, and it goes when the law lets it.

use sayso_tests::{Installation, TENANT};
use serde_json::Value;

use crate::sayso;

#[tokio::test]
async fn what_is_held_is_erased_when_the_hold_is_released() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;

    let (certs, at) = (installation.file("admin"), node.admin.to_string());
    let run = async |noun: &str, command: &str, args: &[&str]| {
        let node = [noun, command, "--admin", &at, "--certs", &certs];
        sayso().run(node.into_iter().chain(args.iter().copied())).await
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    run("hold", "set", &["--law", " "]).await.failure(&["name the law that demands the hold"]);
    run("hold", "set", &["--law", "x", "--until", "2020-01-01T00:00:00Z"]).await.failure(&["that moment is past"]);
    let person = ["--tenant", TENANT, "--device-id", "speaker-1"];
    let law = ["--law", "cn-cpl:67, order 2026/17", "--json"];
    let set = json(&run("hold", "set", &[&person[..], &law].concat()).await.success().stdout);
    let hold = set["hold"].as_str().unwrap();
    assert_eq!((&set["category"], &set["until"]), (&Value::Null, &Value::Null));

    let tenant = ["--tenant", TENANT];
    let opened = run("rights", "open", &[&tenant[..], &["erase", "--json"]].concat()).await.success().stdout;
    let case = json(&opened)["case"].as_str().unwrap().to_owned();
    for step in [&["verify", "--method", "signed_in"][..], &["accept"]] {
        let _ = run("rights", "advance", &[&tenant[..], &[&case], step].concat()).await.success();
    }
    while json(&run("rights", "list", &["--tenant", TENANT, "--json"]).await.success().stdout)[0]["state"]
        != "partly_fulfilled"
    {}
    run("rights", "certificate", &[&tenant[..], &[&case]].concat()).await.failure(&[
        "the legal hold",
        hold,
        "keeps some of it",
    ]);
    let listed = run("hold", "list", &[]).await.success().stdout;
    assert!(listed.starts_with(hold) && listed.contains("keeps everything of ") && listed.contains("order 2026/17"));

    let released = run("hold", "release", &[hold]).await.success().stdout;
    assert!(released.starts_with(&format!("released {hold}")), "{released}");
    assert_eq!(run("hold", "list", &[]).await.success().stdout, "no hold is set");
    run("hold", "release", &[hold]).await.failure(&["no such hold is set"]);
    loop {
        let asked = run("rights", "certificate", &[&tenant[..], &[&case, "--json"]].concat()).await;
        if asked.status.success() {
            assert_eq!(json(&asked.stdout)["grounds"][0]["request"], case.as_str());
            break;
        }
        asked.failure(&["the erasure is on its way"]);
    }
}
