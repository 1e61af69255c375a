//! Consent that lasts for a time: nothing passes by it afterwards, also before that is on record.

use core::time::Duration;

use sayso_audit::Event;
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::{Denied, Replay};
use sayso_policy::{ConsentStatus, Reason, Refused};
use sayso_store::{Batch, Prefix, Store};

use crate::erasing::{facts, row};
use crate::revising::revised;
use crate::world::*;

/// Consent to remembering lasts for a day.
pub(crate) const LASTS: (&str, &str) = ("id = \"memory\"\n", "id = \"memory\"\nconsent_lasts = \"P1D\"\n");

/// Consent to listening lasts for a second.
const BRIEFLY: (&str, &str) =
    ("id = \"voice_interaction\"\n", "id = \"voice_interaction\"\nconsent_lasts = \"PT1S\"\n");

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn what_was_agreed_to_for_a_time_ends_with_it_and_so_does_what_was_kept_by_it() {
    let world = World::new().await;
    world.register.publish(revised(2, &[LASTS])).await.unwrap();
    let (anna, ben) = (world.person(&[VOICE, MEMORY]).await, world.person(&[VOICE, MEMORY]).await);
    for person in [anna, ben] {
        assert!(world.register.save_facts(person, &facts()).await.unwrap());
    }
    world.clock.advance(DAY / 2);
    world.answers(ben, &[MEMORY], ConsentStatus::Given).await;
    assert_eq!(world.state(ben).await.status(MEMORY), ConsentStatus::Renewed);
    assert_eq!(world.register.expire_consents().await.unwrap(), 0, "there is time yet");

    world.clock.advance(DAY / 2);
    assert!(!world.register.save_facts(anna, &facts()).await.unwrap(), "it is over before that is on record");
    assert_eq!(world.register.expire_consents().await.unwrap(), 1, "the other one has renewed it");
    let state = world.state(anna).await;
    assert_eq!((state.status(MEMORY), state.status(VOICE)), (ConsentStatus::Expired, ConsentStatus::Given));
    assert_eq!(world.state(ben).await.status(MEMORY), ConsentStatus::Renewed);
    let expired = world.leaves().await.into_iter().find_map(|leaf| match leaf.fact.event {
        Event::ConsentExpired { record, purpose: MEMORY } => Some(record),
        _ => None,
    });
    let record = expired.expect("it is on record");
    let certificate = world.register.until_certified(anna, record).await.unwrap();
    assert_eq!(Certificate::parse(&certificate).unwrap().grounds, [Ground::Expiry(record.0)]);
    assert!(world.local.read(&[row(anna)]).await.unwrap()[0].is_none());
    assert!(world.local.read(&[row(ben)]).await.unwrap()[0].is_some(), "what others agreed to stays");

    world.answers(anna, &[MEMORY], ConsentStatus::Given).await;
    assert_eq!(world.state(anna).await.status(MEMORY), ConsentStatus::Given, "asked anew, they may agree anew");
    world.clock.advance(DAY / 2);
    let world = world.reopened_as(revised(2, &[LASTS])).await;
    assert_eq!(world.expire_consents().await.unwrap(), 1, "the one who had renewed it, also after a restart");
}

#[tokio::test]
async fn a_gate_closes_when_consent_is_over_and_a_replay_knows_when_that_was() {
    let world = World::new().await;
    let profile = revised(2, &[BRIEFLY]);
    world.register.publish(profile.clone()).await.unwrap();
    let anna = world.person(&[VOICE]).await;
    let asked = ask(anna, world.state(anna).await.cv);
    let lease = world.register.acquire(asked).await.unwrap();
    lease.permit().pass(frame(&asked), drop).unwrap();
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(lease.permit().pass(frame(&asked), drop), Err(Refused::Expired));
    lease.finish("over");
    let denied = world.register.acquire(asked).await.unwrap_err();
    assert!(matches!(denied, Denied::Policy(Reason::NoBasis)), "{denied:?}");
    let mut replay = Replay::new(profile);
    for (index, leaf) in (0..).zip(world.leaves().await) {
        replay.leaf(index, &leaf);
    }
    assert!(replay.finish().denied.is_empty(), "no segment was opened after it");
}

#[tokio::test]
async fn somebody_whose_records_are_damaged_holds_up_nobody_else() {
    let world = World::new().await;
    world.register.publish(revised(2, &[LASTS])).await.unwrap();
    let anna = world.person(&[VOICE, MEMORY]).await;
    world.clock.advance(Duration::from_millis(1));
    let ben = world.person(&[VOICE, MEMORY]).await;
    let records = Prefix::table("consent").then(&anna);
    let record = world.local.scan((&records).into(), 1).await.unwrap().entries.remove(0);
    world.local.commit(Batch::new().put(record.key, b"nonsense".to_vec())).await.unwrap();
    world.clock.advance(DAY);
    for _ in 0..2 {
        assert!(world.register.expire_consents().await.is_err(), "hers is left, and that is told each time");
        assert_eq!(world.state(ben).await.status(MEMORY), ConsentStatus::Expired);
    }
}
