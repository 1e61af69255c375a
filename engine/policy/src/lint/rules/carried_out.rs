//! A rule about whether the engine does what a profile says of the end of data.

use std::collections::BTreeMap;

use sayso_types::Category;

use super::retention::{key, rules};
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{AtRest, CategoryRule, LegalBasis, Retention, RetentionAction, RightKind, Trigger};

/// What the engine keeps as evidence, where a profile declares it.
const EVIDENCE: [&str; 4] = ["consent_record", "withdrawal_record", "rights_request", "erasure_certificate"];

pub(in crate::lint) static RET_NOT_CARRIED_OUT: Rule = Rule {
    id: "RET_NOT_CARRIED_OUT",
    breach: "people are told of an end of their data that nothing in the engine brings about",
    source: "XZ-1.12, XZ-4.2, AW-3.2; cn-pipl:19, gdpr:5-1-e",
    waivable: false,
    look: not_carried_out,
};

fn not_carried_out(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    for (id, rule, retention) in rules(case) {
        let is_remembered = id == Category::MEMORY_SUMMARY.to_string();
        let actions = [(".action", Some(retention.action)), (".on_withdraw", retention.on_withdraw)];
        for (below, action) in actions.into_iter().filter_map(|(below, action)| Some((below, action?))) {
            let is_counted = is_remembered && below == ".action";
            if let Some(message) = undone(action, rule.at_rest, is_counted) {
                found.insert(key(&id, rule, below), message.to_owned());
            }
        }
        let is_stored = rule.at_rest == AtRest::Allowed;
        if is_stored && retention.max.is_none() && !retention.trigger.iter().any(|one| happens(case, &id, rule, one)) {
            let message = format!(
                "nothing of {id} ends by that: the engine never learns that it has happened; write the longest time from its \
                 collection into `max`, or a second trigger such as \"{}|account.cancelled\"",
                retention.trigger
            );
            found.insert(key(&id, rule, ".trigger"), message);
        }
        if is_remembered && is_demanded(case, rule, retention) {
            let message = "what is remembered goes when the person says so, and a law that demands to keep it has no part \
                           in that; keep what the law is about in a category of its own";
            found.insert(key(&id, rule, ".min"), message.to_owned());
        }
    }
    found.into_iter().collect()
}

/// What is wrong with `action`, where nothing does it with data that may be `at_rest`; `is_counted` where the registered
/// transformations are handed what ends.
fn undone(action: RetentionAction, at_rest: AtRest, is_counted: bool) -> Option<&'static str> {
    match (action, at_rest) {
        (RetentionAction::Erase | RetentionAction::EraseOrAnonymise, _)
        | (RetentionAction::Zeroise, AtRest::Forbidden) => None,
        (RetentionAction::Anonymise, _) if is_counted => None,
        (RetentionAction::Anonymise, _) => {
            Some("no registered transformation takes it: only memory_summary is counted when it ends; write \"erase\"")
        }
        (RetentionAction::Zeroise, AtRest::Allowed) => {
            Some("it is stored, and not in memory alone; write \"erase\", or at_rest = \"forbidden\"")
        }
        (RetentionAction::Pseudonymise, _) => Some(
            "what is stored already stands under a pseudonym, sealed under the person's keys, and what is left would still \
             be about them; write \"erase\"",
        ),
        (RetentionAction::Restrict, _) => Some(
            "nothing is kept to be used for nothing but by a legal hold, or for as long as a law demands (`min`); write \
             \"erase\"",
        ),
    }
}

/// Whether `trigger` ever happens to what is stored in the category `id`.
fn happens(case: &Case<'_>, id: &str, rule: &CategoryRule, trigger: Trigger) -> bool {
    let is_evidence = EVIDENCE.contains(&id);
    match trigger {
        // nothing that is stored belongs to a turn or a session that goes on
        Trigger::Collected => true,
        Trigger::TurnEnd | Trigger::SessionEnd | Trigger::ItemDeleted | Trigger::DeviceUnbound => !is_evidence,
        Trigger::TenantEnded | Trigger::ServiceEnded => !is_evidence,
        Trigger::AccountCancelled => !is_evidence && case.document.rights.offers.contains_key(&RightKind::Cancel),
        Trigger::PurposeEnded | Trigger::Withdraw => is_evidence || case.agreed(rule).next().is_some(),
        Trigger::FeatureDisabled => case.agreed(rule).next().is_some(),
    }
}

/// Whether a law demands that it is kept for a least time.
fn is_demanded(case: &Case<'_>, rule: &CategoryRule, retention: &Retention) -> bool {
    let mut purposes = rule.purposes.iter().filter_map(|purpose| case.document.purpose.get(purpose));
    let is_obliged = purposes.any(|purpose| purpose.basis == LegalBasis::LegalObligation);
    is_obliged && retention.min.is_some() && retention.min_basis.is_some()
}
