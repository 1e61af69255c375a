//! What has been done to audit logs elsewhere, tried on this one: T-a, T-b and T-e of the design. T-c and T-d need a witness
//! and are in `sayso-witness`; with the store put back or deleted as a whole, T-a and T-b do too, and are in `anchoring`.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Checkpoint, Event, Signer};
use sayso_consent::{Means, Options};
use sayso_store::{Batch, Prefix, Range, Store};

use crate::set_clock::{HOUR, NOON, SetClock};
use crate::world::{VOICE, World, verify};

/// T-a: the last `k` leaves are deleted on disk, and the head with them, so that the rest agrees with itself.
#[tokio::test]
async fn a_tail_that_is_cut_off_with_its_head_does_not_open_once_it_was_witnessed() {
    let signer = Signer::new("home.example/sayso", &[7; 32]).unwrap();
    for k in [1, 2, 5] {
        let world = World::new().await;
        let _ = world.person(&[VOICE]).await;
        let old = world.store.scan(Range::from(Prefix::table("audit_head")), 10).await.unwrap().entries.remove(0);
        let cut = world.size().await;
        while world.size().await < cut + k {
            let _ = world.person(&[VOICE]).await;
        }
        let (size, root) = world.journal().head().await.unwrap();
        world.journal().keep_witnessed(&Checkpoint::sign(size, root, &signer)).await.unwrap();

        let leaves = world.store.scan(Range::from(Prefix::table("audit_leaf")), 1_000).await.unwrap().entries;
        let put_back = Batch::new().put(old.key, old.value.clone());
        let cut_off = leaves[cut as usize..].iter().fold(put_back, |batch, leaf| batch.delete(leaf.key.clone()));
        world.store.commit(cut_off).await.unwrap();
        let error = world.reopened().await.map(drop).unwrap_err().to_string();
        assert!(error.contains(&format!("{size} leaves were witnessed, there are {cut}")), "{error}");
    }
}

/// T-b: the log is deleted as a whole, with everything that speaks of it.
#[tokio::test]
async fn a_log_that_is_deleted_is_missed() {
    let world = World::new().await;
    let _ = world.person(&[VOICE]).await;
    for table in ["audit_leaf", "audit_head", "audit_receipt", "audit_witnessed", "audit_key"] {
        let rows = world.store.scan(Range::from(Prefix::table(table)), 1_000).await.unwrap().entries;
        let deleted = rows.into_iter().fold(Batch::new(), |batch, row| batch.delete(row.key));
        world.store.commit(deleted).await.unwrap();
    }
    let error = world.reopened().await.map(drop).unwrap_err().to_string();
    assert!(error.contains("it is gone"), "{error}");
}

/// T-c without a witness to ask: everything is rewritten on disk so that it agrees with itself.
#[tokio::test]
async fn a_past_that_is_not_the_witnessed_one_does_not_open() {
    let signer = Signer::new("home.example/sayso", &[7; 32]).unwrap();
    let world = World::new().await;
    let _ = world.person(&[VOICE]).await;
    let other = World::new().await;
    let _ = other.person(&[VOICE]).await;
    let (size, root) = other.journal().head().await.unwrap();
    assert_eq!(size, world.size().await);
    world.journal().keep_witnessed(&Checkpoint::sign(size, root, &signer)).await.unwrap();
    let error = world.reopened().await.map(drop).unwrap_err().to_string();
    assert!(error.contains("are not those that were witnessed"), "{error}");
}

/// T-e: the clock is set back by an hour, and set right again.
#[tokio::test]
async fn a_clock_that_is_set_back_is_on_record_once_and_leaves_keep_their_order() {
    let clock = Arc::new(SetClock::at(NOON));
    let options = Options { withdraw_wait: Duration::from_secs(30), ..Options::default() };
    let world = World::with_clock(clock.clone(), options).await;
    let anomalies = async || {
        let leaves = world.leaves().await;
        let behind = leaves.iter().filter_map(|leaf| match leaf.fact.event {
            Event::ClockAnomaly { behind_ms } => Some(behind_ms),
            _ => None,
        });
        behind.collect::<Vec<_>>()
    };
    let _ = world.person(&[VOICE]).await;
    clock.set(NOON - 500);
    let _ = world.person(&[VOICE]).await;
    assert_eq!(anomalies().await, [0; 0], "a time server corrects as much");

    clock.set(NOON - HOUR);
    let person = world.person(&[VOICE]).await;
    let _ = world.person(&[VOICE]).await;
    assert_eq!(anomalies().await, [HOUR], "told once");
    assert!(world.register.withdraw(person, &[], Means::Voice).await.unwrap().ok);

    clock.set(NOON + HOUR);
    let _ = world.person(&[VOICE]).await;
    clock.set(NOON);
    let _ = world.person(&[VOICE]).await;
    assert_eq!(anomalies().await, [HOUR, HOUR], "and again when it happens again");
    let leaves = world.leaves().await;
    assert!(leaves.is_sorted_by(|a, b| a.place.clock < b.place.clock));
    assert!(verify(world.journal()).await.is_clean(), "no promise is broken by it");
}
