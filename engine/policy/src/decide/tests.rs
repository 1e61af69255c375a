//! Each thing that may stand against a use, alone. Profiles are that of a home with one thing changed.

mod agreeing;
mod granting;
mod instructing;
mod receiving;

use std::sync::Arc;

use super::*;
use crate::profile::Draft;
use crate::{AgeBand, ConsentStatus, ConsentType, PartStatus, PurposeConsent, Registry, compile};
use sayso_types::{Part, Purpose, SubjectId, TurnId};

const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");
/// 28 May 2026.
const NOW: WallTime = WallTime(1_780_000_000_000);
const DAY_MS: u64 = 86_400_000;

const HEARS: (Gate, &str) = (Gate::Recognition, "voice_interaction/voice_audio/whisper-local");
const REMEMBERS: (Gate, &str) = (Gate::Memory, "memory/memory_summary/store-local");

/// The profile of a home with `changes`, whatever the linter finds in it.
fn home(changes: &str) -> InForce {
    let text = format!("extends = \"home.toml\"\n{changes}");
    InForce::new(Arc::new(Draft::parse(&text, Some(HOME)).unwrap().unlinted()))
}

fn agreed(consent_type: ConsentType, separate: bool) -> ConsentState {
    let consent = PurposeConsent {
        status: ConsentStatus::Given,
        consent_type,
        separate,
        written: false,
        given_at: ConsentVersion(1),
        profile_rev: 1,
        expires_at: None,
    };
    let consents = [Purpose::VOICE_INTERACTION, Purpose::MEMORY].map(|p| (p, consent.clone())).into();
    ConsentState { cv: ConsentVersion(1), consents, age: AgeBand::Adult, ..ConsentState::new() }
}

fn yes() -> ConsentState {
    agreed(ConsentType::Expressed, false)
}

fn each() -> ConsentState {
    agreed(ConsentType::ExplicitlyExpressed, true)
}

fn question((gate, cell): (Gate, &str)) -> Question {
    let [purpose, category, processor] = cell.split('/').collect::<Vec<_>>().try_into().unwrap();
    let (purpose, category) = (purpose.parse().unwrap(), category.parse().unwrap());
    let label = Label { subject: SubjectId([1; 16]), category, purpose, turn: TurnId(1), cv: ConsentVersion(1) };
    Question { label, gate, processor: processor.parse().unwrap(), now: NOW }
}

/// The answer, which the table gives too.
fn ask(in_force: &InForce, state: &ConsentState, asked: (Gate, &str)) -> Result<Grounds, Reason> {
    let question = question(asked);
    let decision = decide(&question, state, in_force);
    let in_force = Arc::new(in_force.clone());
    let compiled = compile(&in_force, state);
    assert_eq!(compiled.decide(&question), decision, "{asked:?}");
    assert_eq!(compiled.permits(&question), decision.is_permit(), "{asked:?}");
    decision.answer
}

/// Why not, for somebody who was told of every service.
fn reason(in_force: &InForce, state: &ConsentState, asked: (Gate, &str)) -> Option<Reason> {
    ask(in_force, &told(in_force, state), asked).err()
}

fn told(in_force: &InForce, state: &ConsentState) -> ConsentState {
    let told = in_force.profile().introductions().map(|introduction| introduction.hash()).collect();
    ConsentState { told, ..state.clone() }
}

#[test]
fn a_decision_says_what_it_rests_on() {
    let in_force = home("").with_registry(Registry::new(5, []));
    let decision = decide(&question(HEARS), &yes(), &in_force);
    assert_eq!((decision.cv, decision.profile_rev, decision.registry_rev), (ConsentVersion(1), 1, 5));
}

#[test]
fn storing_needs_data_that_may_be_stored() {
    let lets = |category: &str| {
        home(&format!(
            "processor = [{{ id = \"store-local\", accepts = [\"{category}\"], purposes = [\"voice_interaction\"] }}]"
        ))
    };
    for gate in [Gate::ChatHistory, Gate::ConversationAudio, Gate::Memory, Gate::Replica] {
        let cell = "voice_interaction/transcript/store-local";
        assert_eq!(reason(&lets("transcript"), &yes(), (gate, cell)), Some(Reason::Prohibited), "{gate}");
        assert_eq!(reason(&home(""), &yes(), (gate, REMEMBERS.1)), None, "{gate}");
    }
    let reads = (Gate::Access, "voice_interaction/transcript/store-local");
    assert_eq!(reason(&lets("transcript"), &yes(), reads), None, "nothing stays behind it");
}

#[test]
fn logs_hold_nothing_that_was_said() {
    let logs = (Gate::Log, REMEMBERS.1);
    assert_eq!(reason(&home(""), &yes(), logs), Some(Reason::Prohibited));
    assert_eq!(reason(&home("[category.memory_summary]\ncontent_free = true"), &yes(), logs), None);
}

#[test]
fn telemetry_leads_back_to_nobody() {
    let telemetry = (Gate::Telemetry, REMEMBERS.1);
    for (identifies, refused) in [("directly", true), ("pseudonymised", true), ("anonymised", false)] {
        let in_force = home(&format!("[category.memory_summary]\nidentifies = \"{identifies}\""));
        assert_eq!(reason(&in_force, &yes(), telemetry), refused.then_some(Reason::Prohibited), "{identifies}");
    }
}

#[test]
fn what_a_registered_transformation_makes_leads_back_to_nobody_and_is_asked_about_like_all_else() {
    let counted = |more: &str| {
        let rule = r#"{ trigger = "collected", after = "P10D", action = "anonymise", by = "monthly_counts@1" }"#;
        home(&format!("[category.memory_summary]\nretention = {rule}\n{more}"))
    };
    let telemetry = question((Gate::Telemetry, REMEMBERS.1));
    let answer = |in_force: &InForce, state: &ConsentState| decide_anonymised(&telemetry, state, in_force).answer.err();
    assert_eq!(answer(&counted(""), &yes()), None);
    assert_eq!(
        reason(&counted(""), &yes(), (Gate::Telemetry, REMEMBERS.1)),
        Some(Reason::Prohibited),
        "as it is stored"
    );
    assert_eq!(answer(&home(""), &yes()), Some(Reason::Prohibited), "its category is erased");
    assert_eq!(answer(&counted(""), &ConsentState::new()), Some(Reason::NoBasis));
    let restricted = ConsentState { restricted: [Category::MEMORY_SUMMARY].into(), ..yes() };
    assert_eq!(answer(&counted(""), &restricted), Some(Reason::Restricted));
    let off = counted("").with_registry(Registry::new(1, []).without_categories([Category::MEMORY_SUMMARY]));
    assert_eq!(answer(&off, &yes()), Some(Reason::SwitchedOff));
}

#[test]
fn a_gate_leads_to_its_own_sort_of_processor() {
    assert_eq!(reason(&home(""), &yes(), (Gate::Speech, HEARS.1)), Some(Reason::ProcessorState));
    assert_eq!(reason(&home(""), &yes(), (Gate::Ingress, HEARS.1)), None);
}

#[test]
fn what_is_done_can_be_prohibited() {
    let no = |processing: &str| home(&format!("prohibition = [{{ processing = \"{processing}\" }}]"));
    assert_eq!(reason(&no("Transmit"), &yes(), HEARS), Some(Reason::Prohibited));
    assert_eq!(reason(&no("Transmit"), &yes(), REMEMBERS), None);
    assert_eq!(reason(&no("Store"), &yes(), REMEMBERS), Some(Reason::Prohibited));
    const LISTENS: (Gate, &str) = (Gate::VoiceActivity, "voice_interaction/voice_audio/vad-local");
    assert_eq!(reason(&home(""), &yes(), LISTENS), None);
    for processing in ["Collect", "Analyse"] {
        assert_eq!(reason(&no(processing), &yes(), LISTENS), Some(Reason::Prohibited), "{processing}");
        assert_eq!(reason(&no(processing), &yes(), HEARS), None, "{processing}");
    }
    for (processing, changes) in [
        ("Share", "processor = [{ id = \"whisper-local\", independent_controller = true }]"),
        ("Train", "processor = [{ id = \"whisper-local\", trains_on_data = true }]"),
        ("Profiling", "purpose = [{ id = \"voice_interaction\", processing = [\"Profiling\"] }]"),
    ] {
        let prohibition = format!("prohibition = [{{ processing = \"{processing}\" }}]\n");
        assert_eq!(reason(&no(processing), &each(), HEARS), None, "{processing}");
        let both = home(&format!("{prohibition}{changes}"));
        assert_eq!(reason(&both, &each(), HEARS), Some(Reason::Prohibited), "{processing}");
    }
}

#[test]
fn what_was_taken_back_of_consent_is_closed_and_nothing_else_is() {
    let taken = |part: Part| ConsentState { parts: [(part, PartStatus::Withdrawn)].into(), ..yes() };
    let whisper = Part { processor: Some("whisper-local".parse().unwrap()), ..Part::default() };
    assert_eq!(reason(&home(""), &taken(whisper), HEARS), Some(Reason::TakenBack));
    assert_eq!(reason(&home(""), &taken(whisper), REMEMBERS), None);
    let none = ConsentState { consents: [].into(), ..taken(whisper) };
    assert_eq!(reason(&home(""), &none, HEARS), Some(Reason::NoBasis), "there is nothing to take back from");
    // what rests on something else than consent is nobody's to take back
    let asks = (Gate::Recognition, "consent_answer/voice_audio/whisper-local");
    assert_eq!(reason(&home(""), &taken(whisper), asks), None);
    let abroad = Part { region: Some(RegionClass::Overseas), ..Part::default() };
    assert_eq!(reason(&home(""), &taken(abroad), HEARS), None);
    // what came in before it was given again stays shut out
    for (given_at, expected) in [(1, None), (2, Some(Reason::TakenBack))] {
        let status = PartStatus::GivenAgain(ConsentVersion(given_at));
        let again = ConsentState { parts: [(whisper, status)].into(), ..yes() };
        assert_eq!(reason(&home(""), &again, HEARS), expected, "given again at {given_at}");
    }
}

#[test]
fn what_is_prohibited_is_so_before_it_is_unknown() {
    let in_force = home("prohibition = [{ category = \"transcript\" }]");
    let unknown = (Gate::Dialogue, "gossip/transcript/rules-local");
    assert_eq!(reason(&in_force, &yes(), unknown), Some(Reason::Prohibited));
    assert_eq!(reason(&home(""), &yes(), unknown), Some(Reason::UnknownCell));
}

#[test]
fn a_contract_ends_with_the_account_and_no_other_right_does() {
    let closed = ConsentState { is_closed: true, ..yes() };
    for (basis, ends) in [
        (LegalBasis::Consent, false),
        (LegalBasis::ContractPerformance, true),
        (LegalBasis::EnterIntoContract, true),
        (LegalBasis::LegalObligation, false),
        (LegalBasis::VitalInterest, false),
        (LegalBasis::PublicInterest, false),
        (LegalBasis::OfficialAuthority, false),
        (LegalBasis::LegitimateInterest, false),
    ] {
        let spoken = "[asks]\nspoken = [\"voice_interaction\"]\n";
        let in_force = home(&format!("purpose = [{{ id = \"memory\", basis = \"{basis}\" }}]\n{spoken}"));
        assert_eq!(ask(&in_force, &yes(), REMEMBERS).map(|grounds| grounds.basis), Ok(basis));
        assert_eq!(reason(&in_force, &closed, REMEMBERS), ends.then_some(Reason::AccountClosed), "{basis}");
    }
}

#[test]
fn nobodys_data_goes_untold_to_who_decides_alone() {
    const ELSEWHERE: &str = "processor = [{ id = \"whisper-local\", independent_controller = true, party = \"Far\" }]";
    let in_force = home(ELSEWHERE);
    assert_eq!(ask(&in_force, &yes(), HEARS), Err(Reason::NotTold));
    assert_eq!(ask(&in_force, &told(&in_force, &yes()), HEARS).map(|grounds| grounds.basis), Ok(LegalBasis::Consent));
    assert_eq!(
        ask(&in_force, &ConsentState::new(), HEARS),
        Err(Reason::NoBasis),
        "nobody is told of what gets nothing"
    );
    assert_eq!(ask(&in_force, &yes(), REMEMBERS).err(), None, "of the others there is nothing to tell");
    // what was told of another, or before it changed, counts for nothing
    let changed = home(&ELSEWHERE.replace("Far", "Farther"));
    assert_eq!(ask(&changed, &told(&in_force, &yes()), HEARS), Err(Reason::NotTold));

    let words = home(
        "processor = [{ id = \"voice-local\", independent_controller = true }]\n[category.reply_text]\nsensitivity = \"normal\"",
    );
    let says = |cell| ask(&words, &yes(), (Gate::Speech, cell)).err();
    assert_eq!(says("notice/notice_text/voice-local"), None, "or it could not even be said");
    assert_eq!(says("voice_interaction/reply_text/voice-local"), Some(Reason::NotTold));
}

#[test]
fn nothing_sensitive_goes_to_a_test_platform() {
    let trial = "[profile]\ndeployment = \"test_platform\"\n";
    assert_eq!(reason(&home(trial), &yes(), HEARS), None);
    let special = "[category.voice_audio]\nsensitivity = \"special\"\n";
    assert_eq!(reason(&home(special), &yes(), HEARS), None);
    assert_eq!(reason(&home(&format!("{trial}{special}")), &yes(), HEARS), Some(Reason::Prohibited));
    let picture = "[category.voice_audio]\ndpv = [\"pd:Picture\"]\n";
    assert_eq!(reason(&home(picture), &yes(), HEARS), None);
    assert_eq!(reason(&home(&format!("{trial}{picture}")), &yes(), HEARS), Some(Reason::Prohibited));
    let child = ConsentState { age: AgeBand::Under14, guardian_verified: true, ..yes() };
    assert_eq!(reason(&home(trial), &child, HEARS), Some(Reason::Prohibited));
    let youth = ConsentState { age: AgeBand::Under16, ..yes() };
    assert_eq!(reason(&home(trial), &youth, HEARS), None, "14 is no child any more");
    assert_eq!(reason(&home(""), &child, HEARS), None);
    let notice = (Gate::Speech, "notice/notice_text/voice-local");
    assert_eq!(reason(&home(trial), &child, notice), None, "it is about nobody");
}

#[test]
fn minors_are_protected_whoever_agreed() {
    let child = ConsentState { age: AgeBand::Under14, guardian_verified: true, ..yes() };
    let youth = ConsentState { age: AgeBand::Under16, ..child.clone() };
    let with = |rule: &str| home(&format!("[minors.overrides]\nmemory_summary = {{ {rule} = true }}"));
    assert_eq!(reason(&with("forbidden"), &child, REMEMBERS), Some(Reason::Prohibited));
    assert_eq!(reason(&with("forbidden"), &youth, REMEMBERS), None);
    assert_eq!(reason(&with("no_store"), &child, REMEMBERS), Some(Reason::Prohibited));
    let reads = (Gate::Dialogue, "memory/memory_summary/rules-local");
    let duties = |state| ask(&with("no_store"), state, reads).unwrap().obligations;
    assert_eq!(duties(&child), Obligations { no_store: true, minor: true, ..Obligations::default() });
    assert_eq!(duties(&youth), Obligations::default());
    // 14 holds also where a profile asks for no guardian, and a higher age of its own goes further
    let lax = home("[minors]\nguardian_required_below = 0");
    assert!(ask(&lax, &child, HEARS).unwrap().obligations.minor);
    let strict = home("[minors]\nspecial_regime_below = 16");
    assert!(ask(&strict, &youth, HEARS).unwrap().obligations.minor);
}

#[test]
fn the_stronger_of_profile_and_law_wins() {
    let law = |name: &str, more: &str| home(&format!("{more}\n[profile]\nlaw_floor = [\"{name}\"]"));
    let youth = ConsentState { age: AgeBand::Under16, ..yes() };
    assert_eq!(reason(&law("cn-pipl@2021", ""), &youth, HEARS), None);
    assert_eq!(reason(&law("gdpr@2016-679", ""), &youth, HEARS), Some(Reason::MinorNoGuardian));

    let other = "processor = [{ id = \"whisper-local\", independent_controller = true }]";
    let trains = "processor = [{ id = \"whisper-local\", trains_on_data = true }]";
    let special = "category.voice_audio.sensitivity = \"special\"";
    let publish = "purpose = [{ id = \"voice_interaction\", processing = [\"Publish\"] }]";
    let share = "purpose = [{ id = \"voice_interaction\", processing = [\"Share\"] }]";
    let train = "purpose = [{ id = \"voice_interaction\", processing = [\"Train\"] }]";
    let overseas = "transfers.overseas = true\nprocessor = [{ id = \"whisper-local\", region_class = \"overseas\", mechanism = \"standard_contract\", purposes = [\"voice_interaction\"] }]";
    let explicit = agreed(ConsentType::ExplicitlyExpressed, false);
    for (name, change) in [
        ("cn-pipl@2021", other),
        ("cn-pipl@2021", share),
        ("cn-pipl@2021", special),
        ("cn-pipl@2021", publish),
        ("cn-pipl@2021", overseas),
        ("cn-anthropomorphic@2026-07-15", trains),
        ("cn-anthropomorphic@2026-07-15", train),
    ] {
        assert_eq!(reason(&home(change), &yes(), HEARS), None, "{change}");
        assert_eq!(reason(&law(name, change), &yes(), HEARS), Some(Reason::NoBasis), "{change}");
        assert_eq!(reason(&law(name, change), &explicit, HEARS), Some(Reason::NoBasis), "{change}");
        assert_eq!(reason(&law(name, change), &each(), HEARS), None, "{change}");
    }
    assert_eq!(reason(&law("gdpr@2016-679", special), &explicit, HEARS), None, "apart it need not be");
}

#[test]
fn a_profile_may_ask_for_more_of_consent() {
    let purpose = home("purpose = [{ id = \"voice_interaction\", separate = true }]");
    assert_eq!(reason(&purpose, &yes(), HEARS), Some(Reason::NoBasis));
    assert_eq!(reason(&purpose, &each(), HEARS), None);
    let category = home("[category.voice_audio]\nwritten = true");
    assert_eq!(reason(&category, &each(), HEARS), Some(Reason::NoBasis));
    let mut written = each();
    written.consents.values_mut().for_each(|given| given.written = true);
    assert_eq!(reason(&category, &written, HEARS), None);

    let domestic = "[category.voice_audio.in_region.domestic]\nmin_consent_type = \"ExplicitlyExpressedConsent\"";
    for (region, asked_for) in [("local", false), ("domestic", true), ("overseas", true)] {
        let there = format!(
            "transfers.overseas = true\nprocessor = [{{ id = \"whisper-local\", region_class = \"{region}\", mechanism = \"standard_contract\", purposes = [\"voice_interaction\"] }}]\n{domestic}"
        );
        assert_eq!(reason(&home(&there), &yes(), HEARS), asked_for.then_some(Reason::NoBasis), "{region}");
        assert_eq!(reason(&home(&there), &each(), HEARS), None, "{region}");
    }
}

#[test]
fn consent_covers_what_came_in_under_it_until_it_ends() {
    let in_force = Arc::new(home(""));
    let mut state = yes();
    for given in state.consents.values_mut() {
        (given.given_at, given.expires_at) = (ConsentVersion(3), Some(NOW));
    }
    let compiled = compile(&in_force, &state);
    let before = NOW.0 - 1;
    for (cv, now, covered) in
        [(2, before, false), (3, before, true), (4, before, true), (4, NOW.0, false), (4, NOW.0 + 1, false)]
    {
        let label = Label { cv: ConsentVersion(cv), ..question(HEARS).label };
        let question = Question { label, now: WallTime(now), ..question(HEARS) };
        assert_eq!(decide(&question, &state, &in_force).is_permit(), covered, "version {cv}, at {now}");
        assert_eq!(compiled.permits(&question), covered, "version {cv}, at {now}");
    }
}

#[test]
fn data_stands_where_the_profile_lets_it() {
    let overseas = |allowed: bool, mechanism: &str| {
        home(&format!(
            "transfers.overseas = {allowed}\nprocessor = [{{ id = \"whisper-local\", region_class = \"overseas\", mechanism = \"{mechanism}\", purposes = [\"voice_interaction\"] }}]"
        ))
    };
    assert_eq!(reason(&overseas(true, "adequacy"), &yes(), HEARS), None);
    assert_eq!(reason(&overseas(false, "adequacy"), &yes(), HEARS), Some(Reason::Region));
    assert_eq!(reason(&overseas(true, "none"), &yes(), HEARS), Some(Reason::Region));
    let storage = |place: &str| home(&format!("transfers.storage = [\"{place}\"]"));
    assert_eq!(reason(&storage("home"), &yes(), REMEMBERS), None);
    assert_eq!(reason(&storage("CN"), &yes(), REMEMBERS), Some(Reason::Region));
    assert_eq!(reason(&storage("CN"), &yes(), HEARS), None, "it keeps nothing");
}

#[test]
fn the_registry_takes_away() {
    let asr: ProcessorId = "whisper-local".parse().unwrap();
    let tts: ProcessorId = "voice-local".parse().unwrap();
    let notice = (Gate::Speech, "notice/notice_text/voice-local");
    for (narrowed, data, words) in [
        (Narrowed::TransferLimitReached, Some(Reason::TransferLimit), None),
        (Narrowed::DueDiligenceExpired, Some(Reason::ProcessorState), Some(Reason::ProcessorState)),
        (Narrowed::Suspended, Some(Reason::ProcessorState), Some(Reason::ProcessorState)),
        (Narrowed::Terminated, Some(Reason::ProcessorState), Some(Reason::ProcessorState)),
    ] {
        let in_force = home("").with_registry(Registry::new(1, [(asr, narrowed), (tts, narrowed)]));
        assert_eq!(reason(&in_force, &yes(), HEARS), data, "{narrowed:?}");
        assert_eq!(reason(&in_force, &yes(), notice), words, "{narrowed:?}");
        assert_eq!(reason(&in_force, &yes(), REMEMBERS), None);
    }
}

#[test]
fn whoever_must_be_looked_at_is() {
    let asked = |more: &str| home(&format!("registry.due_diligence_required = true\n{more}"));
    assert_eq!(reason(&asked(""), &yes(), HEARS), None, "one's own machine");
    let other = "id = \"whisper-local\", party = \"Near Ltd\"";
    let nobody = format!("processor = [{{ {other} }}]");
    assert_eq!(reason(&home(&nobody), &yes(), HEARS), None);
    assert_eq!(reason(&asked(&nobody), &yes(), HEARS), Some(Reason::ProcessorState));
    let examined =
        format!("processor = [{{ {other}, due_diligence = {{ at = 2026-05-01, by = \"x\", valid = \"P30D\" }} }}]");
    assert_eq!(reason(&asked(&examined), &yes(), HEARS), None);
    let at_end = Question { now: WallTime(1_777_593_600_000 + 30 * DAY_MS), ..question(HEARS) };
    let before = Question { now: WallTime(at_end.now.0 - 1), ..at_end };
    let in_force = Arc::new(asked(&examined));
    let state = yes();
    let compiled = compile(&in_force, &state);
    assert_eq!(compiled.decide(&at_end).answer, Err(Reason::ProcessorState));
    assert!(!compiled.permits(&at_end) && compiled.permits(&before) && decide(&before, &state, &in_force).is_permit());
}

#[test]
fn duties_come_from_the_category_and_the_processor() {
    let duties = |changes: &str, asked| ask(&home(changes), &yes(), asked).unwrap().obligations;
    assert_eq!(duties("", HEARS), Obligations { no_store: true, zeroise_at_turn_end: true, ..Obligations::default() });
    assert_eq!(duties("", REMEMBERS), Obligations::default());
    let redact = duties("[category.memory_summary]\nredact = [\"bank_card\"]", REMEMBERS);
    assert_eq!(redact, Obligations { redact: true, ..Obligations::default() });
    for retention in [
        "trigger = \"session.end\", after = \"PT0S\", action = \"zeroise\"",
        "trigger = \"turn.end\", after = \"PT1S\", action = \"zeroise\"",
        "trigger = \"turn.end\", after = \"PT0S\", action = \"erase\"",
    ] {
        let later = format!("[category.voice_audio]\nretention = {{ {retention} }}");
        assert!(!duties(&later, HEARS).zeroise_at_turn_end, "{retention}");
    }
    let masked = "processor = [{ id = \"store-local\", fields = { memory_summary = [\"fact\"] } }]\n[category.memory_summary]\nattrs = [\"fact\", \"when\"]";
    assert_eq!(duties(masked, REMEMBERS), Obligations { only_fields: true, ..Obligations::default() });
}
