//! A person has what is remembered put right, restricted and given back, closes their account, and comes back as somebody
//! new.

use sayso_tests::{Installation, TENANT};
use serde_json::Value;

use crate::sayso;

#[tokio::test]
async fn what_people_ask_for_is_carried_out_and_an_account_is_closed_for_good() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;

    let (certs, at) = (installation.person("tess", Some(TENANT)).await, node.admin.to_string());
    let rights = async |command: &str, args: &[&str]| {
        let person = ["rights", command, "--admin", &at, "--certs", &certs, "--tenant", TENANT];
        sayso().run(person.into_iter().chain(args.iter().copied())).await
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let accepted = async |right: &str, args: &[&str]| {
        let opened = json(&rights("open", &[&[right, "--json"], args].concat()).await.success().stdout);
        let case = opened["case"].as_str().unwrap().to_owned();
        let _ = rights("advance", &[&case, "verify", "--method", "signed_in"]).await.success();
        let accepted = json(&rights("advance", &[&case, "accept", "--json"]).await.success().stdout);
        (case, accepted)
    };

    let facts = installation.file("facts.json");
    std::fs::write(&facts, r#"{"pet": "a cat"}"#).unwrap();
    let (case, _) = accepted("rectify", &[]).await;
    rights("correct", &[&case, &facts]).await.failure(&["no such thing is remembered"]);
    let (case, _) = accepted("supplement", &[]).await;
    let _ = rights("correct", &[&case, &facts]).await.success();
    let (copy, _) = accepted("copy", &[]).await;
    let remembered = async || json(&rights("copy", &[&copy]).await.success().stdout)["remembered"].clone();
    assert_eq!(remembered().await, serde_json::json!([["pet", "a cat"]]));

    let (explain, _) = accepted("explain", &[]).await;
    let told = rights("explain", &[&explain]).await.success().stdout;
    assert!(told.contains("memory_summary > ") && told.contains("Yes, by Consent"), "{told}");
    let (restrict, done) = accepted("restrict", &[]).await;
    assert_eq!(done["state"], "fulfilled");
    let told = rights("explain", &[&explain, "--lang", "zh"]).await.success().stdout;
    assert!(told.contains("本人已限制其使用"), "{told}");
    assert_eq!(remembered().await, serde_json::json!([["pet", "a cat"]]), "it is kept, and theirs");
    let _ = rights("lift", &[&restrict]).await.success();
    rights("lift", &[&restrict]).await.failure(&["nothing is restricted by this request"]);

    let (_, withdrawn) = accepted("withdraw", &["--purpose", "memory"]).await;
    assert_eq!(withdrawn["state"], "fulfilled");
    let (cancel, accepted) = accepted("cancel", &[]).await;
    let subject = accepted["subject"].as_str().unwrap().to_owned();
    let certificate = loop {
        let asked = rights("certificate", &[&cancel, "--json", "--subject", &subject]).await;
        if asked.status.success() {
            break json(&asked.stdout);
        }
        asked.failure(&["the erasure is on its way"]);
    };
    assert_eq!(certificate["grounds"][0]["request"], cancel.as_str());
    rights("list", &[]).await.failure(&["no such device"]);

    let proofs = installation.file("proofs");
    let asks = ["receipts", "--admin", &at, "--certs", &certs, "--tenant", TENANT, "--subject", &subject];
    let _ = sayso().run(asks.into_iter().chain(["--proofs", &proofs])).await.success();
    let proof = format!("{proofs}/erasure-{}.tlog-proof", certificate["erasure"].as_str().unwrap());
    let file = installation.file("certificate.json");
    let printed = rights("certificate", &[&cancel, "--json", "--subject", &subject]).await.success().stdout;
    std::fs::write(&file, &printed).unwrap();
    let trust = installation.file("log.pub");
    let args = ["verify", "--json", "--receipt", &proof, "--certificate", &file, "--trust", &trust];
    let shown = json(&sayso().run(args).await.success().stdout);
    assert_eq!((&shown["event"], &shown["certificate_checked"]), (&"erase.certified".into(), &true.into()));
    std::fs::write(&file, printed.replacen("\"keys\"", "\"locks\"", 1)).unwrap();
    sayso().run(args).await.failure(&["is on record: it was changed, or is of another erasure"]);

    let mut device = installation.first_device(&node).await;
    let _ = device.asked().await;
    let listed = rights("list", &[]).await.success().stdout;
    assert_eq!(listed, "the person has asked for nothing", "whoever connects it anew");
}
