//! Where consent stands before there is an answer: it is requested, which opens nothing, and its record goes on with the answer.

use sayso_audit::{Actor, ConsentEnding, Event};
use sayso_consent::rights::Desk;
use sayso_consent::{Answer, Ending, Error, Means, Question, Replay};
use sayso_policy::ConsentStatus;
use sayso_policy::profile::RightKind;
use sayso_proto::consent::v1 as proto;
use sayso_types::{ConsentVersion, Name, Purpose, SubjectId};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::answering::accepted;
use crate::revising::revised;
use crate::world::*;

use ConsentStatus::{Deferred, Given, Invalidated, Refused, Renewed, Requested, Revoked, Unknown, Withdrawn};

async fn asked(world: &World, subject: SubjectId, purposes: &[Purpose]) -> Question {
    let question = Question::of(purposes);
    world.register.asked(&asking(subject, &question)).await.unwrap();
    question
}

async fn answers(world: &World, subject: SubjectId, question: Question, status: ConsentStatus) {
    let said = Answer { question, ..answer(subject, &[], status) };
    world.register.record(&said).await.unwrap();
}

/// What its records say of `subject`, oldest first, each with all that happened to it.
async fn told(world: &World, subject: SubjectId) -> Vec<Vec<proto::ConsentStatus>> {
    let (_, records) = world.register.records(subject).await.unwrap();
    records.iter().map(|record| record.events.iter().map(proto::ConsentEvent::status).collect()).collect()
}

#[tokio::test]
async fn whoever_is_asked_has_a_record_that_says_so_and_opens_nothing() {
    let world = World::new().await;
    let anna = world.stranger().await;
    let question = asked(&world, anna, &[VOICE]).await;
    let state = world.state(anna).await;
    assert_eq!((state.cv, state.status(VOICE), state.status(MEMORY)), (ConsentVersion(1), Requested, Unknown));
    assert!(world.listen(anna).await.is_err(), "a question is no answer");
    let (_, records) = world.register.records(anna).await.unwrap();
    let [record] = records.as_slice() else { panic!("one record") };
    let [event] = record.events.as_slice() else { panic!("one event") };
    assert_eq!((event.status(), event.actor()), (proto::ConsentStatus::Requested, proto::ActorKind::System));
    assert!(event.evidence_sha256.is_empty(), "nobody has said anything");
    assert!(!record.purpose.as_ref().unwrap().cells.is_empty(), "what a yes would open");

    let world = world.again().await;
    assert_eq!(world.state(anna).await.status(VOICE), Requested, "also after a restart");
    answers(&world, anna, question.clone(), Given).await;
    answers(&world, anna, question, Refused).await;
    assert_eq!(world.state(anna).await.status(VOICE), Given, "a question is answered once");
    let (_, records) = world.register.records(anna).await.unwrap();
    let [answered] = records.as_slice() else { panic!("the answer goes on with the record of the question") };
    assert_eq!((&answered.record_id, answered.created_unix_ms), (&record.record_id, record.created_unix_ms));
    assert_eq!(answered.events[0], *event, "nothing is taken from what was written");
    assert_eq!(answered.events[1].evidence_sha256, [2; 32]);
    world.listen(anna).await.unwrap().finish("done");
    world.ends_spotless().await;
}

/// Each way that consent to a purpose can go: who is asked, after whatever it was, has it requested, and each answer goes on
/// from there.
#[tokio::test]
async fn consent_goes_from_state_to_state_as_the_design_has_it() {
    let world = World::new().await;
    let ending = |how| Ending { how, reason: Name::constant("given_up"), by: Actor::SYSTEM };
    for first in [Unknown, Deferred, Refused, Withdrawn, Revoked, Invalidated] {
        for (then, record) in [
            (Given, proto::ConsentStatus::Given),
            (Refused, proto::ConsentStatus::Refused),
            (Deferred, proto::ConsentStatus::Deferred),
        ] {
            let anna = world.stranger().await;
            if first != Unknown {
                let said = if matches!(first, Deferred | Refused) { first } else { Given };
                world.answers(anna, &[VOICE], said).await;
            }
            match first {
                Withdrawn => assert!(world.register.withdraw(anna, &[], Means::Voice).await.unwrap().ok),
                Revoked => {
                    drop(world.register.end_consent(anna, &[VOICE], ending(ConsentEnding::Revoked)).await.unwrap())
                }
                Invalidated => {
                    drop(world.register.end_consent(anna, &[VOICE], ending(ConsentEnding::Invalidated)).await.unwrap());
                }
                _ => {}
            }
            assert_eq!(world.state(anna).await.status(VOICE), first);
            let before = told(&world, anna).await;
            let question = asked(&world, anna, &[VOICE]).await;
            assert_eq!(world.state(anna).await.status(VOICE), Requested, "{first:?}");
            answers(&world, anna, question, then).await;
            assert_eq!(world.state(anna).await.status(VOICE), then, "{first:?}");
            let after = told(&world, anna).await;
            assert_eq!(after[..before.len()], before, "{first:?}: what there was stays");
            assert_eq!(
                after[before.len()..],
                [vec![proto::ConsentStatus::Requested, record]],
                "{first:?}: a new record"
            );
            let (_, records) = world.register.records(anna).await.unwrap();
            let is_first = records.last().unwrap().replaces_record_id.is_empty();
            assert_eq!(is_first, first == Unknown, "{first:?}");
        }
    }
    world.ends_spotless().await;
}

#[tokio::test]
async fn whoever_agrees_goes_on_agreeing_while_they_are_asked_again() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let question = asked(&world, anna, &[VOICE, MEMORY]).await;
    let state = world.state(anna).await;
    assert_eq!((state.status(VOICE), state.status(MEMORY)), (Given, Requested));
    world.listen(anna).await.unwrap().finish("done");
    answers(&world, anna, question, Given).await;
    let state = world.state(anna).await;
    assert_eq!((state.status(VOICE), state.status(MEMORY)), (Renewed, Given));
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_question_that_nobody_answers_makes_way_for_the_next() {
    let world = World::new().await;
    let anna = world.stranger().await;
    let mut first = asked(&world, anna, &[VOICE]).await;
    for _ in 0..3 {
        first = asked(&world, anna, &[VOICE]).await;
    }
    assert_eq!(told(&world, anna).await, [[proto::ConsentStatus::Requested]]);
    asked(&world, anna, &[VOICE]).await;
    answers(&world, anna, first, Given).await;
    assert_eq!(world.state(anna).await.status(VOICE), Given, "an answer to the one before counts all the same");
    assert!(world.register.withdraw(anna, &[], Means::Voice).await.unwrap().ok);
    assert_eq!(world.state(anna).await.status(VOICE), Withdrawn);
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_replay_knows_that_what_is_asked_for_is_not_given() {
    let world = World::new().await;
    let anna = world.stranger().await;
    let question = asked(&world, anna, &[VOICE]).await;
    answers(&world, anna, question, Given).await;
    world.listen(anna).await.unwrap().finish("done");
    let mut leaves = world.leaves().await;
    let replayed = |leaves: &[sayso_audit::Leaf]| {
        let mut replay = Replay::new(world.register.profile());
        (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
        replay.finish()
    };
    assert_eq!((replayed(&leaves).checked, replayed(&leaves).denied), (1, vec![]));
    leaves.retain(|leaf| !matches!(leaf.fact.event, Event::ConsentGiven { .. }));
    let opened = leaves.iter().position(|leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. })).unwrap();
    assert_eq!(replayed(&leaves).denied, [opened as u64], "they were asked, and no more");
}

#[tokio::test]
async fn whoever_closed_their_account_is_asked_for_nothing() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let case = accepted(&Desk::open(world.register.clone()), anna, RightKind::Cancel).await;
    world.register.until_certified(anna, case).await.unwrap();
    let refused = world.register.asked(&asking(anna, &Question::of(&[VOICE]))).await.unwrap_err();
    assert!(matches!(refused, Error::Closed), "{refused}");
}

/// A receipt says which layers of the notice were read out or shown, as far as that is known, and which record it takes the place
/// of.
#[tokio::test]
async fn a_receipt_names_the_layers_that_were_given_and_the_record_before() {
    let world = World::new().await;
    let second = revised(2, &[("screen = ", "more = [\"It stays in your home.\"]\nscreen = ")]);
    world.register.publish(second.clone()).await.unwrap();
    let (person, profile) = (world.stranger().await, &second);
    let notice = profile.document().notice.values().find(|notice| !notice.more.is_empty()).unwrap();
    for (text, more) in [(notice.spoken.as_str(), 1), (&notice.screen, 0), ("an integrator's own", 0)] {
        let mut question = Question::of(&[VOICE]);
        (0..more).for_each(|_| question.tell_more());
        let notice_sha256 = Sha256::digest(text.as_bytes()).into();
        let said = Answer { question, notice_sha256, ..answer(person, &[], Given) };
        world.register.record(&said).await.unwrap();
    }
    let (_, records) = world.register.records(person).await.unwrap();
    let receipts: Vec<_> = records.iter().filter_map(sayso_consent::receipt::iso27560::of).collect();
    let layers = receipts.iter().map(|receipt| receipt.pointer("/privacy_notice/0/sayso:layers").cloned());
    let given = [Some(json!(["spoken", "more.0"])), Some(json!(["screen"])), None];
    assert_eq!(layers.collect::<Vec<_>>(), given);
    assert_eq!(receipts[0].get("replaces_record_id"), None, "nothing was before it");
    for pair in receipts.windows(2) {
        assert_eq!(pair[1]["replaces_record_id"], pair[0]["record_id"]);
    }
    world.ends_spotless_under(second).await;
}
