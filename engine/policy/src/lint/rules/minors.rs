//! Rules about minors.

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;

pub(in crate::lint) static MINOR_AGE_BELOW_LAW: Rule = Rule {
    id: "MINOR_AGE_BELOW_LAW",
    breach: "children need no guardian, or get no special rules, at an age at which a named law protects them",
    source: "conflict C10; cn-pipl:31, gdpr:8, coppa:312.5",
    waivable: false,
    look: age_below_law,
};

fn age_below_law(case: &Case<'_>) -> Found {
    let minors = &case.document.minors;
    let ages = [
        ("minors.guardian_required_below", minors.guardian_required_below, case.law.guardian()),
        ("minors.special_regime_below", minors.special_regime_below, case.law.special_rules()),
    ];
    ages.into_iter()
        .filter_map(|(key, said, law)| {
            let law = law.filter(|law| said < law.below)?;
            Some((key.to_owned(), format!("the law says {} ({}); write that or more", law.below, law.src)))
        })
        .collect()
}

pub(in crate::lint) static MINOR_UNVERIFIED: Rule = Rule {
    id: "MINOR_UNVERIFIED",
    breach: "a guardian must agree and nothing says how one is told from a child",
    source: "XZ-6.1, CA-6.1, clauses 1.6.9; cn-pipl:31, gdpr:8-2, coppa:312.5-b",
    waivable: false,
    look: unverified,
};

fn unverified(case: &Case<'_>) -> Found {
    let minors = &case.document.minors;
    if minors.guardian_required_below == 0 || !minors.verify_methods.is_empty() {
        return Found::new();
    }
    let message = "anybody could say to be a guardian; write how one is verified, such as \"sms_guardian_phone\"";
    vec![("minors.verify_methods".to_owned(), message.to_owned())]
}
