//! Rules about waivers.

use crate::error::Nearest;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::lint::{Finding, Rule};
use crate::profile::{LintRules, Waiver};

pub(in crate::lint) static WAIVER_INVALID: Rule = Rule {
    id: "WAIVER_INVALID",
    breach: "a waiver is for no rule, has no reason, accepts nothing, or what nobody may accept",
    source: "a waiver is somebody's responsibility for something",
    waivable: false,
    look: invalid,
};

fn invalid(case: &Case<'_>) -> Found {
    let known = || Rule::ALL.iter().map(|rule| rule.id());
    let mut found = Found::new();
    for (key, waiver) in keyed(&case.document.lint) {
        match Rule::named(&waiver.rule) {
            None => {
                let nearest = Nearest::to(&waiver.rule, known());
                found.push((key.clone(), format!("there is no rule `{}`{nearest}", waiver.rule)));
            }
            Some(rule) if !rule.is_waivable() => {
                let message = format!("nobody can take responsibility for {}; put right what it says", rule.id());
                found.push((key.clone(), message));
            }
            Some(_) => {}
        }
        if waiver.why.trim().is_empty() {
            found.push((key, "a waiver needs a reason: write it into `why`".to_owned()));
        }
    }
    found
}

/// The waivers that accept none of the findings though they could.
pub(in crate::lint) fn idle(rules: &LintRules, found: &[Finding]) -> Found {
    let idle = keyed(rules).filter(|(_, waiver)| {
        let sound = Rule::named(&waiver.rule).is_some_and(Rule::is_waivable) && !waiver.why.trim().is_empty();
        sound && !found.iter().any(|finding| waiver.accepts(finding.rule, &finding.place.key))
    });
    idle.map(|(key, waiver)| {
        let message = format!("there is no {} to accept; remove the waiver", waiver.rule);
        (key, message)
    })
    .collect()
}

fn keyed(rules: &LintRules) -> impl Iterator<Item = (String, &Waiver)> {
    rules.waive.iter().enumerate().map(|(i, waiver)| (format!("lint.waive.{i}"), waiver))
}

impl LintRules {
    /// The reason for which a finding of `rule` at `key` is accepted, if it is.
    pub(in crate::lint) fn waived(&self, rule: &Rule, key: &str) -> Option<String> {
        self.waive.iter().find(|waiver| waiver.accepts(rule, key)).map(|waiver| waiver.why.clone())
    }
}

impl Waiver {
    fn accepts(&self, rule: &Rule, key: &str) -> bool {
        let covers = |at: &str| key == at || key.strip_prefix(at).is_some_and(|rest| rest.starts_with('.'));
        self.rule == rule.id()
            && rule.is_waivable()
            && !self.why.trim().is_empty()
            && (self.at.is_empty() || self.at.iter().any(|at| covers(at)))
    }
}
