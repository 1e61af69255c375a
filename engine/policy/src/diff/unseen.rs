//! What no comparison of a part has seen: it counts as material, so that nothing passes for wording that is more.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Change;
use crate::profile::Document;

/// What is wording, names, and where it is written, and what a receiver gets, which is told as what flows; `*` stands for
/// any name.
const TOLD_OTHERWISE: &[&[&str]] = &[
    &["profile", "rev"],
    &["profile", "title"],
    &["profile", "published_at"],
    &["profile", "effective_at"],
    &["profile", "supervisor"],
    &["source"],
    &["clause"],
    &["controller", "contact"],
    &["purpose", "*", "title"],
    &["purpose", "*", "basis_code"],
    &["purpose", "*", "impact_assessment"],
    &["category", "*", "title"],
    &["category", "*", "refusal_effect"],
    &["processor", "*", "contact"],
    &["processor", "*", "privacy_url"],
    &["processor", "*", "accepts"],
    &["processor", "*", "purposes"],
    &["processor", "*", "state"],
    &["exemption", "*", "basis_code"],
    &["incident", "*", "law"],
    &["security", "measures", "*", "how"],
    &["security", "measures", "*", "evidence_until"],
    &["notice"],
    &["lint"],
];

/// The keys at which the two differ and of which none of `changes` tells.
pub(super) fn keys(old: &Document, new: &Document, changes: &[Change]) -> Vec<String> {
    let [old, new] = [old, new].map(|document| serde_json::to_value(document).unwrap_or_default());
    let (mut path, mut found) = (Vec::new(), Vec::new());
    differing(&mut path, &old, &new, &mut found);
    let is_told =
        |key: &String| changes.iter().any(|change| is_within(key, &change.key) || is_within(&change.key, key));
    found.retain(|key| !is_told(key));
    found
}

fn differing<'a>(path: &mut Vec<&'a str>, was: &'a Value, is: &'a Value, found: &mut Vec<String>) {
    let (Value::Object(was), Value::Object(is)) = (was, is) else {
        if plain(was) != plain(is) && !is_told_otherwise(path) {
            found.push(path.join("."));
        }
        return;
    };
    let keys: BTreeSet<&String> = was.keys().chain(is.keys()).filter(|key| *key != "src").collect();
    for key in keys {
        let of = |map: &'a Map<String, Value>| map.get(key).unwrap_or(&Value::Null);
        path.push(key);
        differing(path, of(was), of(is), found);
        path.pop();
    }
}

/// `value` without the clauses that it cites.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().filter(|(key, _)| *key != "src").map(|(key, value)| (key.clone(), plain(value))).collect()
        }
        Value::Array(entries) => entries.iter().map(plain).collect(),
        other => other.clone(),
    }
}

fn is_told_otherwise(path: &[&str]) -> bool {
    let fits = |(key, pattern): (&&str, &&str)| *pattern == "*" || key == pattern;
    TOLD_OTHERWISE.iter().any(|text| text.len() <= path.len() && path.iter().zip(*text).all(fits))
}

/// Whether `key` is `whole` or a key below it.
fn is_within(key: &str, whole: &str) -> bool {
    key.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
