//! `sayso verify`: checks an exported audit log, or a receipt, with nothing but files.

mod directory;
mod receipt;
pub(crate) mod trust;
mod verdict;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sayso_audit::verify::{Rule, read_log};
use sayso_audit::{LogSource, Report, Trust};
use sayso_consent::{Replay, Replayed};
use sayso_policy::{LegalBasis, Profile};
use sayso_types::Purpose;

use self::directory::Directory;
use self::verdict::Verdict;
use crate::cli::VerifyArgs;
use crate::{config, output};

pub(crate) use receipt::check as check_receipt;

/// The keys that an export says it was signed with.
const OWN_KEYS: &str = "trust.keys";

/// What came of checking a log.
pub(crate) struct Checked {
    pub(crate) report: Report,
    /// What the profile says of it, if one was given.
    pub(crate) replayed: Option<Replayed>,
}

pub(crate) fn run(args: &VerifyArgs) -> Result<ExitCode> {
    if let Some(file) = &args.receipt {
        return receipt::run(file, args.trust.as_deref(), args.json);
    }
    let dir = args.dir.as_deref().context("give the directory of an exported log, or --receipt FILE")?;
    let checked = check(dir, args.trust.as_deref(), args.profile.as_deref())?;
    let verdict = Verdict::new(&checked, args.trust.is_some());
    if args.json {
        output::json(&verdict)?;
    } else {
        output::line(&verdict)?;
    }
    Ok(if verdict.clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks the log in `dir` by the trust policy in `trust`, or against the keys that lie beside it, and by the profile in
/// `profile`.
///
/// # Errors
/// When the log is not what was signed, or was not kept under that profile. A sound log may still show broken promises:
/// those are in the report.
pub(crate) fn check(dir: &Path, trust: Option<&Path>, profile: Option<&Path>) -> Result<Checked> {
    let log = Directory::open(dir)?;
    let policy = match trust {
        Some(file) => trust::read(file)?,
        None => trust::parse(&dir.join(OWN_KEYS), log.read(OWN_KEYS))?,
    };
    let mut trust = Trust::by(policy);
    let profile = profile.map(|file| Ok::<_, anyhow::Error>((file, config::read_profile(file)?))).transpose()?;
    let mut replay = None;
    if let Some((_, profile)) = &profile {
        trust.without_consent = without_consent(profile);
        replay = Some(Replay::new(Arc::new(profile.clone())));
    }
    let read = read_log(&log, &trust, |index, leaf| {
        if let Some(replay) = &mut replay {
            replay.leaf(index, leaf);
        }
    });
    let mut report = read.with_context(|| format!("the log in {} does not hold", dir.display()))?;
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
    let replayed = replay.map(Replay::finish);
    if let Some(replayed) = &replayed {
        let denied = replayed.denied.iter().map(|leaf| (*leaf, Rule::DeniedByProfile));
        let late = replayed.late.iter().map(|leaf| (*leaf, Rule::RequestLate));
        let ended = replayed.overstayed.iter().map(|leaf| (*leaf, Rule::EndedLate));
        denied.chain(late).chain(ended).for_each(|(leaf, rule)| report.add(leaf, rule));
    }
    Ok(Checked { report, replayed })
}

/// The purposes that rest on another basis than consent.
fn without_consent(profile: &Profile) -> BTreeSet<Purpose> {
    profile.purposes().filter(|rule| rule.basis != LegalBasis::Consent).map(|rule| rule.id).collect()
}

#[cfg(test)]
mod tests;
