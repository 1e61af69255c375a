//! `sayso store`, as an operator runs it.

use std::fs;
use std::path::Path;

use sayso_tests::{Admin, FakeObjectStore, Finished, Installation, Process};
use serde_json::Value;

use crate::cluster::Standby;
use crate::sayso;

/// A node that was told of a consent and has stopped, and that consent.
pub(crate) async fn used() -> (Installation, sayso_proto::admin::v1::GetConsentResponse) {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    drop(installation.device(&node, "kitchen").await.unwrap());
    let admin = installation.operator(&node).await;
    let _ = admin.give("kitchen", "voice_interaction").await;
    let consent = admin.consent("kitchen").await;
    let _ = node.terminate().await.success();
    (installation, consent)
}

pub(crate) async fn store(installation: &Installation, args: &[&str]) -> Finished {
    let config = installation.file("sayso.toml");
    sayso().run([&["store"], args, &["--json", "--config", &config]].concat()).await
}

/// Has somebody in the kitchen say yes again and again until `steps` are done: how often that was acknowledged.
pub(crate) async fn given_while(admin: &Admin, steps: impl Future<Output = ()>) -> usize {
    let mut given = 0;
    let gives = async {
        loop {
            let _ = admin.give("kitchen", "voice_interaction").await;
            given += 1;
        }
    };
    tokio::select! {
        () = steps => {}
        () = gives => {}
    }
    given
}

pub(crate) fn json(finished: Finished) -> Value {
    serde_json::from_str(&finished.success().stdout).unwrap()
}

/// Gives `new` what the data of `old` needs beside it: the key of the log, and what unlocks what is sealed; also `dirs`.
pub(crate) fn hand_over(old: &Installation, new: &Installation, dirs: &[&str]) {
    for name in ["log.key", "log.pub", "kek.key", "profile.toml"] {
        fs::copy(old.path(name), new.path(name)).unwrap();
    }
    for dir in dirs {
        copy_dir(&old.path(dir), &new.path(dir));
    }
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy_dir(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// Whether some file in `dir` holds `text`.
fn holds(dir: &Path, text: &str) -> bool {
    let mut files = fs::read_dir(dir).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[tokio::test]
async fn a_cluster_is_backed_up_without_its_keys_and_they_apart() {
    let old = Installation::founder(&sayso()).await;
    let node = old.start().await;
    drop(old.device(&node, "kitchen").await.unwrap());
    let admin = old.operator(&node).await;
    let _ = admin.give("kitchen", "voice_interaction").await;
    let consent = admin.consent("kitchen").await;
    let _ = node.terminate().await.success();
    let place = tempfile::tempdir().unwrap();
    let (data_dir, keys_dir) = (place.path().join("data"), place.path().join("keys"));
    let (data, keys) = (data_dir.to_str().unwrap(), keys_dir.to_str().unwrap());
    assert_eq!(json(store(&old, &["backup", data]).await)["all"]["portion"], "data");
    assert_eq!(json(store(&old, &["backup", "--keys", keys]).await)["all"]["portion"], "keys");
    // as keys of their tables begin
    let whose =
        ["\u{2}vault_subject\0", "\u{2}consent\0"].map(|table| (holds(&data_dir, table), holds(&keys_dir, table)));
    assert_eq!(whose, [(false, true), (true, false)], "neither has what is in the other");

    let new = Installation::founder(&sayso()).await;
    hand_over(&old, &new, &[]);
    let _ = store(&new, &["restore", data]).await.success();
    let keyless = Process::start(new.serve()).finished().await;
    keyless.failure(&["the keys of what is in the store are not here", "backup --keys"]);
    let _ = store(&new, &["restore", keys]).await.success();
    store(&new, &["restore", keys]).await.failure(&["there are keys of people in the store"]);
    let node = new.start().await;
    let found = new.operator(&node).await.consent("kitchen").await;
    assert_eq!((&found.subject_id, &found.records), (&consent.subject_id, &consent.records));
    let _ = node.terminate().await.success();

    let (local, _) = used().await;
    store(&local, &["backup", "--keys", keys]).await.failure(&["not in its store", &local.file("keys")]);
}

#[tokio::test]
async fn a_cluster_is_backed_up_while_it_serves() {
    let old = Installation::founder(&sayso()).await;
    let node = old.start().await;
    let (second, third) = (old.one_more().await, old.one_more().await);
    let (two, three) = (Standby::start(&second).await, Standby::start(&third).await);
    drop(old.device(&node, "kitchen").await.unwrap());
    let admin = old.operator(&node).await;
    let given = admin.give("kitchen", "voice_interaction").await;
    let before = admin.leaves().await;

    let place = tempfile::tempdir().unwrap();
    let (data, keys) = (place.path().join("data"), place.path().join("keys"));
    let (data, keys) = (data.to_str().unwrap(), keys.to_str().unwrap());
    // of one that stands by, of the one that serves, and of the other one
    let reads = async {
        let backup = json(store(&second, &["backup", data]).await);
        assert_eq!(backup["all"]["portion"], "data");
        let _ = store(&old, &["backup", "--keys", keys]).await.success();
        let inspected = json(store(&third, &["inspect"]).await);
        assert_eq!((&inspected["cluster"]["node"], &inspected["cluster"]["leader"]), (&3.into(), &1.into()));
        assert_eq!(inspected["cluster"]["members"].as_array().unwrap().len(), 3);
        assert!(inspected["entries"].as_u64() >= backup["all"]["entries"].as_u64(), "{inspected}");
        store(&second, &["backup", data]).await.failure(&[data, "holds a whole dump"]);
        assert!(json(store(&second, &["check"]).await)["leaves"].as_u64() > Some(0));
        // what needs the store for itself says who has it
        store(&second, &["restore", data]).await.failure(&[&second.file("data")]);
    };
    assert!(given_while(&admin, reads).await > 0, "it was served meanwhile");
    for process in [node.process, two.process, three.process] {
        process.kill().await;
    }

    let new = Installation::founder(&sayso()).await;
    hand_over(&old, &new, &[]);
    let _ = store(&new, &["restore", data]).await.success();
    let _ = store(&new, &["restore", keys]).await.success();
    let checked = json(store(&new, &["check"]).await);
    assert!(checked["leaves"].as_u64() >= Some(before.len() as u64), "{checked}");
    let node = new.start().await;
    let admin = new.operator(&node).await;
    assert_eq!(admin.leaves().await[..before.len()], before, "all that was acknowledged before it began is there");
    assert!(admin.verify_log().await.is_clean());
    assert_eq!(admin.consent("kitchen").await.subject_id, given.subject_id);
    node.kill().await;
}

#[tokio::test]
async fn a_store_of_one_node_is_backed_up_while_it_serves() {
    let old = Installation::new(&sayso()).await;
    let node = old.start().await;
    drop(old.device(&node, "kitchen").await.unwrap());
    let admin = old.operator(&node).await;
    let given = admin.give("kitchen", "voice_interaction").await;
    let before = admin.leaves().await;

    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("backup");
    let dir = dir.to_str().unwrap();
    let reads = async {
        let inspected = json(store(&old, &["inspect"]).await);
        assert_eq!((&inspected["kind"], &inspected["cluster"]), (&"local".into(), &Value::Null));
        let backup = json(store(&old, &["backup", dir]).await);
        assert!(backup["all"]["entries"].as_u64() >= inspected["entries"].as_u64(), "{backup}");
        assert!(json(store(&old, &["check"]).await)["leaves"].as_u64() > Some(0));
        // what needs the store for itself says who has it
        store(&old, &["restore", dir]).await.failure(&[&old.file("data")]);
    };
    assert!(given_while(&admin, reads).await > 0, "it was served meanwhile");
    let _ = node.terminate().await.success();

    let new = Installation::new(&sayso()).await;
    hand_over(&old, &new, &["keys"]);
    let _ = store(&new, &["restore", dir]).await.success();
    let node = new.start().await;
    let admin = new.operator(&node).await;
    assert_eq!(admin.leaves().await[..before.len()], before, "all that was acknowledged before it began is there");
    assert!(admin.verify_log().await.is_clean());
    assert_eq!(admin.consent("kitchen").await.subject_id, given.subject_id);
    let _ = node.terminate().await.success();
}

#[tokio::test]
async fn what_is_exported_is_served_from_where_it_is_imported() {
    let (old, consent) = used().await;
    let inspected = json(store(&old, &["inspect"]).await);
    assert_eq!(inspected["kind"], "local");
    assert!(inspected["tables"]["consent"]["entries"].as_u64() > Some(0), "{inspected}");
    let checked = json(store(&old, &["check"]).await);
    assert!(checked["leaves"].as_u64() > Some(0), "{checked}");

    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("backup");
    let dir = dir.to_str().unwrap();
    let exported = json(store(&old, &["export", dir]).await);
    assert_eq!(exported["all"], checked["all"]);
    store(&old, &["export", dir]).await.failure(&[dir, "holds a whole dump"]);

    // the log of the new node has to be the old one's, and so have its keys
    let new = Installation::new(&sayso()).await;
    hand_over(&old, &new, &["keys"]);
    let imported = json(store(&new, &["restore", dir]).await);
    assert_eq!(imported["all"], exported["all"]);
    assert_eq!(json(store(&new, &["check"]).await)["all"], exported["all"]);
    store(&new, &["import", dir]).await.failure(&["not empty"]);
    let node = new.start().await;
    let admin = new.operator(&node).await;
    let found = admin.consent("kitchen").await;
    assert_eq!((&found.subject_id, &found.records), (&consent.subject_id, &consent.records));
    assert!(admin.verify_log().await.is_clean());
    let in_use = store(&new, &["import", dir]).await;
    in_use.failure(&[&new.file("data"), "in use"]);
    let _ = node.terminate().await.success();

    let file =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.ends_with("000001.entries"));
    let file = file.unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let fresh = Installation::new(&sayso()).await;
    store(&fresh, &["import", dir]).await.failure(&["000001.entries", "damaged"]);
    assert!(!fresh.path("data").exists(), "nothing was written");
}

#[tokio::test]
async fn what_only_reads_begins_no_store() {
    for installation in [Installation::new(&sayso()).await, Installation::founder(&sayso()).await] {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("backup");
        for command in [&["inspect"][..], &["check"], &["backup", dir.to_str().unwrap()]] {
            let refused = store(&installation, command).await;
            refused.failure(&["there is no store in", &installation.file("data"), "data-dir"]);
            assert!(!installation.path("data").exists(), "{command:?} begins nothing");
        }
    }
}

#[tokio::test]
async fn a_member_that_is_stopped_reads_and_takes_nothing_from_who_serves() {
    let first = Installation::founder(&sayso()).await;
    let node = first.start().await;
    let (second, third) = (first.one_more().await, first.one_more().await);
    let (two, three) = (Standby::start(&second).await, Standby::start(&third).await);
    let admin = first.operator(&node).await;
    two.process.kill().await;
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("backup");
    let dir = dir.to_str().unwrap();
    let _ = store(&second, &["backup", dir]).await.success();
    assert!(json(store(&second, &["check"]).await)["leaves"].as_u64() > Some(0));
    store(&second, &["restore", dir]).await.failure(&["home/1 serves this store", "nothing was written"]);
    assert!(admin.verify_log().await.is_clean(), "the first one serves all the time");
    for process in [node.process, three.process] {
        process.kill().await;
    }
}

#[tokio::test]
async fn a_backup_in_an_object_store_is_restored_from_there() {
    let (old, consent) = used().await;
    let service = FakeObjectStore::start("backups");
    let place = "s3://backups/home/monday";
    let ask = async |installation: &Installation, command: &str| {
        let mut ask =
            sayso().command(["store", command, place, "--json", "--config", &installation.file("sayso.toml")]);
        ask.env("AWS_ENDPOINT_URL", service.url()).env("AWS_ACCESS_KEY_ID", "key");
        ask.env("AWS_SECRET_ACCESS_KEY", "secret");
        Process::start(ask).finished().await
    };
    let backup = json(ask(&old, "backup").await);
    assert_eq!((&backup["place"], &backup["is_resumed"]), (&place.into(), &false.into()));
    assert_eq!(backup["all"], json(store(&old, &["check"]).await)["all"]);
    store(&old, &["backup", place]).await.failure(&["AWS_ACCESS_KEY_ID"]);

    let new = Installation::new(&sayso()).await;
    hand_over(&old, &new, &["keys"]);
    assert_eq!(json(ask(&new, "restore").await)["all"], backup["all"]);
    let node = new.start().await;
    let found = new.operator(&node).await.consent("kitchen").await;
    assert_eq!((&found.subject_id, &found.records), (&consent.subject_id, &consent.records));
    let _ = node.terminate().await.success();
}

#[tokio::test]
async fn a_store_of_one_node_moves_into_a_cluster() {
    let (old, consent) = used().await;
    let founder = Installation::founder(&sayso()).await;
    let from = format!("local:{}", old.file("data"));
    hand_over(&old, &founder, &["keys"]);
    store(&founder, &["migrate", "--from", &from, "--to", "fdb"]).await.failure(&["--to is fdb", "store.kind is raft"]);
    let nothing = tempfile::tempdir().unwrap();
    for nowhere in ["/nowhere", nothing.path().to_str().unwrap()] {
        let refused = store(&founder, &["migrate", "--from", &format!("local:{nowhere}")]).await;
        refused.failure(&["there is no store in", nowhere, "data-dir"]);
    }
    assert!(fs::read_dir(nothing.path()).unwrap().next().is_none(), "nothing is begun where nothing was");
    let moved = json(store(&founder, &["migrate", "--from", &from, "--to", "raft"]).await);
    assert_eq!(moved["all"], json(store(&old, &["check"]).await)["all"], "and what it was moved from is as it was");
    // From here on nothing can be told to a node that the others would not know of.
    Process::start(old.serve()).finished().await.failure(&["was moved to the cluster home", "serve that one"]);
    let inspected = json(store(&founder, &["inspect"]).await);
    assert_eq!((&inspected["kind"], &inspected["cluster"]["members"][0]["voter"]), (&"raft".into(), &true.into()));

    let node = founder.start().await;
    let admin = founder.operator(&node).await;
    let found = admin.consent("kitchen").await;
    assert_eq!((&found.subject_id, &found.records), (&consent.subject_id, &consent.records));
    assert!(admin.verify_log().await.is_clean());
    let _ = node.terminate().await.success();
}
