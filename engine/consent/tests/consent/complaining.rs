//! Complaints: taken, answered once, and noticed when nobody answers.

use core::time::Duration;

use sayso_audit::{Actor, ActorKind, ComplaintStep, DeskEvent, Event, Hash, Leaf};
use sayso_consent::complaints::{Complaint, ComplaintDesk, Error, Filing, NotNow, Outcome};
use sayso_consent::rights::{Desk, Error as NotTaken};
use sayso_policy::Profile;
use sayso_policy::profile::RightKind;
use sayso_types::{SubjectId, TenantId, WallTime};

use crate::replaying::replay;
use crate::world::{VOICE, World, profile, profile_text};

const DAY: u64 = 24 * 60 * 60 * 1_000;
const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };

/// 2026-02-13, a Friday, 01:00 UTC: the last working day before the Spring Festival.
const FRIDAY: u64 = 1_770_944_400_000;

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

pub(crate) fn filing(subject: Option<SubjectId>) -> Filing {
    Filing { tenant: acme(), subject, text_sha256: [1; 32], evidence_sha256: subject.map(|_| [2; 32]) }
}

/// The steps in the log, with what is said of each.
async fn told(world: &World) -> Vec<(ComplaintStep, String, Hash)> {
    let steps = world.leaves().await.into_iter().filter_map(|leaf| match leaf.fact.event {
        Event::Desk(DeskEvent::Complaint { step, detail, document, .. }) => Some((step, detail.to_string(), document)),
        _ => None,
    });
    steps.collect()
}

#[tokio::test]
async fn a_complaint_is_taken_answered_once_and_found_by_its_id() {
    let world = World::new().await;
    let (anna, desk) = (world.person(&[VOICE]).await, ComplaintDesk::open(world.register.clone()));
    let of_anna = desk.file(filing(Some(anna)), INTEGRATOR).await.unwrap();
    assert_eq!((of_anna.due.at.0 - of_anna.received.0, of_anna.due.by.as_str()), (15 * DAY, "rights.respond_within"));
    world.clock.advance(Duration::from_secs(1));
    let of_tenant = desk.file(filing(None), INTEGRATOR).await.unwrap();
    let answered = desk.answer(&acme(), of_anna.id, (Outcome::UpheldInPart, [3; 32]), Actor::SYSTEM).await.unwrap();
    let again = desk.answer(&acme(), of_anna.id, (Outcome::Upheld, [4; 32]), Actor::SYSTEM).await;
    assert!(matches!(again, Err(Error::NotNow(NotNow::Answered))), "{again:?}");
    assert_eq!(desk.get(&acme(), of_anna.id).await.unwrap(), answered);
    assert_eq!(desk.of(&acme()).await.unwrap(), [answered, of_tenant]);
    let elsewhere: TenantId = "other".parse().unwrap();
    assert!(matches!(desk.get(&elsewhere, of_anna.id).await, Err(Error::Unknown)));
    let expected = [
        (ComplaintStep::Received, "person", Hash([1; 32])),
        (ComplaintStep::Received, "tenant", Hash([1; 32])),
        (ComplaintStep::Answered, "upheld_in_part", Hash([3; 32])),
    ];
    assert_eq!(told(&world).await, expected.map(|(step, detail, hash)| (step, detail.to_owned(), hash)));
    let about = world.leaves().await.into_iter().filter(|leaf| leaf.fact.event.name().starts_with("complaint."));
    assert_eq!(about.map(|leaf| leaf.fact.subject.is_some()).collect::<Vec<_>>(), [true, false, true]);
}

#[tokio::test]
async fn who_is_nobody_of_the_tenants_and_who_asks_the_other_desk_is_refused_and_leaves_no_trace() {
    let world = World::new().await;
    let (anna, desk) = (world.person(&[VOICE]).await, ComplaintDesk::open(world.register.clone()));
    let size = world.size().await;
    let elsewhere = Filing { tenant: "other".parse().unwrap(), ..filing(Some(anna)) };
    for filing in [elsewhere, filing(Some(SubjectId([9; 16])))] {
        let refused = desk.file(filing, INTEGRATOR).await;
        assert!(matches!(refused, Err(Error::OtherTenant)), "{refused:?}");
    }
    let rights = Desk::open(world.register.clone());
    let refused = rights.receive(anna, RightKind::Complain, INTEGRATOR).await;
    assert!(matches!(refused, Err(NotTaken::Complaint)), "{refused:?}");
    assert_eq!(world.size().await, size);
    for _ in 0..sayso_consent::complaints::desk::OPEN_MAX {
        desk.file(filing(None), INTEGRATOR).await.unwrap();
    }
    assert!(matches!(desk.file(filing(None), INTEGRATOR).await, Err(Error::TooMany)));
}

/// A policy that only says "promptly", or nothing, leaves fifteen working days.
#[tokio::test]
async fn where_the_policy_says_nothing_a_complaint_has_fifteen_working_days() {
    let text = profile_text().replacen("jurisdiction = ", "working_days = \"cn-2026\"\njurisdiction = ", 1);
    let vague = text.replacen("respond_within = \"P15D\"", "respond_within = \"promptly\"", 1);
    assert!(vague.contains("cn-2026") && vague.contains("promptly"));
    let profile = Profile::in_force_before(&vague).unwrap();
    let complaint = Complaint::received(sayso_audit::Reference([6; 16]), filing(None), &profile, WallTime(FRIDAY));
    // Saturday the 14th and Saturday the 28th are worked; the festival is the 15th to the 23rd
    let days = (complaint.due.at.0 - FRIDAY) / DAY;
    assert_eq!((days, complaint.due.by.as_str(), complaint.due.is_exact), (27, "sayso:complaint", true));
}

#[tokio::test]
async fn what_nobody_answers_is_on_record_once_also_after_a_restart() {
    let world = World::new().await;
    let desk = ComplaintDesk::open(world.register.clone());
    let late = desk.file(filing(None), INTEGRATOR).await.unwrap();
    let answered = desk.file(filing(None), INTEGRATOR).await.unwrap();
    desk.answer(&acme(), answered.id, (Outcome::NotUpheld, [3; 32]), Actor::SYSTEM).await.unwrap();
    world.clock.advance(Duration::from_millis(15 * DAY));
    assert_eq!(desk.note_overdue().await.unwrap(), 0, "it is the day itself");
    drop(desk);
    world.clock.advance(Duration::from_millis(DAY));

    let world = world.again().await;
    let desk = ComplaintDesk::open(world.register.clone());
    desk.note_overdue().await.unwrap();
    assert_eq!(desk.note_overdue().await.unwrap(), 0);
    let overdue = told(&world).await.into_iter().filter(|(step, ..)| *step == ComplaintStep::Overdue).count();
    assert_eq!(overdue, 1);
    assert!(desk.get(&acme(), late.id).await.unwrap().is_overdue);
    desk.answer(&acme(), late.id, (Outcome::Upheld, [3; 32]), Actor::SYSTEM).await.unwrap();
    assert_eq!(desk.note_overdue().await.unwrap(), 0, "late is better than never");
    let report = crate::world::verify(world.journal()).await;
    assert_eq!(
        report.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(),
        [sayso_audit::verify::Rule::ComplaintLate]
    );
}

#[tokio::test]
async fn a_complaint_that_was_answered_late_is_found_though_the_log_keeps_it_quiet() {
    let complained = async |after: Option<u64>| {
        let world = World::new().await;
        let desk = ComplaintDesk::open(world.register.clone());
        let complaint = desk.file(filing(None), INTEGRATOR).await.unwrap();
        world.clock.advance(Duration::from_millis(after.unwrap_or(16 * DAY)));
        if after.is_some() {
            desk.answer(&acme(), complaint.id, (Outcome::Upheld, [3; 32]), Actor::SYSTEM).await.unwrap();
        }
        drop(desk);
        let leaves = world.again().await.leaves().await;
        leaves.into_iter().filter(|leaf| leaf.fact.event.name() != "complaint.overdue").collect::<Vec<_>>()
    };
    let at = |leaves: &[Leaf], name| leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap() as u64;
    let found = |leaves: &[Leaf]| replay(leaves, profile()).late_complaints;
    assert_eq!(found(&complained(Some(15 * DAY)).await), [0; 0]);
    let late = complained(Some(15 * DAY + 1)).await;
    assert_eq!(found(&late), [at(&late, "complaint.answered")]);
    let unanswered = complained(None).await;
    assert_eq!(found(&unanswered), [at(&unanswered, "complaint.received")]);
}
