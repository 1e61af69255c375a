//! The vault in use, on a store on disk.

mod fakes;
mod using;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::Ordering;

use sayso_store::{Batch, Key, Range, Store};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::{Category, ManualClock, Purpose, SubjectId};
use tokio::sync::Notify;

use self::fakes::{FakeDelay, FakeSilence};
use super::*;
use crate::tables::{SUBJECT, SubjectRow};
use crate::{FileKek, KekError, RecordError};

pub(crate) const ANNA: SubjectId = SubjectId([0xaa; 16]);
pub(crate) const BEN: SubjectId = SubjectId([0xbb; 16]);
pub(crate) const MEMORY: Category = Category::MEMORY_SUMMARY;
pub(crate) const TRANSCRIPT: Category = Category::TRANSCRIPT;

/// A KEK file with these versions, oldest first.
pub(crate) fn write_kek(path: &Path, versions: &[u8]) {
    let text: String = versions.iter().map(|byte| format!("{byte:02x}").repeat(32) + "\n").collect();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A key store in a directory, with its KEK beside it.
struct World {
    dir: tempfile::TempDir,
    store: Arc<LocalStore>,
    vault: Arc<Vault>,
}

fn open_store(dir: &Path) -> Arc<LocalStore> {
    LocalStore::open(&dir.join("keys"), LocalOptions::new(Arc::new(ManualClock::new()))).unwrap()
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_kek(&dir.path().join("kek"), &[1]);
        Self::open(dir).await.unwrap()
    }

    async fn open(dir: tempfile::TempDir) -> Result<Self, Error> {
        let store = open_store(dir.path());
        let kek = Arc::new(FileKek::new(&dir.path().join("kek")));
        let vault = Vault::unlock(store.clone(), kek).await;
        if vault.is_err() {
            store.close();
        }
        Ok(Self { vault: vault?, dir, store })
    }

    async fn again(self) -> Result<Self, Error> {
        self.store.close();
        Self::open(self.dir).await
    }

    fn kek(&self, versions: &[u8]) {
        write_kek(&self.dir.path().join("kek"), versions);
    }

    async fn seal(&self, subject: SubjectId, category: Category) -> Result<Vec<u8>, Error> {
        let row = Key::from_bytes("row");
        self.vault.seal(&at(&row, subject, category), b"canary").await
    }

    async fn open_record(&self, subject: SubjectId, category: Category, sealed: &[u8]) -> Result<(), Error> {
        let row = Key::from_bytes("row");
        let opened = self.vault.open(&at(&row, subject, category), sealed).await?;
        assert_eq!(*opened, b"canary");
        Ok(())
    }
}

pub(crate) fn at(row: &Key, subject: SubjectId, category: Category) -> Binding<'_> {
    Binding { table: "table", row, schema: 1, subject, category, purpose: Purpose::MEMORY }
}

#[tokio::test]
async fn what_is_sealed_opens_after_a_restart_and_elsewhere_with_nobody_else() {
    let world = World::new().await;
    let sealed = world.seal(ANNA, MEMORY).await.unwrap();
    let id = world.vault.id();
    let world = world.again().await.unwrap();
    assert_eq!(world.vault.id(), id);
    world.open_record(ANNA, MEMORY, &sealed).await.unwrap();

    world.seal(BEN, MEMORY).await.unwrap();
    let foreign = world.open_record(BEN, MEMORY, &sealed).await.unwrap_err();
    assert!(matches!(foreign, Error::Record(RecordError::OtherKey { .. })), "{foreign}");
    let unknown = world.open_record(SubjectId([0xcc; 16]), MEMORY, &sealed).await.unwrap_err();
    assert!(matches!(unknown, Error::KeysOlder { sealed: 1, held: 0 }), "{unknown}");
    let category = world.open_record(ANNA, TRANSCRIPT, &sealed).await.unwrap_err();
    assert!(matches!(category, Error::KeysOlder { sealed: 1, held: 0 }), "{category}");
}

#[tokio::test]
async fn a_kek_that_is_not_the_one_is_refused_when_the_vault_is_unlocked() {
    let world = World::new().await;
    world.seal(ANNA, MEMORY).await.unwrap();
    world.kek(&[2]);
    let dir = world.dir.path().join("kek");
    world.store.close();
    let refused = Vault::unlock(open_store(world.dir.path()), Arc::new(FileKek::new(&dir))).await.unwrap_err();
    assert!(matches!(refused, Error::Kek(KekError::Unknown { .. })), "{refused}");
}

#[tokio::test]
async fn a_category_is_forgotten_alone_and_the_next_key_is_another() {
    let world = World::new().await;
    let (memory, transcript) = (world.seal(ANNA, MEMORY).await.unwrap(), world.seal(ANNA, TRANSCRIPT).await.unwrap());
    let destroyed = world.vault.forget_category(ANNA, MEMORY).await.unwrap().unwrap();
    assert_eq!((destroyed.category, destroyed.generation), (MEMORY, 1));
    assert_eq!(destroyed.key.0, memory[5..21]);
    let gone = world.open_record(ANNA, MEMORY, &memory).await.unwrap_err();
    assert!(matches!(gone, Error::Forgotten { generation: 1, .. }) && gone.is_forgotten(), "{gone}");
    world.open_record(ANNA, TRANSCRIPT, &transcript).await.unwrap();
    assert_eq!(world.vault.forget_category(ANNA, MEMORY).await.unwrap(), None, "it is gone already");
    assert_eq!(world.vault.forget_category(BEN, MEMORY).await.unwrap(), None, "there never was one");

    let next = world.seal(ANNA, MEMORY).await.unwrap();
    let world = world.again().await.unwrap();
    world.open_record(ANNA, MEMORY, &next).await.unwrap();
    assert!(world.open_record(ANNA, MEMORY, &memory).await.unwrap_err().is_forgotten());
}

#[tokio::test]
async fn a_person_is_forgotten_for_good() {
    let world = World::new().await;
    let (anna, ben) = (world.seal(ANNA, MEMORY).await.unwrap(), world.seal(BEN, MEMORY).await.unwrap());
    world.seal(ANNA, TRANSCRIPT).await.unwrap();
    let row = SubjectRow { subject: ANNA }.key();
    let old = world.store.read(core::slice::from_ref(&row)).await.unwrap().remove(0).unwrap().value;
    assert_eq!(world.vault.forget_subject(ANNA).await.unwrap().len(), 2);
    assert!(matches!(world.open_record(ANNA, MEMORY, &anna).await, Err(Error::SubjectForgotten)));
    assert!(matches!(world.seal(ANNA, MEMORY).await, Err(Error::SubjectForgotten)));
    world.open_record(BEN, MEMORY, &ben).await.unwrap();
    assert_eq!(world.vault.forget_subject(ANNA).await.unwrap(), [], "they are gone already");

    // Whoever puts an old row back, from a copy or out of a log, brings nobody back.
    world.store.commit(Batch::new().put(row.clone(), old.clone())).await.unwrap();
    let world = world.again().await.unwrap();
    assert!(matches!(world.open_record(ANNA, MEMORY, &anna).await, Err(Error::SubjectForgotten)));
    assert_eq!(world.vault.rotate().await.unwrap(), 1, "only Ben's keys are wrapped anew");
    assert!(matches!(world.open_record(ANNA, MEMORY, &anna).await, Err(Error::SubjectForgotten)));
    assert_eq!(world.store.read(core::slice::from_ref(&row)).await.unwrap(), [None], "nothing stays under the old one");
    world.store.commit(Batch::new().put(row.clone(), old)).await.unwrap();
    assert_eq!(world.vault.keep_forgotten().await.unwrap(), 1);
    assert_eq!(world.store.read(&[row]).await.unwrap(), [None], "nor does it stay there");
    assert_eq!(world.vault.keep_forgotten().await.unwrap(), 0);
    world.open_record(BEN, MEMORY, &ben).await.unwrap();
}

#[tokio::test]
async fn somebody_who_was_never_here_can_be_forgotten_too() {
    let world = World::new().await;
    assert_eq!(world.vault.forget_subject(ANNA).await.unwrap(), []);
    assert!(matches!(world.seal(ANNA, MEMORY).await, Err(Error::SubjectForgotten)));
}

#[tokio::test]
async fn a_key_whose_destruction_was_never_answered_seals_nothing_any_more() {
    let dir = tempfile::tempdir().unwrap();
    write_kek(&dir.path().join("kek"), &[1]);
    let silence = FakeSilence { store: open_store(dir.path()), is_silent: false.into(), committed: Notify::new() };
    let silence = Arc::new(silence);
    let vault = Vault::unlock(silence.clone(), Arc::new(FileKek::new(&dir.path().join("kek")))).await.unwrap();
    let (row, canary) = (Key::from_bytes("row"), b"canary");
    let sealed = vault.seal(&at(&row, ANNA, MEMORY), canary).await.unwrap();
    let keys = vault.keys_of(ANNA).await.unwrap();
    silence.is_silent.store(true, Ordering::SeqCst);
    tokio::select! {
        _ = vault.forget_keys(ANNA, &keys) => panic!("nobody answers"),
        () = silence.committed.notified() => {}
    }
    silence.is_silent.store(false, Ordering::SeqCst);
    assert!(vault.open(&at(&row, ANNA, MEMORY), &sealed).await.unwrap_err().is_forgotten());
    assert!(!vault.forget_keys(ANNA, &keys).await.unwrap(), "it was destroyed already");
    assert!(vault.open(&at(&row, ANNA, MEMORY), &sealed).await.unwrap_err().is_forgotten());
    let next = vault.seal(&at(&row, ANNA, MEMORY), canary).await.unwrap();
    assert_ne!(next[5..21], sealed[5..21], "what is sealed from here on is sealed under a new key");
    assert_eq!(*vault.open(&at(&row, ANNA, MEMORY), &next).await.unwrap(), canary);
    while vault.purge().await.unwrap().is_some() {}

    silence.is_silent.store(true, Ordering::SeqCst);
    let at_ben = at(&row, BEN, MEMORY);
    tokio::select! {
        _ = vault.seal(&at_ben, canary) => panic!("nobody answers"),
        () = silence.committed.notified() => {}
    }
    silence.is_silent.store(false, Ordering::SeqCst);
    assert!(
        vault.wrapping().await.unwrap().is_purge_due,
        "a key of which nobody knows whether it was made may be in a log"
    );
    assert!(vault.purge().await.unwrap().is_some());
    assert!(!vault.wrapping().await.unwrap().is_purge_due);
}

#[tokio::test]
async fn a_purge_that_is_due_is_so_until_it_is_done_also_after_a_restart() {
    let world = World::new().await;
    assert_eq!(world.vault.purge().await.unwrap(), None);
    world.seal(ANNA, MEMORY).await.unwrap();
    world.vault.forget_category(ANNA, MEMORY).await.unwrap();
    let world = world.again().await.unwrap();
    assert!(world.vault.purge().await.unwrap().is_some());
    assert_eq!(world.vault.purge().await.unwrap(), None);
}

#[tokio::test]
async fn many_who_seal_for_one_person_at_once_use_one_key() {
    let world = World::new().await;
    let (a, b, c) = tokio::join!(world.seal(ANNA, MEMORY), world.seal(ANNA, MEMORY), world.seal(ANNA, MEMORY));
    let ids = [a, b, c].map(|sealed| sealed.unwrap()[5..21].to_vec());
    assert!(ids.iter().all(|id| *id == ids[0]));
    // Two processes with one key store: each finds what the other made.
    let kek = Arc::new(FileKek::new(&world.dir.path().join("kek")));
    let other = Vault::unlock(world.store.clone(), kek).await.unwrap();
    let row = Key::from_bytes("row");
    let ben = at(&row, BEN, MEMORY);
    let (mine, theirs) = tokio::join!(world.seal(BEN, MEMORY), other.seal(&ben, b"canary"));
    assert_eq!(mine.unwrap()[5..21], theirs.unwrap()[5..21]);
}

#[tokio::test]
async fn the_kek_changes_while_the_vault_is_in_use() {
    let world = World::new().await;
    let sealed = world.seal(ANNA, MEMORY).await.unwrap();
    world.kek(&[1, 2]);
    assert_eq!(world.vault.rewrap().await.unwrap(), 1);
    assert_eq!(world.vault.rewrap().await.unwrap(), 1, "once more does no harm");
    world.kek(&[2]);
    world.open_record(ANNA, MEMORY, &sealed).await.unwrap();
    let world = world.again().await.unwrap();
    world.open_record(ANNA, MEMORY, &sealed).await.unwrap();
}

#[tokio::test]
async fn the_shard_key_changes_while_the_vault_is_in_use() {
    let world = World::new().await;
    let (anna, ben) = (world.seal(ANNA, MEMORY).await.unwrap(), world.seal(BEN, MEMORY).await.unwrap());
    world.vault.forget_category(ANNA, MEMORY).await.unwrap();
    assert_eq!(world.vault.rotate().await.unwrap(), 2);
    assert_eq!(rotating::shard_rows(world.store.as_ref()).await.unwrap().len(), 1, "the old one is gone");
    let world = world.again().await.unwrap();
    world.open_record(BEN, MEMORY, &ben).await.unwrap();
    assert!(world.open_record(ANNA, MEMORY, &anna).await.unwrap_err().is_forgotten());
    world.seal(ANNA, MEMORY).await.unwrap();
}

#[tokio::test]
async fn a_change_of_the_shard_key_that_was_interrupted_is_finished() {
    let world = World::new().await;
    let (anna, ben) = (world.seal(ANNA, MEMORY).await.unwrap(), world.seal(BEN, MEMORY).await.unwrap());
    // Interrupted after the new key was made and one person's keys were wrapped under it.
    world.vault.add_shard_key().await.unwrap();
    world.seal(ANNA, TRANSCRIPT).await.unwrap();
    let world = world.again().await.unwrap();
    world.open_record(ANNA, MEMORY, &anna).await.unwrap();
    world.open_record(BEN, MEMORY, &ben).await.unwrap();
    assert_eq!(world.vault.rotate().await.unwrap(), 1, "the other's are left");
    let rows = rotating::shard_rows(world.store.as_ref()).await.unwrap();
    assert_eq!(rows.iter().map(|(generation, ..)| *generation).collect::<Vec<_>>(), [2]);
    world.open_record(BEN, MEMORY, &ben).await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_made_while_the_shard_key_changes_is_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    write_kek(&dir.path().join("kek"), &[1]);
    let store = open_store(dir.path());
    let delay =
        FakeDelay { store: store.clone(), keeps_next: false.into(), came: Notify::new(), goes_on: Notify::new() };
    let (delay, kek) = (Arc::new(delay), Arc::new(FileKek::new(&dir.path().join("kek"))));
    let vault = Vault::unlock(delay.clone(), kek.clone()).await.unwrap();
    let row = Key::from_bytes("row");
    let ben = vault.seal(&at(&row, BEN, MEMORY), b"canary").await.unwrap();
    delay.keeps_next.store(true, Ordering::SeqCst);
    let at_anna = at(&row, ANNA, MEMORY);
    let rotates = async {
        delay.came.notified().await;
        assert_eq!(vault.rotate().await.unwrap(), 1, "the other one is not there yet");
        delay.goes_on.notify_one();
    };
    let (anna, ()) = tokio::join!(vault.seal(&at_anna, b"canary"), rotates);
    let again = Vault::unlock(store.clone(), kek).await.unwrap();
    assert_eq!(*again.open(&at_anna, &anna.unwrap()).await.unwrap(), b"canary");
    assert_eq!(*again.open(&at(&row, BEN, MEMORY), &ben).await.unwrap(), b"canary");
}

#[tokio::test]
async fn a_shard_key_that_was_wrapped_anew_too_late_is_purged() {
    let dir = tempfile::tempdir().unwrap();
    write_kek(&dir.path().join("kek"), &[1]);
    let store = open_store(dir.path());
    let delay = FakeDelay { store, keeps_next: false.into(), came: Notify::new(), goes_on: Notify::new() };
    let (delay, kek) = (Arc::new(delay), Arc::new(FileKek::new(&dir.path().join("kek"))));
    let vault = Vault::unlock(delay.clone(), kek).await.unwrap();
    delay.keeps_next.store(true, Ordering::SeqCst);
    let rotates = async {
        delay.came.notified().await;
        vault.rotate().await.unwrap();
        vault.purge().await.unwrap();
        assert!(!vault.wrapping().await.unwrap().is_purge_due);
        delay.goes_on.notify_one();
    };
    let (rewrapped, ()) = tokio::join!(vault.rewrap(), rotates);
    assert_eq!(rewrapped.unwrap(), 0, "another one has taken its place");
    assert!(vault.wrapping().await.unwrap().is_purge_due, "a log may have the old one, under the KEK");
}

#[tokio::test]
async fn everybodys_records_open_and_are_sealed_while_the_shard_key_changes() {
    let world = World::new().await;
    let people: Vec<_> = (1..=40).map(|n| SubjectId([n; 16])).collect();
    let mut sealed = Vec::new();
    for person in &people[..20] {
        sealed.push((*person, world.seal(*person, MEMORY).await.unwrap()));
    }
    let uses = async {
        let mut new = Vec::new();
        for (person, known) in people[20..].iter().zip(sealed.iter().cycle()) {
            new.push((*person, world.seal(*person, TRANSCRIPT).await.unwrap()));
            // as if it had been long ago that they were used
            world.vault.cache().forget(known.0);
            world.open_record(known.0, MEMORY, &known.1).await.unwrap();
        }
        new
    };
    let rotates = async {
        for _ in 0..3 {
            world.vault.rotate().await.unwrap();
        }
    };
    let (new, ()) = tokio::join!(uses, rotates);
    assert_eq!(world.vault.wrapping().await.unwrap().shard_key, 4);
    let world = world.again().await.unwrap();
    for (person, sealed) in &sealed {
        world.open_record(*person, MEMORY, sealed).await.unwrap();
    }
    for (person, sealed) in &new {
        world.open_record(*person, TRANSCRIPT, sealed).await.unwrap();
    }
}

#[tokio::test]
async fn a_shard_key_whose_making_was_never_answered_is_used_by_whoever_comes_next() {
    let world = World::new().await;
    let anna = world.seal(ANNA, MEMORY).await.unwrap();
    let kek = Arc::new(FileKek::new(&world.dir.path().join("kek")));
    let other = Vault::unlock(world.store.clone(), kek).await.unwrap();
    other.add_shard_key().await.unwrap();
    assert!(world.vault.wrapping().await.unwrap().is_rotating);
    let ben = world.seal(BEN, MEMORY).await.unwrap();
    assert_eq!(world.vault.rotate().await.unwrap(), 1, "the one that was begun is finished: hers are left");
    assert_eq!(world.vault.wrapping().await.unwrap().shard_key, 2);
    let world = world.again().await.unwrap();
    world.open_record(ANNA, MEMORY, &anna).await.unwrap();
    world.open_record(BEN, MEMORY, &ben).await.unwrap();
}

#[tokio::test]
async fn keys_move_to_another_store_whole_also_when_interrupted() {
    let world = World::new().await;
    let (anna, ben) = (world.seal(ANNA, MEMORY).await.unwrap(), world.seal(BEN, MEMORY).await.unwrap());
    world.vault.forget_subject(BEN).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let to = open_store(elsewhere.path());
    assert!(!move_keys(to.as_ref(), world.store.as_ref()).await.unwrap(), "there is nothing to move");
    // Interrupted after the rows were copied, before it was said whose they are.
    let copied = world.store.scan(Range::all(), PAGE).await.unwrap().entries;
    let some = copied.into_iter().filter(|entry| !VaultKey::table().contains(&entry.key));
    to.commit(some.fold(Batch::new(), |batch, entry| batch.put(entry.key, entry.value))).await.unwrap();
    assert!(move_keys(world.store.as_ref(), to.as_ref()).await.unwrap());
    assert!(!move_keys(world.store.as_ref(), to.as_ref()).await.unwrap(), "once is enough");
    assert_eq!(world.store.scan(Range::all(), PAGE).await.unwrap().entries, []);

    let kek = Arc::new(FileKek::new(&world.dir.path().join("kek")));
    let moved = Vault::unlock(to.clone(), kek).await.unwrap();
    assert_eq!(moved.id(), world.vault.id());
    let row = Key::from_bytes("row");
    assert_eq!(*moved.open(&at(&row, ANNA, MEMORY), &anna).await.unwrap(), b"canary");
    assert!(matches!(moved.open(&at(&row, BEN, MEMORY), &ben).await, Err(Error::SubjectForgotten)));
    assert!(moved.purge().await.unwrap().is_some(), "what was due stays due");
    let world = world.again().await.unwrap();
    assert!(
        !move_keys(world.store.as_ref(), to.as_ref()).await.unwrap(),
        "keys of another data set stay where they are"
    );
}

#[tokio::test]
async fn damaged_rows_are_named() {
    let world = World::new().await;
    world.seal(ANNA, MEMORY).await.unwrap();
    let row = SubjectRow { subject: ANNA }.key();
    world.store.commit(Batch::new().put(row, SUBJECT.encode(b"nonsense"))).await.unwrap();
    let world = world.again().await.unwrap();
    let damaged = world.seal(ANNA, MEMORY).await.unwrap_err();
    assert!(matches!(damaged, Error::Damaged { what: "subject key", .. }), "{damaged}");
    let row = ShardRow { shard: SHARD, generation: 1 }.key();
    world.store.commit(Batch::new().put(row, SHARD_KEY.encode(b"nonsense"))).await.unwrap();
    let damaged = world.again().await.err().unwrap();
    assert!(matches!(damaged, Error::Damaged { what: "shard key", .. }), "{damaged}");
}

#[tokio::test]
async fn whatever_it_does_may_be_done_on_any_thread() {
    fn assert_send<T: Send>(work: T) -> T {
        work
    }
    let world = World::new().await;
    let (row, vault) = (Key::from_bytes("row"), &world.vault);
    let sealed = assert_send(vault.seal(&at(&row, ANNA, MEMORY), b"canary")).await.unwrap();
    assert_send(vault.open(&at(&row, ANNA, MEMORY), &sealed)).await.unwrap();
    assert_send(vault.rewrap()).await.unwrap();
    assert_send(vault.rotate()).await.unwrap();
    assert_send(vault.forget_category(ANNA, MEMORY)).await.unwrap();
    assert_send(vault.forget_subject(ANNA)).await.unwrap();
    assert_send(vault.purge()).await.unwrap();
}

#[test]
fn a_vault_does_not_show_its_keys() {
    let keys = Arc::new(ShardKey::random(1));
    let shown = format!("{keys:?} {:?}", Cache::default());
    assert!(shown.contains("SecretKey(..)"), "{shown}");
}
