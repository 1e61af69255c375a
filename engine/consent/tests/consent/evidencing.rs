//! How clearly somebody agreed, and what shows it: what the policy asks a clearer consent for stays closed.

use std::sync::Arc;

use sayso_audit::Actor;
use sayso_consent::{Answer, Error, Means};
use sayso_policy::{AgeBand, ConsentStatus, ConsentType, Profile};
use sayso_proto::consent::v1 as proto;
use sayso_types::{Name, Purpose, SubjectId};

use crate::guarding::{guarded, said};
use crate::world::*;

pub(crate) const SIGNED: Means = Means::Document { is_signed: true, is_guardians: false };
const WRITTEN: Means = Means::Document { is_signed: false, is_guardians: false };
const WENT_ON: Means = Means::Conduct(Name::constant("went_on"));

pub(crate) fn yes(subject: SubjectId, to: &[Purpose], means: Means, evidence: u8) -> Answer {
    Answer { means, evidence_sha256: [evidence; 32], ..answer(subject, to, ConsentStatus::Given) }
}

/// The test profile at its next revision, which says `to` in the place of `from`.
fn saying(from: &str, to: &str) -> Arc<Profile> {
    let text = profile_text().replacen("rev = 1", "rev = 2", 1);
    assert!(text.contains(from), "{text}");
    Arc::new(Profile::in_force_before(&text.replacen(from, to, 1)).unwrap())
}

async fn last_event(world: &World, subject: SubjectId) -> (proto::ConsentEvent, usize) {
    let (_, records) = world.register.records(subject).await.unwrap();
    let record = records.last().unwrap();
    (record.events.last().unwrap().clone(), record.purpose.as_ref().unwrap().cells.len())
}

#[tokio::test]
async fn consent_is_recorded_as_clearly_as_it_was_given() {
    use proto::{ConsentType as Clear, IndicationMethod as By};
    let world = World::new().await;
    let cases = [
        (Means::Voice, Clear::Expressed, By::Voice, false, ""),
        (Means::Integrator, Clear::Expressed, By::Integrator, false, ""),
        (Means::Permission, Clear::Expressed, By::DeviceSetting, false, ""),
        (SIGNED, Clear::ExplicitlyExpressed, By::Signature, true, ""),
        (WRITTEN, Clear::ExplicitlyExpressed, By::Document, true, ""),
        (WENT_ON, Clear::Implied, By::Conduct, false, "went_on"),
    ];
    for (at, (means, clear, by, is_written, act)) in (10..).zip(cases) {
        let anna = world.stranger().await;
        let state = world.register.record(&yes(anna, &[VOICE], means, at)).await.unwrap();
        let given = &state.consents[&VOICE];
        assert_eq!((given.consent_type, given.written), (means.consent_type(), is_written));
        let (event, cells) = last_event(&world, anna).await;
        assert_eq!((event.r#type(), event.indication_method(), event.written), (clear, by, is_written));
        assert_eq!((event.reason.as_str(), event.separate), (act, true));
        // the policy asks for an expressed consent
        let is_enough = given.consent_type > ConsentType::Implied;
        assert_eq!(world.listen(anna).await.is_ok(), is_enough, "{means:?}");
        assert_eq!(cells > 0, is_enough, "its record names what it opens, and nothing else");
    }
}

#[tokio::test]
async fn implied_consent_opens_what_the_policy_lets_it_open() {
    let world = World::new().await;
    world
        .register
        .publish(saying("min_consent_type = \"ExpressedConsent\"", "min_consent_type = \"ImpliedConsent\""))
        .await
        .unwrap();
    let anna = world.stranger().await;
    world.register.record(&yes(anna, &[VOICE], WENT_ON, 1)).await.unwrap();
    drop(world.listen(anna).await.unwrap());
}

#[tokio::test]
async fn what_asks_for_written_consent_takes_nothing_else() {
    let world = World::new().await;
    let written = "[category.voice_audio]\nwritten = true\nseparate = true\n";
    world.register.publish(saying("[category.voice_audio]\n", written)).await.unwrap();
    for (at, means) in (20..).zip([Means::Voice, Means::Integrator, Means::Permission, WENT_ON]) {
        let anna = world.stranger().await;
        world.register.record(&yes(anna, &[VOICE], means, at)).await.unwrap();
        assert!(world.listen(anna).await.is_err(), "{means:?}");
    }
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    world.register.record(&yes(anna, &[VOICE, MEMORY], SIGNED, 1)).await.unwrap();
    assert!(world.listen(anna).await.is_err(), "it is asked for apart from everything else");
    world.register.record(&yes(ben, &[VOICE], SIGNED, 2)).await.unwrap();
    drop(world.listen(ben).await.unwrap());
}

#[tokio::test]
async fn a_document_in_which_somebody_else_agreed_is_refused() {
    let world = World::new().await;
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    world.register.record(&yes(anna, &[VOICE], SIGNED, 1)).await.unwrap();
    let before = world.size().await;
    for means in [SIGNED, WRITTEN] {
        let refused = world.register.record(&yes(ben, &[VOICE], means, 1)).await;
        assert!(matches!(refused, Err(Error::OthersEvidence)), "{refused:?}");
    }
    assert_eq!(world.size().await, before, "nothing is on record of it");
    assert_eq!(world.state(ben).await.status(VOICE), ConsentStatus::Unknown);
    world.register.record(&yes(anna, &[MEMORY], SIGNED, 1)).await.unwrap();
    let world = world.again().await;
    let refused = world.register.record(&yes(ben, &[VOICE], SIGNED, 1)).await;
    assert!(matches!(refused, Err(Error::OthersEvidence)), "also after a restart: {refused:?}");
    world.register.record(&yes(ben, &[VOICE], SIGNED, 2)).await.unwrap();
}

#[tokio::test]
async fn evidence_that_somebody_else_agreed_is_refused_whatever_it_is_but_what_a_device_heard() {
    let world = World::new().await;
    for (at, means) in (1..).zip([Means::Integrator, Means::Guardian, WENT_ON, SIGNED]) {
        let (anna, ben) = (world.stranger().await, world.stranger().await);
        let with = |who, what: &[Purpose], evidence| Answer { means, ..yes(who, what, SIGNED, evidence) };
        if means == Means::Guardian {
            for child in [anna, ben] {
                world.register.set_age(child, said(AgeBand::Under13, None), Actor::SYSTEM).await.unwrap();
                guarded(&world, child).await;
            }
        }
        world.register.record(&with(anna, &[VOICE], at)).await.unwrap();
        let refused = world.register.record(&with(ben, &[VOICE], at)).await;
        assert!(matches!(refused, Err(Error::OthersEvidence)), "{means:?}: {refused:?}");
        assert_eq!(world.state(ben).await.status(VOICE), ConsentStatus::Unknown, "{means:?}");
        world.register.record(&with(anna, &[MEMORY], at)).await.unwrap();
        let no = Answer { status: ConsentStatus::Refused, ..with(ben, &[MEMORY], at) };
        if means != SIGNED {
            world.register.record(&no).await.expect("a no is nobody's evidence");
        }
        world.register.record(&with(ben, &[VOICE], at + 100)).await.unwrap();
    }
    for means in [Means::Voice, Means::Button, Means::Permission] {
        for who in [world.stranger().await, world.stranger().await] {
            world.register.record(&Answer { means, ..yes(who, &[VOICE], SIGNED, 1) }).await.unwrap();
        }
    }
}

#[tokio::test]
async fn whom_nobody_knows_agrees_to_nothing_and_takes_nothing_back() {
    let world = World::new().await;
    let (nobody, before) = (SubjectId([9; 16]), world.size().await);
    let given = world.register.record(&yes(nobody, &[VOICE], SIGNED, 1)).await;
    assert!(matches!(given, Err(Error::UnknownSubject)), "{given:?}");
    let withdrawn = world.register.withdraw(nobody, &[], Means::Integrator).await;
    assert!(matches!(withdrawn, Err(Error::UnknownSubject)), "{withdrawn:?}");
    let read = world.register.state(nobody).await;
    assert_eq!(read.unwrap_err().code(), "unknown_subject");
    assert_eq!(world.size().await, before, "nothing is on record of it");
}

/// A record names the article that the profile names for the purpose; where it names none, the sort of right.
#[tokio::test]
async fn a_record_says_where_the_right_is_written() {
    let (purpose, article) = ("id = \"voice_interaction\", ", "cn-pipl:13-1-1");
    let text = profile_text().replacen(purpose, &format!("{purpose}basis_code = \"{article}\", "), 1);
    let world = World::under(Arc::new(Profile::parse(&text).unwrap())).await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    let (_, records) = world.register.records(anna).await.unwrap();
    let code = |purpose: Purpose| {
        let of_it = |record: &&proto::ConsentRecord| record.purpose.as_ref().unwrap().purpose == purpose.to_string();
        let shown = sayso_consent::receipt::iso27560::of(records.iter().find(of_it).unwrap()).unwrap();
        shown["purposes"][0]["lawful_basis_code"].as_str().unwrap().to_owned()
    };
    assert_eq!((code(VOICE).as_str(), code(MEMORY).as_str()), (article, "Consent"));
}
