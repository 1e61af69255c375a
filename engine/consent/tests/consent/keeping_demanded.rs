//! What a law demands to be kept for a time, whoever wants it erased: it is used for nothing meanwhile, and ends by itself.

use std::sync::Arc;

use sayso_audit::{Event, Reference};
use sayso_consent::erasure::{Certificate, LegalMinimum, Residual};
use sayso_consent::keep::NewItem;
use sayso_consent::rights::{Desk, Standing};
use sayso_consent::{Means, Replay};
use sayso_policy::profile::{Draft, RightKind};
use sayso_policy::{ConsentStatus, Tongue};
use sayso_types::{SubjectId, WallTime};

use crate::answering::accepted;
use crate::keeping::*;
use crate::world::*;

/// Six months from the first of January.
const TERM: core::time::Duration = core::time::Duration::from_secs(181 * 24 * 60 * 60);

fn log() -> NewItem {
    json("log_info", "security", &format!(r#"{{"operation":"{CANARY}"}}"#))
}

/// What `certificate` says that a law demands.
fn demanded(certificate: &Certificate) -> Vec<LegalMinimum> {
    let kept = certificate.residuals.iter().filter_map(|residual| match residual {
        Residual::LegalMinimum(kept) => Some(kept.clone()),
        _ => None,
    });
    kept.collect()
}

/// That the log of `person` is there, is used for nothing, and ends when its time is over; as an auditor finds.
async fn ends_by_itself(world: &World, person: SubjectId, log: Reference) {
    assert!(kept(world, person, log).await.unwrap().is_none(), "it is used for nothing");
    assert_eq!(listed(world, person).await, []);
    assert_eq!(rows(world, "kept").await, 1, "and it is there");
    world.clock.advance(TERM - 2 * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 0, "until then");
    assert_eq!(rows(world, "kept").await, 1);
    world.clock.advance(2 * DAY);
    assert_eq!(world.register.end_what_is_due().await.unwrap(), 1);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!((rows(world, "kept").await, rows(world, "kept_part").await), (0, 0));
    let of_logs =
        |event: &Event| matches!(event, Event::KeyDestroyed { category: one, .. } if *one == category("log_info"));
    world.until_told(of_logs).await;
    let mut replay = Replay::new(world.register.profile());
    (0..).zip(world.leaves().await).for_each(|(index, leaf)| replay.leaf(index, &leaf));
    let found = replay.finish();
    assert_eq!((found.denied, found.overstayed), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn an_erasure_leaves_what_a_law_demands_says_which_and_until_when_and_it_ends_then() {
    for right in [RightKind::Erase, RightKind::Cancel] {
        let world = World::under(lawful(XIAOZHI)).await;
        let (person, desk) = (world.stranger().await, Desk::open(world.register.clone()));
        let since = world.register_clock();
        let id = keep(&world, person, log()).await.unwrap();
        keep(&world, person, json("account", "provide_service", r#"{"phone":"1"}"#)).await.unwrap();
        let case = accepted(&desk, person, right).await;
        let certificate = certified(&world, person, case).await;
        let destroyed: Vec<_> = certificate.keys.iter().map(|key| key.category).collect();
        assert_eq!(destroyed, [category("account")], "of everything else");
        let until = WallTime(since.0 + u64::try_from(TERM.as_millis()).unwrap());
        let law = LegalMinimum { category: category("log_info"), law: "cn-csl:21".into(), until };
        assert_eq!(demanded(&certificate), [law]);
        assert!(certificate.is_partial());
        let told = certificate.told(&[], Tongue::English, |at| at.0.to_string());
        let says = format!(
            "log_info, which cn-csl:21 demands to be kept: sealed and used for nothing, until it ends at {}",
            until.0
        );
        assert!(told.contains(&says), "{told}");
        let standing = desk.of(person).await.unwrap().into_iter().find(|one| one.id == case).unwrap().standing;
        assert_eq!(standing, Standing::PartlyFulfilled);
        assert!(!shows(world.dir.path()), "it is sealed");
        // a node that is started again knows of it
        let world = world.again_under(lawful(XIAOZHI)).await;
        ends_by_itself(&world, person, id).await;
        world.ends_spotless_under(lawful(XIAOZHI)).await;
    }
}

#[tokio::test]
async fn what_is_deleted_before_a_law_lets_it_stays_unread_until_then_and_whoever_deletes_it_is_told() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    let id = keep(&world, person, log()).await.unwrap();
    assert_eq!(world.register.kept_by_law(person, id).await.unwrap(), None, "nobody has deleted it");
    assert!(world.register.drop_kept(person, id).await.unwrap());
    let kept = world.register.kept_by_law(person, id).await.unwrap().unwrap();
    assert_eq!((kept.category, kept.law.as_str()), (category("log_info"), "cn-csl:21"));
    assert!(!world.register.drop_kept(person, id).await.unwrap(), "once");
    let held = world.leaves().await.into_iter().filter(|leaf| matches!(leaf.fact.event, Event::RetentionHeld { .. }));
    assert_eq!(held.count(), 1);
    ends_by_itself(&world, person, id).await;
    assert_eq!(world.register.kept_by_law(person, id).await.unwrap(), None);
}

#[tokio::test]
async fn a_withdrawal_takes_what_no_law_demands_and_only_that() {
    let (written, rest) = XIAOZHI;
    // logs that are kept for something that people agree to, beside what a law asks for
    let legal = r#"purposes = ["security", "legal"]"#;
    let written = written.replace(legal, r#"purposes = ["security", "legal", "knowledge"]"#);
    let required = "[category.log_info]\nnecessity = \"Required\"";
    assert!(rest.contains(required));
    let rest = rest.replace(required, "[category.log_info]\nnecessity = \"Optional\"");
    let profile = Arc::new(Draft::parse(&rest, Some(&written)).unwrap().accept().unwrap());
    let world = World::under(profile).await;
    let person = world.stranger().await;
    world.answers(person, &[purpose("knowledge")], ConsentStatus::Given).await;
    let document = keep(&world, person, bytes("knowledge_base", "knowledge", b"a")).await.unwrap();
    let id = keep(&world, person, NewItem { purpose: purpose("knowledge"), ..log() }).await.unwrap();
    let withdrawn = world.register.withdraw(person, &[purpose("knowledge")], Means::Voice).await.unwrap();
    assert!(withdrawn.ok);
    assert!(kept(&world, person, document).await.unwrap().is_none());
    let of_logs = |one: &Certificate| one.category == Some(category("log_info"));
    let parsed = |json: Vec<u8>| Certificate::parse(&json).unwrap();
    world.until_told(|event| matches!(event, Event::EraseCertified { .. })).await;
    let certificate = loop {
        let certificates = world.register.certificates(person).await.unwrap();
        if let Some(found) = certificates.into_iter().map(parsed).find(of_logs) {
            break found;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((certificate.keys.len(), demanded(&certificate).len()), (0, 1));
    ends_by_itself(&world, person, id).await;
}
