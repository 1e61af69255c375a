//! What is kept ends in the midst of something else: of a withdrawal, of a hold, of being written.

use sayso_audit::{Actor, Event, Reference, RequestStep};
use sayso_consent::Means;
use sayso_consent::retention::{Hold, HoldOrder};
use sayso_consent::rights::{Desk, Standing};
use sayso_policy::ConsentStatus;
use sayso_policy::profile::RightKind;
use sayso_types::{Category, SubjectId};

use crate::answering::accepted;
use crate::erasing::facts;
use crate::keeping::*;
use crate::world::*;

/// A law wants that category of the person's.
async fn held(world: &World, person: SubjectId, of: &str) -> Hold {
    let (subject, category) = (Some(person), Some(category(of)));
    let order = HoldOrder { subject, category, law: "an order".into(), by: "a court".into(), until: None };
    world.register.set_hold(order, Actor::SYSTEM).await.unwrap()
}

/// The categories whose keys are destroyed by now.
async fn destroyed(world: &World) -> Vec<Category> {
    let leaves = world.leaves().await.into_iter();
    let destroyed = leaves.filter_map(|leaf| match leaf.fact.event {
        Event::KeyDestroyed { category, .. } => Some(category),
        _ => None,
    });
    destroyed.collect()
}

async fn until_destroyed(world: &World, of: &str) {
    world
        .until_told(|event| matches!(event, Event::KeyDestroyed { category: of_key, .. } if *of_key == category(of)))
        .await;
}

/// Asks for the erasure of everything of the person; how the case stands once it is answered.
async fn erase(world: &World, person: SubjectId) -> Standing {
    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, person, RightKind::Erase).await;
    let is_answer = |event: &Event| {
        let Event::Request { request, step, .. } = event else { return false };
        *request == case && *step == RequestStep::Fulfilled
    };
    world.until_told(is_answer).await;
    desk.of(person).await.unwrap().into_iter().find(|found| found.id == case).unwrap().standing
}

async fn agrees(world: &World, person: SubjectId, to: &[&str]) {
    for name in to {
        world.answers(person, &[purpose(name)], ConsentStatus::Given).await;
    }
}

fn exchange() -> sayso_consent::keep::NewItem {
    json("chat_history", "history", r#"{"text":"hello","time":1}"#)
}

#[tokio::test]
async fn what_a_law_wants_kept_can_be_read_by_whoever_it_names_also_when_everything_is_to_be_erased() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    agrees(&world, person, &["memory", "history"]).await;
    assert!(world.register.save_facts(person, &facts()).await.unwrap());
    keep(&world, person, exchange()).await.unwrap();
    let hold = held(&world, person, "chat_history").await;
    assert_eq!(erase(&world, person).await, Standing::PartlyFulfilled);
    until_destroyed(&world, "memory_summary").await;
    assert_eq!(destroyed(&world).await, [Category::MEMORY_SUMMARY], "of nothing that is held");
    assert_eq!(rows(&world, "kept_part").await, 2);
    world.register.release_hold(hold.id, Actor::SYSTEM).await.unwrap();
    until_destroyed(&world, "chat_history").await;
    assert_eq!(rows(&world, "kept").await, 0);
}

#[tokio::test]
async fn what_no_hold_keeps_is_erased_with_its_keys_while_something_else_is_held() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    agrees(&world, person, &["knowledge", "history"]).await;
    keep(&world, person, exchange()).await.unwrap();
    keep(&world, person, bytes("knowledge_base", "knowledge", b"a")).await.unwrap();
    held(&world, person, "chat_history").await;
    assert_eq!(erase(&world, person).await, Standing::PartlyFulfilled);
    until_destroyed(&world, "knowledge_base").await;
    assert_eq!(destroyed(&world).await, [category("knowledge_base")]);
    assert_eq!(rows(&world, "kept").await, 1);
}

#[tokio::test]
async fn a_second_ending_leaves_no_key_of_the_first() {
    let world = World::under(lawful(XIAOZHI)).await;
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    for person in [anna, ben] {
        agrees(&world, person, &["history", "improve_voice"]).await;
    }
    keep(&world, anna, bytes("conversation_audio", "history", &[1; 64]).of(anna)).await.unwrap();
    keep(&world, anna, bytes("conversation_audio", "improve_voice", &[2; 64]).of(ben)).await.unwrap();
    let first = world.register.withdraw(anna, &[purpose("history")], Means::Voice).await.unwrap();
    assert!(world.register.withdraw(anna, &[purpose("improve_voice")], Means::Voice).await.unwrap().ok);
    let certificate = certified(&world, anna, Reference(first.id)).await;
    assert!(!certificate.shares_keys && certificate.keys.len() == 1, "{certificate:?}");
}
