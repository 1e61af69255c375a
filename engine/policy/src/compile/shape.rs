//! [`Shape`]: what of a consent state the bits depend on.

use std::collections::BTreeSet;

use sayso_types::{Category, Purpose, RegionClass};

use crate::{AgeBand, ConsentState, ConsentType};

/// A consent state without its versions and times. Few occur: people answer the same questions, most of them alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    farthest: RegionClass,
    age: AgeBand,
    guardian_verified: bool,
    is_closed: bool,
    restricted: BTreeSet<Category>,
    /// The purposes with a valid consent to this revision of the profile.
    consents: Vec<(Purpose, ConsentType, bool, bool)>,
}

impl Shape {
    pub(super) fn of(state: &ConsentState, profile_rev: u32) -> Self {
        let valid = state.consents.iter().filter(|(_, c)| c.status.is_valid() && c.profile_rev == profile_rev);
        Self {
            farthest: state.farthest,
            age: state.age,
            guardian_verified: state.guardian_verified,
            is_closed: state.is_closed,
            restricted: state.restricted.clone(),
            consents: valid.map(|(purpose, c)| (*purpose, c.consent_type, c.separate, c.written)).collect(),
        }
    }
}
