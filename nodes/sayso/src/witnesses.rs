//! Who watches the audit log from outside, as the configuration says; and the key that it is signed with.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sayso_audit::Signer;
use sayso_consent::anchor::Asked;
use sayso_consent::{Anchor, AnchorOptions, Journal};
use sayso_types::Clock;
use sayso_witness::WitnessClient;

use crate::config::{Witnesses, ms};
use crate::verify::trust;

/// Makes sure that the log goes on under the key that it had, or under one that took over from it.
pub(crate) async fn begin_signing(journal: &Journal, signer: &Signer) -> Result<()> {
    let own = signer.verifier().to_string();
    let former = signer.former_verifier().map(ToString::to_string);
    if let Some(before) = journal.signing_key().await?
        && before != own
        && former.is_none_or(|former| former != before)
    {
        bail!(
            "the audit log was signed with another key, {before}: give that one as log-key-former, so that both sign until \
             everybody has the public part of the new one"
        );
    }
    Ok(journal.sign_with(signer.verifier()).await?)
}

/// What has the log witnessed by those whom `config` names; [`None`] when it names none.
pub(crate) fn anchor(
    config: &Witnesses,
    journal: &Journal,
    signer: &Arc<Signer>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Anchor>> {
    let Some(file) = &config.trust else { return Ok(None) };
    let policy = trust::read(file)?;
    if !policy.logs().contains(signer.verifier()) {
        bail!("{} does not name this log: add the line `log {}`", file.display(), signer.verifier());
    }
    let roots = config.authority.as_deref().map(authorities).transpose()?.unwrap_or_default();
    let mut asked = Vec::new();
    for witness in policy.witnesses() {
        let Some(url) = &witness.url else { continue };
        let address = url.parse().with_context(|| format!("{}: witness {}", file.display(), witness.name))?;
        let client = Arc::new(WitnessClient::new(address, &roots));
        asked.push(Asked { name: witness.name.clone(), key: witness.key.clone(), witness: client });
    }
    if asked.is_empty() {
        bail!("{} names no witness with a URL: write `witness NAME KEY URL`", file.display());
    }
    let options = AnchorOptions { every: ms(config.every_ms), leaves: config.leaves };
    Ok(Some(Anchor::new(journal.clone(), Arc::clone(signer), policy, asked, options, Arc::clone(clock))))
}

fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.with_context(|| format!("cannot read certificate authorities from {}", file.display()))?;
    if found.is_empty() {
        bail!("{} holds no certificate", file.display());
    }
    Ok(found)
}
