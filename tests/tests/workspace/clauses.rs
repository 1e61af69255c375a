//! The tests that profiles name for their clauses: a promise may not be called tested by a test that is not there.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::{all_well, root};

/// Where the profiles that ship lie.
const PROFILES: &str = "deploy/profiles";

fn profiles() -> Vec<PathBuf> {
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

/// The tests that the clauses of `profile` name, with the clause.
fn named(profile: &Table) -> Vec<(String, String)> {
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let clauses = profile.get("clause").and_then(Value::as_array).into_iter().flatten();
    clauses
        .flat_map(|clause| {
            let tests = clause.get("tests").and_then(Value::as_array).into_iter().flatten();
            tests.map(|test| (text(clause, "id"), test.as_str().unwrap_or_default().to_owned()))
        })
        .collect()
}

#[test]
fn the_tests_that_clauses_name_exist() {
    all_well(profiles().into_iter().flat_map(|file| {
        let text = std::fs::read_to_string(&file).expect("a profile can be read");
        let profile: Table = text.parse().expect("a profile is TOML");
        let at = Path::new(PROFILES).join(file.file_name().expect("a file has a name"));
        let wrong = named(&profile)
            .into_iter()
            .filter_map(move |(clause, test)| Some(format!("{}: clause {clause}: {}", at.display(), missing(&test)?)));
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
    let profile = "clause = [{ id = \"T-1\", tests = [\"x.rs::y\"] }, { id = \"T-2\" }]".parse().expect("it is TOML");
    assert_eq!(named(&profile), [("T-1".to_owned(), "x.rs::y".to_owned())]);
}
