//! A person asks what is held of them, and is given it.

use sayso_tests::{Installation, TENANT};
use serde_json::Value;

use crate::sayso;

#[tokio::test]
async fn a_person_is_erased_and_given_a_certificate() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;

    let (certs, at) = (installation.file("admin"), node.admin.to_string());
    let rights = async |command: &str, args: &[&str]| {
        let person = ["rights", command, "--admin", &at, "--certs", &certs, "--tenant", TENANT];
        sayso().run(person.into_iter().chain(args.iter().copied())).await
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let case = json(&rights("open", &["erase", "--json"]).await.success().stdout)["case"].as_str().unwrap().to_owned();
    rights("certificate", &[&case]).await.failure(&["nothing of the person was erased for this"]);
    for step in [&["verify", "--method", "signed_in"][..], &["accept"]] {
        let _ = rights("advance", &[&[case.as_str()], step].concat()).await.success();
    }
    let certificate = loop {
        let asked = rights("certificate", &[&case, "--json"]).await;
        if asked.status.success() {
            break json(&asked.stdout);
        }
        asked.failure(&["the erasure is on its way"]);
    };
    assert_eq!(certificate["grounds"][0]["request"], case.as_str());
    assert_eq!(certificate["is_purged"], true);
    let told = rights("certificate", &[&case, "--lang", "zh"]).await.success().stdout;
    assert!(told.starts_with("删除证明 ") && told.contains(&case), "{told}");
    let listed = json(&rights("list", &["--json"]).await.success().stdout);
    assert_eq!(listed[0]["state"], "fulfilled");
}

#[tokio::test]
async fn a_person_is_given_a_copy_and_a_restart_forgets_no_request() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;

    let certs = installation.file("admin");
    let rights = async |at: &str, command: &str, args: &[&str]| {
        let person = ["rights", command, "--admin", at, "--certs", &certs, "--tenant", TENANT];
        sayso().run(person.into_iter().chain(args.iter().copied())).await
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let at = node.admin.to_string();
    let opened = json(&rights(&at, "open", &["copy", "--json"]).await.success().stdout);
    let case = opened["case"].as_str().unwrap().to_owned();
    assert_eq!((&opened["state"], &opened["due"]["by"]), (&"unverified".into(), &"rights.respond_within".into()));
    let early = rights(&at, "copy", &[&case]).await;
    assert_eq!(early.status.code(), Some(1));
    assert!(early.stderr.contains("accept it first"), "{}", early.stderr);
    node.kill().await;

    let node = installation.start().await;
    let at = node.admin.to_string();
    let unsaid = rights(&at, "advance", &[&case, "verify"]).await;
    assert_eq!(unsaid.status.code(), Some(2));
    assert!(unsaid.stderr.contains("--method"), "{}", unsaid.stderr);
    let shown = installation.file("shown.txt");
    std::fs::write(&shown, "a form, signed").unwrap();
    let verify = ["verify", "--method", "in_person", "--evidence", &shown];
    for (step, state) in [(&verify[..], "verified"), (&["accept"], "accepted")] {
        let step = [&[case.as_str(), "--json"], step].concat();
        let advanced = json(&rights(&at, "advance", &step).await.success().stdout);
        assert_eq!((&advanced["state"], &advanced["identity_method"]), (&state.into(), &"in_person".into()));
        assert_eq!(advanced["identity_evidence_sha256"].as_str().unwrap().len(), 64);
    }
    rights(&at, "open", &["erase", "--ground", "a_whim"]).await.failure(&["ground: not a word that is known here"]);
    let erase = json(&rights(&at, "open", &["erase", "--ground", "without_consent", "--json"]).await.success().stdout);
    assert_eq!((&erase["ground"], &erase["may_cost"]), (&"without_consent".into(), &false.into()));
    let copy = json(&rights(&at, "copy", &[&case]).await.success().stdout);
    assert_eq!(copy["format"], "sayso/copy/v1");
    assert!(copy["consents"].as_array().unwrap().iter().all(|consent| consent["status"] == "ConsentGiven"), "{copy}");
    assert!(!copy["receipts"].as_array().unwrap().is_empty());
    let fulfilled = rights(&at, "advance", &[&case, "fulfil", "--json"]).await.success();
    assert_eq!(json(&fulfilled.stdout)["state"], "fulfilled");
    let listed = json(&rights(&at, "list", &["--json"]).await.success().stdout);
    assert_eq!((&listed[0]["case"], &listed[0]["state"]), (&case.as_str().into(), &"fulfilled".into()));
    let told = rights(&at, "list", &[]).await.success().stdout;
    assert!(told.starts_with(&format!("{case}  copy, received ")) && told.contains(": fulfilled"), "{told}");
}
