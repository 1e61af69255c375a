//! A service that has a privacy policy of its own: whoever is to use it is told first, once, and that is on record.

use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, Leaf, NoticeStep};
use sayso_consent::notices::{Channel, Notice, NoticeKind, Notices, Standing, Step};
use sayso_consent::{Denied, Lease, Replay, Replayed};
use sayso_policy::{Profile, Reason, Refused};
use sayso_types::{SubjectId, TenantId};

use crate::world::{VOICE, World, ask, frame, processor, profile_text};

const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };
const HALF_A_DAY: core::time::Duration = core::time::Duration::from_secs(12 * 60 * 60);

/// The test profile at revision `rev`, with a recogniser that has its own policy at `url`.
fn with_a_policy_at(url: &str, rev: u32) -> Arc<Profile> {
    let own = format!("{{ id = \"whisper-local\", independent_controller = true, privacy_url = \"{url}\",");
    let text = profile_text().replacen("{ id = \"whisper-local\",", &own, 1);
    Arc::new(Profile::parse(&text.replacen("rev = 1", &format!("rev = {rev}"), 1)).unwrap())
}

const FIRST: &str = "https://speech.example.com/privacy";
const MOVED: &str = "https://speech.example.com/privacy/2027";

fn untold(denied: &Result<Lease, Denied>) -> bool {
    matches!(denied, Err(Denied::Policy(Reason::NotTold)))
}

/// What there is to tell `subject`.
async fn to_tell(world: &World, subject: SubjectId) -> Vec<Notice> {
    Notices::new(world.register.clone()).to_tell(subject).await.unwrap()
}

async fn hears(world: &World, subject: SubjectId, notice: &Notice) {
    Notices::new(world.register.clone()).heard(subject, notice.id).await.unwrap();
}

/// How often each is told: begun, served.
fn told(leaves: &[Leaf]) -> (usize, usize) {
    let count = |is: fn(&Event) -> bool| leaves.iter().filter(|leaf| is(&leaf.fact.event)).count();
    let whisper = |event: &Event| matches!(event, Event::NoticeServed { processor: Some(id), .. } if *id == processor("whisper-local"));
    (count(|event| matches!(event, Event::Notice { step: NoticeStep::Sent, .. })), count(whisper))
}

fn replay(leaves: &[Leaf], profile: &Arc<Profile>) -> Replayed {
    let mut replay = Replay::new(Arc::clone(profile));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    // how many refusals there were is nothing that these stories tell
    Replayed { refusals: 0, ..replay.finish() }
}

#[tokio::test]
async fn nothing_goes_to_a_service_with_a_policy_of_its_own_before_the_person_was_told() {
    let profile = with_a_policy_at(FIRST, 1);
    let world = World::under(Arc::clone(&profile)).await;
    let (anna, ben) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    assert_eq!(to_tell(&world, anna).await, [], "nobody is told of what they do not use");
    for _ in 0..3 {
        assert!(untold(&world.listen(anna).await));
    }
    let [notice] = to_tell(&world, anna).await.try_into().unwrap();
    let text = notice.texts.values().next().unwrap();
    assert_eq!(notice.kind, NoticeKind::Introduction);
    assert!(text.spoken.contains("speech.example.com") && text.written.contains(FIRST), "{text:?}");
    assert_eq!(told(&world.leaves().await), (1, 0), "it is begun once");

    let cv = world.state(anna).await.cv;
    hears(&world, anna, &notice).await;
    hears(&world, anna, &notice).await;
    assert_eq!(world.state(anna).await.cv, cv, "being told is no change of what they agreed to");
    assert_eq!(told(&world.leaves().await), (1, 1));
    let lease = world.listen(anna).await.unwrap();
    lease.permit().pass(frame(&ask(anna, cv)), drop).unwrap();
    drop(lease);
    assert!(untold(&world.listen(ben).await), "each is told");
    assert_eq!(to_tell(&world, ben).await, [notice], "of the same");

    let world = world.again_under(Arc::clone(&profile)).await;
    drop(world.listen(anna).await.unwrap());
    assert!(to_tell(&world, anna).await.is_empty() && untold(&world.listen(ben).await));
    assert_eq!(replay(&world.leaves().await, &profile), Replayed { checked: 2, ..Replayed::default() });
    world.ends_spotless_under(profile).await;
}

#[tokio::test]
async fn their_tenant_tells_whom_no_device_reaches() {
    let profile = with_a_policy_at(FIRST, 1);
    let world = World::under(Arc::clone(&profile)).await;
    let early = world.person(&[VOICE]).await;
    assert!(untold(&world.listen(early).await));
    world.clock.advance(3 * HALF_A_DAY);
    // whoever comes later has as long as whoever came first
    let anna = world.person(&[VOICE]).await;
    assert!(untold(&world.listen(anna).await));
    let notices = Notices::new(world.register.clone());
    let [notice] = to_tell(&world, anna).await.try_into().unwrap();
    let standing = async || {
        let [(_, delivery)] = notices.of(anna).await.unwrap().try_into().unwrap();
        delivery.standing(&notice)
    };
    notices.look().await.unwrap();
    assert_eq!(standing().await, Standing::Waiting(Channel::Device));
    world.clock.advance(HALF_A_DAY);
    notices.look().await.unwrap();
    assert_eq!(standing().await, Standing::Waiting(Channel::Tenant));
    let acme: TenantId = "acme".parse().unwrap();
    let mut outbox = notices.outbox(acme).await.unwrap();
    while outbox.next().await.unwrap().unwrap().subject != anna {}

    notices.step(anna, notice.id, Step::Failed(Channel::Tenant), INTEGRATOR).await.unwrap();
    assert!(untold(&world.listen(anna).await), "who could not be reached was not told");
    notices.step(early, notice.id, Step::Delivered(Channel::Tenant), INTEGRATOR).await.unwrap();
    drop(world.listen(early).await.unwrap());
    let served = world.leaves().await.into_iter().find(|leaf| matches!(leaf.fact.event, Event::NoticeServed { .. }));
    assert_eq!(served.unwrap().fact.actor.kind, ActorKind::Tenant, "who says so is on record");
    world.ends_spotless_under(profile).await;
}

#[tokio::test]
async fn what_is_told_anew_stops_what_runs_until_it_was_told() {
    let world = World::under(with_a_policy_at(FIRST, 1)).await;
    let anna = world.person(&[VOICE]).await;
    assert!(untold(&world.listen(anna).await));
    hears(&world, anna, &to_tell(&world, anna).await[0]).await;
    let (cv, lease) = (world.state(anna).await.cv, world.listen(anna).await.unwrap());

    let moved = with_a_policy_at(MOVED, 2);
    world.register.publish(Arc::clone(&moved)).await.unwrap();
    lease.revoked().await;
    assert_eq!(lease.permit().pass(frame(&ask(anna, cv)), drop), Err(Refused::Revoked));
    drop(lease);
    assert!(untold(&world.listen(anna).await));
    let [notice] = to_tell(&world, anna).await.try_into().unwrap();
    assert!(notice.texts.values().all(|text| text.written.contains(MOVED)));
    hears(&world, anna, &notice).await;
    drop(world.listen(anna).await.unwrap());
    let told = world.state(anna).await.told;
    assert_eq!(told.len(), 2, "the earlier revision may still govern somebody");
    let leaves = world.leaves().await;
    for (profile, checked) in [(with_a_policy_at(FIRST, 1), 1), (moved, 1)] {
        let others = 2 - checked;
        assert_eq!(replay(&leaves, &profile), Replayed { checked, others, ..Replayed::default() });
    }
}

#[tokio::test]
async fn an_auditor_finds_what_went_to_a_service_that_nobody_told_of() {
    let profile = with_a_policy_at(FIRST, 1);
    let world = World::under(Arc::clone(&profile)).await;
    let anna = world.person(&[VOICE]).await;
    assert!(untold(&world.listen(anna).await));
    hears(&world, anna, &to_tell(&world, anna).await[0]).await;
    drop(world.listen(anna).await.unwrap());
    let leaves = world.again_under(Arc::clone(&profile)).await.leaves().await;
    assert_eq!(replay(&leaves, &profile), Replayed { checked: 1, ..Replayed::default() });

    let is_served = |leaf: &Leaf| matches!(leaf.fact.event, Event::NoticeServed { processor: Some(_), .. });
    let is_opened = |leaf: &Leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. });
    let without: Vec<_> = leaves.iter().filter(|leaf| !is_served(leaf)).cloned().collect();
    let at = without.iter().position(is_opened).unwrap();
    assert_eq!(replay(&without, &profile).denied, [at as u64]);
    // of something else, or of what was told before it changed
    let mut other = leaves.clone();
    let served = other.iter_mut().find(|leaf| is_served(leaf)).unwrap();
    if let Event::NoticeServed { text, .. } = &mut served.fact.event {
        text.0[0] ^= 1;
    }
    let at = other.iter().position(is_opened).unwrap();
    assert_eq!(replay(&other, &profile).denied, [at as u64]);
    // and told too late
    let mut late = leaves;
    let (served, opened) = (late.iter().position(is_served).unwrap(), late.iter().position(is_opened).unwrap());
    late.swap(served, opened);
    assert_eq!(replay(&late, &profile).denied, [served as u64]);
}
