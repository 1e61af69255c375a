//! The XiaoZhi backend service: XZ, seed 000.

use sayso_policy::profile::Draft;
use sayso_policy::{AgeBand, Redaction};
use sayso_types::{Category, RegionClass};

use crate::seed::{Expected, Person, Seed, assert_decisions};

const SEED: Seed = Seed {
    written: include_str!("../../../../deploy/profiles/xiaozhi.toml"),
    lawful: include_str!("../../../../deploy/profiles/xiaozhi-lawful.toml"),
};

const CLAUSES: &str = "
    XZ-0.1 XZ-0.2 XZ-0.3
    XZ-1.1 XZ-1.2 XZ-1.3 XZ-1.4 XZ-1.5 XZ-1.6 XZ-1.7 XZ-1.8 XZ-1.9 XZ-1.10 XZ-1.11 XZ-1.12 XZ-1.13 XZ-1.14
    XZ-2.1 XZ-2.2
    XZ-3.0 XZ-3.1 XZ-3.2 XZ-3.3 XZ-3.4
    XZ-4.1 XZ-4.2 XZ-4.3 XZ-4.4 XZ-4.5 XZ-4.6a XZ-4.6b XZ-4.6c XZ-4.6d
    XZ-5.1 XZ-5.2 XZ-5.3 XZ-5.4 XZ-5.5
    XZ-6.1 XZ-6.2 XZ-6.3 XZ-6.4
    XZ-7.1 XZ-7.2 XZ-7.3
    XZ-8.1 XZ-8.2
    XZ-9.1 XZ-9.2 XZ-9.3
    XZ-10.1 XZ-10.2 XZ-10.3
    XZ-11.1 XZ-11.2";

const EXPECTED: &[Expected] = &[
    (
        "PIA_MISSING",
        "purpose.knowledge.impact_assessment purpose.memory.impact_assessment \
         purpose.speaker_identity.impact_assessment purpose.voice_interaction.impact_assessment",
        "XZ-1.8, XZ-4.6a (sent overseas, a voice that leads to its person); cn-pipl:55: no assessment is on record",
    ),
    (
        "XBORDER_NO_MECHANISM",
        "processor.anthropic-llm.mechanism processor.edge-tts.mechanism processor.groq-asr.mechanism \
         processor.openai-asr.mechanism processor.openai-llm.mechanism processor.openai-tts.mechanism",
        "7.5 (XZ); XZ-4.6a, XZ-4.6b",
    ),
    (
        "PROC_PARTICULARS_MISSING",
        "processor.anthropic-llm.contact processor.anthropic-llm.declared_retention processor.anthropic-llm.privacy_url \
         processor.anthropic-llm.trains_on_data processor.edge-tts.contact processor.edge-tts.declared_retention \
         processor.edge-tts.privacy_url processor.edge-tts.trains_on_data processor.groq-asr.contact \
         processor.groq-asr.declared_retention processor.groq-asr.privacy_url processor.groq-asr.trains_on_data \
         processor.openai-asr.contact processor.openai-asr.declared_retention processor.openai-asr.privacy_url \
         processor.openai-asr.trains_on_data processor.openai-llm.contact processor.openai-llm.declared_retention \
         processor.openai-llm.privacy_url processor.openai-llm.trains_on_data processor.openai-tts.contact \
         processor.openai-tts.declared_retention processor.openai-tts.privacy_url processor.openai-tts.trains_on_data",
        "XZ-3.1 (L: a missing field is an error), XZ-4.6c",
    ),
    (
        "DUE_DILIGENCE_MISSING",
        "processor.anthropic-llm.due_diligence processor.edge-tts.due_diligence processor.groq-asr.due_diligence \
         processor.openai-asr.due_diligence processor.openai-llm.due_diligence processor.openai-tts.due_diligence",
        "XZ-7.3",
    ),
    (
        "PROC_UNREGISTERED_IN_USE",
        "registry.uses.embedding registry.uses.tool registry.uses.voiceprint",
        "7.5 (XZ: voiceprint, memory, tools); defect D2",
    ),
    ("CLAUSE_NUMBERING", "source.en.numbering", "7.5 (XZ); defect D1"),
    (
        "BASIS_IMPLIED_FOR_SENSITIVE",
        "asks.consent_type category.chat_history.min_consent_type category.conversation_audio.min_consent_type \
         category.image.min_consent_type category.knowledge_base.min_consent_type \
         category.memory_summary.min_consent_type category.reply_text.min_consent_type \
         category.transcript.min_consent_type category.voice_audio.min_consent_type category.voiceprint.min_consent_type",
        "7.5 (XZ); XZ-0.2, conflict C1",
    ),
    (
        "CONSENT_BELOW_LAW",
        "category.knowledge_base.in_region.overseas.min_consent_type category.knowledge_base.min_consent_type \
         category.memory_summary.in_region.overseas.min_consent_type category.memory_summary.min_consent_type \
         category.reply_text.in_region.overseas.min_consent_type category.reply_text.min_consent_type \
         category.transcript.in_region.overseas.min_consent_type category.transcript.min_consent_type \
         category.voice_audio.in_region.overseas.min_consent_type category.voice_audio.min_consent_type \
         category.voiceprint.min_consent_type",
        "conflict C1: the law floor wins; cn-pipl:23, 29, 39",
    ),
    (
        "SEPARATE_MISSING",
        "category.knowledge_base.in_region.overseas.separate category.knowledge_base.separate \
         category.memory_summary.in_region.overseas.separate category.memory_summary.separate \
         category.reply_text.in_region.overseas.separate category.reply_text.separate \
         category.transcript.in_region.overseas.separate category.transcript.separate \
         category.voice_audio.in_region.overseas.separate category.voice_audio.separate category.voiceprint.separate",
        "7.5 (voiceprint, export); conflict C1 (share)",
    ),
    (
        "NECESSITY_UNFLAGGED",
        "category.account.necessity category.agent_config.necessity category.chat_history.necessity \
         category.console_cookie.necessity category.device_info.necessity category.log_info.necessity",
        "7.5 (XZ); clauses 1.6.1, marked ?",
    ),
    (
        "RET_MISSING",
        "category.account.retention category.agent_config.retention category.chat_history.retention \
         category.console_cookie.retention category.conversation_audio.retention category.device_info.retention \
         category.firmware_data.retention category.image.retention category.knowledge_base.retention \
         category.log_info.retention category.memory_summary.retention category.reply_text.retention \
         category.transcript.retention category.verification.retention category.voice_audio.retention \
         category.voiceprint.retention",
        "7.5 (XZ all); clauses 1.6.3, defect D8",
    ),
    (
        "VAGUE_TIME",
        "incident.subjects.within minors.erase_on_discovery notify.material_change.within retention.default.after \
         retention.test_platform_max rights.offers.cancel.within rights.offers.guardian_erase.within",
        "7.5; XZ-4.2, XZ-4.4, XZ-4.5, XZ-5.4, XZ-6.2, XZ-9.2, clauses 1.6.6",
    ),
    ("DEADLINE_MISSING", "rights.respond_within", "7.5 (XZ); defect D7"),
    (
        "RIGHT_MISSING",
        "rights.offers.complain rights.offers.copy rights.offers.deceased_relatives rights.offers.explain \
         rights.offers.object rights.offers.port rights.offers.restrict rights.offers.supplement",
        "7.5; clauses 1.6.4, defect D7",
    ),
    ("ERASURE_GROUND_MISSING", "rights.offers.erase.grounds", "clauses 1.6.4: G6 law for all, G7, G10"),
    ("MINOR_UNVERIFIED", "minors.verify_methods", "7.5 (XZ); XZ-6.1, clauses 1.6.9"),
    ("REVISION_SILENT_ACCEPT", "revision.material", "7.5 (XZ); XZ-9.3, conflict C2"),
    ("INCIDENT_UNTOLD", "incident.regulator", "clauses 1.6.6: the regulator, by law"),
    ("REGION_UNKNOWN", "processor.edge-tts.region", "XZ-4.6a, XZ-4.6c: of EdgeTTS nobody is told where it stands"),
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
fn every_clause_is_there() {
    SEED.has_clauses(CLAUSES);
    SEED.clauses_are_shown_or_say_what_they_wait_for();
}

#[test]
fn decides_as_promised() {
    let stranger = Person::adult();
    let talks = Person::adult().yes("voice_interaction");
    let everything =
        Person::adult().yes_to_each("voice_interaction vision memory knowledge history improve_voice share");
    SEED.decides(&[
        (&stranger, "notice/notice_text/voice-local", "LegalObligation", "XZ-0.2: who is to agree must be told"),
        (&stranger, "consent_answer/voice_audio/whisper-local", "EnterIntoContract", "XZ-0.2"),
        (&stranger, "voice_interaction/voice_audio/whisper-local", "no_basis", "XZ-1.4, C1"),
        (&talks, "voice_interaction/voice_audio/whisper-local", "Consent", "XZ-1.4"),
        (&talks, "voice_interaction/transcript/rules-local", "Consent", "XZ-1.4"),
        (&talks, "voice_interaction/reply_text/voice-local", "Consent", "XZ-2.1(2)"),
        // each function by itself: nothing is on because the conversation is
        (&talks, "memory/memory_summary/store-local", "no_basis", "XZ-1.6: off until switched on"),
        (&everything, "memory/memory_summary/store-local", "Consent", "XZ-1.6"),
        (&talks, "knowledge/knowledge_base/knowledge-search", "no_basis", "XZ-1.7"),
        (&everything, "knowledge/knowledge_base/knowledge-search", "Consent", "XZ-1.7"),
        (&talks, "history/chat_history/store-local", "no_basis", "XZ-1.9"),
        (&everything, "history/chat_history/store-local", "Consent", "XZ-1.9"),
        (&talks, "improve_voice/conversation_audio/store-local", "no_basis", "XZ-1.10: to hear is not to keep"),
        (&everything, "improve_voice/conversation_audio/store-local", "Consent", "XZ-1.10"),
        (&everything, "voice_interaction/voice_audio/store-local", "prohibited", "XZ-1.10: speech as it is spoken"),
        (&everything, "vision/image/vision", "processor_state", "XZ-1.5, XZ-7.2: nobody is announced yet"),
        // what is no conversation
        (&stranger, "provide_service/account/store-local", "ContractPerformance", "XZ-1.1, XZ-4.1"),
        (&stranger, "device_update/firmware_data/store-local", "ContractPerformance", "XZ-1.12"),
        (&stranger, "security/log_info/store-local", "LegalObligation", "XZ-1.13"),
        (&everything, "security/transcript/store-local", "prohibited", "XZ-1.13: logs hold no words"),
        (&everything, "improve_voice/account/sms", "unknown_cell", "XZ-1.14: the number is for codes only"),
        // what the policy does not say
        (&everything, "improve_voice/memory_summary/store-local", "unknown_cell", "XZ-2.1"),
        (&everything, "training/transcript/rules-local", "unknown_cell", "XZ-2.2"),
        (&everything, "share/transcript/rules-local", "unknown_cell", "XZ-3.4: no receiver is named"),
        (
            &talks.clone().asked_a_revision_ago(),
            "voice_interaction/voice_audio/whisper-local",
            "no_basis",
            "XZ-9.3, C2",
        ),
    ]);
}

#[test]
fn implied_consent_opens_nothing_that_a_person_said_or_showed() {
    let purposes = "voice_interaction vision memory knowledge speaker_identity history improve_voice share";
    let goes_on = Person::adult().goes_on(purposes);
    let yes = Person::adult().yes(purposes);
    let each = Person::adult().yes_to_each(purposes);
    let voiceprint = "speaker_identity/voiceprint/voiceprint";
    SEED.decides(&[
        (&goes_on, voiceprint, "no_basis", "XZ-0.2"),
        (&yes, voiceprint, "no_basis", "XZ-1.8: asked apart and by its name"),
        (&each, voiceprint, "Consent", "XZ-1.8"),
        (
            &each,
            "speaker_identity/voice_audio/voiceprint",
            "unknown_cell",
            "XZ-1.8: speech of a conversation is not it",
        ),
        (&goes_on, "voice_interaction/voice_audio/whisper-local", "no_basis", "XZ-0.2"),
        (&goes_on, "voice_interaction/transcript/rules-local", "no_basis", "XZ-0.2"),
        (&goes_on, "memory/memory_summary/store-local", "no_basis", "XZ-0.2"),
        (&goes_on, "history/chat_history/store-local", "no_basis", "XZ-0.2"),
        (&goes_on, "improve_voice/conversation_audio/store-local", "no_basis", "XZ-0.2"),
        (&goes_on, "provide_service/account/store-local", "ContractPerformance", "XZ-0.2: what it may open"),
    ]);
}

#[test]
fn what_a_contract_needs_ends_with_the_account() {
    let closed = Person::adult().closed();
    SEED.decides(&[
        (&Person::adult(), "device_update/firmware_data/store-local", "ContractPerformance", "XZ-1.12"),
        (&closed, "device_update/firmware_data/store-local", "account_closed", "XZ-5.4"),
        (&closed, "provide_service/account/store-local", "account_closed", "XZ-5.4"),
        (&closed, "security/log_info/store-local", "LegalObligation", "XZ-4.2: unless a law says otherwise"),
    ]);
}

#[test]
fn minors_need_a_guardian() {
    let child = Person::aged(AgeBand::Under16).yes("voice_interaction");
    let accompanied = child.clone().with_guardian();
    let hears = "voice_interaction/voice_audio/whisper-local";
    SEED.decides(&[
        (&child, "notice/notice_text/voice-local", "LegalObligation", "XZ-6.1: a device may greet"),
        (&child, "consent_answer/voice_audio/whisper-local", "minor_no_guardian", "XZ-6.1"),
        (&child, hears, "minor_no_guardian", "XZ-6.1"),
        (&child, "provide_service/account/store-local", "minor_no_guardian", "XZ-6.1"),
        (&Person::aged(AgeBand::Under18).yes("voice_interaction"), hears, "minor_no_guardian", "XZ-6.1"),
        (&accompanied, hears, "Consent", "XZ-6.1"),
    ]);
}

#[test]
fn a_test_platform_is_cleared_and_takes_nothing_special() {
    let on_trial = "[profile]\nid = \"xiaozhi-trial\"\ndeployment = \"test_platform\"\n";
    let trial = SEED.changed("[profile]\nid = \"xiaozhi-lawful\"\n", on_trial);
    let found = trial.lint().into_iter().filter(|finding| finding.waived.is_none());
    let found: Vec<_> = found.map(|f| (f.rule.id(), f.place.key)).collect();
    let barred = ["category.image", "category.voiceprint"].map(|key| ("TEST_PLATFORM_SENSITIVE", key.to_owned()));
    assert_eq!(found, barred);
    assert!(trial.document().retention.test_platform_max.as_ref().is_some_and(|max| max.period().is_some()));
}

#[test]
fn nothing_goes_overseas_without_a_legal_means() {
    let willing = Person::adult().yes_to_each("voice_interaction");
    SEED.decides(&[
        (&willing, "voice_interaction/voice_audio/openai-asr", "processor_state", "XZ-4.6b"),
        (&willing, "voice_interaction/voice_audio/groq-asr", "processor_state", "XZ-4.6b"),
        (&willing, "voice_interaction/transcript/anthropic-llm", "processor_state", "XZ-4.6b"),
        (&willing, "voice_interaction/reply_text/edge-tts", "processor_state", "XZ-4.6b"),
    ]);
    // nor can it be made to by switching one on
    let on = r#"{ id = "groq-asr", mechanism = "none", state = "active""#;
    let draft = SEED.changed(r#"{ id = "groq-asr", mechanism = "none", state = "draft""#, on);
    assert!(draft.lint().iter().any(|f| f.rule.id() == "XBORDER_NO_MECHANISM"));
}

#[test]
fn nothing_goes_where_nobody_vouches_for_it() {
    let willing = Person::adult().yes_to_each("voice_interaction vision memory");
    SEED.decides(&[
        (&willing, "voice_interaction/transcript/zhipu-llm", "processor_state", "XZ-7.3"),
        (&willing, "voice_interaction/voice_audio/iflytek-asr", "processor_state", "XZ-7.3"),
        (&willing, "vision/image/vision", "processor_state", "XZ-7.1"),
        (&willing, "voice_interaction/transcript/somebody-else", "processor_state", "XZ-3.1"),
        (&willing, "voice_interaction/transcript/whisper-local", "processor_state", "XZ-3.1: not what it is for"),
    ]);
}

#[test]
fn whoever_refuses_overseas_is_served_nearer_or_not_at_all() {
    let at_home = Person::adult().yes("voice_interaction").no_further_than(RegionClass::Local);
    let domestic = r#"{ id = "iflytek-asr", state = "active", contact = "privacy@example.cn", privacy_url = "https://example.cn/privacy", contract = "2026-01", independent_controller = false, trains_on_data = false, declared_retention = "PT0S", deletion_api = true, due_diligence = { at = 2026-05-01, by = "privacy officer", valid = "P1Y" } },"#;
    let profile = SEED.changed("processor = [\n", &format!("processor = [\n  {domestic}\n")).accept().unwrap();
    let in_the_country = at_home.clone().no_further_than(RegionClass::Domestic);
    assert_decisions(
        &profile,
        &[
            (&at_home, "voice_interaction/voice_audio/whisper-local", "Consent", "XZ-4.6d"),
            (&at_home, "voice_interaction/voice_audio/iflytek-asr", "region", "XZ-4.6d"),
            (&in_the_country, "voice_interaction/voice_audio/iflytek-asr", "Consent", "XZ-4.6d"),
            (&in_the_country, "voice_interaction/voice_audio/groq-asr", "processor_state", "XZ-4.6d"),
        ],
    );
}

/// An operator who adds marketing to the profile still cannot use it on children.
#[test]
fn data_is_not_sold_and_children_get_no_advertising() {
    let purposes = r#"purpose = [
  { id = "campaigns", dpv = "Marketing", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, src = ["XZ-6.4"] },
  { id = "targeting", dpv = "TargetedAdvertising", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, src = ["XZ-6.4"] },
  { id = "portraits", dpv = "ServicePersonalisation", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, processing = ["Profiling"], impact_assessment = { reference = "PIA portraits", at = 2026-02-02 }, src = ["XZ-6.4"] },
  { id = "sales", dpv = "SellDataToThirdParties", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, src = ["XZ-3.0"] },
"#;
    let phone = r#"
[category.address_book]
dpv = ["pd:TelephoneNumber"]
title = { en = "Telephone number", zh = "手机号" }
attrs = ["phone"]
sensitivity = "normal"
provenance = "Provided"
purposes = ["campaigns", "targeting", "portraits", "sales"]
necessity = "Optional"
at_rest = "allowed"
retention = { trigger = "withdraw", after = "PT0S", action = "erase", max = "P1Y" }
src = ["XZ-6.4"]
"#;
    let end = "# The notices say what this file does";
    let text = SEED.lawful.replacen("purpose = [\n", purposes, 1).replacen(end, &format!("{phone}\n{end}"), 1);
    let text = text.replacen("processor = [\n", "processor = [\n  { id = \"mailer\", kind = \"sms\", party = \"operator\", region = \"the operator's servers\", region_class = \"local\", accepts = [\"address_book\"], purposes = [\"campaigns\", \"targeting\", \"portraits\", \"sales\"], state = \"active\", trains_on_data = false, declared_retention = \"PT0S\", src = [\"XZ-6.4\"] },\n", 1);
    let waiver = "\n[[lint.waive]]\nrule = \"PROHIBITION_CONTRADICTED\"\nwhy = \"to see that it holds all the same\"\n";
    let profile = Draft::parse(&(text + waiver), Some(SEED.written)).unwrap().accept().unwrap();
    let all = "campaigns targeting portraits sales";
    let child = Person::aged(AgeBand::Under14).with_guardian().yes_to_each(all);
    let youth = Person::aged(AgeBand::Under16).with_guardian().yes_to_each(all);
    assert_decisions(
        &profile,
        &[
            (&child, "campaigns/address_book/mailer", "prohibited", "XZ-6.4"),
            (&child, "targeting/address_book/mailer", "prohibited", "XZ-6.4"),
            (&child, "portraits/address_book/mailer", "prohibited", "XZ-6.4"),
            (&youth, "campaigns/address_book/mailer", "Consent", "XZ-6.4 ends at 14"),
            (&Person::adult().yes_to_each(all), "sales/address_book/mailer", "prohibited", "XZ-3.0"),
        ],
    );
}

/// XZ-10.1: whoever has agreed for the first time is warned, and what has a form by which it can be known is taken out.
#[test]
fn people_are_warned_of_numbers_and_what_has_a_form_is_taken_out() {
    let profile = Draft::parse(SEED.lawful, Some(SEED.written)).unwrap().accept().unwrap();
    for (language, words) in [("en", ["passwords", "bank card", "identity"]), ("zh", ["密码", "银行卡", "身份证"])]
    {
        let thanks = &profile.notice(language.parse().unwrap()).thanks;
        assert!(words.iter().all(|word| thanks.contains(word)), "{thanks}");
    }
    for category in [Category::TRANSCRIPT, Category::MEMORY_SUMMARY] {
        let taken_out = profile.document().redactions(category);
        assert!([Redaction::BankCard, Redaction::CnId].iter().all(|what| taken_out.contains(what)), "{category}");
    }
}
