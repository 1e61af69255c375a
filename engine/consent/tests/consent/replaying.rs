//! What an auditor finds who has the profile: verdicts are recomputed from what people had agreed to.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::verify::Rule;
use sayso_audit::{Actor, ActorKind, Event, Hash, Leaf, Reference, SubjectTag};
use sayso_consent::rights::{Delay, Desk, Step};
use sayso_consent::{Ask, Means, Replay, Replayed};
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Gate, Profile};
use sayso_types::{Category, ProcessorId, Purpose, WallTime};

use crate::revising::revised;
use crate::world::{MEMORY, VERIFIED, VOICE, World, ask, processor, profile, verify};

pub(crate) fn replay(leaves: &[Leaf], profile: Profile) -> Replayed {
    let mut replay = Replay::new(Arc::new(profile));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    replay.finish()
}

/// A person who agreed, spoke, and withdrew: all that there is on record.
async fn story() -> Vec<Leaf> {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    drop(world.listen(person).await.unwrap());
    drop(world.listen(person).await.unwrap());
    assert!(world.register.withdraw(person, &[], Means::Voice).await.unwrap().ok);
    assert!(world.listen(person).await.is_err());
    world.again().await.leaves().await
}

fn position(leaves: &[Leaf], name: &str) -> usize {
    leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap()
}

/// A copy of the first segment, opened again where leaf `at` is.
fn late(leaves: &[Leaf], at: usize) -> Vec<Leaf> {
    let mut forged = leaves[position(leaves, "egress.segment_opened")].clone();
    forged.fact.cv = leaves[at - 1].fact.cv;
    if let Event::SegmentOpened { segment, .. } = &mut forged.fact.event {
        *segment = Reference([9; 16]);
    }
    let mut leaves = leaves.to_vec();
    forged.place = leaves[at].place;
    leaves.insert(at, forged);
    leaves
}

#[tokio::test]
async fn every_verdict_of_the_engine_is_what_the_profile_says() {
    let leaves = story().await;
    assert_eq!(replay(&leaves, profile()), Replayed { checked: 2, refusals: 1, ..Replayed::default() });
}

#[tokio::test]
async fn what_rests_on_a_revision_that_never_was_in_force_is_denied() {
    let mut leaves = story().await;
    let at = position(&leaves, "egress.segment_opened");
    leaves[at].fact.profile_rev = 99;
    let replayed = Replayed { checked: 1, refusals: 1, denied: vec![at as u64], ..Replayed::default() };
    assert_eq!(replay(&leaves, profile()), replayed);
}

/// Also after a revision that does not ask anybody anew.
#[tokio::test]
async fn whoever_takes_a_yes_back_by_a_no_has_nothing_handed_over_after_it() {
    for no in [ConsentStatus::Refused, ConsentStatus::Deferred] {
        let world = World::new().await;
        let person = world.person(&[VOICE]).await;
        let second = revised(2, &[]);
        world.register.publish(second.clone()).await.unwrap();
        drop(world.listen(person).await.unwrap());
        world.answers(person, &[VOICE], no).await;
        assert!(world.listen(person).await.is_err());
        let leaves = world.again_under(second.clone()).await.leaves().await;
        let replay = |leaves: &[Leaf]| replay(leaves, Profile::clone(&second));
        assert_eq!(replay(&leaves), Replayed { checked: 1, refusals: 1, ..Replayed::default() });
        let at = leaves.len() - 2;
        assert_eq!(replay(&late(&leaves, at)).denied, [at as u64], "{no:?}");
    }
}

/// W8 of the design: whoever has stolen the log's key adds one late segment, and signs the log anew.
#[tokio::test]
async fn a_forged_late_segment_is_found() {
    let leaves = story().await;
    for after in ["withdraw.requested", "withdraw.effective"] {
        let at = position(&leaves, after) + 1;
        let found = replay(&late(&leaves, at), profile());
        assert_eq!((found.checked, found.denied), (3, vec![at as u64]), "after {after}");
    }
    let at = position(&leaves, "withdraw.requested");
    assert_eq!(replay(&late(&leaves, at), profile()).denied, [0; 0], "before it, it was allowed");
}

#[tokio::test]
async fn a_segment_to_somebody_else_or_for_something_else_is_found() {
    let leaves = story().await;
    let opened = position(&leaves, "egress.segment_opened");
    let changes: [fn(&mut Event); 3] = [
        |event| {
            let Event::SegmentOpened { processor, .. } = event else { unreachable!() };
            *processor = "somebody-else".parse::<ProcessorId>().unwrap();
        },
        |event| {
            let Event::SegmentOpened { cell, .. } = event else { unreachable!() };
            cell.purpose = "marketing".parse::<Purpose>().unwrap();
        },
        |event| {
            let Event::SegmentOpened { cell, .. } = event else { unreachable!() };
            cell.region = sayso_types::RegionClass::Overseas;
        },
    ];
    for change in changes {
        let mut forged = leaves.clone();
        change(&mut forged[opened].fact.event);
        assert_eq!(replay(&forged, profile()).denied, [opened as u64]);
    }
}

/// Has the node of `leaves` run on for minutes, and say something now and then.
pub(crate) fn run_on(leaves: &mut Vec<Leaf>) {
    for _ in 0..13 {
        let mut next = leaves.last().unwrap().clone();
        next.place.clock.0 += 10_000 << 16;
        next.fact.event = Event::SelfcheckPassed { size: 0, root: Hash([0; 32]) };
        leaves.push(next);
    }
}

/// What requires something else is closed before it is said that this is withdrawn.
#[tokio::test]
async fn a_withdrawal_in_effect_while_something_is_open_that_requires_consent_to_it_is_found() {
    let memory = "id = \"memory\"\n";
    let second = revised(2, &[(memory, &format!("{memory}requires = [\"voice_interaction\"]\n"))]);
    let world = World::new().await;
    world.register.publish(second.clone()).await.unwrap();
    let person = world.person(&[VOICE, MEMORY]).await;
    let cv = world.state(person).await.cv;
    let (category, gate, processor) = (Category::MEMORY_SUMMARY, Gate::Dialogue, processor("rules-local"));
    let asked = Ask { purpose: MEMORY, category, gate, processor, ..ask(person, cv) };
    let lease = world.register.acquire(asked).await.unwrap();
    let letting_go = async {
        lease.revoked().await;
        drop(lease);
    };
    let (withdrawn, ()) = tokio::join!(world.register.withdraw(person, &[VOICE], Means::Voice), letting_go);
    assert!(withdrawn.unwrap().ok);
    let mut leaves = world.again_under(second.clone()).await.leaves().await;
    let replay = |leaves: &[Leaf]| replay(leaves, Profile::clone(&second));
    assert_eq!(replay(&leaves), Replayed { checked: 1, ..Replayed::default() });

    let (closed, effective) = (position(&leaves, "egress.segment_closed"), position(&leaves, "withdraw.effective"));
    assert!(closed < effective);
    let closed = leaves.remove(closed);
    leaves.insert(effective, closed);
    assert_eq!(replay(&leaves).across, [effective as u64 - 1]);
    let requested = position(&leaves, "withdraw.requested");
    let mut since = leaves.clone();
    let opened = since.remove(position(&leaves, "egress.segment_opened"));
    since.insert(requested, opened);
    assert_eq!(replay(&since).across, [0; 0], "of what was opened since, another revision may say otherwise");
}

/// A policy may process on other grounds than consent, but only for a grant that people gave and that is on record.
#[tokio::test]
async fn what_rests_on_an_exemption_that_nobody_granted_is_found() {
    let kept = r#"exemption = [{ code = "X02", scope = ["collect_use"], basis_code = "cn-pipl:13-4", approvers = 2, max = "P1D" }]"#;
    let profile = Profile::parse(&format!("{kept}\n{}", profile().text())).unwrap();
    let mut leaves = story().await;
    for leaf in &mut leaves {
        match &mut leaf.fact.event {
            Event::PolicyEffective { profile: hash } => *hash = Hash(profile.hash().0),
            Event::SegmentOpened { .. } => leaf.fact.subject = Some(SubjectTag([9; 16])),
            _ => {}
        }
    }
    let opened = (0..).zip(&leaves).filter(|(_, leaf)| matches!(leaf.fact.event, Event::SegmentOpened { .. }));
    let opened: Vec<u64> = opened.map(|(index, _)| index).collect();
    assert_eq!(replay(&leaves, profile), Replayed { checked: 2, refusals: 1, denied: opened, ..Replayed::default() });
}

#[tokio::test]
async fn one_persons_consent_is_not_anothers() {
    let mut leaves = story().await;
    let opened = position(&leaves, "egress.segment_opened");
    leaves[opened].fact.subject = Some(SubjectTag([9; 16]));
    assert_eq!(replay(&leaves, profile()).denied, [opened as u64]);
    leaves[opened].fact.subject = None;
    assert_eq!(replay(&leaves, profile()).denied, [opened as u64]);
}

#[tokio::test]
async fn what_was_done_under_another_profile_is_counted_and_not_judged() {
    let leaves = story().await;
    let text = include_str!("../profile.toml");
    assert_eq!(replay(&leaves, Profile::parse(text).unwrap()), Replayed { others: 2, ..Replayed::default() });
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A log in which somebody asks for a copy, which is put off by `put_off` if that is not zero, and answered after `after`;
/// and without what the node itself says of its being late.
async fn asked(put_off: Duration, after: Option<Duration>) -> Vec<Leaf> {
    let by = Actor { kind: ActorKind::Tenant, tag: None };
    let world = World::new().await;
    let (person, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let request = desk.receive(person, RightKind::Copy, by).await.unwrap();
    desk.step(person, request.id, VERIFIED, by).await.unwrap();
    if !put_off.is_zero() {
        let until = WallTime(request.due.unwrap().at.0 + u64::try_from(put_off.as_millis()).unwrap());
        desk.step(person, request.id, Step::Delay { why: Delay::Complex, until }, by).await.unwrap();
    }
    world.clock.advance(after.unwrap_or(90 * DAY));
    if after.is_some() {
        for step in [Step::Accept, Step::Fulfil { is_partial: false }] {
            desk.step(person, request.id, step, by).await.unwrap();
        }
    }
    drop(desk);
    let leaves = world.again().await.leaves().await;
    leaves.into_iter().filter(|leaf| leaf.fact.event.name() != "dsr.overdue").collect()
}

#[tokio::test]
async fn a_request_that_was_not_answered_by_its_day_is_found_though_the_log_keeps_it_quiet() {
    for after in [Duration::ZERO, 15 * DAY] {
        let in_time = asked(Duration::ZERO, Some(after)).await;
        assert_eq!(replay(&in_time, profile()).late, [0; 0], "after {after:?}");
    }
    let late = asked(Duration::ZERO, Some(16 * DAY)).await;
    assert_eq!(replay(&late, profile()).late, [position(&late, "dsr.fulfilled") as u64]);
    let unanswered = asked(Duration::ZERO, None).await;
    assert_eq!(replay(&unanswered, profile()).late, [position(&unanswered, "dsr.received") as u64]);
}

#[tokio::test]
async fn a_request_that_was_put_off_has_as_long_as_that_may_be() {
    let in_time = asked(30 * DAY, Some(40 * DAY)).await;
    assert_eq!(replay(&in_time, profile()).late, [0; 0]);
    let late = asked(30 * DAY, Some(80 * DAY)).await;
    assert_eq!(replay(&late, profile()).late, [position(&late, "dsr.fulfilled") as u64]);
}

/// Nothing that is said twice gives more time, and nothing that is said too late does.
#[tokio::test]
async fn a_request_that_is_said_to_come_in_again_or_is_put_off_again_or_too_late_is_as_late_as_it_was() {
    let late = asked(Duration::ZERO, Some(16 * DAY)).await;
    let again = |leaves: &[Leaf], name: &str, after: Duration| {
        let (mut leaves, from) = (leaves.to_vec(), position(leaves, "dsr.received"));
        let mut leaf = leaves[position(&leaves, name)].clone();
        leaf.place.wall.0 = leaves[from].place.wall.0 + u64::try_from(after.as_millis()).unwrap();
        let to = position(&leaves, "dsr.accepted");
        leaves.insert(to, leaf);
        (leaves, to as u64)
    };
    let found = |leaves: &[Leaf]| replay(leaves, profile()).late;
    let (twice, _) = again(&late, "dsr.received", 10 * DAY);
    assert_eq!(found(&twice), [position(&twice, "dsr.fulfilled") as u64], "it came in before");

    let put_off = asked(30 * DAY, Some(80 * DAY)).await;
    let (twice, _) = again(&put_off, "dsr.delayed", 20 * DAY);
    assert_eq!(found(&twice), [position(&twice, "dsr.fulfilled") as u64], "once is all that there is");

    let put_off = asked(30 * DAY, Some(40 * DAY)).await;
    let (mut afterwards, to) = again(&put_off, "dsr.delayed", 16 * DAY);
    afterwards.remove(position(&put_off, "dsr.delayed"));
    assert_eq!(found(&afterwards), [to - 1], "its day had passed");
}

#[tokio::test]
async fn who_was_not_known_by_the_day_is_found_though_the_log_keeps_it_quiet() {
    let by = Actor { kind: ActorKind::Tenant, tag: None };
    let soon = || revised(2, &[("respond_within = \"P15D\"", "respond_within = \"P15D\"\nidentity_within = \"P5D\"")]);
    let asked = async |after: Option<Duration>, is_quiet: bool| {
        let world = World::new().await;
        world.register.publish(soon()).await.unwrap();
        let (person, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
        let request = desk.receive(person, RightKind::Copy, by).await.unwrap();
        world.clock.advance(after.unwrap_or(6 * DAY));
        if after.is_some() {
            desk.step(person, request.id, VERIFIED, by).await.unwrap();
        } else {
            desk.note_overdue().await.unwrap();
        }
        drop(desk);
        let leaves = world.again_under(soon()).await.leaves().await;
        leaves.into_iter().filter(|leaf| !(is_quiet && leaf.fact.event.name() == "dsr.overdue")).collect::<Vec<_>>()
    };
    let found = |leaves: &[Leaf]| replay(leaves, Arc::unwrap_or_clone(soon())).late;
    assert_eq!(found(&asked(Some(5 * DAY), true).await), [0; 0]);
    let late = asked(Some(6 * DAY), true).await;
    assert_eq!(found(&late), [position(&late, "dsr.identity_verified") as u64]);
    let unknown = asked(None, true).await;
    assert_eq!(found(&unknown), [position(&unknown, "dsr.received") as u64]);
    assert_eq!(found(&asked(None, false).await), [0; 0], "what the log itself says is not said twice");
}

#[tokio::test]
async fn what_the_log_itself_says_is_late_is_not_said_twice() {
    let by = Actor { kind: ActorKind::Tenant, tag: None };
    let world = World::new().await;
    let (person, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    desk.receive(person, RightKind::Copy, by).await.unwrap();
    world.clock.advance(16 * DAY);
    desk.note_overdue().await.unwrap();
    let leaves = world.leaves().await;
    assert_eq!(replay(&leaves, profile()).late, [0; 0]);
    let report = verify(world.journal()).await;
    let found: Vec<_> = report.violations().map(|finding| (finding.leaf, finding.rule)).collect();
    assert_eq!(found, [(position(&leaves, "dsr.overdue") as u64, Rule::RequestLate)]);
}

/// A withdrawal takes effect by the day by which any request is answered, and an erasure that begins is certified by then.
#[tokio::test]
async fn a_withdrawal_or_an_erasure_that_is_not_done_by_its_day_is_found() {
    let mut leaves = story().await;
    // what was remembered is still being erased
    leaves.retain(|leaf| !matches!(leaf.fact.event, Event::EraseCommitted { .. }));
    let (requested, effective) = (position(&leaves, "withdraw.requested"), position(&leaves, "withdraw.effective"));
    let at = |leaves: &[Leaf], index: usize, after: Duration| {
        WallTime(leaves[index].place.wall.0 + u64::try_from(after.as_millis()).unwrap())
    };
    let by = |leaves: &[Leaf], at| {
        let mut replay = Replay::new(Arc::new(profile()));
        (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
        let Replayed { late_withdrawals, late_erasures, .. } = replay.finish_at(at);
        (late_withdrawals, late_erasures)
    };
    for (after, late) in [(15 * DAY, vec![]), (16 * DAY, vec![effective as u64])] {
        let wall = at(&leaves, requested, after);
        leaves[effective].place.wall = wall;
        assert_eq!(by(&leaves, WallTime(0)), (late, vec![]), "in effect after {after:?}");
    }
    let pending = &leaves[..effective];
    assert_eq!(by(pending, at(pending, requested, 15 * DAY)), (vec![], vec![]), "it has its time yet");
    assert_eq!(by(pending, at(pending, requested, 16 * DAY)), (vec![requested as u64], vec![]));

    let erasure = Reference([8; 16]);
    let mut erased = pending[..requested].to_vec();
    for event in [
        Event::EraseCommitted { erasure, category: None, ground: "requested".parse().unwrap() },
        Event::EraseCertified { erasure, certificate: Hash([0; 32]) },
    ] {
        let mut leaf = erased[requested - 1].clone();
        leaf.fact.event = event;
        erased.push(leaf);
    }
    let (committed, certified) = (requested, requested + 1);
    for (after, late) in [(15 * DAY, vec![]), (16 * DAY, vec![certified as u64])] {
        erased[certified].place.wall = at(&erased, committed, after);
        assert_eq!(by(&erased, WallTime(0)), (vec![], late), "certified after {after:?}");
    }
    erased.truncate(certified);
    assert_eq!(by(&erased, at(&erased, committed, 15 * DAY)), (vec![], vec![]));
    assert_eq!(by(&erased, at(&erased, committed, 16 * DAY)), (vec![], vec![committed as u64]));
}
