//! Purging what erasures deleted from the files of the stores, and keeping it so.

use std::collections::BTreeMap;

use sayso_audit::{Event, Reference, Replica};
use sayso_store::{Error as StoreError, Range, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Mono, Name, SubjectId};
use sayso_vault::{Error as VaultError, KeyRef};

use super::Register;
use crate::Error;
use crate::erasure::certificate::Certificate;
use crate::journal::About;
use crate::tables::{CERTIFICATE, CertificateKey};

/// How many times as long as a purge took nothing is purged after it: rewriting the stores takes a tenth of the time at
/// most, however large they are.
const PURGE_PAUSE: u32 = 9;

/// An erasure and whose it is.
pub(super) type Due = (SubjectId, Reference);

/// When the stores may be purged again.
#[derive(Debug, Default)]
pub(super) struct Pace {
    pub(super) not_before: Option<Mono>,
    /// Erasures whose keys and records are gone from the files, or not, and that wait for receivers.
    pub(super) purged: BTreeMap<Due, Purged>,
}

/// What has come of a purge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purged {
    /// No file has what was deleted: so say these replicas, or this node where there are none.
    Everywhere(Vec<u64>),
    /// A store cannot: what was deleted stays in its logs.
    InLogs,
}

impl Purged {
    /// Who has acknowledged `erasure`, as the log has it.
    pub(super) fn told(&self, about: About, erasure: Reference, entry: &mut crate::Entry) {
        let told = |how, replica| about.event(Event::EraseAcknowledged { erasure, how: Name::constant(how), replica });
        match self {
            Self::InLogs => entry.events.push(told("in_logs", None)),
            Self::Everywhere(replicas) if replicas.is_empty() => entry.events.push(told("purged", None)),
            Self::Everywhere(replicas) => {
                let of = replicas.len() as u64;
                entry.events.extend(replicas.iter().map(|node| told("purged", Some(Replica { node: *node, of }))));
            }
        }
    }

    /// The replicas that have said so; none of a store that is in one place.
    pub(super) fn replicas(&self) -> &[u64] {
        match self {
            Self::Everywhere(replicas) => replicas,
            Self::InLogs => &[],
        }
    }
}

impl Register {
    /// Rewrites the stores without what was deleted, at a time that `pace` allows; [`None`] before it.
    pub(super) async fn purge_in_time(&self, pace: &mut Pace) -> Result<Option<Purged>, Error> {
        let now = self.clock.now();
        if pace.not_before.is_some_and(|at| now < at) {
            return Ok(None);
        }
        let purged = self.purge().await;
        let done = self.clock.now();
        // also after one that failed: all replicas but one may have done it
        pace.not_before = Some(done.after(done.since(now) * PURGE_PAUSE));
        purged.map(Some)
    }

    async fn purge(&self) -> Result<Purged, Error> {
        let keys = match self.vault.purge().await {
            // beside the data, so that both are purged
            Ok(Some(replicas)) if self.vault.is_kept_in(&self.store) => return Ok(Purged::Everywhere(replicas)),
            Ok(_) => true,
            Err(VaultError::Store(StoreError::Unsupported { .. })) => false,
            Err(error) => return Err(error.into()),
        };
        match self.store.purge().await {
            Ok(replicas) if keys => Ok(Purged::Everywhere(replicas)),
            Ok(_) | Err(StoreError::Unsupported { .. }) => Ok(Purged::InLogs),
            Err(error) => Err(error.into()),
        }
    }

    /// Sees that no key that was destroyed is there again, because an old copy of the key store was put in its place.
    pub(super) async fn keep_destroyed(&self) -> Result<(), Error> {
        let (mut again, mut range) = (self.vault.keep_forgotten().await?, Range::from(CertificateKey::table()));
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let CertificateKey { subject, .. } = CertificateKey::parse(&entry.key).map_err(StoreError::from)?;
                let (_, json) = CERTIFICATE.decode(&entry.value).map_err(StoreError::from)?;
                let dead: Vec<_> = Certificate::parse(json)?.keys.into_iter().map(KeyRef::from).collect();
                again += u64::from(self.vault.forget_keys(subject, &dead).await?);
            }
            let Some(rest) = page.rest else { break };
            range = rest;
        }
        // of these there is no certificate yet: a replica may have been away for days
        for (subject, erasure) in self.due_erasures().await? {
            let Some(pending) = self.one_pending(subject, erasure).await? else { continue };
            if pending.destroyed_at.is_some() {
                let dead: Vec<_> = pending.keys.into_iter().flatten().map(KeyRef::from).collect();
                again += u64::from(self.vault.forget_keys(subject, &dead).await?);
            }
        }
        if again > 0 {
            metrics::counter!("sayso_consent_keys_destroyed_again_total").increment(again);
            tracing::warn!(
                again,
                "the key store was older than the data: keys that had been destroyed are destroyed again"
            );
        }
        Ok(())
    }
}
