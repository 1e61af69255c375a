//! Keys: what a node does without them, with others, and when the key that wraps them changes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hex::FromHex;
use sayso_tests::{Installation, Node, Process, TENANT};
use sayso_types::{Category, Name, SubjectId};
use sayso_vault::testing::Adversary;
use serde_json::Value;

use crate::kept::{LAWFUL, WRITTEN};
use crate::place::stands_in;
use crate::sayso;

/// Settings that somebody has kept.
const CONFIG: Category = Category(Name::constant("agent_config"));

/// Nobody's key encryption key.
const NO_KEK: [u8; 32] = [0; 32];

/// The file that `sayso init` wrote.
const KEK: &str = "kek.key";

async fn refuses(installation: &Installation, words: &[&str]) {
    Process::start(installation.serve()).finished().await.failure(words);
}

/// An installation whose node ran once.
async fn ran() -> Installation {
    let installation = Installation::new(&sayso()).await;
    let _ = installation.start().await.terminate().await.success();
    installation
}

async fn until_logged(node: &mut Node, message: &str) {
    let says = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["fields"]["message"] == message).then_some(())
    };
    node.process.line(message, says).await;
}

#[tokio::test]
async fn a_key_that_others_may_read_is_refused() {
    let installation = Installation::new(&sayso()).await;
    fs::set_permissions(installation.path(KEK), fs::Permissions::from_mode(0o644)).unwrap();
    refuses(&installation, &["the vault stays locked", &installation.file(KEK), "0644", "chmod 600"]).await;
}

#[tokio::test]
async fn another_key_or_none_is_refused_where_there_are_keys() {
    let installation = ran().await;
    let right = fs::read_to_string(installation.path(KEK)).unwrap();
    fs::write(installation.path(KEK), right.replace(['0', '1', '2', '3'], "f")).unwrap();
    refuses(&installation, &["the vault stays locked", &installation.file(KEK), "does not hold"]).await;
    fs::remove_file(installation.path(KEK)).unwrap();
    refuses(&installation, &["the vault stays locked", &installation.file(KEK)]).await;
    assert!(!installation.path(KEK).exists(), "none is made where there are keys");
}

#[tokio::test]
async fn data_whose_keys_are_lost_is_not_gone_on_with() {
    let installation = ran().await;
    fs::rename(installation.path("keys"), installation.path("elsewhere")).unwrap();
    refuses(&installation, &["the keys of what is in the store are not here", &installation.file("keys")]).await;
    fs::remove_dir_all(installation.path("keys")).unwrap();
    fs::rename(installation.path("elsewhere"), installation.path("keys")).unwrap();
    let _ = installation.start().await.terminate().await.success();
}

#[tokio::test]
async fn a_node_of_before_there_were_vaults_gets_its_first_key() {
    let installation = Installation::new(&sayso()).await;
    fs::remove_file(installation.path(KEK)).unwrap();
    installation.edit("sayso.toml", |config| drop(config.remove("vault")));
    let mut node = installation.start().await;
    until_logged(&mut node, "made a key encryption key; keep a copy of it apart from all backups").await;
    let _ = node.terminate().await.success();
    assert_eq!(fs::metadata(installation.path(KEK)).unwrap().permissions().mode() & 0o777, 0o600);
    let _ = installation.start().await.terminate().await.success();
}

#[tokio::test]
async fn the_key_that_wraps_changes_while_the_node_serves() {
    let installation = Installation::new(&sayso()).await;
    let mut node = installation.start().await;
    let old = fs::read_to_string(installation.path(KEK)).unwrap();
    let new = "5a".repeat(32) + "\n";
    fs::write(installation.path(KEK), old + &new).unwrap();
    node.process.reload();
    until_logged(&mut node, "the keys are wrapped under the newest key encryption key").await;
    fs::write(installation.path(KEK), new).unwrap();
    let _ = node.terminate().await.success();
    let _ = installation.start().await.terminate().await.success();
}

#[tokio::test]
async fn the_shard_key_changes_while_the_node_serves_and_what_was_sealed_opens_afterwards() {
    let installation = Installation::new(&sayso()).await;
    fs::write(installation.path("aiwellflow.toml"), WRITTEN).unwrap();
    installation.set_profile(LAWFUL);
    stands_in(&installation, "CN");
    let settings = installation.file("settings.json");
    fs::write(&settings, r#"{"prompt":"You are a teacher."}"#).unwrap();
    let (operator, tess) = (installation.file("admin"), installation.person("tess", Some(TENANT)).await);
    let run = async |node: &Node, certs: &str, words: &[&str]| {
        let (at, [noun, command, rest @ ..]) = (node.admin.to_string(), words) else { panic!("a command") };
        let call = [*noun, *command, "--admin", &at, "--certs", certs];
        sayso().run(call.into_iter().chain(rest.iter().copied())).await
    };
    let whose = ["--tenant", TENANT, "--device-id", "speaker-1"];
    let node = installation.start().await;
    drop(installation.first_device(&node).await);
    let put = [&["kept", "put"][..], &whose, &["agent_config", &settings, "--purpose", "agent_building", "--json"]];
    let put: Value = serde_json::from_str(&run(&node, &tess, &put.concat()).await.success().stdout).unwrap();
    let item = put["item"].as_str().unwrap();
    let subject: SubjectId = installation.operator(&node).await.consent("speaker-1").await.subject_id.parse().unwrap();
    let kek = <[u8; 32]>::from_hex(fs::read_to_string(installation.path(KEK)).unwrap().trim()).unwrap();
    let stolen = Adversary::of_files(&[&installation.path("")], kek).unwrap();
    let is_read_by_thief = || {
        let thief = Adversary::of_files(&[&installation.path("")], NO_KEK).unwrap().who_broke_in_before(&stolen);
        thief.finds(subject, CONFIG, b"You are a teacher.")
    };
    assert!(is_read_by_thief());
    let shown = run(&node, &operator, &["vault", "show"]).await.success().stdout;
    assert!(shown.starts_with("shard key 1, under the key encryption key whose version is "), "{shown}");
    let rotated = run(&node, &operator, &["vault", "rotate", "--json"]).await.success().stdout;
    let rotated: Value = serde_json::from_str(&rotated).unwrap();
    assert_eq!((&rotated["shard_key"], &rotated["people"]), (&2.into(), &1.into()), "{rotated}");
    assert_eq!(rotated["rotating"], false, "the old one is destroyed");
    run(&node, &tess, &["vault", "rotate"]).await.failure(&["operator of the node"]);
    while {
        let shown = run(&node, &operator, &["vault", "show", "--json"]).await.success().stdout;
        serde_json::from_str::<Value>(&shown).unwrap()["purge_due"] == true
    } {}
    assert!(!is_read_by_thief(), "who stole the old one reads nothing any more");
    let owner = Adversary::of_files(&[&installation.path("")], kek).unwrap();
    assert!(owner.finds(subject, CONFIG, b"You are a teacher."), "it is there, under the new one");
    let get = [&["kept", "get"][..], &whose, &[item]].concat();
    let content = run(&node, &tess, &get).await.success().stdout;
    assert_eq!(content.trim_end(), r#"{"prompt":"You are a teacher."}"#);
    let _ = node.terminate().await.success();
    let node = installation.start().await;
    assert_eq!(run(&node, &tess, &get).await.success().stdout, content, "also under the new key alone");
    let _ = node.terminate().await.success();
}

#[tokio::test]
async fn a_kek_of_another_kind_is_configured_or_the_node_says_what_is_missing() {
    let installation = ran().await;
    let kek = fs::read_to_string(installation.path(KEK)).unwrap();
    let choose = |kind: &str| {
        installation.edit("sayso.toml", |config| {
            config["vault"].as_table_mut().unwrap().insert("kek".to_owned(), kind.into());
        });
    };
    choose("env");
    refuses(&installation, &["the vault stays locked", "SAYSO_KEK", "not set"]).await;
    let mut command = installation.serve();
    command.env("SAYSO_KEK", kek.trim());
    let _ = Node::ready(Process::start(command)).await.terminate().await.success();
    choose("transit");
    refuses(&installation, &["[vault.transit]"]).await;
    choose("hsm");
    refuses(&installation, &["vault.kek", "file", "env", "transit"]).await;
}

#[tokio::test]
async fn a_node_leaves_no_core() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let limits = fs::read_to_string(format!("/proc/{}/limits", node.process.id())).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(cores.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{cores}");
    let _ = node.terminate().await.success();
}
