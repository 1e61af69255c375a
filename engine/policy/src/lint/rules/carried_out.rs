//! Rules about whether the engine does what a profile says of the end of data, and when a law lets it.

use std::collections::BTreeMap;

use sayso_types::Category;

use super::retention::{key, rules};
use crate::law::{KeepRule, Kept};
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{
    AtRest, CategoryRule, LegalBasis, Processor, ProcessorState, Retention, RetentionAction, RightKind, Trigger,
};
use crate::{Deadline, Period};

/// What the engine makes of documents, and erases with them.
const MADE: [&str; 2] = ["chunk", "embedding"];

/// What the engine keeps as evidence, where a profile declares it.
const EVIDENCE: [&str; 7] = [
    "consent_record",
    "withdrawal_record",
    "rights_request",
    "erasure_certificate",
    "complaint_record",
    "disclosure_record",
    "exemption_record",
];

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
        let is_made = |name: &&String| MADE.contains(&name.as_str()) || retention.processors_must_confirm;
        if let Some(name) = retention.cascade.iter().find(|name| !is_made(name)) {
            let message = format!(
                "the engine makes no {name} of {id}, only {}; of what a receiver makes of it, write \
                 processors_must_confirm = true",
                MADE.join(" and ")
            );
            found.insert(key(&id, rule, ".cascade"), message);
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

pub(in crate::lint) static CONFIRMATION_IMPOSSIBLE: Rule = Rule {
    id: "CONFIRMATION_IMPOSSIBLE",
    breach: "data has ended only once a receiver says so, and nothing can tell that receiver",
    source: "XZ-1.8, ZG-1.3c; cn-pipl:21, gdpr:17-2, gdpr:28-3-g",
    waivable: false,
    look: unconfirmable,
};

fn unconfirmable(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    for (id, ..) in rules(case).into_iter().filter(|(.., retention)| retention.processors_must_confirm) {
        let keeps = |p: &&Processor| {
            let nothing = p.zero_retention || p.declared_retention.as_ref().is_some_and(is_nothing);
            let gets = matches!(p.state, ProcessorState::Active | ProcessorState::Suspended) && !p.is_own();
            gets && !nothing && p.accepts.iter().any(|accepted| accepted.as_str() == id)
        };
        for p in case.document.processor.values().filter(keeps).filter(|p| !p.deletion_api) {
            let message = format!(
                "{id} has ended only once {} says so, and it cannot be told to delete; agree on a way and write true, or let it \
                 keep nothing",
                p.party
            );
            found.entry(format!("processor.{}.deletion_api", p.id)).or_insert(message);
        }
    }
    found.into_iter().collect()
}

fn is_nothing(kept: &Deadline) -> bool {
    kept.period().is_some_and(Period::is_zero)
}

pub(in crate::lint) static KEPT_SHORTER_THAN_LAW: Rule = Rule {
    id: "KEPT_SHORTER_THAN_LAW",
    breach: "records or logs end before a named law lets them",
    source: "CA-4.3, conflicts C5 and C7; cn-pipl:56, cn-csl:21",
    waivable: false,
    look: kept_shorter,
};

/// Where a law demands network logs, as `basis_code` names it.
const NETWORK_LOGS: &str = "cn-csl:21";

fn kept_shorter(case: &Case<'_>) -> Found {
    let mut found = Found::new();
    let kept_by =
        |id: &str| rules(case).into_iter().find(|(of, ..)| of == id).map(|(_, rule, retention)| (rule, retention));
    for law in case.law.keeps() {
        let KeepRule { what, at_least, src } = law;
        let is_short = |kept: Period| at_least.may_exceed(kept);
        match what {
            Kept::ProcessingRecords => {
                if case.document.security.audit_retention.is_some_and(is_short) {
                    let message = format!("{src} demands {at_least}; write that or more");
                    found.push(("security.audit_retention".to_owned(), message));
                }
                for id in EVIDENCE {
                    let Some((rule, retention)) = kept_by(id) else { continue };
                    if let Some(end) =
                        [retention.after.period(), retention.max].into_iter().flatten().find(|e| is_short(*e))
                    {
                        let message =
                            format!("{id} ends after {end}, and {src} demands {at_least}; write that or more");
                        found.push((key(id, rule, ""), message));
                    }
                }
            }
            Kept::NetworkLogs => {
                let demanded = case.document.purpose.values().filter(|p| p.basis_code.as_deref() == Some(NETWORK_LOGS));
                for purpose in demanded {
                    let logs = || rules(case).into_iter().filter(|(_, rule, _)| rule.purposes.contains(&purpose.id));
                    let is_kept = logs().any(|(.., retention)| kept(retention).any(|kept| !is_short(kept)));
                    if !is_kept && logs().next().is_some() {
                        let message = format!(
                            "rests on the law that demands network logs for {at_least} ({src}), and nothing of it is kept so \
                             long; write `min`, with `min_basis`, or another basis"
                        );
                        found.push((format!("purpose.{}.basis_code", purpose.id), message));
                    }
                }
            }
        }
    }
    found
}

/// How long data is kept from its collection, whatever happens.
fn kept(retention: &Retention) -> impl Iterator<Item = Period> {
    let only = retention.trigger.iter().all(|trigger| trigger == Trigger::Collected);
    retention.min.into_iter().chain(retention.after.period().filter(|_| only))
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
