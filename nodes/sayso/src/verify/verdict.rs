//! [`Verdict`]: what an auditor reads.

use std::fmt;

use sayso_audit::Report;
use sayso_audit::verify::{Finding, Severity};
use serde::Serialize;

use super::Checked;

/// A report, and how far it may be believed.
#[derive(Serialize)]
pub(super) struct Verdict<'a> {
    /// Whether no promise was broken.
    pub(super) clean: bool,
    /// Whether the public key came from outside of the log.
    independent: bool,
    /// Verdicts that were recomputed by a profile that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    recomputed: Option<u64>,
    /// How many of them are refusals.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusals_recomputed: Option<u64>,
    /// Segments that were not, because they were under another profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    under_other_profiles: Option<u64>,
    /// Leaves for which only the log's keeper vouches.
    unanchored: u64,
    #[serde(flatten)]
    report: &'a Report,
}

impl<'a> Verdict<'a> {
    pub(super) fn new(checked: &'a Checked, independent: bool) -> Self {
        let Checked { report, replayed } = checked;
        Self {
            clean: report.is_clean(),
            independent,
            recomputed: replayed.as_ref().map(|replayed| replayed.checked),
            refusals_recomputed: replayed.as_ref().map(|replayed| replayed.refusals),
            under_other_profiles: replayed.as_ref().map(|replayed| replayed.others),
            unanchored: report.witnessed.as_ref().map_or(report.size, |witnessed| witnessed.unanchored),
            report,
        }
    }

    fn findings(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.report.findings.iter().filter(move |finding| finding.severity == severity)
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { origin, size, root, events, bytes, uncounted, witnessed, .. } = self.report;
        writeln!(f, "log       {origin}")?;
        writeln!(f, "leaves    {size}")?;
        writeln!(f, "root      {root}")?;
        writeln!(f, "handed on {bytes} bytes, by the segments that are closed")?;
        if *uncounted > 0 {
            writeln!(f, "          and what nobody counted in {uncounted} of them")?;
        }
        if self.independent {
            writeln!(f, "signature by a key that you trust")?;
        } else {
            writeln!(
                f,
                "signature by the key that lies beside the log, which shows only that the log agrees with itself: get \
                 the key from somebody you trust and give it with --trust"
            )?;
        }
        if let Some(witnessed) = witnessed {
            let names: Vec<_> = witnessed.by.iter().map(|by| by.witness.as_str()).collect();
            writeln!(f, "witnessed {} leaves, by {}: nobody can be shown others", witnessed.size, names.join(", "))?;
            if witnessed.unanchored > 0 {
                let (from, to) = (witnessed.size, size.saturating_sub(1));
                writeln!(
                    f,
                    "not yet   {} leaves, {from} to {to}: only the log's keeper vouches for them until they are \
                     witnessed",
                    witnessed.unanchored
                )?;
            }
        }
        if witnessed.is_none() && *size > 0 {
            writeln!(
                f,
                "not yet   {size} leaves, all of them: only the log's keeper vouches for them, who could show others \
                 another log; a trust policy that names witnesses asks for more (--trust)"
            )?;
        }
        let recomputed = (self.recomputed, self.refusals_recomputed, self.under_other_profiles);
        if let (Some(checked), Some(refusals), Some(others)) = recomputed {
            let hint = if others > 0 { ": give those with --profile, too" } else { "" };
            writeln!(
                f,
                "profile   {checked} verdicts recomputed, {refusals} of them refusals, {others} under other profiles not \
                 checked{hint}"
            )?;
        }
        for (event, count) in events {
            write!(f, "\n{count:>9} {event}")?;
        }
        for finding in self.findings(Severity::Open) {
            write!(f, "\n\nopen      leaf {}: {}", finding.leaf, finding.meaning)?;
        }
        for finding in self.findings(Severity::Violation) {
            write!(f, "\n\nBROKEN    leaf {}: {}", finding.leaf, finding.meaning)?;
        }
        match self.findings(Severity::Violation).count() {
            0 => write!(f, "\n\nThe log is what was signed, and shows no broken promise."),
            1 => write!(f, "\n\nThe log is what was signed, and shows a broken promise."),
            count => write!(f, "\n\nThe log is what was signed, and shows {count} broken promises."),
        }
    }
}
