//! A processor, a category or a tenant is turned off while people talk.

use std::env;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use sayso_audit::{Actor, ActorKind, Event, Leaf, Reference};
use sayso_consent::switch::{NotThrown, Position, Target, Throw};
use sayso_consent::{Ask, Denied, Error, Lease, Options, Replay, Replayed};
use sayso_policy::{ConsentStatus, Gate, Reason, Refused};
use sayso_types::{Category, Name, SubjectId};

use crate::faults::{Fault, die};
use crate::incidents::{profile_looked_at, profile_with_duties};
use crate::killed::last_words;
use crate::replaying::run_on;
use crate::set_clock::{HOUR, NOON, SetClock};
use crate::world::{FRAME, VOICE, World, answer, ask, frame, processor, profile};

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };
const DAY: u64 = 24 * HOUR;

fn off(target: Target) -> Throw {
    to(target, Position::Off)
}

fn to(target: Target, to: Position) -> Throw {
    Throw { target, to, reason: Name::constant("leak"), incident: None }
}

fn whisper() -> Target {
    Target::Processor(processor("whisper-local"))
}

/// Somebody who speaks to a device of `tenant`, and agreed.
async fn person_of(world: &World, tenant: &str) -> SubjectId {
    let device = SubjectId::random().to_string();
    let subject = world.register.subject_of(&tenant.parse().unwrap(), &device.parse().unwrap()).await.unwrap();
    let tenant = tenant.parse().unwrap();
    world
        .register
        .record(&sayso_consent::Answer { tenant, ..answer(subject, &[VOICE], ConsentStatus::Given) })
        .await
        .unwrap();
    subject
}

/// To hand what was understood to the dialogue.
fn ask_dialogue(subject: SubjectId, asked: Ask) -> Ask {
    Ask { subject, category: Category::TRANSCRIPT, gate: Gate::Dialogue, processor: processor("rules-local"), ..asked }
}

async fn lease(world: &World, asked: Ask) -> (Ask, Lease) {
    (asked, world.register.acquire(asked).await.unwrap())
}

fn passes((asked, lease): &(Ask, Lease)) -> Result<(), Refused> {
    lease.permit().pass(frame(asked), drop)
}

#[tokio::test]
async fn what_is_turned_off_stops_in_mid_utterance_and_everything_else_loses_nothing() {
    let world = World::new().await;
    let (anna, ben) = (person_of(&world, "acme").await, person_of(&world, "other").await);
    let voice = async |person| ask(person, world.state(person).await.cv);
    for (target, reason) in [
        (whisper(), Reason::ProcessorState),
        (Target::Category(Category::VOICE_AUDIO), Reason::SwitchedOff),
        (Target::Tenant("acme".parse().unwrap()), Reason::SwitchedOff),
    ] {
        let hears = [lease(&world, voice(anna).await).await, lease(&world, voice(ben).await).await];
        let talks = [anna, ben].map(async |person| lease(&world, ask_dialogue(person, voice(person).await)).await);
        let talks = futures::future::join_all(talks).await;
        hears.iter().chain(&talks).for_each(|lease| assert_eq!(passes(lease), Ok(())));

        let thrown = world.register.throw(off(target.clone()), OPERATOR).await.unwrap();
        let is_tenant = matches!(target, Target::Tenant(_));
        // a tenant: both of anna's; otherwise both people's voices, and nobody's words
        let stopped = if is_tenant { [true, false, true, false] } else { [true, true, false, false] };
        assert_eq!(thrown.ended, 2, "{target}");
        for (lease, is_stopped) in hears.iter().chain(&talks).zip(stopped) {
            assert_eq!(passes(lease), if is_stopped { Err(Refused::Revoked) } else { Ok(()) }, "{target}");
        }
        let denied = world.listen(anna).await;
        assert!(matches!(denied, Err(Denied::Policy(why)) if why == reason), "{target}: {denied:?}");
        assert_eq!(world.state(anna).await.status(VOICE), ConsentStatus::Given, "nobody took consent back");
        assert_eq!(world.listen(ben).await.is_ok(), is_tenant, "{target}");

        world.register.throw(to(target, Position::On), OPERATOR).await.unwrap();
        drop(world.listen(anna).await.unwrap());
    }
    let told = world.told_since(0).await;
    for name in ["processor.suspended", "processor.activated", "category.switched_off", "tenant.switched_on"] {
        assert_eq!(told.iter().filter(|told| **told == name).count(), 1, "{name}");
    }
    let report = world.ends_spotless().await;
    assert_eq!(report.events["egress.segment_opened"], report.events["egress.segment_closed"]);
}

/// Whoever sends does so as fast as it can, on a thread of its own that nobody can drop.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn not_a_byte_after_the_answer() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let received = Arc::new(AtomicU64::new(0));
    for _ in 0..50 {
        let (asked, lease) = lease(&world, ask(anna, world.state(anna).await.cv)).await;
        let (permit, counted) = (lease.permit().clone(), Arc::clone(&received));
        let before = received.load(SeqCst);
        let sender =
            std::thread::spawn(
                move || {
                    while permit.pass(frame(&asked), |_| counted.fetch_add(FRAME, SeqCst)).is_ok() {}
                },
            );
        crate::world::until(|| received.load(SeqCst) > before).await;
        world.register.throw(off(whisper()), OPERATOR).await.unwrap();
        let at_the_answer = received.load(SeqCst);
        sender.join().unwrap();
        assert_eq!(received.load(SeqCst), at_the_answer, "bytes after the answer");
        drop(lease);
        world.register.throw(to(whisper(), Position::On), OPERATOR).await.unwrap();
    }
    let leaves = world.again().await.leaves().await;
    let closed = leaves.iter().filter_map(|leaf| match &leaf.fact.event {
        Event::SegmentClosed { bytes, reason, .. } => Some((*bytes, reason.to_string())),
        _ => None,
    });
    let (bytes, reasons): (Vec<_>, Vec<_>) = closed.unzip();
    assert_eq!(bytes.into_iter().sum::<u64>(), received.load(SeqCst), "what was counted is what came");
    assert!(reasons.iter().all(|reason| reason == "switched_off"), "{reasons:?}");
}

#[tokio::test]
async fn a_restart_turns_nothing_on_and_asking_again_says_how_it_stands() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let first = world.register.throw(off(whisper()), OPERATOR).await.unwrap().switch;
    let size = world.size().await;
    assert_eq!(world.register.throw(off(whisper()), OPERATOR).await.unwrap().switch, first);
    assert_eq!(world.size().await, size, "the same again changes nothing");

    let world = world.again().await;
    assert!(matches!(world.listen(anna).await, Err(Denied::Policy(Reason::ProcessorState))));
    assert_eq!(world.register.switches().await.unwrap(), [first]);
    let second = world.register.throw(to(whisper(), Position::On), OPERATOR).await.unwrap().switch;
    assert_eq!(second.rev, 2);
    drop(world.listen(anna).await.unwrap());
}

#[tokio::test]
async fn what_cannot_be_thrown_leaves_no_trace() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let size = world.size().await;
    let refused = async |throw: Throw| match world.register.throw(throw, OPERATOR).await {
        Err(Error::NotThrown(why)) => why,
        other => panic!("it was not refused: {other:?}"),
    };
    assert_eq!(refused(off(Target::Processor(processor("nobody")))).await, NotThrown::Unknown);
    assert_eq!(refused(to(whisper(), Position::On)).await, NotThrown::NeverOff);
    let tenant = Target::Tenant("acme".parse().unwrap());
    assert_eq!(refused(to(tenant, Position::Terminated)).await, NotThrown::OnlyProcessors);
    let misspelled = Target::Tenant("acne".parse().unwrap());
    assert_eq!(refused(off(misspelled)).await, NotThrown::UnknownTenant);
    world.store.fail(Fault::Full);
    assert!(matches!(world.register.throw(off(whisper()), OPERATOR).await, Err(Error::Store(_))));
    world.store.fail(Fault::None);
    assert_eq!(world.size().await, size);
    drop(world.listen(anna).await.unwrap());
}

/// Tells the test's own program at which step it dies, and where it writes.
const CHILD: &str = "SAYSO_CONSENT_SWITCH";
const DIR: &str = "SAYSO_CONSENT_SWITCH_DIR";

async fn throw_until(step: &str, dir: &Path) {
    let dir = Arc::new(tempfile::TempDir::new_in(dir).unwrap());
    let world = World::reopen(Arc::clone(&dir), sayso_types::ManualClock::new()).await;
    std::io::stderr().write_all(dir.path().to_str().unwrap().as_bytes()).expect("the parent listens");
    match step {
        "sent" => world.store.fail(Fault::DieBefore),
        "on record" => world.store.fail(Fault::DieAfter),
        _ => {}
    }
    world.register.throw(off(whisper()), OPERATOR).await.unwrap();
    die();
}

#[tokio::test]
async fn killed_at_each_step_of_a_throw_it_stands_or_it_never_was() {
    if let (Some(step), Some(dir)) = (env::var_os(CHILD), env::var_os(DIR)) {
        return throw_until(step.to_str().unwrap(), Path::new(&dir)).await;
    }
    for (step, is_off) in [("sent", false), ("on record", true), ("answered", true)] {
        let dir = tempfile::tempdir().expect("a directory");
        let name = "switching::killed_at_each_step_of_a_throw_it_stands_or_it_never_was";
        let at = last_words(name, [(CHILD, step.as_ref()), (DIR, dir.path().as_os_str())]);
        let left = tempfile::tempdir().expect("a directory");
        for file in std::fs::read_dir(&at).unwrap() {
            let file = file.unwrap();
            std::fs::rename(file.path(), left.path().join(file.file_name())).unwrap();
        }
        let world = World::reopen(Arc::new(left), sayso_types::ManualClock::new()).await;
        let anna = world.person(&[VOICE]).await;
        assert_eq!(world.listen(anna).await.is_err(), is_off, "{step}");
        let told = world.told_since(0).await;
        assert_eq!(told.contains(&"processor.suspended"), is_off, "{step}: {told:?}");
    }
}

#[tokio::test]
async fn due_diligence_that_runs_out_suspends_by_itself_until_somebody_looks_again() {
    let clock = Arc::new(SetClock::at(NOON));
    let world = World::with_clock(clock.clone(), Options::default()).await;
    world.register.publish(profile_with_duties(2, 30)).await.unwrap();
    let anna = world.person(&[VOICE]).await;
    let asked = ask(anna, world.state(anna).await.cv);
    let held = lease(&world, asked).await;
    assert_eq!((world.register.note_due_diligence().await.unwrap(), passes(&held)), (0, Ok(())));
    clock.set(NOON + 30 * DAY);
    assert_eq!(world.register.note_due_diligence().await.unwrap(), 1);
    assert_eq!(passes(&held), Err(Refused::Revoked));
    assert_eq!(world.register.note_due_diligence().await.unwrap(), 0, "once");
    let again = world.register.throw(to(whisper(), Position::On), OPERATOR).await;
    assert!(matches!(again, Err(Error::NotThrown(NotThrown::NotExamined))), "{again:?}");
    drop(held);
    world.register.publish(profile_looked_at(3, "2026-01-31", 30)).await.unwrap();
    drop(world.listen(anna).await.unwrap());
    let told = world.told_since(0).await;
    let is_change = |name: &&str| name.starts_with("processor.") && *name != "processor.registered";
    let processors: Vec<_> = told.into_iter().filter(is_change).collect();
    assert_eq!(processors, ["processor.due_diligence_expired", "processor.activated"]);
}

fn replay(leaves: &[Leaf]) -> Replayed {
    let mut replay = Replay::new(Arc::new(profile()));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    // how many refusals there were is nothing that these stories tell
    Replayed { refusals: 0, ..replay.finish() }
}

/// Throws by chance, and people who try to talk: an auditor finds nothing wrong with what the engine did.
#[tokio::test]
async fn a_replay_follows_the_switches() {
    for seed in 0..10 {
        let mut random = fastrand::Rng::with_seed(seed);
        let world = World::new().await;
        let people = [person_of(&world, "acme").await, person_of(&world, "other").await];
        let targets = [whisper(), Target::Category(Category::TRANSCRIPT), Target::Tenant("acme".parse().unwrap())];
        let mut segments = 0;
        for _ in 0..40 {
            let person = people[random.usize(..people.len())];
            let asked = ask(person, world.state(person).await.cv);
            let asked = if random.bool() { asked } else { ask_dialogue(person, asked) };
            if let Ok(lease) = world.register.acquire(asked).await {
                lease.permit().pass(frame(&asked), drop).unwrap();
                segments += 1;
            }
            let target = targets[random.usize(..targets.len())].clone();
            let position = if random.bool() { Position::Off } else { Position::On };
            let _ = world.register.throw(to(target, position), OPERATOR).await;
        }
        let leaves = world.again().await.leaves().await;
        assert_eq!(replay(&leaves), Replayed { checked: segments, ..Replayed::default() }, "seed {seed}");
    }
}

#[tokio::test]
async fn a_segment_to_what_is_turned_off_is_found_whichever_revision_it_claims() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let asked = ask(anna, world.state(anna).await.cv);
    for position in [Position::Off, Position::On] {
        let (asked, lease) = lease(&world, asked).await;
        lease.permit().pass(frame(&asked), drop).unwrap();
        drop(lease);
        world.register.throw(to(whisper(), position), OPERATOR).await.ok();
        if position == Position::Off {
            world.register.throw(to(whisper(), Position::On), OPERATOR).await.unwrap();
        }
    }
    world.register.throw(off(whisper()), OPERATOR).await.unwrap();
    let leaves = world.again().await.leaves().await;
    assert!(replay(&leaves).denied.is_empty());
    let position = |name: &str| leaves.iter().rposition(|leaf| leaf.fact.event.name() == name).unwrap();
    let (opened, closed, at) =
        (position("egress.segment_opened"), position("egress.segment_closed"), position("processor.suspended"));
    for claims in [0, 3] {
        let mut forged = leaves.clone();
        for (from, to) in [(opened, at + 1), (closed, at + 2)] {
            let mut leaf = leaves[from].clone();
            leaf.fact.registry_rev = claims;
            match &mut leaf.fact.event {
                Event::SegmentOpened { segment, .. } | Event::SegmentClosed { segment, .. } => {
                    *segment = Reference([9; 16]);
                }
                _ => unreachable!(),
            }
            forged.insert(to, leaf);
        }
        let found = if claims == 0 { at + 2 } else { at + 1 };
        assert_eq!(replay(&forged).denied, [found as u64], "claims {claims}");
        forged.truncate(at + 2);
        run_on(&mut forged);
        assert_eq!(replay(&forged).denied, [at as u64 + 1], "claims {claims}, and is never closed");
    }
}
