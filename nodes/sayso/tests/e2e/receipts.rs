//! An operator has receipts for what somebody agreed to.

use sayso_tests::{Installation, TENANT};
use serde_json::Value;

use crate::sayso;

#[tokio::test]
async fn whoever_agreed_can_be_given_a_receipt() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let (at, certs) = (node.admin.to_string(), installation.file("admin"));
    let receipts =
        async |tenant: &str| sayso().run(["receipts", "--admin", &at, "--certs", &certs, "--tenant", tenant]).await;
    let unknown = receipts(TENANT).await;
    assert_eq!(unknown.status.code(), Some(1), "nobody was ever there");
    assert!(unknown.stderr.contains("no such device"), "{}", unknown.stderr);

    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;

    let given: Vec<Value> = serde_json::from_str(&receipts(TENANT).await.success().stdout).unwrap();
    let recorded = installation.operator(&node).await.consent("speaker-1").await;
    assert_eq!(given.len(), recorded.records.len(), "one for each purpose");
    for (receipt, record) in given.iter().zip(&recorded.records) {
        assert_eq!(receipt["version"], "KI-CR-v1.1.0");
        assert_eq!(receipt["piiPrincipalId"], recorded.subject_id);
        assert_eq!(receipt["collectionMethod"], "button on the device");
        let purpose = &receipt["services"][0]["purposes"][0]["purpose"];
        assert_eq!(purpose, &record.purpose.as_ref().unwrap().purpose);
    }

    let in_iso = ["receipts", "--admin", &at, "--certs", &certs, "--tenant", TENANT, "--format", "27560"];
    let in_iso: Vec<Value> = serde_json::from_str(&sayso().run(in_iso).await.success().stdout).unwrap();
    let ids = |receipts: &[Value], name: &str| receipts.iter().map(|receipt| receipt[name].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&in_iso, "receipt_id"), ids(&given, "consentReceiptID"), "the same records");
    assert!(in_iso.iter().all(|receipt| receipt["events"][0]["event_state"] == "ConsentRequested"), "{in_iso:#?}");

    let proofs = installation.file("proofs");
    let with_proofs = ["receipts", "--admin", &at, "--certs", &certs, "--tenant", TENANT, "--proofs", &proofs];
    let _ = sayso().run(with_proofs).await.success();
    let files: Vec<_> = std::fs::read_dir(&proofs).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), given.len(), "one for each consent");
    for file in &files {
        let (file, trust) = (file.to_str().unwrap(), installation.file("log.pub"));
        let args = ["verify", "--json", "--receipt", file, "--trust", &trust];
        let shown: Value = serde_json::from_str(&sayso().run(args).await.success().stdout).unwrap();
        assert_eq!(shown["event"], "consent.given");
        assert!(file.contains(shown["reference"].as_str().unwrap()), "{shown}");
    }
}
