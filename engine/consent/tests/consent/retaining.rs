//! What is stored ends when its rule says, on virtual time.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, Reference, RequestStep};
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::retention::{HoldError, HoldOrder};
use sayso_consent::rights::{Desk, Standing, Step};
use sayso_consent::{Error, Means, Remembered, Replay};
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Profile};
use sayso_store::{Prefix, Store};
use sayso_types::{Category, Clock as _, SubjectId, WallTime};

use crate::world::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };

/// The profile to test with, on the working days of China, that says `retention` of what is remembered, and `more`.
pub(crate) fn profile_that_ends(rev: u32, retention: &str, more: &str) -> Arc<Profile> {
    let of_memory = "retention = { trigger = \"withdraw\", after = \"PT0S\", action = \"erase\" }";
    let text = profile_text().replace(of_memory, &format!("retention = {{ action = \"erase\", {retention} }}"));
    let text = text.replace("rev = 1", &format!("rev = {rev}\nworking_days = \"cn-2026\""));
    Arc::new(Profile::in_force_before(&format!("{text}\n{more}")).unwrap())
}

fn fact(word: &str) -> (String, String) {
    (word.to_owned(), format!("of {word}"))
}

/// A world in which that is the policy.
async fn world(retention: &str, more: &str) -> World {
    let world = World::new().await;
    world.register.publish(profile_that_ends(2, retention, more)).await.unwrap();
    world
}

/// Moves the clock to `at`.
fn set(world: &World, at: WallTime) {
    world.clock.advance(Duration::from_millis(at.0 - world.clock.wall().0));
}

/// What is remembered of somebody, by its key.
async fn words(world: &World, subject: SubjectId) -> Vec<String> {
    world.register.facts(subject).await.unwrap().into_iter().map(|(key, _)| key).collect()
}

/// Rows of `table`.
pub(crate) async fn rows(world: &World, table: &'static str) -> usize {
    let prefix = Prefix::table(table);
    world.local.scan((&prefix).into(), 100).await.unwrap().entries.len()
}

/// What ended, how, and how long after its time.
async fn ended(world: &World) -> Vec<(String, String, Duration)> {
    let (mut due, mut ended) = (BTreeMap::new(), Vec::new());
    for leaf in world.leaves().await {
        match leaf.fact.event {
            Event::RetentionDue { ending, at, .. } => drop(due.insert(ending.0, at.0)),
            Event::RetentionExecuted { ending, category, how, .. } => {
                let late = Duration::from_millis(leaf.place.wall.0 - due[&ending.0]);
                ended.push((category.to_string(), how.to_string(), late));
            }
            _ => {}
        }
    }
    ended
}

/// The certificate of the only ending there was of what is remembered of `subject`.
async fn certificate(world: &World, subject: SubjectId) -> Certificate {
    let ending = world.leaves().await.into_iter().find_map(|leaf| match leaf.fact.event {
        Event::RetentionExecuted { ending, .. } => Some(ending),
        _ => None,
    });
    let json = world.register.until_certified(subject, ending.unwrap()).await.unwrap();
    Certificate::parse(&json).unwrap()
}

#[tokio::test]
async fn what_is_remembered_ends_with_its_keys_when_its_time_is_over() {
    let world = world("trigger = \"withdraw\", after = \"PT0S\", max = \"P30D\"", "").await;
    let (anna, ben) = (world.person(&[VOICE, MEMORY]).await, world.person(&[VOICE, MEMORY]).await);
    world.register.save_facts(anna, &[fact("tea")]).await.unwrap();
    world.clock.advance(DAY);
    world.register.save_facts(ben, &[fact("milk")]).await.unwrap();
    world.clock.advance(29 * DAY - Duration::from_millis(1));
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0);
    assert_eq!(words(&world, anna).await, ["tea"]);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(words(&world, anna).await, [""; 0], "nobody is told what is over, also before it has ended");
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0, "once");
    assert_eq!(words(&world, ben).await, ["milk"]);
    assert_eq!(ended(&world).await, [("memory_summary".to_owned(), "erased".to_owned(), Duration::ZERO)]);
    let certificate = certificate(&world, anna).await;
    assert!(matches!(certificate.grounds[0], Ground::Retention(_)) && certificate.is_purged);
    assert_eq!((certificate.category, certificate.keys.len()), (Some(Category::MEMORY_SUMMARY), 1));
    assert!(world.state(anna).await.status(MEMORY).is_valid(), "the consent stands");
    assert!(world.register.save_facts(anna, &[fact("coffee")]).await.unwrap(), "under a new key");
    let policy = profile_that_ends(2, "trigger = \"withdraw\", after = \"PT0S\", max = \"P30D\"", "");
    spotless(verify(world.again_under(policy).await.journal()).await);
}

#[tokio::test]
async fn what_the_policy_takes_out_of_what_is_said_is_not_remembered() {
    let world = World::new().await;
    let text = profile_text().replace("[category.transcript]\n", "[category.transcript]\nredact = [\"bank_card\"]\n");
    let policy = Profile::in_force_before(&text.replace("rev = 1", "rev = 2")).unwrap();
    let anna = world.person(&[VOICE, MEMORY]).await;
    let card = ("card".to_owned(), "4111 1111 1111 1111".to_owned());
    world.register.save_facts(anna, core::slice::from_ref(&card)).await.unwrap();
    assert_eq!(world.register.facts(anna).await.unwrap(), core::slice::from_ref(&card));
    world.register.publish(Arc::new(policy)).await.unwrap();
    world.register.save_facts(anna, &[card, fact("tea")]).await.unwrap();
    let kept = [("card".to_owned(), "[bank_card]".to_owned()), fact("tea")];
    assert_eq!(world.register.facts(anna).await.unwrap(), kept);
}

#[tokio::test]
async fn each_fact_has_its_own_time_which_saving_it_again_does_not_move() {
    let world = world("trigger = \"collected\", after = \"P10D\"", "").await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(anna, &[fact("old")]).await.unwrap();
    world.clock.advance(5 * DAY);
    world.register.save_facts(anna, &[fact("old"), fact("new")]).await.unwrap();
    let known = world.register.remembered(anna).await.unwrap();
    world.clock.advance(5 * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
    assert_eq!(words(&world, anna).await, ["new"]);
    // a conversation that goes on knows it still
    assert!(world.register.remember(anna, sayso_types::ConsentVersion(u64::MAX), known).await.unwrap());
    assert_eq!(words(&world, anna).await, ["new"], "and cannot bring it back");
    world.clock.advance(5 * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
    let how: Vec<_> = ended(&world).await.into_iter().map(|(_, how, _)| how).collect();
    assert_eq!(how, ["rewritten", "erased"]);
    assert_eq!(rows(&world, "retention_due").await, 1, "of the consents: no mark of what is gone is left");
}

#[tokio::test]
async fn counts_across_leap_days_years_and_public_holidays_and_past_the_calendar() {
    // 2027-02-28T23:00Z: a year later it is still February, and the year after has a 29th
    let year = world("trigger = \"collected\", after = \"P1Y\"", "").await;
    let anna = year.person(&[VOICE, MEMORY]).await;
    set(&year, WallTime(1_803_855_600_000));
    year.register.save_facts(anna, &[fact("a")]).await.unwrap();
    year.clock.advance(365 * DAY);
    assert_eq!(year.register.end_what_is_due().await.unwrap(), 1);
    year.register.save_facts(anna, &[fact("b")]).await.unwrap();
    year.clock.advance(365 * DAY);
    assert_eq!(year.register.end_what_is_due().await.unwrap(), 0, "2029-02-27: the leap day is a day more");
    year.clock.advance(DAY);
    assert_eq!(year.register.end_what_is_due().await.unwrap(), 1);

    // from a Friday before the Spring Festival, 09:00 there: two working days end at midnight eleven days later
    let working = world("trigger = \"collected\", after = \"P2WD\"", "").await;
    let ben = working.person(&[VOICE, MEMORY]).await;
    set(&working, WallTime(1_770_944_400_000));
    working.register.save_facts(ben, &[fact("a")]).await.unwrap();
    working.clock.advance(11 * DAY + 15 * DAY / 24 - Duration::from_millis(1));
    assert_eq!(working.register.end_what_is_due().await.unwrap(), 0);
    working.clock.advance(Duration::from_millis(1));
    assert_eq!(working.register.end_what_is_due().await.unwrap(), 1);
    // 2026-12-31, the last day of the calendar: from there on every day counts as worked
    set(&working, WallTime(1_798_675_200_000));
    working.register.save_facts(ben, &[fact("b")]).await.unwrap();
    working.clock.advance(2 * DAY);
    assert_eq!(working.register.end_what_is_due().await.unwrap(), 1);
}

#[tokio::test]
async fn a_node_that_was_down_ends_what_was_due_when_it_starts_and_the_log_shows_how_late() {
    let world = world("trigger = \"collected\", after = \"P30D\"", "").await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(anna, &[fact("tea")]).await.unwrap();
    world.clock.advance(33 * DAY);
    let world = world.again_under(profile_that_ends(2, "trigger = \"collected\", after = \"P30D\"", "")).await;
    world.until_told(|event| matches!(event, Event::RetentionExecuted { .. })).await;
    assert_eq!(ended(&world).await, [("memory_summary".to_owned(), "erased".to_owned(), 3 * DAY)]);
    assert_eq!(certificate(&world, anna).await.keys.len(), 1);
    let leaves = world.leaves().await;
    let mut replay = Replay::new(profile_that_ends(2, "trigger = \"collected\", after = \"P30D\"", ""));
    leaves.iter().zip(0..).for_each(|(leaf, index)| replay.leaf(index, leaf));
    let ended = leaves.iter().position(|leaf| matches!(leaf.fact.event, Event::RetentionExecuted { .. }));
    assert_eq!(replay.finish().overstayed, [ended.unwrap() as u64], "an auditor sees that it was late");

    let due = leaves.iter().position(|leaf| matches!(leaf.fact.event, Event::RetentionDue { .. }));
    let told = leaves.iter().filter(|leaf| !matches!(leaf.fact.event, Event::RetentionExecuted { .. }));
    let mut replay = Replay::new(profile_that_ends(2, "trigger = \"collected\", after = \"P30D\"", ""));
    told.zip(0..).for_each(|(leaf, index)| replay.leaf(index, leaf));
    assert_eq!(replay.finish().overstayed, [due.unwrap() as u64], "and that it never ended");
}

#[tokio::test]
async fn a_revision_that_shortens_the_rule_reaches_what_is_stored() {
    let world = world("trigger = \"collected\", after = \"P1Y\"", "").await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(anna, &[fact("tea")]).await.unwrap();
    world.clock.advance(31 * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0);
    let shorter = profile_that_ends(3, "trigger = \"collected\", after = \"P30D\"", "");
    world.register.publish(shorter.clone()).await.unwrap();
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
    let mut replay = Replay::new(shorter);
    leaves_of(world.register.journal()).await.iter().zip(0..).for_each(|(leaf, index)| replay.leaf(index, leaf));
    assert_eq!(replay.finish().overstayed, [0_u64; 0], "it could not end before the rule was in force");

    // a longer one reaches nobody who agreed to the shorter
    let ben = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(ben, &[fact("milk")]).await.unwrap();
    world.register.publish(profile_that_ends(4, "trigger = \"collected\", after = \"P1Y\"", "")).await.unwrap();
    world.clock.advance(30 * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
}

#[tokio::test]
async fn of_somebody_who_may_be_a_minor_it_ends_as_the_rule_for_minors_says() {
    let minors = "[minors.overrides.memory_summary]\nafter = \"P7D\"\n";
    let retention = "trigger = \"collected\", after = \"P1Y\"";
    let world = world(retention, minors).await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(anna, &[fact("tea")]).await.unwrap();
    world.clock.advance(8 * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0, "somebody of unknown age counts as an adult");
    let young = profile_that_ends(3, retention, minors);
    let young = young.text().replace("unknown_age = \"adult\"", "unknown_age = \"minor\"");
    world.register.publish(Arc::new(Profile::in_force_before(&young).unwrap())).await.unwrap();
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
}

#[tokio::test]
async fn a_test_platform_is_cleared() {
    let world = world("trigger = \"withdraw\", after = \"PT0S\"", "").await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(anna, &[fact("tea")]).await.unwrap();
    let max = "[retention]\ntest_platform_max = \"P7D\"";
    let trial = profile_that_ends(3, "trigger = \"withdraw\", after = \"PT0S\"", max);
    let trial = trial.text().replace("[profile]\n", "[profile]\ndeployment = \"test_platform\"\n");
    world.register.publish(Arc::new(Profile::in_force_before(&trial).unwrap())).await.unwrap();
    world.clock.advance(7 * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
}

#[tokio::test]
async fn evidence_ends_three_years_after_it_counts_no_more() {
    let world = World::new().await;
    let desk = Desk::open(world.register.clone());
    let (anna, ben) = (world.person(&[VOICE, MEMORY]).await, world.person(&[VOICE]).await);
    world.register.save_facts(anna, &[fact("tea")]).await.unwrap();
    let withdrawn = world.register.withdraw(anna, &[], Means::Voice).await.unwrap();
    world.register.until_certified(anna, Reference(withdrawn.id)).await.unwrap();
    let case = desk.receive(ben, RightKind::Copy, INTEGRATOR).await.unwrap().id;
    for step in [VERIFIED, Step::Accept, Step::Fulfil { is_partial: false }] {
        desk.step(ben, case, step, INTEGRATOR).await.unwrap();
    }
    assert_eq!((rows(&world, "consent").await, rows(&world, "withdrawal").await), (3, 1));
    // 2029-01-01, a leap year among them
    world.clock.advance((3 * 365 + 1) * DAY - Duration::from_secs(60));
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0);
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 5);
    assert_eq!(rows(&world, "consent").await, 1, "that which is in force stays");
    for table in ["withdrawal", "certificate", "request", "retention_due"] {
        assert_eq!(rows(&world, table).await, 0, "{table}");
    }
    assert!(world.state(ben).await.status(VOICE).is_valid());
    assert!(world.listen(ben).await.is_ok());
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_no_that_closes_a_yes_ends_its_record_too() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    world.answers(anna, &[VOICE], ConsentStatus::Refused).await;
    world.clock.advance((3 * 365 + 2) * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 2);
    assert_eq!(rows(&world, "consent").await, 0);
}

fn hold_of(subject: Option<SubjectId>, until: Option<WallTime>) -> HoldOrder {
    let category = Some(Category::MEMORY_SUMMARY);
    HoldOrder { subject, category, law: "cn-cpl:67, order 2026/17".to_owned(), by: "admin:legal".to_owned(), until }
}

#[tokio::test]
async fn what_is_held_ends_when_the_hold_is_released() {
    let world = world("trigger = \"collected\", after = \"P30D\"", "").await;
    let (anna, ben) = (world.person(&[VOICE, MEMORY]).await, world.person(&[VOICE, MEMORY]).await);
    for person in [anna, ben] {
        world.register.save_facts(person, &[fact("tea")]).await.unwrap();
    }
    let hold = world.register.set_hold(hold_of(Some(anna), None), INTEGRATOR).await.unwrap();
    world.clock.advance(31 * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1, "somebody else's ends");
    let world = world.again_under(profile_that_ends(2, "trigger = \"collected\", after = \"P30D\"", "")).await;
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0);
    assert_eq!(world.register.legal_holds().await, core::slice::from_ref(&hold), "a restart forgets no hold");
    assert_eq!(words(&world, anna).await, [""; 0], "it is kept, and used for nothing");
    assert_eq!(rows(&world, "facts").await, 1);
    world.clock.advance(DAY);
    world.register.release_hold(hold.id, INTEGRATOR).await.unwrap();
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
    assert_eq!(rows(&world, "facts").await, 0);
    let mut replay = Replay::new(profile_that_ends(2, "trigger = \"collected\", after = \"P30D\"", ""));
    world.leaves().await.iter().zip(0..).for_each(|(leaf, index)| replay.leaf(index, leaf));
    assert_eq!(replay.finish().overstayed.len(), 1, "that of somebody else, a day late; what was held is not late");
    let again = world.register.release_hold(hold.id, INTEGRATOR).await;
    assert!(matches!(again, Err(Error::Hold(HoldError::Unknown))));
}

#[tokio::test]
async fn a_withdrawal_stops_what_is_held_and_erases_it_after_the_hold() {
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(anna, &[fact("tea"), fact("milk")]).await.unwrap();
    let until = WallTime(world.clock.wall().0 + 10 * DAY.as_millis() as u64);
    world.register.set_hold(hold_of(None, Some(until)), INTEGRATOR).await.unwrap();
    // what is dropped is kept, and not read
    assert!(world.register.save_facts(anna, &[fact("milk")]).await.unwrap());
    assert_eq!(words(&world, anna).await, ["milk"]);
    let withdrawn = world.register.withdraw(anna, &[MEMORY], Means::Voice).await.unwrap();
    assert!(withdrawn.ok, "nothing moves any more, whatever is kept");
    world.answers(anna, &[MEMORY], ConsentStatus::Given).await;
    assert_eq!(words(&world, anna).await, [""; 0], "a new yes does not open what was taken back");
    assert!(!world.register.save_facts(anna, &[fact("new")]).await.unwrap());
    assert_eq!(rows(&world, "facts").await, 1);
    let of = Reference(withdrawn.id);
    assert_eq!(world.register.certificate(anna, of).await.unwrap(), None);
    assert!(world.register.is_erasing(anna, of).await.unwrap());

    world.clock.advance(10 * DAY);
    world.register.end_what_is_due().await.unwrap();
    let certificate = Certificate::parse(&world.register.until_certified(anna, of).await.unwrap()).unwrap();
    assert_eq!(certificate.grounds, [Ground::Withdrawal(withdrawn.id)]);
    assert_eq!(rows(&world, "facts").await, 0);
    assert!(world.register.save_facts(anna, &[fact("new")]).await.unwrap());
    let told = world.told_since(0).await;
    for event in ["legal_hold.set", "retention.held", "legal_hold.released", "erase.certified"] {
        assert!(told.contains(&event), "{event}: {told:?}");
    }
}

#[tokio::test]
async fn a_request_to_be_erased_is_answered_in_part_while_a_law_demands_that_it_is_kept() {
    let world = World::new().await;
    let desk = Desk::open(world.register.clone());
    let anna = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(anna, &[fact("tea")]).await.unwrap();
    let hold = world.register.set_hold(hold_of(Some(anna), None), INTEGRATOR).await.unwrap();
    let case = desk.receive(anna, RightKind::Erase, INTEGRATOR).await.unwrap().id;
    for step in [VERIFIED, Step::Accept] {
        desk.step(anna, case, step, INTEGRATOR).await.unwrap();
    }
    world.until_told(|event| matches!(event, Event::Request { step: RequestStep::Fulfilled, .. })).await;
    let detail = world.leaves().await.into_iter().find_map(|leaf| match leaf.fact.event {
        Event::Request { step: RequestStep::Fulfilled, detail, .. } => Some(detail.to_string()),
        _ => None,
    });
    assert_eq!(detail.as_deref(), Some("legal_hold"));
    assert_eq!(desk.of(anna).await.unwrap()[0].standing, Standing::PartlyFulfilled);
    assert_eq!(world.state(anna).await.status(MEMORY), ConsentStatus::Withdrawn, "what can be done is done");
    assert_eq!(rows(&world, "facts").await, 1);
    // they may agree again, and that is not taken back for the old request
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    world.register.release_hold(hold.id, INTEGRATOR).await.unwrap();
    let certificate = world.register.until_certified(anna, case).await.unwrap();
    assert!(Certificate::parse(&certificate).unwrap().grounds.contains(&Ground::Request(case.0)));
    assert_eq!(rows(&world, "facts").await, 0);
    assert!(world.state(anna).await.status(VOICE).is_valid());
}

#[tokio::test]
async fn what_was_saved_before_each_fact_had_its_moment_counts_from_the_first_yes() {
    let world = world("trigger = \"collected\", after = \"P30D\"", "").await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    let agreed = world.clock.wall();
    world.clock.advance(20 * DAY);
    let clear = [&[0, 1][..], br#"[["tea","of tea"]]"#].concat();
    let row = Prefix::table("facts").then(&anna).into_key();
    world.local.commit(sayso_store::Batch::new().put(row, clear)).await.unwrap();
    assert_eq!(
        world.register.remembered(anna).await.unwrap(),
        [Remembered::new("tea".into(), "of tea".into(), agreed)]
    );
    let world = world.again_under(profile_that_ends(2, "trigger = \"collected\", after = \"P30D\"", "")).await;
    assert_eq!(
        world.register.remembered(anna).await.unwrap(),
        [Remembered::new("tea".into(), "of tea".into(), agreed)]
    );
    world.clock.advance(10 * DAY);
    // the node's own look, which marks what is stored when it starts, may still be at it
    let ends = async {
        while rows(&world, "facts").await > 0 {
            world.register.end_what_is_due().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ends).await.expect("it ends");
}
