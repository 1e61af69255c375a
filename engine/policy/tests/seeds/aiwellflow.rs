//! The AiWellFlow agent platform: AW, seed 001.

use sayso_policy::AgeBand;

use crate::seed::{Expected, Person, Seed, assert_decisions};

const SEED: Seed = Seed {
    written: include_str!("../../../../deploy/profiles/aiwellflow.toml"),
    lawful: include_str!("../../../../deploy/profiles/aiwellflow-lawful.toml"),
};

const CLAUSES: &str = "
    AW-0.1 AW-0.2
    AW-1.1 AW-1.2.1 AW-1.2.2 AW-1.2.3 AW-1.2.4 AW-1.2.5 AW-1.2.6a AW-1.2.6b AW-1.2.7a AW-1.2.7b AW-1.3 AW-1.4
    AW-1.5.1 AW-1.5.2 AW-1.5.3 AW-1.5.4a AW-1.5.4b AW-1.5.4c AW-1.5.5
    AW-2
    AW-3.1 AW-3.2
    AW-4.1 AW-4.2a AW-4.2b AW-4.2c AW-4.3 AW-4.4
    AW-5.1 AW-5.2 AW-5.3 AW-5.4
    AW-6.0 AW-6.1 AW-6.2 AW-6.3
    AW-7
    AW-8.1 AW-8.2
    AW-9";

const EXPECTED: &[Expected] = &[
    (
        "LANG_DIVERGENCE",
        "clause.AW-0.2.languages clause.AW-1.2.2.languages clause.AW-1.2.7a.languages clause.AW-1.2.7b.languages \
         clause.AW-1.5.4b.languages clause.AW-1.5.4c.languages clause.AW-3.1.languages clause.AW-3.2.languages \
         clause.AW-4.1.languages clause.AW-4.2a.languages clause.AW-4.2c.languages clause.AW-4.4.languages \
         clause.AW-5.2.languages clause.AW-5.3.languages clause.AW-5.4.languages clause.AW-6.0.languages \
         clause.AW-6.1.languages clause.AW-7.languages clause.AW-8.1.languages clause.AW-8.2.languages",
        "7.5 (AW); conflict C14, clauses 1.2: the English text is shorter",
    ),
    ("EXEMPTION_NOT_IN_LAW", "exemption.X09", "7.5 (X09); clauses 1.6.5"),
    (
        "EXEMPTION_OPENS_CONTENT",
        "exemption.X09.categories",
        "clauses 1.6.5: X09 has a list of fields, none of them content; AW-1.2.1",
    ),
    (
        "CLAUSE_NUMBERING",
        "source.en.numbering source.en.numbering source.en.numbering source.en.numbering source.en.numbering \
         source.en.numbering source.zh.numbering source.zh.numbering source.zh.numbering source.zh.numbering \
         source.zh.numbering source.zh.numbering",
        "7.5 (AW); defect D3",
    ),
    ("DATE_INCOMPLETE", "profile.effective_at", "seed 001 bears no date; cn-pipl:17"),
    (
        "BASIS_IMPLIED_FOR_SENSITIVE",
        "asks.consent_type category.developer_data.min_consent_type category.reply_text.min_consent_type \
         category.transcript.min_consent_type category.voice_audio.min_consent_type",
        "7.5 (AW); AW-0.1, conflict C1",
    ),
    (
        "NECESSITY_UNFLAGGED",
        "category.account.necessity category.agent_config.necessity category.contact_phone.necessity \
         category.cookie.necessity category.partner_data.necessity category.support_record.necessity",
        "7.5 (AW); clauses 1.6.1, marked ?",
    ),
    (
        "RET_MISSING",
        "category.account.retention category.agent_config.retention category.browsing_history.retention \
         category.contact_phone.retention category.cookie.retention category.developer_data.retention \
         category.device_info.retention category.partner_data.retention category.reply_text.retention \
         category.security_telemetry.retention category.support_record.retention category.transcript.retention \
         category.usage_log.retention category.voice_audio.retention",
        "7.5 (AW); clauses 1.6.3, defect D8",
    ),
    ("CATEGORY_UNDEFINED", "category.security_telemetry.attrs", "AW-1.2.1 (L: an open list of fields is an error)"),
    (
        "VAGUE_TIME",
        "minors.erase_on_discovery notify.revision.within retention.default.after rights.offers.guardian_erase.within",
        "7.5; AW-3.2, AW-7, AW-8.2, clauses 1.6.6",
    ),
    ("MINOR_AGE_BELOW_LAW", "minors.special_regime_below", "7.5; conflict C10: special rules below 14 always"),
    (
        "RIGHT_MISSING",
        "rights.offers.deceased_relatives rights.offers.explain rights.offers.object rights.offers.restrict",
        "7.5; clauses 1.6.4",
    ),
    ("DEADLINE_MISSING", "rights.respond_within", "7.5 (AW); defect D7"),
    (
        "BASIS_NOT_IN_LAW",
        "purpose.security.basis",
        "AW-1.2.1: an interest of the platform; cn-pipl:13 has no such ground",
    ),
    ("INCIDENT_UNTOLD", "incident.regulator incident.subjects", "clauses 1.6.6, 1.6.7: a plan, and nobody told"),
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
    let talks = Person::adult().yes_to_each("voice_interaction");
    let everything =
        Person::adult().yes_to_each("voice_interaction diagnostics survey marketing from_partners transfer publish");
    SEED.decides(&[
        (&stranger, "notice/notice_text/voice-local", "LegalObligation", "AW-0.1: who is to agree must be told"),
        (&stranger, "consent_answer/voice_audio/whisper-local", "EnterIntoContract", "AW-1.5.4a"),
        (&stranger, "voice_interaction/voice_audio/whisper-local", "no_basis", "AW-1.5.4a"),
        (&talks, "voice_interaction/voice_audio/whisper-local", "Consent", "AW-1.5.1"),
        (&talks, "voice_interaction/transcript/rules-local", "Consent", "AW-1.5.1"),
        (&stranger, "operate/account/store-local", "ContractPerformance", "AW-1.1"),
        (&stranger, "security/device_info/store-local", "LegalObligation", "AW-1.2.2"),
        (&stranger, "security/browsing_history/store-local", "LegalObligation", "AW-1.2.2, Chinese text"),
        (&stranger, "agent_building/agent_config/store-local", "ContractPerformance", "AW-1.2.4"),
        (&stranger, "support/support_record/store-local", "ContractPerformance", "AW-1.2.5"),
        (&talks, "from_partners/partner_data/store-local", "no_basis", "AW-1.3"),
        (&everything, "from_partners/partner_data/store-local", "Consent", "AW-1.3"),
        // one purpose does not lead to another
        (&everything, "marketing/cookie/store-local", "unknown_cell", "AW-2"),
        (&everything, "diagnostics/device_info/store-local", "unknown_cell", "AW-1.2.7b"),
        (&everything, "advertising/account/store-local", "unknown_cell", "AW-1.4"),
        (&everything, "transfer/account/store-local", "unknown_cell", "AW-4.2b: no receiver is named"),
        (&everything, "publish/account/store-local", "unknown_cell", "AW-4.3"),
        (&talks.clone().asked_a_revision_ago(), "voice_interaction/voice_audio/whisper-local", "no_basis", "AW-8.1"),
    ]);
}

#[test]
fn refusing_what_is_optional_closes_nothing_else() {
    let talks_only = Person::adult().yes_to_each("voice_interaction");
    SEED.decides(&[
        (&talks_only, "diagnostics/usage_log/store-local", "no_basis", "AW-1.2.3: may, so may not"),
        (&talks_only.clone().yes("diagnostics"), "diagnostics/usage_log/store-local", "Consent", "AW-1.2.3"),
        (&talks_only, "voice_interaction/voice_audio/whisper-local", "Consent", "AW-0.1, C13"),
        (&talks_only, "operate/account/store-local", "ContractPerformance", "AW-0.1, C13"),
        (&Person::adult().goes_on("diagnostics"), "diagnostics/usage_log/store-local", "no_basis", "AW-0.1, C1"),
    ]);
}

#[test]
fn what_belongs_to_a_developers_users_serves_them_only() {
    let all = "voice_interaction diagnostics survey marketing from_partners transfer publish";
    let together = Person::adult().yes(all);
    let apart = Person::adult().yes_to_each(all);
    SEED.decides(&[
        (&Person::adult().goes_on(all), "voice_interaction/voice_audio/whisper-local", "no_basis", "AW-1.5.4a"),
        (&together, "voice_interaction/voice_audio/whisper-local", "no_basis", "AW-1.5.4a: asked apart"),
        (&together, "voice_interaction/developer_data/store-local", "no_basis", "AW-1.5.4a"),
        (&apart, "voice_interaction/developer_data/store-local", "Consent", "AW-1.5.2: as the developer instructs"),
        (&apart, "diagnostics/transcript/rules-local", "unknown_cell", "AW-1.5.2"),
        (&apart, "research/transcript/rules-local", "unknown_cell", "AW-1.5.2"),
        (&apart, "security/developer_data/store-local", "unknown_cell", "AW-1.5.2"),
    ]);
    // nor by an operator who lets a purpose train models
    let trains = r#"purpose = [
  { id = "voice_interaction", processing = ["Train"] },"#;
    let profile = SEED.changed("purpose = [", trains).accept().unwrap();
    assert_decisions(&profile, &[(&apart, "voice_interaction/voice_audio/whisper-local", "prohibited", "AW-1.5.2")]);
}

#[test]
fn before_a_developer_answers_for_its_data_nothing_of_its_users_moves() {
    let talks = Person::adult().yes_to_each("voice_interaction");
    let unattested = talks.clone().of_an_unattested_tenant();
    SEED.decides(&[
        (&unattested, "voice_interaction/voice_audio/whisper-local", "not_instructed", "AW-1.5.4a"),
        (&unattested, "voice_interaction/developer_data/store-local", "not_instructed", "AW-1.5.3"),
        (&unattested, "consent_answer/voice_audio/whisper-local", "not_instructed", "AW-1.5.4a: closed"),
        // what is told them, and what is the developer's own, is not the developer's to answer for
        (&unattested, "notice/notice_text/voice-local", "LegalObligation", "AW-0.1"),
        (&unattested, "operate/account/store-local", "ContractPerformance", "AW-1.1"),
        (&talks, "voice_interaction/developer_data/store-local", "Consent", "AW-1.5.3"),
    ]);
}

const EXAMINED: &str = r#"processor = [
  { id = "partner-sms", party = "An SMS company", contact = "privacy@example.cn", privacy_url = "https://example.cn/privacy", contract = "2026-7", instructions_ref = "2026-7, annex", trains_on_data = false, declared_retention = "PT24H", deletion_api = true, state = "active", due_diligence = { at = 2026-05-01, by = "privacy officer", valid = "P1Y" } },
]

purpose = ["#;

#[test]
fn a_telephone_number_is_used_for_what_was_agreed_only() {
    let profile = SEED.changed("purpose = [", EXAMINED).accept().unwrap();
    let developer = Person::adult();
    assert_decisions(
        &profile,
        &[
            (&developer, "service_notice/contact_phone/partner-sms", "ContractPerformance", "AW-1.2.6a"),
            (&developer, "identity_check/contact_phone/partner-sms", "ContractPerformance", "AW-1.2.6a"),
            (&developer, "survey/contact_phone/partner-sms", "no_basis", "AW-1.2.6a"),
            (&developer.clone().yes("survey"), "survey/contact_phone/partner-sms", "Consent", "AW-1.2.6a"),
            (&developer, "marketing/contact_phone/partner-sms", "no_basis", "AW-1.2.6b"),
            (&developer.clone().goes_on("marketing"), "marketing/contact_phone/partner-sms", "no_basis", "AW-1.2.6b"),
            (&developer.clone().yes("survey"), "marketing/contact_phone/partner-sms", "no_basis", "AW-1.2.6b"),
            (&developer.clone().yes("marketing"), "marketing/contact_phone/partner-sms", "Consent", "AW-1.2.6b"),
        ],
    );
}

#[test]
fn partners_get_nothing_before_they_were_examined() {
    let willing = Person::adult().yes_to_each("marketing survey");
    SEED.decides(&[
        (&willing, "marketing/contact_phone/partner-sms", "processor_state", "AW-4.1"),
        (&willing, "service_notice/contact_phone/partner-sms", "processor_state", "AW-4.1"),
    ]);
    let profile = SEED.changed("purpose = [", EXAMINED).accept().unwrap();
    let more = [(&willing, "marketing/account/partner-sms", "unknown_cell", "AW-4.1: no more than it needs")];
    assert_decisions(&profile, &more);
}

#[test]
fn a_service_with_a_policy_of_its_own_gets_nothing_before_people_were_told() {
    const IN_USE: &str = r#"[[processor]]
id = "third-party-service"
party = "A maker of plug-ins"
contact = "privacy@example.cn"
privacy_url = "https://example.cn/privacy"
trains_on_data = false
declared_retention = "PT24H"
deletion_api = true
state = "active"
due_diligence = { at = 2026-05-01, by = "privacy officer", valid = "P1Y" }

[category.developer_data]
min_consent_type = "ExplicitlyExpressedConsent"
"#;
    const USES: &str = "voice_interaction/developer_data/third-party-service";
    let willing = Person::adult().yes_to_each("voice_interaction");
    SEED.decides(&[(&willing, USES, "processor_state", "AW-4.1: nobody has looked at one yet")]);
    let profile = SEED.changed("[category.developer_data]\n", IN_USE).accept().unwrap();
    assert_decisions(
        &profile,
        &[
            (&willing, USES, "Consent", "AW-9: they were told"),
            (&willing.clone().untold(), USES, "not_told", "AW-9"),
            (&Person::adult().untold(), USES, "no_basis", "AW-1.5.1"),
        ],
    );
}

#[test]
fn research_sees_nothing_that_leads_to_a_person() {
    let willing = Person::adult().yes_to_each("diagnostics survey");
    SEED.decides(&[
        (&willing, "research/research_data/store-local", "LegitimateInterest", "AW-1.2.7a"),
        (&willing, "research/agent_config/store-local", "unknown_cell", "AW-1.2.7a"),
        (&willing, "research/usage_log/store-local", "unknown_cell", "AW-1.2.7a"),
    ]);
}

#[test]
fn nothing_leaves_the_country() {
    let abroad = r#"processor = [
  { id = "abroad", kind = "llm", party = "A company", contact = "privacy@example.com", privacy_url = "https://example.com/privacy", region = "US", region_class = "overseas", mechanism = "security_assessment", accepts = ["agent_config"], purposes = ["agent_building"], state = "active", contract = "2026-8", trains_on_data = false, declared_retention = "PT0S", due_diligence = { at = 2026-05-01, by = "privacy officer", valid = "P1Y" } },
]

purpose = ["#;
    let findings = SEED.changed("purpose = [", abroad).lint();
    let found: Vec<_> = findings.iter().map(|f| (f.rule.id(), f.place.key.as_str())).collect();
    assert!(found.contains(&("XBORDER_CONTRADICTS_LOCATION", "processor.abroad.region_class")), "{found:?}");
}

#[test]
fn minors_need_a_guardian() {
    let youth = Person::aged(AgeBand::Under18).yes_to_each("voice_interaction");
    SEED.decides(&[
        (&youth, "notice/notice_text/voice-local", "LegalObligation", "AW-7"),
        (&youth, "voice_interaction/voice_audio/whisper-local", "minor_no_guardian", "AW-7"),
        (&youth, "operate/account/store-local", "minor_no_guardian", "AW-7: no account either"),
        (&youth.clone().with_guardian(), "voice_interaction/voice_audio/whisper-local", "Consent", "AW-7"),
    ]);
}
