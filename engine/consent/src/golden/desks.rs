//! What is stored at the desks where people decide.

use sayso_audit::{ActorTag, Hash};

use super::*;
use crate::complaints::{self, Complaint, Filing, Outcome};
use crate::disclosure::Disclosure;
use crate::exemption::{Demand, Reading};
use crate::rights::referral::{self, Referral};
use crate::rights::request::Relative;
use crate::tables::{
    COMPLAINT, COMPLAINT_DUE, ComplaintDueKey, ComplaintKey, DISCLOSURE, DISCLOSURE_TELL, DisclosureKey,
    DisclosureTellKey, REFERRAL, ReferralDueKey, ReferralKey,
};

#[test]
fn demands_readings_and_disclosures_are_stored_as_they_were() {
    let id = Name::constant("x08-5a5a5a5a5a5a5a5a5a5a5a5a");
    let demand = Demand {
        authority: "The court".into(),
        reference: "7 K 12/26".into(),
        law: "cn-cpl:136".into(),
        people: [SUBJECT].into(),
        from: Some(NOW),
        until: Some(WallTime(NOW.0 + 1)),
        by: Some(WallTime(NOW.0 + 2)),
        recipient: [9; 32],
        tell_after: Some("P30D".parse().unwrap()),
    };
    let proposal = Proposal {
        id,
        terms: Terms {
            code: ExemptionCode::X08,
            subject: None,
            purposes: [].into(),
            categories: [Category::MEMORY_SUMMARY].into(),
            processors: [].into(),
            lasts: "P7D".parse().unwrap(),
            evidence_sha256: [7; 32],
            demand: Some(demand),
            reading: None,
        },
        proposed: Said { by: [1; 16], at: NOW },
        approved: Vec::new(),
        standing: Standing::Proposed,
    };
    let value = EXEMPTION.encode(&proposal.encode());
    assert_golden("exemption_demand", &ExemptionKey { id: id.to_string() }.key(), &value);
    assert_eq!(Proposal::decode(id.as_str(), &value[2..]).unwrap(), proposal);

    let reading = Proposal {
        terms: Terms {
            subject: Some(SUBJECT),
            demand: None,
            reading: Some(Reading { ticket: "T-17".into(), is_minors: true }),
            ..proposal.terms.clone()
        },
        ..proposal
    };
    let value = EXEMPTION.encode(&reading.encode());
    assert_golden("exemption_reading", &ExemptionKey { id: id.to_string() }.key(), &value);
    assert_eq!(Proposal::decode(id.as_str(), &value[2..]).unwrap(), reading);

    let told = Disclosure {
        id: Reference([6; 16]),
        grant: id,
        made_at: NOW,
        by: Some(ActorTag([1; 16])),
        people: [SUBJECT].into(),
        categories: [Category::MEMORY_SUMMARY].into(),
        rows: 2,
        bytes: 300,
        file: Hash([8; 32]),
        tell_at: Some(WallTime(NOW.0 + 1)),
        told_at: Some(WallTime(NOW.0 + 2)),
    };
    let untold = Disclosure { by: None, tell_at: None, told_at: None, ..told.clone() };
    for (name, disclosure) in [("disclosure", told), ("disclosure_untold", untold)] {
        let value = DISCLOSURE.encode(&disclosure.encode());
        assert_golden(name, &DisclosureKey { disclosure: vec![6; 16] }.key(), &value);
        assert_eq!(Disclosure::decode(&[6; 16], &value[2..]).unwrap(), disclosure);
    }
    let tell = DisclosureTellKey { at: NOW.0, disclosure: vec![6; 16] };
    assert_golden("disclosure_tell", &tell.key(), &DISCLOSURE_TELL.encode(&[]));
}

#[test]
fn a_complaint_is_stored_as_it_was() {
    let (subject, evidence_sha256) = (Some(SUBJECT), Some([8; 32]));
    let filing = Filing { tenant: "acme".parse().unwrap(), subject, text_sha256: [7; 32], evidence_sha256 };
    let filed = Complaint {
        id: Reference([6; 16]),
        filing,
        received: NOW,
        due: Due { at: WallTime(NOW.0 + 1), by: "sayso:complaint".into(), is_exact: true },
        answer: None,
        is_overdue: false,
        profile_rev: 1,
    };
    let answer = complaints::Answer { outcome: Outcome::UpheldInPart, text_sha256: [9; 32], at: WallTime(NOW.0 + 2) };
    let own = Filing { subject: None, evidence_sha256: None, ..filed.filing.clone() };
    let answered = Complaint { filing: own, answer: Some(answer), is_overdue: true, ..filed.clone() };
    for (name, complaint) in [("complaint", filed), ("complaint_answered", answered)] {
        let value = COMPLAINT.encode(&complaint.encode());
        let key = ComplaintKey { tenant: "acme".into(), complaint: vec![6; 16] };
        assert_golden(name, &key.key(), &value);
        assert_eq!(Complaint::decode("acme", &[6; 16], &value[2..]).unwrap(), complaint);
    }
    let due = ComplaintDueKey { at: NOW.0, tenant: "acme".into(), complaint: vec![6; 16] };
    assert_golden("complaint_due", &due.key(), &COMPLAINT_DUE.encode(&[]));
}

#[test]
fn a_referral_and_a_relatives_request_are_stored_as_they_were() {
    let request = Request {
        referral: Some(Referral { until: NOW, outcome: Some((referral::Outcome::Silent, WallTime(NOW.0 + 1))) }),
        relative: Some(Relative { kinship_sha256: [7; 32], death_sha256: [8; 32] }),
        ..Request::received(Reference([6; 16]), SUBJECT, RightKind::Copy, &profile(), NOW)
    };
    let value = REQUEST.encode(&stored::encode(&request));
    let key = RequestKey { subject: SUBJECT, request: vec![6; 16] };
    assert_golden("request_referred", &key.key(), &value);
    assert_eq!(stored::decode(SUBJECT, &[6; 16], &value[2..]).unwrap(), request);
    let waits = ReferralKey { tenant: "acme".into(), subject: SUBJECT, request: vec![6; 16] };
    assert_golden("referral", &waits.key(), &REFERRAL.encode(&[]));
    let due = ReferralDueKey { at: NOW.0, subject: SUBJECT, request: vec![6; 16] };
    assert_golden("referral_due", &due.key(), &REFERRAL.encode(&[]));
}
