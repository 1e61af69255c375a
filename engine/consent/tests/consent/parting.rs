//! Taking back a part: what is in it stops as with every withdrawal, the rest goes on, and it stays taken back until it is given
//! again by name.

use std::sync::Arc;

use sayso_audit::{ControlEvent, Event, Leaf, Scope};
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::register::PARTS_MAX;
use sayso_consent::{Ask, Denied, Error, Lease, Means, Replay, Withdrawal};
use sayso_policy::{ConsentStatus, Gate, PartStatus, Profile, Reason, Refused};
use sayso_proto::consent::v1 as proto;
use sayso_store::Store as _;
use sayso_types::{Category, Name, Part, ProcessorId, ProcessorKind, Purpose, RegionClass, SubjectId};

use crate::erasing::{facts, row};
use crate::world::*;

const ANY: Part = Part { purpose: None, category: None, processor: None, kind: None, region: None };

/// The person's voice to the recogniser of the house.
fn voice_to_whisper() -> Part {
    Part { category: Some(Category::VOICE_AUDIO), processor: Some(processor("whisper-local")), ..ANY }
}

/// A second recogniser, further away, stands beside the one of the house.
fn two_recognisers() -> Arc<Profile> {
    let own = r#"  { id = "whisper-local", kind = "asr""#;
    let other = r#"  { id = "far", kind = "asr", party = "operator", region = "CN", region_class = "domestic", accepts = ["voice_audio"], purposes = ["voice_interaction"], state = "active", trains_on_data = false, declared_retention = "PT0S" },"#;
    let text = profile_text();
    assert!(text.contains(own), "{text}");
    Arc::new(Profile::parse(&text.replacen(own, &format!("{other}\n{own}"), 1)).unwrap())
}

async fn world() -> World {
    World::under(two_recognisers()).await
}

async fn to(world: &World, subject: SubjectId, processor: ProcessorId) -> Result<Lease, Denied> {
    let cv = world.state(subject).await.cv;
    world.register.acquire(Ask { processor, ..ask(subject, cv) }).await
}

async fn took_back(world: &World, subject: SubjectId, parts: &[Part]) -> Withdrawal {
    world.register.withdraw_parts(subject, parts, Means::Voice).await.unwrap()
}

fn replayed(leaves: &[Leaf]) -> Vec<u64> {
    let mut replay = Replay::new(two_recognisers());
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    replay.finish().denied
}

#[tokio::test]
async fn what_is_in_it_stops_in_mid_word_and_the_rest_goes_on() {
    let world = world().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    let asked = ask(anna, world.state(anna).await.cv);
    let far = Ask { processor: processor("far"), ..asked };
    let (here, there) = (world.register.acquire(asked).await.unwrap(), world.register.acquire(far).await.unwrap());
    here.permit().pass(frame(&asked), drop).unwrap();
    let from = world.size().await;
    let part = voice_to_whisper();
    let parts = [part];
    let (done, ()) = tokio::join!(took_back(&world, anna, &parts), async {
        here.revoked().await;
        assert_eq!(here.permit().pass(frame(&asked), drop), Err(Refused::Revoked));
        drop(here);
    });
    assert!(done.ok);
    let [holder] = done.holders.as_slice() else { panic!("one holder") };
    assert_eq!((holder.processor_id.as_str(), holder.state()), ("whisper-local", proto::HolderState::Acknowledged));
    assert_eq!(done.bytes(), FRAME);
    there.permit().pass(frame(&far), drop).unwrap();
    there.finish("done");

    let state = world.state(anna).await;
    assert_eq!((state.status(VOICE), state.status(MEMORY)), (ConsentStatus::Given, ConsentStatus::Given));
    assert_eq!(state.taken_back().collect::<Vec<_>>(), [part]);
    let denied = to(&world, anna, processor("whisper-local")).await.unwrap_err();
    assert!(matches!(denied, Denied::Policy(Reason::TakenBack)), "{denied}");
    to(&world, anna, processor("far")).await.unwrap().finish("done");

    let told = world.told_since(from).await;
    assert_eq!(told[..3], ["withdraw.requested", "egress.segment_closed", "withdraw.effective"]);
    let leaves = world.leaves().await;
    let scope = Scope::Part(part);
    let withdrawal = sayso_audit::Reference(done.id);
    assert_eq!(leaves[from as usize].fact.event, Event::WithdrawRequested { withdrawal, scope });

    let (_, records) = world.register.records(anna).await.unwrap();
    for record in &records {
        let event = record.events.last().unwrap();
        assert_eq!(event.status(), proto::ConsentStatus::Given, "what is left of it holds");
        assert_eq!(event.taken_back, [sayso_consent::record::part::write(&part)]);
    }
    assert!(replayed(&world.leaves().await).is_empty());
    world.ends_spotless_under(two_recognisers()).await;
}

#[tokio::test]
async fn it_is_pending_while_somebody_has_not_let_go_and_is_completed_at_the_next_start() {
    let world = World::impatient().await;
    let anna = world.person(&[VOICE]).await;
    let lease = world.listen(anna).await.unwrap();
    let part = voice_to_whisper();
    let pending = took_back(&world, anna, &[part]).await;
    assert!(!pending.ok && !lease.permit().is_open(), "nothing passes, whatever the answer");
    assert_eq!(pending.holders[0].state(), proto::HolderState::Outstanding);
    let standing = async |part| world.state(anna).await.parts.get(&part).copied();
    assert_eq!(standing(part).await, Some(PartStatus::Withdrawing));
    assert!(!took_back(&world, anna, &[part]).await.ok, "asking again tells how far it has come");
    let again = world.register.record_with(&answer(anna, &[VOICE], ConsentStatus::Given), &[part]).await;
    assert!(matches!(again, Err(Error::Withdrawing { .. })), "{again:?}");
    drop(lease);
    let done = took_back(&world, anna, &[part]).await;
    assert_eq!((done.ok, done.id, standing(part).await), (true, pending.id, Some(PartStatus::Withdrawn)));

    let (gate, category, of) = (Gate::Dialogue, Category::TRANSCRIPT, processor("rules-local"));
    let asked = Ask { gate, category, processor: of, ..ask(anna, done.state.cv) };
    let lease = world.register.acquire(asked).await.unwrap();
    let rules = Part { processor: Some(of), ..ANY };
    assert!(!took_back(&world, anna, &[rules]).await.ok);
    let reopened = world.reopened().await.unwrap();
    let state = reopened.state(anna).await.unwrap();
    assert_eq!(state.parts.get(&rules), Some(&PartStatus::Withdrawn), "whoever had it died with that process");
    drop(lease);
}

#[tokio::test]
async fn it_stays_taken_back_until_it_is_given_again_by_name() {
    let world = world().await;
    let anna = world.stranger().await;
    let afar = Part { region: Some(RegionClass::Domestic), kind: Some(ProcessorKind::Asr), ..ANY };
    assert!(took_back(&world, anna, &[afar, voice_to_whisper()]).await.ok, "also before anything is agreed to");
    let yes = |to: &[Purpose]| answer(anna, to, ConsentStatus::Given);
    world.register.record(&yes(&[VOICE])).await.unwrap();
    for id in ["whisper-local", "far"] {
        let denied = to(&world, anna, processor(id)).await.unwrap_err();
        assert!(matches!(denied, Denied::Policy(Reason::TakenBack)), "{id}: {denied}");
    }
    let other = Part { processor: Some(processor("rules-local")), ..ANY };
    let refused = world.register.record_with(&yes(&[VOICE]), &[other]).await.unwrap_err();
    assert!(matches!(&refused, Error::NotTakenBack(part) if **part == other), "{refused}");

    let from = world.size().await;
    // whoever gives a receiver everything again gives it their voice, too
    let whisper = Part { processor: Some(processor("whisper-local")), ..ANY };
    let state = world.register.record_with(&yes(&[VOICE]), &[whisper]).await.unwrap();
    assert_eq!(state.taken_back().collect::<Vec<_>>(), [afar]);
    to(&world, anna, processor("whisper-local")).await.unwrap().finish("done");
    assert!(to(&world, anna, processor("far")).await.is_err(), "what was not named stays taken back");
    let leaves = world.leaves().await;
    let given = leaves[from as usize..].iter().find_map(|leaf| match leaf.fact.event {
        Event::Control(ControlEvent::PartGiven { part, .. }) => Some(part),
        _ => None,
    });
    assert_eq!(given, Some(voice_to_whisper()));
    assert!(replayed(&leaves).is_empty());

    // a log that does not say so shows it
    let silent: Vec<_> = leaves
        .into_iter()
        .filter(|leaf| !matches!(leaf.fact.event, Event::Control(ControlEvent::PartGiven { .. })))
        .collect();
    let opened = silent.iter().rposition(|leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. })).unwrap();
    assert_eq!(replayed(&silent), [opened as u64]);
    world.ends_spotless_under(two_recognisers()).await;
}

#[tokio::test]
async fn what_came_in_before_it_was_given_again_stays_shut_out_of_it_and_of_nothing_else() {
    let world = world().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    let part = voice_to_whisper();
    assert!(took_back(&world, anna, &[part]).await.ok);
    let before = ask(anna, world.state(anna).await.cv);
    // what they say yes to is another purpose than that of what came in before
    let yes = answer(anna, &[MEMORY], ConsentStatus::Given);
    let now = world.register.record_with(&yes, &[part]).await.unwrap().cv;
    let denied = world.register.acquire(before).await.unwrap_err();
    assert!(matches!(denied, Denied::Policy(Reason::TakenBack)), "{denied}");
    world.register.acquire(Ask { processor: processor("far"), ..before }).await.unwrap().finish("done");
    world.register.acquire(ask(anna, now)).await.unwrap().finish("done");

    let (_, records) = world.register.records(anna).await.unwrap();
    let of_voice = records.iter().find(|record| record.purpose.as_ref().unwrap().purpose == VOICE.as_str()).unwrap();
    let [given, part_taken, part_given] = of_voice.events.as_slice() else { panic!("{:?}", of_voice.events) };
    for event in [given, part_taken, part_given] {
        assert_eq!(event.status(), proto::ConsentStatus::Given);
    }
    assert_eq!(
        [given, part_taken, part_given].map(|event| event.taken_back.len()),
        [0; 3],
        "nothing is taken back now"
    );
    assert!(replayed(&world.leaves().await).is_empty());
    world.ends_spotless_under(two_recognisers()).await;
}

#[tokio::test]
async fn nothing_that_is_remembered_is_kept_where_that_was_taken_back() {
    let world = World::new().await;
    let (anna, ben) = (world.person(&[VOICE, MEMORY]).await, world.person(&[VOICE, MEMORY]).await);
    for person in [anna, ben] {
        assert!(world.register.save_facts(person, &facts()).await.unwrap());
    }
    let kept = Part { purpose: Some(MEMORY), kind: Some(ProcessorKind::Database), ..ANY };
    let done = took_back(&world, anna, &[kept]).await;
    assert!(done.ok && done.state.status(MEMORY).is_valid());
    assert!(!world.register.save_facts(anna, &facts()).await.unwrap());
    world.register.until_certified(anna, sayso_audit::Reference(done.id)).await.unwrap();
    assert!(world.local.read(&[row(anna)]).await.unwrap()[0].is_none());
    assert!(world.local.read(&[row(ben)]).await.unwrap()[0].is_some(), "what others agreed to stays");
    world.ends_spotless().await;
}

/// A revision with a second place for what is remembered, further away, or without it.
fn with_far_store(rev: u32, is_there: bool) -> Arc<Profile> {
    let own = r#"  { id = "store-local", kind = "database""#;
    let far = r#"  { id = "store-far", kind = "database", party = "operator", region = "CN", region_class = "domestic", accepts = ["memory_summary"], purposes = ["memory"], state = "active", trains_on_data = false, declared_retention = "P1Y", deletion_api = true },"#;
    let text = profile_text().replacen("rev = 1", &format!("rev = {rev}"), 1);
    assert!(text.contains(own), "{text}");
    let text = if is_there { text.replacen(own, &format!("{far}\n{own}"), 1) } else { text };
    Arc::new(Profile::in_force_before(&text).unwrap())
}

/// What ended by a rule, and its certificate.
async fn ended_by_rule(world: &World, subject: SubjectId) -> Certificate {
    let ending = world.leaves().await.into_iter().find_map(|leaf| match leaf.fact.event {
        Event::RetentionExecuted { ending, .. } => Some(ending),
        _ => None,
    });
    let json = world.register.until_certified(subject, ending.expect("it is on record")).await.unwrap();
    Certificate::parse(&json).unwrap()
}

#[tokio::test]
async fn a_revision_that_takes_away_the_last_place_erases_what_was_remembered_there() {
    let world = World::under(with_far_store(1, true)).await;
    let (anna, ben) = (world.person(&[VOICE, MEMORY]).await, world.person(&[VOICE, MEMORY]).await);
    for person in [anna, ben] {
        assert!(world.register.save_facts(person, &facts()).await.unwrap());
    }
    let near = Part { purpose: Some(MEMORY), processor: Some(processor("store-local")), ..ANY };
    assert!(took_back(&world, anna, &[near]).await.ok);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(world.register.facts(anna).await.unwrap(), facts(), "there is another place");

    world.register.publish(with_far_store(2, false)).await.unwrap();
    assert_eq!(world.register.facts(anna).await.unwrap(), [], "nobody is told of it from that moment on");
    assert_eq!(world.register.end_what_is_due().await.unwrap(), facts().len() as u64);
    assert!(world.local.read(&[row(anna)]).await.unwrap()[0].is_none());
    let certificate = ended_by_rule(&world, anna).await;
    assert!(matches!(certificate.grounds[..], [Ground::Retention(_)]) && certificate.is_purged);
    assert_eq!((certificate.category, certificate.keys.len()), (Some(Category::MEMORY_SUMMARY), 1));
    assert_eq!(world.register.facts(ben).await.unwrap(), facts(), "what others agreed to stays");
    assert!(world.state(anna).await.status(MEMORY).is_valid(), "the rest of the consent stands");
    world.ends_spotless_under(with_far_store(2, false)).await;
}

#[tokio::test]
async fn a_revision_that_lets_nothing_be_remembered_erases_what_was_and_a_node_that_was_down_meanwhile_does() {
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(anna, &facts()).await.unwrap());
    let (remembers, of_memory) = ("at_rest = \"allowed\"\nderived_from", profile_text());
    assert!(of_memory.contains(remembers), "{of_memory}");
    let text =
        of_memory.replacen(remembers, "at_rest = \"forbidden\"\nderived_from", 1).replacen("rev = 1", "rev = 2", 1);
    let world = world.again_under(Arc::new(Profile::in_force_before(&text).unwrap())).await;
    world.until_told(|event| matches!(event, Event::RetentionExecuted { .. })).await;
    assert!(world.local.read(&[row(anna)]).await.unwrap()[0].is_none());
    assert_eq!(ended_by_rule(&world, anna).await.keys.len(), 1);
}

#[tokio::test]
async fn what_is_no_part_is_refused_and_there_are_no_more_than_so_many() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let name = Name::constant("nobody");
    let refuse = async |part| world.register.withdraw_parts(anna, &[part], Means::Voice).await.unwrap_err();
    assert!(matches!(refuse(ANY).await, Error::NotPartial));
    assert!(matches!(refuse(Part { purpose: Some(VOICE), ..ANY }).await, Error::NotPartial));
    assert!(matches!(
        refuse(Part { purpose: Some(Purpose::NOTICE), ..voice_to_whisper() }).await,
        Error::UnknownPurpose(_)
    ));
    let unknown = refuse(Part { processor: Some(ProcessorId(name)), ..ANY }).await;
    assert!(matches!(unknown, Error::UnknownPart { what: "processor", .. }), "{unknown}");
    let unknown = refuse(Part { category: Some(Category(name)), ..ANY }).await;
    assert!(matches!(unknown, Error::UnknownPart { what: "category", .. }), "{unknown}");
    assert!(world.state(anna).await.parts.is_empty());

    let regions = RegionClass::ALL.into_iter().flat_map(|region| {
        ProcessorKind::ALL.into_iter().flat_map(move |kind| {
            let part = Part { region: Some(region), kind: Some(kind), ..ANY };
            [part, Part { purpose: Some(VOICE), ..part }]
        })
    });
    let parts: Vec<_> = regions.take(PARTS_MAX).collect();
    assert_eq!(parts.len(), PARTS_MAX);
    assert!(took_back(&world, anna, &parts).await.ok);
    assert!(matches!(refuse(voice_to_whisper()).await, Error::TooManyParts));
    assert!(took_back(&world, anna, &parts[..1]).await.ok, "what is taken back may be taken back again");
}

#[tokio::test]
async fn a_log_in_which_something_goes_on_is_found_out() {
    let world = world().await;
    let anna = world.person(&[VOICE]).await;
    to(&world, anna, processor("whisper-local")).await.unwrap().finish("done");
    took_back(&world, anna, &[voice_to_whisper()]).await;
    world.until_told(|event| matches!(event, Event::SegmentClosed { .. })).await;
    let mut leaves = world.leaves().await;
    let is_of_it = |leaf: &Leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. } | Event::SegmentClosed { .. });
    let (segment, rest): (Vec<_>, Vec<_>) = leaves.drain(..).partition(is_of_it);
    let late: Vec<_> = rest.into_iter().chain(segment).collect();
    let opened = late.iter().position(|leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. })).unwrap();
    assert_eq!(replayed(&late), [opened as u64]);
}

#[tokio::test]
async fn as_many_parts_as_may_be_fit_into_a_record_and_everything_can_be_taken_back_after_them() {
    let world = World::under(two_recognisers()).await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    let kinds = ProcessorKind::ALL.into_iter();
    let parts: Vec<_> = kinds
        .flat_map(|kind| {
            RegionClass::ALL.map(|region| Part { kind: Some(kind), region: Some(region), ..Part::default() })
        })
        .take(PARTS_MAX)
        .collect();
    for _ in 0..8 {
        for some in parts.chunks(32) {
            assert!(world.register.withdraw_parts(anna, some, Means::Integrator).await.unwrap().ok);
        }
        assert_eq!(world.state(anna).await.taken_back().count(), parts.len());
        let yes = answer(anna, &[MEMORY], ConsentStatus::Given);
        world.register.record_with(&yes, &parts).await.unwrap();
    }
    let done = world.register.withdraw(anna, &[], Means::Integrator).await.unwrap();
    assert!(done.ok && !done.state.status(VOICE).is_valid());
    world.ends_spotless_under(two_recognisers()).await;
}
