//! What is stored of consent: its records and its withdrawals.

use sayso_proto::consent::v1 as proto;

use super::*;
use crate::evidence::{Answer, Asking, Means, Question};
use crate::record::{self, withdrawal, withdrawal::Cause};
use crate::tables::{RECORD, RecordKey, WITHDRAWAL, WithdrawalKey};

fn a_record() -> proto::ConsentRecord {
    let answer = Answer {
        tenant: "acme".parse().unwrap(),
        subject: SUBJECT,
        status: ConsentStatus::Given,
        question: Question::of(&[Purpose::VOICE_INTERACTION]),
        means: Means::Voice,
        notice_sha256: [1; 32],
        language: "en".into(),
        spoken: true,
        evidence_sha256: [2; 32],
    };
    let (purpose, consent) = given(Purpose::VOICE_INTERACTION);
    record::of((&profile(), 0), &answer, (purpose, Reference([3; 16])), &consent, NOW)
}

#[test]
fn a_consent_record_is_stored_as_it_was() {
    let mut record = a_record();
    // the profile may change; what it is called by does not belong to the layout
    record.purpose.as_mut().unwrap().privacy_notices[0].profile_sha256 = vec![4; 32];
    let (scope, cause) = (Scope::Purpose(Purpose::VOICE_INTERACTION), Cause::Withdrawn(Means::Integrator));
    let requested = withdrawal::requested(SUBJECT, Reference([6; 16]), scope, cause, ConsentVersion(2), NOW);
    record.events.push(record::withdrawn(&requested, NOW));
    let key = RecordKey { subject: SUBJECT, cv: 1, purpose: Purpose::VOICE_INTERACTION.to_string() };
    let value = RECORD.encode(&record::encode(&record));
    assert_golden("consent", &key.key(), &value);
    assert_eq!(record::decode(&value[2..]).unwrap(), record);
}

#[test]
fn a_question_that_nobody_answered_yet_is_stored_as_it_was() {
    let question = Question::of(&[Purpose::VOICE_INTERACTION]);
    let asking = Asking { subject: SUBJECT, question, notice_sha256: [1; 32], language: "en".into(), spoken: true };
    let (purpose, mut consent) = given(Purpose::VOICE_INTERACTION);
    consent.status = ConsentStatus::Requested;
    let (tenant, id) = ("acme".parse().unwrap(), Reference([3; 16]));
    let mut record = record::requested((&profile(), 0), (&asking, &tenant, Means::Voice), (purpose, id), &consent, NOW);
    record.purpose.as_mut().unwrap().privacy_notices[0].profile_sha256 = vec![4; 32];
    let key = RecordKey { subject: SUBJECT, cv: 1, purpose: purpose.to_string() };
    let value = RECORD.encode(&record::encode(&record));
    assert_golden("consent_requested", &key.key(), &value);
    assert!(record::is_open(&record) && record::decode(&value[2..]).unwrap() == record);

    let mut answer = a_record();
    record::answers(&mut answer, &record);
    let states: Vec<_> = answer.events.iter().map(proto::ConsentEvent::status).collect();
    assert_eq!(states, [proto::ConsentStatus::Requested, proto::ConsentStatus::Given]);
    assert!(!record::is_open(&answer));
}

#[test]
fn a_withdrawal_is_stored_as_it_was() {
    let part =
        Part { processor: Some("groq".parse().unwrap()), category: Some(Category::VOICE_AUDIO), ..Part::default() };
    let scopes = [
        ("withdrawal", Scope::Everything, String::new()),
        ("withdrawal_of_memory", Scope::Purpose(Purpose::MEMORY), Purpose::MEMORY.to_string()),
        ("withdrawal_of_a_part", Scope::Part(part), part.to_string()),
    ];
    for (name, scope, purpose) in scopes {
        let (cv, cause) = (ConsentVersion(2), Cause::Withdrawn(Means::Button));
        let mut withdrawal = withdrawal::requested(SUBJECT, Reference([6; 16]), scope, cause, cv, NOW);
        assert!(withdrawal::is_pending(&withdrawal));
        withdrawal.set_state(proto::WithdrawalState::Ok);
        withdrawal.effective_unix_ms = NOW.0 + 3;
        withdrawal.holders.push(proto::HolderOutcome {
            permit_id: vec![7; 16],
            processor_id: "whisper-local".into(),
            state: proto::HolderState::Acknowledged.into(),
            bytes: 640,
            pieces: 1,
            uncounted: false,
        });
        let outside = proto::HolderOutcome { permit_id: vec![8; 16], uncounted: true, ..withdrawal.holders[0].clone() };
        withdrawal.holders.push(proto::HolderOutcome { bytes: 0, pieces: 0, ..outside });
        let key = WithdrawalKey { subject: SUBJECT, cv: 2, purpose };
        let value = WITHDRAWAL.encode(&withdrawal::encode(&withdrawal));
        assert_golden(name, &key.key(), &value);

        let again = withdrawal::decode(&value[2..]).unwrap();
        assert_eq!(again, withdrawal);
        assert_eq!(withdrawal::scope(&again).unwrap(), scope);
        assert_eq!(withdrawal::reference(&again).unwrap(), Reference([6; 16]));
        assert!(!withdrawal::is_pending(&again));
        for purpose in [Purpose::MEMORY, Purpose::VOICE_INTERACTION] {
            assert_eq!(withdrawal::covers(&again, purpose), scope.covers(purpose), "{scope:?}");
        }
    }
}
