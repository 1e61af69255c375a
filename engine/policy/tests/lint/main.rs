//! Every rule of the linter finds what it is for, and lets pass the same put right.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use sayso_policy::Profile;
use sayso_policy::lint::Rule;
use sayso_policy::profile::Draft;
use serde::Deserialize;

const SOUND: &str = include_str!("sound.toml");
const FIXTURES: &str = include_str!("fixtures.toml");

/// What breaks a rule, and the same put right.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    at: String,
    wrong: String,
    right: String,
}

fn fixtures() -> BTreeMap<String, Fixture> {
    toml::from_str(FIXTURES).unwrap()
}

fn draft(text: &str) -> Draft {
    Draft::parse(&format!("extends = \"sound.toml\"\n{text}"), Some(SOUND)).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The findings that nobody has waived, each as its rule and key.
fn open(draft: &Draft) -> Vec<(String, String)> {
    let findings = draft.lint().into_iter().filter(|finding| finding.waived.is_none());
    findings.map(|finding| (finding.rule.id().to_owned(), finding.place.key)).collect()
}

fn waiver(rule: &str) -> String {
    format!("[[lint.waive]]\nrule = \"{rule}\"\nwhy = \"somebody thought about it\"\n")
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(open(&draft("")), []);
}

#[test]
fn every_rule_finds_what_it_is_for_and_nothing_once_it_is_put_right() {
    let mut fixtures = fixtures();
    for rule in Rule::ALL {
        let Fixture { at, wrong, right } =
            fixtures.remove(rule.id()).unwrap_or_else(|| panic!("{} has no fixture; write one", rule.id()));
        assert_eq!(open(&draft(&wrong)), [(rule.id().to_owned(), at)], "{wrong}");
        assert_eq!(open(&draft(&right)), [], "{right}");
    }
    assert!(fixtures.is_empty(), "for no rule: {:?}", fixtures.keys());
}

#[test]
fn what_is_kept_of_an_answer_has_a_place_an_end_and_a_purpose_that_nobody_has_to_agree_to() {
    let right = fixtures().remove("EVIDENCE_UNKEPT").unwrap().right;
    let key = |key: &str| [("EVIDENCE_UNKEPT".to_owned(), format!("category.consent_evidence.{key}"))];
    for (from, to, at) in [
        ("at_rest = \"allowed\"", "at_rest = \"forbidden\"", "at_rest"),
        ("sensitivity", "attrs = [\"sound\"]\nsensitivity", "attrs"),
        ("accepts = [\"consent_evidence\", ", "accepts = [", "purposes"),
        ("[\"service\"]\nnecessity = \"Required\"", "[\"memory\"]\nnecessity = \"Optional\"", "purposes"),
    ] {
        assert!(right.contains(from), "{from}");
        let found = open(&draft(&right.replacen(from, to, 1)));
        assert!(found.iter().any(|found| *found == key(at)[0]), "{to}: {found:?}");
    }
    let unsaid = right.lines().filter(|line| !line.starts_with("retention")).collect::<Vec<_>>().join("\n");
    assert!(open(&draft(&unsaid)).contains(&key("retention")[0]));
}

#[test]
fn every_section_and_part_of_a_profile_says_where_it_is_written() {
    let sound = draft("");
    let named: Vec<_> = sound.document().cited().filter(|(_, src)| !src.is_empty()).map(|(key, _)| key).collect();
    // prohibitions have no names
    for key in named.iter().filter(|key| *key != "prohibition") {
        let unsaid = draft(&format!("remove = [\"{key}.src\"]"));
        assert_eq!(open(&unsaid), [("SRC_MISSING".to_owned(), key.clone())]);
    }
    for section in ["profile", "controller", "purpose.memory", "notice.en", "incident.subjects", "rights.offers.erase"]
    {
        assert!(named.iter().any(|key| key == section), "{section}");
    }
    for (said, key) in [
        ("prohibition = [{ purpose = \"SellDataToThirdParties\" }]", "prohibition"),
        ("[visits]\nlasts = \"PT1H\"", "visits"),
        ("[retention]\nbackup_purge = \"P30D\"", "retention"),
        ("[routing]\nprefer = [\"local\"]", "routing"),
        ("[revision]\neditorial = \"notice\"", "revision"),
        ("[law]\nseverable = true", "law"),
        ("[incident]\nreport_endpoint = true", "incident"),
        ("[notify.refusal]\nform = [\"page\"]", "notify.refusal"),
        ("[security.measures.in_transit]\nhow = \"TLS\"", "security.measures.in_transit"),
    ] {
        assert_eq!(open(&draft(said)), [("SRC_MISSING".to_owned(), key.to_owned())], "{said}");
    }
    let foreign = draft("[law]\nseverable = true\nsrc = [\"gdpr:5-2\"]").lint();
    assert!(foreign[0].message.contains("gdpr:5-2 is of no law that `profile.law_floor` names"), "{foreign:?}");
}

#[test]
fn a_breach_keeps_a_profile_out_of_force_unless_it_may_be_and_is_waived() {
    for (id, fixture) in fixtures() {
        let rule = Rule::named(&id).unwrap();
        let refused = draft(&fixture.wrong).accept().unwrap_err().to_string();
        assert!(refused.contains(&id), "{refused}");
        let waived = draft(&format!("{}\n{}", fixture.wrong, waiver(&id))).accept();
        assert_eq!(waived.is_ok(), rule.is_waivable(), "{id}: {waived:?}");
    }
}

#[test]
fn no_law_can_be_waived_away() {
    for id in [
        "CTRL_MISSING",
        "DATE_INCOMPLETE",
        "LAW_FLOOR_MISSING",
        "XBORDER_NO_MECHANISM",
        "SEPARATE_MISSING",
        "MINOR_AGE_BELOW_LAW",
    ] {
        let findings = open(&draft(&waiver(id)));
        assert_eq!(findings, [("WAIVER_INVALID".to_owned(), "lint.waive.0".to_owned())], "{id}");
    }
}

#[test]
fn a_waiver_is_part_of_what_a_profile_is() {
    let long = "[category.memory_summary.retention]\nmax = \"P5Y\"\n";
    let with = |why: &str| -> Profile {
        draft(&format!("{long}[[lint.waive]]\nrule = \"RET_TOO_LONG\"\nwhy = \"{why}\"")).accept().unwrap()
    };
    assert_eq!(with("asked for").hash(), with("asked for").hash());
    assert_ne!(with("asked for").hash(), with("we like to").hash());
}

#[test]
fn a_waiver_holds_only_where_it_says() {
    let long = "[category.memory_summary.retention]\nmax = \"P5Y\"\n[category.log_info.retention]\nmax = \"P5Y\"\n";
    let at = "[[lint.waive]]\nrule = \"RET_TOO_LONG\"\nat = [\"category.memory_summary\"]\nwhy = \"asked for\"";
    let expected = [("RET_TOO_LONG".to_owned(), "category.log_info.retention".to_owned())];
    assert_eq!(open(&draft(&format!("{long}{at}"))), expected);
}

#[test]
fn the_list_of_rules_reads_well() {
    let ids: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(ids.len(), Rule::ALL.len(), "two rules of one name");
    for rule in Rule::ALL {
        let id = rule.id();
        assert!(id.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{id}");
        assert!(!rule.source().is_empty() && !rule.breach().is_empty(), "{id}");
        assert!(!rule.breach().ends_with('.') && rule.breach().starts_with(char::is_lowercase), "{id}");
        assert_eq!(Rule::named(id), Some(*rule));
    }
}

#[test]
fn an_end_that_nothing_brings_about_is_found_with_what_to_write() {
    let found = |text: &str| {
        let findings = draft(text).lint().into_iter();
        let of_it = findings.filter(|finding| finding.rule.id() == "RET_NOT_CARRIED_OUT");
        of_it.map(|finding| (finding.place.key, finding.message)).collect::<Vec<_>>()
    };
    let of_logs = |rule: &str| found(&format!("[category.log_info.retention]\n{rule}"));
    for (rule, at, says) in [
        ("action = \"restrict\"", "action", "write \"erase\""),
        ("action = \"anonymise\"\nby = \"monthly_counts@1\"", "action", "only memory_summary is counted"),
        ("action = \"zeroise\"", "action", "at_rest = \"forbidden\""),
        ("on_withdraw = \"restrict\"", "on_withdraw", "for as long as a law demands (`min`)"),
        ("trigger = \"withdraw\"", "trigger", "\"withdraw|account.cancelled\""),
        ("trigger = \"purpose.ended|feature.disabled\"", "trigger", "never learns"),
    ] {
        let [(key, message)] = of_logs(rule).try_into().unwrap();
        assert!(
            key == format!("category.log_info.retention.{at}") && message.contains(says),
            "{rule}: {key} {message}"
        );
    }
    for sound in ["trigger = \"session.end\"", "trigger = \"device.unbound\"", "trigger = \"withdraw\"\nmax = \"P1Y\""]
    {
        assert_eq!(of_logs(sound), [], "{sound}");
    }
    let remembered = "[category.memory_summary]\npurposes = [\"memory\", \"security\"]\n[category.memory_summary.retention]\n\
                      min = \"P1M\"\nmin_basis = \"cn-csl:21\"";
    let [(key, _)] = found(remembered).try_into().unwrap();
    assert_eq!(key, "category.memory_summary.retention.min");
}

/// XZ-11.1: the law comes first, and what it asks is told where the policy asks less.
#[test]
fn what_is_weaker_than_the_law_is_told_with_what_the_law_asks_and_where() {
    for (rule, asked) in [
        ("CONSENT_BELOW_LAW", "asks for ExplicitlyExpressedConsent (PIPL 29 [P])"),
        ("SEPARATE_MISSING", "a consent of its own (PIPL 29 [P])"),
        ("XBORDER_MECHANISM_WEAK", "security_assessment"),
        ("EXEMPTION_NOT_IN_LAW", "cn-pipl@2021 has no such ground"),
        ("MINOR_AGE_BELOW_LAW", "14 (PIPL 31 [K])"),
        ("RIGHT_MISSING", "(PIPL "),
        ("ERASURE_GROUND_MISSING", "consent_withdrawn (PIPL 47 [P])"),
        ("DEADLINE_MISSING", "P15WD (Method for identifying"),
        ("INCIDENT_UNTOLD", "PT4H (Incident reporting measures 4 [P]), immediately (PIPL 57 [P])"),
    ] {
        assert!(!Rule::named(rule).unwrap().is_waivable(), "{rule}: nobody may take the law away");
        let findings = draft(&fixtures()[rule].wrong).lint();
        assert!(findings.iter().any(|f| f.message.contains(asked)), "{rule}: {asked}\n{findings:#?}");
    }
    let late = draft("[incident.regulator]\nwithin = \"PT5H\"").lint();
    assert_eq!(late[0].rule.id(), "DEADLINE_TOO_LONG");
    assert!(late[0].message.contains("PT4H (Incident reporting measures 4 [P])"), "{late:#?}");
}

/// Who serves people in a place is under its law, whether the profile names that or not, and a profile that names none keeps
/// what is common to all.
#[test]
fn a_law_binds_where_people_are_served_and_something_binds_everywhere() {
    let unnamed = |place: &str, companion: bool| {
        let findings =
            draft(&format!("[profile]\njurisdiction = \"{place}\"\ncompanion = {companion}\nlaw_floor = []")).lint();
        let missing = findings.into_iter().filter(|found| found.rule.id() == "LAW_FLOOR_MISSING");
        missing.map(|found| found.message).collect::<Vec<_>>()
    };
    assert_eq!(unnamed("DE", false), ["gdpr@2016-679 binds whoever serves people in DE; add it"]);
    assert_eq!(unnamed("PR", false), ["coppa@2025 binds whoever serves people in PR; add it"]);
    assert_eq!((unnamed("CN", false).len(), unnamed("CN", true).len()), (3, 4));
    assert_eq!(unnamed("GB", false).len(), 0, "whose law is not known here");

    let anywhere = "[profile]\njurisdiction = \"*\"\nlaw_floor = []\n";
    let found = |text: &str| draft(&format!("{text}\n{anywhere}")).lint();
    for (text, rule, says) in [
        ("remove = [\"rights.offers.withdraw\"]", "RIGHT_MISSING", "GDPR 7(3)"),
        ("minors.guardian_required_below = 12", "MINOR_AGE_BELOW_LAW", "13 (the floor of every profile"),
    ] {
        let found = found(text).into_iter().find(|found| found.rule.id() == rule).unwrap_or_else(|| panic!("{text}"));
        assert!(found.message.contains(says), "{found}");
    }
    assert!(!found("remove = [\"rights.offers.complain\"]").iter().any(|found| found.rule.id() == "RIGHT_MISSING"));
}

#[test]
fn findings_say_where_they_are_and_what_to_write() {
    let findings = draft("[minors]\nguardian_required_below = 12").lint();
    assert_eq!(
        findings[0].to_string(),
        "line 3: minors.guardian_required_below: MINOR_AGE_BELOW_LAW: the law says 14 (PIPL 31 [K]); write that or more \
         [conflict C10; cn-pipl:31, gdpr:8, coppa:312.5]"
    );
}

#[test]
fn what_a_receiver_is_goes_together() {
    let found = |id: &str, said: &str| open(&draft(&format!("processor = [{{ id = \"{id}\", {said} }}]")));
    let at = |key: &str| vec![("PROC_ROLE_CONTRADICTED".to_owned(), key.to_owned())];
    assert_eq!(found("asr", "role = \"contractor\""), at("processor.asr.role"), "the operator's own");
    let told = "instructions_ref = \"2026-01\", independent_controller = true";
    assert!(found("llm", told).contains(&at("processor.llm.instructions_ref")[0]));
    for (role, instructed) in [
        ("affiliate", true),
        ("partner", true),
        ("contractor", true),
        ("sign_in_provider", false),
        ("third_party_sdk", false),
    ] {
        let missing = || [("PROC_INSTRUCTIONS_MISSING".to_owned(), "processor.llm.instructions_ref".to_owned())];
        let expected = instructed.then(missing).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(found("llm", &format!("role = \"{role}\"")), expected, "{role}");
        assert_eq!(found("llm", &format!("role = \"{role}\", state = \"draft\"")), [], "{role}: it gets nothing");
    }
}

#[test]
fn how_much_goes_somewhere_is_said_of_what_goes_there_and_so_that_it_can_be_kept() {
    let found = |volume: &str| {
        open(&draft(&format!("processor = [{{ id = \"llm\", volume = {{ {volume} }} }}]")))
            .into_iter()
            .map(|(rule, _)| rule)
    };
    for wrong in [
        "transcript = {}",
        "transcript = { per_day = 10 }",
        "transcript = { per_call = 0 }",
        "transcript = { per_call = 11, per_day = 10 }",
        "voice_audio = { per_call = 10 }",
    ] {
        assert!(found(wrong).eq(["VOLUME_UNKEEPABLE"]), "{wrong}");
    }
    for right in ["transcript = { per_call = 10 }", "transcript = { per_call = 10, per_day = 10 }"] {
        assert!(found(right).eq([""; 0]), "{right}");
    }
}

#[test]
fn what_is_known_of_a_place_a_term_and_a_right_is_told_with_what_to_write() {
    for (text, rule, at, says) in [
        ("[profile]\njurisdiction = \"cn\"", "REGION_UNKNOWN", "profile.jurisdiction", "did you mean `CN`?"),
        (
            "[profile]\njurisdiction = \"ZZ\"",
            "REGION_UNKNOWN",
            "profile.jurisdiction",
            "write one, such as CN; or \"*\"",
        ),
        ("[transfers]\nstorage = [\"China\"]", "REGION_UNKNOWN", "transfers.storage", "did you mean `CN`?"),
        (
            "processor = [{ id = \"llm\", region = \"the cloud\" }]",
            "REGION_UNKNOWN",
            "processor.llm.region",
            "ISO 3166",
        ),
        ("processor = [{ id = \"asr\", region = \"ZZ\" }]", "REGION_UNKNOWN", "processor.asr.region", "ISO 3166"),
        (
            "processor = [{ id = \"llm\", region_class = \"local\" }]",
            "PROC_REGION_MISLABELLED",
            "processor.llm.region_class",
            "Cloud Ltd. runs it",
        ),
        (
            "processor = [{ id = \"asr\", region = \"US\" }]",
            "PROC_REGION_MISLABELLED",
            "processor.asr.region_class",
            "US is overseas for CN",
        ),
        ("prohibition = [{ purpose = \"Marketting\" }]", "TERM_UNKNOWN", "prohibition", "did you mean `Marketing`?"),
        (
            "[category.log_info]\ndpv = [\"pd:NoSuchThing\"]",
            "TERM_UNKNOWN",
            "category.log_info.dpv",
            "`pd:NoSuchThing`",
        ),
        (
            "purpose = [{ id = \"security\", basis_code = \"cn-pipl:99-9\" }]",
            "BASIS_NOT_IN_LAW",
            "purpose.security.basis_code",
            "write cn-pipl:13-3",
        ),
        (
            "purpose = [{ id = \"memory\", basis_code = \"cn-csl:21\" }]",
            "BASIS_NOT_IN_LAW",
            "purpose.memory.basis_code",
            "cn-csl is no law that the profile names",
        ),
        ("remove = [\"purpose.memory.basis_code\"]", "BASIS_NOT_IN_LAW", "purpose.memory.basis_code", "`cn-pipl:13-1`"),
        (
            "[category.log_info.retention]\ncascade = [\"picture\"]",
            "RET_NOT_CARRIED_OUT",
            "category.log_info.retention.cascade",
            "only chunk and embedding",
        ),
        ("[security]\naudit_retention = \"P1Y\"", "KEPT_SHORTER_THAN_LAW", "security.audit_retention", "demands P3Y"),
    ] {
        let found = draft(text).lint();
        let found = found.iter().find(|found| found.rule.id() == rule && found.place.key == at);
        let message = &found.unwrap_or_else(|| panic!("{text}: {:#?}", draft(text).lint())).message;
        assert!(message.contains(says), "{text}: {message}");
    }
}

/// `never` is kept of every narrower purpose, not only of what it names.
#[test]
fn a_prohibition_contradicts_what_is_narrower() {
    let sends = "purpose = [{ id = \"offers\", dpv = \"DirectMarketing\", basis = \"Consent\", basis_code = \"cn-pipl:13-1\", src = [\"T-1\"] }]\n";
    let found = |never: &str| {
        open(&draft(&format!(
            "{sends}prohibition = [{{ purpose = \"{never}\", src = [\"T-1\"] }}]\n\
             [rights.offers.marketing_opt_out]\nchannel = [\"sms\"]\nsrc = [\"T-1\"]"
        )))
    };
    let contradicted = [("PROHIBITION_CONTRADICTED".to_owned(), "purpose.offers".to_owned())];
    assert_eq!(found("Marketing"), contradicted);
    assert_eq!(found("DirectMarketing"), contradicted);
    assert_eq!(found("Advertising"), []);
}

#[test]
fn working_days_are_told_from_a_calendar_wherever_they_are_counted() {
    let without = "remove = [\"profile.working_days\"]\n[rights]\nrespond_within = \"P15D\"\nidentity_within = \"P5D\"\n[minors]\nerase_on_discovery = \"P3D\"\n";
    assert_eq!(open(&draft(without)), []);
    for (counted, at) in [
        ("[category.memory_summary.retention]\ntolerance = \"P3WD\"", "category.memory_summary.retention.tolerance"),
        ("[category.memory_summary.retention]\nmax = \"P30WD\"", "category.memory_summary.retention.max"),
        ("[minors.overrides.memory_summary]\nafter = \"P30WD\"", "minors.overrides.memory_summary.after"),
        ("[registry]\ndue_diligence_valid = \"P200WD\"", "registry.due_diligence_valid"),
    ] {
        let found = draft(&format!("{without}{counted}")).lint();
        let found = found.iter().find(|found| found.rule.id() == "CALENDAR_MISSING").unwrap_or_else(|| panic!("{at}"));
        assert!(found.message.starts_with(at), "{}", found.message);
    }
}

#[test]
fn whoever_is_told_by_a_way_of_others_is_told_by_a_service_of_the_profile() {
    let told = |promised: &str, service: &str| {
        let findings = draft(&format!("{service}\n{promised}\nsrc = [\"T-1\"]")).lint().into_iter();
        let of_it = findings.filter(|finding| finding.rule.id() == "NOTICE_NOT_CARRIED_OUT");
        of_it.map(|finding| (finding.place.key, finding.message)).collect::<Vec<_>>()
    };
    let by = |channel: &str| format!("[notify.shutdown]\nwithin = \"P30D\"\nchannels = [\"{channel}\"]");
    for own in ["announcement", "main_page"] {
        assert_eq!(told(&by(own), ""), [], "{own}");
    }
    for (channel, kind) in
        [("email", "email"), ("sms", "sms"), ("phone", "call"), ("push", "push"), ("in_app_message", "push")]
    {
        let service = |kind: &str, state: &str| {
            format!(
                "processor = [{{ id = \"messages\", kind = \"{kind}\", party = \"operator\", region = \"CN\", region_class = \"local\", accepts = [], purposes = [], state = \"{state}\" }}]"
            )
        };
        let [(key, message)] = told(&by(channel), "").try_into().unwrap();
        assert_eq!(key, "notify.shutdown.channels");
        assert!(message.contains(&format!("{channel} (no active processor of kind \"{kind}\")")), "{message}");
        assert_eq!(told(&by(channel), &service(kind, "active")), [], "{channel}");
        assert_eq!(told(&by(channel), &service(kind, "draft")).len(), 1, "{channel}: it gets nothing yet");
        assert_eq!(told(&by(channel), &service("tool", "active")).len(), 1, "{channel}");
    }
    assert_eq!(told(&by("letter"), "").len(), 1, "no service sends it");
    let form = |form: &str| told(&format!("[notify.refusal]\nform = [\"{form}\"]"), "");
    assert_eq!(form("email")[0].0, "notify.refusal.form");
    for own in ["announcement", "app", "console", "page", "prominent", "screen", "spoken"] {
        assert_eq!(form(own), [], "{own}");
    }
    let wrong = Draft::parse(&format!("extends = \"sound.toml\"\n{}", by("pigeon")), Some(SOUND)).unwrap_err();
    let wrong = wrong.to_string();
    let place = "line 4: notify.shutdown.channels.0: `pigeon` is not known here; what is: ";
    assert!(wrong.starts_with(place) && wrong.contains("letter"), "{wrong}");
}

#[test]
fn a_service_that_ends_some_day_is_no_end_of_what_nobody_deletes() {
    let text = "remove = [\"category.memory_summary.retention.max\"]\n[category.memory_summary.retention]\n\
                trigger = \"user.deleted_item|service.ended\"";
    let expected = [("RET_UNTIL_USER_DELETE_NO_CAP".to_owned(), "category.memory_summary.retention".to_owned())];
    assert_eq!(open(&draft(text)), expected);
}
