//! One clause of each sort, laid over the home profile.

use super::*;
use crate::profile::Draft;

const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");
const CLAUSES: &str = r#"
extends = "home.toml"
clause = [
  { id = "T-1", says = "Nothing is kept of speech.", tests = ["engine/policy/tests/home.rs::every_cell"] },
  { id = "T-2", says = "Nobody else is told." },
  { id = "T-3", says = "It is deleted in time.", tests = ["x.rs::y"], awaits = "a retention executor" },
  { id = "T-4", says = "Staff are trained.", outside = "a duty of people" },
  { id = "T-5", says = "What nothing allows is refused.", engine = "the gates", tests = ["x.rs::y"] },
  { id = "T-6", says = "Nobody has thought of this." },
  { id = "T-7", says = "Awaits and stands outside.", awaits = "a desk", outside = "it is a letter" },
]
[category.voice_audio]
src = ["T-1(2)", "T-3"]
[controller]
src = ["T-2"]
[minors]
src = ["T-1"]
"#;

fn coverage() -> Coverage {
    Coverage::of(Draft::parse(CLAUSES, Some(HOME)).unwrap().document())
}

#[test]
fn each_clause_stands_where_it_should() {
    let standings = coverage().clauses.iter().map(|c| (c.id.to_string(), c.standing)).collect::<Vec<_>>();
    let expected = [
        ("T-1", Standing::Kept),
        ("T-2", Standing::Untested),
        ("T-3", Standing::Awaits),
        ("T-4", Standing::Outside),
        ("T-5", Standing::Kept),
        ("T-6", Standing::Open),
        ("T-7", Standing::Awaits),
    ];
    assert_eq!(standings, expected.map(|(id, standing)| (id.to_owned(), standing)));
}

#[test]
fn totals_add_up_and_awaiting_is_not_kept() {
    let totals = coverage().totals;
    assert_eq!(totals, Totals { clauses: 7, kept: 2, untested: 1, awaits: 2, outside: 1, open: 1 });
    assert_eq!(totals.clauses, totals.kept + totals.untested + totals.awaits + totals.outside + totals.open);
}

#[test]
fn items_are_named_by_their_keys() {
    let kept = &coverage().clauses[0];
    assert_eq!(kept.items, ["minors", "category.voice_audio"], "an item of a list within a clause counts for it");
}

#[test]
fn reads_as_a_table() {
    let table = coverage().to_string();
    let expected = "\
home revision 1: 7 clauses: 2 kept and tested, 1 kept without a test, 2 awaiting, 1 outside of the engine, 1 open
T-1         kept      Nothing is kept of speech.
            by        minors, category.voice_audio
            test      engine/policy/tests/home.rs::every_cell
T-2         untested  Nobody else is told.
            by        controller
T-3         awaits    It is deleted in time.
            by        category.voice_audio
            test      x.rs::y
            awaits    a retention executor
";
    assert!(table.starts_with(expected), "{table}");
}

#[test]
fn reads_as_json() {
    let json = serde_json::to_value(coverage()).unwrap();
    assert_eq!(json["totals"]["awaits"], 2);
    assert_eq!(json["clauses"][2]["standing"], "awaits");
    assert_eq!(json["clauses"][3]["outside"], "a duty of people");
    assert!(json["clauses"][0].get("outside").is_none());
}
