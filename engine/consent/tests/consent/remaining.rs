//! What an erasure does not reach, and who answers for it.

use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, DeskEvent, Event, Hash, Reference};
use sayso_consent::Means;
use sayso_consent::erasure::{ApprovalError, Certificate};
use sayso_consent::rights::Desk;
use sayso_consent::rights::copy::Approved;
use sayso_policy::profile::RightKind;
use sayso_policy::tongue::Tongue;
use sayso_store::{Prefix, Store};
use sayso_types::{Name, SubjectId};
use sha2::{Digest, Sha256};

use crate::answering::accepted;
use crate::erasing::profile_with_a_receiver;
use crate::set_clock::{HOUR, NOON, SetClock};
use crate::world::*;

const CLOUD: Name = Name::constant("cloud");
const DISSOLVED: Name = Name::constant("receiver_dissolved");

fn dpo() -> (String, Actor) {
    ("admin:dpo".to_owned(), Actor { kind: ActorKind::Operator, tag: None })
}

/// Somebody whose memory is erased, which a receiver may still have; the withdrawal, and its certificate.
async fn erased(world: &World) -> (SubjectId, Reference, Vec<u8>) {
    let person = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(person, &[("name".into(), "Carl".into())]).await.unwrap());
    let withdrawn = Reference(world.register.withdraw(person, &[], Means::Voice).await.unwrap().id);
    let json = world.register.until_certified(person, withdrawn).await.unwrap();
    (person, withdrawn, json)
}

#[tokio::test]
async fn somebody_answers_for_what_remains_and_the_certificate_is_told_with_it() {
    let world = World::new().await;
    world.register.publish(Arc::new(profile_with_a_receiver(2))).await.unwrap();
    let (person, withdrawn, json) = erased(&world).await;
    let certificate = Certificate::parse(&json).unwrap();
    let erasure = Reference(certificate.erasure);
    let approval = world.register.approve_residual(person, withdrawn, (CLOUD, DISSOLVED), dpo()).await.unwrap();
    assert_eq!((approval.residual, approval.reason, approval.by.as_str()), (CLOUD, DISSOLVED, "admin:dpo"));
    let leaves = world.leaves().await;
    let approved = leaves.iter().find_map(|leaf| match &leaf.fact.event {
        Event::Desk(DeskEvent::ResidualApproved { erasure, certificate, residual, reason }) => {
            Some((*erasure, *certificate, *residual, *reason, leaf.fact.subject, leaf.fact.actor.kind))
        }
        _ => None,
    });
    let (tag, sha256) = (sayso_audit::SubjectTag(certificate.subject_tag), Hash(Sha256::digest(&json).into()));
    assert_eq!(approved, Some((erasure, sha256, CLOUD, DISSOLVED, Some(tag), ActorKind::Operator)));

    let world = world.again_under(Arc::new(profile_with_a_receiver(2))).await;
    let approvals = world.register.approvals(person, erasure).await.unwrap();
    assert_eq!(approvals, [approval]);
    let told = |tongue| certificate.told(&approvals, tongue, |at| at.0.to_string());
    let at = approvals[0].at.0;
    assert!(told(Tongue::English).contains(&format!("  admin:dpo answers for it since {at}: receiver_dissolved\n")));
    assert!(told(Tongue::Chinese).contains("由 admin:dpo 对此负责：receiver_dissolved\n"));
    assert_eq!(world.register.certificate(person, withdrawn).await.unwrap(), Some(json), "it stays as it was issued");
    world.ends_spotless_under(Arc::new(profile_with_a_receiver(2))).await;
}

/// Whoever has their copy knows who answers for what remains, and not who that is.
#[tokio::test]
async fn the_persons_copy_says_that_somebody_answers_for_what_remains() {
    let world = World::new().await;
    world.register.publish(Arc::new(profile_with_a_receiver(2))).await.unwrap();
    let (person, withdrawn, json) = erased(&world).await;
    let erasure = Certificate::parse(&json).unwrap().erasure;
    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, person, RightKind::Copy).await;
    let integrator = Actor { kind: ActorKind::Tenant, tag: None };
    let before = desk.copy(person, case, integrator).await.unwrap();
    assert_eq!(before.approvals, []);
    assert!(!before.page(Tongue::English, |at| at.0.to_string()).contains("the operator answers"));

    let approval = world.register.approve_residual(person, withdrawn, (CLOUD, DISSOLVED), dpo()).await.unwrap();
    let copy = desk.copy(person, case, integrator).await.unwrap();
    let approved = Approved { erasure, residual: CLOUD, reason: DISSOLVED, by: "operator", at: approval.at };
    assert_eq!((copy.approvals.as_slice(), copy.rows()), ([approved].as_slice(), before.rows() + 1));
    let at = approval.at.0;
    for (tongue, told) in [
        (Tongue::English, format!("  the operator answers for it since {at}: receiver_dissolved\n")),
        (Tongue::Chinese, format!("  自 {at} 起由 运营方 对此负责：receiver_dissolved\n")),
    ] {
        let page = copy.page(tongue, |at| at.0.to_string());
        assert!(page.contains(&told), "{page}");
    }
    let shown = serde_json::to_string(&copy).unwrap();
    assert!(shown.contains(r#""reason":"receiver_dissolved","by":"operator""#), "{shown}");
    assert!(!shown.contains("admin:dpo"), "who that is, nobody is told");
}

#[tokio::test]
async fn nobody_answers_twice_nor_for_what_no_certificate_names() {
    let world = World::new().await;
    world.register.publish(Arc::new(profile_with_a_receiver(2))).await.unwrap();
    let (person, withdrawn, _) = erased(&world).await;
    let stranger = world.stranger().await;
    let approve = |whose, what| world.register.approve_residual(whose, withdrawn, (what, DISSOLVED), dpo());
    let refused = approve(stranger, CLOUD).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::NotCertified), "{refused}");
    let refused = approve(person, Name::constant("store_logs")).await.unwrap_err();
    assert!(matches!(&refused, ApprovalError::NotThere(named) if named.starts_with("cloud, ")), "{refused}");
    approve(person, CLOUD).await.unwrap();
    let refused = approve(person, CLOUD).await.unwrap_err();
    assert!(matches!(&refused, ApprovalError::Approved { by } if by == "admin:dpo"), "{refused}");
    approve(person, Name::constant("key_backups")).await.unwrap();
}

#[tokio::test]
async fn who_answers_ends_with_the_certificate() {
    let clock = Arc::new(SetClock::at(NOON));
    let world = World::with_clock(clock.clone(), sayso_consent::Options::default()).await;
    world.register.publish(Arc::new(profile_with_a_receiver(2))).await.unwrap();
    let (person, withdrawn, _) = erased(&world).await;
    world.register.approve_residual(person, withdrawn, (CLOUD, DISSOLVED), dpo()).await.unwrap();
    clock.set(NOON + 4 * 366 * 24 * HOUR);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(world.register.certificate(person, withdrawn).await.unwrap(), None);
    let left = world.local.scan((&Prefix::table("residual")).into(), 10).await.unwrap().entries;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn what_nobody_answers_for_is_listed_over_everybody_and_page_by_page() {
    let clock = Arc::new(SetClock::at(NOON));
    let world = World::with_clock(clock.clone(), sayso_consent::Options::default()).await;
    world.register.publish(Arc::new(profile_with_a_receiver(2))).await.unwrap();
    let ((anna, of_anna, json), (ben, ..)) = (erased(&world).await, erased(&world).await);
    let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
    let (open, next) = world.register.open_residuals(None, None).await.unwrap();
    let people: std::collections::BTreeSet<_> = open.iter().map(|one| one.subject).collect();
    assert_eq!((open.len(), people, next), (2, [anna, ben].into(), None));
    let annas = open.iter().find(|one| one.subject == anna).unwrap();
    let certificate = Certificate::parse(&json).unwrap();
    assert_eq!((annas.processor.0, annas.erasure), (CLOUD, Reference(certificate.erasure)));
    assert_eq!((annas.tenant.as_ref(), annas.certified_at), (Some(&acme), certificate.certified_at));
    assert_eq!(world.register.open_residuals(Some(&acme), None).await.unwrap().0, open);
    assert_eq!(world.register.open_residuals(Some(&other), None).await.unwrap().0, []);
    let (first, second) = (&open[0], &open[1]);
    let after = world.register.open_residuals(None, Some((first.subject, first.erasure))).await.unwrap();
    assert_eq!(after, (vec![second.clone()], None), "it goes on after one");

    world.register.approve_residual(anna, of_anna, (CLOUD, DISSOLVED), dpo()).await.unwrap();
    let left: Vec<_> = world.register.open_residuals(None, None).await.unwrap().0;
    assert_eq!(left.iter().map(|one| one.subject).collect::<Vec<_>>(), [ben], "somebody answers for the other one");
    let end = left[0].until.expect("it says how long it keeps it");
    clock.set(end.0);
    assert_eq!(world.register.open_residuals(None, None).await.unwrap().0, [], "by its own word it has it no more");
}
