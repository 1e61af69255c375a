//! Erasures where the stores have replicas: none is certified before each of them has said that it holds nothing any more.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use sayso_audit::{Event, Reference, Replica};
use sayso_consent::Means;
use sayso_consent::erasure::{Certificate, Residual};
use sayso_policy::Profile;
use sayso_store::{Batch, Error as StoreError, Prefix, Store};
use sayso_types::{Name, SubjectId, WallTime};
use sayso_vault::testing::vault;

use crate::erasing::{certified, facts, row, sealed_at};
use crate::world::*;

/// The third of three replicas is away.
fn away() -> StoreError {
    StoreError::Unpurged { replicas: "node 3 (it is away)".into() }
}

/// Waits until what came of a purge is known: another one comes.
async fn tried(world: &World) {
    let tried = world.store.purges.load(SeqCst);
    until(|| world.store.purges.load(SeqCst) >= tried + 2).await;
}

/// Somebody with something remembered who takes their consent to that back.
async fn withdrawn(world: &World) -> (SubjectId, Reference) {
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &facts()).await.unwrap();
    let withdrawn = world.register.withdraw(person, &[MEMORY], Means::Voice).await.unwrap();
    (person, Reference(withdrawn.id))
}

async fn acknowledged(world: &World) -> Vec<(Name, Option<Replica>)> {
    let leaves = world.leaves().await.into_iter();
    let acknowledged = leaves.filter_map(|leaf| match leaf.fact.event {
        Event::EraseAcknowledged { how, replica, .. } => Some((how, replica)),
        _ => None,
    });
    acknowledged.collect()
}

#[tokio::test]
async fn an_erasure_is_pending_until_each_replica_has_acknowledged_it() {
    let world = World::new().await;
    world.store.purge_as(Err(away()));
    let (person, of) = withdrawn(&world).await;
    tried(&world).await;
    assert_eq!(world.register.certificate(person, of).await.unwrap(), None);
    assert!(world.register.is_erasing(person, of).await.unwrap());
    assert_eq!(acknowledged(&world).await, [], "nobody says so for it");

    world.store.purge_as(Ok(vec![1, 2, 3]));
    let certificate = certified(&world.register, person, of).await;
    assert!(certificate.is_purged);
    assert_eq!(certificate.replicas, [1, 2, 3]);
    let by = |node| (Name::constant("purged"), Some(Replica { node, of: 3 }));
    assert_eq!(acknowledged(&world).await, [by(1), by(2), by(3)]);
    world.ends_spotless().await;
}

#[tokio::test]
async fn where_a_store_cannot_purge_what_stays_in_it_has_a_date() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    let text = format!("{}\n[retention]\nbackup_purge = \"P7D\"\n", profile_text());
    let world = World::under(Arc::new(Profile::parse(&text).unwrap())).await;
    world.store.purge_as(Err(StoreError::Unsupported { what: "purging what was deleted" }));
    let (person, of) = withdrawn(&world).await;
    let certificate: Certificate = certified(&world.register, person, of).await;
    assert!(!certificate.is_purged);
    let until = Some(WallTime(certificate.destroyed_at.0 + 7 * DAY_MS));
    assert!(certificate.residuals.contains(&Residual::StoreLogs { until }), "{:?}", certificate.residuals);
    assert_eq!(acknowledged(&world).await, [(Name::constant("in_logs"), None)]);
    world.ends_spotless_under(Arc::new(Profile::parse(&text).unwrap())).await;
}

#[tokio::test]
async fn an_old_copy_of_the_keys_brings_none_back_of_an_erasure_that_is_not_certified_yet() {
    let world = World::new().await;
    world.store.purge_as(Err(away()));
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &facts()).await.unwrap();
    let (at, keys) = (row(person), Prefix::table("vault_subject").then(&person).into_key());
    let mut read = world.local.read(&[at.clone(), keys.clone()]).await.unwrap().into_iter().flatten();
    let (sealed, old) = (read.next().unwrap().value[2..].to_vec(), read.next().unwrap().value);
    world.register.withdraw(person, &[MEMORY], Means::Voice).await.unwrap();
    tried(&world).await;
    world.local.commit(Batch::new().put(keys, old)).await.unwrap();
    let opened = vault(world.local.clone()).await.unwrap().open(&sealed_at(&at, person), &sealed).await;
    assert!(opened.is_ok(), "it is there again");

    let world = world.again().await;
    let opened = vault(world.local.clone()).await.unwrap().open(&sealed_at(&at, person), &sealed).await;
    assert!(opened.is_err_and(|error| error.is_forgotten()), "it was destroyed again when the node opened");
}
