//! [`Releases`]: whether what was released of people's data leads to nobody, as far as the log and a profile say.

use std::collections::BTreeSet;

use sayso_audit::{Anonymised, AnonymisedStep};
use sayso_policy::Profile;
use sayso_policy::profile::Retention;
use sayso_types::Category;

/// What was counted since the last release.
#[derive(Debug, Default)]
pub(super) struct Releases {
    /// Categories of which somebody was counted under another profile, which may have asked for fewer people.
    others: BTreeSet<Category>,
}

impl Releases {
    /// Goes on by what `anonymised` says, under `profile` unless another one was in force; whether a registered transformation
    /// of the profile's makes it, of as many people as it takes.
    pub(super) fn leaf(&mut self, anonymised: &Anonymised, profile: Option<&Profile>) -> bool {
        let Anonymised { category, step, people, .. } = anonymised;
        let rule = profile.and_then(|profile| profile.document().retention_of(profile.category(*category)?));
        let by = rule.and_then(Retention::transformation);
        match step {
            AnonymisedStep::HandedOn => {
                if profile.is_none() {
                    self.others.insert(*category);
                }
                by.is_some()
            }
            AnonymisedStep::Released => {
                let by_others = self.others.remove(category);
                by_others || by.is_some_and(|(_, k)| *people >= k)
            }
            AnonymisedStep::TooFew => true,
        }
    }
}
