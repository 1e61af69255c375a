//! Whom an auditor trusts: a file with a trust policy (C2SP `tlog-policy`), or with nothing but the log's keys.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sayso_audit::{Checkpoint, TrustPolicy, VerifierKey};

/// Reads the trust policy in `file`.
pub(crate) fn read(file: &Path) -> Result<TrustPolicy> {
    parse(file, fs::read(file))
}

/// Reads the checkpoint in `file`, which the log that `policy` trusts has signed.
pub(super) fn seen(file: &Path, policy: &TrustPolicy) -> Result<Checkpoint> {
    let note = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let opened = policy.open(&note);
    Ok(opened.with_context(|| format!("{} is no checkpoint of the log that you trust", file.display()))?.checkpoint)
}

/// Reads what was `read` from `file`: a trust policy, or the keys of the log, one a line, without witnesses.
pub(super) fn parse(file: &Path, read: io::Result<Vec<u8>>) -> Result<TrustPolicy> {
    let bytes = read.with_context(|| format!("cannot read whom to trust from {}", file.display()))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", file.display()))?;
    let lines = || text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    let Some((first, _)) = lines().next() else {
        bail!("{} names nobody: write `log NAME+HASH+KEY` and `quorum none` there", file.display());
    };
    // a keyword has no plus sign, and a key has two
    if !first.split_whitespace().next().unwrap_or_default().contains('+') {
        return text.parse().with_context(|| file.display().to_string());
    }
    let keys = lines().map(|(line, number)| {
        line.parse::<VerifierKey>().with_context(|| format!("{}, line {number}", file.display()))
    });
    Ok(TrustPolicy::logs_alone(keys.collect::<Result<_>>()?))
}
