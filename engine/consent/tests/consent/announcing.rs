//! People are told of a revision before it holds, and it holds when they were promised.

use core::slice;
use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Event, Hash, Leaf, NoticeStep, Reference};
use sayso_consent::notices::{self, NoticeKind, Notices, Refused};
use sayso_consent::{Error, Options, Register};
use sayso_policy::{Profile, RevisionError};
use sayso_runtime::Tasks;
use sayso_vault::testing::vault;

use crate::governing::governed;
use crate::revising::revised;
use crate::world::{MEMORY, VOICE, World, profile, until};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// More than ending takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the policy in force promises: a week.
const PROMISED: (&str, &str) = ("[controller]", "[notify.material_change]\nwithin = \"P7D\"\n\n[controller]");

/// Revision `rev` of the policy, which keeps memories for longer and holds from `day` of January 2026 on.
fn longer(rev: u32, day: u32) -> Arc<Profile> {
    let from = format!("2026-01-{day:02}T00:00:00Z");
    let changes = [
        PROMISED,
        ("action = \"erase\"\nafter = \"PT0S\"", "action = \"erase\"\nafter = \"P30D\""),
        ("2026-01-01T00:00:00Z", &from),
    ];
    revised(rev, &changes)
}

/// A node whose policy promises people a week.
async fn promising() -> World {
    let world = World::new().await;
    world.register.publish(revised(2, &[PROMISED])).await.unwrap();
    world
}

/// The register as a node finds it whose file says `profile`.
async fn reopened(world: &World, profile: Arc<Profile>, tasks: &Tasks) -> Result<Arc<Register>, Error> {
    let vault = vault(world.local.clone()).await.unwrap();
    let clock = Arc::new(world.clock.clone());
    Register::open(world.store.clone(), vault, profile, clock, tasks.clone(), Options::default()).await
}

#[tokio::test]
async fn a_revision_is_announced_and_comes_into_force_at_its_time() {
    let world = promising().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    let next = longer(3, 9);
    let early = world.register.publish(next.clone()).await;
    assert!(matches!(early, Err(Error::Revision(RevisionError::NotYet { rev: 3, .. }))), "{early:?}");
    let notice = world.register.announce(next.clone()).await.unwrap().unwrap();
    assert_eq!((notice.kind, world.register.profile().rev()), (NoticeKind::Revision, 2));
    assert_eq!(world.register.announce(next.clone()).await.unwrap(), None, "people are told once");
    let notices = Notices::new(world.register.clone());
    notices.look().await.unwrap();
    assert_eq!(notices.to_tell(anna).await.unwrap(), slice::from_ref(&notice));
    let hash = Hash(next.hash().0);
    let published = Event::PolicyPublished { profile: hash, notice: Some(Reference(notice.id.0)) };
    world.until_told(|event| *event == published).await;

    world.clock.advance(7 * DAY);
    assert_eq!(world.register.profile().rev(), 2);
    world.clock.advance(DAY);
    world.until_told(|event| *event == Event::PolicyEffective { profile: hash }).await;
    until(|| world.register.profile().rev() == 3).await;
    assert_eq!(world.register.revisions().asks(&world.state(anna).await), [MEMORY], "she is asked, as ever");
}

/// Where people were told of a revision, and it came into force, as an auditor sees it who has the profiles.
#[tokio::test]
async fn people_who_were_told_late_or_not_at_all_are_found_though_the_log_keeps_it_quiet() {
    let (first, second, third) = (Arc::new(profile()), revised(2, &[PROMISED]), longer(3, 9));
    let world = promising().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    let notice = world.register.announce(third.clone()).await.unwrap().unwrap();
    let notices = Notices::new(world.register.clone());
    notices.look().await.unwrap();
    let late_for_it = world.person(&[VOICE]).await;
    world.clock.advance(8 * DAY);
    world.until_told(|event| matches!(event, Event::Notice { step: NoticeStep::Failed, .. })).await;
    until(|| world.register.profile().rev() == 3).await;
    world.clock.advance(DAY);
    notices.heard(anna, notice.id).await.unwrap();
    assert!(notices.of(late_for_it).await.unwrap().is_empty(), "who came later is told by the question");
    drop(notices);
    let leaves = world.again_under(third.clone()).await.leaves().await;

    let all = [&first, &second, &third];
    let found = |leaves: &[Leaf], profiles: &[&Arc<Profile>]| {
        let late = governed(leaves, profiles).late_notices.into_iter();
        late.map(|leaf| leaves[leaf as usize].fact.event.name()).collect::<Vec<_>>()
    };
    assert_eq!(found(&leaves, &all), [""; 0], "that she was not reached in time is on record");
    let at = |name: &str| leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap();
    let without = |name: &str| {
        let kept = leaves.iter().filter(|leaf| leaf.fact.event.name() != name);
        kept.cloned().collect::<Vec<_>>()
    };
    assert_eq!(found(&without("notice.failed"), &all), ["notice.delivered"]);
    assert_eq!(found(&without("notice.sent"), &all), ["policy.effective"]);
    assert_eq!(found(&without("policy.published"), &all), ["policy.effective"]);
    let mut late = leaves.clone();
    late[at("policy.published")].place.wall.0 += u64::try_from((2 * DAY).as_millis()).unwrap();
    assert_eq!(found(&late, &all), ["policy.effective"], "six days ahead");
    assert_eq!(found(&late, &[&third]), [""; 0], "what was promised, the second says");
}

#[tokio::test]
async fn what_matters_is_not_put_in_force_before_people_were_told() {
    let world = promising().await;
    let sooner = world.register.announce(longer(3, 5)).await;
    assert!(matches!(sooner, Err(notices::Error::Refused(Refused::TooSoon { .. }))), "{sooner:?}");
    let untold = world.register.publish(longer(3, 1)).await;
    assert!(matches!(untold, Err(Error::Revision(RevisionError::NotAnnounced(3)))), "{untold:?}");
    let restarted = reopened(&world, longer(3, 1), &Tasks::new()).await;
    assert!(matches!(restarted, Err(Error::Revision(RevisionError::NotAnnounced(3)))), "{restarted:?}");
    // people are told of one, and that is no licence for another
    world.register.announce(longer(3, 9)).await.unwrap();
    world.clock.advance(2 * DAY);
    let other = world.register.publish(longer(4, 2)).await;
    assert!(matches!(other, Err(Error::Revision(RevisionError::NotAnnounced(4)))), "{other:?}");
    // and wording may change at any time
    world.register.publish(revised(3, &[PROMISED, ("Whoever set up this device", "Somebody")])).await.unwrap();
    assert_eq!(world.register.profile().rev(), 3);
}

#[tokio::test]
async fn a_node_that_is_started_again_keeps_to_what_was_announced() {
    let world = promising().await;
    let next = longer(3, 9);
    world.register.announce(next.clone()).await.unwrap();
    assert_eq!(world.tasks.shutdown(PATIENCE).await, 0);
    let tasks = Tasks::new();
    let before = reopened(&world, next.clone(), &tasks).await.unwrap();
    assert_eq!(before.profile().rev(), 2, "its time has not come");
    assert_eq!(tasks.shutdown(PATIENCE).await, 0);
    world.clock.advance(9 * DAY);
    let after = reopened(&world, next, &Tasks::new()).await.unwrap();
    assert_eq!(after.profile().rev(), 3);
}

#[tokio::test]
async fn people_are_told_of_another_controller() {
    let world = World::new().await;
    let promised = ("[controller]", "[notify.controller_change]\nform = [\"page\"]\n\n[controller]");
    world.register.publish(revised(2, &[promised])).await.unwrap();
    let other = |rev, from| {
        let other = ("id = \"operator\"", "id = \"another\"");
        revised(
            rev,
            &[promised, other, ("Whoever set up this device", "Somebody Else"), ("2026-01-01T00:00:00Z", from)],
        )
    };
    let untold = world.register.publish(other(3, "2026-01-01T00:00:00Z")).await;
    assert!(matches!(untold, Err(Error::Revision(RevisionError::NotAnnounced(3)))), "{untold:?}");
    let next = other(3, "2026-01-09T00:00:00Z");
    let notice = world.register.announce(next.clone()).await.unwrap().unwrap();
    assert_eq!(notice.kind, NoticeKind::ControllerChange);
    let said = &notice.texts.values().next().unwrap().spoken;
    assert_eq!(said, "Soon somebody else will answer for your data: Somebody Else.");
    world.clock.advance(9 * DAY);
    let changed = Event::ControllerChanged { profile: Hash(next.hash().0) };
    world.until_told(|event| *event == changed).await;
    until(|| world.register.profile().controller().name == "Somebody Else").await;
}
