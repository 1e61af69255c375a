//! What goes to a processor is watched: what would be more than the policy declares does not leave, and that is on record.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Event, Leaf};
use sayso_consent::volume::VolumeTo;
use sayso_consent::{Denied, Lease, Replay};
use sayso_policy::{Passed, Profile, Refused};
use sayso_types::{Category, SubjectId};

use crate::faults::Fault;
use crate::world::{FRAME, VOICE, World, ask, frame, processor, profile_text};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The profile to test with, whose recogniser is to have two frames in a call and five in a day.
fn profile_that_declares() -> Arc<Profile> {
    let volume = format!("volume = {{ voice_audio = {{ per_call = {}, per_day = {} }} }}", 2 * FRAME, 5 * FRAME);
    let here = "{ id = \"whisper-local\",";
    Arc::new(Profile::parse(&profile_text().replacen(here, &format!("{here} {volume},"), 1)).unwrap())
}

/// A node under it, in the midst of a day.
async fn setting() -> (World, Arc<Profile>) {
    let profile = profile_that_declares();
    let world = World::under(Arc::clone(&profile)).await;
    world.clock.advance(HOUR);
    (world, profile)
}

fn of(world: &World) -> VolumeTo {
    let all = world.register.volumes();
    let here = |to: &&VolumeTo| (to.processor, to.category) == (processor("whisper-local"), Category::VOICE_AUDIO);
    *all.iter().find(here).unwrap()
}

async fn pass(world: &World, person: SubjectId, lease: &Lease) -> Result<(), Refused> {
    let cv = world.state(person).await.cv;
    lease.permit().pass(frame(&ask(person, cv)), drop)
}

/// A call by which so many frames go.
async fn say(world: &World, person: SubjectId, frames: usize) {
    let lease = world.listen(person).await.unwrap();
    for _ in 0..frames {
        assert_eq!(pass(world, person, &lease).await, Ok(()));
    }
}

async fn is_too_much(world: &World, person: SubjectId) -> bool {
    match world.listen(person).await {
        Ok(_) => false,
        Err(Denied::TooMuch { processor: to }) => to == processor("whisper-local"),
        Err(other) => panic!("neither: {other:?}"),
    }
}

fn is_alarm(event: &Event) -> bool {
    matches!(event, Event::GateDenied { reason, .. } if reason.as_str() == "too_much")
}

fn denied(leaves: &[Leaf], profile: &Arc<Profile>) -> Vec<u64> {
    let mut replay = Replay::new(Arc::clone(profile));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    replay.finish().denied
}

/// Has the segment that was closed as the `nth` say that `bytes` went; which leaf that is.
fn forge(leaves: &mut [Leaf], nth: usize, bytes: u64) -> usize {
    let closed = |leaf: &&mut Leaf| matches!(leaf.fact.event, Event::SegmentClosed { .. });
    let leaf = leaves.iter_mut().filter(closed).nth(nth).unwrap();
    if let Event::SegmentClosed { bytes: said, .. } = &mut leaf.fact.event {
        *said = bytes;
    }
    leaves.iter().enumerate().filter(|(_, leaf)| leaf.fact.event.name() == "egress.segment_closed").nth(nth).unwrap().0
}

#[tokio::test]
async fn what_would_be_more_than_the_policy_declares_never_leaves_and_is_on_record() {
    let (world, profile) = setting().await;
    let anna = world.person(&[VOICE]).await;
    let over = world.register.over_volume();
    let lease = world.listen(anna).await.unwrap();
    for _ in 0..2 {
        assert_eq!(pass(&world, anna, &lease).await, Ok(()));
    }
    assert_eq!(pass(&world, anna, &lease).await, Err(Refused::TooMuch));
    assert_eq!(lease.permit().guard(|| ()), Err(Refused::TooMuch), "the call is over");
    assert!(!*over.borrow());
    drop(lease);
    assert!(*over.borrow(), "the operator is told");
    let told = of(&world);
    assert_eq!((told.went.calls, told.went.bytes, told.went.over, told.went.malformed), (1, 2 * FRAME, 1, 0));
    assert_eq!((told.most.per_call, told.most.per_day), (Some(2 * FRAME), Some(5 * FRAME)));
    assert_eq!(told.left, Some(3 * FRAME));

    // the day is everybody's, and what running calls may have is set aside
    let ben = world.person(&[VOICE]).await;
    let lease = world.listen(ben).await.unwrap();
    assert!(is_too_much(&world, anna).await, "a frame is left, and a call may have two");
    assert_eq!(pass(&world, ben, &lease).await, Ok(()));
    drop(lease);
    say(&world, anna, 2).await;
    assert!(is_too_much(&world, ben).await);
    assert_eq!((of(&world).went.bytes, of(&world).left), (5 * FRAME, Some(0)));

    let world = world.again_under(Arc::clone(&profile)).await;
    assert!(is_too_much(&world, ben).await, "a node that is started again does not have the day again");
    assert!(*world.register.over_volume().borrow(), "and the alarm is the same");
    world.clock.advance(24 * HOUR);
    say(&world, ben, 1).await;
    assert!(!*world.register.over_volume().borrow(), "a day begins");
    assert_eq!(of(&world).went.bytes, FRAME);

    let world = world.again_under(Arc::clone(&profile)).await;
    let leaves = world.leaves().await;
    assert_eq!(leaves.iter().filter(|leaf| is_alarm(&leaf.fact.event)).count(), 4);
    assert_eq!(denied(&leaves, &profile), [0; 0]);
    let mut forged = leaves.clone();
    let too_long = forge(&mut forged, 1, 2 * FRAME + 1);
    assert!(denied(&forged, &profile).contains(&(too_long as u64)), "an auditor sees a call that had too much");
    let mut forged = leaves.clone();
    forge(&mut forged, 1, 2 * FRAME);
    let opened = |leaf: &(usize, &Leaf)| leaf.1.fact.event.name() == "egress.segment_opened";
    let third = leaves.iter().enumerate().filter(opened).nth(2).unwrap().0;
    assert_eq!(denied(&forged, &profile), [third as u64], "and one for which too little was left of the day");
    world.ends_spotless_under(profile).await;
}

#[tokio::test]
async fn a_node_that_is_cut_off_in_mid_call_counts_the_call_as_gone() {
    let (world, profile) = setting().await;
    let anna = world.person(&[VOICE]).await;
    say(&world, anna, 2).await;
    let lease = world.listen(anna).await.unwrap();
    assert_eq!(pass(&world, anna, &lease).await, Ok(()));
    let register = world.reopened_under(profile).await.unwrap();
    let left = register.volumes().into_iter().find_map(|to| to.left).unwrap();
    assert!(left <= FRAME, "of its two frames nobody knows how many went: {left}");
    let again = register.acquire(ask(anna, register.state(anna).await.unwrap().cv)).await;
    assert!(matches!(again, Err(Denied::TooMuch { .. })), "{again:?}");
}

#[tokio::test]
async fn without_a_place_in_the_store_nothing_is_set_aside() {
    let (world, _) = setting().await;
    let anna = world.person(&[VOICE]).await;
    world.store.fail(Fault::Full);
    assert!(matches!(world.listen(anna).await, Err(Denied::Register(_))));
    world.store.fail(Fault::None);
    assert_eq!((of(&world).left, of(&world).went.calls), (Some(5 * FRAME), 0), "it is given back");
    say(&world, anna, 2).await;
}

#[tokio::test]
async fn what_is_no_answer_is_counted_and_so_is_what_a_service_outside_says_that_it_sent() {
    let (world, profile) = setting().await;
    let anna = world.person(&[VOICE]).await;
    world.listen(anna).await.unwrap().finish("malformed");
    assert_eq!((of(&world).went.malformed, of(&world).left), (1, Some(5 * FRAME)));

    let loan = world.lend(anna).await.unwrap();
    assert_eq!(of(&world).left, Some(3 * FRAME));
    loan.let_go(Some(Passed { bytes: 3 * FRAME, pieces: 1, hash: [0; 32] })).await.unwrap();
    assert_eq!((of(&world).went.bytes, of(&world).went.over, of(&world).left), (3 * FRAME, 1, Some(2 * FRAME)));
    assert!(*world.register.over_volume().borrow());
    world.until_told(is_alarm).await;
    let leaves = world.leaves().await;
    let closed = leaves.iter().rposition(|leaf| leaf.fact.event.name() == "egress.segment_closed").unwrap();
    assert_eq!(denied(&leaves, &profile), [closed as u64], "it had what it was not to have");
}

#[tokio::test]
async fn where_nothing_is_declared_it_is_only_counted() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    say(&world, anna, 40).await;
    let told = of(&world);
    assert_eq!((told.went.calls, told.went.bytes, told.left), (1, 40 * FRAME, None));
}
