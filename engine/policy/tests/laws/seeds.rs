//! The reference on the profiles that ship.

use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_policy::profile::Draft;
use sayso_policy::{
    AgeBand, ConsentState, ConsentStatus, ConsentType, Gate, InForce, PurposeConsent, Question, compile, decide,
};
use sayso_types::{ConsentVersion, Label, SubjectId, TurnId, WallTime};

use crate::reference::{World, answer};

/// 28 May 2026.
const NOW: WallTime = WallTime(1_780_000_000_000);

macro_rules! profile {
    ($name:literal) => {
        include_str!(concat!("../../../../deploy/profiles/", $name, ".toml"))
    };
}

/// Every profile that may be put in force, with the file that it extends.
const SHIPPED: [(&str, Option<&str>); 6] = [
    (profile!("home"), None),
    (profile!("xiaozhi-lawful"), Some(profile!("xiaozhi"))),
    (profile!("aiwellflow-lawful"), Some(profile!("aiwellflow"))),
    (profile!("chat-ai-lawful"), Some(profile!("chat-ai"))),
    (profile!("xiaosuan-lawful"), Some(profile!("xiaosuan"))),
    (profile!("zego-lawful"), Some(profile!("zego"))),
];

/// Every use of every category by every processor, at the gate before it and at each in turn.
#[test]
fn shipped_profiles_agree_with_the_reference() {
    let mut gates = Gate::ALL.into_iter().cycle();
    for (text, base) in SHIPPED {
        let draft = Draft::parse(text, base).unwrap();
        let world = World {
            document: draft.document().clone(),
            narrowed: Vec::new(),
            categories_off: Vec::new(),
            tenants_off: Vec::new(),
            instructions: Vec::new(),
            grants: Vec::new(),
        };
        let in_force = Arc::new(InForce::new(Arc::new(draft.accept().unwrap())));
        let given = |consent_type, apart| PurposeConsent {
            status: ConsentStatus::Given,
            consent_type,
            separate: apart,
            written: apart,
            given_at: ConsentVersion(1),
            profile_rev: world.document.profile.rev,
            expires_at: None,
        };
        let state = |age, consent: Option<PurposeConsent>| {
            let purposes = world.document.purpose.keys();
            let consents: BTreeMap<_, _> = purposes.filter_map(|id| Some((*id, consent.clone()?))).collect();
            ConsentState { cv: ConsentVersion(1), consents, age, guardian_verified: true, ..ConsentState::new() }
        };
        let told = in_force.profile().introductions().map(|introduction| introduction.hash()).collect();
        let each = Some(given(ConsentType::ExplicitlyExpressed, true));
        for state in [
            state(AgeBand::Adult, None),
            state(AgeBand::Adult, Some(given(ConsentType::Expressed, false))),
            state(AgeBand::Adult, each.clone()),
            ConsentState { told, ..state(AgeBand::Adult, each.clone()) },
            state(AgeBand::Under14, each),
        ] {
            let compiled = compile(&in_force, &state);
            let uses = world.document.category.iter();
            let uses = uses.flat_map(|(category, rule)| rule.purposes.iter().map(|purpose| (*purpose, *category)));
            for (purpose, category) in uses {
                let subject = SubjectId([1; 16]);
                let label = Label { subject, category, purpose, turn: TurnId(1), cv: ConsentVersion(1) };
                for receiver in world.document.processor.values() {
                    for gate in [Gate::of(receiver.kind), gates.next().unwrap()] {
                        let question = Question { label, gate, processor: receiver.id, now: NOW };
                        let decision = decide(&question, &state, &in_force);
                        assert_eq!(decision.answer, answer(&world, &question, &state), "{question:?}");
                        assert_eq!(compiled.decide(&question), decision, "{question:?}");
                    }
                }
            }
        }
    }
}
