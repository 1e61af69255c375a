//! What is kept of somebody when the service ends, when they turn out to be a child, when there is too much of it, and when an
//! authority demands it by law.

use std::sync::Arc;

use hpke::kem::X25519HkdfSha256;
use hpke::{Kem, Serializable};
use sayso_audit::{Actor, Event, MinorEvent, Reference};
use sayso_consent::disclosure::{DisclosureDesk, sealed};
use sayso_consent::exemption::Terms;
use sayso_consent::keep::item::ITEMS_MAX;
use sayso_consent::keep::{NotKept, Source};
use sayso_policy::{AgeBand, ConsentStatus, Profile};
use sayso_store::{Batch, Prefix, Store};
use sayso_types::{SubjectId, WallTime};
use serde_json::Value;

use crate::disclosing::{SHARED, granted, terms};
use crate::guarding::said;
use crate::keeping::*;
use crate::noticing::draft;
use crate::world::*;

/// The test profile, in which what was said is kept for as long as somebody agrees to that, and settings, too.
pub(crate) fn that_keeps_history() -> Arc<Profile> {
    let purpose = r#"  { id = "history", dpv = "ServicePersonalisation", basis = "Consent" },
]
processor = [
  { id = "disk", kind = "database", party = "operator", region = "home", region_class = "local", accepts = ["said", "liked"], purposes = ["history"], state = "active" },
"#;
    let category = |id: &str, derived: &str| {
        let rest = r#"dpv = ["pd:Communication"]
sensitivity = "high"
purposes = ["history"]
necessity = "Optional"
at_rest = "allowed"
retention = { trigger = "withdraw", after = "PT0S", action = "erase" }
"#;
        format!("\n[category.{id}]\n{derived}{rest}")
    };
    let categories = category("said", "derived_from = [\"transcript\"]\n") + &category("liked", "");
    let text = profile_text().replacen("]\nprocessor = [\n", purpose, 1);
    let exemptions = SHARED.1.trim_end_matches(SHARED.0);
    Arc::new(Profile::in_force_before(&format!("{exemptions}{text}{categories}")).unwrap())
}

/// Somebody of whom something is kept that was said, and a setting.
async fn kept_of_somebody(world: &World) -> (SubjectId, [Reference; 2]) {
    let person = world.stranger().await;
    world.answers(person, &[purpose("history")], ConsentStatus::Given).await;
    let said = keep(world, person, bytes("said", "history", b"words")).await.unwrap();
    let liked = keep(world, person, bytes("liked", "history", b"blue")).await.unwrap();
    (person, [said, liked])
}

#[tokio::test]
async fn when_the_service_ends_what_is_kept_of_everybody_goes_with_its_keys() {
    let world = World::under(that_keeps_history()).await;
    let (anna, _) = kept_of_somebody(&world).await;
    kept_of_somebody(&world).await;
    let announced = world.register.announce_shutdown(draft(&world)).await.unwrap();
    world.clock.advance(core::time::Duration::from_secs(10 * 24 * 60 * 60));
    world.register.start_shutdown(announced.id, Actor::SYSTEM).await.unwrap();
    world.until_told(|event| matches!(event, Event::ShutdownCompleted { .. })).await;
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_part").await), (0, 0));
    assert_eq!(certified(&world, anna, Reference(announced.id)).await.keys.len(), 2, "of each category");
}

#[tokio::test]
async fn what_is_kept_of_a_child_without_a_guardian_goes_with_its_keys_and_of_nobody_else() {
    let world = World::under(that_keeps_history()).await;
    let (child, _) = kept_of_somebody(&world).await;
    let (other, _) = kept_of_somebody(&world).await;
    world.register.set_age(child, said(AgeBand::Under13, None), Actor::SYSTEM).await.unwrap();
    world.until_told(|event| matches!(event, Event::Minor(MinorEvent::DataErased { .. }))).await;
    assert!(listed(&world, child).await.is_empty());
    assert_eq!((listed(&world, other).await.len(), rows(&world, "kept").await), (2, 2));
    let again = keep(&world, child, bytes("said", "history", b"words")).await;
    assert!(matches!(again, Err(NotKept::Policy(_))), "{again:?}");
}

#[tokio::test]
async fn of_one_person_so_many_items_are_kept_and_no_more_until_one_is_deleted() {
    let world = World::under(that_keeps_history()).await;
    let (person, [first, _]) = kept_of_somebody(&world).await;
    // as many as may be: copies of the first one's head, each under an id of its own
    let place = |id: Reference| Prefix::table("kept").then(&person).then(&id.0.to_vec()).into_key();
    let head = world.local.read(&[place(first)]).await.unwrap().pop().flatten().unwrap().value;
    let ids = (2..ITEMS_MAX as u128).map(|number| Reference(number.to_be_bytes()));
    let batch = ids.fold(Batch::new(), |batch, id| batch.put(place(id), head.clone()));
    world.local.commit(batch).await.unwrap();
    let more = || keep(&world, person, bytes("liked", "history", b"red"));
    let refused = more().await.unwrap_err();
    assert!(matches!(refused, NotKept::TooMany), "{refused:?}");
    assert!(refused.to_string().contains("2048 items are kept of this person; delete some first"), "{refused}");
    assert!(world.register.drop_kept(person, first).await.unwrap());
    more().await.unwrap();
}

#[tokio::test]
async fn an_authority_is_given_what_is_kept_in_the_categories_that_it_may_have_and_nothing_else() {
    let world = World::under(that_keeps_history()).await;
    let ((anna, [said, _]), (ben, _)) = (kept_of_somebody(&world).await, kept_of_somebody(&world).await);
    let (private, public) = X25519HkdfSha256::derive_keypair(&[9; 32]);
    let mut terms = Terms { categories: [category("said")].into(), ..terms(&[anna]) };
    terms.demand.as_mut().unwrap().recipient = public.to_bytes().into();
    let grant = granted(&world, terms.clone()).await;
    let desk = DisclosureDesk::open(world.register.clone());
    let made = desk.make(grant.id, None, Actor::SYSTEM).await.unwrap();
    let opened = sealed::open(&made.file, &private.to_bytes().into()).unwrap();
    let given: Value = serde_json::from_slice(&opened).unwrap();
    let [person] = given["people"].as_array().unwrap().as_slice() else { panic!("one: {given}") };
    let data = person["data"].as_object().unwrap();
    assert_eq!((data.len(), made.disclosure.rows), (1, 1));
    assert_eq!((&data["said"][0]["text"], &data["said"][0]["id"]), (&"words".into(), &said.to_string().into()));
    assert!(!given.to_string().contains("blue") && !given.to_string().contains(&ben.to_string()));

    // nothing from outside of the span
    terms.demand.as_mut().unwrap().from = Some(WallTime(world.register_clock().0 + 1));
    let grant = granted(&world, terms).await;
    assert_eq!(desk.make(grant.id, None, Actor::SYSTEM).await.unwrap().disclosure.rows, 0);
    world.ends_spotless_under(that_keeps_history()).await;
}

#[tokio::test]
async fn what_is_kept_with_a_device_ends_when_it_is_unbound_and_whoever_speaks_to_it_next_is_somebody_new() {
    let world = World::under(lawful(XIAOZHI)).await;
    let (tenant, device) = ("acme".parse().unwrap(), "kitchen".parse().unwrap());
    let person = world.register.subject_of(&tenant, &device).await.unwrap();
    let info = json("device_info", "provide_service", r#"{"mac":"a0:b1"}"#).from(Source::Device);
    keep(&world, person, info).await.unwrap();
    let account = keep(&world, person, json("account", "provide_service", r#"{"phone":"1"}"#)).await.unwrap();
    let before = world.state(person).await;
    assert!(world.register.unbind(&tenant, &device).await.unwrap());
    assert!(!world.register.unbind(&tenant, &device).await.unwrap(), "once");
    assert!(world.state(person).await.stale_before > before.cv, "a conversation that goes on ends");
    assert_ne!(world.register.subject_of(&tenant, &device).await.unwrap(), person);
    assert_eq!(listed(&world, person).await.len(), 2, "not before the policy's time is over");
    // the node is down when it is: 15 working days of January 2026
    world.clock.advance(40 * DAY);
    let world = world.again_under(lawful(XIAOZHI)).await;
    world.register.end_what_is_due().await.unwrap();
    assert_eq!((listed(&world, person).await, rows(&world, "kept").await), (vec![account], 1));
}

#[tokio::test]
async fn a_rule_that_counts_from_the_end_of_a_session_counts_from_when_it_was_collected() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    let cookie = json("console_cookie", "provide_service", r#"{"login_state":"in"}"#);
    let cookie = keep(&world, person, cookie).await.unwrap();
    world.clock.advance(29 * DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(listed(&world, person).await, [cookie]);
    world.clock.advance(DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!((listed(&world, person).await, rows(&world, "kept").await), (Vec::new(), 0));
}
