//! `sayso policy show`: all that a profile says, where it says so, and what the linter finds there: where the law asks for
//! more than a value says, the finding names what the law asks.

use std::collections::BTreeMap;

use anyhow::Result;
use sayso_policy::lint::Finding;
use sayso_policy::profile::Date;
use sayso_types::WallTime;
use serde_json::{Value, json};

use super::file::ProfileFile;
use crate::output;

/// The keys of moments, which the canonical form writes as numbers.
const MOMENTS: [&str; 4] = ["effective_at", "published_at", "evidence_until", "at"];

/// A value that is no table.
struct Leaf {
    /// The table that it is in, as TOML names it.
    table: String,
    name: String,
    /// Its dotted path, as places name it.
    path: String,
    value: Value,
}

/// Prints every value with the place that it comes from, and what is found there.
pub(super) fn run(file: &ProfileFile, json: bool) -> Result<bool> {
    let document = serde_json::to_value(file.draft.document())?;
    let mut found = Vec::new();
    leaves("", "", document, &mut found);
    let mut findings = findings(file);
    if json {
        let mut values: Vec<_> = found.iter().map(|leaf| entry(file, leaf, findings.remove(&leaf.path))).collect();
        values.extend(findings.into_iter().map(|(key, found)| json!({ "key": key, "findings": told(found) })));
        output::json(&values)?;
        return Ok(true);
    }
    // what stands in no table comes first
    let mut table = "";
    for leaf in &found {
        if leaf.table != table {
            output::line(format_args!("\n[{}]", leaf.table))?;
            table = &leaf.table;
        }
        let from = origin(file, leaf).unwrap_or_else(|| "default".to_owned());
        output::line(format_args!("{} = {}  # {from}", leaf.name, toml_of(&leaf.value)))?;
        for finding in told(findings.remove(&leaf.path).unwrap_or_default()) {
            output::line(format_args!("# {finding}"))?;
        }
    }
    // what is found of more than one value, and of none
    for (key, found) in findings {
        for finding in told(found) {
            output::line(format_args!("\n# {key}: {finding}"))?;
        }
    }
    Ok(true)
}

/// What the linter finds, by key.
fn findings(file: &ProfileFile) -> BTreeMap<String, Vec<Finding>> {
    let mut findings = BTreeMap::<_, Vec<_>>::new();
    for finding in file.draft.lint() {
        findings.entry(finding.place.key.clone()).or_default().push(finding);
    }
    findings
}

fn told(findings: Vec<Finding>) -> Vec<String> {
    let told = findings.into_iter().map(|Finding { rule, message, waived, .. }| {
        let waived = waived.map(|why| format!(" (waived: {why})")).unwrap_or_default();
        format!("{}: {message}{waived}", rule.id())
    });
    told.collect()
}

/// The values that are no tables; what nobody said and no default fills is left out.
fn leaves(table: &str, path: &str, value: Value, found: &mut Vec<Leaf>) {
    let Value::Object(members) = value else { return };
    // plain values first, as TOML wants them
    let (tables, plain): (Vec<_>, Vec<_>) = members.into_iter().partition(|(_, value)| value.is_object());
    for (name, value) in plain.into_iter().filter(|(_, value)| !value.is_null()) {
        let value = written(&name, value);
        found.push(Leaf { table: table.to_owned(), path: join(path, &name), name, value });
    }
    for (name, value) in tables {
        let quoted = if name.contains('.') { format!("\"{name}\"") } else { name.clone() };
        leaves(&join(table, &quoted), &join(path, &name), value, found);
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// `value` as people write it: moments as dates, and nothing for what is not there.
fn written(name: &str, value: Value) -> Value {
    match value {
        Value::Number(ms) if MOMENTS.contains(&name) => match ms.as_u64() {
            Some(ms) => Date::Moment(WallTime(ms)).to_string().into(),
            None => Value::Number(ms),
        },
        Value::Array(entries) => entries.into_iter().map(|entry| written(name, entry)).collect(),
        Value::Object(members) => {
            let said = members.into_iter().filter(|(_, value)| !value.is_null());
            said.map(|(name, value)| (name.clone(), written(&name, value))).collect()
        }
        other => other,
    }
}

fn entry(file: &ProfileFile, leaf: &Leaf, findings: Option<Vec<Finding>>) -> Value {
    let findings = told(findings.unwrap_or_default());
    json!({ "key": leaf.path, "value": leaf.value, "from": origin(file, leaf), "findings": findings })
}

/// The file and line where a value is written; [`None`] when it is a default.
fn origin(file: &ProfileFile, leaf: &Leaf) -> Option<String> {
    let place = file.draft.stated(&leaf.path)?;
    Some(format!("{}:{}", file.file_of(&place), place.line))
}

/// A plain JSON value as TOML spells it.
fn toml_of(value: &Value) -> String {
    toml::Value::try_from(value).map_or_else(|_| value.to_string(), |value| value.to_string())
}
