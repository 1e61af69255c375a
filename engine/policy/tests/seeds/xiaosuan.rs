//! The XiaoSuan cloud phone SDK: XS, seed 003.

use std::collections::BTreeSet;

use sayso_policy::AgeBand;
use sayso_policy::profile::Necessity;
use sayso_types::{Category, Purpose, RegionClass};

use crate::seed::{Expected, Person, Seed, assert_decisions};

const SEED: Seed = Seed {
    written: include_str!("../../../../deploy/profiles/xiaosuan.toml"),
    lawful: include_str!("../../../../deploy/profiles/xiaosuan-lawful.toml"),
};

const CLAUSES: &str = "
    XS-0.1 XS-0.2
    XS-I.1n XS-I.1o XS-I.1p XS-I.2 XS-I.3 XS-I.4
    XS-II.1 XS-II.1.1 XS-II.2 XS-II.3 XS-II.4
    XS-III.1 XS-III.2 XS-III.3.1 XS-III.3.2 XS-III.3.3 XS-III.3.4 XS-III.3.5 XS-III.3.6
    XS-IV.1 XS-IV.2
    XS-V.1 XS-V.2a XS-V.2b XS-V.3 XS-V.4 XS-V.5 XS-V.6
    XS-VI.1 XS-VI.2 XS-VII";

const EXPECTED: &[Expected] = &[
    ("PIA_MISSING", "purpose.share.impact_assessment", "XS-II.1.1; cn-pipl:55: no assessment is on record"),
    ("CTRL_MISSING", "controller.contact", "7.5 (XS address); XS-VII, defect D5"),
    ("RIGHT_CHANNEL_UNREACHABLE", "controller.contact.email", "defect D5: a host name is no e-mail address; XS-VII"),
    (
        "KEPT_SHORTER_THAN_LAW",
        "purpose.security.basis_code",
        "XS-I.2, XS-III.2; clauses 1.6.3 (network logs, by law): logs to keep the service safe have no figure",
    ),
    (
        "RET_MISSING",
        "category.accelerometer.retention category.app_info.retention category.clipboard.retention \
         category.coordinates.retention category.device_info.retention category.external_storage.retention \
         category.gravity.retention category.gyroscope.retention category.image.retention \
         category.ip_address.retention category.log_info.retention category.magnetometer.retention \
         category.partner_info.retention category.usage_info.retention category.voice_audio.retention \
         category.wifi_name.retention",
        "7.5 (XS); XS-III.2, clauses 1.6.3, defect D8",
    ),
    ("NECESSITY_UNFLAGGED", "category.log_info.necessity category.usage_info.necessity", "clauses 1.6.1, marked ?"),
    ("EXEMPTION_NOT_IN_LAW", "exemption.X12", "7.5 (X12); clauses 1.6.5: XS-I.4(10)"),
    (
        "VAGUE_TIME",
        "incident.regulator.within incident.subjects.within minors.erase_on_discovery notify.shutdown.within \
         retention.backup_purge retention.default.after",
        "7.5; XS-III.2, XS-III.3.5, XS-IV.2, XS-V.2b, XS-V.5, clauses 1.6.3 and 1.6.6",
    ),
    ("RIGHT_MISSING", "rights.offers.deceased_relatives rights.offers.object", "7.5; clauses 1.6.4"),
    ("REVISION_SILENT_ACCEPT", "revision.material", "7.5 (XS); XS-VI.2, conflict C2"),
    (
        "NOTICE_NOT_CARRIED_OUT",
        "incident.subjects.channels notify.request_outcome.form notify.shutdown.channels",
        "clauses 1.6.2 (who sends them is not named); XS-III.3.5, XS-V.5, XS-VII",
    ),
];

/// The switches: what is switched, and the category whose stream it opens.
const SWITCHES: [(&str, &str); 10] = [
    ("accelerometer", "accelerometer"),
    ("magnetometer", "magnetometer"),
    ("gyroscope", "gyroscope"),
    ("gravity", "gravity"),
    ("wifi_name", "wifi_name"),
    ("position", "coordinates"),
    ("camera", "image"),
    ("microphone", "voice_audio"),
    ("clipboard", "clipboard"),
    ("storage", "external_storage"),
];

/// What the cloud phone needs.
const BASIC: [&str; 3] = ["device_info", "ip_address", "app_info"];

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

/// What reaches the cloud phone of `person`: every pair of purpose and category is tried.
fn streams(person: &Person) -> BTreeSet<(String, String)> {
    let profile = SEED.lawful();
    let mut open = BTreeSet::new();
    for purpose in profile.purposes() {
        for (category, _) in profile.categories() {
            let answer = person.ask(&profile, &format!("{}/{category}/cloud-phone", purpose.id));
            if answer == "Consent" {
                open.insert((purpose.id.to_string(), category.to_string()));
            }
        }
    }
    open
}

fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeSet<(String, String)> {
    pairs.into_iter().map(|(purpose, category)| (purpose.to_owned(), category.to_owned())).collect()
}

#[test]
fn basic_information_opens_the_cloud_phone_and_no_switch() {
    assert_eq!(streams(&Person::adult()), pairs([]));
    let agreed = Person::adult().yes("data_flow service_analysis");
    assert_eq!(streams(&agreed), pairs(BASIC.map(|category| ("data_flow", category))));
}

#[test]
fn every_set_of_switches_opens_exactly_its_streams() {
    let profile = SEED.lawful();
    for set in 0..1_u32 << SWITCHES.len() {
        let on = |at: usize| set >> at & 1 == 1;
        let mut person = Person::adult();
        for (at, (purpose, _)) in SWITCHES.iter().enumerate() {
            person = if on(at) { person.yes(purpose) } else { person };
        }
        for (at, (purpose, category)) in SWITCHES.iter().enumerate() {
            let answer = person.ask(&profile, &format!("{purpose}/{category}/cloud-phone"));
            assert_eq!(answer, if on(at) { "Consent" } else { "no_basis" }, "{purpose} with switches {set:#b}");
        }
    }
    // and nothing comes along with a switch
    for switch in SWITCHES {
        assert_eq!(streams(&Person::adult().yes(switch.0)), pairs([switch]));
    }
}

/// Every optional category has a switch, and every permission of the phone leads to one category.
#[test]
fn each_permission_of_the_phone_belongs_to_one_switch() {
    let profile = SEED.lawful();
    let mut seen = BTreeSet::new();
    for (purpose, category) in SWITCHES {
        let rule = profile.category(category.parse::<Category>().unwrap()).unwrap();
        assert_eq!(rule.necessity, Some(Necessity::Optional), "{category}");
        assert!(rule.purposes.contains(&purpose.parse::<Purpose>().unwrap()), "{category}");
        assert!(!rule.capability.is_empty(), "{category}: no permission to take away");
        for capability in &rule.capability {
            assert!(seen.insert(capability.clone()), "{capability} belongs to two switches");
            let ended = profile.purposes_needing(capability.parse().unwrap());
            assert!(ended.contains(&purpose.parse().unwrap()), "{capability} ends {ended:?}");
        }
        for language in ["en", "zh"] {
            assert!(rule.refusal_effect.contains_key(&language.parse().unwrap()), "{category} in {language}");
        }
    }
    let android = ["camera", "microphone", "storage_read", "storage_write", "location_fine", "location_coarse"];
    for permission in android {
        assert!(seen.contains(permission), "{permission}");
    }
}

#[test]
fn withdrawing_one_switch_closes_it_and_no_other() {
    let on = |left_out: &str| {
        let on = SWITCHES.iter().filter(|(purpose, _)| *purpose != left_out);
        on.fold(Person::adult().yes("data_flow"), |person, (purpose, _)| person.yes(purpose))
    };
    let all = streams(&on(""));
    for switch in SWITCHES {
        assert_eq!(streams(&on(switch.0)), &all - &pairs([switch]));
    }
}

#[test]
fn decisions() {
    let stranger = Person::adult();
    let agreed = Person::adult().yes("data_flow service_analysis");
    let positioned = Person::adult().yes("data_flow position");
    let everything = Person::adult().yes_to_each(
        "data_flow service_analysis position security_position improve microphone camera clipboard share publish",
    );
    SEED.decides(&[
        (&stranger, "notice/notice_text/voice-local", "LegalObligation", "XS-0.1: who is asked must be told"),
        (&stranger, "consent_answer/voice_audio/whisper-local", "EnterIntoContract", "the answer to the question"),
        (&stranger, "data_flow/device_info/cloud-phone", "no_basis", "XS-I.4: consent, where no exemption holds"),
        (&agreed, "data_flow/device_info/cloud-phone", "Consent", "XS-I.1n"),
        (&agreed, "service_analysis/app_info/operations", "Consent", "XS-I.1n"),
        (&agreed, "data_flow/coordinates/cloud-phone", "unknown_cell", "XS-I.1o: positions have a switch of their own"),
        // what XiaoSuan does for itself
        (&stranger, "security/log_info/operations", "LegalObligation", "XS-I.2"),
        (&stranger, "security/device_info/operations", "LegalObligation", "XS-I.2"),
        (
            &stranger,
            "security/coordinates/operations",
            "unknown_cell",
            "XS-I.2: a position only by a consent of its own",
        ),
        (&positioned, "security_position/coordinates/operations", "no_basis", "XS-I.2: to show a position is not that"),
        (&everything, "security_position/coordinates/operations", "Consent", "XS-I.2"),
        (&agreed, "improve/usage_info/operations", "no_basis", "XS-I.2: safe and better are two things"),
        (&everything, "improve/voice_audio/cloud-phone", "unknown_cell", "XS-I.2: nothing that people said"),
        (&everything, "improve/image/cloud-phone", "unknown_cell", "XS-I.2: nothing that people showed"),
        (&everything, "security/clipboard/cloud-phone", "unknown_cell", "XS-I.2: nothing that people wrote"),
        // statistics are about nobody
        (&stranger, "statistics/anonymous_statistics/operations", "LegitimateInterest", "XS-I.3"),
        (&everything, "statistics/usage_info/operations", "unknown_cell", "XS-I.3: only what is anonymised"),
        // nobody publishes anything
        (&everything, "publish/device_info/operations", "unknown_cell", "XS-II.3"),
        (&everything, "advertising/device_info/operations", "unknown_cell", "XS-I.4: no purpose but these"),
        (&agreed.clone().asked_a_revision_ago(), "data_flow/device_info/cloud-phone", "no_basis", "XS-VI.2, C2"),
        (
            &agreed.clone().no_further_than(RegionClass::Local),
            "data_flow/device_info/cloud-phone",
            "region",
            "XS-III.1",
        ),
    ]);
}

#[test]
fn sharing_needs_separate_consent_and_an_examined_receiver() {
    let cell = "share/partner_info/partner-service";
    let in_passing = Person::adult().yes("data_flow share");
    let apart = Person::adult().yes_to_each("data_flow share");
    SEED.decides(&[(&apart, cell, "processor_state", "XS-II.1: nobody is named, examined and bound yet")]);

    let partner = r#"{ id = "partner-service", state = "active", party = "Example Cloud Games Co., Ltd.", contact = "privacy@example.cn", privacy_url = "https://example.cn/privacy", contract = "2026-01", trains_on_data = false, declared_retention = "P30D", deletion_api = true, due_diligence = { at = 2026-05-01, by = "privacy officer", valid = "P1Y" } }"#;
    let profile = SEED.changed("[profile]", &format!("processor = [{partner}]\n\n[profile]")).accept().unwrap();
    assert_decisions(
        &profile,
        &[
            (&in_passing, cell, "no_basis", "XS-II.1: agreed separately"),
            (&apart, cell, "Consent", "XS-II.1.1(1)"),
            (&apart, "share/usage_info/partner-service", "unknown_cell", "XS-II.1.1: what its service needs"),
            (&apart, "data_flow/device_info/partner-service", "processor_state", "XS-II.1.1: for nothing else"),
            (&apart, "share/image/partner-service", "unknown_cell", "XS-II.1.1"),
        ],
    );
}

#[test]
fn nobody_overseas_can_be_put_in_force() {
    let overseas = r#"{ id = "operations", region = "SG", region_class = "overseas" }"#;
    let draft = SEED.changed("[profile]", &format!("processor = [{overseas}]\n\n[profile]"));
    let findings = draft.lint();
    assert!(findings.iter().any(|f| f.rule.id() == "XBORDER_CONTRADICTS_LOCATION"), "{findings:?}");
    assert!(draft.accept().is_err());
}

#[test]
fn below_14_nothing_moves_without_a_guardian() {
    let child = Person::aged(AgeBand::Under14).yes("data_flow camera");
    let youth = Person::aged(AgeBand::Under16).yes("data_flow camera");
    SEED.decides(&[
        (&child, "notice/notice_text/voice-local", "LegalObligation", "XS-IV.1: a guardian must be told, too"),
        (&child, "data_flow/device_info/cloud-phone", "minor_no_guardian", "XS-IV.1"),
        (&child, "camera/image/cloud-phone", "minor_no_guardian", "XS-IV.1"),
        (&child, "security/log_info/operations", "minor_no_guardian", "XS-IV.2"),
        (&child.clone().with_guardian(), "camera/image/cloud-phone", "Consent", "XS-IV.1"),
        (&youth, "camera/image/cloud-phone", "Consent", "XS-IV.1 ends at 14"),
    ]);
}
