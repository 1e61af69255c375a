//! Where the five policies contradict one another or the law, and what holds then: the conflicts C1 to C18, each by its
//! number. Held here is what a profile can say and what is decided by it; where more than that has to be done, [`DONE`] names
//! the tests of the desks and the vault that do it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use sayso_policy::pages::PrivacyNotice;
use sayso_policy::profile::{Draft, ExemptionCode};
use sayso_policy::{
    AgeBand, ConsentState, ConsentStatus, ConsentType, ExemptionGrant, Gate, InForce, Profile, PurposeConsent,
    Question, Reason, Tongue, decide, diff,
};
use sayso_types::{Category, ConsentVersion, Label, Purpose, SubjectId, TurnId, WallTime};

/// The conflicts of which a node carries something out, and the tests that see it done.
const DONE: &[(&str, &[&str])] = &[
    ("C2", &["engine/consent/tests/consent/governing.rs::an_answer_is_under_the_revision_that_it_is_to"]),
    (
        "C4",
        &[
            "engine/policy/src/due.rs::of_two_clocks_the_earlier_end_governs_and_one_that_waits_does_not_run",
            "engine/consent/tests/consent/requesting.rs::what_is_not_answered_by_its_day_is_on_record_once_also_after_a_restart",
        ],
    ),
    (
        "C8",
        &[
            "engine/policy/src/exemption/tests.rs::to_disclose_takes_a_ground_that_is_kept_for_sharing_and_enough_people",
        ],
    ),
    // no label names a controller: whose devices these are is in the register of the person, and asked of at every gate
    (
        "C11",
        &[
            "engine/consent/tests/consent/referring.rs::the_tenant_answers_first_and_nobody_else_until_then",
            "engine/consent/tests/consent/instructing.rs::what_a_tenant_does_not_instruct_is_closed_for_its_people_at_once",
        ],
    ),
    (
        "C12",
        &[
            "engine/consent/tests/consent/erasing.rs::with_every_file_and_every_key_in_them_nobody_reads_what_was_erased",
            "engine/consent/tests/consent/erasing.rs::old_data_that_is_put_back_is_read_by_nobody",
        ],
    ),
    (
        "C15",
        &[
            "nodes/sayso/tests/e2e/withdrawal.rs::stop_listening_is_confirmed_aloud",
            "engine/admin/tests/admin/consent.rs::withdrawn_means_that_every_holder_has_let_go",
        ],
    ),
    (
        "C16",
        &[
            "engine/session-actor/tests/sessions/listening.rs::a_child_without_a_guardian_is_not_listened_to_not_even_for_an_answer",
        ],
    ),
    // no request has a fee, whatever a profile lets one ask
    ("C17", &["engine/consent/src/rights/tests.rs::it_is_refused_only_for_a_reason_that_the_policy_allows"]),
    ("C18", &["engine/consent/tests/consent/complaining.rs::a_complaint_is_taken_answered_once_and_found_by_its_id"]),
];

#[test]
fn what_a_node_does_about_a_conflict_is_seen_by_a_test_that_there_is() {
    for (conflict, tests) in DONE {
        for test in *tests {
            let (file, name) = test.split_once("::").unwrap();
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{conflict}: {file}: {e}"));
            assert!(text.contains(&format!("fn {name}(")), "{conflict}: there is no test {test}");
        }
    }
}

/// A profile with which nothing is wrong, under Chinese law.
const SOUND: &str = include_str!("lint/sound.toml");
/// 28 May 2026.
const NOW: WallTime = WallTime(1_780_000_000_000);

fn draft(text: &str) -> Result<Draft, String> {
    Draft::parse(&format!("extends = \"sound.toml\"\n{text}"), Some(SOUND)).map_err(|e| e.to_string())
}

/// The rules that are broken, each with its key.
fn found(text: &str) -> Vec<String> {
    let findings = draft(text).unwrap().lint().into_iter().filter(|finding| finding.waived.is_none());
    findings.map(|finding| format!("{} {}", finding.rule.id(), finding.place.key)).collect()
}

fn profile(text: &str) -> Profile {
    draft(text).unwrap().accept().unwrap()
}

/// Somebody of `age` who agreed to be heard, and whether the recogniser may hear them.
fn hears(age: AgeBand, consent_type: ConsentType, guardian_verified: bool) -> Result<(), Reason> {
    let consent = PurposeConsent {
        status: ConsentStatus::Given,
        consent_type,
        separate: false,
        written: false,
        given_at: ConsentVersion(1),
        profile_rev: 1,
        expires_at: None,
    };
    let state = ConsentState {
        cv: ConsentVersion(1),
        consents: [(Purpose::VOICE_INTERACTION, consent)].into(),
        age,
        guardian_verified,
        ..ConsentState::new()
    };
    decide(&hearing(), &state, &InForce::new(Arc::new(profile("")))).answer.map(|_| ())
}

/// What lets anybody be heard for a day, for the safety of others.
fn grant() -> ExemptionGrant {
    ExemptionGrant {
        id: "search-and-rescue".parse().unwrap(),
        code: ExemptionCode::X04,
        clause: None,
        basis_code: "cn-pipl:13-4".to_owned(),
        subject: None,
        purposes: [Purpose::VOICE_INTERACTION].into(),
        categories: [Category::VOICE_AUDIO].into(),
        processors: ["asr".parse().unwrap()].into(),
        not_before: WallTime(NOW.0 - 1),
        not_after: WallTime(NOW.0 + 3_600_000),
        approvers: [[1; 16], [2; 16]].into(),
        evidence_hash: [3; 32],
        notify_subject_after: None,
    }
}

/// Whether somebody may be heard.
fn hearing() -> Question {
    let label = Label {
        subject: SubjectId([1; 16]),
        category: Category::VOICE_AUDIO,
        purpose: Purpose::VOICE_INTERACTION,
        turn: TurnId(1),
        cv: ConsentVersion(1),
    };
    Question { label, gate: Gate::Recognition, processor: "asr".parse().unwrap(), now: NOW }
}

#[test]
fn c1_a_weaker_consent_is_recorded_and_opens_nothing_that_asks_for_more() {
    assert_eq!(hears(AgeBand::Adult, ConsentType::Implied, false), Err(Reason::NoBasis));
    assert_eq!(hears(AgeBand::Adult, ConsentType::Expressed, false), Ok(()));
    assert_eq!(found("[asks]\nconsent_type = \"ImpliedConsent\""), ["BASIS_IMPLIED_FOR_SENSITIVE asks.consent_type"]);
}

#[test]
fn c2_going_on_accepts_wording_and_nothing_that_matters() {
    let old = profile("");
    let wording = profile("[profile]\nrev = 2\n[notice.en]\nthanks = \"Thanks.\"");
    assert!(!diff(old.document(), wording.document()).is_material());
    let longer = profile("[profile]\nrev = 2\n[category.memory_summary.retention]\nmax = \"P2Y\"");
    assert!(diff(old.document(), longer.document()).is_material());
    assert_eq!(
        found("[revision]\nsrc = [\"T-1\"]\nmaterial = \"continued_use\""),
        ["REVISION_SILENT_ACCEPT revision.material"]
    );
    assert_eq!(found("[revision]\nsrc = [\"T-1\"]\neditorial = \"continued_use\""), [""; 0]);
}

#[test]
fn c3_where_nothing_leaves_no_overseas_processor_is_active() {
    let abroad = |state: &str| {
        found(&format!(
            "processor = [{{ id = \"asr\", region = \"US\", region_class = \"overseas\", \
             mechanism = \"security_assessment\", state = \"{state}\" }}]\n\
             [rights.offers.refuse_overseas]\nsrc = [\"T-1\"]\nchannel = [\"voice\"]\n\
             [category.voice_audio.in_region.overseas]\nmin_consent_type = \"ExplicitlyExpressedConsent\"\n\
             separate = true"
        ))
    };
    assert_eq!(abroad("active"), ["XBORDER_CONTRADICTS_LOCATION processor.asr.region_class"]);
    assert_eq!(abroad("draft"), [""; 0]);
}

#[test]
fn c4_both_clocks_may_run_and_fifteen_working_days_are_the_longest() {
    let both = profile("[rights]\nclock_start = [\"received\", \"identity_verified\"]");
    assert_eq!(both.document().rights.clock_start.len(), 2);
    assert_eq!(found("[rights]\nrespond_within = \"P16WD\""), ["DEADLINE_TOO_LONG rights.respond_within"]);
    assert_eq!(found("remove = [\"rights.respond_within\"]"), ["DEADLINE_MISSING rights.respond_within"]);
}

#[test]
fn c5_a_least_time_binds_only_what_a_law_has_kept() {
    let min = "min = \"P6M\"\nmin_basis = \"cn-csl:21\"";
    let memory = found(&format!("[category.memory_summary.retention]\n{min}"));
    assert_eq!(memory, ["MIN_RETENTION_WITHOUT_LEGAL_BASIS category.memory_summary.retention"]);
    assert_eq!(found(&format!("[category.log_info.retention]\n{min}\ntolerance = \"PT24H\"")), [""; 0]);
    let everything = "remove = [\"category.log_info.retention\"]\n[retention]\nsrc = [\"T-1\"]\n\
                      default = { trigger = \"collected\", after = \"P1Y\", action = \"erase\", min = \"P6M\" }";
    assert_eq!(found(everything), ["MIN_RETENTION_WITHOUT_LEGAL_BASIS retention.default.min"]);
}

#[test]
fn c6_twenty_years_need_a_reason_for_each_category() {
    let years = "remove = [\"category.log_info.retention\", \"category.memory_summary.retention\"]\n[retention]\nsrc = [\"T-1\"]\n\
                 default = { trigger = \"collected\", after = \"P20Y\", action = \"erase\" }\n";
    let (logs, memory) = ("RET_TOO_LONG category.log_info.retention", "RET_TOO_LONG category.memory_summary.retention");
    assert_eq!(found(years), [logs, memory]);
    let why = "[[lint.waive]]\nrule = \"RET_TOO_LONG\"\nat = [\"category.log_info\"]\nwhy = \"a court asked\"";
    assert_eq!(found(&format!("{years}{why}")), [memory]);
}

#[test]
fn c7_what_is_kept_for_exactly_so_long_says_how_late_it_may_go() {
    let exactly = "[category.log_info.retention]\nmin = \"P6M\"\nmin_basis = \"cn-csl:21\"\n";
    assert_eq!(found(exactly), ["RET_MIN_CONTRADICTED category.log_info.retention.min"]);
    assert_eq!(found(&format!("{exactly}tolerance = \"PT24H\"")), [""; 0]);
}

#[test]
fn c8_a_profile_opens_the_grounds_that_it_names_for_what_it_names() {
    for code in ExemptionCode::ALL {
        for scope in ["collect_use", "share_publish"] {
            let entry = format!("exemption = [{{ code = \"{code}\", scope = [\"{scope}\"], max = \"P1D\" }}]");
            let document = draft(&entry).unwrap().document().clone();
            assert!(document.exemption.contains_key(&code));
            assert!(document.exemption.keys().all(|other| [code, ExemptionCode::X04].contains(other)));
        }
    }
    assert!(draft("exemption = [{ code = \"X15\", scope = [], max = \"P1D\" }]").unwrap_err().contains("X15"));
    // what is named for sharing alone opens no use, and the other way round
    let opens = |scope: &str, processing: &str| {
        let text = format!(
            "exemption = [{{ code = \"X04\", scope = [\"{scope}\"], approvers = 2, max = \"P1D\" }}]\n\
             purpose = [{{ id = \"voice_interaction\", separate = true, processing = [{processing}] }}]\n\
             [category.voice_audio]\nseparate = true\nmin_consent_type = \"ExplicitlyExpressedConsent\"\n\
             [category.transcript]\nseparate = true\nmin_consent_type = \"ExplicitlyExpressedConsent\"\n[asks]\nspoken = [\"memory\"]"
        );
        let in_force = InForce::new(Arc::new(profile(&text))).with_exemptions([grant()]);
        let state = ConsentState { age: AgeBand::Adult, ..ConsentState::new() };
        decide(&hearing(), &state, &in_force).is_permit()
    };
    assert!(opens("collect_use", "") && !opens("share_publish", ""));
    assert!(opens("share_publish", "\"Share\"") && !opens("collect_use", "\"Share\""));
}

#[test]
fn c9_only_what_is_anonymised_is_free() {
    let exemption = "exemption = [{ code = \"X04\", de_identified_counts = true }]";
    assert_eq!(found(exemption), ["DEIDENT_AS_ANON exemption.X04.de_identified_counts"]);
    let free = |how: &str| found(&format!("[category.log_info]\nidentifies = \"{how}\"\nsensitivity = \"none\""));
    assert_eq!(free("pseudonymised"), ["DEIDENT_AS_ANON category.log_info.sensitivity"]);
    assert_eq!(free("anonymised"), [""; 0]);
}

#[test]
fn c10_a_guardian_below_the_age_of_the_policy_and_special_rules_below_fourteen() {
    assert_eq!(hears(AgeBand::Under18, ConsentType::Expressed, false), Err(Reason::MinorNoGuardian));
    assert_eq!(found("[minors]\nspecial_regime_below = 0"), ["MINOR_AGE_BELOW_LAW minors.special_regime_below"]);
    assert_eq!(found("[minors]\nguardian_required_below = 13"), ["MINOR_AGE_BELOW_LAW minors.guardian_required_below"]);
}

#[test]
fn c11_whoever_answers_is_named_with_a_role_and_can_be_reached() {
    let joint = "joint = [{ name = \"Other Ltd.\", contact = { phone = \"2\" } }]";
    for (role, others, words) in [
        ("DataController", "", "(controller) answers"),
        ("JointDataControllers", joint, "(joint controller) answers"),
        ("DataProcessor", "", "(processor for its tenants) answers"),
    ] {
        let profile = profile(&format!("[controller]\nrole = \"{role}\"\n{others}"));
        let notice = PrivacyNotice::of(profile.document(), Tongue::English).markdown();
        assert!(notice.contains(words) && notice.contains("privacy@operator.example"), "{notice}");
    }
    assert_eq!(found("[controller]\nrole = \"JointDataControllers\""), ["CTRL_JOINT_UNNAMED controller.joint"]);
    assert!(draft("[controller]\nrole = \"Middleman\"").unwrap_err().contains("`Middleman` is not known here"));
    let unreachable = ["CTRL_MISSING controller.contact", "RIGHT_CHANNEL_UNREACHABLE controller.contact.email"];
    assert_eq!(found("remove = [\"controller.contact\"]"), unreachable);
    // a tenant who decides can have data erased, on top of what the law asks
    let grounds = "[rights.offers.erase]\ngrounds = [\"purpose_ended\", \"service_ended\", \"unlawful\", \
                   \"agreement_broken\", \"other_law\", \"consent_withdrawn\", \"tenant_instructed\"]";
    assert_eq!(found(grounds), [""; 0]);
}

#[test]
fn c12_backups_are_purged_by_a_time_that_can_be_kept_and_only_ever_sooner() {
    let purged = |when: &str| format!("[retention]\nsrc = [\"T-1\"]\nbackup_purge = \"{when}\"");
    for words in ["until they can be cleared", "when the backup is renewed"] {
        assert_eq!(found(&purged(words)), ["VAGUE_TIME retention.backup_purge"]);
    }
    let (old, sooner, later) = (profile(&purged("P30D")), profile(&purged("P7D")), profile(&purged("P60D")));
    assert!(!diff(old.document(), sooner.document()).is_material());
    assert!(diff(old.document(), later.document()).is_material());
    assert!(
        diff(old.document(), profile("").document()).is_material(),
        "words promise nothing, and neither does nothing"
    );
}

#[test]
fn c13_only_what_is_required_may_block_and_consent_never_is() {
    let required = "[category.memory_summary]\nnecessity = \"Required\"";
    assert_eq!(found(required), ["CONSENT_BUNDLED category.memory_summary.necessity"]);
}

#[test]
fn c14_people_are_promised_what_any_language_says() {
    let clause = |kept: &str| {
        found(&format!(
            "source = [{{ lang = \"zh\" }}]\nclause = [{{ id = \"T-2\", says = \"it stays here\", languages = [\"zh\"]{kept} }}]"
        ))
    };
    assert_eq!(clause(", outside = \"a duty of people\""), ["LANG_DIVERGENCE clause.T-2.languages"]);
    let mut forgotten = clause("");
    forgotten.sort();
    assert_eq!(forgotten, ["CLAUSE_UNREFERENCED clause.T-2", "LANG_DIVERGENCE clause.T-2.languages"]);
}

#[test]
fn c15_withdrawing_is_no_harder_than_agreeing() {
    let through = |channel: &str| found(&format!("[rights.offers.withdraw]\nchannel = [\"{channel}\"]"));
    assert_eq!(through("email"), ["WITHDRAW_HARDER_THAN_GIVING rights.offers.withdraw.channel"]);
    assert!(["voice", "device", "console"].into_iter().all(|channel| through(channel).is_empty()));
}

#[test]
fn c16_a_child_is_not_heard_before_a_guardian_agrees() {
    assert_eq!(hears(AgeBand::Under13, ConsentType::Expressed, false), Err(Reason::MinorNoGuardian));
    assert_eq!(hears(AgeBand::Under13, ConsentType::Expressed, true), Ok(()));
    assert_eq!(hears(AgeBand::Unknown, ConsentType::Expressed, false), Err(Reason::MinorNoGuardian));
}

#[test]
fn c17_a_refusal_has_one_of_the_known_reasons_and_nothing_costs_unless_it_is_said() {
    assert!(!profile("").document().rights.fee_when_repeated);
    assert!(profile("[rights]\nfee_when_repeated = true").document().rights.fee_when_repeated);
    assert!(profile("[rights]\nrefusals = [\"ProcessExcessive\"]").document().rights.refusals.len() == 1);
    assert!(draft("[rights]\nrefusals = [\"TooBusy\"]").unwrap_err().contains("`TooBusy` is not known here"));
}

#[test]
fn c18_a_complaint_may_take_a_letter_and_a_withdrawal_takes_nothing() {
    let by_letter = |right: &str| found(&format!("[rights.offers.{right}]\nchannel = [\"letter\"]"));
    assert_eq!(by_letter("complain"), [""; 0]);
    assert_eq!(by_letter("withdraw"), ["WITHDRAW_HARDER_THAN_GIVING rights.offers.withdraw.channel"]);
    let refused = draft("[rights.offers.withdraw]\nevidence = \"a copy of your identity card\"").unwrap_err();
    assert!(refused.contains("`evidence` is not known here"), "{refused}");
}
