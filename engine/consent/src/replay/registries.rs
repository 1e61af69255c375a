//! [`Registries`]: what had become of processors, and what was switched off, as of each revision that a log tells of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sayso_audit::{ControlEvent, Hash, Instructed, ProcessorChange};
use sayso_policy::{Instructions, Narrowed, Registry};
use sayso_types::{Category, ProcessorId, TenantId, WallTime};

use crate::switch::narrowed;

/// The registry in its revisions.
///
/// A segment names the revision by which it was decided. Between the decision and its leaf a switch may have been thrown:
/// then the gate was closed again before anything passed, and the leaf that closes the segment has to say so.
#[derive(Debug, Default)]
pub(super) struct Registries {
    narrowed: BTreeMap<ProcessorId, Narrowed>,
    categories: BTreeSet<Category>,
    /// As [`named`] calls them.
    tenants: BTreeSet<TenantId>,
    instructions: BTreeMap<TenantId, Instructions>,
    /// When evidence is due that tenants are to show.
    demands: BTreeMap<TenantId, WallTime>,
    /// Whether the log has named a tenant.
    names_tenants: bool,
    by_rev: BTreeMap<u32, Arc<Registry>>,
    newest: Arc<Registry>,
}

impl Registries {
    /// Goes on by what has become of a processor, which made revision `rev`.
    pub(super) fn processor(&mut self, rev: u32, processor: ProcessorId, change: ProcessorChange) {
        match narrowed(change) {
            Some(narrowed) => drop(self.narrowed.insert(processor, narrowed)),
            None => drop(self.narrowed.remove(&processor)),
        }
        self.unchanged(rev);
    }

    /// Goes on by a category's being turned off, or on again, which made revision `rev`.
    pub(super) fn category(&mut self, rev: u32, category: Category, is_off: bool) {
        if is_off {
            self.categories.insert(category);
        } else {
            self.categories.remove(&category);
        }
        self.unchanged(rev);
    }

    /// Goes on by a tenant's being turned off, or on again, which made revision `rev`.
    pub(super) fn tenant(&mut self, rev: u32, tenant: Hash, is_off: bool) {
        self.names_tenants = true;
        if is_off {
            self.tenants.insert(named(tenant));
        } else {
            self.tenants.remove(&named(tenant));
        }
        self.unchanged(rev);
    }

    /// Goes on by what a tenant instructs, which made revision `rev`.
    pub(super) fn instructions(&mut self, rev: u32, event: &ControlEvent) {
        match event {
            ControlEvent::TenantInstructed { tenant, until, .. } => {
                let nothing = Instructions { until: *until, ..Instructions::default() };
                self.instructions.insert(named(*tenant), nothing);
            }
            ControlEvent::TenantInstructs { tenant, what, .. } => {
                let instructions = self.instructions.entry(named(*tenant)).or_default();
                match what {
                    Instructed::Purpose(purpose) => instructions.purposes.insert(*purpose),
                    Instructed::Category(category) => instructions.categories.insert(*category),
                };
            }
            ControlEvent::TenantAttested { tenant, .. } => {
                self.instructions.entry(named(*tenant)).or_default().attested = true;
            }
            ControlEvent::TenantDemanded { tenant, due, .. } => drop(self.demands.insert(named(*tenant), *due)),
            ControlEvent::TenantShown { tenant, .. } => drop(self.demands.remove(&named(*tenant))),
            ControlEvent::TenantErasing { tenant, .. } => {
                self.instructions.insert(named(*tenant), Instructions::default());
                self.demands.remove(&named(*tenant));
            }
            _ => return,
        }
        self.names_tenants = true;
        self.unchanged(rev);
    }

    /// Goes on by a revision by which nothing but what was said before is so.
    fn unchanged(&mut self, rev: u32) {
        let narrowed = self.narrowed.iter().map(|(processor, narrowed)| (*processor, *narrowed));
        let instructions = self.instructions.iter().map(|(tenant, given)| {
            let until = given.until.into_iter().chain(self.demands.get(tenant).copied()).min();
            (tenant.clone(), Instructions { until, ..given.clone() })
        });
        let registry = Registry::new(rev, narrowed)
            .without_categories(self.categories.iter().copied())
            .without_tenants(self.tenants.iter().cloned())
            .with_instructions(instructions);
        self.newest = Arc::new(registry);
        self.by_rev.insert(rev, Arc::clone(&self.newest));
    }

    /// The one that leaves are by now.
    pub(super) const fn newest(&self) -> &Arc<Registry> {
        &self.newest
    }

    /// The one of revision `rev`, if the log has said what it changes.
    pub(super) fn told(&self, rev: u32) -> Option<Arc<Registry>> {
        self.by_rev.get(&rev).cloned().or_else(|| (rev == 0).then(Arc::default))
    }

    /// Whether the log says that a tenant was switched off, or what one instructs.
    pub(super) const fn names_tenants(&self) -> bool {
        self.names_tenants
    }

    /// The one of revision `rev`: the first one, where nothing was switched; the newest, where the log has not said yet
    /// what it changes.
    pub(super) fn at(&self, rev: u32) -> Arc<Registry> {
        match self.by_rev.get(&rev) {
            Some(registry) => Arc::clone(registry),
            None if rev == 0 => Arc::default(),
            None => Arc::clone(&self.newest),
        }
    }
}

/// What a replay calls a tenant, of whose id the log has the SHA-256.
pub(super) fn named(tenant: Hash) -> TenantId {
    hex::encode(tenant.0).parse().expect("64 digits are an id")
}
