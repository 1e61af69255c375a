//! What passed outside of the node and nobody counted: it may be anything, and is nowhere taken for nothing.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, Leaf, Reference};
use sayso_consent::incidents::{Deed, IncidentDesk, Scope};
use sayso_consent::rights::Desk;
use sayso_consent::{Ask, Borrower, Loan, Means, Options};
use sayso_policy::profile::RightKind;
use sayso_policy::{Gate, Passed, Profile};
use sayso_proto::consent::v1::HolderState;
use sayso_types::{Category, SubjectId};

use crate::answering::accepted;
use crate::erasing::profile_with_a_receiver_who;
use crate::incidents::{everything, report};
use crate::world::*;

const SERVICE: Actor = Actor { kind: ActorKind::Tenant, tag: None };
const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };

fn options() -> Options {
    Options { deletes: [processor("cloud")].into(), ..Options::default() }
}

fn with_a_receiver() -> Arc<Profile> {
    Arc::new(profile_with_a_receiver_who(2, ", deletion_api = true"))
}

/// A node with a receiver that can be told to delete.
async fn setting() -> World {
    let world = World::with(options()).await;
    world.register.publish(with_a_receiver()).await.unwrap();
    world
}

/// Somebody of whom something is remembered, and a service that may hand it to the receiver.
async fn lent(world: &World) -> (SubjectId, Loan) {
    let person = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(person, &[("word".to_owned(), "yes".to_owned())]).await.unwrap());
    let asked = ask(person, world.state(person).await.cv);
    let (category, processor) = (Category::MEMORY_SUMMARY, processor("cloud"));
    let asked = Ask { purpose: MEMORY, category, gate: Gate::Dialogue, processor, ..asked };
    (person, world.register.lend(asked, Borrower { actor: SERVICE, ends_by_itself: false }).await.unwrap())
}

/// Whose data it was that went to the receiver.
async fn affected(world: &World) -> BTreeSet<SubjectId> {
    let desk = IncidentDesk::open(world.register.clone());
    let incident = desk.report(report(None), OPERATOR).await.unwrap();
    let scope = Scope { processors: [processor("cloud")].into(), ..everything(world) };
    let assessed = desk.step(incident.id, Deed::Assess(scope), OPERATOR).await.unwrap();
    desk.affected(&assessed).await.unwrap().people.into_iter().map(|person| person.subject).collect()
}

/// How often something of the person's went to the receiver, how much of it somebody counted, and how often nobody did.
async fn received(world: &World, person: SubjectId) -> Vec<(u64, u64, u64)> {
    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, person, RightKind::Copy).await;
    let copy = desk.copy(person, case, SERVICE).await.unwrap();
    let to_it = copy.received.iter().filter(|received| received.processor == processor("cloud"));
    to_it.map(|received| (received.segments, received.bytes, received.uncounted)).collect()
}

/// What the receiver is told to delete when the person asks to be erased.
async fn told_to_delete(world: &World, person: SubjectId) -> Vec<Reference> {
    let desk = Desk::open(world.register.clone());
    accepted(&desk, person, RightKind::Erase).await;
    let due = async {
        loop {
            let due = world.register.due_deletions(&BTreeSet::new()).await.unwrap();
            if let Some(order) = due.into_iter().find(|order| order.subject == person) {
                return order.segments;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), due).await.expect("the receiver is told")
}

#[tokio::test]
async fn what_nobody_counted_may_be_anything() {
    let world = setting().await;
    let ((anna, of_anna), (ben, of_ben)) = (lent(&world).await, lent(&world).await);
    let (of_anna_id, of_ben_id) = (Reference(of_anna.id()), Reference(of_ben.id()));
    of_anna.let_go(None).await.unwrap();
    of_ben.let_go(Some(Passed::default())).await.unwrap();
    let closed: Vec<_> = world.leaves().await.iter().filter_map(closed).collect();
    assert_eq!(closed, [(of_anna_id, "uncounted".to_owned()), (of_ben_id, "done".to_owned())]);
    assert_eq!(affected(&world).await, [anna].into(), "of ben nothing passed");
    assert_eq!((received(&world, anna).await, received(&world, ben).await), (vec![(1, 0, 1)], vec![]));
    assert_eq!(told_to_delete(&world, anna).await, [of_anna_id]);
    let report = world.ends_spotless_under(with_a_receiver()).await;
    assert_eq!(report.uncounted, 1);
}

#[tokio::test]
async fn what_is_under_way_or_was_when_the_node_ended_may_be_anything() {
    let world = setting().await;
    let (anna, loan) = lent(&world).await;
    assert_eq!((affected(&world).await, received(&world, anna).await), ([anna].into(), vec![(1, 0, 1)]));
    let id = Reference(loan.id());
    drop(loan);
    let world = world.restarted(with_a_receiver(), options()).await;
    assert_eq!((affected(&world).await, received(&world, anna).await), ([anna].into(), vec![(1, 0, 1)]));
    // nobody is left to say what passed
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.register.fence(processor("cloud"), None, OPERATOR).await.unwrap().ended, 1);
    assert_eq!((affected(&world).await, received(&world, anna).await), ([anna].into(), vec![(1, 0, 1)]));
    assert_eq!(told_to_delete(&world, anna).await, [id]);
}

#[tokio::test]
async fn a_withdrawal_says_what_nobody_counted() {
    let world = setting().await;
    let (anna, loan) = lent(&world).await;
    let holder = async {
        loan.revocation().cancelled().await;
        loan.let_go(None).await.unwrap();
    };
    let (withdrawn, ()) = tokio::join!(world.register.withdraw(anna, &[], Means::Voice), holder);
    let withdrawn = withdrawn.unwrap();
    let [outcome] = withdrawn.holders.as_slice() else { panic!("one holder") };
    assert_eq!((withdrawn.ok, outcome.state(), outcome.uncounted), (true, HolderState::Acknowledged, true));
    let written = world.register.withdrawals(anna).await.unwrap();
    assert!(written[0].holders[0].uncounted, "and so it is kept");
}

/// The segment that a leaf closes, and why.
fn closed(leaf: &Leaf) -> Option<(Reference, String)> {
    match &leaf.fact.event {
        Event::SegmentClosed { segment, reason, .. } => Some((*segment, reason.to_string())),
        _ => None,
    }
}
