//! Rules about when data ends.

use std::collections::BTreeMap;

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{CategoryRule, LegalBasis, Retention, RetentionAction, Trigger};
use crate::{Deadline, Period, Transformation};

pub(in crate::lint) static RET_MISSING: Rule = Rule {
    id: "RET_MISSING",
    breach: "nothing says when data ends, or only words do that hold for all data",
    source: "XZ-4.2, AW-3.2, XS-III.2, defect D8; cn-pipl:17, cn-pipl:19, gdpr:13-2-a",
    waivable: false,
    look: missing,
};

fn missing(case: &Case<'_>) -> Found {
    // words of a category's own are for VAGUE_TIME
    let without = case.personal().filter(|(_, rule)| {
        let general = case.document.retention.default.as_ref();
        rule.retention.is_none() && general.is_none_or(|rule| case.length(&rule.after).is_none())
    });
    without
        .map(|(id, _)| {
            let message = "nobody knows when it ends; write a trigger, a time after it and an action, such as \
                           { trigger = \"collected\", after = \"P30D\", action = \"erase\" }";
            (format!("category.{id}.retention"), message.to_owned())
        })
        .collect()
}

/// No law that comes with Sayso asks to keep anything about people for longer (PIPL 56: processing records).
const LONG: &str = "P3Y";

pub(in crate::lint) static RET_TOO_LONG: Rule = Rule {
    id: "RET_TOO_LONG",
    breach: "data is kept for more than three years",
    source: "CA-4.3 (20 years), conflict C6; cn-pipl:19, gdpr:5-1-e",
    waivable: true,
    look: too_long,
};

fn too_long(case: &Case<'_>) -> Found {
    let Ok(limit) = LONG.parse::<Period>() else { return Found::new() };
    let mut found = Found::new();
    for (id, _, retention) in rules(case) {
        let longest = [retention.max, case.length(&retention.after)].into_iter().flatten();
        if let Some(kept) = longest.into_iter().find(|kept| kept.may_exceed(limit)) {
            let message = format!(
                "{id} is kept for {kept}; shorten it, or waive this with the reason why {id} is needed for so long"
            );
            // with the category even where the rule for all says so: the reason is one of each category
            found.push((format!("category.{id}.retention"), message));
        }
    }
    found
}

pub(in crate::lint) static MIN_RETENTION_WITHOUT_LEGAL_BASIS: Rule = Rule {
    id: "MIN_RETENTION_WITHOUT_LEGAL_BASIS",
    breach: "data is kept for a least time that no law demands",
    source: "CA-4.3 (6 months), conflict C5; cn-pipl:19, cn-pipl:47",
    waivable: false,
    look: no_legal_basis,
};

fn no_legal_basis(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    for (id, rule, retention) in rules(case).into_iter().filter(|(.., retention)| retention.min.is_some()) {
        let named = retention.min_basis.as_ref().is_some_and(|law| !law.trim().is_empty());
        let obliged = rule.purposes.iter().filter_map(|purpose| case.document.purpose.get(purpose));
        let obliged = obliged.into_iter().any(|purpose| purpose.basis == LegalBasis::LegalObligation);
        if !named {
            let message = "erasure wins over a least time that no law demands; name the law in `min_basis`, or remove \
                           `min`";
            found.entry(key(&id, rule, ".min")).or_insert_with(|| message.to_owned());
        } else if !obliged {
            let message = format!(
                "no purpose of {id} rests on LegalObligation, so no law demands `min` of it; give {id} a retention \
                 without, or the purpose that the law is about"
            );
            found.entry(format!("category.{id}.retention")).or_insert(message);
        }
    }
    found.into_iter().collect()
}

pub(in crate::lint) static RET_MIN_CONTRADICTED: Rule = Rule {
    id: "RET_MIN_CONTRADICTED",
    breach: "data must be kept for longer than it may, or be erased in the very moment that it may",
    source: "ZG-S3a, CA-4.3, conflict C7",
    waivable: false,
    look: contradicted,
};

fn contradicted(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    for (id, rule, retention) in rules(case) {
        let Some(min) = retention.min else { continue };
        let from_collection = retention.trigger.contains(Trigger::Collected);
        let after = retention.after.period().filter(|_| from_collection);
        let ends: Vec<_> = [after, retention.max].into_iter().flatten().collect();
        let key = key(&id, rule, ".min");
        if let Some(end) = ends.iter().find(|end| min.may_exceed(**end)) {
            found.insert(key, format!("{min} is longer than {end}, after which it must be gone; change one of them"));
        } else if ends.contains(&min) && retention.tolerance.is_none() {
            let message =
                format!("it must be kept for {min} and gone after {min}; say in `tolerance` how late that may be");
            found.insert(key, message);
        }
    }
    found.into_iter().collect()
}

pub(in crate::lint) static RET_UNTIL_USER_DELETE_NO_CAP: Rule = Rule {
    id: "RET_UNTIL_USER_DELETE_NO_CAP",
    breach: "data stays until the person deletes it, also when the person never comes back",
    source: "ZG-1.2c; cn-pipl:19, gdpr:5-1-e",
    waivable: true,
    look: no_cap,
};

fn no_cap(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    for (id, rule, retention) in rules(case) {
        // a service need never end
        let only = |trigger| matches!(trigger, Trigger::ItemDeleted | Trigger::ServiceEnded);
        let is_theirs = retention.trigger.contains(Trigger::ItemDeleted) && retention.trigger.iter().all(only);
        if is_theirs && retention.max.is_none() {
            let message = "whoever forgets it never deletes it; write the longest time from its collection into `max`, \
                           or a second trigger such as \"user.deleted_item|account.cancelled\"";
            found.insert(key(&id, rule, ""), message.to_owned());
        }
    }
    found.into_iter().collect()
}

pub(in crate::lint) static ENDLESS_DURATION: Rule = Rule {
    id: "ENDLESS_DURATION",
    breach: "data never ends",
    source: "dpv:EndlessDuration, dpv:IndeterminateDuration; cn-pipl:19, gdpr:5-1-e, coppa:312.10",
    waivable: false,
    look: endless,
};

/// Words for "never".
const NEVER: [&str; 8] =
    ["forever", "permanent", "permanently", "indefinitely", "without limit", "永久", "长期", "无限期"];

/// Whether the words of a deadline say that it never comes.
pub(super) fn says_never(deadline: &Deadline) -> bool {
    match deadline {
        Deadline::Within(_) => false,
        Deadline::Vague(words) => NEVER.contains(&words.to_lowercase().as_str()),
    }
}

fn endless(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    for (id, rule, retention) in rules(case).into_iter().filter(|(.., retention)| retention.max.is_none()) {
        let message = if says_never(&retention.after) {
            format!("\"{}\" has no end; write a time", retention.after)
        } else if retention.trigger.iter().all(|trigger| trigger == Trigger::ServiceEnded) {
            "a service need never end; write `max`, or a trigger in the life of the person's data".to_owned()
        } else {
            continue;
        };
        found.insert(key(&id, rule, ""), message);
    }
    found.into_iter().collect()
}

pub(in crate::lint) static ANONYMISER_UNREGISTERED: Rule = Rule {
    id: "ANONYMISER_UNREGISTERED",
    breach: "data is anonymised by nothing that is registered, so nobody has tested that it leads to nobody",
    source: "AW-1.2.7a, CA-4.3, XS-I.3, conflict C9; cn-pipl:73",
    waivable: false,
    look: unregistered,
};

fn unregistered(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    for (id, rule, retention) in rules(case) {
        let is_anonymised = retention.action == RetentionAction::Anonymise;
        let message = match retention.by.as_deref() {
            None if is_anonymised => "nothing says by what; name what is registered".to_owned(),
            Some(name) if Transformation::named(name).is_none() => format!("nobody registered `{name}`; name what is"),
            _ => continue,
        };
        let names = Transformation::ALL.map(|transformation| format!("by = \"{transformation}\"")).join(", ");
        found.insert(key(&id, rule, ".by"), format!("{message}: {names}"));
    }
    found.into_iter().collect()
}

/// The retention of each category that says something about a person.
pub(super) fn rules<'a>(case: &Case<'a>) -> Vec<(String, &'a CategoryRule, &'a Retention)> {
    let rules = case.personal().filter_map(|(id, rule)| Some((id, rule, case.document.retention_of(rule)?)));
    rules.collect()
}

/// Where the retention of `category` stands: with it, or with all.
pub(super) fn key(id: &str, category: &CategoryRule, below: &str) -> String {
    match category.retention {
        Some(_) => format!("category.{id}.retention{below}"),
        None => format!("retention.default{below}"),
    }
}
