//! [`Registry`]: what has become of processors since the profile was written, and what is switched off.

mod instructions;

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, ProcessorId, Purpose, TenantId, WallTime};

pub use self::instructions::Instructions;

/// What may have less than the profile says, as of one revision. A processor, a category or a tenant that is not in it has
/// what the profile gives it: the registry takes away and never gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    rev: u32,
    narrowed: BTreeMap<ProcessorId, Narrowed>,
    categories: BTreeSet<Category>,
    tenants: BTreeSet<TenantId>,
    /// Of tenants that have given some.
    instructions: BTreeMap<TenantId, Instructions>,
}

/// What a processor may no longer have, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Narrowed {
    /// As many people's data went there this year as its legal means covers: nothing about anybody goes there before the
    /// next year, or a profile that names another means.
    TransferLimitReached,
    /// Its due diligence has run out, whatever date the profile has: nothing goes there.
    DueDiligenceExpired,
    /// Suspended: nothing goes there for the time being.
    Suspended,
    /// Terminated: nothing goes there again.
    Terminated,
}

impl Narrowed {
    /// Whether nothing at all may go there.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        !matches!(self, Self::TransferLimitReached)
    }
}

impl Registry {
    /// The registry at revision `rev`. What is said twice of a processor holds at its strictest.
    pub fn new(rev: u32, narrowed: impl IntoIterator<Item = (ProcessorId, Narrowed)>) -> Self {
        let mut registry = Self { rev, ..Self::default() };
        for (processor, narrowed) in narrowed {
            let held = registry.narrowed.entry(processor).or_insert(narrowed);
            *held = narrowed.max(*held);
        }
        registry
    }

    /// The same with these categories switched off, too: nothing of them goes anywhere.
    #[must_use]
    pub fn without_categories(mut self, categories: impl IntoIterator<Item = Category>) -> Self {
        self.categories.extend(categories);
        self
    }

    /// The same with these tenants switched off, too: nothing of the people before their devices goes anywhere.
    #[must_use]
    pub fn without_tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        self.tenants.extend(tenants);
        self
    }

    /// The same where these tenants have given instructions: what they do not name is closed for their people.
    #[must_use]
    pub fn with_instructions(mut self, instructions: impl IntoIterator<Item = (TenantId, Instructions)>) -> Self {
        self.instructions.extend(instructions);
        self
    }

    /// The same as revision `rev`.
    #[must_use]
    pub const fn at(mut self, rev: u32) -> Self {
        self.rev = rev;
        self
    }

    /// What tenants have instructed.
    #[must_use]
    pub const fn instructions(&self) -> &BTreeMap<TenantId, Instructions> {
        &self.instructions
    }

    /// What `tenant` has instructed, if it is known and has.
    #[must_use]
    pub fn instructions_of(&self, tenant: Option<&TenantId>) -> Option<&Instructions> {
        self.instructions.get(tenant?)
    }

    /// Whether the instructions of `tenant` stand against using data of `category` for `purpose` at `now`. Whose tenant is
    /// not known, and who has given none, stands against nothing.
    #[must_use]
    pub fn is_uninstructed(
        &self,
        tenant: Option<&TenantId>,
        (purpose, category): (Purpose, Category),
        now: WallTime,
    ) -> bool {
        self.instructions_of(tenant).is_some_and(|instructions| !instructions.cover(purpose, category, now))
    }

    /// Whether `tenant` is known to have attested where data of its people comes from.
    #[must_use]
    pub fn is_attested(&self, tenant: Option<&TenantId>) -> bool {
        self.instructions_of(tenant).is_some_and(|instructions| instructions.attested)
    }

    /// The revision: goes up with every change.
    #[must_use]
    pub const fn rev(&self) -> u32 {
        self.rev
    }

    /// What `processor` may no longer have, if anything.
    #[must_use]
    pub fn narrowed(&self, processor: ProcessorId) -> Option<Narrowed> {
        self.narrowed.get(&processor).copied()
    }

    /// Whether nothing of `category` goes anywhere.
    #[must_use]
    pub fn is_category_off(&self, category: Category) -> bool {
        self.categories.contains(&category)
    }

    /// Whether nothing of the people of `tenant` goes anywhere. Of whom no tenant is known, nobody's switch is thrown.
    #[must_use]
    pub fn is_tenant_off(&self, tenant: Option<&TenantId>) -> bool {
        tenant.is_some_and(|tenant| self.tenants.contains(tenant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_holds() {
        let asr: ProcessorId = "asr".parse().unwrap();
        let both = [(asr, Narrowed::Suspended), (asr, Narrowed::TransferLimitReached)];
        let registry = Registry::new(3, both);
        assert_eq!((registry.rev(), registry.narrowed(asr)), (3, Some(Narrowed::Suspended)));
        assert_eq!(Registry::new(3, both.into_iter().rev()), registry);
        assert_eq!(registry.narrowed("llm".parse().unwrap()), None);
        assert_eq!(Registry::default().rev(), 0);
    }

    #[test]
    fn another_revision_takes_away_the_same() {
        let acme: TenantId = "acme".parse().unwrap();
        let before = Registry::new(3, [("asr".parse().unwrap(), Narrowed::Suspended)])
            .without_categories([Category::IMAGE])
            .with_instructions([(acme.clone(), Instructions::default())]);
        let after = before.clone().at(4);
        assert_eq!((after.rev(), after.clone().at(3)), (4, before));
        assert!(after.instructions().keys().eq([&acme]));
    }

    #[test]
    fn only_the_limit_leaves_a_way_for_what_is_about_nobody() {
        use Narrowed::*;
        for (narrowed, closed) in
            [(TransferLimitReached, false), (DueDiligenceExpired, true), (Suspended, true), (Terminated, true)]
        {
            assert_eq!(narrowed.is_closed(), closed, "{narrowed:?}");
        }
    }

    #[test]
    fn what_is_switched_off_is_off_for_its_own_name_only() {
        let acme: TenantId = "acme".parse().unwrap();
        let registry = Registry::default().without_categories([Category::VOICE_AUDIO]).without_tenants([acme.clone()]);
        assert!(registry.is_category_off(Category::VOICE_AUDIO) && !registry.is_category_off(Category::TRANSCRIPT));
        assert!(registry.is_tenant_off(Some(&acme)) && !registry.is_tenant_off(Some(&"other".parse().unwrap())));
        assert!(!registry.is_tenant_off(None));
    }
}
