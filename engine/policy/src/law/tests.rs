use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use super::*;
use crate::Deadline;
use crate::profile::{Mechanism, RightKind};

fn floor(name: &str) -> &'static LawFloor {
    LawFloor::named(name).expect(name)
}

fn kinds(floor: &LawFloor) -> BTreeSet<RightKind> {
    floor.rights().iter().map(|rule| rule.kind).collect()
}

#[test]
fn every_law_file_is_embedded_and_marked_as_unchecked() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("law");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let parsed = LawFloor::parse(&text).unwrap();
        let name = parsed.laws().next().unwrap();
        assert_eq!(name.split('@').next(), path.file_stem().unwrap().to_str());
        let known = if name == "common@1" { Some(LawFloor::common()) } else { LawFloor::named(name) };
        assert_eq!(known, Some(&parsed));
        assert!(text.contains("To be checked by a lawyer"), "{name}");
        files += 1;
    }
    assert_eq!(files, LawFloor::embedded().len() + 1);
}

#[test]
fn the_strictest_of_several_laws_governs() {
    let both = LawFloor::strictest([floor("cn-pipl@2021"), floor("gdpr@2016-679"), floor("coppa@2025")]);
    assert_eq!(both.laws().count(), 3);
    assert_eq!(both.guardian().map(|rule| rule.below), Some(16));
    assert_eq!(both.consent(Matter::SpecialCategory), Some((ConsentType::ExplicitlyExpressed, true)));
    assert_eq!(
        floor("gdpr@2016-679").consent(Matter::SpecialCategory),
        Some((ConsentType::ExplicitlyExpressed, false))
    );
    assert_eq!(both.consent(Matter::Training), None);
    let answers: Vec<_> = both.answers().iter().map(|rule| rule.within.to_string()).collect();
    assert_eq!(answers, ["P15WD", "P1M"]);
}

#[test]
fn together_laws_ask_for_everything_that_each_asks_and_for_nothing_twice() {
    for one in LawFloor::embedded() {
        assert_eq!(&LawFloor::strictest([one, one]), one);
        for other in LawFloor::embedded() {
            let both = LawFloor::strictest([one, other]);
            assert_eq!(kinds(&both), &kinds(one) | &kinds(other));
            assert!(both.guardian().map(|g| g.below) >= one.guardian().map(|g| g.below));
            for matter in [Matter::SpecialCategory, Matter::Provision, Matter::Overseas, Matter::Training] {
                assert!(both.consent(matter) >= one.consent(matter));
            }
        }
    }
}

#[test]
fn thresholds_of_transfers_are_reached_by_people_or_by_sensitive_data() {
    let china = floor("cn-xborder@2024-03-22");
    let suffices = |mechanism, persons, sensitive| {
        china.transfers(persons, sensitive).all(|rule| rule.any_of.contains(&mechanism))
    };
    assert!(suffices(Mechanism::None, 99_999, 0));
    for (persons, sensitive) in [(100_000, 0), (999_999, 9_999), (1, 1)] {
        assert!(!suffices(Mechanism::None, persons, sensitive));
        assert!(suffices(Mechanism::Certification, persons, sensitive));
    }
    for (persons, sensitive) in [(1_000_000, 0), (10_000, 10_000)] {
        assert!(!suffices(Mechanism::StandardContract, persons, sensitive));
        assert!(suffices(Mechanism::SecurityAssessment, persons, sensitive));
    }
}

#[test]
fn laws_bind_where_they_are_made_and_whom_they_name() {
    let binding =
        |jurisdiction, companion| LawFloor::embedded().iter().filter(|law| law.binds(jurisdiction, companion)).count();
    assert_eq!((binding("CN", false), binding("CN", true)), (3, 4));
    for (place, laws) in
        [("EU", 1), ("DE", 1), ("IE", 1), ("NO", 1), ("US", 1), ("PR", 1), ("HK", 0), ("GB", 0), ("*", 0)]
    {
        assert_eq!(binding(place, true), laws, "{place}");
    }
    assert!(floor("gdpr@2016-679").binds("FR", false) && !floor("gdpr@2016-679").binds("CH", false));
}

#[test]
fn what_is_common_is_asked_of_every_profile_and_no_law_that_gives_rights_asks_less() {
    let common = LawFloor::common();
    assert!(["CN", "DE", "GB", "*"].into_iter().all(|place| common.binds(place, false)));
    assert_eq!(&LawFloor::of([]), common);
    assert_eq!(&LawFloor::of(["no-such-law@1"]), common);
    assert_eq!(common.guardian().map(|rule| rule.below), Some(13));
    for law in LawFloor::embedded().iter().filter(|law| !law.rights().is_empty()) {
        assert!(kinds(common).is_subset(&kinds(law)), "{:?}", law.laws);
        assert!(common.guardian().map(|rule| rule.below) <= law.guardian().map(|rule| rule.below), "{:?}", law.laws);
        let name = law.laws().next().unwrap();
        let both = LawFloor::of([name]);
        assert_eq!(
            (&both.rights()[0], both.guardian()),
            (&law.rights()[0], law.guardian()),
            "one's own law is told of"
        );
    }
}

#[test]
fn a_citation_is_written_as_it_is_read() {
    for text in ["PIPL 31 [K]", "GDPR 12(3) [P]"] {
        let citation: Citation = text.parse().unwrap();
        assert_eq!(serde_json::to_value(&citation).unwrap(), text);
    }
}

#[test]
fn keeps_the_words_of_a_law_that_has_no_number() {
    let told = |name, severity| {
        let rules = floor(name).incidents().iter();
        rules.filter(|rule| rule.when == severity).map(|rule| rule.within.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(told("cn-incident@2025-11-01", Severity::RelativelyMajor), ["PT4H"]);
    assert_eq!(told("cn-pipl@2021", Severity::Any), ["immediately", "immediately"]);
    assert!(matches!(floor("cn-pipl@2021").retentions()[0].at_most, Deadline::Vague(_)));
}

#[test]
fn says_what_is_wrong_with_a_file() {
    let file = |id: &str, src: &str| {
        LawFloor::parse(&format!(
            "id = \"{id}\"\nbinds = [\"CN\"]\n[rules]\nguardian = [{{ below = 14, src = \"{src}\" }}]"
        ))
    };
    assert!(file("x@1", "X 1 [K]").is_ok());
    for id in ["x", "@1", "x@", ""] {
        assert_eq!(file(id, "X 1 [K]"), Err(LawError::Id(id.to_owned())));
    }
    for src in ["X 1", "X 1 [S]", " [K]", ""] {
        let refused = file("x@1", src).unwrap_err().to_string();
        assert!(refused.contains("is not a source"), "{refused}");
    }
    let bound = |places: &str| LawFloor::parse(&format!("id = \"x@1\"\nbinds = [{places}]\n[rules]"));
    assert!(bound("\"CN\", \"*\"").is_ok());
    assert_eq!(bound(""), Err(LawError::Nowhere));
    let refused = bound("\"China\"").unwrap_err().to_string();
    assert!(refused.starts_with("binds: `China`") && refused.ends_with("did you mean `CN`?"), "{refused}");
    assert!(LawFloor::parse("id = \"x@1\"\nbinds = [\"CN\"]").is_err(), "no rules");
    assert!(
        LawFloor::parse("id = \"x@1\"\nbinds = [\"CN\"]\n[rules]\nrights = []").is_err(),
        "an unknown sort of rule"
    );
}
