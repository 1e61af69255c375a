//! [`InForce`]: the rules that decisions are made by, as of one moment.

use std::sync::Arc;

use sayso_types::{Category, Purpose, TenantId, WallTime};

use crate::{ExemptionGrant, Profile, Registry};

/// Exemptions that may be live at once: each is the work of people, and every check without consent looks at all.
pub const EXEMPTIONS_MAX: usize = 64;

/// What decisions rest on besides the person: the profile, what has become of its processors and what is switched
/// off, and the live exemptions.
#[derive(Clone, Debug)]
pub struct InForce {
    profile: Arc<Profile>,
    registry: Arc<Registry>,
    exemptions: Arc<[ExemptionGrant]>,
}

impl InForce {
    /// `profile` as it is written: nothing narrowed, nothing exempted.
    #[must_use]
    pub fn new(profile: Arc<Profile>) -> Self {
        Self { profile, registry: Arc::default(), exemptions: Arc::default() }
    }

    /// The same under `registry`.
    #[must_use]
    pub fn with_registry(self, registry: impl Into<Arc<Registry>>) -> Self {
        Self { registry: registry.into(), ..self }
    }

    /// The same with these grants. Those that the profile does not let open anything are left out, and so are those
    /// beyond [`EXEMPTIONS_MAX`].
    #[must_use]
    pub fn with_exemptions(self, grants: impl IntoIterator<Item = ExemptionGrant>) -> Self {
        let valid = grants.into_iter().filter(|grant| grant.check(&self.profile).is_ok());
        Self { exemptions: valid.take(EXEMPTIONS_MAX).collect(), ..self }
    }

    /// The profile that governs.
    #[must_use]
    pub const fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// What may have less than the profile says.
    #[must_use]
    pub const fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The grants that may open something.
    #[must_use]
    pub fn exemptions(&self) -> &[ExemptionGrant] {
        &self.exemptions
    }

    /// Whether `tenant` stands against using data of `category` for `purpose` at `now`: by its instructions, or because it has not
    /// attested yet what the profile wants attested first. Whose tenant is not known has attested nothing.
    #[must_use]
    pub fn is_uninstructed(
        &self,
        tenant: Option<&TenantId>,
        (purpose, category): (Purpose, Category),
        now: WallTime,
    ) -> bool {
        let rule = self.profile.category(category);
        let unattested =
            rule.is_some_and(|rule| self.profile.document().is_attested(rule)) && !self.registry.is_attested(tenant);
        unattested || self.registry.is_uninstructed(tenant, (purpose, category), now)
    }
}
