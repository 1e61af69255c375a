//! What relatives of somebody who has died may have, unless the person had said otherwise.

use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, RequestStep};
use sayso_consent::rights::{Desk, Error, NotNow, Particulars, Relative, Standing, Step};
use sayso_policy::Profile;
use sayso_policy::profile::RightKind;
use sayso_types::SubjectId;

use crate::revising::revised;
use crate::world::{MEMORY, VERIFIED, VOICE, World};

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };
const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };
const DAUGHTER: Relative = Relative { kinship_sha256: [7; 32], death_sha256: [8; 32] };

/// What she asks.
fn daughter() -> Particulars {
    Particulars { relative: Some(DAUGHTER), ..Particulars::default() }
}

/// The test profile gives relatives what the law gives them, in ten days.
fn profile() -> Arc<Profile> {
    let offer =
        "[rights.offers.deceased_relatives]\nchannel = [\"console\"]\nwithin = \"P10D\"\n[rights.offers.copy]\n";
    revised(2, &[("[rights.offers.copy]\n", offer)])
}

async fn world() -> World {
    let world = World::new().await;
    world.register.publish(profile()).await.unwrap();
    world
}

/// Somebody who had something remembered.
async fn somebody(world: &World) -> SubjectId {
    let person = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(person, &[("name".into(), "Anna".into())]).await.unwrap());
    person
}

#[tokio::test]
async fn nothing_is_handed_out_before_the_relative_is_verified() {
    let world = world().await;
    let (anna, desk) = (somebody(&world).await, Desk::open(world.register.clone()));
    let case = desk.receive_with(anna, RightKind::Copy, daughter(), OPERATOR).await.unwrap();
    let due = case.due.clone().unwrap();
    assert_eq!(
        (due.at.0 - case.clocks.received.0, due.by.as_str()),
        (10 * 24 * 60 * 60 * 1_000, "rights.offers.deceased_relatives.within")
    );
    for step in [None, Some(VERIFIED)] {
        if let Some(step) = step {
            desk.step(anna, case.id, step, OPERATOR).await.unwrap();
        }
        let early = desk.copy(anna, case.id, OPERATOR).await;
        assert!(matches!(early, Err(Error::NotNow(NotNow::NotAccepted))), "{early:?}");
    }
    desk.step(anna, case.id, Step::Accept, OPERATOR).await.unwrap();
    let copy = desk.copy(anna, case.id, INTEGRATOR).await.unwrap();
    assert_eq!(copy.remembered, [("name".to_owned(), "Anna".to_owned())]);
    assert_eq!(desk.of(anna).await.unwrap()[0].relative, Some(DAUGHTER), "a restart reads what was shown");
    let leaves = world.leaves().await;
    let told: Vec<_> = leaves
        .iter()
        .filter_map(|leaf| match leaf.fact.event {
            Event::Request { step, detail, .. } => Some((step, detail.to_string())),
            _ => None,
        })
        .collect();
    let expected = [
        (RequestStep::Received, "deceased_relatives"),
        (RequestStep::IdentityVerified, "in_person"),
        (RequestStep::Accepted, "copy"),
    ];
    assert_eq!(told, expected.map(|(step, detail)| (step, detail.to_owned())));
}

#[tokio::test]
async fn a_relative_may_have_it_erased_and_may_ask_for_nothing_else() {
    let world = world().await;
    let (anna, desk) = (somebody(&world).await, Desk::open(world.register.clone()));
    let size = world.size().await;
    for kind in [RightKind::Port, RightKind::Withdraw, RightKind::Cancel, RightKind::DeceasedRelatives] {
        let refused = desk.receive_with(anna, kind, daughter(), OPERATOR).await;
        assert!(matches!(refused, Err(Error::NotForRelatives)), "{refused:?}");
    }
    assert_eq!(world.size().await, size);
    let case = desk.receive_with(anna, RightKind::Erase, daughter(), OPERATOR).await.unwrap();
    for step in [VERIFIED, Step::Accept] {
        desk.step(anna, case.id, step, OPERATOR).await.unwrap();
    }
    world.register.until_certified(anna, case.id).await.unwrap();
    assert_eq!(world.register.facts(anna).await.unwrap(), []);
}

#[tokio::test]
async fn whoever_said_otherwise_is_listened_to_also_after_a_restart_until_they_take_that_back() {
    let world = world().await;
    let (anna, desk) = (somebody(&world).await, Desk::open(world.register.clone()));
    let said = desk.receive(anna, RightKind::DeceasedRelatives, OPERATOR).await.unwrap();
    desk.step(anna, said.id, VERIFIED, OPERATOR).await.unwrap();
    let accepted = desk.step(anna, said.id, Step::Accept, OPERATOR).await.unwrap();
    assert_eq!(accepted.standing, Standing::Fulfilled);
    drop(desk);

    let world = world.again_under(profile()).await;
    let (desk, size) = (Desk::open(world.register.clone()), world.size().await);
    for kind in [RightKind::Access, RightKind::Copy, RightKind::Rectify, RightKind::Erase] {
        let refused = desk.receive_with(anna, kind, daughter(), OPERATOR).await;
        assert!(matches!(refused, Err(Error::SaidOtherwise)), "{refused:?}");
    }
    assert_eq!(world.size().await, size, "what is refused leaves no trace");
    desk.lift(anna, said.id, OPERATOR).await.unwrap();
    assert!(matches!(desk.lift(anna, said.id, OPERATOR).await, Err(Error::NotRestricted)));
    desk.receive_with(anna, RightKind::Access, daughter(), OPERATOR).await.unwrap();
}

#[tokio::test]
async fn a_policy_that_does_not_offer_it_gives_relatives_nothing() {
    let world = World::new().await;
    let (anna, desk) = (somebody(&world).await, Desk::open(world.register.clone()));
    let refused = desk.receive_with(anna, RightKind::Copy, daughter(), OPERATOR).await;
    assert!(matches!(refused, Err(Error::NotOffered)), "{refused:?}");
}
