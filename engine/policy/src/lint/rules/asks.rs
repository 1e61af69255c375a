//! Rules about the question: what one "yes" may mean.

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::lint::rules::consent::is_apart;
use crate::profile::Necessity;

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
