//! What people answer, what that allows, and what stays on record.

use core::time::Duration;

use sayso_audit::{ActorKind, AuditKey, Event, Hash};
use sayso_consent::{Denied, Error, Means, Options, Question, receipt};
use sayso_policy::{ConsentStatus, Reason, Refused};
use sayso_proto::consent::v1 as proto;
use sayso_types::{Category, ConsentVersion, Purpose};

use crate::world::{FRAME, MEMORY, VOICE, World, answer, ask, asking, frame, processor};

#[tokio::test]
async fn a_device_speaks_for_the_same_person_every_time() {
    let world = World::new().await;
    let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
    let (kitchen, hall) = ("kitchen".parse().unwrap(), "hall".parse().unwrap());
    assert_eq!(world.register.find_subject(&acme, &kitchen).await.unwrap(), None);
    let both = tokio::join!(world.register.subject_of(&acme, &kitchen), world.register.subject_of(&acme, &kitchen));
    let person = both.0.unwrap();
    assert_eq!(both.1.unwrap(), person, "through two doors at once");
    assert_eq!(world.register.find_subject(&acme, &kitchen).await.unwrap(), Some(person));
    assert_ne!(world.register.subject_of(&acme, &hall).await.unwrap(), person);
    assert_ne!(world.register.subject_of(&other, &kitchen).await.unwrap(), person);
}

#[tokio::test]
async fn a_receipt_says_what_was_agreed_to_and_nothing_is_said_of_a_no() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    world.answers(person, &[MEMORY], ConsentStatus::Refused).await;
    let receipts = async || {
        let (_, records) = world.register.records(person).await.unwrap();
        records.iter().filter_map(receipt::of).collect::<Vec<_>>()
    };
    let given = receipts().await;
    let [receipt] = given.as_slice() else { panic!("one, for the one yes: {given:#?}") };
    let json = serde_json::to_value(receipt).unwrap();
    assert_eq!((&json["version"], &json["jurisdiction"]), (&"KI-CR-v1.1.0".into(), &"*".into()));
    assert_eq!(json["piiPrincipalId"], person.to_string());
    assert_eq!(json["collectionMethod"], "spoken answer");
    let controller = &json["piiControllers"][0];
    assert_eq!(controller["piiController"], "Whoever set up this device");
    assert_eq!((&controller["address"], &controller["email"]), (&"in person, at home".into(), &"-".into()));
    let purpose = &json["services"][0]["purposes"][0];
    assert_eq!((&purpose["purpose"], &purpose["consentType"]), (&VOICE.as_str().into(), &"EXPLICIT".into()));
    assert_eq!(purpose["piiCategory"], serde_json::json!(["reply_text", "transcript", "voice_audio"]));
    assert_eq!((&json["sensitive"], &json["spiCat"]), (&true.into(), &purpose["piiCategory"]));
    assert_eq!((&purpose["thirdPartyDisclosure"], purpose.get("thirdPartyName")), (&false.into(), None));
    assert_eq!(purpose["termination"], "session.end + PT0S");

    world.register.withdraw(person, &[], Means::Voice).await.unwrap();
    assert_eq!(receipts().await, given, "what was agreed to then remains so");
}

/// The members that ISO/IEC TS 27560 demands, by where they stand.
const DEMANDED: [(&str, &[&str]); 5] = [
    ("", &["schema_version", "receipt_id", "record_id", "pii_principal_id", "privacy_notice", "language", "purposes"]),
    (
        "/purposes/0",
        &[
            "purpose",
            "pii_information",
            "pii_controllers",
            "storage_locations",
            "retention_period",
            "jurisdiction",
            "recipient_third_parties",
            "withdrawal_method",
        ],
    ),
    ("/purposes/0/pii_information/0", &["pii_type", "pii_optional"]),
    ("/party_identification/0", &["party_id", "party_name", "party_address", "party_contact", "party_type"]),
    ("/events/0", &["event_time", "validity_duration", "entity_id", "event_type", "event_state"]),
];

#[tokio::test]
async fn a_receipt_in_the_terms_of_27560_is_the_whole_record() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    world.answers(person, &[MEMORY], ConsentStatus::Refused).await;
    world.register.withdraw(person, &[], Means::Voice).await.unwrap();
    let (_, records) = world.register.records(person).await.unwrap();
    let receipts: Vec<_> = records.iter().filter_map(receipt::iso27560::of).collect();
    let [receipt] = receipts.as_slice() else { panic!("one, for the one yes: {receipts:#?}") };
    for (place, members) in DEMANDED {
        for member in members {
            let found = receipt.pointer(&format!("{place}/{member}"));
            assert!(found.is_some(), "{place} has no {member}: {receipt:#}");
        }
    }
    assert_eq!(receipt["pii_principal_id"], person.to_string());
    assert_eq!(receipt["purposes"][0]["lawful_basis"], "Consent");
    let states: Vec<_> = receipt["events"].as_array().unwrap().iter().map(|event| &event["event_state"]).collect();
    assert!(states.contains(&&"ConsentGiven".into()), "{states:?}");
    assert_eq!(states.last(), Some(&&"ConsentWithdrawn".into()));
}

#[tokio::test]
async fn nothing_is_allowed_before_somebody_said_yes() {
    let world = World::new().await;
    let person = world.stranger().await;
    let denied = world.listen(person).await.unwrap_err();
    assert!(matches!(denied, Denied::Policy(Reason::NoBasis)), "{denied}");
    // to say the notice, and to hear the answer to it, is another purpose
    let hear = sayso_consent::Ask { purpose: Purpose::CONSENT_ANSWER, ..ask(person, ConsentVersion(0)) };
    let lease = world.register.acquire(hear).await.unwrap();
    lease.permit().pass(frame(&hear), drop).unwrap();
    assert_eq!(lease.permit().pass(frame(&ask(person, ConsentVersion(9))), drop), Err(Refused::NotCovered));
    lease.finish("done");

    world.until_told(|event| matches!(event, Event::SegmentClosed { .. })).await;
    let leaves = world.leaves().await;
    let denials: Vec<_> = leaves.iter().filter(|leaf| leaf.fact.event.name() == "gate.denied").collect();
    assert_eq!(denials.len(), 1);
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_yes_becomes_records_leaves_and_permits() {
    let world = World::new().await;
    let person = world.stranger().await;
    let question = Question::of(&[VOICE, MEMORY]);
    world.register.asked(&asking(person, &question)).await.unwrap();
    let said = sayso_consent::Answer { question: question.clone(), ..answer(person, &[], ConsentStatus::Given) };
    let state = world.register.record(&said).await.unwrap();
    assert_eq!(
        (state.cv, state.status(VOICE), state.status(MEMORY)),
        (ConsentVersion(2), ConsentStatus::Given, ConsentStatus::Given)
    );
    assert_eq!(state, world.state(person).await);

    let (_, records) = world.register.records(person).await.unwrap();
    let ids: Vec<_> = question.records().map(|(_, id)| id.0.to_vec()).collect();
    assert_eq!(records.len(), 2, "one purpose a record");
    for record in &records {
        // the mandatory fields of ISO/IEC TS 27560
        assert!(ids.contains(&record.record_id));
        assert_eq!(
            (record.schema_version.as_str(), record.pii_principal_id.as_slice()),
            ("sayso/consent-record/v1", &person.0[..])
        );
        assert_eq!((record.tenant_id.as_str(), record.replaces_record_id.as_slice()), ("acme", &[][..]));
        let purpose = record.purpose.as_ref().unwrap();
        assert_eq!(purpose.lawful_basis(), proto::LegalBasis::Consent);
        let [notice] = purpose.privacy_notices.as_slice() else { panic!("one notice") };
        assert_eq!(notice.rendered_sha256, [1; 32], "what was read out");
        assert_eq!(notice.profile_sha256, world.register.profile().hash().0);
        assert_eq!((notice.language.as_str(), notice.form()), ("en", proto::NoticeForm::Oral));
        assert!(!purpose.pii_information.is_empty() && !purpose.cells.is_empty());
        assert_eq!(purpose.pii_controllers, ["operator"]);
        let stored = if purpose.purpose == "memory" { "home" } else { "none" };
        assert_eq!(
            (purpose.storage_locations.as_slice(), purpose.processing_locations.as_slice()),
            (&[stored.to_owned()][..], &["home".to_owned()][..])
        );
        assert!(!purpose.collection_method.is_empty());
        assert!(purpose.processing_method.contains("dialogue"), "{}", purpose.processing_method);
        assert!(purpose.privacy_rights.contains("have a copy"), "{}", purpose.privacy_rights);
        assert_eq!((notice.location.as_str(), notice.effective_unix_ms), ("the device", 1_767_225_600_000));
        assert!(purpose.recipient_third_parties.is_empty(), "everything stays at home");
        assert_eq!((purpose.jurisdiction.as_str(), purpose.service.as_str()), ("*", "voice session"));
        assert!(purpose.withdrawal_method.contains("stop listening"));
        let [party] = record.parties.as_slice() else { panic!("one controller") };
        assert_eq!((party.party_id.as_str(), party.role()), ("operator", proto::PartyRole::DataController));
        assert!(!party.name.is_empty() && !party.address.is_empty() && !party.contact.is_empty());
        assert_eq!(party.party_type, "DataController");
        let [asked, event] = record.events.as_slice() else { panic!("a question and its answer") };
        assert_eq!((asked.status(), asked.entity_id.as_str()), (proto::ConsentStatus::Requested, "system"));
        assert_eq!((event.status(), event.r#type()), (proto::ConsentStatus::Given, proto::ConsentType::Expressed));
        assert_eq!(event.evidence_sha256, [2; 32], "what was heard");
        assert_eq!(
            (event.actor(), event.indication_method()),
            (proto::ActorKind::Subject, proto::IndicationMethod::Voice)
        );
        assert_eq!((event.entity_id.clone(), event.consent_version), (person.to_string(), 2));
        assert!(!event.separate, "two purposes were asked for together");
        assert!(event.at_unix_ms > 0 && event.at_unix_ms == record.created_unix_ms);
    }
    let kept = |purpose: &str| {
        let of = |r: &&proto::ConsentRecord| r.purpose.as_ref().unwrap().purpose == purpose;
        records.iter().find(of).unwrap().purpose.as_ref().unwrap().retention_period.clone().unwrap()
    };
    assert_eq!(
        (kept("voice_interaction").trigger, kept("voice_interaction").action()),
        ("session.end".into(), proto::RetentionAction::Zeroise)
    );
    assert_eq!(
        (kept("memory").trigger, kept("memory").on_withdraw()),
        ("withdraw".into(), proto::RetentionAction::Erase)
    );

    let asked = ask(person, state.cv);
    let lease = world.register.acquire(asked).await.unwrap();
    assert_eq!(lease.permit().pass(frame(&asked), |samples| samples.len()), Ok(320));
    lease.finish("done");
    world.until_told(|event| matches!(event, Event::SegmentClosed { bytes: FRAME, pieces: 1, .. })).await;

    let told = world.told_since(2).await;
    assert_eq!(
        told,
        [
            "processor.registered",
            "processor.registered",
            "processor.registered",
            "processor.registered",
            "notice.served",
            "consent.requested",
            "consent.requested",
            "consent.given",
            "consent.given",
            "egress.segment_opened",
            "egress.segment_closed",
        ]
    );
    let leaves = world.leaves().await;
    let given = &leaves[9];
    let Event::ConsentGiven { notice, evidence, record, purpose, is_renewal: false } = given.fact.event else {
        panic!("{given:?}")
    };
    assert_eq!((notice, given.fact.actor.kind, given.fact.cv), (Hash([1; 32]), ActorKind::Subject, ConsentVersion(2)));
    assert!(question.records().any(|asked| asked == (purpose, record)), "as it was asked for");
    assert!(leaves[6..].iter().all(|leaf| leaf.fact.subject == given.fact.subject), "one tag a person");
    assert_ne!(evidence, AuditKey::new([0; 32]).commit(&[2; 32]), "bound with the person's own key");
    assert!(leaves.iter().all(|leaf| leaf.fact.epoch == 1 && leaf.fact.profile_rev == 1));
    let report = world.ends_spotless().await;
    assert_eq!(report.bytes, FRAME);
}

#[tokio::test]
async fn no_and_not_now_are_on_record_and_allow_nothing() {
    let world = World::new().await;
    let person = world.stranger().await;
    for (cv, status, told) in
        [(1, ConsentStatus::Refused, "consent.refused"), (2, ConsentStatus::Deferred, "consent.deferred")]
    {
        let from = world.size().await;
        let state = world.answers(person, &[VOICE], status).await;
        assert_eq!((state.cv, state.status(VOICE)), (ConsentVersion(cv), status));
        assert!(world.told_since(from).await.contains(&told));
        assert!(matches!(world.listen(person).await, Err(Denied::Policy(Reason::NoBasis))));
    }
    // what is not an answer at all allows nothing either, and begins no withdrawal
    let state = world.answers(person, &[VOICE], ConsentStatus::Withdrawing).await;
    assert_eq!(state.status(VOICE), ConsentStatus::Deferred);
    let (_, records) = world.register.records(person).await.unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!(records[1].replaces_record_id, records[0].record_id);
    assert!(records[0].events[0].separate, "one purpose was asked for alone");
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_no_closes_what_an_earlier_yes_opened() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &[("name".into(), "Anna".into())]).await.unwrap();
    let asked = ask(person, world.state(person).await.cv);
    let lease = world.register.acquire(asked).await.unwrap();
    world.answers(person, &[VOICE], ConsentStatus::Refused).await;
    assert_eq!(lease.permit().pass(frame(&asked), drop), Err(Refused::Revoked));
    assert_eq!(world.register.facts(person).await.unwrap().len(), 1, "memory is another matter");
    drop(lease);
    world.answers(person, &[MEMORY], ConsentStatus::Deferred).await;
    world.answers(person, &[MEMORY], ConsentStatus::Given).await;
    assert_eq!(world.register.facts(person).await.unwrap(), [], "what was kept without consent would be there again");
    world.ends_spotless().await;
}

#[tokio::test]
async fn an_answer_is_recorded_once() {
    let world = World::new().await;
    let person = world.stranger().await;
    let said = answer(person, &[VOICE, MEMORY], ConsentStatus::Given);
    let first = world.register.record(&said).await.unwrap();
    let size = world.size().await;
    assert_eq!(world.register.record(&said).await.unwrap(), first);
    assert!(world.register.withdraw(person, &[VOICE], Means::Voice).await.unwrap().ok);
    let after = world.register.record(&said).await.unwrap();
    assert_eq!(after.status(VOICE), ConsentStatus::Withdrawn, "an old yes does not undo a withdrawal");
    assert_eq!(world.size().await, size + 2);
    assert_eq!(world.register.records(person).await.unwrap().1.len(), 2);
}

#[tokio::test]
async fn what_nobody_consents_to_is_refused() {
    let world = World::new().await;
    let person = world.stranger().await;
    for purpose in [Purpose::NOTICE, Purpose::CONSENT_ANSWER, "marketing".parse().unwrap()] {
        let said = answer(person, &[VOICE, purpose], ConsentStatus::Given);
        assert!(matches!(world.register.record(&said).await, Err(Error::UnknownPurpose(p)) if p == purpose));
        let withdrawn = world.register.withdraw(person, &[purpose], Means::Voice).await;
        assert!(matches!(withdrawn, Err(Error::UnknownPurpose(p)) if p == purpose), "an OK would promise too much");
    }
    assert_eq!(world.state(person).await.cv, ConsentVersion(0), "nothing of it was recorded");
}

#[tokio::test]
async fn decide_is_honoured() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let asked = ask(person, ConsentVersion(1));
    let cases = [
        (sayso_consent::Ask { category: Category::TRANSCRIPT, ..asked }, Reason::ProcessorState),
        (sayso_consent::Ask { processor: processor("elsewhere"), ..asked }, Reason::ProcessorState),
        (sayso_consent::Ask { purpose: MEMORY, ..asked }, Reason::UnknownCell),
        (sayso_consent::Ask { cv: ConsentVersion(0), ..asked }, Reason::NoBasis),
    ];
    for (asked, reason) in cases {
        let denied = world.register.acquire(asked).await.unwrap_err();
        assert!(matches!(denied, Denied::Policy(r) if r == reason), "{asked:?}: {denied}");
    }
    world.register.acquire(asked).await.unwrap();
}

#[tokio::test]
async fn what_came_in_before_a_withdrawal_stays_shut_out() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    assert!(world.register.withdraw(person, &[], Means::Button).await.unwrap().ok);
    let state = world.answers(person, &[VOICE], ConsentStatus::Given).await;
    assert_eq!(state.cv, ConsentVersion(3), "given, withdrawn, given");
    for old in [ConsentVersion(1), ConsentVersion(2)] {
        assert!(matches!(world.register.acquire(ask(person, old)).await, Err(Denied::Policy(Reason::NoBasis))));
        let lease = world.register.acquire(ask(person, state.cv)).await.unwrap();
        assert_eq!(lease.permit().pass(frame(&ask(person, old)), drop), Err(Refused::Stale));
    }
    world.ends_spotless().await;
}

#[tokio::test]
async fn permits_are_limited_and_given_back() {
    let world = World::with(Options { permits_max: 2, ..Options::default() }).await;
    let person = world.person(&[VOICE]).await;
    let first = world.listen(person).await.unwrap();
    let _second = world.listen(person).await.unwrap();
    assert!(matches!(world.listen(person).await, Err(Denied::Busy { limit: 2 })));
    drop(first);
    world.listen(person).await.unwrap();

    let world = World::new().await;
    let (greedy, modest) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    let mut leases = Vec::new();
    let denied = loop {
        match world.listen(greedy).await {
            Ok(lease) => leases.push(lease),
            Err(denied) => break denied,
        }
    };
    assert!(matches!(denied, Denied::Busy { limit } if limit == leases.len()), "{denied}");
    world.listen(modest).await.unwrap();
}

#[tokio::test]
async fn a_caller_who_does_not_wait_leaves_no_segment_open() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let asked = ask(person, world.state(person).await.cv);
    for polls in 1..20 {
        let mut acquiring = Box::pin(world.register.acquire(asked));
        for _ in 0..polls {
            if futures::poll!(&mut acquiring).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let world = world.again().await;
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_restart_keeps_everything_and_raises_the_epoch() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &[("name".into(), "Anna".into())]).await.unwrap();
    world.register.withdraw(person, &[VOICE], Means::Voice).await.unwrap();
    let (before, leaves) = (world.register.records(person).await.unwrap(), world.leaves().await);

    world.clock.advance(Duration::from_secs(60));
    let world = world.again().await;
    assert_eq!(world.register.records(person).await.unwrap(), before);
    assert_eq!(world.register.facts(person).await.unwrap(), [("name".into(), "Anna".into())]);
    assert_eq!(world.leaves().await[..leaves.len()], leaves);
    assert_eq!(world.told_since(leaves.len() as u64).await, ["audit.selfcheck_passed", "policy.effective"]);
    let state = world.answers(person, &[VOICE], ConsentStatus::Given).await;
    assert_eq!(state.cv, ConsentVersion(3));
    let epochs: Vec<_> = world.leaves().await.iter().map(|leaf| leaf.fact.epoch).collect();
    assert!(epochs[..leaves.len()].iter().all(|e| *e == 1) && epochs[leaves.len()..].iter().all(|e| *e == 2));
    world.ends_spotless().await;
}

#[tokio::test]
async fn what_is_open_when_the_node_ends_is_closed_on_record() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let lease = world.listen(person).await.unwrap();
    // a call like those of the egress: it is dropped when the node ends
    let call = async move {
        lease.revoked().await;
    };
    world.tasks.spawn(sayso_runtime::TaskKind::Call, "call", call).detach();
    let report = world.ends_spotless().await;
    assert_eq!(report.events["egress.segment_closed"], 1);
}
