//! What is stored of what is kept of people.

use sayso_policy::LegalBasis;

use super::*;
use crate::erasure::LegalMinimum;
use crate::keep::head::{Head, Origin};
use crate::keep::item::Label;
use crate::tables::{KEPT_GONE, KEPT_OF, KEPT_PART, KeptGoneKey, KeptOfKey, KeptPartKey};

#[test]
fn what_is_kept_of_a_person_is_stored_as_it_was() {
    let id = Reference([6; 16]);
    let own = Head {
        subject: SUBJECT,
        id,
        category: "agent_config".parse().unwrap(),
        purpose: "provide_service".parse().unwrap(),
        cv: ConsentVersion(3),
        collected_at: NOW,
        bytes: 70_000,
        parts: 2,
        source: Origin::Person,
        of: None,
        derived_from: Vec::new(),
        dropped_at: None,
        unbound_at: None,
        is_begun: false,
    };
    let party = Origin::Party { party: "sign-in".parse().unwrap(), basis: LegalBasis::Consent };
    let begun = Head { source: Origin::Device, is_begun: true, ..own.clone() };
    let of_another = Head {
        source: party,
        of: Some(SubjectId([7; 16])),
        derived_from: vec![Reference([8; 16]).to_string()],
        dropped_at: Some(WallTime(NOW.0 + 1)),
        unbound_at: Some(WallTime(NOW.0 + 1)),
        ..own
    };
    for (name, head) in [("kept", own), ("kept_of_another", of_another), ("kept_begun", begun)] {
        let (key, value) = (head.row(), head.value());
        assert_golden(name, &key, &value);
        assert_eq!(Head::decode(&key, &value[2..]).unwrap(), head);
    }
    // what is sealed is another format's: a part is what the vault makes of it
    assert_golden("kept_part", &KeptPartKey::of(SUBJECT, id, 1).key(), &KEPT_PART.encode(&[9; 32]));
    assert_golden("kept_shown", &KeptOfKey::of(SubjectId([7; 16]), SUBJECT, id).key(), &KEPT_OF.encode(&[]));
    let parts = 2_u32.to_be_bytes();
    assert_golden("kept_gone", &KeptGoneKey::of(SUBJECT, id).key(), &KEPT_GONE.encode(&parts));
    let label = Label {
        media_type: "image/jpeg".into(),
        attribute: Some("picture".into()),
        reference: Some("agreement 7".into()),
        ticket: Some("T-1".into()),
    };
    let json = serde_json::to_string(&label).unwrap();
    assert_golden_text("kept_label.json", &format!("{json}\n"));
    assert!(serde_json::from_str::<Label>(&json).unwrap() == label);
}

#[test]
fn what_a_law_demands_of_what_was_erased_is_stored_and_told_as_it_was() {
    let (category, law) = ("log_info".parse().unwrap(), "cn-csl:21".to_owned());
    let demanded = LegalMinimum { category, law, until: WallTime(NOW.0 + 8) };
    let pending =
        Pending { id: [7; 16], kept: vec![demanded.clone()], ..Pending::new(None, Ground::Request([6; 16]), NOW) };
    let value = ERASURE.encode(&pending.encode());
    assert_golden("erasure_kept", &pending.row(SUBJECT), &value);
    assert_eq!(Pending::decode(&[7; 16], &value[2..]).unwrap(), pending);
    let residual = Residual::LegalMinimum(demanded);
    let json = serde_json::to_string(&residual).unwrap();
    assert_golden_text("certificate_kept.json", &format!("{json}\n"));
    assert_eq!(serde_json::from_str::<Residual>(&json).unwrap(), residual);
    let told = Tongue::ALL.map(|tongue| residual.told(tongue, |at: WallTime| at.0.to_string())).join("\n");
    assert_golden_text("certificate_kept.txt", &format!("{told}\n"));
}
