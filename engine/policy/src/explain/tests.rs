//! An explanation never disagrees with the decision, and reads well.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use sayso_types::{
    Category, ConsentVersion, Label, Part, ProcessorId, Purpose, RegionClass, SubjectId, TurnId, WallTime,
};

use super::*;
use crate::{AgeBand, ConsentStatus, ConsentType, Narrowed, PartStatus, PurposeConsent, Registry, Tongue};

const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");
const NOW: WallTime = WallTime(1_780_000_000_000);

static VARIED: LazyLock<InForce> = LazyLock::new(|| InForce::new(Arc::new(varied())));

/// The home profile with something of everything that [`decide()`] asks about.
fn varied() -> Profile {
    let text = r#"
extends = "home.toml"
clause = [{ id = "T-1", says = "a" }, { id = "T-2", says = "b" }, { id = "T-3", says = "c" }, { id = "T-4", says = "d" }]
processor = [
  { id = "far-llm", kind = "llm", party = "Far", contact = "far@example.com", privacy_url = "https://far.example.com/privacy", deletion_api = true, independent_controller = true, region = "US", region_class = "overseas", mechanism = "adequacy", accepts = ["transcript", "memory_summary"], purposes = ["voice_interaction", "memory"], state = "active", contract = "c-1", trains_on_data = false, declared_retention = "P30D", due_diligence = { at = 2026-01-01, by = "operator", valid = "P6M" }, src = ["T-3"] },
  { id = "store-local", accepts = ["account", "memory_summary"], purposes = ["account", "memory"] },
  { id = "asleep-llm", kind = "llm", party = "operator", region = "home", region_class = "local", accepts = ["transcript"], purposes = ["voice_interaction"], state = "suspended" },
]
purpose = [
  { id = "memory", requires = ["voice_interaction"] },
  { id = "account", dpv = "RequestedServiceProvision", basis = "ContractPerformance" },
]
prohibition = [
  { purpose = "SellDataToThirdParties" },
  { purpose = "Marketing" },
  { category = "memory_summary", when = { age_lt = 16 }, src = ["T-4"] },
]
[category.account]
dpv = ["pd:Username"]
sensitivity = "normal"
purposes = ["account"]
at_rest = "allowed"
[category.transcript]
separate = true
src = ["T-1"]
[transfers]
overseas = true
[minors]
src = ["T-2"]
[asks]
spoken = ["memory"]
"#;
    crate::profile::Draft::parse(text, Some(HOME)).unwrap().unlinted()
}

fn name<T: core::str::FromStr<Err: core::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn label(purpose: &str, category: &str) -> Label {
    let (purpose, category): (Purpose, Category) = (name(purpose), name(category));
    Label { subject: SubjectId([1; 16]), category, purpose, turn: TurnId(1), cv: ConsentVersion(1) }
}

fn given(in_force: &InForce, purpose: &str) -> ConsentState {
    let consent = PurposeConsent {
        status: ConsentStatus::Given,
        consent_type: ConsentType::Expressed,
        separate: true,
        written: false,
        given_at: ConsentVersion(1),
        profile_rev: in_force.profile().rev(),
        expires_at: None,
    };
    ConsentState { cv: ConsentVersion(1), consents: [(name(purpose), consent)].into(), ..ConsentState::new() }
}

prop_compose! {
    fn consents()(
        status in prop::sample::select(vec![
            ConsentStatus::Given, ConsentStatus::Given, ConsentStatus::Renewed, ConsentStatus::Withdrawing,
            ConsentStatus::Refused,
        ]),
        consent_type in prop::sample::select(vec![
            ConsentType::Implied, ConsentType::Expressed, ConsentType::ExplicitlyExpressed,
        ]),
        separate: bool,
        given_at in 0..4_u64,
        profile_rev in 1..3_u32,
        expires_at in prop::option::of(NOW.0 - 1..NOW.0 + 2),
    ) -> PurposeConsent {
        PurposeConsent {
            status, consent_type, separate, written: separate, profile_rev,
            given_at: ConsentVersion(given_at),
            expires_at: expires_at.map(WallTime),
        }
    }
}

prop_compose! {
    fn parts()(
        purpose in prop::option::of(Just(Purpose::VOICE_INTERACTION)),
        region in prop::sample::select(RegionClass::ALL.to_vec()),
        status in prop::sample::select(vec![
            PartStatus::Withdrawing, PartStatus::Withdrawn, PartStatus::GivenAgain(ConsentVersion(2)),
        ]),
    ) -> (Part, PartStatus) {
        (Part { purpose, region: Some(region), ..Part::default() }, status)
    }
}

prop_compose! {
    fn states()(
        voice in prop::option::of(consents()),
        memory in prop::option::of(consents()),
        farthest in prop::sample::select(vec![RegionClass::Local, RegionClass::Domestic, RegionClass::Overseas]),
        age in prop::sample::select(vec![
            AgeBand::Unknown, AgeBand::Under13, AgeBand::Under14, AgeBand::Under16, AgeBand::Under18, AgeBand::Adult,
        ]),
        guardian_verified: bool,
        restricted: bool,
        told: bool,
        is_closed in prop::bool::weighted(0.3),
        part in prop::option::of(parts()),
    ) -> ConsentState {
        let consents = [(Purpose::VOICE_INTERACTION, voice), (Purpose::MEMORY, memory)];
        let consents = consents.into_iter().filter_map(|(purpose, consent)| Some((purpose, consent?))).collect();
        let restricted = restricted.then_some(Category::MEMORY_SUMMARY).into_iter().collect();
        ConsentState {
            cv: ConsentVersion(3),
            consents,
            farthest,
            age,
            guardian_verified,
            restricted,
            is_closed,
            parts: part.into_iter().collect(),
            told: VARIED.profile().introductions().map(|one| one.hash()).filter(|_| told).collect(),
            ..ConsentState::new()
        }
    }
}

/// What the steps say, on their own.
fn concluded(explanation: &Explanation) -> Option<Reason> {
    let (last, before) = explanation.steps.split_last().unwrap();
    assert!(before.iter().all(Step::passed), "it went on after a no");
    (!last.passed()).then_some(last.reason)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn never_disagrees_with_the_decision(state in states(), cv in 0..4_u64, later in 0..400_u64, taken in 0..5_usize) {
        let narrowed = [Narrowed::TransferLimitReached, Narrowed::DueDiligenceExpired, Narrowed::Suspended];
        let narrowed = narrowed.get(taken).map(|narrowed| (name("far-llm"), *narrowed));
        let in_force = VARIED.clone().with_registry(Registry::new(1, narrowed));
        let profile = in_force.profile();
        let now = WallTime(NOW.0 + later * 86_400_000);
        for processor in profile.processors().map(|p| p.id).chain([name("nobody")]) {
            for purpose in profile.purposes().map(|p| p.id).chain([name("singing")]) {
                for category in profile.categories().map(|(id, _)| id).chain([name("noise")]) {
                    let gates = [Gate::Recognition, Gate::Dialogue, Gate::Speech, Gate::Memory, Gate::Log, Gate::Telemetry];
                    for gate in gates {
                        let label = Label { purpose, category, cv: ConsentVersion(cv), ..label("x", "x") };
                        let question = Question { label, gate, processor, now };
                        let explanation = explain(&question, &state, &in_force);
                        let decision = decide(&question, &state, &in_force);
                        prop_assert_eq!(concluded(&explanation), decision.answer.err(), "{:?}", &explanation);
                        prop_assert_eq!(explanation.decision, decision);
                    }
                }
            }
        }
    }
}

/// The question at the gate in front of a processor.
fn asked(purpose: &str, category: &str, processor: &str) -> Question {
    let processor: ProcessorId = name(processor);
    let kind = VARIED.profile().processor(processor).unwrap().kind;
    Question { label: label(purpose, category), gate: Gate::of(kind), processor, now: NOW }
}

#[test]
fn it_says_whether_an_age_is_known_or_taken_for_granted() {
    let of = |age| {
        let state = ConsentState { age, ..given(&VARIED, "voice_interaction") };
        let told = explain(&asked("voice_interaction", "transcript", "rules-local"), &state, &VARIED);
        let step = told.steps.into_iter().find(|step| step.reason == Reason::MinorNoGuardian).unwrap();
        step.facts[0].says(Tongue::English)
    };
    assert!(of(AgeBand::Adult).contains("is at least 18 years old"));
    assert!(of(AgeBand::Unknown).contains("takes them for at least 18 years old"));
    assert!(of(AgeBand::Under13).contains("none is verified"));
}

#[test]
fn a_yes_reads_well() {
    let state = given(&VARIED, "voice_interaction");
    let told = explain(&asked("voice_interaction", "transcript", "rules-local"), &state, &VARIED);
    assert!(told.decision.is_permit());
    let expected = "\
May transcript go to rules-local for voice_interaction, at the gate dialogue?
Yes, by Consent, given at consent version 1.
  - it must not be stored
  1. ok  is it free of prohibitions?
       no prohibition covers it  [prohibition]
  2. ok  does the profile know this use?
       purpose voice_interaction is declared in the profile  [purpose.voice_interaction]
       category transcript is declared in the profile  [category.transcript]
       T-1
  3. ok  does the profile know this use?
       transcript is used for voice_interaction  [category.transcript.purposes]
       T-1
  4. ok  may the person decide, or a guardian for them?
       the person's age is not known, and the profile takes them for at least 18 years old; a guardian is needed below 14  [defaults.unknown_age]
  5. ok  may the processor receive it?
       rules-local is registered  [processor.rules-local]
       rules-local is active  [processor.rules-local.state]
       the registry takes nothing from rules-local
       no due diligence is asked of it  [processor.rules-local.due_diligence]
       rules-local stands behind the gate dialogue  [processor.rules-local.kind]
       rules-local may receive transcript  [processor.rules-local.accepts]
       rules-local may receive data for voice_interaction  [processor.rules-local.purposes]
  6. ok  does the person let it go that far?
       rules-local is local; the person lets data go as far as overseas  [processor.rules-local.region_class]
  7. ok  is there a right to do it?
       consent to voice_interaction stands at ConsentGiven
       it was ExpressedConsent; at least ExpressedConsent is needed
       it was asked apart from everything else; it must be
       it was not given in writing; it need not be
       it was given to revision 1; revision 1 is in force
       it does not end by itself
       the data came in at consent version 1; consent began at version 1";
    assert_eq!(told.told(Tongue::English).to_string(), expected);
}

#[test]
fn a_no_names_what_stands_against_it() {
    let told = |state: &ConsentState, purpose, category, processor| {
        explain(&asked(purpose, category, processor), state, &VARIED).told(Tongue::English)
    };
    let adult = given(&VARIED, "memory");
    let child = ConsentState { age: AgeBand::Under14, guardian_verified: true, ..adult.clone() };

    let refused = told(&child, "memory", "memory_summary", "rules-local");
    assert_eq!((refused.reason, refused.steps.len()), (Some("prohibited"), 1));
    assert!(refused.to_string().contains("category = memory_summary, when.age_lt = 16"), "{refused}");
    assert!(refused.to_string().ends_with("T-4"), "{refused}");

    let refused = told(&adult, "voice_interaction", "transcript", "asleep-llm").to_string();
    assert!(refused.contains("No (processor_state): ") && refused.contains("! asleep-llm is suspended"), "{refused}");

    let refused = told(&adult, "memory", "memory_summary", "store-local").to_string();
    let first = "! memory needs consent to voice_interaction first; there is none that is valid and covers it  \
                 [purpose.memory.requires]";
    assert!(refused.contains("No (no_basis): ") && refused.contains(first), "{refused}");

    let refused = told(&adult, "memmory", "noise", "store-local").to_string();
    assert!(refused.contains("! purpose memmory is not declared in the profile; did you mean `memory`?"), "{refused}");
    assert!(refused.contains("! category noise is not declared in the profile  ["), "nothing is like it: {refused}");

    let talks = given(&VARIED, "voice_interaction");
    let refused = told(&talks, "voice_interaction", "transcript", "far-llm").to_string();
    assert!(refused.contains("! far-llm has a privacy policy of its own, and the person was not told so"), "{refused}");

    let gone = ConsentState { is_closed: true, ..adult.clone() };
    let refused = told(&gone, "account", "account", "store-local").to_string();
    assert!(
        refused.contains("No (account_closed): ") && refused.contains("person, who closed their account"),
        "{refused}"
    );
    let allowed = told(&adult, "account", "account", "store-local").to_string();
    assert!(allowed.contains("Yes, by ContractPerformance") && allowed.contains("who has not closed"), "{allowed}");

    let part = Part { processor: Some(name("rules-local")), ..Part::default() };
    let lacks = |status| ConsentState { parts: [(part, status)].into(), ..talks.clone() };
    let of = |state: &ConsentState| told(state, "voice_interaction", "transcript", "rules-local").to_string();
    let refused = of(&lacks(PartStatus::Withdrawn));
    let why = "! the person took back */*/rules-local/*/*, and has not given it again";
    assert!(refused.contains("No (taken_back): ") && refused.contains(why), "{refused}");
    let refused = of(&lacks(PartStatus::GivenAgain(ConsentVersion(9))));
    assert!(refused.contains("and gave it again for data of consent version 9 and later"), "{refused}");

    let near = ConsentState { farthest: RegionClass::Domestic, ..adult };
    let refused = told(&near, "memory", "memory_summary", "far-llm").to_string();
    assert!(refused.contains("! far-llm is overseas; the person lets data go as far as domestic"), "{refused}");
}

#[test]
fn chinese_says_the_same() {
    let state = given(&VARIED, "voice_interaction");
    let explanation = explain(&asked("memory", "memory_summary", "store-local"), &state, &VARIED);
    let (english, chinese) = (explanation.told(Tongue::English), explanation.told(Tongue::Chinese));
    assert_eq!(chinese.verdict, "不可以（no_basis）：没有涵盖此项的有效同意。");
    assert!(chinese.to_string().ends_with("! 本人尚未就 memory 作出答复"), "{chinese}");
    assert_eq!(chinese.steps.len(), english.steps.len());
    for (zh, en) in chinese.steps.iter().zip(&english.steps) {
        assert_eq!((zh.check, zh.passed, zh.found.len()), (en.check, en.passed, en.found.len()));
    }
}
