//! What is anonymised when its time is over leads to nobody, on virtual time.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Actor, Anonymised, AnonymisedStep, Event, Leaf, LineageEvent, Reference};
use sayso_consent::switch::{Position, Target, Throw};
use sayso_consent::{Means, Replay};
use sayso_policy::Profile;
use sayso_store::{Prefix, Store};
use sayso_types::{Category, Name, SubjectId};

use crate::world::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The profile to test with, that has what is remembered anonymised after ten days, in classes of `k` people.
pub(crate) fn profile_that_anonymises(rev: u32, k: u32) -> Arc<Profile> {
    Arc::new(Profile::in_force_before(&text_that_anonymises(rev, k)).unwrap())
}

fn text_that_anonymises(rev: u32, k: u32) -> String {
    let of_memory = "retention = { trigger = \"withdraw\", after = \"PT0S\", action = \"erase\" }";
    let rule = "trigger = \"collected\", after = \"P10D\", action = \"anonymise\", by = \"monthly_counts@1\"";
    let text = profile_text().replace(of_memory, &format!("retention = {{ {rule}, k = {k} }}"));
    text.replace("rev = 1", &format!("rev = {rev}"))
}

async fn world() -> World {
    let world = World::new().await;
    world.register.publish(profile_that_anonymises(2, 12)).await.unwrap();
    world
}

/// People, each of whom has `facts` things remembered.
async fn people(world: &World, count: usize, facts: usize) -> Vec<SubjectId> {
    let mut people = Vec::new();
    for _ in 0..count {
        let person = world.person(&[VOICE, MEMORY]).await;
        remembers(world, person, facts).await;
        people.push(person);
    }
    people
}

async fn remembers(world: &World, person: SubjectId, facts: usize) {
    let facts: Vec<_> = (0..facts).map(|i| (format!("canary {i}"), "of somebody".to_owned())).collect();
    assert!(world.register.save_facts(person, &facts).await.unwrap());
}

/// Lets `days` pass, and what is due end.
async fn pass(world: &World, days: u32) {
    world.clock.advance(days * DAY);
    world.register.end_what_is_due().await.unwrap();
}

async fn steps(world: &World) -> Vec<Anonymised> {
    let leaves = world.leaves().await.into_iter();
    let of = |event| if let Event::Anonymised(anonymised) = event { Some(anonymised) } else { None };
    leaves.filter_map(|leaf| of(leaf.fact.event)).collect()
}

async fn how(world: &World) -> Vec<String> {
    let leaves = world.leaves().await.into_iter();
    let of = |event| if let Event::RetentionExecuted { how, .. } = event { Some(how.to_string()) } else { None };
    leaves.filter_map(|leaf| of(leaf.fact.event)).collect()
}

/// Rows of `table`.
async fn rows(world: &World, table: &'static str) -> usize {
    world.local.scan((&Prefix::table(table)).into(), 100).await.unwrap().entries.len()
}

#[tokio::test]
async fn enough_people_are_a_number_that_leads_to_nobody() {
    let world = world().await;
    let everybody = people(&world, 13, 3).await;
    let few = [people(&world, 2, 1).await, people(&world, 10, 10).await].concat();
    pass(&world, 10).await;
    assert_eq!(rows(&world, "facts").await, 0, "the records themselves are gone");
    assert_eq!(how(&world).await, ["anonymised"; 25]);
    assert!(steps(&world).await.iter().all(|step| step.step == AnonymisedStep::HandedOn && step.people == 1));
    assert_eq!(world.register.anonymised().await.unwrap(), [], "nothing is released of a month that goes on");
    // nor does what is counted name anybody
    for entry in world.local.scan((&Prefix::table("anonymised_count")).into(), 100).await.unwrap().entries {
        let bytes = [entry.key.as_bytes(), &entry.value].concat();
        let names = |person: &SubjectId| bytes.windows(16).any(|part| part == person.0);
        assert!(!everybody.iter().chain(&few).any(names) && !bytes.windows(6).any(|part| part == b"canary"));
    }

    let world = world.again_under(profile_that_anonymises(2, 12)).await;
    pass(&world, 31).await;
    let released = world.register.anonymised().await.unwrap();
    let [statistic] = released.as_slice() else { panic!("{released:?}") };
    assert_eq!((statistic.by.as_str(), statistic.k, statistic.tenant.as_str()), ("monthly_counts@1", 12, "acme"));
    let [class] = statistic.classes() else { panic!("{statistic:?}") };
    assert_eq!((class.people, class.class.entries.name()), (13, "few"), "the others are not in it");
    let report = statistic.data.as_ref().unwrap().report();
    assert!(report.is_passed());
    assert_eq!((report.k, report.people, report.smallest, report.unique), (12, 13, 13, 0));
    assert_eq!((report.classes, report.linked_among.get()), (1, 13));
    assert_eq!(report.left_out.map(core::num::NonZeroU64::get), Some(12));
    let told: Vec<_> = steps(&world).await.iter().skip(25).map(|told| (told.step, told.people)).collect();
    assert_eq!(told, [(AnonymisedStep::Released, 13), (AnonymisedStep::TooFew, 0)]);
    assert_eq!(rows(&world, "anonymised_count").await, 0);
    pass(&world, 31).await;
    assert_eq!(world.register.anonymised().await.unwrap(), released, "once");
    spotless(verify(world.again_under(profile_that_anonymises(2, 12)).await.journal()).await);
}

/// The log tells that fifteen people were counted: whoever takes away the thirteen would find the other two.
#[tokio::test]
async fn enough_people_are_not_released_by_whom_too_few_others_would_be_found() {
    let world = world().await;
    people(&world, 13, 3).await;
    people(&world, 2, 1).await;
    pass(&world, 10).await;
    pass(&world, 31).await;
    let released = world.register.anonymised().await.unwrap();
    assert_eq!((released.len(), released[0].data.as_ref()), (1, None));
    let told = steps(&world).await.pop().unwrap();
    assert_eq!((told.step, told.people, told.report), (AnonymisedStep::TooFew, 0, None));
}

#[tokio::test]
async fn where_too_few_are_alike_all_is_erased_and_the_log_says_so() {
    let world = world().await;
    people(&world, 11, 3).await;
    pass(&world, 10).await;
    pass(&world, 31).await;
    let released = world.register.anonymised().await.unwrap();
    assert_eq!((released.len(), released[0].data.as_ref(), released[0].k), (1, None, 12));
    let told = steps(&world).await.pop().unwrap();
    assert_eq!((told.step, told.people, told.report), (AnonymisedStep::TooFew, 0, None));
    assert_eq!((rows(&world, "anonymised_count").await, rows(&world, "facts").await), (0, 0));
}

#[tokio::test]
async fn of_whoever_withdrew_or_dropped_it_nothing_is_handed_on() {
    let world = world().await;
    let everybody = people(&world, 13, 1).await;
    assert!(world.register.withdraw(everybody[0], &[MEMORY], Means::Voice).await.unwrap().ok);
    assert!(world.register.save_facts(everybody[1], &[]).await.unwrap());
    pass(&world, 10).await;
    assert_eq!(steps(&world).await.len(), 11);
    pass(&world, 31).await;
    assert_eq!(world.register.anonymised().await.unwrap()[0].data, None, "eleven are too few for twelve");
}

#[tokio::test]
async fn a_person_counts_once() {
    let world = world().await;
    let everybody = people(&world, 11, 1).await;
    pass(&world, 10).await;
    // one of them agrees still, and comes back as often as it takes
    for _ in 0..2 {
        remembers(&world, everybody[0], 1).await;
        pass(&world, 10).await;
    }
    assert_eq!(how(&world).await[11..], ["erased", "erased"]);
    pass(&world, 31).await;
    assert_eq!(world.register.anonymised().await.unwrap()[0].data, None, "eleven people, whatever they do");
}

#[tokio::test]
async fn whoever_agreed_to_erasure_is_erased() {
    let world = World::new().await;
    let early = people(&world, 13, 1).await;
    world.register.publish(profile_that_anonymises(2, 12)).await.unwrap();
    pass(&world, 10).await;
    assert_eq!((steps(&world).await.len(), how(&world).await), (0, vec!["erased".to_owned(); early.len()]));
}

#[tokio::test]
async fn whom_the_policy_lets_into_no_statistics_is_not_counted() {
    // the place is switched off; the category is
    for target in [Target::Processor(processor("store-local")), Target::Category(Category::MEMORY_SUMMARY)] {
        let world = World::new().await;
        world.register.publish(profile_that_anonymises(2, 12)).await.unwrap();
        people(&world, 13, 1).await;
        let throw = Throw { target, to: Position::Off, reason: Name::constant("leak"), incident: None };
        world.register.throw(throw, Actor::SYSTEM).await.unwrap();
        pass(&world, 10).await;
        assert_eq!((steps(&world).await.len(), how(&world).await), (0, vec!["erased".to_owned(); 13]));
        assert_eq!(rows(&world, "anonymised_count").await, 0);
    }
}

#[tokio::test]
async fn what_is_switched_off_is_released_when_it_is_on_again() {
    let world = world().await;
    people(&world, 12, 1).await;
    pass(&world, 10).await;
    let throw = |to| {
        let target = Target::Tenant("acme".parse().unwrap());
        Throw { target, to, reason: Name::constant("leak"), incident: None }
    };
    world.register.throw(throw(Position::Off), Actor::SYSTEM).await.unwrap();
    pass(&world, 31).await;
    assert_eq!(world.register.anonymised().await.unwrap(), []);
    world.register.throw(throw(Position::On), Actor::SYSTEM).await.unwrap();
    pass(&world, 1).await;
    assert_eq!(world.register.anonymised().await.unwrap()[0].classes()[0].people, 12);
}

/// What an auditor with `profile` finds in `leaves` that it did not allow, and how much it looked at.
fn replayed(leaves: &[Leaf], profile: Arc<Profile>) -> (u64, Vec<u64>) {
    let mut replay = Replay::new(profile);
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    let found = replay.finish();
    (found.checked, found.denied)
}

#[tokio::test]
async fn an_auditor_with_the_profile_finds_who_was_counted_and_must_not_have_been() {
    let (world, profile) = (world().await, profile_that_anonymises(2, 12));
    people(&world, 13, 3).await;
    pass(&world, 10).await;
    pass(&world, 31).await;
    let leaves = world.leaves().await;
    assert_eq!(
        replayed(&leaves, profile.clone()),
        (27, vec![]),
        "what thirteen people had remembered, they, and what was released of them"
    );

    let place = |is: &dyn Fn(&Event) -> bool| leaves.iter().position(|leaf| is(&leaf.fact.event)).unwrap();
    let counted = place(&|event| matches!(event, Event::Anonymised(one) if one.step == AnonymisedStep::HandedOn));
    let released = place(&|event| matches!(event, Event::Anonymised(one) if one.step == AnonymisedStep::Released));
    let mut withdrew = leaves.clone();
    let person = withdrew[counted].fact.subject;
    let agreed = withdrew.iter().rposition(|leaf| {
        leaf.fact.subject == person
            && matches!(&leaf.fact.event, Event::ConsentGiven { purpose, .. } if *purpose == MEMORY)
    });
    let agreed = &mut withdrew[agreed.unwrap()].fact.event;
    *agreed = Event::ConsentExpired { record: Reference([1; 16]), purpose: MEMORY };
    let remembered = leaves.iter().position(|leaf| {
        leaf.fact.subject == person && matches!(leaf.fact.event, Event::Lineage(LineageEvent::Written { .. }))
    });
    let against = [remembered.unwrap() as u64, counted as u64];
    assert_eq!(replayed(&withdrew, profile.clone()).1, against, "their consent had ended");

    let mut few = leaves.clone();
    if let Event::Anonymised(one) = &mut few[released].fact.event {
        one.people = 11;
    }
    assert_eq!(replayed(&few, profile.clone()).1, [released as u64], "fewer than the profile asks for");

    let mut other = leaves;
    if let Event::Anonymised(one) = &mut other[counted].fact.event {
        one.category = Category::VOICE_AUDIO;
    }
    assert_eq!(replayed(&other, profile).1, [counted as u64], "the profile has it erased");
}
