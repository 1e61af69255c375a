//! What tenants answer for: they attest where data of their users comes from, and show it when that is demanded.

use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Hash, Leaf};
use sayso_consent::tenants::{NotInstructed, Order};
use sayso_consent::{Denied, Error, Lease, Replay};
use sayso_policy::{Profile, Reason, Refused};
use sayso_types::{TenantId, WallTime};

use crate::instructing::order;
use crate::world::*;

const BY: Actor = Actor { kind: ActorKind::Operator, tag: None };

/// The policy of the other tests where tenants attest, whose users speak.
fn profile_that_has_tenants_attest() -> Arc<Profile> {
    let spoken = "[category.voice_audio]\n";
    let text = profile_text().replace(spoken, &format!("{spoken}subject = \"tenant_user\"\n"));
    let tenants = "[tenants]\nattest = true\nevidence_within = \"P15D\"\n";
    Arc::new(Profile::in_force_before(&format!("{text}\n{tenants}")).unwrap())
}

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

fn attesting() -> Order {
    Order { attestation: Some("statement 3, version 2".into()), ..order("acme") }
}

fn is_closed(asked: Result<Lease, Denied>) -> bool {
    matches!(asked, Err(Denied::Policy(Reason::NotInstructed)))
}

fn refused<T: std::fmt::Debug>(asked: Result<T, Error>) -> NotInstructed {
    match asked {
        Err(Error::NotInstructed(why)) => why,
        other => panic!("it was taken: {other:?}"),
    }
}

fn denied(profile: &Arc<Profile>, leaves: &[Leaf]) -> Vec<u64> {
    let mut replay = Replay::new(Arc::clone(profile));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    replay.finish().denied
}

#[tokio::test]
async fn a_tenant_that_has_attested_nothing_is_not_served() {
    let profile = profile_that_has_tenants_attest();
    let world = World::under(Arc::clone(&profile)).await;
    let anna = world.person(&[VOICE]).await;
    assert!(is_closed(world.listen(anna).await), "she agreed, and nobody answers for her provider");
    let before = world.size().await;
    assert_eq!(refused(world.register.instruct(order("acme"), BY).await), NotInstructed::Attestation);
    let at_length = Order { attestation: Some("x".repeat(201)), ..order("acme") };
    assert_eq!(refused(world.register.instruct(at_length, BY).await), NotInstructed::Attestation);
    assert_eq!(world.size().await, before);

    world.register.instruct(attesting(), BY).await.unwrap();
    drop(world.listen(anna).await.unwrap());
    let world = world.again_under(Arc::clone(&profile)).await;
    drop(world.listen(anna).await.unwrap());

    // an auditor finds what would have been served without
    let leaves = world.leaves().await;
    assert_eq!(denied(&profile, &leaves), [0_u64; 0]);
    let is_attestation = |leaf: &&Leaf| leaf.fact.event.name() != "tenant.attested";
    let without: Vec<_> = leaves.iter().filter(is_attestation).cloned().collect();
    assert!(without.len() + 1 == leaves.len() && !denied(&profile, &without).is_empty());
    world.ends_spotless_under(profile).await;
}

#[tokio::test]
async fn from_the_day_evidence_is_overdue_nothing_passes_until_it_is_accepted() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let term = TTL / 4;
    let due = Some(WallTime(world.register_clock().0 + term.as_millis() as u64));
    let what = || "where the recordings come from".to_owned();
    let demand = async |due| world.register.demand_evidence(acme(), what(), due, BY).await;
    assert_eq!(refused(demand(due).await), NotInstructed::Unknown);
    world.register.instruct(order("acme"), BY).await.unwrap();
    assert_eq!(refused(world.register.accept_evidence(acme(), Hash([5; 32]), BY).await), NotInstructed::NotDemanded);
    for day in [None, Some(world.register_clock())] {
        assert_eq!(refused(demand(day).await), NotInstructed::Due);
    }
    let nothing = world.register.demand_evidence(acme(), " ".into(), due, BY).await;
    assert_eq!(refused(nothing), NotInstructed::What);
    let demanded = demand(due).await.unwrap();
    assert_eq!(demanded.demand.map(|demand| Some(demand.due)), Some(due));
    assert_eq!(refused(demand(due).await), NotInstructed::Demanded);

    // there is time until then, and no permit outlives it
    let lease = world.listen(anna).await.unwrap();
    let asked = ask(anna, world.state(anna).await.cv);
    lease.permit().pass(frame(&asked), drop).unwrap();
    world.clock.advance(term);
    let late = lease.permit().pass(frame(&asked), drop);
    assert!(matches!(late, Err(Refused::Expired | Refused::Revoked)), "{late:?}");
    drop(lease);
    assert!(is_closed(world.listen(anna).await));
    // nor do new instructions change that, nor a restart
    world.register.instruct(order("acme"), BY).await.unwrap();
    let world = world.again().await;
    assert!(is_closed(world.listen(anna).await));
    assert!(world.register.tenants().await.unwrap()[0].ending.is_none(), "it is not served for a time, and not erased");

    let accepted = world.register.accept_evidence(acme(), Hash([5; 32]), BY).await.unwrap();
    assert_eq!(accepted.demand, None);
    drop(world.listen(anna).await.unwrap());
    let leaves = world.leaves().await;
    let told: Vec<_> =
        leaves.iter().map(|leaf| leaf.fact.event.name()).filter(|name| name.contains("evidence")).collect();
    assert_eq!(told, ["tenant.evidence_demanded", "tenant.evidence_accepted"]);
    let replayed = |leaves: &[Leaf]| denied(&Arc::new(profile()), leaves);
    assert_eq!(replayed(&leaves), [0_u64; 0]);
    let unaccepted: Vec<_> =
        leaves.iter().filter(|leaf| leaf.fact.event.name() != "tenant.evidence_accepted").cloned().collect();
    assert_eq!(replayed(&unaccepted).len(), 1, "what was opened after it was accepted");
    world.ends_spotless().await;
}

#[tokio::test]
async fn the_policy_says_by_when_at_the_latest() {
    let world = World::under(profile_that_has_tenants_attest()).await;
    world.register.instruct(attesting(), BY).await.unwrap();
    let now = world.register_clock();
    let latest = WallTime(now.0 + 15 * 86_400_000);
    let later = Some(WallTime(latest.0 + 1));
    let demand = async |due| world.register.demand_evidence(acme(), "a contract".into(), due, BY).await;
    assert_eq!(refused(demand(later).await), NotInstructed::Due);
    assert_eq!(demand(None).await.unwrap().demand.map(|demand| demand.due), Some(latest));
}
