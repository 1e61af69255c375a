//! What is done without consent: by whom it is approved, until when, and that every use of it is on record.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{ActorTag, Event, Leaf};
use sayso_consent::exemption::{Error, NotNow, Proposal, Standing, Terms};
use sayso_consent::{Denied, Means, Options, Register, Replay, Replayed};
use sayso_policy::profile::ExemptionCode;
use sayso_policy::{ConsentStatus, EXEMPTIONS_MAX, Gate, Reason, Refused};
use sayso_runtime::Tasks;
use sayso_types::{Category, Name, SubjectId};
use sayso_vault::testing::vault;

use crate::replaying::run_on;
use crate::revising::revised;
use crate::world::{MEMORY, TTL, VOICE, World, ask, frame, processor, spotless, until, verify};

/// The test profile keeps a ground for itself that takes two to approve.
pub(crate) const KEPT: (&str, &str) =
    ("[asks]\n", "exemption = [{ code = \"X04\", scope = [\"collect_use\"], approvers = 2, max = \"P1D\" }]\n[asks]\n");

const ANN: ActorTag = ActorTag([1; 16]);
const BEN: ActorTag = ActorTag([2; 16]);
const CARL: ActorTag = ActorTag([3; 16]);
const HOUR: Duration = Duration::from_secs(3_600);

/// To hear somebody, for an hour, whatever they have agreed to.
fn terms(subject: Option<SubjectId>) -> Terms {
    Terms {
        code: ExemptionCode::X04,
        subject,
        purposes: [VOICE].into(),
        categories: [Category::VOICE_AUDIO].into(),
        processors: [processor("whisper-local")].into(),
        lasts: "PT1H".parse().unwrap(),
        evidence_sha256: [7; 32],
        demand: None,
        reading: None,
    }
}

/// A grant to hear `subject`, or anybody.
pub(crate) async fn granted(world: &World, subject: Option<SubjectId>) -> Proposal {
    let proposed = world.register.propose_exemption(terms(subject), ANN).await.unwrap();
    for by in [BEN, CARL] {
        world.register.approve_exemption(proposed.id, by).await.unwrap();
    }
    world.register.exemptions().await.unwrap().into_iter().find(|one| one.id == proposed.id).unwrap()
}

/// A node whose policy keeps a ground for itself.
async fn world() -> World {
    let world = World::new().await;
    world.register.publish(revised(2, &[KEPT])).await.unwrap();
    world
}

fn replay(leaves: &[Leaf]) -> Replayed {
    let mut replay = Replay::new(revised(2, &[KEPT]));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    // how many refusals there were is nothing that these stories tell
    Replayed { refusals: 0, ..replay.finish() }
}

async fn is_refused(world: &World, subject: SubjectId) -> bool {
    matches!(world.listen(subject).await, Err(Denied::Policy(Reason::NoBasis)))
}

/// Waits until nothing is open, and says what happened.
async fn closed(world: &World) -> Vec<Leaf> {
    let opened = |leaf: &&Leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. });
    let closed = |leaf: &&Leaf| matches!(leaf.fact.event, Event::SegmentClosed { .. });
    loop {
        let leaves = world.leaves().await;
        if leaves.iter().filter(opened).count() == leaves.iter().filter(closed).count() {
            return leaves;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nothing_opens_before_enough_others_approved_and_every_use_is_on_record() {
    let world = world().await;
    let (anna, from) = (world.stranger().await, world.size().await);
    let proposed = world.register.propose_exemption(terms(None), ANN).await.unwrap();
    let own = world.register.approve_exemption(proposed.id, ANN).await;
    assert!(matches!(own, Err(Error::NotNow(NotNow::Own))), "{own:?}");
    let one = world.register.approve_exemption(proposed.id, BEN).await.unwrap();
    assert_eq!(one.standing, Standing::Proposed);
    assert!(is_refused(&world, anna).await);
    let two = world.register.approve_exemption(proposed.id, CARL).await.unwrap();
    assert!(matches!(two.standing, Standing::Live { .. }));

    let cv = world.state(anna).await.cv;
    let lease = world.listen(anna).await.unwrap();
    lease.permit().pass(frame(&ask(anna, cv)), drop).unwrap();
    drop((lease, world.listen(anna).await.unwrap()));
    drop(world.listen(world.stranger().await).await.unwrap());
    let other = sayso_consent::Ask {
        category: Category::TRANSCRIPT,
        gate: Gate::Dialogue,
        processor: processor("rules-local"),
        ..ask(anna, cv)
    };
    let other = world.register.acquire(other).await;
    assert!(matches!(other, Err(Denied::Policy(Reason::NoBasis))), "it opens what it names");

    let leaves = closed(&world).await;
    let told = world.told_since(from).await;
    let count = |name: &str| told.iter().filter(|told| **told == name).count();
    assert_eq!(
        ["exemption.granted", "gate.permitted_by_exemption", "egress.segment_opened", "exemption.used"].map(count),
        [1, 3, 3, 2],
        "{told:?}"
    );
    assert_eq!(world.register.people_exempted(proposed.id).await.unwrap(), 2);
    spotless(verify(world.journal()).await);
    assert_eq!(replay(&leaves), Replayed { checked: 3, ..Replayed::default() });
}

#[tokio::test]
async fn taking_a_grant_back_closes_what_rests_on_it_at_once() {
    let world = world().await;
    let (anna, ben) = (world.stranger().await, world.person(&[VOICE]).await);
    let grant = granted(&world, None).await;
    let cv = world.state(anna).await.cv;
    let (lease, consented) = (world.listen(anna).await.unwrap(), world.listen(ben).await.unwrap());
    world.register.revoke_exemption(grant.id, BEN).await.unwrap();
    assert_eq!(lease.permit().pass(frame(&ask(anna, cv)), drop), Err(Refused::Revoked));
    lease.revoked().await;
    assert!(consented.permit().is_open(), "what rests on consent goes on");
    assert!(is_refused(&world, anna).await);
    drop((lease, consented));
    let policy = Name::constant("policy");
    world.until_told(|e| matches!(e, Event::SegmentClosed { reason, .. } if *reason == policy)).await;
    assert!(world.told_since(0).await.contains(&"exemption.revoked"));
    let again = world.register.revoke_exemption(grant.id, BEN).await;
    assert!(matches!(again, Err(Error::NotNow(NotNow::Ended))), "{again:?}");
    spotless(verify(world.journal()).await);
}

#[tokio::test]
async fn no_permit_outlives_the_grant_that_it_rests_on() {
    let world = world().await;
    let anna = world.stranger().await;
    let grant = granted(&world, None).await;
    world.clock.advance(HOUR - TTL / 5);
    let (cv, lease) = (world.state(anna).await.cv, world.listen(anna).await.unwrap());
    assert!(lease.permit().is_open());
    world.clock.advance(TTL / 5);
    assert!(lease.permit().pass(frame(&ask(anna, cv)), drop).is_err(), "a fifth of a permit's life was left");
    lease.revoked().await;
    drop(lease);
    world.until_told(|event| *event == Event::ExemptionExpired { grant: grant.id }).await;
    assert!(is_refused(&world, anna).await);
    let leaves = closed(&world).await;
    assert_eq!(replay(&leaves), Replayed { checked: 1, ..Replayed::default() });
    let ended = world.register.exemptions().await.unwrap();
    assert_eq!(ended.last().unwrap().standing, Standing::Expired);
}

/// What is decided just before a grant is taken back may be written just after that: then it closes before anything passes.
#[tokio::test]
async fn what_follows_the_end_of_its_grant_is_found_where_something_passed() {
    let world = world().await;
    let (anna, grant) = (world.stranger().await, granted(&world, None).await);
    let (cv, lease) = (world.state(anna).await.cv, world.listen(anna).await.unwrap());
    lease.permit().pass(frame(&ask(anna, cv)), drop).unwrap();
    drop(lease);
    closed(&world).await;
    world.register.revoke_exemption(grant.id, BEN).await.unwrap();
    let mut leaves = world.leaves().await;
    assert_eq!(replay(&leaves), Replayed { checked: 1, ..Replayed::default() });

    let position = |leaves: &[Leaf], name: &str| leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap();
    let revoked = leaves.remove(position(&leaves, "exemption.revoked"));
    leaves.insert(position(&leaves, "gate.permitted_by_exemption"), revoked);
    let at = position(&leaves, "egress.segment_closed");
    assert_eq!(replay(&leaves), Replayed { checked: 1, denied: vec![at as u64], ..Replayed::default() });
    if let Event::SegmentClosed { bytes, .. } = &mut leaves[at].fact.event {
        *bytes = 0;
    }
    assert_eq!(replay(&leaves), Replayed { checked: 1, ..Replayed::default() });
    leaves.remove(at);
    assert_eq!(replay(&leaves), Replayed { checked: 1, ..Replayed::default() }, "its process may have ended");
    let at = position(&leaves, "egress.segment_opened") as u64;
    run_on(&mut leaves);
    assert_eq!(replay(&leaves), Replayed { checked: 1, denied: vec![at], ..Replayed::default() }, "it went on");
}

/// What people approved is one thing: nothing is added to it in their name.
#[tokio::test]
async fn what_is_said_of_a_grant_later_and_otherwise_is_found() {
    let world = world().await;
    let (anna, _) = (world.stranger().await, granted(&world, None).await);
    let (cv, lease) = (world.state(anna).await.cv, world.listen(anna).await.unwrap());
    lease.permit().pass(frame(&ask(anna, cv)), drop).unwrap();
    drop(lease);
    let leaves = closed(&world).await;
    let denied = |leaves: &[Leaf]| replay(leaves).denied.len();
    assert_eq!(denied(&leaves), 0);
    // what was approved was something else, and what was used is said of it later, in the name of one
    let mut added = leaves;
    let at = added.iter().position(|leaf| leaf.fact.event.name() == "exemption.granted").unwrap();
    let mut later = added[at].clone();
    let Event::ExemptionGranted { cell, .. } = &mut added[at].fact.event else { unreachable!() };
    cell.category = Category::MEMORY_SUMMARY;
    let Event::ExemptionGranted { approvers, .. } = &mut later.fact.event else { unreachable!() };
    approvers.truncate(1);
    added.insert(at + 1, later);
    assert_eq!(denied(&added), 1);
}

#[tokio::test]
async fn a_grant_for_one_person_opens_nobody_elses_data() {
    let world = world().await;
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    granted(&world, Some(anna)).await;
    drop(world.listen(anna).await.unwrap());
    assert!(is_refused(&world, ben).await);
    let leaves = closed(&world).await;
    assert_eq!(replay(&leaves), Replayed { checked: 1, ..Replayed::default() });
}

/// Whoever withdrew may be heard again by those who were granted that; the log shows on what ground.
#[tokio::test]
async fn a_withdrawal_takes_back_what_rests_on_a_grant_and_the_grant_stands() {
    let world = world().await;
    let anna = world.person(&[VOICE]).await;
    assert!(world.register.withdraw(anna, &[], Means::Voice).await.unwrap().ok);
    granted(&world, None).await;
    let lease = world.listen(anna).await.unwrap();
    world.answers(anna, &[MEMORY], ConsentStatus::Given).await;
    let letting_go = async {
        lease.revoked().await;
        drop(lease);
    };
    let (withdrawn, ()) = tokio::join!(world.register.withdraw(anna, &[VOICE, MEMORY], Means::Voice), letting_go);
    assert!(withdrawn.unwrap().ok);
    drop(world.listen(anna).await.unwrap());
    closed(&world).await;
    spotless(verify(world.journal()).await);
}

/// A gate that was opened by consent does not stay open on a grant: that would be a use that nobody noted.
#[tokio::test]
async fn consent_never_turns_into_a_grant_unnoticed() {
    let world = world().await;
    let anna = world.person(&[VOICE]).await;
    granted(&world, None).await;
    let lease = world.listen(anna).await.unwrap();
    let clearer = ("min_consent_type = \"ExpressedConsent\"", "min_consent_type = \"ExplicitlyExpressedConsent\"");
    world.register.publish(revised(3, &[KEPT, clearer])).await.unwrap();
    lease.revoked().await;
    drop(lease);
    let from = world.size().await;
    drop(world.listen(anna).await.unwrap());
    let told = world.told_since(from).await;
    assert!(told.contains(&"gate.permitted_by_exemption"), "{told:?}");
}

#[tokio::test]
async fn a_restart_forgets_no_grant_and_no_end() {
    let world = world().await;
    let (anna, grant) = (world.stranger().await, granted(&world, None).await);
    let revoked = granted(&world, None).await;
    world.register.revoke_exemption(revoked.id, BEN).await.unwrap();
    let cv = world.state(anna).await.cv;
    assert_eq!(world.tasks.shutdown(Duration::from_secs(30)).await, 0);
    let (store, clock) = (world.store.clone(), Arc::new(world.clock.clone()));
    let (vault, tasks) = (vault(store.clone()).await.unwrap(), Tasks::new());
    let profile = revised(2, &[KEPT]);
    let register = Register::open(store, vault, profile, clock, tasks, Options::default()).await.unwrap();
    drop(register.acquire(ask(anna, cv)).await.unwrap());
    register.revoke_exemption(grant.id, BEN).await.unwrap();
    assert!(register.acquire(ask(anna, cv)).await.is_err());
    let standing: Vec<_> = register.exemptions().await.unwrap().iter().map(|one| one.standing).collect();
    assert_eq!(standing, [Standing::Revoked; 2]);
}

#[tokio::test]
async fn a_grant_that_ends_while_the_node_is_down_is_not_in_force_after_it() {
    let world = world().await;
    let (anna, grant) = (world.stranger().await, granted(&world, None).await);
    assert_eq!(world.tasks.shutdown(Duration::from_secs(30)).await, 0);
    world.clock.advance(HOUR);
    let (store, clock) = (world.store.clone(), Arc::new(world.clock.clone()));
    let (vault, tasks) = (vault(store.clone()).await.unwrap(), Tasks::new());
    let profile = revised(2, &[KEPT]);
    let register = Register::open(store, vault, profile, clock, tasks, Options::default()).await.unwrap();
    let cv = register.state(anna).await.unwrap().cv;
    assert!(register.acquire(ask(anna, cv)).await.is_err());
    until(|| register.revisions().exemptions().is_empty()).await;
    // that it has ended is written down after nothing rests on it any more
    let expired = [Proposal { standing: Standing::Expired, ..grant }];
    let written = async {
        while register.exemptions().await.unwrap() != expired {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), written).await.expect("it is put down");
}

#[tokio::test]
async fn no_more_are_open_than_may_be() {
    let world = world().await;
    let first = world.register.propose_exemption(terms(None), ANN).await.unwrap();
    for _ in 1..EXEMPTIONS_MAX {
        world.register.propose_exemption(terms(None), ANN).await.unwrap();
    }
    let more = world.register.propose_exemption(terms(None), ANN).await;
    assert!(matches!(more, Err(Error::TooMany)), "{more:?}");
    world.register.revoke_exemption(first.id, ANN).await.unwrap();
    world.register.propose_exemption(terms(None), ANN).await.unwrap();
    let unknown = world.register.approve_exemption(Name::constant("x04-00"), BEN).await;
    assert!(matches!(unknown, Err(Error::Unknown)), "{unknown:?}");
}

/// Whoever keeps the log leaves something out, or says something that was not so.
#[tokio::test]
async fn an_auditor_finds_uses_without_a_live_grant() {
    let world = world().await;
    let anna = world.stranger().await;
    let grant = granted(&world, None).await;
    drop(world.listen(anna).await.unwrap());
    world.register.revoke_exemption(grant.id, BEN).await.unwrap();
    let leaves = closed(&world).await;
    let at = |leaves: &[Leaf], name: &str| leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap();
    let denied = |leaves: &[Leaf]| replay(leaves).denied == [at(leaves, "egress.segment_opened") as u64];
    assert_eq!(replay(&leaves).denied, [0; 0]);

    for left_out in ["exemption.granted", "gate.permitted_by_exemption"] {
        let rest: Vec<_> = leaves.iter().filter(|leaf| leaf.fact.event.name() != left_out).cloned().collect();
        assert!(denied(&rest), "{left_out}");
    }
    let changes: [fn(&mut Leaf); 3] = [
        |leaf| {
            if let Event::ExemptionGranted { approvers, .. } = &mut leaf.fact.event {
                approvers.truncate(1);
            }
        },
        |leaf| {
            if let Event::ExemptionGranted { until, .. } = &mut leaf.fact.event {
                until.0 += 24 * 3_600_000;
            }
        },
        |leaf| {
            if let Event::ExemptionGranted { processor, .. } = &mut leaf.fact.event {
                *processor = "rules-local".parse().unwrap();
            }
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut forged = leaves.clone();
        change(&mut forged[at(&leaves, "exemption.granted")]);
        assert!(denied(&forged), "change {number}");
    }
}
