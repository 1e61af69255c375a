//! What each key says when it changes, both ways: what gives more, or protects people less, is material, and its reverse
//! is less.

use super::ChangeKind::{Data, Less, Method, Protection, Region, Retention, Right};
use super::*;
use crate::Profile;
use crate::profile::Draft;

const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");

/// The profile of a home with `changes`, whatever the linter finds in it.
fn home(changes: &str) -> Profile {
    Draft::parse(&format!("extends = \"home.toml\"\n{changes}"), Some(HOME)).unwrap().unlinted()
}

/// What changes from one text to the other.
fn changes(was: &str, is: &str) -> Vec<Change> {
    diff(home(was).document(), home(is).document()).changes
}

/// Checks that from each text to the next one is a change of `kind` at `key`, and back is less.
fn grows(kind: ChangeKind, key: &str, cases: &[(&str, &str)]) {
    for (was, is) in cases {
        for (was, is, kind) in [(was, is, kind), (is, was, Less)] {
            let found = changes(was, is);
            let kinds: Vec<_> = found.iter().filter(|change| change.key == key).map(|change| change.kind).collect();
            assert_eq!(kinds, [kind], "{key} from {was} to {is}: {found:#?}");
            assert_eq!(
                found.iter().any(|change| change.kind.is_material()),
                kind.is_material(),
                "{was} to {is}: {found:#?}"
            );
        }
    }
}

/// The same of `keys` of `section`.
fn grows_in(section: &str, kind: ChangeKind, key: &str, cases: &[(&str, &str)]) {
    for (was, is) in cases {
        let [was, is] = [was, is].map(|text| format!("[{section}]\n{text}\n"));
        grows(kind, &format!("{section}.{key}"), &[(&was, &is)]);
    }
}

#[test]
fn each_key_of_a_category_counts_as_what_it_does() {
    let memory = "category.memory_summary";
    for (kind, key, was, is) in [
        (Protection, "sensitivity", "sensitivity = \"high\"", "sensitivity = \"normal\""),
        (Data, "identifies", "identifies = \"pseudonymised\"", "identifies = \"directly\""),
        (Method, "at_rest", "at_rest = \"forbidden\"", "at_rest = \"allowed\""),
        (Method, "content_free", "content_free = false", "content_free = true"),
        (
            Protection,
            "min_consent_type",
            "min_consent_type = \"ExplicitlyExpressedConsent\"",
            "min_consent_type = \"ExpressedConsent\"",
        ),
        (Protection, "separate", "separate = true", "separate = false"),
        (Protection, "written", "written = true", "written = false"),
        (
            Protection,
            "in_region",
            "in_region = { overseas = { min_consent_type = \"ExplicitlyExpressedConsent\" } }",
            "in_region = { overseas = { min_consent_type = \"ExpressedConsent\" } }",
        ),
        (Protection, "in_region", "in_region = { overseas = { separate = true } }", ""),
        (
            Protection,
            "in_region",
            "in_region = { overseas = { min_consent_type = \"ExpressedConsent\", separate = true } }",
            "in_region = { overseas = { min_consent_type = \"ExpressedConsent\" } }",
        ),
        (Method, "derived_from", "derived_from = [\"transcript\"]", "derived_from = [\"transcript\", \"voice_audio\"]"),
    ] {
        grows_in(memory, kind, key, &[(was, is)]);
    }
}

#[test]
fn what_is_said_to_lead_to_nobody_is_more_and_so_is_the_way_back() {
    let [named, nobody] =
        ["directly", "anonymised"].map(|how| format!("[category.memory_summary]\nidentifies = \"{how}\"\n"));
    for (was, is, what) in [(&named, &nobody, "leading to nobody"), (&nobody, &named, "more closely")] {
        let found = changes(was, is);
        let change = found.iter().find(|change| change.key == "category.memory_summary.identifies").unwrap();
        assert_eq!(change.kind, Data, "{change}");
        assert!(change.what.contains(what), "{change}");
    }
}

#[test]
fn what_can_be_refused_no_longer_is_a_right_of_those_who_could() {
    let needed = |was: &str, is: &str| {
        let [was, is] = [was, is].map(|how| {
            format!(
                "[category.memory_summary]\nnecessity = \"{how}\"\npurposes = [\"memory\", \"voice_interaction\"]\n"
            )
        });
        let found = changes(&was, &is);
        let change = found.into_iter().find(|change| change.key.ends_with(".necessity")).unwrap();
        (change.kind, change.cells.into_iter().map(|cell| cell.purpose).collect::<Vec<_>>())
    };
    let both = vec![Purpose::MEMORY, Purpose::MEMORY];
    assert_eq!(needed("Optional", "Required").0, Right);
    assert_eq!(needed("Optional", "Required_for:memory"), (Right, both.clone()));
    assert_eq!(needed("Required_for:voice_interaction", "Required_for:memory"), (Right, both));
    for less in ["Required_for:memory", "Optional"] {
        assert_eq!(needed("Required", less), (Less, Vec::new()));
    }
    assert_eq!(needed("Required_for:memory", "Optional"), (Less, Vec::new()));
}

#[test]
fn to_keep_for_longer_or_to_end_less_thoroughly_is_more() {
    let rule = |text: &str| format!("[category.memory_summary]\nretention = {{ trigger = \"withdraw\", {text} }}\n");
    for (was, is) in [
        ("after = \"P1D\", action = \"erase\"", "after = \"P2D\", action = \"erase\""),
        ("after = \"P1D\", action = \"erase\"", "after = \"promptly\", action = \"erase\""),
        ("after = \"P1D\", action = \"erase\", max = \"P3D\"", "after = \"P1D\", action = \"erase\", max = \"P4D\""),
        ("after = \"P1D\", action = \"erase\", max = \"P3D\"", "after = \"P1D\", action = \"erase\""),
        ("after = \"P1D\", action = \"erase\"", "after = \"P1D\", action = \"erase\", tolerance = \"PT2H\""),
        (
            "after = \"P1D\", action = \"erase\", tolerance = \"PT2H\"",
            "after = \"P1D\", action = \"erase\", tolerance = \"PT3H\"",
        ),
        ("after = \"P1D\", action = \"zeroise\"", "after = \"P1D\", action = \"erase\""),
        ("after = \"P1D\", action = \"erase\"", "after = \"P1D\", action = \"erase_or_anonymise\""),
        ("after = \"P1D\", action = \"pseudonymise\"", "after = \"P1D\", action = \"restrict\""),
        (
            "after = \"P1D\", action = \"zeroise\", on_withdraw = \"zeroise\"",
            "after = \"P1D\", action = \"zeroise\", on_withdraw = \"erase\"",
        ),
        (
            "after = \"P1D\", action = \"erase\", processors_must_confirm = true",
            "after = \"P1D\", action = \"erase\", processors_must_confirm = false",
        ),
    ] {
        grows(Retention, "category.memory_summary.retention", &[(&rule(was), &rule(is))]);
    }
}

#[test]
fn what_protects_everybody_is_less_when_it_reaches_less_far() {
    grows_in(
        "minors",
        Protection,
        "guardian_required_below",
        &[("guardian_required_below = 14", "guardian_required_below = 13")],
    );
    grows_in(
        "minors",
        Protection,
        "special_regime_below",
        &[("special_regime_below = 18", "special_regime_below = 16")],
    );
    grows_in(
        "minors",
        Protection,
        "erase_on_discovery",
        &[("erase_on_discovery = \"P1D\"", "erase_on_discovery = \"P2D\"")],
    );
    grows_in(
        "minors",
        Protection,
        "verify_methods",
        &[("verify_methods = [\"in_person\"]", "verify_methods = [\"in_person\", \"guardian_phone_code\"]")],
    );
    let child = |rule: &str| format!("[minors.overrides.memory_summary]\n{rule}\n");
    for (was, is) in [
        ("forbidden = true", "no_store = true"),
        ("forbidden = true", "forbidden = false"),
        ("forbidden = true", "after = \"P1D\""),
        ("no_store = true", "no_store = false"),
        ("no_store = true", "after = \"P1D\""),
        ("after = \"P1D\"", "after = \"P2D\""),
        ("after = \"P1D\"", "no_store = false"),
    ] {
        grows(Protection, "minors.overrides.memory_summary", &[(&child(was), &child(is))]);
    }
    let never = "{ category = \"transcript\", processing = \"Share\" }";
    let also = "prohibition = [{ purpose = \"Marketing\" }, ";
    grows(Protection, "prohibition", &[(&format!("{also}{never}]\n"), &format!("{also}]\n"))]);
    grows_in(
        "transfers",
        Protection,
        "sensitive_subjects_max",
        &[("sensitive_subjects_max = 5", "sensitive_subjects_max = 6"), ("sensitive_subjects_max = 5", "")],
    );
    grows_in("transfers", Region, "overseas", &[("overseas = false", "overseas = true")]);
    grows_in(
        "transfers",
        Region,
        "storage",
        &[("storage = [\"CN\"]", "storage = [\"CN\", \"DE\"]"), ("storage = [\"CN\"]", "")],
    );
    grows_in(
        "retention",
        Retention,
        "test_platform_max",
        &[("test_platform_max = \"P7D\"", "test_platform_max = \"P8D\"")],
    );
    grows_in("retention", Protection, "backup_purge", &[("backup_purge = \"P7D\"", "backup_purge = \"P8D\"")]);
}

#[test]
fn an_exemption_reaches_further_when_it_takes_less_or_is_for_more() {
    let kept = |rest: &str| format!("exemption = [{{ code = \"X04\", {rest} }}]\n");
    for (was, is) in [
        ("scope = [\"share_publish\"], max = \"P7D\"", "scope = [\"share_publish\", \"collect_use\"], max = \"P7D\""),
        ("scope = [\"share_publish\"], max = \"P7D\"", "scope = [\"share_publish\"], max = \"P8D\""),
        (
            "scope = [\"share_publish\"], max = \"P7D\", approvers = 3",
            "scope = [\"share_publish\"], max = \"P7D\", approvers = 2",
        ),
        (
            "scope = [\"share_publish\"], max = \"P7D\", categories = [\"transcript\"]",
            "scope = [\"share_publish\"], max = \"P7D\", categories = [\"transcript\", \"voice_audio\"]",
        ),
        (
            "scope = [\"share_publish\"], max = \"P7D\", categories = [\"transcript\"]",
            "scope = [\"share_publish\"], max = \"P7D\"",
        ),
        (
            "scope = [\"share_publish\"], max = \"P7D\"",
            "scope = [\"share_publish\"], max = \"P7D\", de_identified_counts = true",
        ),
    ] {
        grows(Protection, "exemption.X04", &[(&kept(was), &kept(is))]);
    }
    grows(Protection, "exemption.X04", &[("", &kept("scope = [\"share_publish\"], max = \"P7D\""))]);
}

/// The change at `key`: its kind, and whose agreement it touches.
fn change_at(key: &str, was: &str, is: &str) -> (ChangeKind, BTreeSet<Purpose>) {
    let found = changes(was, is).into_iter().find(|change| change.key == key).unwrap();
    (found.kind, found.cells.into_iter().map(|cell| cell.purpose).collect())
}

#[test]
fn whoever_needs_a_purpose_first_is_touched_where_it_is_asked_for_together() {
    let talk = |separate: bool, more: &str| {
        format!("purpose = [{{ id = \"voice_interaction\", separate = {separate} }}, {{ id = \"memory\", {more} }}]\n")
    };
    let key = "purpose.voice_interaction.separate";
    let (alone, first) = ("title = { en = \"Memory\", zh = \"记忆\" }", "requires = [\"voice_interaction\"]");
    let touched = |more: &str| change_at(key, &talk(true, more), &talk(false, more));
    assert_eq!(touched(alone), (Protection, [Purpose::VOICE_INTERACTION].into()));
    assert_eq!(touched(first), (Protection, [Purpose::VOICE_INTERACTION, Purpose::MEMORY].into()));
    assert_eq!(change_at(key, &talk(false, first), &talk(true, first)).0, Less);
}

#[test]
fn to_end_what_a_purpose_was_shut_for_opens_it() {
    let done = |list: &str| format!("purpose = [{{ id = \"memory\", processing = [{list}] }}]\n");
    let key = "purpose.memory.processing";
    grows(Method, key, &[(&done("\"Store\""), &done("\"Store\", \"Copy\""))]);
    assert_eq!(
        change_at(key, &done("\"Store\", \"Share\""), &done("\"Store\"")).0,
        Method,
        "it took a clearer consent"
    );
    let never = "prohibition = [{ category = \"transcript\", processing = \"Copy\" }]\n";
    let [was, is] = [done("\"Store\", \"Copy\""), done("\"Store\"")].map(|text| format!("{never}{text}"));
    assert_eq!(change_at(key, &was, &is).0, Method, "it stood against it");
}

#[test]
fn a_clock_that_waits_for_who_somebody_is_starts_later() {
    grows_in(
        "rights",
        Right,
        "clock_start",
        &[
            ("clock_start = [\"received\"]", "clock_start = [\"identity_verified\"]"),
            ("clock_start = [\"received\", \"identity_verified\"]", "clock_start = [\"identity_verified\"]"),
            ("clock_start = []", "clock_start = [\"identity_verified\"]"),
        ],
    );
}

#[test]
fn what_is_material_is_told_first() {
    let is = "[category.memory_summary]\nat_rest = \"forbidden\"\nidentifies = \"anonymised\"\n";
    let material: Vec<_> = changes("", is).iter().map(|change| change.kind.is_material()).collect();
    assert!(material.contains(&true) && material.contains(&false), "{material:?}");
    assert!(material.is_sorted_by(|before, after| before >= after), "{material:?}");
}
