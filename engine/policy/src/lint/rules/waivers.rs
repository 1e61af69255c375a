//! Rules about waivers.

use crate::error::Nearest;
use crate::lint::Rule;
use crate::lint::rule::Found;
use crate::profile::{Document, LintRules};

/// Waivers for rules that there are not, and waivers without a reason.
pub(in crate::lint) fn invalid(document: &Document) -> Found {
    let known = || Rule::ALL.iter().map(|rule| rule.id());
    let mut found = Found::new();
    for (i, waiver) in document.lint.waive.iter().enumerate() {
        let key = format!("lint.waive.{i}");
        if !known().any(|id| id == waiver.rule) {
            let nearest = Nearest::to(&waiver.rule, known());
            found.push((key.clone(), format!("there is no rule `{}`{nearest}", waiver.rule)));
        }
        if waiver.why.trim().is_empty() {
            found.push((key, "a waiver needs a reason: write it into `why`".to_owned()));
        }
    }
    found
}

impl LintRules {
    /// The reason for which a finding of `rule` at `key` is accepted, if it is.
    pub(in crate::lint) fn waived(&self, rule: &str, key: &str) -> Option<String> {
        let accepts = |at: &str| key == at || key.strip_prefix(at).is_some_and(|rest| rest.starts_with('.'));
        let mut waivers = self.waive.iter().filter(|w| w.rule == rule && !w.why.trim().is_empty());
        waivers.find(|w| w.at.is_empty() || w.at.iter().any(|at| accepts(at))).map(|w| w.why.clone())
    }
}
