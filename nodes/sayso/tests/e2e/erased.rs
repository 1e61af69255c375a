//! Who has every file of an erased person, and the key that wraps all keys, reads nothing of them: data and keys, what is kept in
//! parts, recordings, backups, what was exported, what nodes said; on each replica, also on one that was away.

mod desk;
mod person;

use std::fs;
use std::path::{Path, PathBuf};

use sayso_tests::{Finished, Installation, TENANT, recordings};
use sayso_types::Category;
use sayso_vault::testing::Adversary;
use serde_json::json;

use self::desk::{Desk, word};
use self::person::Person;
use crate::cluster::Standby;
use crate::keeping::{is_kept, keep};
use crate::sayso;
use crate::store::copy_dir;

/// Whose device is erased, and whose is not.
const ANNA: &str = "speaker-1";
const BEN: &str = "kitchen";

/// What is read of somebody of whom nothing is.
const NOTHING: [&str; 0] = [];

/// `sayso store WORDS` of a node that does not run.
async fn store(installation: &Installation, words: &[&str]) {
    let config = installation.file("sayso.toml");
    let _ = sayso().run([&["store"], words, &["--config", &config]].concat()).await.success();
}

/// A directory to put copies into.
struct Shelf(tempfile::TempDir);

impl Shelf {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.path(name).into_os_string().into_string().unwrap()
    }

    fn copy(&self, from: &Path, name: &str) -> PathBuf {
        copy_dir(from, &self.path(name));
        self.path(name)
    }

    /// Keeps what a node has said.
    fn note(&self, name: &str, node: &Finished) -> PathBuf {
        fs::create_dir(self.path(name)).unwrap();
        fs::write(self.path(name).join("log"), format!("{}\n{}", node.stdout, node.stderr)).unwrap();
        self.path(name)
    }
}

#[tokio::test]
async fn nobody_reads_who_was_erased_from_any_file_of_a_node() {
    let installation = Installation::new(&sayso()).await;
    keep(&installation, &["improve_voice", "knowledge"]);
    let _ = installation.person("tess", Some(TENANT)).await;
    let (shelf, node) = (Shelf::new(), installation.start().await);
    let (admin, desk) = (installation.operator(&node).await, Desk::new(&installation, &node));
    let (mut hers, mut his) = (installation.first_device(&node).await, installation.device(&node, BEN).await.unwrap());
    for device in [&mut hers, &mut his] {
        let (prompt, _) = device.asked().await;
        device.agree(&prompt).await;
        device.until_listening().await;
    }
    // whoever has read what is put right begins anew
    drop((hers, his));
    for device in [ANNA, BEN] {
        desk.tells(device).await;
    }
    let mut hers = installation.first_device(&node).await;
    hers.listens_unasked().await;
    hers.device.say(&recordings::sound(recordings::SHORT)).await.unwrap();
    admin.until_leaf("a recording on the shelf", |leaf| is_kept(&leaf.fact.event, Category::CONVERSATION_AUDIO)).await;
    hers.until_played().await;
    drop(hers);
    let [mut anna, ben] = [Person::of(&admin, ANNA).await, Person::of(&admin, BEN).await];
    let listed = desk.asks(ANNA, &["kept", "list", "--category", "conversation_audio"]).await;
    let (item, recording) = (listed[0]["item"].as_str().unwrap(), shelf.file("recording"));
    let _ = desk.says(ANNA, &["kept", "get", item, "--out", &recording]).await.success();
    let sound = fs::read(&recording).unwrap();
    anna.has("a recording", Category::CONVERSATION_AUDIO, &sound[sound.len() / 2..][..32]);
    // what she takes with her is in clear, and hers; the node keeps no copy of that
    let (bundle, case) = (shelf.file("bundle"), desk.accepted(ANNA, "port").await);
    let _ = desk.says(ANNA, &["rights", "port", &case, &bundle]).await.success();
    let hers = Adversary::of_files(&[Path::new(&bundle)], [0; 32]).unwrap();
    assert!(hers.sees(word("remembered", ANNA).as_bytes()), "what is in clear is found");
    desk.exports(&shelf.path("audit-before")).await;
    let said = [shelf.note("said-before", &node.terminate().await.success())];

    let [home, data, keys] = ["", "data", "keys"].map(|name| installation.path(name));
    store(&installation, &["backup", &shelf.file("backup")]).await;
    store(&installation, &["export", &shelf.file("export")]).await;
    let [old_data, old_keys] = [shelf.copy(&data, "old-data"), shelf.copy(&keys, "old-keys")];
    let [backup, export] = ["backup", "export"].map(|name| shelf.path(name));
    assert_eq!(anna.read_from(&[&home], &installation), anna.all(), "there is something to be read");
    for old in [&old_data, &backup, &export] {
        assert_eq!(anna.read_from(&[old], &installation), NOTHING, "not without keys");
        assert_eq!(anna.read_from(&[old, &keys], &installation), anna.all(), "and there");
    }

    let node = installation.start().await;
    let desk = Desk::new(&installation, &node);
    let case = desk.accepted(ANNA, "erase").await;
    let certificate = desk.certified(ANNA, &case).await;
    assert_eq!(certificate["is_purged"], true, "{certificate}");
    desk.exports(&shelf.path("audit-after")).await;
    let said = [&said[..], &[shelf.note("said-after", &node.terminate().await.success())]].concat();
    store(&installation, &["backup", &shelf.file("backup-after")]).await;
    let names = ["audit-before", "audit-after", "backup-after"];
    let exported = names.map(|name| shelf.path(name));
    let mut all: Vec<&Path> = vec![&home, &old_data, &backup, &export];
    all.extend(said.iter().chain(&exported).map(PathBuf::as_path));
    assert_eq!(anna.read_from(&all, &installation), NOTHING, "all files that there are, and old ones of the data");
    assert_eq!(ben.read_from(&all, &installation), ben.all(), "and nobody else is lost");
    assert_eq!(
        anna.read_from(&[&data, &old_keys], &installation),
        NOTHING,
        "what was sealed is gone as well as its keys"
    );
    all.push(&old_keys);
    assert_eq!(anna.read_from(&all, &installation), anna.all(), "which is why copies of keys are to be kept for short");
}

#[tokio::test]
async fn nobody_reads_who_was_erased_from_any_replica() {
    let founder = Installation::founder(&sayso()).await;
    keep(&founder, &["knowledge"]);
    let _ = founder.person("tess", Some(TENANT)).await;
    let (shelf, node) = (Shelf::new(), founder.start().await);
    let (admin, desk) = (founder.operator(&node).await, Desk::new(&founder, &node));
    for device in [ANNA, BEN] {
        drop(founder.device(&node, device).await.unwrap());
        for purpose in ["memory", "knowledge"] {
            let _ = admin.give(device, purpose).await;
        }
        desk.tells(device).await;
    }
    let [anna, ben] = [Person::of(&admin, ANNA).await, Person::of(&admin, BEN).await];
    let _ = node.terminate().await.success();
    store(&founder, &["backup", &shelf.file("backup")]).await;
    store(&founder, &["backup", "--keys", &shelf.file("backup-keys")]).await;
    let [backup, backup_keys] = ["backup", "backup-keys"].map(|name| shelf.path(name));

    let node = founder.start().await;
    let desk = Desk::new(&founder, &node);
    let (second, third) = (founder.one_more().await, founder.one_more().await);
    let (two, three) = (Standby::start(&second).await, Standby::start(&third).await);
    let dirs = [&founder, &second, &third].map(|installation| installation.path(""));
    // what is on record is on all three when their disks are looked at
    let is_there = |dir: &Path| anna.read_from(&[dir], &founder) == anna.all();
    while !dirs.iter().all(|dir| is_there(dir)) {
        tokio::task::yield_now().await;
    }
    three.process.kill().await;
    let away = shelf.copy(&dirs[2], "away");

    let case = desk.accepted(ANNA, "erase").await;
    let admin = founder.operator(&node).await;
    admin.until_leaf("the destruction", |leaf| leaf.fact.event.name() == "key.destroyed").await;
    let asked = desk.says(ANNA, &["rights", "certificate", &case]).await;
    asked.failure(&["the erasure is on its way"]);
    let three = Standby::start(&third).await;
    let certificate = desk.certified(ANNA, &case).await;
    assert_eq!(certificate["replicas"], json!([1, 2, 3]), "{certificate}");
    let all: Vec<&Path> = dirs.iter().map(PathBuf::as_path).chain([backup.as_path()]).collect();
    let reads = || (anna.read_from(&all, &founder), ben.read_from(&all, &founder));
    assert_eq!(reads(), (vec![], ben.all()), "while they run");
    let with_keys = [&all[..], &[backup_keys.as_path()]].concat();
    assert_eq!(
        anna.read_from(&with_keys, &founder),
        anna.all(),
        "which is why copies of keys are to be kept for short"
    );

    for process in [two.process, three.process] {
        let _ = process.terminate().await.success();
    }
    // it is the last one, and cannot give way
    node.kill().await;
    assert_eq!(reads(), (vec![], ben.all()), "also of what closing writes");
    assert_eq!(
        anna.read_from(&[&away], &founder),
        anna.all(),
        "which is why copies of a replica's disk are not to be kept"
    );
}
