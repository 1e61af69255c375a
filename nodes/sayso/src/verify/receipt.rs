//! `sayso verify --receipt`: checks what a person was given to keep.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sayso_audit::receipt::RECEIPT_LEN_MAX;
use sayso_audit::trust::{Attestation, Attested};
use sayso_audit::{Event, Hash, Leaf, Receipt, Scope, TrustPolicy};
use sayso_consent::erasure::Certificate;
use serde::Serialize;

use super::trust;
use crate::output;

/// What a receipt shows.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// Which log it is in.
    origin: String,
    /// Its place there.
    leaf: u64,
    /// What it is.
    event: &'static str,
    /// What it is about.
    about: String,
    /// When it happened, RFC 3339.
    at: String,
    /// The id of the consent record, withdrawal or erasure.
    reference: String,
    /// The pseudonym of the person in the log.
    subject_tag: String,
    /// Leaves that the log had when it was signed.
    size: u64,
    /// Who has cosigned that.
    witnesses: Vec<Attestation>,
    /// The SHA-256 of the certificate that it is about, if it is about one.
    #[serde(skip)]
    certificate: Option<Hash>,
    /// Whether a certificate was given, and is that one.
    certificate_checked: bool,
}

pub(super) fn run(file: &Path, certificate: Option<&Path>, trust: Option<&Path>, as_json: bool) -> Result<ExitCode> {
    let trust = trust.context("give whom you trust with --trust FILE: a receipt does not vouch for itself")?;
    let shown = check(file, certificate, &trust::read(trust)?)?;
    if as_json {
        output::json(&shown)?;
    } else {
        output::line(&shown)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks the receipt in `file` by `policy`, and that the file `certificate` is the certificate that it is of.
///
/// # Errors
/// When it proves nothing, or not that certificate.
pub(crate) fn check(file: &Path, certificate: Option<&Path>, policy: &TrustPolicy) -> Result<Shown> {
    let mut bytes = Vec::new();
    let opened = File::open(file).and_then(|file| file.take(RECEIPT_LEN_MAX as u64 + 1).read_to_end(&mut bytes));
    opened.with_context(|| format!("cannot read {}", file.display()))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", file.display()))?;
    let proved = Receipt::parse(&text).and_then(|receipt| receipt.check(policy));
    let (leaf, attested) = proved.with_context(|| format!("the receipt in {} proves nothing", file.display()))?;
    let mut shown = Shown::new(&leaf, attested);
    if let Some(certificate) = certificate {
        let text = fs::read(certificate).with_context(|| format!("cannot read {}", certificate.display()))?;
        shown.require(&text).with_context(|| format!("{} shows nothing", certificate.display()))?;
    }
    Ok(shown)
}

impl Shown {
    /// Checks that the certificate in `text` is the one that this is about.
    fn require(&mut self, text: &[u8]) -> Result<()> {
        let Some(signed) = self.certificate else {
            bail!("the receipt is of {}, not of an erasure: give the receipt of erase.certified", self.event);
        };
        // what prints it ends the line
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let found = Hash::of(text);
        if found != signed {
            bail!("its SHA-256 is {found}, and {signed} is on record: it was changed, or is of another erasure");
        }
        Certificate::parse(text)?;
        self.certificate_checked = true;
        Ok(())
    }

    fn new(leaf: &Leaf, attested: Attested) -> Self {
        let (about, reference) = match &leaf.fact.event {
            Event::ConsentGiven { purpose, record, .. } => (purpose.to_string(), record.to_string()),
            Event::WithdrawEffective { scope, withdrawal } => {
                let scope = match scope {
                    Scope::Everything => "everything".to_owned(),
                    Scope::Purpose(purpose) => purpose.to_string(),
                    Scope::Part(part) => part.to_string(),
                };
                (scope, withdrawal.to_string())
            }
            Event::EraseCertified { erasure, certificate } => {
                (format!("by the certificate with SHA-256 {certificate}"), erasure.to_string())
            }
            _ => (String::new(), String::new()),
        };
        let at = i64::try_from(leaf.place.wall.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        Self {
            origin: attested.checkpoint.origin,
            leaf: leaf.place.sequence,
            event: leaf.fact.event.name(),
            about,
            at: at.map(|at| at.to_string()).unwrap_or_default(),
            reference,
            subject_tag: leaf.fact.subject.map(|tag| tag.to_string()).unwrap_or_default(),
            size: attested.checkpoint.size,
            witnesses: attested.witnesses,
            certificate: match &leaf.fact.event {
                Event::EraseCertified { certificate, .. } => Some(*certificate),
                _ => None,
            },
            certificate_checked: false,
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "on record {} {}", self.event, self.about)?;
        writeln!(f, "at        {}", self.at)?;
        writeln!(f, "in        {}, leaf {} of {}", self.origin, self.leaf, self.size)?;
        writeln!(f, "id        {}", self.reference)?;
        writeln!(f, "person    {} (a pseudonym of this log)", self.subject_tag)?;
        if self.certificate_checked {
            writeln!(f, "says      the certificate that you gave, to the letter")?;
        }
        match self.witnesses.as_slice() {
            [] => {
                write!(f, "witnessed by nobody: it is the log keeper's word, which a later export of the log must keep")
            }
            witnesses => {
                let names: Vec<_> = witnesses.iter().map(|witness| witness.witness.as_str()).collect();
                write!(f, "witnessed by {}: nobody can be shown a log without it", names.join(", "))
            }
        }
    }
}
