//! What is remembered is stored by a decision, which is on record; what is dropped, or put right, needs none.

use sayso_audit::{Actor, ActorKind};
use sayso_consent::rights::Desk;
use sayso_consent::switch::{Position, Target, Throw};
use sayso_policy::profile::RightKind;
use sayso_types::{Category, Name, SubjectId};

use crate::answering::{accepted, until_answered};
use crate::world::*;

const BY: Actor = Actor { kind: ActorKind::Operator, tag: None };

fn told(words: &[(&str, &str)]) -> Vec<(String, String)> {
    words.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn turn(world: &World, to: Position) {
    let target = Target::Category(Category::MEMORY_SUMMARY);
    world.register.throw(Throw { target, to, reason: Name::constant("leak"), incident: None }, BY).await.unwrap();
}

async fn saves(world: &World, person: SubjectId, words: &[(&str, &str)]) -> bool {
    world.register.save_facts(person, &told(words)).await.unwrap()
}

/// How often it went on record that something was stored.
async fn written(world: &World) -> usize {
    world.told_since(0).await.into_iter().filter(|name| *name == "store.written").count()
}

#[tokio::test]
async fn while_nothing_may_be_stored_nothing_is_added_and_what_is_dropped_goes() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    assert!(saves(&world, person, &[("cat", "Mia"), ("dog", "Rex")]).await);
    assert!(saves(&world, person, &[("cat", "Mia"), ("dog", "Rex")]).await, "which is nothing new");
    assert_eq!(written(&world).await, 1);

    turn(&world, Position::Off).await;
    assert!(!saves(&world, person, &[("cat", "Mia"), ("bird", "Kiwi")]).await);
    assert_eq!(world.register.facts(person).await.unwrap(), told(&[("cat", "Mia")]), "the dog is forgotten");
    assert!(saves(&world, person, &[]).await);
    assert_eq!((world.register.facts(person).await.unwrap(), written(&world).await), (Vec::new(), 1));

    turn(&world, Position::On).await;
    assert!(saves(&world, person, &[("bird", "Kiwi")]).await);
    assert_eq!(written(&world).await, 2);
    world.until_told(|event| event.name() == "gate.denied").await;
    world.ends_spotless().await;
}

#[tokio::test]
async fn what_is_wrong_is_put_right_while_its_use_is_restricted_and_nothing_is_added() {
    let world = World::new().await;
    let desk = Desk::open(world.register.clone());
    let person = world.person(&[VOICE, MEMORY]).await;
    assert!(saves(&world, person, &[("cat", "Mia")]).await);
    let case = accepted(&desk, person, RightKind::Restrict).await;
    until_answered(&world, case).await;

    let case = accepted(&desk, person, RightKind::Rectify).await;
    desk.correct(person, case, &told(&[("cat", "Mimi")]), BY).await.unwrap();
    let case = accepted(&desk, person, RightKind::Supplement).await;
    let added = desk.correct(person, case, &told(&[("dog", "Rex")]), BY).await.unwrap_err();
    assert!(added.to_string().contains("restricted"), "{added}");
    assert_eq!(written(&world).await, 1, "what was put right is told of as that");
    world.ends_spotless().await;
}
