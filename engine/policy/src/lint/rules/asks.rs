//! Rules about the question: what one "yes" may mean.

use sayso_types::ProcessorKind;

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::lint::rules::consent::is_apart;
use crate::profile::{AtRest, LegalBasis, Necessity, Processor, Trigger};

pub(in crate::lint) static SPECIAL_ASKED_TOGETHER: Rule = Rule {
    id: "SPECIAL_ASKED_TOGETHER",
    breach: "one spoken question asks for something special together with something else",
    source: "XZ-1.8, XS-II.3; cn-pipl:29, gdpr:7-2",
    waivable: false,
    look: together,
};

fn together(case: &Case<'_>) -> Found {
    let spoken = &case.document.asks.spoken;
    if spoken.len() < 2 {
        return Found::new();
    }
    let mut found = Found::new();
    for id in spoken {
        let apart = case.document.purpose.get(id).is_some_and(|purpose| purpose.separate);
        let special = case.personal().find(|(_, rule)| rule.purposes.contains(id) && is_apart(rule));
        let why = match (apart, special) {
            (_, Some((category, _))) => format!("it uses {category}"),
            (true, None) => "its `separate` says so".to_owned(),
            (false, None) => continue,
        };
        let message = format!("{id} must be asked apart from everything else ({why}); take it out of this question");
        found.push(("asks.spoken".to_owned(), message));
    }
    found
}

pub(in crate::lint) static CONSENT_BUNDLED: Rule = Rule {
    id: "CONSENT_BUNDLED",
    breach: "whoever refuses consent is refused the whole service",
    source: "AW-0.1, CA-1.1.4, conflict C13; cn-pipl:16, gdpr:7-4",
    waivable: false,
    look: bundled,
};

fn bundled(case: &Case<'_>) -> Found {
    let required = case.personal().filter(|(_, rule)| rule.necessity == Some(Necessity::Required));
    required
        .filter_map(|(id, rule)| {
            let purpose = case.agreed(rule).next()?.id;
            let message = format!(
                "{purpose} rests on consent, which nobody has to give; write \"Required_for:{purpose}\" or \
                 \"Optional\", or give the purpose another basis"
            );
            Some((format!("category.{id}.necessity"), message))
        })
        .collect()
}

pub(in crate::lint) static EVIDENCE_UNKEPT: Rule = Rule {
    id: "EVIDENCE_UNKEPT",
    breach: "answers are to be kept as evidence, and the policy does not let them be, or not for long enough to prove anything",
    source: "cn-pipl:69, gdpr:7-1, gdpr:5-1-e",
    waivable: false,
    look: unkept,
};

fn unkept(case: &Case<'_>) -> Found {
    let Some(id) = case.document.asks.evidence else { return Found::new() };
    let Some(rule) = case.document.category.get(&id) else { return Found::new() };
    let mut found = Found::new();
    let mut tell = |key: &str, message: &str| found.push((format!("category.{id}.{key}"), message.to_owned()));
    if rule.at_rest == AtRest::Forbidden {
        tell(
            "at_rest",
            "the sound of answers cannot be kept under it; write \"allowed\", or take `evidence` out of [asks]",
        );
    }
    match &rule.retention {
        None => tell("retention", "nobody knows for how long an answer is kept; write it here, and not for all data"),
        Some(rule) if rule.trigger.iter().any(is_too_early) => tell(
            "retention.trigger",
            "it must still be there when somebody asks what the person said; let it end with \"account.cancelled\", or some \
             time after it was \"collected\"",
        ),
        Some(_) => {}
    }
    if !rule.attrs.is_empty() {
        tell("attrs", "the sound of an answer has none; leave them out");
    }
    let purposes: Vec<_> = rule.purposes.iter().filter_map(|id| case.document.purpose.get(id)).collect();
    if purposes.len() != 1 || purposes.iter().any(|purpose| purpose.basis == LegalBasis::Consent) {
        tell(
            "purposes",
            "name one, and none that rests on consent: also who says no is heard, and has agreed to nothing",
        );
    }
    let keeps = |one: &Processor| {
        let is_for_it = one.accepts.contains(&id) && rule.purposes.iter().all(|purpose| one.purposes.contains(purpose));
        one.kind == ProcessorKind::Database && is_for_it
    };
    if !case.document.processor.values().any(keeps) {
        tell("purposes", "no database accepts it for that; add it to `accepts` and `purposes` of one");
    }
    found
}

/// Whether what ends then proves nothing to whoever asks later.
const fn is_too_early(trigger: Trigger) -> bool {
    matches!(trigger, Trigger::TurnEnd | Trigger::SessionEnd | Trigger::Withdraw)
}
