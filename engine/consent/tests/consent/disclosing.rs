//! What authorities are given: on a grant that lives, what it names and nothing else, for the recipient alone.

use core::time::Duration;
use std::collections::BTreeSet;

use hpke::kem::X25519HkdfSha256;
use hpke::{Kem, Serializable};
use sayso_audit::{Actor, ActorKind, ActorTag, DeskEvent, Event, Leaf};
use sayso_consent::disclosure::{DisclosureDesk, Error, Made, sealed};
use sayso_consent::exemption::{Demand, DemandError, Error as NotGranted, NotNow, Proposal, Standing, Terms};
use sayso_consent::notices::{NoticeKind, Notices};
use sayso_consent::{Replay, Replayed};
use sayso_policy::GrantError;
use sayso_policy::profile::ExemptionCode;
use sayso_types::{Category, Name, SubjectId, WallTime};
use serde_json::{Value, json};

use crate::revising::revised;
use crate::world::{MEMORY, VOICE, World, spotless, verify};

/// The test profile keeps a ground on which data is given to others, and which takes two.
pub(crate) const SHARED: (&str, &str) = (
    "[asks]\n",
    "exemption = [{ code = \"X08\", scope = [\"share_publish\"], approvers = 2, max = \"P7D\" }, { code = \"X04\", scope = [\"collect_use\"], approvers = 2, max = \"P1D\" }]\n[asks]\n",
);

const ANN: ActorTag = ActorTag([1; 16]);
const BEN: ActorTag = ActorTag([2; 16]);
const CARL: ActorTag = ActorTag([3; 16]);
const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: Some(ANN) };
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The recipient's private and public key.
fn pair(seed: u8) -> ([u8; 32], [u8; 32]) {
    let (private, public) = X25519HkdfSha256::derive_keypair(&[seed; 32]);
    (private.to_bytes().into(), public.to_bytes().into())
}

fn records() -> Category {
    "consent_record".parse().unwrap()
}

/// What a court demands of `people`: what they had remembered.
pub(crate) fn terms(people: &[SubjectId]) -> Terms {
    Terms {
        code: ExemptionCode::X08,
        subject: None,
        purposes: [].into(),
        categories: [Category::MEMORY_SUMMARY].into(),
        processors: [].into(),
        lasts: "P7D".parse().unwrap(),
        evidence_sha256: [7; 32],
        reading: None,
        demand: Some(Demand {
            authority: "The court of Springfield".into(),
            reference: "7 K 12/26".into(),
            law: "cn-cpl:136".into(),
            people: people.iter().copied().collect(),
            from: None,
            until: None,
            by: None,
            recipient: pair(1).1,
            tell_after: Some("P30D".parse().unwrap()),
        }),
    }
}

/// The same with another demand.
fn demanding(people: &[SubjectId], change: impl FnOnce(&mut Demand)) -> Terms {
    let mut terms = terms(people);
    change(terms.demand.as_mut().unwrap());
    terms
}

pub(crate) async fn granted(world: &World, terms: Terms) -> Proposal {
    let proposed = world.register.propose_exemption(terms, ANN).await.unwrap();
    world.register.approve_exemption(proposed.id, BEN).await.unwrap();
    world.register.approve_exemption(proposed.id, CARL).await.unwrap()
}

async fn world() -> World {
    let world = World::new().await;
    world.register.publish(revised(2, &[SHARED])).await.unwrap();
    world
}

/// Somebody who has something remembered.
pub(crate) async fn somebody(world: &World, name: &str) -> SubjectId {
    let person = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(person, &[("name".into(), name.into())]).await.unwrap());
    person
}

fn opened(made: &Made) -> Value {
    serde_json::from_slice(&sealed::open(&made.file, &pair(1).0).unwrap()).unwrap()
}

fn replay(leaves: &[Leaf]) -> Replayed {
    let mut replay = Replay::new(revised(2, &[SHARED]));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    replay.finish()
}

fn at(leaves: &[Leaf], name: &str) -> usize {
    leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap()
}

#[tokio::test]
async fn what_is_given_is_what_was_demanded_and_only_the_recipient_reads_it() {
    let world = world().await;
    let (anna, _) = (somebody(&world, "Anna").await, somebody(&world, "Ben").await);
    let grant = granted(&world, terms(&[anna])).await;
    let (desk, from) = (DisclosureDesk::open(world.register.clone()), world.size().await);
    let made = desk.make(grant.id, None, OPERATOR).await.unwrap();

    assert!(!String::from_utf8_lossy(&made.file).contains("Anna"));
    assert!(sealed::open(&made.file, &pair(2).0).is_err(), "it is for somebody else");
    let given = opened(&made);
    assert_eq!(given["authority"], "The court of Springfield");
    let people = given["people"].as_array().unwrap();
    assert_eq!((people.len(), &people[0]["subject"]), (1, &json!(anna.to_string())));
    let data = people[0]["data"].as_object().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["memory_summary"], "nothing else of the copy");
    assert_eq!(
        (&data["memory_summary"][0]["key"], &data["memory_summary"][0]["value"]),
        (&json!("name"), &json!("Anna"))
    );

    let told = world.told_since(from).await;
    assert_eq!(told, ["exemption.used", "gate.permitted_by_exemption", "export.created"]);
    let leaves = world.leaves().await;
    let created = leaves.iter().find_map(|leaf| match leaf.fact.event {
        Event::Desk(DeskEvent::DisclosureCreated { disclosure, rows, bytes, file }) => {
            Some((disclosure, rows, bytes, file))
        }
        _ => None,
    });
    let kept = &made.disclosure;
    assert_eq!(created, Some((kept.id, 1, made.file.len() as u64, kept.file)));
    assert_eq!(desk.all().await.unwrap(), core::slice::from_ref(kept));
    // what was remembered twice, and what was given of it
    assert_eq!(replay(&leaves), Replayed { checked: 3, ..Replayed::default() });
    spotless(verify(world.journal()).await);
}

#[tokio::test]
async fn of_several_people_and_categories_each_is_on_record_and_may_be_had_alone() {
    let world = world().await;
    let (anna, ben) = (somebody(&world, "Anna").await, somebody(&world, "Ben").await);
    let both: BTreeSet<_> = [Category::MEMORY_SUMMARY, records()].into();
    let grant = granted(&world, Terms { categories: both, ..terms(&[anna, ben]) }).await;
    let granted = world.told_since(0).await.into_iter().filter(|name| *name == "exemption.granted").count();
    assert_eq!(granted, 4, "each category of each person");
    let desk = DisclosureDesk::open(world.register.clone());
    let from = world.size().await;
    desk.make(grant.id, None, OPERATOR).await.unwrap();
    let told = world.told_since(from).await;
    let count = |name: &str| told.iter().filter(|told| **told == name).count();
    assert_eq!(["exemption.used", "gate.permitted_by_exemption", "export.created"].map(count), [2, 4, 2], "{told:?}");

    let alone = desk.make(grant.id, Some(&[records()].into()), OPERATOR).await.unwrap();
    let given = opened(&alone);
    let data = given["people"][1]["data"].as_object().unwrap();
    assert_eq!((data.len(), data["consent_record"].as_array().unwrap().len()), (1, 2));
    assert_eq!(replay(&world.leaves().await).denied, [0; 0]);
}

#[tokio::test]
async fn nothing_from_outside_of_the_span_is_given() {
    let world = world().await;
    let anna = somebody(&world, "Anna").await;
    let noon = world.register_clock();
    world.clock.advance(DAY);
    let facts = [("name".to_owned(), "Anna".to_owned()), ("pet".to_owned(), "cat".to_owned())];
    assert!(world.register.save_facts(anna, &facts).await.unwrap());
    let since = granted(&world, demanding(&[anna], |demand| demand.from = Some(WallTime(noon.0 + 1)))).await;
    let before = granted(&world, demanding(&[anna], |demand| demand.until = Some(WallTime(noon.0 + 1)))).await;
    let desk = DisclosureDesk::open(world.register.clone());
    for (grant, expected) in [(since, "pet"), (before, "name")] {
        let given = opened(&desk.make(grant.id, None, OPERATOR).await.unwrap());
        let facts = given["people"][0]["data"]["memory_summary"].as_array().unwrap().clone();
        assert_eq!(facts.iter().map(|fact| fact["key"].as_str().unwrap()).collect::<Vec<_>>(), [expected]);
    }
}

/// Asks for what may not be had: refused as `is` says, and nothing but the denial is written.
async fn refused(
    world: &World,
    desk: &DisclosureDesk,
    grant: Name,
    only: Option<Category>,
    reason: &str,
    is: fn(&Error) -> bool,
) {
    let (from, kept) = (world.size().await, desk.all().await.unwrap());
    let only = only.map(|category| BTreeSet::from([category]));
    let error = desk.make(grant, only.as_ref(), OPERATOR).await.unwrap_err();
    assert!(is(&error), "{error:?}");
    let leaves = world.leaves().await.split_off(from as usize);
    let said: Vec<_> = leaves
        .iter()
        .map(|leaf| match leaf.fact.event {
            Event::Desk(DeskEvent::OperatorDenied { reason, .. }) => (leaf.fact.actor, reason.to_string()),
            ref other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(said, [(OPERATOR, reason.to_owned())]);
    assert_eq!(desk.all().await.unwrap(), kept);
}

#[tokio::test]
async fn without_a_live_grant_for_it_nothing_is_given_and_only_the_denial_is_written() {
    let world = world().await;
    let anna = somebody(&world, "Anna").await;
    let desk = DisclosureDesk::open(world.register.clone());
    let nobodys = Name::constant("x08-00");
    refused(&world, &desk, nobodys, None, "no_grant", |e| matches!(e, Error::Unknown)).await;

    let proposed = world.register.propose_exemption(terms(&[anna]), ANN).await.unwrap();
    let own = world.register.approve_exemption(proposed.id, ANN).await;
    assert!(matches!(own, Err(NotGranted::NotNow(NotNow::Own))), "{own:?}");
    let one = world.register.approve_exemption(proposed.id, BEN).await.unwrap();
    assert_eq!(one.standing, Standing::Proposed);
    refused(&world, &desk, proposed.id, None, "not_live", |e| matches!(e, Error::NotLive)).await;
    world.register.approve_exemption(proposed.id, CARL).await.unwrap();
    refused(&world, &desk, proposed.id, Some(records()), "outside", |e| matches!(e, Error::Outside(_))).await;
    world.register.revoke_exemption(proposed.id, BEN).await.unwrap();
    refused(&world, &desk, proposed.id, None, "not_live", |e| matches!(e, Error::NotLive)).await;

    let expired = granted(&world, terms(&[anna])).await;
    world.clock.advance(7 * DAY);
    // whether or not that is on record yet
    let error = desk.make(expired.id, None, OPERATOR).await.unwrap_err();
    assert!(matches!(error, Error::NotLive), "{error:?}");
    world.until_told(|event| *event == Event::ExemptionExpired { grant: expired.id }).await;
    refused(&world, &desk, expired.id, None, "not_live", |e| matches!(e, Error::NotLive)).await;

    let unkept = granted(&world, terms(&[anna])).await;
    world.register.publish(revised(3, &[])).await.unwrap();
    refused(&world, &desk, unkept.id, None, "policy", |e| matches!(e, Error::Grant(GrantError::NotKept(_)))).await;
    let gates = world.told_since(0).await;
    assert!(!gates.contains(&"gate.permitted_by_exemption") && !gates.contains(&"export.created"), "{gates:?}");
}

/// What is proposed, and what is said against it.
type Case = (Terms, fn(&NotNow) -> bool);

#[tokio::test]
async fn what_cannot_be_demanded_is_not_even_proposed() {
    let world = world().await;
    let (anna, from) = (somebody(&world, "Anna").await, world.size().await);
    let many: Vec<_> = (0..17).map(|number| SubjectId([number; 16])).collect();
    let cases: [Case; 9] = [
        (demanding(&[anna], |d| d.authority.clear()), |e| *e == NotNow::Demand(DemandError::Words("authority"))),
        (demanding(&[anna], |d| d.law = "x".repeat(201)), |e| *e == NotNow::Demand(DemandError::Words("law"))),
        (terms(&[]), |e| *e == NotNow::Demand(DemandError::People(0))),
        (terms(&many), |e| *e == NotNow::Demand(DemandError::People(17))),
        (Terms { categories: [Category::VOICE_AUDIO].into(), ..terms(&[anna]) }, |e| {
            *e == NotNow::Demand(DemandError::NotStored(Some(Category::VOICE_AUDIO)))
        }),
        (Terms { purposes: [VOICE].into(), ..terms(&[anna]) }, |e| *e == NotNow::Demand(DemandError::Opens)),
        (demanding(&[anna], |d| d.recipient = [0; 32]), |e| *e == NotNow::Demand(DemandError::Recipient)),
        (Terms { code: ExemptionCode::X04, lasts: "P1D".parse().unwrap(), ..terms(&[anna]) }, |e| {
            *e == NotNow::Grant(GrantError::NotForSharing(ExemptionCode::X04))
        }),
        (Terms { lasts: "P8D".parse().unwrap(), ..terms(&[anna]) }, |e| {
            matches!(e, NotNow::Grant(GrantError::Window(_)))
        }),
    ];
    for (terms, is) in cases {
        match world.register.propose_exemption(terms, ANN).await {
            Err(NotGranted::NotNow(why)) => assert!(is(&why), "{why:?}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.size().await, from, "nothing is written");
}

#[tokio::test]
async fn the_people_are_told_once_when_the_grant_says_so_also_after_a_restart() {
    let world = world().await;
    let anna = somebody(&world, "Anna").await;
    let told = granted(&world, terms(&[anna])).await;
    let untold = granted(&world, demanding(&[anna], |demand| demand.tell_after = None)).await;
    let desk = DisclosureDesk::open(world.register.clone());
    desk.make(told.id, None, OPERATOR).await.unwrap();
    desk.make(untold.id, None, OPERATOR).await.unwrap();
    world.clock.advance(30 * DAY - Duration::from_secs(1));
    assert_eq!(desk.tell().await.unwrap(), 0, "it is not time yet");
    world.clock.advance(DAY);
    drop(desk);

    let world = world.again_under(revised(2, &[SHARED])).await;
    let desk = DisclosureDesk::open(world.register.clone());
    desk.tell().await.unwrap();
    assert_eq!(desk.tell().await.unwrap(), 0);
    let notices = Notices::new(world.register.clone());
    notices.look().await.unwrap();
    let of: Vec<_> = notices.of(anna).await.unwrap().into_iter().map(|(notice, _)| notice).collect();
    assert_eq!(of.iter().map(|notice| notice.kind).collect::<Vec<_>>(), [NoticeKind::Disclosure]);
    let text = of[0].text(Name::constant("en"));
    assert!(text.written.contains("The court of Springfield") && text.written.contains("cn-cpl:136"), "{text:?}");
    let standing: Vec<_> = desk.all().await.unwrap().iter().map(|one| one.told_at.is_some()).collect();
    assert_eq!(standing.iter().filter(|told| **told).count(), 1, "{standing:?}");
}

/// Whoever keeps the log leaves something out, or says something that was not so.
#[tokio::test]
async fn an_auditor_finds_what_was_given_without_a_live_grant() {
    let world = world().await;
    let (anna, ben) = (somebody(&world, "Anna").await, somebody(&world, "Ben").await);
    let grant = granted(&world, terms(&[anna])).await;
    granted(&world, terms(&[ben])).await;
    DisclosureDesk::open(world.register.clone()).make(grant.id, None, OPERATOR).await.unwrap();
    world.register.revoke_exemption(grant.id, BEN).await.unwrap();
    let leaves = world.leaves().await;
    assert_eq!(replay(&leaves).denied, [0; 0]);
    let denied = |leaves: &[Leaf]| replay(leaves).denied == [at(leaves, "gate.permitted_by_exemption") as u64];

    let mut ungranted = leaves.clone();
    ungranted.remove(at(&leaves, "exemption.granted"));
    assert!(denied(&ungranted));
    let mut late = leaves.clone();
    let revoked = late.remove(at(&leaves, "exemption.revoked"));
    late.insert(at(&late, "gate.permitted_by_exemption"), revoked);
    assert!(denied(&late));
    let changes: [fn(&mut DeskEvent); 3] = [
        |event| {
            if let DeskEvent::DisclosureGranted { approvers, .. } = event {
                approvers.truncate(1);
            }
        },
        |event| {
            if let DeskEvent::DisclosureGranted { until, .. } = event {
                until.0 += 24 * 3_600_000;
            }
        },
        |event| {
            if let DeskEvent::DisclosureGranted { category, .. } = event {
                *category = records();
            }
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut forged = leaves.clone();
        let Event::Desk(event) = &mut forged[at(&leaves, "exemption.granted")].fact.event else { panic!("a desk's") };
        change(event);
        assert!(denied(&forged), "change {number}");
    }
}
