//! A person takes what is held of them from one node to another.

use sayso_tests::{Finished, Installation, Node, TENANT};
use serde_json::{Value, json};

use crate::sayso;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// `sayso rights COMMAND ...` at this node, about whoever speaks to its first device.
async fn rights(installation: &Installation, node: &Node, args: &[&str]) -> Finished {
    let (certs, at) = (installation.file("tess"), node.admin.to_string());
    let person = ["rights", args[0], "--json", "--admin", &at, "--certs", &certs, "--tenant", TENANT];
    sayso().run(person.into_iter().chain(args[1..].iter().copied())).await
}

async fn accepted(installation: &Installation, node: &Node, right: &str) -> String {
    let opened = parsed(&rights(installation, node, &["open", right]).await.success().stdout);
    let case = opened["case"].as_str().unwrap().to_owned();
    for step in [&["verify", "--method", "signed_in"][..], &["accept"]] {
        let _ = rights(installation, node, &[&["advance", &case], step].concat()).await.success();
    }
    case
}

/// A node where somebody is asked, and agrees.
async fn agreed() -> (Installation, Node) {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    installation.person("tess", Some(TENANT)).await;
    (installation, node)
}

async fn remember(installation: &Installation, node: &Node, facts: &Value) {
    let file = installation.file("facts.json");
    std::fs::write(&file, facts.to_string()).unwrap();
    let case = accepted(installation, node, "supplement").await;
    let _ = rights(installation, node, &["correct", &case, &file]).await.success();
}

#[tokio::test]
async fn what_one_node_gives_another_takes_in_and_no_consent_with_it() {
    let (from, there) = agreed().await;
    remember(&from, &there, &json!({"pet": "a cat", "colour": "blue", "name": "Anna"})).await;
    let case = accepted(&from, &there, "port").await;
    let dir = from.file("bundle");
    let _ = rights(&from, &there, &["port", &case, &dir]).await.success();
    let page = std::fs::read_to_string(format!("{dir}/copy.zh.md")).unwrap();
    assert!(page.starts_with("# 你的个人数据副本") && page.contains("- pet: a cat"), "{page}");
    let proofs = std::fs::read_dir(format!("{dir}/proofs")).unwrap();
    for proof in proofs.map(|proof| proof.unwrap().path()) {
        let (proof, trust) = (proof.to_str().unwrap(), from.file("log.pub"));
        let _ = sayso().run(["verify", "--receipt", proof, "--trust", &trust]).await.success();
    }

    let (to, here) = agreed().await;
    remember(&to, &here, &json!({"colour": "red", "name": "Anna"})).await;
    let key = from.file("log.pub");
    rights(&to, &here, &["import", &dir, "--trust", &to.file("log.pub")]).await.failure(&["is not what was signed"]);
    let import = async || parsed(&rights(&to, &here, &["import", &dir, "--trust", &key]).await.success().stdout);
    let taken = import().await;
    assert_eq!((&taken["taken"], &taken["known"], &taken["conflicts"]), (&json!(1), &json!(1), &json!(["colour"])));
    assert!(taken["consents_left"].as_u64().unwrap() >= 2, "{taken}");
    assert_eq!(import().await["taken"], 0, "what was taken in is known");
    let copy = accepted(&to, &here, "copy").await;
    let copy = parsed(&rights(&to, &here, &["copy", &copy]).await.success().stdout);
    assert_eq!(copy["remembered"], json!([["colour", "red"], ["name", "Anna"], ["pet", "a cat"]]));
    assert_eq!(copy["consents"].as_array().unwrap().len(), 2, "those that were given here");

    let withdraw = parsed(&rights(&to, &here, &["open", "withdraw", "--purpose", "memory"]).await.success().stdout);
    let case = withdraw["case"].as_str().unwrap();
    for step in [&["verify", "--method", "signed_in"][..], &["accept"]] {
        let _ = rights(&to, &here, &[&["advance", case], step].concat()).await.success();
    }
    rights(&to, &here, &["import", &dir, "--trust", &key]).await.failure(&["they do not agree to it"]);
    let changed = format!("{dir}/copy.json");
    let text = std::fs::read_to_string(&changed).unwrap();
    std::fs::write(&changed, text.replace("a cat", "a dog")).unwrap();
    rights(&to, &here, &["import", &dir, "--trust", &key])
        .await
        .failure(&["copy.json: it was changed after it was signed"]);
}
