//! Callers who leave: what they began is finished, and whoever has to know of it is told.

use core::time::Duration;
use std::sync::atomic::Ordering::SeqCst;

use sayso_audit::{Actor, ActorKind, Signer};
use sayso_consent::rights::Desk;
use sayso_consent::rights::bundle::{Brought, Bundle, COPY};
use sayso_consent::rights::copy::FORMAT;
use sayso_policy::ConsentState;
use sayso_policy::profile::RightKind;
use sayso_types::SubjectId;
use tokio::sync::broadcast::Receiver;

use crate::answering::accepted;
use crate::noticing::draft;
use crate::world::*;

const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };

/// Makes `call`, and leaves as soon as it has something written that is not there yet.
async fn leave<T>(world: &World, call: impl Future<Output = T>) {
    let (stalled, came) = (world.store.stall.write().await, world.store.came.load(SeqCst));
    tokio::select! {
        biased;
        _ = call => panic!("nothing can be written"),
        () = until(|| world.store.came.load(SeqCst) > came) => {}
    }
    drop(stalled);
}

/// Waits until those who listen are told that something of the person has changed.
async fn until_told_of(person: SubjectId, mut changes: Receiver<(SubjectId, ConsentState)>) {
    let told = async { while changes.recv().await.unwrap().0 != person {} };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("sessions are told");
}

fn facts(value: &str) -> Vec<(String, String)> {
    vec![("name".into(), value.into())]
}

#[tokio::test]
async fn what_is_put_right_reaches_who_uses_it_also_when_the_caller_has_left() {
    let world = World::new().await;
    let (desk, person) = (Desk::open(world.register.clone()), world.person(&[VOICE, MEMORY]).await);
    assert!(world.register.save_facts(person, &facts("Carl")).await.unwrap());
    let case = accepted(&desk, person, RightKind::Rectify).await;
    let changes = world.register.changes();
    leave(&world, desk.correct(person, case, &facts("Anna"), INTEGRATOR)).await;
    until_told_of(person, changes).await;
    assert_eq!(world.register.facts(person).await.unwrap(), facts("Anna"));
}

#[tokio::test]
async fn what_is_lifted_is_used_again_also_when_the_caller_has_left() {
    let world = World::new().await;
    let (desk, person) = (Desk::open(world.register.clone()), world.person(&[VOICE, MEMORY]).await);
    assert!(world.register.save_facts(person, &facts("Anna")).await.unwrap());
    let case = accepted(&desk, person, RightKind::Restrict).await;
    assert!(world.register.facts(person).await.unwrap().is_empty());
    let changes = world.register.changes();
    leave(&world, desk.lift(person, case, INTEGRATOR)).await;
    until_told_of(person, changes).await;
    assert_eq!(world.register.facts(person).await.unwrap(), facts("Anna"));
}

#[tokio::test]
async fn what_somebody_brings_is_known_to_their_session_also_when_the_caller_has_left() {
    let world = World::new().await;
    let (desk, person) = (Desk::open(world.register.clone()), world.person(&[VOICE, MEMORY]).await);
    let copy = serde_json::json!({ "format": FORMAT, "remembered": facts("Anna"), "consents": [] }).to_string();
    let signer = Signer::new("home.example/sayso", &[7; 32]).unwrap();
    let bundle = Bundle::sign([(COPY.to_owned(), copy.into_bytes())].into(), &signer);
    let brought = Brought::read(&bundle.manifest, &bundle.files[COPY], signer.verifier()).unwrap();
    let changes = world.register.changes();
    leave(&world, Box::pin(desk.import(person, brought))).await;
    until_told_of(person, changes).await;
    assert_eq!(world.register.facts(person).await.unwrap(), facts("Anna"));
}

#[tokio::test]
async fn an_end_that_people_are_told_of_is_announced_also_when_the_caller_has_left() {
    let world = World::new().await;
    leave(&world, world.register.announce_shutdown(draft(&world))).await;
    let announced = async {
        while world.register.shutdown().await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), announced).await.expect("it is announced");
}
