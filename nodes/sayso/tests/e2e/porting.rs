//! A person is given what is held of them as files, and takes it from one node to another.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sayso_tests::{Finished, Installation, Node, TENANT};
use serde_json::{Value, json};

use crate::keeping::keep;
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

/// A node where somebody is asked, also whether something may be kept for these purposes, and agrees.
async fn agreed(kept_for: &[&str]) -> (Installation, Node) {
    let installation = Installation::new(&sayso()).await;
    keep(&installation, kept_for);
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
    fs::write(&file, facts.to_string()).unwrap();
    let case = accepted(installation, node, "supplement").await;
    let _ = rights(installation, node, &["correct", &case, &file]).await.success();
}

#[tokio::test]
async fn what_one_node_gives_another_takes_in_and_no_consent_with_it() {
    let (from, there) = agreed(&[]).await;
    remember(&from, &there, &json!({"pet": "a cat", "colour": "blue", "name": "Anna"})).await;
    let case = accepted(&from, &there, "port").await;
    let dir = from.file("bundle");
    let _ = rights(&from, &there, &["port", &case, &dir]).await.success();
    let page = fs::read_to_string(format!("{dir}/copy.zh.md")).unwrap();
    assert!(page.starts_with("# 你的个人数据副本") && page.contains("- pet: a cat"), "{page}");
    let proofs = fs::read_dir(format!("{dir}/proofs")).unwrap();
    for proof in proofs.map(|proof| proof.unwrap().path()) {
        let (proof, trust) = (proof.to_str().unwrap(), from.file("log.pub"));
        let _ = sayso().run(["verify", "--receipt", proof, "--trust", &trust]).await.success();
    }

    let (to, here) = agreed(&[]).await;
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
    let text = fs::read_to_string(&changed).unwrap();
    fs::write(&changed, text.replace("a cat", "a dog")).unwrap();
    rights(&to, &here, &["import", &dir, "--trust", &key])
        .await
        .failure(&["copy.json: it was changed after it was signed"]);
}

/// Bytes of a document that is handed out in three parts.
const DOCUMENT_BYTES: usize = 600_000;

/// Everything below `dir`, with its permissions.
fn below(dir: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        found.push((entry.path(), entry.metadata().unwrap().permissions().mode() & 0o777));
        if entry.path().is_dir() {
            found.extend(below(&entry.path()));
        }
    }
    found
}

#[tokio::test]
async fn a_copy_is_files_for_its_owner_alone_with_what_is_too_long_for_one_message() {
    let (from, there) = agreed(&["knowledge"]).await;
    let (document, at, certs) = (from.file("document.txt"), there.admin.to_string(), from.file("tess"));
    let text = "The umbrella is in the cellar. ".repeat(DOCUMENT_BYTES / 31);
    fs::write(&document, &text).unwrap();
    let put = ["kept", "put", "knowledge_base", &document, "--purpose", "knowledge", "--media-type", "text/plain"];
    let whose = ["--admin", &at, "--certs", &certs, "--tenant", TENANT, "--device-id", "speaker-1"];
    let _ = sayso().run(put.into_iter().chain(whose)).await.success();

    let case = accepted(&from, &there, "copy").await;
    let shelf = tempfile::tempdir().unwrap();
    let file = |name: &str| shelf.path().join(name).into_os_string().into_string().unwrap();
    let (dir, json) = (file("copy"), file("copy.json"));
    for out in [&dir, &json] {
        let write = ["copy", &case, "--out", out];
        let _ = rights(&from, &there, &write).await.success();
        rights(&from, &there, &write).await.failure(&[out, "is there already: nothing was written"]);
    }
    let written = below(shelf.path());
    for (path, mode) in &written {
        assert_eq!(*mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!name.starts_with('.'), "{name} is left of what was begun");
    }
    let copy = parsed(&fs::read_to_string(format!("{dir}/copy.json")).unwrap());
    assert_eq!(copy["format"], parsed(&fs::read_to_string(&json).unwrap())["format"]);
    let filed = copy["kept"][0]["file"].as_str().unwrap();
    assert_eq!(fs::read_to_string(format!("{dir}/{filed}")).unwrap(), text);
    assert!(fs::read_to_string(format!("{dir}/copy.en.md")).unwrap().starts_with("# "));

    let (to, here) = agreed(&["knowledge"]).await;
    let key = from.file("log.pub");
    let taken = parsed(&rights(&to, &here, &["import", &dir, "--trust", &key]).await.success().stdout);
    assert_eq!((&taken["items_taken"], &taken["items_left"]), (&json!(1), &json!(0)), "{taken}");
}
