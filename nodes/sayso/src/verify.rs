//! `sayso verify`: checks an exported audit log, or a receipt, with nothing but files.

mod directory;
mod receipt;
pub(crate) mod trust;
mod verdict;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sayso_audit::verify::{Rule, read_log};
use sayso_audit::{LogSource, Report, Trust};
use sayso_consent::{Governed, Governing, Replay, Replayed};
use sayso_policy::{LegalBasis, Profile};
use sayso_types::{Purpose, WallTime};

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
    /// What the profiles say of it, if any was given.
    pub(crate) replayed: Option<Recomputed>,
}

/// How many verdicts were recomputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recomputed {
    pub(crate) checked: u64,
    /// How many of them are refusals.
    pub(crate) refusals: u64,
    /// Those under profiles that were not given.
    pub(crate) others: u64,
}

pub(crate) fn run(args: &VerifyArgs) -> Result<ExitCode> {
    if let Some(file) = &args.receipt {
        return receipt::run(file, args.certificate.as_deref(), args.trust.as_deref(), args.json);
    }
    let dir = args.dir.as_deref().context("give the directory of an exported log, or --receipt FILE")?;
    let at = args.at.map(|at| WallTime(u64::try_from(at.as_millisecond()).unwrap_or_default()));
    let checked = check_by(dir, args.trust.as_deref(), &args.profile, &args.seen, at)?;
    let verdict = Verdict::new(&checked, args.trust.is_some());
    if args.json {
        output::json(&verdict)?;
    } else {
        output::line(&verdict)?;
    }
    Ok(if verdict.clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks the log in `dir` by the trust policy in `trust`, or against the keys that lie beside it, and by the profiles in
/// `profiles`, each as far as it was in force; it must have grown from each checkpoint in `seen`.
///
/// # Errors
/// When the log is not what was signed or not what was seen before, or one of the profiles never was in force. A sound log may still show broken promises:
/// those are in the report.
pub(crate) fn check(
    dir: &Path,
    trust: Option<&Path>,
    profiles: &[impl AsRef<Path>],
    seen: &[PathBuf],
) -> Result<Checked> {
    check_by(dir, trust, profiles, seen, None)
}

/// The same; what had to be done by `at`, or else by when the log is known to be complete, and is not on record, is late.
fn check_by(
    dir: &Path,
    trust: Option<&Path>,
    profiles: &[impl AsRef<Path>],
    seen: &[PathBuf],
    at: Option<WallTime>,
) -> Result<Checked> {
    let log = Directory::open(dir)?;
    let policy = match trust {
        Some(file) => trust::read(file)?,
        None => trust::parse(&dir.join(OWN_KEYS), log.read(OWN_KEYS))?,
    };
    let seen = seen.iter().map(|file| trust::seen(file, &policy)).collect::<Result<_>>()?;
    let mut trust = Trust { seen, ..Trust::by(policy) };
    let read = |file| Ok::<_, anyhow::Error>((file, Arc::new(config::read_profile(file)?)));
    let profiles: Vec<_> = profiles.iter().map(AsRef::as_ref).map(read).collect::<Result<_>>()?;
    trust.without_consent = profiles.iter().map(|(_, profile)| (profile.rev(), without_consent(profile))).collect();
    let mut replays: Vec<_> = profiles.iter().map(|(_, profile)| Replay::new(Arc::clone(profile))).collect();
    let mut governing = Governing::new(profiles.iter().map(|(_, profile)| Arc::clone(profile)));
    let read = read_log(&log, &trust, |index, leaf| {
        replays.iter_mut().for_each(|replay| replay.leaf(index, leaf));
        governing.leaf(index, leaf);
    });
    let mut report = read.with_context(|| format!("the log in {} does not hold", dir.display()))?;
    if let Some((file, _)) = profiles.iter().find(|(_, profile)| !report.profiles.contains(&profile.hash().to_string()))
    {
        let known: Vec<_> = report.profiles.iter().map(String::as_str).collect();
        bail!(
            "{} was never in force in the log in {}: give the profile whose hash is {}",
            file.display(),
            dir.display(),
            known.join(" or ")
        );
    }
    let at = at.unwrap_or_else(|| complete_until(&report));
    let replayed: Vec<_> = replays.into_iter().map(|replay| replay.finish_at(at)).collect();
    report.add(replayed.iter().flat_map(found));
    report.add(found_together(&governing.finish_at(at)));
    Ok(Checked { report, replayed: recomputed(&replayed) })
}

/// Until when witnesses say that there was nothing newer than what is in the log; 0 where none do of all of it.
fn complete_until(report: &Report) -> WallTime {
    let whole = report.witnessed.iter().filter(|witnessed| witnessed.unanchored == 0);
    WallTime(whole.flat_map(|witnessed| &witnessed.by).map(|by| by.at_unix_ms).min().unwrap_or_default())
}

/// What a profile finds wrong.
fn found(replayed: &Replayed) -> impl Iterator<Item = (u64, Rule)> {
    let denied = replayed.denied.iter().map(|leaf| (*leaf, Rule::DeniedByProfile));
    let unfounded = replayed.unfounded.iter().map(|leaf| (*leaf, Rule::DeniedUnfounded));
    let late = replayed.late.iter().map(|leaf| (*leaf, Rule::RequestLate));
    let complaints = replayed.late_complaints.iter().map(|leaf| (*leaf, Rule::ComplaintLate));
    let incidents = replayed.late_incidents.iter().map(|leaf| (*leaf, Rule::IncidentLate));
    let withdrawals = replayed.late_withdrawals.iter().map(|leaf| (*leaf, Rule::WithdrawalLate));
    let erasures = replayed.late_erasures.iter().map(|leaf| (*leaf, Rule::ErasureLate));
    let late = late.chain(withdrawals).chain(erasures);
    let ended = replayed.overstayed.iter().map(|leaf| (*leaf, Rule::EndedLate));
    let across = replayed.across.iter().map(|leaf| (*leaf, Rule::OpenAcrossWithdrawal));
    denied.chain(unfounded).chain(late).chain(complaints).chain(incidents).chain(ended).chain(across)
}

/// What several profiles find wrong together.
fn found_together(governed: &Governed) -> impl Iterator<Item = (u64, Rule)> {
    let others = governed.others.iter().map(|leaf| (*leaf, Rule::UnderOtherRevision));
    let late = governed.late.iter().map(|leaf| (*leaf, Rule::RequestLate));
    let notices = governed.late_notices.iter().map(|leaf| (*leaf, Rule::NoticeLate));
    let unheld = governed.unheld.iter().map(|leaf| (*leaf, Rule::HeldByNone));
    others.chain(late).chain(notices).chain(unheld)
}

/// How much the profiles together say: each verdict is by one of them, or by none.
fn recomputed(replayed: &[Replayed]) -> Option<Recomputed> {
    let all = replayed.first().map(|first| first.checked + first.others)?;
    let permitted: u64 = replayed.iter().map(|replayed| replayed.checked).sum();
    let refusals: u64 = replayed.iter().map(|replayed| replayed.refusals).sum();
    Some(Recomputed { checked: permitted + refusals, refusals, others: all.saturating_sub(permitted) })
}

/// The purposes that rest on another basis than consent.
fn without_consent(profile: &Profile) -> BTreeSet<Purpose> {
    profile.purposes().filter(|rule| rule.basis != LegalBasis::Consent).map(|rule| rule.id).collect()
}

#[cfg(test)]
mod tests;
