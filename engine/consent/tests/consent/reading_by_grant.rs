//! What people keep is read by those who kept it for them, and by the operator's people on a grant of their own alone.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, ActorTag, DeskEvent, Event, Hash, Leaf};
use sayso_consent::exemption::{Error, NotNow, NotRead, Proposal, Reading, ReadingError, Standing, Terms};
use sayso_consent::keep::NewItem;
use sayso_consent::rights::{self, Desk};
use sayso_consent::{Replay, Replayed};
use sayso_policy::profile::{ExemptionCode, RightKind};
use sayso_policy::{AgeBand, ConsentStatus, GrantError, Profile, Tongue};
use sayso_types::{Category, SubjectId};
use sha2::{Digest, Sha256};

use crate::answering::accepted;
use crate::guarding::said;
use crate::keeping::*;
use crate::revising::revised;
use crate::world::*;

const ANN: ActorTag = ActorTag([1; 16]);
const BEN: ActorTag = ActorTag([2; 16]);
const CARL: ActorTag = ActorTag([3; 16]);
const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The test profile keeps a ground that one other approves.
const USED: (&str, &str) =
    ("[asks]\n", "exemption = [{ code = \"X07\", scope = [\"collect_use\"], max = \"P7D\" }]\n[asks]\n");

const fn operator(tag: ActorTag) -> Actor {
    Actor { kind: ActorKind::Operator, tag: Some(tag) }
}

/// To read what is of `category` of `subject` for an hour.
pub(crate) fn terms(subject: SubjectId, category: Category) -> Terms {
    Terms {
        code: ExemptionCode::X07,
        subject: Some(subject),
        purposes: [].into(),
        categories: [category].into(),
        processors: [].into(),
        lasts: "PT1H".parse().unwrap(),
        evidence_sha256: [7; 32],
        demand: None,
        reading: Some(Reading::new("T-17")),
    }
}

/// What Ann proposes and Ben approves.
async fn granted(world: &World, terms: Terms) -> Proposal {
    let proposed = world.register.propose_exemption(terms, ANN).await.unwrap();
    world.register.approve_exemption(proposed.id, BEN).await.unwrap()
}

fn replay(profile: &Arc<Profile>, leaves: &[Leaf]) -> Replayed {
    let mut replay = Replay::new(profile.clone());
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    replay.finish()
}

/// Why readings were refused, as the log has it.
fn denied(leaves: &[Leaf]) -> Vec<(Option<ActorTag>, String)> {
    let refused = leaves.iter().filter_map(|leaf| match &leaf.fact.event {
        Event::Desk(DeskEvent::OperatorDenied { reason, .. }) => Some((leaf.fact.actor.tag, reason.to_string())),
        _ => None,
    });
    refused.collect()
}

#[tokio::test]
async fn what_people_keep_is_read_by_nobody_of_the_operators_without_a_live_grant_of_their_own() {
    let profile = lawful(ZEGO);
    let world = World::under(profile.clone()).await;
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    for person in [anna, ben] {
        for one in ["app_policy", "hand_over", "material"] {
            world.answers(person, &[purpose(one)], ConsentStatus::Given).await;
        }
    }
    let slides = keep(&world, anna, bytes("material", "material", b"slides")).await.unwrap();
    let others = keep(&world, ben, bytes("material", "material", b"others")).await.unwrap();
    let read = async |by, whose, id| world.register.read_kept(whose, id, by).await;
    let is_refused = async |by, whose, id| matches!(read(by, whose, id).await, Err(NotRead::NoGrant(_)));

    assert!(is_refused(operator(ANN), anna, slides).await);
    let theirs = read(INTEGRATOR, anna, slides).await.unwrap().unwrap();
    assert_eq!(theirs.content.as_slice(), b"slides", "whoever keeps it for their own people needs no grant");
    let [head] = world.register.list_heads(anna, None).await.unwrap().try_into().unwrap();
    assert_eq!((head.id, head.media_type.as_str(), head.bytes), (slides, "", 6), "what is sealed stays so");

    let proposed = world.register.propose_exemption(terms(anna, category("material")), ANN).await.unwrap();
    assert!(is_refused(operator(ANN), anna, slides).await, "nobody approved it");
    let own = world.register.approve_exemption(proposed.id, ANN).await;
    assert!(matches!(own, Err(Error::NotNow(NotNow::Own))), "{own:?}");
    let live = world.register.approve_exemption(proposed.id, BEN).await.unwrap();
    assert!(matches!(live.standing, Standing::Live { .. }));
    let from = world.size().await;
    let given = read(operator(ANN), anna, slides).await.unwrap().unwrap();
    assert_eq!(given.content.as_slice(), b"slides");
    let told = world.told_since(from).await;
    assert_eq!(told, ["exemption.used", "gate.permitted_by_exemption", "operator.access"]);
    assert!(is_refused(operator(BEN), anna, slides).await, "it is Ann's");
    assert!(is_refused(operator(ANN), ben, others).await, "it is about Anna");
    world.clock.advance(HOUR);
    assert!(is_refused(operator(ANN), anna, slides).await, "its time is over");

    let grant = granted(&world, terms(anna, category("material"))).await;
    read(operator(ANN), anna, slides).await.unwrap();
    world.register.revoke_exemption(grant.id, BEN).await.unwrap();
    assert!(is_refused(operator(ANN), anna, slides).await, "it was taken back");
    let leaves = world.leaves().await;
    let no = |who: ActorTag| (Some(who), "no_grant".to_owned());
    assert_eq!(denied(&leaves), [no(ANN), no(ANN), no(BEN), no(ANN), no(ANN), no(ANN)]);
    assert!(replay(&profile, &leaves).denied.is_empty());
    world.ends_spotless_under(profile).await;
}

#[tokio::test]
async fn each_reading_of_a_question_to_support_carries_its_ticket() {
    let profile = lawful(AIWELLFLOW);
    let world = World::under(profile.clone()).await;
    let person = world.stranger().await;
    let question = json("support_record", "support", r#"{"question":"it is silent"}"#);
    let id = keep(&world, person, NewItem { ticket: Some("T-17".into()), ..question }).await.unwrap();
    let settings =
        keep(&world, person, json("agent_config", "agent_building", r#"{"prompt":"Be kind."}"#)).await.unwrap();
    let unlisted = world.register.propose_exemption(terms(person, category("agent_config")), ANN).await;
    assert!(
        matches!(unlisted, Err(Error::NotNow(NotNow::Grant(GrantError::Category { .. })))),
        "the ground is for what people send to be helped: {unlisted:?}"
    );
    granted(&world, terms(person, category("support_record"))).await;
    for _ in 0..2 {
        let read = world.register.read_kept(person, id, operator(ANN)).await.unwrap().unwrap();
        assert_eq!(read.content.as_slice(), br#"{"question":"it is silent"}"#);
    }
    let outside = world.register.read_kept(person, settings, operator(ANN)).await.map(drop);
    assert!(matches!(outside, Err(NotRead::NoGrant(_))), "{outside:?}");
    let leaves = world.leaves().await;
    let tickets: Vec<_> = leaves
        .iter()
        .filter_map(|leaf| match leaf.fact.event {
            Event::Desk(DeskEvent::ContentRead { category, rows, ticket, .. }) => Some((category, rows, ticket)),
            _ => None,
        })
        .collect();
    let read = (category("support_record"), 1, Some(Hash(Sha256::digest("T-17").into())));
    assert_eq!(tickets, [read, read]);
    assert!(replay(&profile, &leaves).denied.is_empty());
}

#[tokio::test]
async fn to_read_what_is_a_childs_takes_two_others_also_of_who_is_found_to_be_one_meanwhile() {
    let world = World::new().await;
    let minors = ("\nverify_methods", "\nspecial_regime_below = 18\nverify_methods");
    world.register.publish(revised(2, &[USED, minors])).await.unwrap();
    let (anna, desk) = (world.person(&[VOICE, MEMORY]).await, Desk::open(world.register.clone()));
    assert!(world.register.save_facts(anna, &[("pet".into(), "a cat".into())]).await.unwrap());
    let case = accepted(&desk, anna, RightKind::Copy).await;
    let copy = async || desk.copy(anna, case, operator(ANN)).await.map(|copy| copy.remembered.len());
    let facts = || terms(anna, Category::MEMORY_SUMMARY);

    granted(&world, facts()).await;
    assert_eq!(copy().await.unwrap(), 1, "one is enough for a grown-up");
    world.register.set_age(anna, said(AgeBand::Under18, None), INTEGRATOR).await.unwrap();
    let refused = copy().await;
    assert!(
        matches!(refused, Err(rights::desk::Error::NotRead(NotRead::Grant(GrantError::Approvers { needed: 2, .. })))),
        "{refused:?}"
    );
    let one = granted(&world, facts()).await;
    assert_eq!((one.standing, one.approvers_needed(&world.register.profile())), (Standing::Proposed, 2));
    assert!(copy().await.is_err());
    let two = world.register.approve_exemption(one.id, CARL).await.unwrap();
    assert!(matches!(two.standing, Standing::Live { .. }));
    assert_eq!(copy().await.unwrap(), 1);
    assert_eq!(denied(&world.leaves().await).len(), 2);
}

#[tokio::test]
async fn a_copy_for_a_person_shows_an_operator_nothing_that_they_have_no_grant_to_read() {
    let world = World::new().await;
    world.register.publish(revised(2, &[USED])).await.unwrap();
    let (anna, desk) = (world.person(&[VOICE, MEMORY]).await, Desk::open(world.register.clone()));
    let case = accepted(&desk, anna, RightKind::Copy).await;
    desk.copy(anna, case, operator(ANN)).await.expect("nothing is kept that anybody could read");
    assert!(world.register.save_facts(anna, &[("pet".into(), "a cat".into())]).await.unwrap());
    let from = world.size().await;
    let refused = desk.copy(anna, case, operator(ANN)).await.map(drop);
    assert!(matches!(refused, Err(rights::desk::Error::NotRead(NotRead::NoGrant(_)))), "{refused:?}");
    assert_eq!(world.told_since(from).await, ["operator.denied"], "nor is anything said to be exported");
    desk.copy(anna, case, INTEGRATOR).await.expect("its tenant answers it");
}

#[tokio::test]
async fn what_cannot_be_granted_to_be_read_is_not_proposed() {
    let world = World::new().await;
    world.register.publish(revised(2, &[USED])).await.unwrap();
    let anna = world.stranger().await;
    let facts = || terms(anna, Category::MEMORY_SUMMARY);
    let named = |ticket: &str| Terms { reading: Some(Reading::new(ticket)), ..facts() };
    let cases = [
        (named(" "), ReadingError::Ticket),
        (named(&"x".repeat(201)), ReadingError::Ticket),
        (Terms { subject: None, ..facts() }, ReadingError::Everybody),
        (Terms { purposes: [VOICE].into(), ..facts() }, ReadingError::Opens),
        (Terms { processors: [processor("rules-local")].into(), ..facts() }, ReadingError::Opens),
        (Terms { categories: [].into(), ..facts() }, ReadingError::NoContent),
        (terms(anna, Category::NOTICE_TEXT), ReadingError::NoContent),
    ];
    for (terms, why) in cases {
        let refused = world.register.propose_exemption(terms, ANN).await;
        assert!(matches!(&refused, Err(Error::NotNow(NotNow::Reading(found))) if *found == why), "{refused:?}");
    }
    let long = Terms { lasts: "P2D".parse().unwrap(), ..facts() };
    let refused = world.register.propose_exemption(long, ANN).await;
    assert!(matches!(refused, Err(Error::NotNow(NotNow::Grant(GrantError::ReadingWindow)))), "{refused:?}");
}

#[tokio::test]
async fn a_replay_finds_a_reading_without_a_live_grant() {
    let profile = revised(2, &[USED]);
    let world = World::new().await;
    world.register.publish(profile.clone()).await.unwrap();
    let (anna, desk) = (world.person(&[VOICE, MEMORY]).await, Desk::open(world.register.clone()));
    assert!(world.register.save_facts(anna, &[("pet".into(), "a cat".into())]).await.unwrap());
    let case = accepted(&desk, anna, RightKind::Copy).await;
    granted(&world, terms(anna, Category::MEMORY_SUMMARY)).await;
    desk.copy(anna, case, operator(ANN)).await.unwrap();
    let shown = desk.copy(anna, case, INTEGRATOR).await.unwrap();
    assert_eq!((shown.read.len(), shown.read[0].category), (1, Category::MEMORY_SUMMARY), "the person sees it, too");
    let [english, chinese] = Tongue::ALL.map(|tongue| shown.page(tongue, |at| at.0.to_string()));
    assert!(english.contains("summary: how many 1, ticket ") && chinese.contains("运营方人员查看了什么"), "{english}");
    let leaves = world.leaves().await;
    let at = |name: &str| leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap();
    let [granted, permitted, read] = ["exemption.granted", "gate.permitted_by_exemption", "operator.access"].map(at);
    assert!(replay(&profile, &leaves).denied.is_empty());
    let finds = |change: &dyn Fn(&mut Vec<Leaf>)| {
        let mut changed = leaves.clone();
        change(&mut changed);
        !replay(&profile, &changed).denied.is_empty()
    };
    assert!(finds(&|log| drop(log.remove(granted))), "nobody granted it");
    assert!(finds(&|log| drop(log.remove(permitted))), "it does not say by what right");
    assert!(finds(&|log| log[read].fact.actor.tag = Some(BEN)), "it was somebody else's");
    assert!(finds(&|log| log[read].fact.subject = None), "it was about somebody");
    assert!(finds(&|log| log[read].place.wall.0 += 2 * 60 * 60 * 1_000), "its time was over");
    assert!(
        finds(&|log| {
            let Event::Desk(DeskEvent::ContentRead { ticket, .. }) = &mut log[read].fact.event else { unreachable!() };
            *ticket = None;
        }),
        "what was remembered is content"
    );
    assert!(
        finds(&|log| {
            let Event::Desk(DeskEvent::ReadingGranted { approvers, .. }) = &mut log[granted].fact.event else {
                unreachable!()
            };
            approvers.clear();
        }),
        "too few had approved it"
    );
}
