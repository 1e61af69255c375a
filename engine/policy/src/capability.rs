//! What of a device the purposes of a policy need, and so what ends when somebody takes it away there.

use sayso_types::{Name, Purpose};

use crate::profile::{CategoryRule, LegalBasis, Necessity, Profile};

impl Profile {
    /// The purposes that rest on consent and cannot go on without `capability`, such as `microphone`: those that require data
    /// which needs it, and those that collect nothing but such data. A purpose that can do without goes on.
    #[must_use]
    pub fn purposes_needing(&self, capability: Name) -> Vec<Purpose> {
        let needs = |rule: &CategoryRule| rule.capability.contains(capability.as_str());
        let cannot_go_on = |purpose: Purpose| {
            let used = self.categories().map(|(_, rule)| rule).filter(|rule| rule.purposes.contains(&purpose));
            let collected: Vec<_> = used.filter(|rule| rule.derived_from.is_empty()).collect();
            let (lost, kept): (Vec<_>, Vec<_>) = collected.into_iter().partition(|rule| needs(rule));
            let is_required = |rule: &&CategoryRule| match rule.necessity {
                Some(Necessity::Required) => true,
                Some(Necessity::RequiredFor(only)) => only == purpose,
                Some(Necessity::Optional) | None => false,
            };
            lost.iter().any(is_required) || !lost.is_empty() && kept.is_empty()
        };
        let asked = self.purposes().filter(|rule| rule.basis == LegalBasis::Consent).map(|rule| rule.id);
        asked.filter(|purpose| cannot_go_on(*purpose)).collect()
    }
}
