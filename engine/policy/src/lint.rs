//! The linter: promises of a profile that cannot be kept, are not lawful, or say less than they seem to.
//!
//! The list of [`Rule`]s is closed. Each has an id, a clause or article that it comes from, a function that looks for it,
//! and a fixture in the tests that breaks it and one that puts it right. Nothing is known by the name of a profile: what
//! is found follows from what it says and from the laws that it names. A finding is an error unless `[lint] waive`
//! accepts it with a reason; waivers are part of the profile's hash, and some rules take none.

mod case;
mod finding;
mod rule;
mod rules;

pub use finding::Finding;
pub use rule::Rule;

use case::Case;

use crate::profile::Draft;

/// Everything that is found in `draft`, waived or not, in the order of the text.
pub(crate) fn lint(draft: &Draft) -> Vec<Finding> {
    let case = Case::of(draft);
    let waivers = &case.document.lint;
    let looked = Rule::ALL.iter().flat_map(|rule| rule.look(&case).into_iter().map(|found| (*rule, found)));
    let mut found: Vec<Finding> = looked
        .map(|(rule, (key, message))| Finding {
            rule,
            waived: waivers.waived(rule, &key),
            place: draft.place(&key),
            message,
        })
        .collect();
    found.extend(rules::waivers::idle(waivers, &found).into_iter().map(|(key, message)| Finding {
        rule: &rules::waivers::WAIVER_INVALID,
        waived: None,
        place: draft.place(&key),
        message,
    }));
    found.sort_by(|a, b| (&a.place, a.rule.id()).cmp(&(&b.place, b.rule.id())));
    found
}
