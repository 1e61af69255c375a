//! The app Chat ai: CA, seed 002.

use sayso_policy::AgeBand;
use sayso_types::{Name, Purpose};

use crate::seed::{Expected, Person, Seed};

const SEED: Seed = Seed {
    written: include_str!("../../../../deploy/profiles/chat-ai.toml"),
    lawful: include_str!("../../../../deploy/profiles/chat-ai-lawful.toml"),
};

const CLAUSES: &str = "
    CA-0.1
    CA-1.0 CA-1.1.1 CA-1.1.2 CA-1.1.3 CA-1.1.4 CA-1.2.1 CA-1.3.1 CA-1.4.1 CA-1.5.1 CA-1.6
    CA-2.1 CA-2.2 CA-2.3
    CA-3.1.1 CA-3.1.2 CA-3.1.3 CA-3.1.4 CA-3.1.5 CA-3.1.6 CA-3.1.7 CA-3.2 CA-3.3 CA-3.4
    CA-4.1 CA-4.2 CA-4.3 CA-4.4a CA-4.4b CA-4.4c CA-4.5a CA-4.5b CA-4.6
    CA-5.1 CA-5.1.1 CA-5.1.2a CA-5.1.2b CA-5.1.3 CA-5.1.4 CA-5.1.5 CA-5.2
    CA-6.1 CA-6.2
    CA-7.1 CA-7.2
    CA-8 CA-9 CA-10";

const EXPECTED: &[Expected] = &[
    ("EXEMPTION_NOT_IN_LAW", "exemption.X12 exemption.X13", "7.5 (X12, X13); clauses 1.6.5"),
    ("DEIDENT_AS_ANON", "exemption.X13.de_identified_counts", "7.5 (CA); CA-3.4, conflict C9"),
    ("CLAUSE_NUMBERING", "source.en.numbering source.en.numbering", "7.5 (CA); defect D4: 1.1.3 and 9"),
    ("DATE_INCOMPLETE", "profile.effective_at profile.published_at", "7.5 (CA); CA-10"),
    ("CTRL_MISSING", "controller.contact", "7.5 (CA); CA-8"),
    (
        "RIGHT_CHANNEL_UNREACHABLE",
        "controller.contact.email",
        "defect D4: an e-mail address is not given; CA-5.1, CA-5.2",
    ),
    (
        "NECESSITY_UNFLAGGED",
        "category.account.necessity category.cookie.necessity category.device_identifier.necessity \
         category.device_info.necessity category.software_list.necessity category.verification.necessity",
        "7.5 (CA); clauses 1.6.1, marked ?",
    ),
    (
        "RET_TOO_LONG",
        "category.account.retention category.cookie.retention category.crash_data.retention \
         category.device_identifier.retention category.device_info.retention category.external_storage.retention \
         category.feedback.retention category.network_data.retention category.profile_page.retention \
         category.real_name.retention category.software_list.retention category.verification.retention",
        "7.5 (CA 20 y); CA-4.3, conflict C6",
    ),
    ("RET_NOT_CARRIED_OUT", "retention.default.action", "CA-4.3: what ends is counted where it was remembered, only"),
    ("MIN_RETENTION_WITHOUT_LEGAL_BASIS", "retention.default.min", "7.5 (CA 6 m); CA-4.3, conflict C5"),
    (
        "VAGUE_TIME",
        "incident.regulator.within incident.subjects.within minors.erase_on_discovery retention.backup_purge \
         rights.offers.complain.within rights.offers.guardian_erase.within",
        "7.5; CA-4.5a, CA-4.5b, CA-5.1.2b, CA-5.2, CA-6.2, clauses 1.6.6",
    ),
    ("PROC_LIST_MISSING", "registry.announces", "7.5 (CA-9); defect D4"),
    ("MINOR_AGE_BELOW_LAW", "minors.special_regime_below", "7.5; conflict C10: special rules below 14 always"),
    ("MINOR_UNVERIFIED", "minors.verify_methods", "7.5 (CA); CA-6.1, clauses 1.6.9"),
    ("DEADLINE_MISSING", "rights.respond_within", "7.5 (CA); defect D7"),
    (
        "RIGHT_MISSING",
        "rights.offers.deceased_relatives rights.offers.explain rights.offers.object rights.offers.port \
         rights.offers.supplement",
        "7.5; clauses 1.6.4, defect D7",
    ),
    ("ERASURE_GROUND_MISSING", "rights.offers.erase.grounds", "clauses 1.6.4: G1, G6 law for all, G7, G10"),
    (
        "NOTICE_NOT_CARRIED_OUT",
        "incident.subjects.channels profile.url",
        "clauses 1.6.2 (who sends e-mail, calls and push messages is not named); CA-4.5; CA-7.1: where to read it at every use",
    ),
];

#[test]
fn raises_exactly_what_its_sources_name() {
    SEED.raises(EXPECTED);
}

#[test]
fn the_lawful_variant_raises_nothing() {
    SEED.variant_raises_nothing();
}

#[test]
fn people_are_shown_the_policy_whenever_they_begin() {
    let profile = SEED.lawful();
    let shown = |language| profile.shown_at_opening(Name::constant(language)).unwrap();
    assert!(shown("en").ends_with(" revision 1. Please read it: https://chat-ai.example/privacy"), "{}", shown("en"));
    assert!(shown("zh").ends_with("第 1 版。请阅读：https://chat-ai.example/privacy"), "{}", shown("zh"));
}

#[test]
fn every_clause_is_there() {
    SEED.has_clauses(CLAUSES);
    SEED.clauses_are_shown_or_say_what_they_wait_for();
}

#[test]
fn decides_as_promised() {
    let stranger = Person::adult();
    let agrees = Person::adult().yes("voice_interaction");
    let gives_name = Person::adult().yes("real_name_voluntary");
    SEED.decides(&[
        (&stranger, "notice/notice_text/voice-local", "LegalObligation", "CA-0.1: who is to agree must be told"),
        (&stranger, "voice_interaction/voice_audio/whisper-local", "no_basis", "CA-1.6"),
        (
            &Person::adult().goes_on("voice_interaction"),
            "voice_interaction/voice_audio/whisper-local",
            "no_basis",
            "CA-0.1",
        ),
        (&agrees, "voice_interaction/voice_audio/whisper-local", "Consent", "CA-0.1"),
        (&agrees, "voice_interaction/transcript/rules-local", "Consent", "CA-1.6"),
        (&agrees, "memory/transcript/rules-local", "unknown_cell", "CA-1.6"),
        (&stranger, "account/account/store-local", "ContractPerformance", "CA-1.1.1"),
        (&stranger, "account/verification/store-local", "ContractPerformance", "CA-1.1.1: the match, not the code"),
        (&stranger, "account/account/sign-in", "processor_state", "CA-1.1.3: nobody is named"),
        (&stranger, "real_name/real_name/store-local", "LegalObligation", "CA-1.1.4"),
        (&stranger, "real_name_voluntary/real_name/store-local", "no_basis", "CA-1.1.4: where no law demands it"),
        (&agrees, "real_name_voluntary/real_name/store-local", "no_basis", "CA-1.1.4"),
        (&gives_name, "real_name_voluntary/real_name/store-local", "Consent", "CA-1.1.4: voluntarily"),
        (&agrees, "account/real_name/store-local", "unknown_cell", "CA-1.1.4: for that only"),
        (&stranger, "website/cookie/store-local", "ContractPerformance", "CA-2.1"),
        (&agrees, "feedback/cookie/store-local", "unknown_cell", "CA-2.2"),
        (&agrees.clone().asked_a_revision_ago(), "voice_interaction/voice_audio/whisper-local", "no_basis", "CA-7.2"),
    ]);
}

#[test]
fn refusing_a_function_costs_that_function_only() {
    let talks_only = Person::adult().yes("voice_interaction");
    let saves = talks_only.clone().yes("download");
    SEED.decides(&[
        (&talks_only, "download/external_storage/store-local", "no_basis", "CA-1.5.1"),
        (&talks_only, "profile_page/profile_page/store-local", "no_basis", "CA-1.1.2"),
        (&talks_only, "feedback/feedback/store-local", "no_basis", "CA-1.2.1"),
        (&talks_only, "voice_interaction/voice_audio/whisper-local", "Consent", "CA-1.5.1, C13"),
        (&talks_only, "account/account/store-local", "ContractPerformance", "CA-1.5.1, C13"),
        (&saves, "download/external_storage/store-local", "Consent", "CA-1.5.1"),
        (&saves, "feedback/feedback/store-local", "no_basis", "CA-1.2.1"),
    ]);
}

#[test]
fn a_permission_that_is_taken_away_ends_what_needs_it_only() {
    let profile = SEED.lawful();
    let needing = |capability: &str| profile.purposes_needing(capability.parse().unwrap());
    assert_eq!(needing("storage"), ["download".parse::<Purpose>().unwrap()]);
    assert_eq!(needing("microphone"), [Purpose::VOICE_INTERACTION]);
    assert_eq!(needing("camera"), []);
}

#[test]
fn identifiers_of_a_device_serve_the_functions_that_list_them() {
    let everything =
        Person::adult().yes("voice_interaction feedback network_diagnosis crash_report download profile_page");
    SEED.decides(&[
        (&everything, "crash_report/device_identifier/store-local", "Consent", "CA-1.4.1"),
        (&everything, "network_diagnosis/device_identifier/store-local", "Consent", "CA-1.3.1"),
        (&Person::adult(), "network_diagnosis/network_data/store-local", "no_basis", "CA-1.3.1: while one runs"),
        (&everything, "feedback/device_identifier/store-local", "unknown_cell", "CA-1.2.1"),
        (&everything, "website/device_identifier/store-local", "unknown_cell", "CA-2.2"),
        (&everything, "crash_report/software_list/store-local", "unknown_cell", "CA-1.4.1"),
        (&everything, "crash_report/transcript/rules-local", "unknown_cell", "CA-1.4.1: no words in it"),
        (&everything, "crash_report/crash_data/sdks", "processor_state", "CA-9: nobody is named"),
    ]);
}

#[test]
fn nothing_is_shared_without_a_ground() {
    let willing = Person::adult().yes_to_each("share publish voice_interaction crash_report");
    SEED.decides(&[
        (&willing, "share/account/store-local", "unknown_cell", "CA-3.1.1: no receiver is named"),
        (&willing, "publish/profile_page/store-local", "unknown_cell", "CA-3.3"),
        (&willing, "crash_report/crash_data/sdks", "processor_state", "CA-3.1.6"),
        (&willing, "voice_interaction/transcript/sdks", "processor_state", "CA-3.1.6: no other use"),
    ]);
}

#[test]
fn nothing_leaves_the_country() {
    let abroad = r#"processor = [
  { id = "abroad", kind = "tool", party = "A company", contact = "privacy@example.com", privacy_url = "https://example.com/privacy", region = "US", region_class = "overseas", mechanism = "security_assessment", accepts = ["cookie"], purposes = ["website"], state = "active", contract = "2026-8", trains_on_data = false, declared_retention = "PT0S" },
]

remove = ["#;
    let findings = SEED.changed("remove = [", abroad).lint();
    let found: Vec<_> = findings.iter().map(|f| (f.rule.id(), f.place.key.as_str())).collect();
    assert!(found.contains(&("XBORDER_CONTRADICTS_LOCATION", "processor.abroad.region_class")), "{found:?}");
}

#[test]
fn minors_need_a_guardian() {
    let youth = Person::aged(AgeBand::Under18).yes("voice_interaction feedback");
    SEED.decides(&[
        (&youth, "notice/notice_text/voice-local", "LegalObligation", "CA-6.1"),
        (&youth, "voice_interaction/voice_audio/whisper-local", "minor_no_guardian", "CA-6.1"),
        (&youth, "feedback/feedback/store-local", "minor_no_guardian", "CA-6.1"),
        (&youth.clone().with_guardian(), "voice_interaction/voice_audio/whisper-local", "Consent", "CA-6.1"),
    ]);
}
