//! What an auditor finds who has the profile and does not believe a refusal.

use sayso_audit::{Actor, ActorKind, Event, Leaf};
use sayso_consent::switch::{Position, Target, Throw};
use sayso_consent::{Ask, Denied, Means};
use sayso_policy::{AgeBand, ConsentStatus, Reason};
use sayso_types::{Category, ConsentVersion, Name, Part, SubjectId};

use crate::guarding::said;
use crate::replaying::replay;
use crate::world::{MEMORY, VOICE, World, ask, processor, profile};

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };

/// Reasons that the log does not know enough of to say that there was none: how old somebody is.
const NOT_KNOWN: [Reason; 1] = [Reason::MinorNoGuardian];

/// Asks to hear what was labelled at `cv`, which is refused for `reason`.
async fn refused(world: &World, subject: SubjectId, cv: ConsentVersion, reason: Reason) {
    let denied = world.register.acquire(ask(subject, cv)).await.map(drop).unwrap_err();
    assert!(matches!(denied, Denied::Policy(found) if found == reason), "{denied}");
}

/// The same of what is labelled now.
async fn refused_now(world: &World, subject: SubjectId, reason: Reason) {
    refused(world, subject, world.state(subject).await.cv, reason).await;
}

fn at(leaves: &[Leaf], name: &str) -> usize {
    leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap_or_else(|| panic!("no {name}"))
}

/// The log in which the refusal of `leaves` stands before leaf `to`, for `why`, of what was labelled then.
fn moved(leaves: &[Leaf], to: usize, why: &str) -> Vec<Leaf> {
    let mut leaves = leaves.to_vec();
    let mut forged = leaves.remove(at(&leaves, "gate.denied"));
    (forged.place, forged.fact.cv) = (leaves[to].place, leaves[to - 1].fact.cv);
    if let Event::GateDenied { labelled, reason, .. } = &mut forged.fact.event {
        (*labelled, *reason) = (Some(forged.fact.cv), why.parse().unwrap());
    }
    leaves.insert(to, forged);
    leaves
}

#[tokio::test]
async fn a_refusal_that_nothing_speaks_for_is_found_whatever_reason_it_gives() {
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    drop(world.listen(anna).await.unwrap());
    assert!(world.register.withdraw(anna, &[], Means::Voice).await.unwrap().ok);
    refused_now(&world, anna, Reason::NoBasis).await;
    let leaves = world.again().await.leaves().await;
    let replayed = replay(&leaves, profile());
    assert_eq!((replayed.unfounded, replayed.checked, replayed.refusals), (vec![], 1, 1), "it had a reason");

    let before = at(&leaves, "withdraw.requested");
    for reason in Reason::ALL.into_iter().filter(|reason| !NOT_KNOWN.contains(reason)) {
        let found = replay(&moved(&leaves, before, reason.as_str()), profile()).unfounded;
        assert_eq!(found, [before as u64], "{reason}, while the person had agreed");
    }
    for word in ["too_much", "because"] {
        assert_eq!(replay(&moved(&leaves, before, word), profile()).unfounded, [before as u64], "{word}");
    }
    for reason in NOT_KNOWN {
        assert_eq!(replay(&moved(&leaves, before, reason.as_str()), profile()).unfounded, [0; 0], "{reason}");
    }
    // what an earlier program refused, it refused
    let mut earlier = moved(&leaves, before, "no_basis");
    let Event::GateDenied { labelled, .. } = &mut earlier[before].fact.event else { unreachable!() };
    *labelled = None;
    assert_eq!(replay(&earlier, profile()).unfounded, [0; 0]);
    // another reason than the one that there was
    let last = at(&leaves, "gate.denied");
    let mut other = leaves;
    let Event::GateDenied { reason, .. } = &mut other[last].fact.event else { unreachable!() };
    *reason = Name::constant("region");
    assert_eq!(replay(&other, profile()).unfounded, [last as u64]);
}

/// What was said before the yes is refused after it, and the log says so.
#[tokio::test]
async fn what_was_labelled_before_the_yes_had_a_reason_to_be_refused() {
    let world = World::new().await;
    let anna = world.stranger().await;
    let before = world.state(anna).await.cv;
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    refused(&world, anna, before, Reason::NoBasis).await;
    let mut leaves = world.again().await.leaves().await;
    assert_eq!(replay(&leaves, profile()).unfounded, [0; 0]);

    let at = at(&leaves, "gate.denied");
    let now = leaves[at].fact.cv;
    let Event::GateDenied { labelled, .. } = &mut leaves[at].fact.event else { unreachable!() };
    assert_eq!(labelled.replace(now), Some(before));
    assert_eq!(replay(&leaves, profile()).unfounded, [at as u64]);
}

/// Each has its reason, and not once what made it so is not in the log.
#[tokio::test]
async fn a_refusal_rests_on_what_is_in_the_log() {
    let thrown = async |world: &World, target| {
        let to = Throw { target, to: Position::Off, reason: Name::constant("leak"), incident: None };
        world.register.throw(to, OPERATOR).await.unwrap();
    };
    let people = async || {
        let world = World::new().await;
        let anna = world.person(&[VOICE]).await;
        (world, anna)
    };

    let (world, anna) = people().await;
    let part = Part { category: Some(Category::VOICE_AUDIO), ..Part::default() };
    assert!(world.register.withdraw_parts(anna, &[part], Means::Voice).await.unwrap().ok);
    refused_now(&world, anna, Reason::TakenBack).await;
    rests_on(world, "withdraw.requested").await;

    let (world, anna) = people().await;
    thrown(&world, Target::Processor(processor("whisper-local"))).await;
    refused_now(&world, anna, Reason::ProcessorState).await;
    rests_on(world, "processor.suspended").await;

    let (world, anna) = people().await;
    thrown(&world, Target::Category(Category::VOICE_AUDIO)).await;
    refused_now(&world, anna, Reason::SwitchedOff).await;
    rests_on(world, "category.switched_off").await;

    let (world, anna) = people().await;
    world.answers(anna, &[VOICE], ConsentStatus::Refused).await;
    refused_now(&world, anna, Reason::NoBasis).await;
    rests_on(world, "consent.refused").await;

    let (world, anna) = people().await;
    world.register.set_age(anna, said(AgeBand::Under13, None), OPERATOR).await.unwrap();
    refused_now(&world, anna, Reason::MinorNoGuardian).await;
    assert_eq!(replay(&world.again().await.leaves().await, profile()).unfounded, [0; 0]);
}

/// The refusal is found once something else stands in the place of the leaf that it rests on.
async fn rests_on(world: World, name: &str) {
    let mut leaves = world.again().await.leaves().await;
    assert_eq!(replay(&leaves, profile()).unfounded, [0; 0], "{name}");
    let (cause, refusal) = (at(&leaves, name), at(&leaves, "gate.denied"));
    for leaf in &mut leaves[cause..] {
        leaf.fact.registry_rev = 0;
    }
    leaves[cause].fact = leaves[cause - 1].fact.clone();
    assert_eq!(replay(&leaves, profile()).unfounded, [refusal as u64], "{name}");
}

/// A person whom nobody knows asked for nothing: the reason is the log's silence.
#[tokio::test]
async fn somebody_who_never_agreed_is_refused_rightly() {
    let world = World::new().await;
    let anna = world.stranger().await;
    world.answers(anna, &[MEMORY], ConsentStatus::Given).await;
    let asked = Ask { cv: world.state(anna).await.cv, ..ask(anna, ConsentVersion(0)) };
    assert!(world.register.acquire(asked).await.is_err());
    world.ends_spotless().await;
}
