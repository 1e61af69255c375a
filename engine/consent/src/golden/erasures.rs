//! What is stored of erasures.

use super::*;
use crate::erasure::certificate::{self, Certificate, Key};
use crate::tables::{CERTIFICATE, CertificateKey};

#[test]
fn an_erasure_is_stored_as_it_was() {
    let key = Key { category: Category::MEMORY_SUMMARY, generation: 2, key: [8; 16] };
    let begun = Pending { id: [7; 16], ..Pending::new(None, Ground::Request([6; 16]), NOW) };
    let destroyed = Pending {
        category: Some(Category::MEMORY_SUMMARY),
        grounds: vec![Ground::Withdrawal([6; 16]), Ground::Refusal([5; 16])],
        is_to_withdraw: false,
        committed_at: Some(NOW),
        keys: Some(vec![key]),
        destroyed_at: Some(WallTime(NOW.0 + 1)),
        ..begun.clone()
    };
    for (name, pending) in [("erasure", begun), ("erasure_destroyed", destroyed)] {
        let value = ERASURE.encode(&pending.encode());
        assert_golden(name, &pending.row(SUBJECT), &value);
        assert_eq!(Pending::decode(&[7; 16], &value[2..]).unwrap(), pending);
    }
    let expected = "e65091de6b8238ef"; // the first digits of what python3's hashlib says
    assert!(key.commitment().to_string().starts_with(expected), "{}", key.commitment());
}

#[test]
fn a_certificate_is_stored_as_it_was() {
    let processor = Residual::Processor {
        id: "cloud".parse().unwrap(),
        party: "Somebody Else".into(),
        can_be_told: true,
        until: Some(WallTime(NOW.0 + 9)),
        told_at: None,
    };
    let backups = Residual::KeyBackups { until: None };
    let certificate = Certificate {
        format: certificate::FORMAT.into(),
        erasure: [7; 16],
        subject_tag: [9; 16],
        category: Some(Category::MEMORY_SUMMARY),
        grounds: vec![Ground::Withdrawal([6; 16])],
        policy: certificate::Policy { id: "home".into(), rev: 1, sha256: "00".into() },
        asked_at: NOW,
        committed_at: NOW,
        destroyed_at: WallTime(NOW.0 + 1),
        certified_at: WallTime(NOW.0 + 2),
        keys: vec![Key { category: Category::MEMORY_SUMMARY, generation: 2, key: [8; 16] }],
        shares_keys: false,
        key_store: [4; 16],
        is_purged: true,
        replicas: vec![1, 3],
        deleted: Vec::new(),
        residuals: vec![
            processor,
            backups,
            Residual::StoreLogs { until: Some(WallTime(NOW.0 + 8)) },
            Residual::Evidence,
            Residual::Device,
            Residual::People,
        ],
    };
    let key = CertificateKey { subject: SUBJECT, erasure: vec![7; 16] };
    let value = CERTIFICATE.encode(&certificate.encode());
    assert_golden("certificate", &key.key(), &value);
    assert_eq!(Certificate::parse(&value[2..]).unwrap(), certificate);
    let moment = |at: WallTime| at.0.to_string();
    let told = Tongue::ALL.map(|tongue| certificate.told(&[], tongue, moment)).join("\n");
    assert_golden_text("certificate.txt", &told);
}
