//! Rules about processing without consent.

use crate::law::LawFloor;
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::ExemptionCode;

pub(in crate::lint) static EXEMPTION_NOT_IN_LAW: Rule = Rule {
    id: "EXEMPTION_NOT_IN_LAW",
    breach: "the policy keeps a ground for itself that a named law does not have",
    source: "AW-4.4(8), ZG-4.2(7) (X09), CA-3.4.10 (X12), CA-3.4.8 (X13); cn-pipl:13",
    waivable: false,
    look: not_in_law,
};

fn not_in_law(case: &Case<'_>) -> Found {
    // a law that lists no grounds says nothing about them
    let lists: Vec<&LawFloor> = case.laws.iter().copied().filter(|law| !law.exemptions().is_empty()).collect();
    let mut found = Found::new();
    for code in case.document.exemption.keys() {
        let without = lists.iter().filter(|law| law.exemptions().iter().all(|rule| rule.code != *code));
        for law in without {
            let law = law.laws().collect::<Vec<_>>().join(", ");
            let message = format!("{law} has no such ground; remove it and ask for consent instead");
            found.push((format!("exemption.{code}"), message));
        }
    }
    found
}

pub(in crate::lint) static EXEMPTION_APPROVERS: Rule = Rule {
    id: "EXEMPTION_APPROVERS",
    breach: "fewer people approve an exemption than must",
    source: "XZ-3.3, clauses 1.6.5",
    waivable: false,
    look: approvers,
};

fn approvers(case: &Case<'_>) -> Found {
    let few = case.document.exemption.values().filter(|exemption| exemption.approvers < exemption.code.approvers_min());
    few.map(|exemption| {
        let message = format!("needs {} people who approve it; write that", exemption.code.approvers_min());
        (format!("exemption.{}.approvers", exemption.code), message)
    })
    .collect()
}

pub(in crate::lint) static EXEMPTION_OPENS_CONTENT: Rule = Rule {
    id: "EXEMPTION_OPENS_CONTENT",
    breach: "keeping the service stable is a ground to look at what people said, wrote or showed",
    source: "AW-1.2.1, clauses 1.6.5 (X09)",
    waivable: false,
    look: opens_content,
};

fn opens_content(case: &Case<'_>) -> Found {
    let Some(exemption) = case.document.exemption.get(&ExemptionCode::X09) else { return Found::new() };
    let key = "exemption.X09.categories".to_owned();
    if exemption.categories.is_empty() {
        let message = "opens every category; name those that are needed to find faults, none of them with content";
        return vec![(key, message.to_owned())];
    }
    let content = exemption
        .categories
        .iter()
        .filter(|id| case.document.category.get(*id).is_some_and(|rule| rule.is_personal() && !rule.content_free));
    content
        .map(|id| (key.clone(), format!("{id} is not `content_free`; faults are found without it, so remove it")))
        .collect()
}
