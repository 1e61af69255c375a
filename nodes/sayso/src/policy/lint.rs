//! `sayso policy lint`: everything that is found, file by file.

use std::io::{IsTerminal, stdout};

use anyhow::Result;
use crossterm::style::Stylize;
use sayso_policy::lint::{Finding, Rule};
use serde_json::json;

use super::file::{self, ProfileFile};
use crate::cli::LintArgs;
use crate::output;

/// Whether nothing was found that nobody has waived.
pub(super) fn run(args: &LintArgs, json: bool) -> Result<bool> {
    if args.rules {
        rules(json)?;
        return Ok(true);
    }
    let mut fine = true;
    for path in &args.files {
        match ProfileFile::open(path) {
            Ok(file) => fine &= look(&file, json)?,
            Err(error) => {
                fine = false;
                file::refuse(Some(path), &error, json)?;
            }
        }
    }
    Ok(fine)
}

fn look(file: &ProfileFile, json: bool) -> Result<bool> {
    let found = file.draft.lint();
    for finding in &found {
        if json {
            output::line(json!({
                "file": file.file_of(&finding.place),
                "line": finding.place.line,
                "key": finding.place.key,
                "rule": finding.rule.id(),
                "source": finding.rule.source(),
                "message": finding.message,
                "waived": finding.waived,
            }))?;
        } else {
            output::line(line(file, finding))?;
        }
    }
    let waived = found.iter().filter(|finding| finding.waived.is_some()).count();
    let open = found.len() - waived;
    if !json {
        let waived = if waived == 0 { String::new() } else { format!(", {waived} waived") };
        output::line(format_args!("{}: {open} findings{waived}", file.name()))?;
    }
    Ok(open == 0)
}

fn line(file: &ProfileFile, finding: &Finding) -> String {
    let Finding { rule, place, message, waived } = finding;
    let at = format!("{}:{}:", file.file_of(place), place.line);
    let id = match (stdout().is_terminal(), waived) {
        (false, _) => rule.id().to_owned(),
        (true, None) => rule.id().red().bold().to_string(),
        (true, Some(_)) => rule.id().yellow().to_string(),
    };
    let waived = waived.as_ref().map(|why| format!(" (waived: {why})")).unwrap_or_default();
    format!("{at} {}: {id}: {message} [{}]{waived}", place.key, rule.source())
}

fn rules(json: bool) -> Result<()> {
    for rule in Rule::ALL {
        if json {
            output::line(json!({ "rule": rule.id(), "source": rule.source() }))?;
        } else {
            output::line(format_args!("{:<32}  {}", rule.id(), rule.source()))?;
        }
    }
    Ok(())
}
