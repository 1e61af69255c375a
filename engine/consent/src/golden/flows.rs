//! What is stored of data that has left.

use core::time::Duration;

use sayso_policy::{Covered, Transfer, TransferLimit};

use super::*;
use crate::deletion::{self, Deletion, Standing, Why};
use crate::erasure::Approval;
use crate::erasure::certificate::Deleted;
use crate::loan::stored::StoredLoan;
use crate::tables::{
    DELETION, LOAN, RESIDUAL, ResidualKey, TRANSFER, TRANSFER_COUNT, TransferCountKey, TransferKey, VOLUME, VolumeKey,
};
use crate::transfer::{Counted, Crossed};
use crate::volume::{self, Went};

#[test]
fn people_whose_data_went_overseas_are_stored_as_they_were() {
    let far = "far".parse().unwrap();
    let limit = TransferLimit { together: Covered::default(), there: Covered::default() };
    let mut crossed = Crossed::default();
    let more = crossed.take(far, &Transfer { is_sensitive: true, counts: true, limit }).unwrap();
    let counted = Counted::default().with(far, more);
    let value = TRANSFER.encode(&crossed.encode());
    assert_golden("transfer", &TransferKey { year: 2026, subject: SUBJECT }.key(), &value);
    assert_eq!(Crossed::decode(&value[2..]).unwrap(), crossed);
    let value = TRANSFER_COUNT.encode(&counted.encode());
    assert_golden("transfer_count", &TransferCountKey { year: 2026 }.key(), &value);
    assert_eq!(Counted::decode(&value[2..]).unwrap(), counted);
}

#[test]
fn how_much_has_gone_is_stored_as_it_was() {
    let key = VolumeKey { processor: "cloud".into(), category: "transcript".into() };
    let went = Went { calls: 9, bytes: 70_000, over: 1, malformed: 2 };
    assert_golden("volume", &key.key(), &VOLUME.encode(&volume::encode(20_000, went, 90_000)));
}

#[test]
fn that_a_receiver_is_told_is_stored_as_it_was() {
    let due = Deletion::due(Why::Erasure, (NOW, 17), Duration::from_secs(60));
    let confirmed = Deletion { standing: Standing::Confirmed { answer: [3; 32], at: NOW }, ..due.tried(NOW) };
    let corrected = Deletion { why: Why::Rectification, ..due.tried(NOW) };
    for (name, deletion) in [("deletion", due), ("deletion_confirmed", confirmed), ("deletion_rectified", corrected)] {
        let key = deletion::key(SUBJECT, Reference([7; 16]), "cloud".parse().unwrap());
        let Op::Put(key, value) = deletion.put(key) else { panic!("it is put") };
        assert_golden(name, &key, &value);
        assert_eq!(Deletion::decode(&value[2..]).unwrap(), deletion);
        assert!(DELETION.decode(&value).is_ok());
    }
}

#[test]
fn who_answers_for_what_remains_is_stored_as_it_was() {
    let residual = Name::constant("cloud");
    let approval = Approval { residual, reason: Name::constant("receiver_dissolved"), by: "admin:dpo".into(), at: NOW };
    let key = ResidualKey { subject: SUBJECT, erasure: vec![7; 16], residual: residual.to_string() };
    let value = RESIDUAL.encode(&approval.encode());
    assert_golden("residual", &key.key(), &value);
    assert_eq!(Approval::decode(residual, &value[2..]).unwrap(), approval);
}

#[test]
fn what_receivers_have_deleted_is_in_the_certificate() {
    let (id, party) = ("cloud".parse().unwrap(), "Somebody Else".to_owned());
    let deleted = Deleted { id, party: party.clone(), at: NOW, answer: [3; 32] };
    let untold = Residual::Processor { id, party, can_be_told: true, until: None, told_at: Some(NOW) };
    let json = serde_json::to_string(&(&deleted, &untold)).unwrap();
    assert_golden_text("certificate_deleted.json", &json);
    assert_eq!(serde_json::from_str::<(Deleted, Residual)>(&json).unwrap(), (deleted, untold));
}

#[test]
fn a_permit_outside_of_the_node_is_stored_as_it_was() {
    let cell = Cell {
        purpose: Purpose::MEMORY,
        category: Category::MEMORY_SUMMARY,
        kind: ProcessorKind::Sms,
        region: RegionClass::Domestic,
    };
    let (processor, cv) = ("partner-sms".parse().unwrap(), ConsentVersion(3));
    let (permit, longest) = (Reference([6; 16]), Duration::from_millis(3_000));
    let loan =
        StoredLoan { subject: SUBJECT, permit, cell, processor, cv, exemption: None, longest, ends_by_itself: false };
    let on_a_grant = StoredLoan { exemption: Some(Name::constant("x04-7")), ends_by_itself: true, ..loan };
    // one of version 1 does not say what becomes of it where its holder is silent: they are waited for
    let old = String::from_utf8(on_a_grant.encode()).unwrap().replace(r#","ends_by_itself":true"#, "");
    let read = StoredLoan::decode(&on_a_grant.key(), old.as_bytes()).unwrap();
    assert_eq!(read, StoredLoan { ends_by_itself: false, ..on_a_grant });
    for (name, loan) in [("loan", loan), ("loan_on_a_grant", on_a_grant)] {
        let value = LOAN.encode(&loan.encode());
        assert_golden(name, &loan.key(), &value);
        assert_eq!(StoredLoan::decode(&loan.key(), &value[2..]).unwrap(), loan);
    }
}
