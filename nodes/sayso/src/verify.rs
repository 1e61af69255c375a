//! `sayso verify`: checks an exported audit log with nothing but its files and a public key.

mod directory;
mod verdict;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sayso_audit::{LogSource, Report, Trust, VerifierKey, verify_log};
use sayso_policy::{LegalBasis, Profile};
use sayso_types::Purpose;

use self::directory::Directory;
use self::verdict::Verdict;
use crate::cli::VerifyArgs;
use crate::{config, output};

/// The keys that an export says it was signed with.
const OWN_KEYS: &str = "trust.keys";

pub(crate) fn run(args: &VerifyArgs) -> Result<ExitCode> {
    let report = check(&args.dir, args.trust.as_deref(), args.profile.as_deref())?;
    let verdict = Verdict::new(&report, args.trust.is_some());
    if args.json {
        output::json(&verdict)?;
    } else {
        output::line(&verdict)?;
    }
    Ok(if verdict.clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks the log in `dir` against the keys in `trust`, or those that lie beside it, and the profile in `profile`.
///
/// # Errors
/// When the log is not what was signed, or was not kept under that profile. A sound log may still show broken promises:
/// those are in the report.
pub(crate) fn check(dir: &Path, trust: Option<&Path>, profile: Option<&Path>) -> Result<Report> {
    let log = Directory::open(dir)?;
    let keys = match trust {
        Some(file) => read_keys(file, fs::read(file))?,
        None => read_keys(&dir.join(OWN_KEYS), log.read(OWN_KEYS))?,
    };
    let mut trust = Trust::new(keys);
    let profile = profile.map(|file| Ok::<_, anyhow::Error>((file, config::read_profile(file)?))).transpose()?;
    if let Some((_, profile)) = &profile {
        trust.without_consent = without_consent(profile);
    }
    let report = verify_log(&log, &trust).with_context(|| format!("the log in {} does not hold", dir.display()))?;
    if let Some((file, profile)) = profile
        && !report.profiles.contains(&profile.hash().to_string())
    {
        let known: Vec<_> = report.profiles.iter().map(String::as_str).collect();
        bail!(
            "{} was never in force in the log in {}: give the profile whose hash is {}",
            file.display(),
            dir.display(),
            known.join(" or ")
        );
    }
    Ok(report)
}

/// The purposes that rest on another basis than consent.
fn without_consent(profile: &Profile) -> BTreeSet<Purpose> {
    profile.purposes().filter(|rule| rule.basis != LegalBasis::Consent).map(|rule| rule.id).collect()
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
