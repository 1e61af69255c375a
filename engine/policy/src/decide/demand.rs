//! [`Demand`]: what consent must be for a cell, when everything that asks for something is heard.

use sayso_types::{Purpose, RegionClass};

use crate::law::Matter;
use crate::profile::{CategoryRule, Processing, Processor, PurposeRule, Sensitivity};
use crate::{ConsentType, Profile, PurposeConsent};

/// The strictest of what the profile and the laws ask of consent.
pub(crate) struct Demand {
    pub(crate) min_type: ConsentType,
    pub(crate) separate: bool,
    pub(crate) written: bool,
}

impl Demand {
    pub(crate) fn of(profile: &Profile, purpose: &PurposeRule, category: &CategoryRule, receiver: &Processor) -> Self {
        let mut demand = Self {
            min_type: profile.document().min_consent_type(category),
            separate: category.separate || purpose.separate,
            written: category.written,
        };
        // what is asked for a near receiver is asked for one further away
        for (_, stricter) in category.in_region.range(..=receiver.region_class) {
            demand.min_type = demand.min_type.max(stricter.min_consent_type.unwrap_or(ConsentType::Implied));
            demand.separate |= stricter.separate;
        }
        for matter in MATTERS.into_iter().filter(|matter| concerns(*matter, purpose, category, receiver)) {
            if let Some((min_type, separate)) = profile.law().consent(matter) {
                demand.min_type = demand.min_type.max(min_type);
                demand.separate |= separate;
            }
        }
        demand
    }

    /// What consent to `purpose` must be where another purpose requires it, whatever data that uses.
    pub(crate) const fn in_general(profile: &Profile, purpose: &PurposeRule) -> Self {
        Self { min_type: profile.defaults().min_consent_type, separate: purpose.separate, written: false }
    }

    /// Whether `given` is valid under revision `profile_rev` and enough. When it ends and what it covers is not asked.
    pub(crate) fn is_met_by(&self, given: &PurposeConsent, profile_rev: u32) -> bool {
        given.status.is_valid() && given.profile_rev == profile_rev && self.is_as_clear(given)
    }

    /// Whether `given` was expressed as it must be.
    fn is_as_clear(&self, given: &PurposeConsent) -> bool {
        given.consent_type >= self.min_type && (given.separate || !self.separate) && (given.written || !self.written)
    }
}

impl Profile {
    /// Whether `consent` to `purpose` is clear enough, by what this revision asks of it, for data of `category` to go to
    /// `receiver`.
    #[must_use]
    pub fn is_enough(
        &self,
        consent: &PurposeConsent,
        purpose: Purpose,
        category: &CategoryRule,
        receiver: &Processor,
    ) -> bool {
        let demand = self.purpose(purpose).map(|purpose| Demand::of(self, purpose, category, receiver));
        demand.is_some_and(|demand| demand.is_as_clear(consent))
    }
}

const MATTERS: [Matter; 5] =
    [Matter::SpecialCategory, Matter::Provision, Matter::Publication, Matter::Overseas, Matter::Training];

/// Whether the law's `matter` is at hand.
fn concerns(matter: Matter, purpose: &PurposeRule, category: &CategoryRule, receiver: &Processor) -> bool {
    let is_for = |processing| purpose.processing.contains(&processing);
    match matter {
        Matter::SpecialCategory => category.sensitivity == Sensitivity::Special,
        Matter::Provision => receiver.independent_controller || is_for(Processing::Share),
        Matter::Publication => is_for(Processing::Publish),
        Matter::Overseas => receiver.region_class == RegionClass::Overseas,
        Matter::Training => receiver.trains_on_data == Some(true) || is_for(Processing::Train),
    }
}
