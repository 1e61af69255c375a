//! Who may receive, how far away, and whose data.

use super::*;
use sayso_types::TenantId;

const NOTICE: (Gate, &str) = (Gate::Speech, "notice/notice_text/voice-local");
const HEAR_ME: (Gate, &str) = (Gate::Recognition, "voice_interaction/voice_audio/stranger");

/// A home where the recogniser has `changes`.
fn hearing(changes: &str) -> InForce {
    home(&format!("processor = [{{ id = \"whisper-local\", {changes} }}]"))
}

#[test]
fn a_receiver_is_active_and_meant_for_the_data() {
    for (changes, expected) in [
        ("state = \"active\"", None),
        ("state = \"draft\"", Some(Reason::ProcessorState)),
        ("state = \"suspended\"", Some(Reason::ProcessorState)),
        ("state = \"terminated\"", Some(Reason::ProcessorState)),
        ("accepts = [\"transcript\"]", Some(Reason::ProcessorState)),
        ("accepts = []", Some(Reason::ProcessorState)),
        ("purposes = [\"consent_answer\"]", Some(Reason::ProcessorState)),
    ] {
        assert_eq!(reason(&hearing(changes), &yes(), HEARS), expected, "{changes}");
    }
    assert_eq!(reason(&home(""), &yes(), HEAR_ME), Some(Reason::ProcessorState), "nobody registered it");
}

#[test]
fn data_about_somebody_goes_no_further_than_they_let_it() {
    use RegionClass::*;
    for (there, word) in [(Local, "local"), (Domestic, "domestic"), (Overseas, "overseas")] {
        let far = |id: &str, purposes: &str| {
            home(&format!(
                "transfers.overseas = true\nprocessor = [{{ id = \"{id}\", region_class = \"{word}\", mechanism = \"adequacy\", purposes = [\"{purposes}\"] }}]"
            ))
        };
        for farthest in RegionClass::ALL {
            let state = ConsentState { farthest, ..yes() };
            let expected = (there > farthest).then_some(Reason::Region);
            assert_eq!(
                reason(&far("whisper-local", "voice_interaction"), &state, HEARS),
                expected,
                "{word} {farthest:?}"
            );
            assert_eq!(
                reason(&far("voice-local", "notice"), &state, NOTICE),
                None,
                "{word} {farthest:?}: about nobody"
            );
        }
    }
}

#[test]
fn overseas_takes_leave_and_a_legal_means() {
    for (allowed, mechanism, expected) in [
        (true, "mechanism = \"standard_contract\"", None),
        (true, "mechanism = \"none\"", Some(Reason::Region)),
        (true, "contract = \"c-1\"", Some(Reason::Region)),
        (false, "mechanism = \"standard_contract\"", Some(Reason::Region)),
        (false, "mechanism = \"none\"", Some(Reason::Region)),
    ] {
        let there = |class: &str| {
            home(&format!(
                "transfers.overseas = {allowed}\nprocessor = [{{ id = \"whisper-local\", region_class = \"{class}\", purposes = [\"voice_interaction\"], {mechanism} }}]"
            ))
        };
        assert_eq!(reason(&there("overseas"), &yes(), HEARS), expected, "{allowed} {mechanism}");
        assert_eq!(reason(&there("domestic"), &yes(), HEARS), None, "{allowed} {mechanism}: it is not overseas");
    }
}

#[test]
fn the_data_of_the_young_waits_for_a_guardian() {
    let of = |age, guardian_verified| ConsentState { age, guardian_verified, ..yes() };
    let unknown = home("defaults.unknown_age = \"minor\"");
    for (in_force, age, waits) in [
        (home(""), AgeBand::Under13, true),
        (home(""), AgeBand::Under14, true),
        (home(""), AgeBand::Under16, false),
        (home(""), AgeBand::Adult, false),
        (home(""), AgeBand::Unknown, false),
        (unknown, AgeBand::Unknown, true),
    ] {
        let expected = waits.then_some(Reason::MinorNoGuardian);
        assert_eq!(reason(&in_force, &of(age, false), HEARS), expected, "{age:?}");
        assert_eq!(reason(&in_force, &of(age, true), HEARS), None, "{age:?}, a guardian agreed");
        assert_eq!(reason(&in_force, &of(age, false), NOTICE), None, "{age:?}: or nobody could be asked");
    }
}

#[test]
fn a_switch_closes_what_it_names() {
    let acme: TenantId = "acme".parse().unwrap();
    let of = |tenant: Option<&TenantId>| ConsentState { tenant: tenant.cloned(), ..yes() };
    let category = home("").with_registry(Registry::default().without_categories([Category::VOICE_AUDIO]));
    let tenant = home("").with_registry(Registry::default().without_tenants([acme.clone()]));
    for (in_force, state, asked, expected) in [
        (&category, of(None), HEARS, Some(Reason::SwitchedOff)),
        (&category, of(None), REMEMBERS, None),
        (&tenant, of(Some(&acme)), HEARS, Some(Reason::SwitchedOff)),
        (&tenant, of(Some(&acme)), NOTICE, Some(Reason::SwitchedOff)),
        (&tenant, of(Some(&"other".parse().unwrap())), HEARS, None),
        (&tenant, of(None), HEARS, None),
    ] {
        assert_eq!(reason(in_force, &state, asked), expected, "{:?} {asked:?}", state.tenant);
    }
}

#[test]
fn what_is_restricted_is_shown_and_kept_and_used_for_nothing() {
    let state = ConsentState { restricted: [Category::MEMORY_SUMMARY].into(), ..yes() };
    for (gate, expected) in [
        (Gate::Memory, Some(Reason::Restricted)),
        (Gate::ChatHistory, Some(Reason::Restricted)),
        (Gate::Access, None),
        (Gate::Replica, None),
    ] {
        assert_eq!(reason(&home(""), &state, (gate, REMEMBERS.1)), expected, "{gate}");
    }
    assert_eq!(reason(&home(""), &state, HEARS), None, "other data");
}

#[test]
fn whom_a_grant_gives_to_is_told_from_what_is_done() {
    const KEPT: &str = "exemption = [{ code = \"X04\", scope = [\"collect_use\"], max = \"P7D\" }]\n";
    let grant = ExemptionGrant {
        id: Name::constant("case-8"),
        code: crate::profile::ExemptionCode::X04,
        clause: None,
        basis_code: "cn-pipl:13-4".to_owned(),
        subject: None,
        purposes: [Purpose::VOICE_INTERACTION].into(),
        categories: [Category::VOICE_AUDIO].into(),
        processors: ["whisper-local".parse().unwrap()].into(),
        not_before: NOW,
        not_after: WallTime(NOW.0 + DAY_MS),
        approvers: [[1; 16], [2; 16]].into(),
        evidence_hash: [7; 32],
        notify_subject_after: None,
    };
    let none = ConsentState { age: AgeBand::Adult, ..ConsentState::new() };
    for (done, given_away) in [("Analyse", false), ("Share", true), ("Publish", true)] {
        let purpose = format!("purpose = [{{ id = \"voice_interaction\", processing = [\"{done}\"] }}]");
        for (kept, is_shared) in [(KEPT.to_owned(), false), (KEPT.replace("collect_use", "share_publish"), true)] {
            let in_force = home(&format!("{kept}{purpose}")).with_exemptions([grant.clone()]);
            let expected = (given_away != is_shared).then_some(Reason::NoBasis);
            assert_eq!(reason(&in_force, &none, HEARS), expected, "{done}, kept for {kept}");
        }
    }
}

#[test]
fn what_it_rests_on_says_whether_that_is_a_grant() {
    let consent = ask(&home(""), &yes(), HEARS).unwrap();
    let law = ask(&home(""), &yes(), NOTICE).unwrap();
    assert_eq!((consent.exemption(), law.exemption()), (None, None));
    let grant = Name::constant("case-9");
    assert_eq!(Grounds { basis_ref: BasisRef::Exemption(grant), ..law }.exemption(), Some(grant));
}

#[test]
fn reasons_are_named_as_the_log_names_them() {
    let names = Reason::ALL.map(|reason| reason.to_string());
    assert_eq!(
        names,
        [
            "prohibited",
            "unknown_cell",
            "minor_no_guardian",
            "switched_off",
            "not_instructed",
            "restricted",
            "processor_state",
            "region",
            "transfer_limit",
            "account_closed",
            "no_basis",
            "taken_back",
            "not_told",
        ]
    );
    assert!(Reason::ALL.is_sorted(), "in the order of asking");
}
