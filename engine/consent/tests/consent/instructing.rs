//! Tenants' instructions: what they do not name is closed, and when they end everything of the tenant's people goes.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use sayso_audit::{Actor, ActorKind, ControlEvent, Event, Leaf};
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::notices::{Audience, NoticeKind, Notices};
use sayso_consent::switch::{Position, Target, Throw};
use sayso_consent::tenants::{NotInstructed, Order, Tenant, Why};
use sayso_consent::{Answer, Denied, Error, Lease, Options, Replay};
use sayso_policy::{ConsentStatus, Profile, Reason, Refused};
use sayso_store::Store;
use sayso_types::{Category, Name, Purpose, SubjectId, TenantId, WallTime};

use crate::erasing::{facts, row};
use crate::set_clock::{HOUR, NOON, SetClock};
use crate::world::*;

const BY: Actor = Actor { kind: ActorKind::Operator, tag: None };

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

/// To listen with what the test profile has; without remembering.
pub(crate) fn order(tenant: &str) -> Order {
    Order {
        tenant: tenant.parse().unwrap(),
        reference: "DPA 2026-7".into(),
        purposes: [VOICE, Purpose::CONSENT_ANSWER].into(),
        categories: [Category::VOICE_AUDIO, Category::TRANSCRIPT].into(),
        until: None,
        attestation: None,
    }
}

async fn of_another_tenant(world: &World) -> SubjectId {
    let (device, tenant) = (SubjectId::random().to_string(), "other".parse::<TenantId>().unwrap());
    let subject = world.register.subject_of(&tenant, &device.parse().unwrap()).await.unwrap();
    let yes = Answer { tenant, ..answer(subject, &[VOICE, MEMORY], ConsentStatus::Given) };
    world.register.record(&yes).await.unwrap();
    subject
}

fn is_uninstructed(asked: Result<Lease, Denied>) -> bool {
    matches!(asked, Err(Denied::Policy(Reason::NotInstructed)))
}

async fn erased(world: &World) -> Tenant {
    world.until_told(|event| matches!(event, Event::Control(ControlEvent::TenantErased { .. }))).await;
    world.register.tenants().await.unwrap().pop().unwrap()
}

fn denied(leaves: &[Leaf]) -> Vec<u64> {
    let mut replay = Replay::new(Arc::new(profile()));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    replay.finish().denied
}

#[tokio::test]
async fn what_a_tenant_does_not_instruct_is_closed_for_its_people_at_once() {
    let world = World::new().await;
    let (anna, ben) = (world.person(&[VOICE, MEMORY]).await, of_another_tenant(&world).await);
    let leases = [world.listen(anna).await.unwrap(), world.listen(ben).await.unwrap()];
    let narrow = Order { categories: [Category::TRANSCRIPT].into(), ..order("acme") };
    let instructed = world.register.instruct(narrow, BY).await.unwrap();
    assert_eq!(instructed.rev, 1);
    leases[0].revoked().await;
    let asked = [ask(anna, world.state(anna).await.cv), ask(ben, world.state(ben).await.cv)];
    assert_eq!(leases[0].permit().pass(frame(&asked[0]), drop), Err(Refused::Revoked));
    leases[1].permit().pass(frame(&asked[1]), drop).unwrap();
    drop(leases);
    assert!(is_uninstructed(world.listen(anna).await), "they agreed, and their tenant does not want it");
    assert!(!world.register.save_facts(anna, &facts()).await.unwrap(), "nor is anything remembered");
    drop(world.listen(ben).await.unwrap());

    let world = world.again().await;
    assert!(is_uninstructed(world.listen(anna).await), "also after a restart");
    // what is switched meanwhile leaves instructions as they are
    for to in [Position::Off, Position::On] {
        let (target, reason) = (Target::Category(Category::TRANSCRIPT), Name::constant("test"));
        world.register.throw(Throw { target, to, reason, incident: None }, BY).await.unwrap();
        assert!(is_uninstructed(world.listen(anna).await));
    }
    world.register.instruct(order("acme"), BY).await.unwrap();
    drop(world.listen(anna).await.unwrap());
    world.ends_spotless().await;
}

#[tokio::test]
async fn whoever_ends_a_tenant_again_is_told_so_only_when_its_permits_have_ended() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    world.register.instruct(order("acme"), BY).await.unwrap();
    let lease = world.listen(anna).await.unwrap();
    world.store.is_unread.store(true, SeqCst);
    let failed = world.register.end_tenant(acme(), Why::Instructed, BY).await;
    world.store.is_unread.store(false, SeqCst);
    assert!(failed.is_err(), "who has permits could not be read: {failed:?}");
    world.register.end_tenant(acme(), Why::Instructed, BY).await.unwrap();
    assert!(!lease.permit().is_open());
}

#[tokio::test]
async fn instructions_never_go_beyond_the_policy_and_say_where_they_are_from() {
    let world = World::new().await;
    let (marketing, face) = ("marketing".parse().unwrap(), "face".parse().unwrap());
    let refused = [
        (Order { purposes: [VOICE, marketing].into(), ..order("acme") }, NotInstructed::Purpose(marketing)),
        (Order { categories: [face].into(), ..order("acme") }, NotInstructed::Category(face)),
        (Order { purposes: [].into(), ..order("acme") }, NotInstructed::Nothing),
        (Order { categories: [].into(), ..order("acme") }, NotInstructed::Nothing),
        (Order { reference: " ".into(), ..order("acme") }, NotInstructed::Reference),
        (Order { reference: "x".repeat(201), ..order("acme") }, NotInstructed::Reference),
        (Order { until: Some(world.register_clock()), ..order("acme") }, NotInstructed::Term),
    ];
    let before = world.size().await;
    for (order, why) in refused {
        match world.register.instruct(order, BY).await {
            Err(Error::NotInstructed(found)) => assert_eq!(found, why),
            other => panic!("it was taken: {other:?}"),
        }
    }
    let unknown = world.register.end_tenant(acme(), Why::Instructed, BY).await;
    assert!(matches!(unknown, Err(Error::NotInstructed(NotInstructed::Unknown))), "{unknown:?}");
    assert_eq!((world.size().await, world.register.tenants().await.unwrap().len()), (before, 0));
}

#[tokio::test]
async fn a_tenant_that_ends_has_everything_of_its_people_erased_and_of_nobody_elses() {
    let world = World::new().await;
    let (anna, carl) = (world.person(&[VOICE, MEMORY]).await, world.person(&[VOICE, MEMORY]).await);
    let ben = of_another_tenant(&world).await;
    for person in [anna, carl, ben] {
        assert!(world.register.save_facts(person, &facts()).await.unwrap());
    }
    let instructed = world.register.instruct(order("acme"), BY).await.unwrap();
    let lease = world.listen(anna).await.unwrap();
    let ended = world.register.end_tenant(acme(), Why::Instructed, BY).await.unwrap();
    assert!(ended.is_erasing() && !lease.permit().is_open());
    drop(lease);
    assert!(is_uninstructed(world.listen(carl).await));
    let again = world.register.end_tenant(acme(), Why::Instructed, BY).await.unwrap();
    assert_eq!(again.rev, ended.rev, "asked again, nothing is done twice");

    let done = erased(&world).await;
    assert_eq!(done.ending.as_ref().map(|ending| (ending.why, ending.people)), Some((Why::Instructed, 2)));
    for person in [anna, carl] {
        let certificate = world.register.until_certified(person, instructed.id).await.unwrap();
        assert_eq!(Certificate::parse(&certificate).unwrap().grounds[0], Ground::Tenant(instructed.id.0));
        assert!(world.local.read(&[row(person)]).await.unwrap()[0].is_none());
        assert_eq!(world.state(person).await.status(VOICE), ConsentStatus::Withdrawn);
    }
    assert!(world.local.read(&[row(ben)]).await.unwrap()[0].is_some());
    drop(world.listen(ben).await.unwrap());

    // with another contract it begins anew, and whoever agrees anew is served
    world.register.instruct(order("acme"), BY).await.unwrap();
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    drop(world.listen(anna).await.unwrap());
    world.ends_spotless().await;
}

#[tokio::test]
async fn people_of_a_tenant_that_ends_are_told_before_anything_is_erased() {
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    let ben = of_another_tenant(&world).await;
    assert!(world.register.save_facts(anna, &facts()).await.unwrap());
    world.register.instruct(order("acme"), BY).await.unwrap();
    let ended = world.register.end_tenant(acme(), Why::Instructed, BY).await.unwrap();
    let notice = ended.ending.and_then(|ending| ending.notice).unwrap();
    erased(&world).await;
    let notices = Notices::new(world.register.clone());
    let [told] = notices.to_tell(anna).await.unwrap().try_into().unwrap();
    assert_eq!((told.id, told.kind, told.audience), (notice, NoticeKind::TenantEnd, Audience::Tenant(acme())));
    assert!(told.texts[&Name::constant("en")].spoken.contains("is served here no more"));
    assert!(notices.to_tell(ben).await.unwrap().is_empty());
    let told = world.told_since(0).await;
    let place = |name| told.iter().position(|told| *told == name).unwrap();
    assert!(
        place("tenant.erasing") < place("notice.sent") && place("notice.sent") < place("erase.committed"),
        "{told:?}"
    );
    world.ends_spotless().await;
}

#[tokio::test]
async fn where_the_policy_says_how_long_before_people_are_told_nothing_is_erased_earlier() {
    let promises = format!("{}\n[notify]\nshutdown = {{ within = \"P3D\" }}\n", profile_text());
    let promises = promises.replacen("rev = 1", "rev = 2", 1);
    let clock = Arc::new(SetClock::at(NOON));
    let world = World::with_clock(clock.clone(), Options::default()).await;
    world.register.publish(Arc::new(Profile::in_force_before(&promises).unwrap())).await.unwrap();
    let anna = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(anna, &facts()).await.unwrap());
    world.register.instruct(order("acme"), BY).await.unwrap();
    let ended = world.register.end_tenant(acme(), Why::Instructed, BY).await.unwrap();
    let not_before = ended.ending.unwrap().not_before.unwrap();
    assert!(not_before.0 >= NOON + 3 * 24 * HOUR);
    assert!(is_uninstructed(world.listen(anna).await), "but nothing is used from the end on");
    clock.set(not_before.0 - 1);
    world.until_told(|event| matches!(event, Event::Notice { .. })).await;
    assert!(world.local.read(&[row(anna)]).await.unwrap()[0].is_some());
    assert!(!world.told_since(0).await.contains(&"erase.committed"));
    clock.set(not_before.0);
    erased(&world).await;
    assert!(world.local.read(&[row(anna)]).await.unwrap()[0].is_none());
}

#[tokio::test]
async fn when_the_term_is_over_gates_close_by_themselves_and_the_erasure_begins() {
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(anna, &facts()).await.unwrap());
    let term = TTL / 4;
    let until = WallTime(world.register_clock().0 + term.as_millis() as u64);
    world.register.instruct(Order { until: Some(until), ..order("acme") }, BY).await.unwrap();
    let lease = world.listen(anna).await.unwrap();
    let asked = ask(anna, world.state(anna).await.cv);
    lease.permit().pass(frame(&asked), drop).unwrap();
    world.clock.advance(term);
    let refused = lease.permit().pass(frame(&asked), drop);
    assert!(matches!(refused, Err(Refused::Expired | Refused::Revoked)), "no permit outlives it: {refused:?}");
    drop(lease);
    assert!(is_uninstructed(world.listen(anna).await));
    let done = erased(&world).await;
    assert_eq!(done.ending.map(|ending| (ending.why, ending.people)), Some((Why::TermOver, 1)));
    assert!(world.local.read(&[row(anna)]).await.unwrap()[0].is_none());
}

#[tokio::test]
async fn a_replay_finds_what_is_opened_against_the_instructions_and_after_their_end() {
    let world = World::new().await;
    let narrow = Order { categories: [Category::TRANSCRIPT].into(), ..order("acme") };
    for order in [order("acme"), narrow] {
        world.register.instruct(order, BY).await.unwrap();
    }
    world.register.instruct(order("acme"), BY).await.unwrap();
    let anna = world.person(&[VOICE]).await;
    drop(world.listen(anna).await.unwrap());
    world.register.instruct(Order { categories: [Category::TRANSCRIPT].into(), ..order("acme") }, BY).await.unwrap();
    let leaves = world.again().await.leaves().await;
    assert_eq!(denied(&leaves), [0_u64; 0]);

    let mut late = leaves.clone();
    let is_opened = |leaf: &&Leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. });
    let mut forged = leaves.iter().find(is_opened).unwrap().clone();
    let last = leaves.last().unwrap();
    (forged.place, forged.fact.registry_rev) = (last.place, last.fact.registry_rev.max(4));
    late.push(forged);
    assert_eq!(denied(&late), [leaves.len() as u64]);
}

#[tokio::test]
async fn an_erasure_that_a_restart_interrupts_is_gone_on_with() {
    let world = World::new().await;
    let people = [world.person(&[MEMORY]).await, world.person(&[MEMORY]).await];
    for person in people {
        assert!(world.register.save_facts(person, &facts()).await.unwrap());
    }
    world.register.instruct(order("acme"), BY).await.unwrap();
    world.register.end_tenant(acme(), Why::Instructed, BY).await.unwrap();
    let world = world.again().await;
    let done = erased(&world).await;
    assert!(!done.is_erasing());
    for person in people {
        assert!(world.local.read(&[row(person)]).await.unwrap()[0].is_none());
    }
}
