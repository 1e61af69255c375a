//! `sayso verify`: checks an exported audit log with nothing but its files and a public key.

mod directory;
mod verdict;

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sayso_audit::{LogSource, Report, Trust, VerifierKey, verify_log};

use self::directory::Directory;
use self::verdict::Verdict;
use crate::cli::VerifyArgs;
use crate::output;

/// The keys that an export says it was signed with.
const OWN_KEYS: &str = "trust.keys";

pub(crate) fn run(args: &VerifyArgs) -> Result<ExitCode> {
    let report = check(&args.dir, args.trust.as_deref())?;
    let verdict = Verdict::new(&report, args.trust.is_some());
    if args.json {
        output::json(&verdict)?;
    } else {
        output::line(&verdict)?;
    }
    Ok(if verdict.clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks the log in `dir` against the keys in `trust`, or those that lie beside it.
///
/// # Errors
/// When the log is not what was signed. A sound log may still show broken promises: those are in the report.
pub(crate) fn check(dir: &Path, trust: Option<&Path>) -> Result<Report> {
    let log = Directory::open(dir)?;
    let keys = match trust {
        Some(file) => read_keys(file, fs::read(file))?,
        None => read_keys(&dir.join(OWN_KEYS), log.read(OWN_KEYS))?,
    };
    verify_log(&log, &Trust::new(keys)).with_context(|| format!("the log in {} does not hold", dir.display()))
}

/// The verifier keys in `file`, one a line; empty lines and those that start with `#` are passed over.
fn read_keys(file: &Path, read: io::Result<Vec<u8>>) -> Result<Vec<VerifierKey>> {
    let bytes = read.with_context(|| format!("cannot read public keys from {}", file.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let keys: Result<Vec<_>> = lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| line.parse().with_context(|| format!("{}, line {number}", file.display())))
        .collect();
    let keys = keys?;
    if keys.is_empty() {
        bail!("{} holds no public key: put one NAME+HASH+KEY a line there", file.display());
    }
    Ok(keys)
}

#[cfg(test)]
mod tests;
