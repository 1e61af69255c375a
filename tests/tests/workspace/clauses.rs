//! The tests that profiles name for their clauses: a promise may not be called tested by a test that is not there, nor by one
//! that would pass also if no node kept it.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::{all_well, root};

/// Where the profiles that ship lie.
const PROFILES: &str = "deploy/profiles";

/// What decides. A test in it asks what the profile says, and passes also where a node does not ask.
const DECIDES: &str = "engine/policy/";

/// The profiles that ship, each with its path below the workspace.
fn profiles() -> Vec<(PathBuf, Table)> {
    let parsed = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).expect("a profile can be read");
        let at = Path::new(PROFILES).join(file.file_name().expect("a file has a name"));
        (at, text.parse().expect("a profile is TOML"))
    };
    files().into_iter().map(parsed).collect()
}

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(PROFILES)).expect("the profiles can be read");
    let files = entries.map(|entry| entry.expect("the profiles can be read").path());
    let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    assert!(!files.is_empty(), "{PROFILES} holds no profiles: the test looks in the wrong place");
    files
}

/// What is wrong with `name` as the name of a test (`path/of/file.rs::test`) in this workspace, if anything.
fn missing(name: &str) -> Option<String> {
    let Some((file, test)) = name.split_once("::") else {
        return Some(format!("`{name}` is not written as path/of/file.rs::test"));
    };
    let Ok(text) = std::fs::read_to_string(root().join(file)) else {
        return Some(format!("there is no file {file}"));
    };
    // a module path before the name is for the reader
    let test = test.rsplit("::").next().unwrap_or(test);
    (!has_test(&text, test)).then(|| format!("{file} has no test `{test}`"))
}

/// Whether `text` holds a function `name` with an attribute that makes it a test.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let begins = format!("fn {name}(");
    let at = lines.iter().position(|line| line.strip_prefix("async ").unwrap_or(line).starts_with(&begins));
    at.is_some_and(|at| {
        let mut above = lines[..at].iter().rev().take_while(|line| line.starts_with('#') || line.starts_with("//"));
        above.any(|line| line.starts_with("#[") && line.contains("test"))
    })
}

fn clauses(profile: &Table) -> impl Iterator<Item = &Value> {
    profile.get("clause").and_then(Value::as_array).into_iter().flatten()
}

fn id(clause: &Value) -> &str {
    clause.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// The tests that `clause` names.
fn tests(clause: &Value) -> impl Iterator<Item = &str> {
    let tests = clause.get("tests").and_then(Value::as_array).into_iter().flatten();
    tests.map(|test| test.as_str().unwrap_or_default())
}

/// Whether `clause` is said to be kept, and shown by nothing that runs: by what the profile says alone.
fn is_shown_by_words_alone(clause: &Value) -> bool {
    let is_kept = ["outside", "awaits"].iter().all(|key| clause.get(key).is_none());
    is_kept && tests(clause).all(|test| test.starts_with(DECIDES)) && tests(clause).next().is_some()
}

#[test]
fn the_tests_that_clauses_name_exist() {
    all_well(profiles().into_iter().flat_map(|(at, profile)| {
        let wrong = clauses(&profile).flat_map(|clause| {
            let gone = tests(clause).filter_map(missing);
            gone.map(|what| format!("{}: clause {}: {what}", at.display(), id(clause))).collect::<Vec<_>>()
        });
        wrong.collect::<Vec<_>>()
    }));
}

#[test]
fn what_is_kept_is_shown_where_it_runs() {
    all_well(profiles().into_iter().flat_map(|(at, profile)| {
        let bare = clauses(&profile).filter(|clause| is_shown_by_words_alone(clause));
        let wrong = bare.map(|clause| {
            let (at, id) = (at.display(), id(clause));
            format!(
                "{at}: clause {id}: name a test that fails when a node breaks it; those in {DECIDES} ask what it says"
            )
        });
        wrong.collect::<Vec<_>>()
    }));
}

#[test]
fn a_test_that_is_not_there_is_noticed() {
    let file = "tests/tests/workspace/clauses.rs";
    assert_eq!(missing(&format!("{file}::a_test_that_is_not_there_is_noticed")), None);
    for wrong in ["a_test", "no/such/file.rs::a_test", &format!("{file}::missing"), &format!("{file}::no_such_test")] {
        assert!(missing(wrong).is_some(), "{wrong}");
    }
}

#[test]
fn a_promise_that_nothing_shows_to_run_is_noticed() {
    let clause = |text: &str| text.parse::<Table>().expect("it is TOML").remove("clause").expect("there is one");
    let bare = clause(r#"clause = { id = "T-1", tests = ["engine/policy/tests/x.rs::y"] }"#);
    assert_eq!((id(&bare), is_shown_by_words_alone(&bare)), ("T-1", true));
    let others = [
        r#"clause = { id = "T-2", tests = ["engine/policy/tests/x.rs::y", "engine/consent/tests/x.rs::y"] }"#,
        r#"clause = { id = "T-3", tests = ["engine/policy/tests/x.rs::y"], outside = "nobody can" }"#,
        r#"clause = { id = "T-4" }"#,
    ];
    assert!(others.iter().all(|other| !is_shown_by_words_alone(&clause(other))));
}
