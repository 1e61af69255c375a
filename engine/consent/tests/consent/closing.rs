//! What becomes of what rests on a contract once somebody has closed their account.

use std::sync::Arc;

use sayso_audit::{Event, Leaf};
use sayso_consent::rights::Desk;
use sayso_consent::{Ask, Denied, Replay};
use sayso_policy::profile::RightKind;
use sayso_policy::{Gate, Profile, Reason};
use sayso_types::{ConsentVersion, ProcessorKind, SubjectId};

use crate::answering::accepted;
use crate::keeping::{XIAOZHI, category, certified, lawful};
use crate::world::{World, ask, processor};

/// The account's data, to go where it is stored.
fn stored(subject: SubjectId) -> Ask {
    let (purpose, category) = ("provide_service".parse().unwrap(), category("account"));
    let (gate, processor) = (Gate::of(ProcessorKind::Database), processor("store-local"));
    Ask { purpose, category, gate, processor, ..ask(subject, ConsentVersion(0)) }
}

/// How many segments an auditor with the policy has looked at, and which were not allowed.
fn replayed(leaves: &[Leaf], profile: &Arc<Profile>) -> (u64, Vec<u64>) {
    let mut replay = Replay::new(Arc::clone(profile));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    let found = replay.finish();
    (found.checked, found.denied)
}

#[tokio::test]
async fn what_rests_on_a_contract_ends_with_the_account_and_an_auditor_sees_what_does_not() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    drop(world.register.acquire(stored(person)).await.unwrap());

    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, person, RightKind::Cancel).await;
    certified(&world, person, case).await;
    let denied = world.register.acquire(stored(person)).await.map(drop);
    assert!(matches!(denied, Err(Denied::Policy(Reason::AccountClosed))), "{denied:?}");

    let (mut leaves, profile) = (world.leaves().await, world.register.profile());
    assert_eq!(replayed(&leaves, &profile), (1, vec![]));
    let late = leaves.len() as u64;
    let opened = leaves.iter().find(|leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. })).unwrap().clone();
    leaves.push(opened);
    assert_eq!(replayed(&leaves, &profile), (2, vec![late]));
}
