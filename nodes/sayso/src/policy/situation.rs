//! What there is besides a person's own answers: whose device it is, and what is switched off, as somebody describes it in a file.

use std::collections::{BTreeMap, BTreeSet};

use sayso_policy::profile::Date;
use sayso_policy::{Instructions, Narrowed, Profile, Registry};
use sayso_types::{Category, ProcessorId, Purpose, TenantId, WallTime};
use serde::Deserialize;

/// A value that could be read and says nothing that can be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub(super) struct Wrong {
    /// Where it stands, as a dotted path.
    pub(super) key: String,
    pub(super) message: String,
}

impl Wrong {
    /// The moment that `date` is, which stands at `key`.
    pub(super) fn unless_a_date(date: &Date, key: impl FnOnce() -> String) -> Result<WallTime, Self> {
        let message = || format!("`{date}` is not a date; write year, month and day, as in 2026-02-27");
        date.moment().ok_or_else(|| Self { key: key(), message: message() })
    }
}

/// `[tenant]`: whose device it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantFile {
    id: TenantId,
    /// Whether it is switched off.
    #[serde(default)]
    off: bool,
    /// Whether it attested where data of its users comes from.
    #[serde(default)]
    attested: bool,
    /// What it instructs; where nothing is said, all that the policy has.
    instructs: Option<Instructs>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Instructs {
    purposes: BTreeSet<Purpose>,
    categories: BTreeSet<Category>,
    until: Option<Date>,
}

/// `[registry]`: what has become of processors, and what is switched off.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RegistryFile {
    /// Categories that are switched off.
    off: BTreeSet<Category>,
    processors: BTreeMap<ProcessorId, Become>,
}

/// What has become of a processor.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Become {
    TransferLimitReached,
    DueDiligenceExpired,
    Suspended,
    Terminated,
}

impl From<Become> for Narrowed {
    fn from(state: Become) -> Self {
        match state {
            Become::TransferLimitReached => Self::TransferLimitReached,
            Become::DueDiligenceExpired => Self::DueDiligenceExpired,
            Become::Suspended => Self::Suspended,
            Become::Terminated => Self::Terminated,
        }
    }
}

impl TenantFile {
    /// One that attested, and instructs all that the policy has.
    pub(super) fn attested() -> Self {
        Self { id: "tenant".parse().expect("an id"), off: false, attested: true, instructs: None }
    }

    pub(super) const fn id(&self) -> &TenantId {
        &self.id
    }

    fn instructions(&self, profile: &Profile) -> Result<Instructions, Wrong> {
        let attested = self.attested;
        let Some(Instructs { purposes, categories, until }) = &self.instructs else {
            let purposes = profile.purposes().map(|rule| rule.id).collect();
            let categories = profile.categories().map(|(id, _)| id).collect();
            return Ok(Instructions { purposes, categories, until: None, attested });
        };
        let moment = |date: &Date| Wrong::unless_a_date(date, || "tenant.instructs.until".to_owned());
        let until = until.as_ref().map(moment).transpose()?;
        Ok(Instructions { purposes: purposes.clone(), categories: categories.clone(), until, attested })
    }
}

impl RegistryFile {
    /// The registry in which this, and what `tenant` says, is so.
    pub(super) fn with(&self, tenant: Option<&TenantFile>, profile: &Profile) -> Result<Registry, Wrong> {
        let narrowed = self.processors.iter().map(|(id, state)| (*id, Narrowed::from(*state)));
        let registry = Registry::new(0, narrowed).without_categories(self.off.iter().copied());
        let Some(tenant) = tenant else { return Ok(registry) };
        let registry = registry.with_instructions([(tenant.id.clone(), tenant.instructions(profile)?)]);
        Ok(registry.without_tenants(tenant.off.then(|| tenant.id.clone())))
    }
}
