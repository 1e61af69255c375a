//! What is filed at the desks ends by a rule, too: complaints, what was given to authorities, what was done without consent,
//! and whose a document is. On virtual time.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, ActorTag, Event, Reference};
use sayso_consent::complaints::{ComplaintDesk, Outcome};
use sayso_consent::disclosure::DisclosureDesk;
use sayso_consent::retention::HoldOrder;
use sayso_consent::{Error, Means, Replay};
use sayso_policy::Profile;
use sayso_types::{SubjectId, TenantId};

use crate::complaining::filing;
use crate::disclosing::{self, SHARED, somebody};
use crate::evidencing::{SIGNED, yes};
use crate::exempting;
use crate::retaining::rows;
use crate::revising::revised;
use crate::world::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The three years from 2026 on, one of which is a leap year.
const THREE_YEARS: Duration = Duration::from_secs((3 * 365 + 1) * 24 * 60 * 60);
/// The three years from 2029 on.
const THREE_MORE: Duration = Duration::from_secs(3 * 365 * 24 * 60 * 60);
const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };
const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: Some(ActorTag([1; 16])) };

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

/// A policy that keeps grounds for itself, and says `more`.
fn policy(rev: u32, more: &str) -> Arc<Profile> {
    let text = revised(rev, &[SHARED]).text().to_owned();
    Arc::new(Profile::in_force_before(&format!("{text}\n{more}")).unwrap())
}

async fn world() -> World {
    let world = World::new().await;
    world.register.publish(policy(2, "")).await.unwrap();
    world
}

/// A complaint of `subject`, which is answered.
async fn complained(world: &World, subject: Option<SubjectId>) -> Reference {
    let desk = ComplaintDesk::open(world.register.clone());
    let id = desk.file(filing(subject), INTEGRATOR).await.unwrap().id;
    desk.answer(&acme(), id, (Outcome::Upheld, [3; 32]), INTEGRATOR).await.unwrap();
    id
}

/// What ended: which category, of whom the log has a tag, how many records, and how long after its time.
async fn ended(world: &World) -> Vec<(String, bool, u64, Duration)> {
    let (mut due, mut ended) = (None, Vec::new());
    for leaf in world.leaves().await {
        match leaf.fact.event {
            Event::RetentionDue { at, .. } => due = Some(at),
            Event::RetentionExecuted { category, rows, .. } => {
                let late = Duration::from_millis(leaf.place.wall.0 - due.take().unwrap().0);
                ended.push((category.to_string(), leaf.fact.subject.is_some(), rows, late));
            }
            _ => {}
        }
    }
    ended
}

/// The leaves by which an auditor sees that something ended late.
async fn overstayed(world: &World, policy: Arc<Profile>) -> Vec<u64> {
    let mut replay = Replay::new(policy);
    world.leaves().await.iter().zip(0..).for_each(|(leaf, index)| replay.leaf(index, leaf));
    replay.finish().overstayed
}

fn hold_of(subject: Option<SubjectId>, category: &'static str) -> HoldOrder {
    let law = "cn-cpl:67, order 2026/17".to_owned();
    let category = Some(category.parse().unwrap());
    HoldOrder { subject, category, law, by: "admin:legal".to_owned(), until: None }
}

#[tokio::test]
async fn complaints_end_three_years_after_their_answer_and_one_without_an_answer_stays() {
    let world = world().await;
    let anna = world.person(&[VOICE]).await;
    complained(&world, Some(anna)).await;
    complained(&world, None).await;
    let desk = ComplaintDesk::open(world.register.clone());
    let open = desk.file(filing(Some(anna)), INTEGRATOR).await.unwrap();
    world.clock.advance(THREE_YEARS - Duration::from_millis(1));
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0);
    assert_eq!(rows(&world, "complaint").await, 3);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 2);
    assert_eq!(desk.of(&acme()).await.unwrap().into_iter().map(|one| one.id).collect::<Vec<_>>(), [open.id]);
    let of = |is_about| ("complaint_record".to_owned(), is_about, 1, Duration::ZERO);
    assert_eq!(ended(&world).await, [of(false), of(true)]);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0, "once");

    // what is answered late counts from its answer
    desk.answer(&acme(), open.id, (Outcome::NotUpheld, [3; 32]), INTEGRATOR).await.unwrap();
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0);
    world.clock.advance(THREE_MORE);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(rows(&world, "complaint").await, 0);
    assert_eq!(overstayed(&world, policy(2, "")).await, [0_u64; 0]);
    spotless(verify(world.journal()).await);
}

#[tokio::test]
async fn what_was_given_ends_after_its_people_were_told_and_its_grant_with_it() {
    let world = world().await;
    let (anna, ben) = (somebody(&world, "Anna").await, somebody(&world, "Ben").await);
    let grant = disclosing::granted(&world, disclosing::terms(&[anna, ben])).await;
    let desk = DisclosureDesk::open(world.register.clone());
    desk.make(grant.id, None, OPERATOR).await.unwrap();
    assert_eq!(rows(&world, "exemption_use").await, 2);
    world.clock.advance(THREE_YEARS + 8 * DAY);
    world.until_told(|event| matches!(event, Event::ExemptionExpired { .. })).await;
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(rows(&world, "disclosure").await, 1, "its people are yet to be told");
    assert_eq!(rows(&world, "exemption").await, 1, "it says to whom and why that was given");
    desk.tell().await.unwrap();
    world.clock.advance(THREE_MORE);
    world.register.end_what_is_due().await.unwrap();
    for table in ["disclosure", "disclosure_tell", "exemption", "exemption_use"] {
        assert_eq!(rows(&world, table).await, 0, "{table}");
    }
    let of = |category: &str, rows| (category.to_owned(), true, rows, Duration::ZERO);
    let told = ended(&world).await.into_iter().filter(|(category, ..)| !category.starts_with("consent"));
    let expected =
        [("disclosure_record", 1), ("disclosure_record", 1), ("exemption_record", 3), ("exemption_record", 3)];
    assert_eq!(told.collect::<Vec<_>>(), expected.map(|(category, rows)| of(category, rows)));
    spotless(verify(world.journal()).await);
}

#[tokio::test]
async fn a_grant_that_is_over_ends_with_the_notes_of_whose_data_it_was_used_on() {
    let world = world().await;
    let people = [world.stranger().await, world.stranger().await];
    let grant = exempting::granted(&world, None).await;
    for one in people {
        drop(world.listen(one).await.unwrap());
    }
    let revoked = exempting::granted(&world, Some(people[0])).await;
    world.register.revoke_exemption(revoked.id, ActorTag([2; 16])).await.unwrap();
    assert_eq!(world.register.people_exempted(grant.id).await.unwrap(), 2);
    world.clock.advance(THREE_YEARS);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0, "three years from when the hour is over");
    world.until_told(|event| matches!(event, Event::ExemptionExpired { .. })).await;
    world.clock.advance(DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 4);
    for table in ["exemption", "exemption_use"] {
        assert_eq!(rows(&world, table).await, 0, "{table}");
    }
    assert_eq!(world.register.people_exempted(grant.id).await.unwrap(), 0);
    let told = ended(&world).await.into_iter().map(|(_, is_about, rows, _)| (is_about, rows));
    assert_eq!(told.collect::<Vec<_>>(), [(false, 3), (true, 1)]);
    spotless(verify(world.journal()).await);
}

#[tokio::test]
async fn a_grant_in_force_stays_whatever_the_rule_says() {
    let world = world().await;
    let at_once = "[category.exemption_record]\ndpv = [\"dpv:LegalComplianceRecord\"]\nsensitivity = \"none\"\npurposes = [\"notice\"]\nnecessity = \"Required\"\nat_rest = \"allowed\"\nretention = { trigger = \"collected\", after = \"PT0S\", action = \"erase\" }\n";
    let grant = exempting::granted(&world, None).await;
    world.register.publish(policy(3, at_once)).await.unwrap();
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0);
    world.register.revoke_exemption(grant.id, ActorTag([2; 16])).await.unwrap();
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
}

#[tokio::test]
async fn a_revision_that_shortens_the_rule_reaches_the_complaints_that_are_there() {
    let world = world().await;
    complained(&world, None).await;
    world.clock.advance(366 * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0);
    let a_year = "[category.complaint_record]\ndpv = [\"dpv:LegalComplianceRecord\"]\nsensitivity = \"none\"\npurposes = [\"notice\"]\nnecessity = \"Required\"\nat_rest = \"allowed\"\nretention = { trigger = \"purpose.ended\", after = \"P1Y\", action = \"erase\" }\n";
    world.register.publish(policy(3, a_year)).await.unwrap();
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
    assert_eq!(rows(&world, "complaint").await, 0);
    assert_eq!(
        overstayed(&world, policy(3, a_year)).await,
        [0_u64; 0],
        "it could not end before the rule was in force"
    );
}

#[tokio::test]
async fn a_node_that_was_down_ends_what_was_filed_when_it_starts_and_the_log_shows_how_late() {
    let world = world().await;
    complained(&world, Some(world.person(&[VOICE]).await)).await;
    world.clock.advance(THREE_YEARS + 3 * DAY);
    let world = world.again_under(policy(2, "")).await;
    world.until_told(|event| matches!(event, Event::RetentionExecuted { .. })).await;
    assert_eq!(ended(&world).await, [("complaint_record".to_owned(), true, 1, 3 * DAY)]);
    assert_eq!(overstayed(&world, policy(2, "")).await.len(), 1, "an auditor sees that it was late");
}

#[tokio::test]
async fn what_is_filed_of_somebody_whom_a_law_has_kept_ends_when_the_hold_is_released() {
    let world = world().await;
    let (anna, ben) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    for who in [anna, anna, ben] {
        complained(&world, Some(who)).await;
    }
    let hold = world.register.set_hold(hold_of(Some(anna), "complaint_record"), INTEGRATOR).await.unwrap();
    world.clock.advance(THREE_YEARS);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1, "somebody else's ends");
    let world = world.again_under(policy(2, "")).await;
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0);
    assert_eq!(rows(&world, "complaint").await, 2);
    let told = world.told_since(0).await;
    assert_eq!(told.iter().filter(|told| **told == "retention.held").count(), 1, "once, whoever starts");
    world.clock.advance(DAY);
    world.register.release_hold(hold.id, INTEGRATOR).await.unwrap();
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 2);
    assert_eq!((rows(&world, "complaint").await, rows(&world, "held").await), (0, 0));
    assert_eq!(overstayed(&world, policy(2, "")).await, [0_u64; 0], "what was held is not late");
    spotless(verify(world.journal()).await);
}

#[tokio::test]
async fn what_is_about_nobody_is_kept_by_a_hold_of_everybodys() {
    let world = world().await;
    complained(&world, None).await;
    let anna = world.person(&[VOICE]).await;
    let of_anna = world.register.set_hold(hold_of(Some(anna), "complaint_record"), INTEGRATOR).await.unwrap();
    let of_all = world.register.set_hold(hold_of(None, "complaint_record"), INTEGRATOR).await.unwrap();
    world.clock.advance(THREE_YEARS);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0);
    world.register.release_hold(of_all.id, INTEGRATOR).await.unwrap();
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1, "the other one is about somebody");
    world.register.release_hold(of_anna.id, INTEGRATOR).await.unwrap();
    assert_eq!(overstayed(&world, policy(2, "")).await, [0_u64; 0]);
}

#[tokio::test]
async fn whose_a_document_is_ends_with_the_last_record_that_names_it() {
    let world = World::new().await;
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    world.register.record(&yes(anna, &[VOICE], SIGNED, 1)).await.unwrap();
    world.register.record(&yes(anna, &[MEMORY], SIGNED, 1)).await.unwrap();
    world.register.record(&yes(anna, &[MEMORY], SIGNED, 2)).await.unwrap();
    world.register.withdraw(anna, &[MEMORY], Means::Voice).await.unwrap();
    world.clock.advance(THREE_YEARS + DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(rows(&world, "consent").await, 1, "that which is in force");
    assert_eq!(rows(&world, "document").await, 1, "and its document");
    let refused = world.register.record(&yes(ben, &[VOICE], SIGNED, 1)).await;
    assert!(matches!(refused, Err(Error::OthersEvidence)), "{refused:?}");
    world.register.withdraw(anna, &[], Means::Voice).await.unwrap();
    world.clock.advance(THREE_YEARS + DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!((rows(&world, "consent").await, rows(&world, "document").await), (0, 0));
    world.ends_spotless().await;
}
