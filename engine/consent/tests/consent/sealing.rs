//! What a person asked to have remembered lies sealed, and its key goes with their consent.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sayso_consent::{Error, Means, Options, Register};
use sayso_policy::ConsentStatus;
use sayso_runtime::Tasks;
use sayso_store::{Batch, Key, Prefix, Store, Value};
use sayso_types::SubjectId;
use sayso_vault::testing::vault;

use crate::world::{MEMORY, VOICE, World, open_store, profile};

/// What is looked for in files.
const CANARY: &str = "a-word-that-is-nowhere-else";

fn facts() -> Vec<(String, String)> {
    vec![("word".to_owned(), CANARY.to_owned())]
}

/// Where the facts of `subject` lie.
fn row(subject: SubjectId) -> Key {
    Prefix::table("facts").then(&subject).into_key()
}

async fn stored(world: &World, subject: SubjectId) -> Value {
    world.local.read(&[row(subject)]).await.unwrap().remove(0).unwrap().value
}

/// Whether a file below `dir` holds the canary.
fn shows(dir: &Path) -> bool {
    let holds = |path: &Path| fs::read(path).unwrap().windows(CANARY.len()).any(|bytes| bytes == CANARY.as_bytes());
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() { shows(&path) } else { holds(&path) }
    })
}

/// Waits until no key is to be destroyed any more.
async fn until_erased(world: &World) {
    let due = Prefix::table("erasure");
    let mut watch = world.local.watch(due.clone()).await.unwrap();
    while !world.local.scan((&due).into(), 1).await.unwrap().entries.is_empty() {
        watch.next().await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_is_remembered_is_in_no_file_in_clear() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(person, &facts()).await.unwrap());
    assert_eq!(world.register.facts(person).await.unwrap(), facts());
    assert!(!shows(world.dir.path()));
    let world = world.again().await;
    assert_eq!(world.register.facts(person).await.unwrap(), facts());
    assert!(!shows(world.dir.path()));
}

#[tokio::test]
async fn what_was_kept_in_clear_is_sealed_at_the_next_start() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    let clear = [&[0, 1][..], format!("[[\"word\",\"{CANARY}\"]]").as_bytes()].concat();
    world.local.commit(Batch::new().put(row(person), clear)).await.unwrap();
    assert_eq!(world.register.facts(person).await.unwrap(), facts(), "it is read as it is");
    assert!(shows(world.dir.path()));
    let world = world.again().await;
    assert_eq!(stored(&world, person).await[..2], [0, 3], "of the schema of what is sealed");
    assert_eq!(world.register.facts(person).await.unwrap(), facts());
    world.local.purge().await.unwrap();
    assert!(!shows(world.dir.path()));
}

#[tokio::test]
async fn facts_from_a_copy_of_before_the_withdrawal_stay_forgotten() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &facts()).await.unwrap();
    let copy = stored(&world, person).await;
    assert!(world.register.withdraw(person, &[MEMORY], Means::Voice).await.unwrap().ok);
    until_erased(&world).await;
    world.answers(person, &[MEMORY], ConsentStatus::Given).await;
    world.local.commit(Batch::new().put(row(person), copy)).await.unwrap();
    assert_eq!(world.register.facts(person).await.unwrap(), [], "there is no key for it any more");
    let world = world.again().await;
    assert_eq!(world.register.facts(person).await.unwrap(), []);
    assert!(world.register.save_facts(person, &facts()).await.unwrap());
    assert_eq!(world.register.facts(person).await.unwrap(), facts(), "a new consent, a new key");
}

#[tokio::test]
async fn a_refusal_forgets_as_a_withdrawal_does() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &facts()).await.unwrap();
    let copy = stored(&world, person).await;
    world.answers(person, &[MEMORY], ConsentStatus::Refused).await;
    until_erased(&world).await;
    world.answers(person, &[MEMORY], ConsentStatus::Given).await;
    world.local.commit(Batch::new().put(row(person), copy)).await.unwrap();
    assert_eq!(world.register.facts(person).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_saved_after_a_new_yes_is_not_lost_to_the_erasure_of_before() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &facts()).await.unwrap();
    let copy = stored(&world, person).await;
    // As fast as can be: the key of before may not be destroyed yet.
    world.register.withdraw(person, &[MEMORY], Means::Voice).await.unwrap();
    world.answers(person, &[MEMORY], ConsentStatus::Given).await;
    assert!(world.register.save_facts(person, &facts()).await.unwrap());
    until_erased(&world).await;
    assert_eq!(world.register.facts(person).await.unwrap(), facts());
    world.local.commit(Batch::new().put(row(person), copy)).await.unwrap();
    assert_eq!(world.register.facts(person).await.unwrap(), [], "what was of before is gone");
}

#[tokio::test]
async fn keys_of_another_data_set_are_refused_at_the_start() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &facts()).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let other = vault(open_store(elsewhere.path())).await.unwrap();
    let (clock, profile) = (Arc::new(world.clock.clone()), Arc::new(profile()));
    let refused = Register::open(world.local.clone(), other, profile, clock, Tasks::new(), Options::default()).await;
    assert!(matches!(refused, Err(Error::OtherVault)));
}
