//! The linter: promises of a profile that cannot be kept, are not lawful, or say less than they seem to.
//!
//! The list of [`Rule`]s is closed. Each has an id, a clause or article that it comes from, a function that looks for it,
//! and a fixture in the tests. A finding is an error unless `[lint] waive` accepts it with a reason; waivers are part of
//! the profile's hash.

mod finding;
mod rule;
mod rules;

pub use finding::Finding;
pub use rule::Rule;

use crate::profile::Draft;

/// Everything that is found in `draft`, waived or not, in the order of the text.
pub(crate) fn lint(draft: &Draft) -> Vec<Finding> {
    let document = draft.document();
    let mut found: Vec<Finding> = Rule::ALL
        .iter()
        .flat_map(|rule| rule.look(document).into_iter().map(|(key, message)| (*rule, key, message)))
        .map(|(rule, key, message)| Finding {
            rule,
            waived: document.lint.waived(rule.id(), &key),
            place: draft.place(&key),
            message,
        })
        .collect();
    found.sort_by(|a, b| (&a.place, a.rule).cmp(&(&b.place, b.rule)));
    found
}
