//! A log that is not what was written is never gone on with.

use std::collections::BTreeMap;

use sayso_audit::{Event, Hash};
use sayso_consent::{Error, LogCheck};
use sayso_policy::ConsentStatus;
use sayso_store::{Batch, Entry, Prefix, Range, Store};

use crate::world::{VOICE, World};

/// What is done to the leaves that lie there.
type Damage = fn(&[Entry]) -> Batch;

/// A node with some leaves, closed; its store as it lies there.
async fn a_log() -> World {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    world.answers(person, &[VOICE], ConsentStatus::Given).await;
    world
}

async fn leaves(store: &dyn Store) -> Vec<Entry> {
    store.scan(Range::from(Prefix::table("audit_leaf")), 1_000).await.unwrap().entries
}

/// How many leaves the log in `store` has, and the root over them.
async fn log_of(store: &dyn Store) -> (u64, Hash) {
    let entries = store.scan(Range::all(), 1_000).await.unwrap().entries;
    let mut log = LogCheck::default();
    entries.iter().for_each(|entry| log.entry(&entry.key, &entry.value).unwrap());
    let mut leaves = log.leaves().unwrap();
    entries.iter().for_each(|entry| leaves.entry(&entry.key, &entry.value).unwrap());
    leaves.finish().unwrap()
}

#[tokio::test]
async fn whenever_a_log_is_opened_all_of_it_is_checked_and_that_is_on_record() {
    let world = a_log().await;
    let (size, root) = log_of(&*world.local).await;
    assert!(size > 2);
    let world = world.again().await;
    let leaves = world.leaves().await;
    let at = usize::try_from(size).unwrap();
    assert_eq!(leaves[at].fact.event, Event::SelfcheckPassed { size, root }, "the first that is said of the next time");
    world.ends_spotless().await;
}

#[tokio::test]
async fn what_was_changed_cut_off_or_added_is_found() {
    let changed = |leaves: &[Entry]| {
        let mut value = leaves[2].value.to_vec();
        *value.last_mut().unwrap() ^= 1;
        Batch::new().put(leaves[2].key.clone(), value)
    };
    let cut_off = |leaves: &[Entry]| Batch::new().delete(leaves[leaves.len() - 1].key.clone());
    let taken_out = |leaves: &[Entry]| Batch::new().delete(leaves[1].key.clone());
    let swapped = |leaves: &[Entry]| {
        let (a, b) = (&leaves[1], &leaves[2]);
        Batch::new().put(a.key.clone(), b.value.clone()).put(b.key.clone(), a.value.clone())
    };
    let added = |leaves: &[Entry]| {
        // keys are tuples: the index is their last byte
        let last = leaves.last().unwrap();
        let mut key = last.key.as_bytes().to_vec();
        *key.last_mut().unwrap() += 1;
        Batch::new().put(sayso_store::Key::from_bytes(key), last.value.clone())
    };
    let all_gone = |leaves: &[Entry]| leaves.iter().fold(Batch::new(), |batch, leaf| batch.delete(leaf.key.clone()));
    let damages: [(&str, Damage); 6] = [
        ("changed", changed),
        ("cut off", cut_off),
        ("taken out", taken_out),
        ("swapped", swapped),
        ("added", added),
        ("gone", all_gone),
    ];
    for (name, damage) in damages {
        let world = a_log().await;
        world.store.commit(damage(&leaves(&*world.local).await)).await.unwrap();
        let found = world.reopened().await;
        assert!(matches!(found, Err(Error::Log(_))), "{name}: {:?}", found.map(drop));
    }
}

#[tokio::test]
async fn a_head_that_is_gone_or_damaged_is_found() {
    for damage in [None, Some(&b"\0\x01nonsense"[..])] {
        let world = a_log().await;
        let head = world.store.scan(Range::from(Prefix::table("audit_head")), 10).await.unwrap().entries.remove(0);
        let batch = match damage {
            Some(bytes) => Batch::new().put(head.key, bytes.to_vec()),
            None => Batch::new().delete(head.key),
        };
        world.store.commit(batch).await.unwrap();
        assert!(matches!(world.reopened().await, Err(Error::Log(_))));
    }
}

#[tokio::test]
async fn what_a_newer_program_wrote_is_left_alone() {
    // what a register reads before it notes that it was opened
    for table in ["audit_head", "profile"] {
        let world = a_log().await;
        let record = world.store.scan(Range::from(Prefix::table(table)), 1).await.unwrap().entries.remove(0);
        let newer = [&[0xff, 0xfe][..], &record.value[2..]].concat();
        world.store.commit(Batch::new().put(record.key, newer)).await.unwrap();
        let before = world.store.scan(Range::all(), 1_000).await.unwrap();
        let error = world.reopened().await.map(drop).unwrap_err().to_string();
        assert!(error.contains("65534") && error.contains("run a version that knows it"), "{table}: {error}");
        assert_eq!(world.store.scan(Range::all(), 1_000).await.unwrap(), before, "{table}: nothing is written");
    }
}

#[tokio::test]
async fn what_a_newer_program_has_used_is_not_touched_by_one_that_does_not_know_all_of_it() {
    // a kind of record that this program does not know, and each that it does, in a version that it does not
    let kinds = |row: &Entry| -> BTreeMap<String, u16> { serde_json::from_slice(&row.value[2..]).unwrap() };
    let world = a_log().await;
    let row = world.store.scan(Range::from(Prefix::table("format")), 2).await.unwrap().entries.remove(0);
    let known = kinds(&row);
    assert!(known["register"] >= 2 && known["vault_subject"] >= 1 && known["audit_leaf"] >= 1, "{known:?}");
    for (record, version) in known.iter().map(|(record, version)| (&**record, version + 1)).chain([("of_later", 1)]) {
        let mut newer = known.clone();
        newer.insert(record.to_owned(), version);
        let value = [&row.value[..2], &serde_json::to_vec(&newer).unwrap()].concat();
        world.store.commit(Batch::new().put(row.key.clone(), value)).await.unwrap();
        let before = world.store.scan(Range::all(), 1_000).await.unwrap();
        match world.reopened().await {
            Err(Error::Newer { record: named, found, known }) => {
                assert_eq!((&*named, found, known), (record, version, version - 1));
            }
            other => panic!("{record}: {:?}", other.map(drop)),
        }
        assert_eq!(world.store.scan(Range::all(), 1_000).await.unwrap(), before, "{record}: nothing is written");
    }
    let mut older = known.clone();
    older.insert("register".to_owned(), 1);
    older.remove("loan");
    let value = [&row.value[..2], &serde_json::to_vec(&older).unwrap()].concat();
    world.store.commit(Batch::new().put(row.key.clone(), value)).await.unwrap();
    world.reopened().await.unwrap();
    let row = world.store.scan(Range::from(Prefix::table("format")), 2).await.unwrap().entries.remove(0);
    assert_eq!(kinds(&row), known, "what an older program has used is raised");
}

#[tokio::test]
async fn a_record_that_is_damaged_is_an_error_that_names_its_kind_and_shows_nothing_of_it() {
    let world = a_log().await;
    let person = world.person(&[VOICE]).await;
    let scan = world.store.scan(Range::from(Prefix::table("register").then(&person)), 10);
    let record = scan.await.unwrap().entries.remove(0);
    let secret = String::from_utf8_lossy(&record.value[2..]).replace("\"cv\":1", "\"cv\":[]");
    let damaged = [&[0, 1][..], secret.as_bytes()].concat();
    world.store.commit(Batch::new().put(record.key, damaged)).await.unwrap();
    let error = world.register.state(person).await.unwrap_err();
    assert!(matches!(error, Error::Damaged { what: "register", .. }) && error.code() == "store_damaged");
    let text = error.to_string();
    assert!(text.contains("column") && !text.contains("acme") && text.len() < 120, "{text}");
    assert!(world.reopened().await.is_err(), "what cannot be read may have been withdrawn");
}
