//! People whose data goes overseas are counted, each once a year; one too many is refused, and the processor has no more.

use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, FlowEvent, Hash, Leaf};
use sayso_consent::switch::{NotThrown, Position, Target, Throw};
use sayso_consent::{Ask, Denied, Error, Options, Replay, Replayed};
use sayso_policy::pages::processor_page;
use sayso_policy::{People, Profile, Reason, Tongue};
use sayso_store::{Prefix, Store};
use sayso_types::{Name, Purpose, SubjectId};

use crate::keeping::{is_denied, json, keep};
use crate::set_clock::{HOUR, NOON, SetClock};
use crate::world::{VOICE, World, ask, processor};

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };
const YEAR: u64 = 365 * 24 * HOUR;

/// The profile to test with as revision `rev`, whose recogniser stands overseas, may have `most` people's sensitive data by
/// `mechanism`, and does not stand under any law that asks for more.
pub(crate) fn profile_that_exports(rev: u32, most: u32, mechanism: &str) -> Arc<Profile> {
    Arc::new(Profile::in_force_before(&text_that_exports(rev, most, mechanism)).unwrap())
}

/// What it says.
fn text_that_exports(rev: u32, most: u32, mechanism: &str) -> String {
    let near = "region = \"home\", region_class = \"local\", accepts = [\"voice_audio\"], purposes = \
                [\"consent_answer\", \"voice_interaction\"]";
    // what people answer when they are asked stays near
    let far = format!(
        "region = \"US\", region_class = \"overseas\", mechanism = \"{mechanism}\", accepts = [\"voice_audio\"], \
         purposes = [\"voice_interaction\"]"
    );
    let text = include_str!("../profile.toml").replacen(near, &far, 1).replacen("rev = 1", &format!("rev = {rev}"), 1);
    format!("{text}\n[transfers]\noverseas = true\nsensitive_subjects_max = {most}\n")
}

/// A node whose recogniser may have two people's data, on a clock of its own.
async fn setting() -> (World, Arc<SetClock>) {
    let clock = Arc::new(SetClock::at(NOON));
    let world = World::with_clock(clock.clone(), Options::default()).await;
    world.register.publish(profile_that_exports(2, 2, "certification")).await.unwrap();
    (world, clock)
}

async fn voice(world: &World, person: SubjectId) -> Ask {
    ask(person, world.state(person).await.cv)
}

async fn is_beyond(world: &World, person: SubjectId) -> bool {
    match world.register.acquire(voice(world, person).await).await {
        Ok(_) => false,
        Err(Denied::Policy(Reason::TransferLimit)) => true,
        Err(other) => panic!("neither: {other:?}"),
    }
}

async fn people(world: &World) -> People {
    let (_, counted) = world.register.transfers_of(None).await.unwrap();
    assert_eq!(counted.there(processor("whisper-local")), counted.together, "there is one receiver");
    counted.together
}

/// How many rows of people there are.
async fn rows(world: &World) -> usize {
    world.local.scan(Prefix::table("transfer").into(), 100).await.unwrap().entries.len()
}

fn replay(leaves: &[Leaf], profile: Arc<Profile>) -> Replayed {
    let mut replay = Replay::new(profile);
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    replay.finish()
}

/// What is told where one person more than may comes, and at the turn of the year.
pub(crate) async fn told_at_the_limit() -> Vec<Leaf> {
    let (world, clock) = setting().await;
    for is_one_too_many in [false, false, true] {
        let person = world.person(&[VOICE]).await;
        assert_eq!(is_beyond(&world, person).await, is_one_too_many);
    }
    clock.set(NOON + YEAR);
    world.register.note_due_diligence().await.unwrap();
    world.leaves().await
}

#[tokio::test]
async fn one_person_too_many_is_refused_and_nothing_about_anybody_goes_there_any_more() {
    let (world, _) = setting().await;
    let (anna, ben, carl) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    for person in [anna, anna, ben, anna] {
        assert!(!is_beyond(&world, person).await);
    }
    assert_eq!(people(&world).await, People { persons: 2, sensitive: 2 });
    let in_use = world.register.acquire(voice(&world, ben).await).await.unwrap();
    assert!(world.register.switches().await.unwrap().is_empty());

    assert!(is_beyond(&world, carl).await);
    assert_eq!(people(&world).await, People { persons: 2, sensitive: 2 }, "nobody who was refused is counted");
    assert!(!in_use.permit().is_open(), "what was in use is taken back");
    assert!(is_beyond(&world, anna).await, "the processor has nothing more about anybody");
    let switches = world.register.switches().await.unwrap();
    let [switch] = switches.as_slice() else { panic!("one switch: {switches:?}") };
    assert_eq!(switch.position, Position::TransferLimitReached);
    drop(in_use);

    let on = Throw { target: switch.target.clone(), to: Position::On, reason: Name::constant("wish"), incident: None };
    let refused = world.register.throw(on, OPERATOR).await;
    assert!(matches!(refused, Err(Error::NotThrown(NotThrown::LimitReached))), "{refused:?}");

    let leaves = world.leaves().await;
    let told = leaves.iter().filter_map(|leaf| match &leaf.fact.event {
        Event::Flow(FlowEvent::CrossBorder { how, persons, .. }) => Some((how.as_str(), *persons)),
        Event::GateDenied { reason, .. } => Some((reason.as_str(), 0)),
        Event::ProcessorChanged { change, .. } => Some((change.name(), 0)),
        _ => None,
    });
    let mut told: Vec<_> = told.collect();
    told.retain(|(what, _)| *what != "transfer_limit");
    assert_eq!(told, [("counted", 1), ("near_limit", 2), ("processor.transfer_limit_reached", 0)]);
    let replayed = replay(&leaves, profile_that_exports(2, 2, "certification"));
    assert_eq!((replayed.checked, replayed.denied.len()), (5, 0));
}

#[tokio::test]
async fn a_restart_counts_nobody_twice_and_a_new_year_starts_anew() {
    let (world, _) = setting().await;
    let (anna, ben) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    assert!(!is_beyond(&world, anna).await && !is_beyond(&world, ben).await);
    let world = world.again_under(profile_that_exports(2, 2, "certification")).await;
    assert!(!is_beyond(&world, anna).await);
    assert_eq!((people(&world).await.persons, rows(&world).await), (2, 2));
    let carl = world.person(&[VOICE]).await;
    assert!(is_beyond(&world, carl).await);
    let world = world.again_under(profile_that_exports(2, 2, "certification")).await;
    assert!(is_beyond(&world, ben).await, "it stays turned off");

    world.clock.advance(core::time::Duration::from_millis(YEAR));
    assert_eq!(world.register.note_due_diligence().await.unwrap(), 1);
    assert_eq!((people(&world).await.persons, rows(&world).await), (0, 0), "their rows went with the year");
    assert!(!is_beyond(&world, carl).await && !is_beyond(&world, ben).await);
    assert!(is_beyond(&world, anna).await);
    let last = world.register.profile().year_of(world.register_clock()) - 1;
    let (_, counted) = world.register.transfers_of(Some(last)).await.unwrap();
    assert_eq!(counted.together.persons, 2, "the numbers stay");
}

#[tokio::test]
async fn another_means_opens_it_again_and_an_assessed_one_has_no_limit() {
    let (world, _) = setting().await;
    for is_one_too_many in [false, false, true] {
        let person = world.person(&[VOICE]).await;
        assert_eq!(is_beyond(&world, person).await, is_one_too_many);
    }
    world.register.publish(profile_that_exports(3, 2, "security_assessment")).await.unwrap();
    for _ in 0..3 {
        let person = world.person(&[VOICE]).await;
        assert!(!is_beyond(&world, person).await);
    }
    assert_eq!(people(&world).await.persons, 5);
}

#[tokio::test]
async fn people_who_come_at_once_are_counted_one_after_the_other() {
    let (world, _) = setting().await;
    let people_at_once = futures::future::join_all((0..8).map(|_| world.person(&[VOICE]))).await;
    let asked = futures::future::join_all(people_at_once.into_iter().map(|person| voice(&world, person))).await;
    let leases = futures::future::join_all(asked.into_iter().map(|asked| world.register.acquire(asked))).await;
    let refused = leases.iter().filter(|lease| matches!(lease, Err(Denied::Policy(Reason::TransferLimit)))).count();
    assert!(refused >= 6, "{refused} were refused");
    assert_eq!(people(&world).await.persons, 2);
    let opened = world.told_since(0).await.into_iter().filter(|told| *told == "transfer.cross_border").count();
    assert_eq!(opened, 2);
}

/// XZ-4.6c: to whom, by which means and method, and how rights are used there is to be read before anything leaves.
#[tokio::test]
async fn a_receiver_abroad_is_on_the_page_and_on_record_before_anything_goes_there() {
    let world = World::new().await;
    let page = |tongue| {
        let revisions = world.register.revisions();
        processor_page(revisions.newest().document(), revisions.registry(), tongue)
    };
    let says = [
        (Tongue::English, ["abroad", "| Transfer by |", "| How it is processed |", "| Your rights there |"]),
        (Tongue::Chinese, ["境外", "| 出境依据 |", "| 处理方式 |", "| 如何向其行使权利 |"]),
    ];
    for (tongue, rows) in says {
        assert!(rows.iter().all(|row| !page(tongue).contains(row)), "{}", page(tongue));
    }
    let far = profile_that_exports(2, 2, "certification");
    world.register.publish(far.clone()).await.unwrap();
    for (tongue, rows) in says {
        assert!(rows.iter().all(|row| page(tongue).contains(row)), "{}", page(tongue));
    }
    let anna = world.person(&[VOICE]).await;
    drop(world.listen(anna).await.unwrap());
    let leaves = world.leaves().await;
    let at = |is: &dyn Fn(&Event) -> bool| leaves.iter().position(|leaf| is(&leaf.fact.event)).unwrap();
    let there = processor("whisper-local");
    let in_force = at(&|event| *event == Event::PolicyEffective { profile: Hash(far.hash().0) });
    let opened = at(&|event| matches!(event, Event::SegmentOpened { processor, .. } if *processor == there));
    assert!(in_force < opened, "what the page says is in force at {in_force}, and the first byte left after {opened}");
}

#[tokio::test]
async fn an_auditor_finds_who_went_beyond_the_limit() {
    let clock = Arc::new(SetClock::at(NOON));
    let world = World::with_clock(clock, Options::default()).await;
    let lax = profile_that_exports(2, 3, "certification");
    world.register.publish(lax.clone()).await.unwrap();
    for _ in 0..3 {
        let person = world.person(&[VOICE]).await;
        assert!(!is_beyond(&world, person).await);
    }
    let mut leaves = world.leaves().await;
    assert_eq!(replay(&leaves, lax).denied, [0; 0]);
    // a node that has another limit in its profile than it keeps to
    let strict = profile_that_exports(2, 2, "certification");
    for leaf in &mut leaves {
        if let Event::PolicyEffective { profile } = &mut leaf.fact.event {
            *profile = Hash(strict.hash().0);
        }
    }
    let opened = |leaf: &Leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. });
    let last = leaves.iter().rposition(opened).unwrap() as u64;
    assert_eq!(replay(&leaves, strict).denied, [last]);
}

#[tokio::test]
async fn what_stays_near_is_not_counted() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    drop(world.listen(anna).await.unwrap());
    assert_eq!((people(&world).await, rows(&world).await), (People::default(), 0));
    let target = Target::Processor(processor("whisper-local"));
    assert!(world.register.switches().await.unwrap().iter().all(|switch| switch.target != target));
}

#[tokio::test]
async fn turned_off_in_between_it_has_no_more_room_than_before() {
    let (world, _) = setting().await;
    for is_one_too_many in [false, false, true] {
        let person = world.person(&[VOICE]).await;
        assert_eq!(is_beyond(&world, person).await, is_one_too_many);
    }
    let throw = |to| {
        let (target, reason) = (Target::Processor(processor("whisper-local")), Name::constant("wish"));
        world.register.throw(Throw { target, to, reason, incident: None }, OPERATOR)
    };
    throw(Position::Off).await.unwrap();
    let refused = throw(Position::On).await;
    assert!(matches!(refused, Err(Error::NotThrown(NotThrown::LimitReached))), "{refused:?}");
    world.register.publish(profile_that_exports(3, 3, "certification")).await.unwrap();
    throw(Position::On).await.unwrap();
}

/// The same profile with a store overseas for what is kept of conversations.
fn profile_that_keeps_far(rev: u32) -> Arc<Profile> {
    let text = text_that_exports(rev, 2, "certification");
    let purpose = "purpose = [\n  { id = \"history\", dpv = \"RequestedServiceProvision\", basis = \"Consent\" },";
    let store = "processor = [\n  { id = \"store-far\", kind = \"database\", party = \"A Store\", contact = \"privacy@store.example\", \
                 region = \"US\", region_class = \"overseas\", mechanism = \"certification\", accepts = [\"chat_history\"], \
                 purposes = [\"history\"], state = \"active\", trains_on_data = false, declared_retention = \"P30D\" },";
    let text = text.replacen("\npurpose = [", &format!("\n{purpose}"), 1);
    let text = text.replacen("\nprocessor = [", &format!("\n{store}"), 1);
    let category = "[category.chat_history]\ndpv = [\"pd:Communication\"]\nsensitivity = \"high\"\npurposes = [\"history\"]\n\
                    necessity = \"Optional\"\nat_rest = \"allowed\"\n\
                    retention = { trigger = \"withdraw\", after = \"PT0S\", action = \"erase\" }\n";
    Arc::new(Profile::in_force_before(&format!("{text}\n{category}")).unwrap())
}

#[tokio::test]
async fn nothing_is_kept_where_it_would_cross_a_border_uncounted() {
    let (world, _) = setting().await;
    world.register.publish(profile_that_keeps_far(3)).await.unwrap();
    let anna = world.person(&[Purpose::HISTORY]).await;
    let kept = keep(&world, anna, json("chat_history", "history", "{}")).await;
    assert!(is_denied(&kept, Reason::Region), "{kept:?}");
    assert_eq!(people(&world).await, People::default());
}
