//! The claim that destruction makes, tried: somebody who has a copy of every file, of the data and of the keys, from any
//! time after it, and the KEK, and old copies of the data, reads nothing of whoever was forgotten, and still reads
//! everything of somebody else.

use std::path::Path;
use std::sync::Arc;

use sayso_runtime::Tasks;
use sayso_store::{Batch, Key, Store, TypedKey};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::{Category, ManualClock, SubjectId};

use crate::tables::PurgeRow;
use crate::testing::Adversary;
use crate::vault::tests::{ANNA, BEN, MEMORY, TRANSCRIPT, at, write_kek};
use crate::{Error, FileKek, Vault};

/// Two people with two sorts of data each.
struct World {
    dir: tempfile::TempDir,
    keys: Arc<LocalStore>,
    vault: Arc<Vault>,
    sealed: Vec<(SubjectId, Category, Vec<u8>)>,
    row: Key,
}

fn open(dir: &Path) -> Arc<LocalStore> {
    LocalStore::open(dir, LocalOptions::new(Arc::new(ManualClock::new()))).unwrap()
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_kek(&dir.path().join("kek"), &[1]);
        let (keys, data) = (open(&dir.path().join("keys")), open(&dir.path().join("data")));
        let vault = Vault::unlock(keys.clone(), Arc::new(FileKek::new(&dir.path().join("kek")))).await.unwrap();
        let row = Key::from_bytes("row");
        let mut sealed = Vec::new();
        for (subject, category) in [(ANNA, MEMORY), (ANNA, TRANSCRIPT), (BEN, MEMORY), (BEN, TRANSCRIPT)] {
            let record = vault.seal(&at(&row, subject, category), b"canary").await.unwrap();
            let anywhere = Key::from_bytes([b"row", &record[5..21]].concat());
            data.commit(Batch::new().put(anywhere, record.clone())).await.unwrap();
            sealed.push((subject, category, record));
        }
        data.close();
        Self { dir, keys, vault, sealed, row }
    }

    /// What somebody reads who takes every file now.
    fn read_by_adversary(&self) -> Vec<(SubjectId, Category)> {
        let adversary = Adversary::new(&[self.dir.path()], [1; 32], self.vault.id()).unwrap();
        let reads = |(subject, category, sealed): &(SubjectId, Category, Vec<u8>)| {
            adversary.read(&at(&self.row, *subject, *category), sealed).map(|_| (*subject, *category))
        };
        self.sealed.iter().filter_map(reads).collect()
    }

    /// Whether each of the records opens, as it would from an old copy of the data.
    async fn opens(&self) -> Vec<bool> {
        let mut opens = Vec::new();
        for (subject, category, sealed) in &self.sealed {
            match self.vault.open(&at(&self.row, *subject, *category), sealed).await {
                Ok(_) => opens.push(true),
                Err(error) if error.is_forgotten() => opens.push(false),
                Err(error) => panic!("{error}"),
            }
        }
        opens
    }
}

#[tokio::test]
async fn no_file_gives_back_a_key_that_was_destroyed() {
    let all = [(ANNA, MEMORY), (ANNA, TRANSCRIPT), (BEN, MEMORY), (BEN, TRANSCRIPT)];
    let world = World::new().await;
    assert_eq!(world.read_by_adversary(), all, "the adversary reads what is there");

    world.vault.forget_category(ANNA, MEMORY).await.unwrap();
    assert_eq!(world.opens().await, [false, true, true, true]);
    assert_eq!(world.read_by_adversary(), all, "a delete alone leaves the key in the log: this is what a purge is for");
    world.vault.purge().await.unwrap();
    assert_eq!(world.read_by_adversary(), all[1..]);

    world.vault.forget_subject(ANNA).await.unwrap();
    assert_eq!(world.read_by_adversary(), all[1..]);
    world.vault.purge().await.unwrap();
    assert_eq!(world.read_by_adversary(), all[2..]);
    assert_eq!(world.opens().await, [false, false, true, true], "also from an old copy of the data");

    world.keys.close();
    assert_eq!(world.read_by_adversary(), all[2..], "also of what closing the store writes");
}

#[tokio::test]
async fn no_file_gives_back_what_an_old_kek_or_shard_key_wrapped() {
    let world = World::new().await;
    write_kek(&world.dir.path().join("kek"), &[1, 2]);
    world.vault.rewrap().await.unwrap();
    write_kek(&world.dir.path().join("kek"), &[2]);
    world.vault.purge().await.unwrap();
    assert_eq!(world.read_by_adversary(), [], "the old KEK is of no use any more");
    assert_eq!(world.opens().await, [true; 4]);
}

#[tokio::test]
async fn who_stole_all_keys_before_they_were_rotated_opens_nothing_that_is_there_afterwards() {
    let all = [(ANNA, MEMORY), (ANNA, TRANSCRIPT), (BEN, MEMORY), (BEN, TRANSCRIPT)];
    let world = World::new().await;
    let who_has = |kek: u8| Adversary::new(&[world.dir.path()], [kek; 32], world.vault.id()).unwrap();
    let reads = |adversary: &Adversary| {
        let reads = |(subject, category, sealed): &&(SubjectId, Category, Vec<u8>)| {
            adversary.read(&at(&world.row, *subject, *category), sealed).is_some()
        };
        world.sealed.iter().filter(reads).map(|(subject, category, _)| (*subject, *category)).collect::<Vec<_>>()
    };
    let stolen = who_has(1);
    assert_eq!(reads(&stolen), all);
    world.vault.forget_category(ANNA, MEMORY).await.unwrap();
    world.vault.purge().await.unwrap();

    write_kek(&world.dir.path().join("kek"), &[1, 2]);
    world.vault.rewrap().await.unwrap();
    world.vault.rotate().await.unwrap();
    write_kek(&world.dir.path().join("kek"), &[2]);
    assert!(world.vault.wrapping().await.unwrap().is_purge_due);
    assert_eq!(reads(&who_has(1).who_broke_in_before(&stolen)), all[1..], "the log has what was wrapped before");
    world.vault.purge().await.unwrap();
    assert!(!world.vault.wrapping().await.unwrap().is_purge_due);
    assert_eq!(reads(&who_has(1).who_broke_in_before(&stolen)), [], "by the old KEK and the old shard key");
    assert_eq!(reads(&who_has(2)), all[1..], "what was not erased is there, for who has the new KEK");
    assert_eq!(world.opens().await, [false, true, true, true]);

    world.keys.close();
    assert_eq!(reads(&who_has(1).who_broke_in_before(&stolen)), [], "nor in what closing the store writes");
    assert_eq!(reads(&who_has(2)), all[1..]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_with_a_purge_that_was_due() {
    let world = World::new().await;
    world.vault.forget_subject(ANNA).await.unwrap();
    world.keys.close();
    let keys = open(&world.dir.path().join("keys"));
    let vault = Vault::unlock(keys.clone(), Arc::new(FileKek::new(&world.dir.path().join("kek")))).await.unwrap();
    let mut watch = keys.watch(PurgeRow::table()).await.unwrap();
    vault.look_after(&Tasks::new());
    let world = World { keys, vault, ..world };
    let done = watch.next().await.unwrap().unwrap();
    assert!(done.value.is_none(), "what was due is done");
    assert_eq!(world.read_by_adversary().len(), 2);
    assert_eq!(world.opens().await, [false, false, true, true]);
    assert!(matches!(world.vault.seal(&at(&world.row, ANNA, MEMORY), b"").await, Err(Error::SubjectForgotten)));
}
