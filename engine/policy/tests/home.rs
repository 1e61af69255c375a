//! What `deploy/profiles/home.toml` promises, cell by cell.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::sync::Arc;

use sayso_policy::profile::Necessity;
use sayso_policy::{
    AgeBand, BasisRef, ConsentState, ConsentStatus, ConsentType, Gate, InForce, LegalBasis, Profile, PurposeConsent,
    Question, Reason, compile, decide,
};
use sayso_types::{
    Category, ConsentVersion, Label, ProcessorId, ProcessorKind, Purpose, RegionClass, SubjectId, TurnId, WallTime,
};

const HOME: &str = include_str!("../../../deploy/profiles/home.toml");
const NOW: WallTime = WallTime(1_780_000_000_000);

fn home() -> Profile {
    Profile::parse(HOME).unwrap()
}

fn label(purpose: Purpose, category: Category) -> Label {
    Label { subject: SubjectId([1; 16]), category, purpose, turn: TurnId(1), cv: ConsentVersion(1) }
}

fn given(purposes: &[Purpose], consent_type: ConsentType) -> ConsentState {
    let consent = PurposeConsent {
        status: ConsentStatus::Given,
        consent_type,
        separate: false,
        written: false,
        given_at: ConsentVersion(1),
        profile_rev: home().rev(),
        expires_at: None,
    };
    let consents = purposes.iter().map(|p| (*p, consent.clone())).collect();
    ConsentState { cv: ConsentVersion(1), consents, ..ConsentState::new() }
}

/// Everything that may go anywhere under `state`, by trying everything.
fn open(state: &ConsentState) -> BTreeSet<(String, String, String)> {
    let profile = home();
    let in_force = Arc::new(InForce::new(Arc::new(profile.clone())));
    let compiled = compile(&in_force, state);
    let mut open = BTreeSet::new();
    for purpose in profile.purposes() {
        for (category, _) in profile.categories() {
            for processor in profile.processors() {
                let gate = Gate::of(processor.kind);
                let question = Question { label: label(purpose.id, category), gate, processor: processor.id, now: NOW };
                let decision = decide(&question, state, &in_force);
                assert_eq!(decision, compiled.decide(&question));
                if decision.is_permit() {
                    open.insert((purpose.id.to_string(), category.to_string(), processor.id.to_string()));
                }
            }
        }
    }
    open
}

fn cells<const N: usize>(cells: [(&str, &str, &str); N]) -> BTreeSet<(String, String, String)> {
    cells.into_iter().map(|(p, c, r)| (p.into(), c.into(), r.into())).collect()
}

const BEFORE: [(&str, &str, &str); 3] = [
    ("notice", "notice_text", "voice-local"),
    ("consent_answer", "voice_audio", "vad-local"),
    ("consent_answer", "voice_audio", "whisper-local"),
];
const VOICE: [(&str, &str, &str); 4] = [
    ("voice_interaction", "voice_audio", "vad-local"),
    ("voice_interaction", "voice_audio", "whisper-local"),
    ("voice_interaction", "transcript", "rules-local"),
    ("voice_interaction", "reply_text", "voice-local"),
];
const MEMORY: [(&str, &str, &str); 2] =
    [("memory", "memory_summary", "rules-local"), ("memory", "memory_summary", "store-local")];

#[test]
fn before_consent_only_the_question_can_be_asked_and_its_answer_heard() {
    assert_eq!(open(&ConsentState::new()), cells(BEFORE));
}

#[test]
fn consent_to_voice_opens_the_conversation_and_nothing_else() {
    let state = given(&[Purpose::VOICE_INTERACTION], ConsentType::Expressed);
    assert_eq!(open(&state), &cells(BEFORE) | &cells(VOICE));
}

#[test]
fn memory_is_a_consent_of_its_own() {
    assert_eq!(open(&given(&[Purpose::MEMORY], ConsentType::Expressed)), &cells(BEFORE) | &cells(MEMORY));
}

#[test]
fn going_on_to_use_the_device_is_not_consent() {
    let state = given(&[Purpose::VOICE_INTERACTION, Purpose::MEMORY], ConsentType::Implied);
    assert_eq!(open(&state), cells(BEFORE));
}

#[test]
fn a_child_without_guardian_gets_the_notice_only() {
    let state = ConsentState {
        age: AgeBand::Under13,
        ..given(&[Purpose::VOICE_INTERACTION, Purpose::MEMORY], ConsentType::Expressed)
    };
    assert_eq!(open(&state), cells([BEFORE[0]]));
    let state = ConsentState { guardian_verified: true, ..state };
    assert_eq!(open(&state).len(), BEFORE.len() + VOICE.len() + MEMORY.len());
}

#[test]
fn every_receiver_is_local_and_none_trains() {
    for processor in home().processors() {
        assert_eq!(processor.region_class, RegionClass::Local, "{}", processor.id);
        assert_eq!(processor.trains_on_data, Some(false), "{}", processor.id);
    }
}

#[test]
fn decisions_say_by_what_right_and_under_what_duty() {
    let asr: ProcessorId = "whisper-local".parse().unwrap();
    let state = given(&[Purpose::VOICE_INTERACTION], ConsentType::Expressed);
    let in_force = InForce::new(Arc::new(home()));
    let ask = |purpose| {
        let label = label(purpose, Category::VOICE_AUDIO);
        let question = Question { label, gate: Gate::Recognition, processor: asr, now: NOW };
        decide(&question, &state, &in_force).answer
    };

    let talk = ask(Purpose::VOICE_INTERACTION).unwrap();
    assert_eq!((talk.basis, talk.basis_ref), (LegalBasis::Consent, BasisRef::Consent(ConsentVersion(1))));
    assert_eq!((talk.cell.kind, talk.cell.region), (ProcessorKind::Asr, RegionClass::Local));
    assert!(talk.obligations.no_store && talk.obligations.zeroise_at_turn_end);

    let answer = ask(Purpose::CONSENT_ANSWER).unwrap();
    assert_eq!((answer.basis, answer.basis_ref), (LegalBasis::EnterIntoContract, BasisRef::Profile(1)));

    assert_eq!(ask(Purpose::MEMORY), Err(Reason::UnknownCell));
}

#[test]
fn audio_from_before_a_withdrawal_stays_shut_out_after_a_new_grant() {
    let mut state = given(&[Purpose::VOICE_INTERACTION], ConsentType::Expressed);
    state.cv = ConsentVersion(3);
    state.consents.get_mut(&Purpose::VOICE_INTERACTION).unwrap().given_at = ConsentVersion(3);
    assert_eq!(open(&state), cells(BEFORE), "labels here are of version 1");
}

#[test]
fn the_question_asks_for_what_the_service_needs() {
    let profile = home();
    for (id, category) in profile.categories() {
        if let Some(Necessity::RequiredFor(purpose)) = category.necessity {
            assert!(profile.asks().spoken.contains(&purpose), "{id}");
        }
    }
    assert_eq!(profile.notice("zh".parse().unwrap()).thanks, "谢谢，我在听。");
    assert_eq!(profile.notice("fr".parse().unwrap()), profile.notice("en".parse().unwrap()));
}

#[test]
fn the_commented_examples_are_valid() {
    let with_examples: String = HOME.lines().map(|line| line.replacen("  # { id", "  { id", 1) + "\n").collect();
    let refused = Profile::parse(&with_examples).unwrap_err().to_string();
    assert!(refused.contains("XBORDER_CONTRADICTS_LOCATION"), "{refused}");
    let profile = Profile::parse(&with_examples.replacen("overseas = false", "overseas = true", 1)).unwrap();
    assert_eq!(profile.processors().count(), 7);

    let openai: ProcessorId = "openai-llm".parse().unwrap();
    let in_force = InForce::new(Arc::new(profile));
    let ask = |state: &ConsentState, now| {
        let label = label(Purpose::VOICE_INTERACTION, Category::TRANSCRIPT);
        decide(&Question { label, gate: Gate::Dialogue, processor: openai, now }, state, &in_force).answer
    };
    let state = given(&[Purpose::VOICE_INTERACTION], ConsentType::Expressed);
    assert!(ask(&state, NOW).is_ok());
    let in_two_years = WallTime(NOW.0 + 2 * 365 * 86_400_000);
    assert_eq!(ask(&state, in_two_years), Err(Reason::ProcessorState), "examined too long ago");
    let stay_home = ConsentState { farthest: RegionClass::Domestic, ..state };
    assert_eq!(ask(&stay_home, NOW), Err(Reason::Region));
}
