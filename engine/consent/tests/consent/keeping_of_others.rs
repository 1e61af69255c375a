//! What is kept of one person and shows another: whoever is seen or heard decides, too.

use sayso_audit::Reference;
use sayso_consent::Means;
use sayso_consent::keep::{NewItem, NotKept};
use sayso_consent::rights::Desk;
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Reason};
use sayso_store::{Batch, Prefix, Store};
use sayso_types::SubjectId;

use crate::answering::accepted;
use crate::keeping::*;
use crate::world::*;

/// Has `person` agree to each of `purposes` by itself, in words that name what they agree to.
async fn agrees(world: &World, person: SubjectId, purposes: &[&str]) {
    for name in purposes {
        world.answers(person, &[purpose(name)], ConsentStatus::Given).await;
    }
    let row = Prefix::table("register").then(&person).into_key();
    let stored = world.local.read(core::slice::from_ref(&row)).await.unwrap().remove(0).unwrap().value;
    let text = core::str::from_utf8(&stored[2..]).unwrap();
    let explicit = text.replace("\"ExpressedConsent\"", "\"ExplicitlyExpressedConsent\"");
    world.local.commit(Batch::new().put(row, [&stored[..2], explicit.as_bytes()].concat())).await.unwrap();
}

const AVATAR: [&str; 3] = ["app_policy", "hand_over", "image_avatar"];
const CUSTOM: [&str; 3] = ["app_policy", "hand_over", "custom_avatar"];

fn face() -> NewItem {
    bytes("face_image", "image_avatar", CANARY.as_bytes())
}

#[tokio::test]
async fn a_picture_with_a_face_is_kept_when_whoever_is_in_it_agreed() {
    let world = World::under(lawful(ZEGO)).await;
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    agrees(&world, anna, &AVATAR).await;
    let silent = keep(&world, anna, face()).await;
    assert!(matches!(silent, Err(NotKept::WhoseIsIt(_))), "{silent:?}");
    let without = keep(&world, anna, face().of(ben)).await;
    assert!(matches!(without, Err(NotKept::Policy(Reason::NoBasis))), "{without:?}");
    let nobody = keep(&world, anna, face().of(SubjectId([9; 16]))).await;
    assert!(matches!(nobody, Err(NotKept::OtherTenant)), "{nobody:?}");
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_of").await), (0, 0));
    let own = keep(&world, anna, face().of(anna)).await.unwrap();
    agrees(&world, ben, &AVATAR).await;
    let theirs = keep(&world, anna, face().of(ben)).await.unwrap();
    let video = bytes("generated_video", "delivery", b"film").of(ben).made_from(&[theirs]);
    let unsaid = NewItem { of: Some(anna), ..video.clone() };
    assert!(matches!(keep(&world, anna, unsaid).await, Err(NotKept::Lineage)), "it shows somebody else");
    let video = keep(&world, anna, video).await.unwrap();
    assert_eq!(kept(&world, anna, theirs).await.unwrap().unwrap().of, Some(ben));
    assert!(!shows(world.dir.path()));

    // an agreement that the picture may be used comes first, and ends it, too
    let withdrawn = world.register.withdraw(ben, &[purpose("hand_over")], Means::Voice).await.unwrap();
    for gone in [theirs, video] {
        assert!(kept(&world, anna, gone).await.unwrap().is_none());
    }
    assert_eq!(content(&world, anna, own).await, CANARY.as_bytes(), "one's own picture is one's own");
    let certificate = certified(&world, ben, Reference(withdrawn.id)).await;
    assert_eq!(certificate.keys.len(), 1, "it was sealed under the key of whom it shows");
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_part").await, rows(&world, "kept_of").await), (1, 2, 0));
    let again = keep(&world, anna, face().of(ben)).await;
    assert!(matches!(again, Err(NotKept::Policy(Reason::NoBasis))), "{again:?}");
}

#[tokio::test]
async fn a_model_of_looks_and_voice_ends_with_what_it_was_made_from() {
    let world = World::under(lawful(ZEGO)).await;
    let (anna, ben, desk) = (world.stranger().await, world.stranger().await, Desk::open(world.register.clone()));
    for person in [anna, ben] {
        agrees(&world, person, &CUSTOM).await;
    }
    let source = || bytes("avatar_source", "custom_avatar", &[5; 200_000]);
    let model = || bytes("avatar_model", "custom_avatar", &[6; 100]);
    let first = keep(&world, anna, source().of(anna)).await.unwrap();
    let of_first = keep(&world, anna, model().of(anna).made_from(&[first])).await.unwrap();
    let unknown = keep(&world, anna, model().of(anna).made_from(&[Reference([1; 16])])).await;
    assert!(matches!(unknown, Err(NotKept::NoSuchSource)), "{unknown:?}");
    let second = keep(&world, anna, source().of(ben)).await.unwrap();
    let of_second = keep(&world, anna, model().of(ben).made_from(&[second])).await.unwrap();
    assert!(world.register.drop_kept(anna, first).await.unwrap());
    assert!(kept(&world, anna, of_first).await.unwrap().is_none(), "the model goes with its source");
    assert_eq!(content(&world, anna, of_second).await, [6; 100]);

    // whoever is erased is in no model any more
    let copy = every_part(&world).await;
    let case = accepted(&desk, ben, RightKind::Erase).await;
    let certificate = certified(&world, ben, case).await;
    assert_eq!(certificate.keys.len(), 2, "of the source and of the model");
    assert!(kept(&world, anna, of_second).await.unwrap().is_none());
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_part").await, rows(&world, "kept_of").await), (0, 0, 0));
    let mut batch = Batch::new();
    for (key, value) in copy {
        batch = batch.put(key, value);
    }
    world.local.commit(batch).await.unwrap();
    let used = kept(&world, anna, of_second).await;
    assert!(matches!(used, Err(NotKept::Policy(Reason::NoBasis))), "{used:?}");
    agrees(&world, ben, &CUSTOM).await;
    assert!(kept(&world, anna, of_second).await.unwrap().is_none(), "no copy of the store brings it back");
}

/// Heads and parts as they are stored now.
async fn every_part(world: &World) -> Vec<(sayso_store::Key, sayso_store::Value)> {
    let mut rows = Vec::new();
    for table in ["kept", "kept_part", "kept_of"] {
        let prefix = Prefix::table(table);
        let page = world.local.scan((&prefix).into(), 1_000).await.unwrap();
        rows.extend(page.entries.into_iter().map(|entry| (entry.key, entry.value)));
    }
    rows
}

#[tokio::test]
async fn a_finished_video_stays_until_it_is_deleted_and_no_longer_than_the_policy_says() {
    let world = World::under(lawful(ZEGO)).await;
    let anna = world.stranger().await;
    let video = || bytes("generated_video", "delivery", CANARY.as_bytes()).of(anna);
    let (first, second) = (keep(&world, anna, video()).await.unwrap(), keep(&world, anna, video()).await.unwrap());
    world.clock.advance(300 * DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(listed(&world, anna).await.len(), 2);
    assert!(world.register.drop_kept(anna, first).await.unwrap());
    assert_eq!(listed(&world, anna).await, [second]);
    assert_eq!(rows(&world, "kept_part").await, 2, "of one");
    world.clock.advance(66 * DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!((listed(&world, anna).await, rows(&world, "kept_part").await), (Vec::new(), 0));
    world.until_told(|event| matches!(event, sayso_audit::Event::EraseCertified { .. })).await;
}

#[tokio::test]
async fn a_voice_print_is_kept_by_the_speakers_own_explicit_consent() {
    let world = World::under(lawful(XIAOZHI)).await;
    let (owner, speaker) = (world.stranger().await, world.stranger().await);
    let print = || NewItem {
        attribute: Some("print".into()),
        ..bytes("voiceprint", "speaker_identity", &[4; 256]).of(speaker)
    };
    agrees(&world, owner, &["speaker_identity"]).await;
    let refused = keep(&world, owner, print()).await;
    assert!(matches!(refused, Err(NotKept::Policy(Reason::NoBasis))), "the owner cannot agree for them: {refused:?}");
    world.answers(speaker, &[purpose("speaker_identity")], ConsentStatus::Given).await;
    let refused = keep(&world, owner, print()).await;
    assert!(matches!(refused, Err(NotKept::Policy(Reason::NoBasis))), "a yes that names nothing: {refused:?}");
    agrees(&world, speaker, &["speaker_identity"]).await;
    let id = keep(&world, owner, print()).await.unwrap();
    assert_eq!(content(&world, owner, id).await, [4; 256]);
    let withdrawn = world.register.withdraw(speaker, &[], Means::Voice).await.unwrap();
    assert!(kept(&world, owner, id).await.unwrap().is_none());
    assert_eq!(certified(&world, speaker, Reference(withdrawn.id)).await.keys.len(), 1);
}
