//! What is stored of children and their guardians.

use std::collections::BTreeSet;

use sayso_policy::AgeBand;

use super::*;
use crate::guardian::age::Age;
use crate::guardian::ward::Found;
use crate::guardian::{Guardian, Standing};
use crate::tables::{GROWING, GrowingKey};

#[test]
fn a_childs_register_entry_is_stored_as_it_was() {
    let consent = ConsentState {
        cv: ConsentVersion(2),
        age: AgeBand::Under13,
        guardian_verified: true,
        tenant: Some("acme".parse().unwrap()),
        ..ConsentState::new()
    };
    let verified = Standing::Verified { at: WallTime(NOW.0 + 2), evidence_sha256: [7; 32] };
    let (id, method) = ([6; 16], Name::constant("in_person"));
    let ward = Ward {
        age: Some(Age { ends: Some(WallTime(NOW.0 + 9)), said_at: NOW, evidence_sha256: [8; 32] }),
        guardian: Some(Guardian { id, method, requested_at: WallTime(NOW.0 + 1), standing: verified }),
        found: None,
        agreed: BTreeSet::from([Purpose::VOICE_INTERACTION]),
    };
    let mut state = StoredState {
        tenant: "acme".parse().unwrap(),
        tag_key: tag_key(),
        consent,
        ward,
        bars_relatives: false,
        permissions_off: [].into(),
        version: Version::default(),
    };
    let (key, version) = (RegisterKey { subject: SUBJECT }.key(), Version::from_sequence(7));
    let again = |state: &StoredState| {
        let value = REGISTER.encode(&state.encode());
        let again = opened(value.clone(), version);
        assert_eq!((&again.ward, &again.consent), (&state.ward, &state.consent));
        value
    };
    assert_golden("register_child", &key, &again(&state));
    state.ward.found = Some(Found { id: [9; 16] });
    state.consent.guardian_verified = false;
    for (standing, name) in
        [(Standing::Failed { at: NOW }, "register_child_found"), (Standing::Requested, "register_child_requested")]
    {
        state.ward.guardian = Some(Guardian { id, method, requested_at: NOW, standing });
        assert_golden(name, &key, &again(&state));
    }
}

#[test]
fn that_somebody_grows_up_is_stored_as_it_was() {
    assert_golden("growing", &GrowingKey { at: NOW.0, subject: SUBJECT }.key(), &GROWING.encode(&[]));
}
