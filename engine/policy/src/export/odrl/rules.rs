//! Permissions, prohibitions and obligations.

use serde::Serialize;

use super::{action, id, jsonld, prohibited};
use crate::flow::Flow;
use crate::profile::{Document, Prohibition, Retention, RetentionAction, Trigger};
use crate::words::spelled;
use crate::{LegalBasis, Period};

/// Everything that a profile speaks of: what a prohibition without a category is about.
pub(super) const ALL_DATA: &str = "#data";

/// The purposes that the person must have agreed to.
const AGREED_TO: &str = "sayso:agreedTo";
/// The age of the person.
const AGE: &str = "sayso:age";

/// The left operands that ODRL does not have, and what they are.
pub(super) const OPERANDS: [(&str, &str); 2] = [
    (AGREED_TO, "The purposes that the person whose data it is has agreed to."),
    (AGE, "The age, in years, of the person whose data it is."),
];

/// A permission, a prohibition or an obligation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// What may, must or must not be done.
    pub action: String,
    /// With what.
    pub target: String,
    /// By whose word.
    pub assigner: String,
    /// By whom; anybody when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constraint: Vec<Constraint>,
    /// What a permission asks for in return.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duty: Vec<Duty>,
}

/// What a permission asks for in return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duty {
    /// What must be done.
    pub action: &'static str,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Constraint {
    /// What is looked at.
    pub left_operand: &'static str,
    /// How it is compared.
    pub operator: &'static str,
    /// With what.
    pub right_operand: Operand,
}

/// What something is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Operand {
    /// A thing or a term.
    Thing {
        /// What it is called.
        #[serde(rename = "@id")]
        id: String,
    },
    /// One or all of several, as the operator says.
    Several(Vec<Self>),
    /// A length of time.
    Length {
        /// In ISO 8601.
        #[serde(rename = "@value")]
        value: String,
        /// `xsd:duration`.
        #[serde(rename = "@type")]
        type_: &'static str,
    },
    /// A number.
    Number(u8),
}

impl Operand {
    pub(super) fn thing(id: impl Into<String>) -> Self {
        Self::Thing { id: id.into() }
    }
}

const fn constraint(left_operand: &'static str, operator: &'static str, right_operand: Operand) -> Constraint {
    Constraint { left_operand, operator, right_operand }
}

pub(super) fn event(trigger: Trigger) -> String {
    format!("#event.{}", spelled(&trigger))
}

/// One for each way that data may go.
pub(super) fn permissions(document: &Document) -> Vec<Rule> {
    document.flows().map(|flow| permission(document, &flow)).collect()
}

fn permission(document: &Document, flow: &Flow<'_>) -> Rule {
    let consent = flow.purpose.basis == LegalBasis::Consent;
    let first: Vec<_> = document.required(flow.purpose).iter().map(|id| Operand::thing(id::purpose(id))).collect();
    let first = (!first.is_empty()).then(|| constraint(AGREED_TO, "isAllOf", Operand::Several(first)));
    Rule {
        action: "use".to_owned(),
        target: id::category(flow.id),
        assigner: id::CONTROLLER.to_owned(),
        assignee: Some(id::processor(flow.processor.id)),
        constraint: [
            constraint("purpose", "eq", Operand::thing(id::purpose(flow.purpose.id))),
            constraint("spatial", "eq", Operand::thing(jsonld::place(&flow.processor.region))),
            constraint("recipient", "eq", Operand::thing(id::processor(flow.processor.id))),
        ]
        .into_iter()
        .chain(first)
        .collect(),
        duty: consent.then_some(Duty { action: "obtainConsent" }).into_iter().collect(),
    }
}

pub(super) fn prohibitions(document: &Document) -> Vec<Rule> {
    document.prohibition.iter().map(prohibition).collect()
}

fn prohibition(rule: &Prohibition) -> Rule {
    let purpose = rule.purpose.as_ref().map(|purpose| constraint("purpose", "isA", prohibited(purpose)));
    let age = rule.when.as_ref().map(|when| constraint(AGE, "lt", Operand::Number(when.age_lt)));
    Rule {
        action: action(rule.processing),
        target: rule.category.map_or_else(|| ALL_DATA.to_owned(), id::category),
        assigner: id::CONTROLLER.to_owned(),
        assignee: None,
        constraint: purpose.into_iter().chain(age).collect(),
        duty: Vec::new(),
    }
}

/// One for each category whose time is limited, and another where there is a longest time, whatever happens. Times that are
/// words are no lengths: what is said of them is that it ends.
pub(super) fn obligations(document: &Document) -> Vec<Rule> {
    let limited = document.category.iter().filter_map(|(name, rule)| Some((name, document.retention_of(rule)?)));
    limited
        .flat_map(|(name, retention)| {
            let rule = |event, after: Option<Period>| Rule {
                action: ending(retention.action).to_owned(),
                target: id::category(name),
                assigner: id::CONTROLLER.to_owned(),
                assignee: Some(id::CONTROLLER.to_owned()),
                constraint: [Some(event), after.map(|after| elapsed("lteq", after))].into_iter().flatten().collect(),
                duty: Vec::new(),
            };
            let usual =
                rule(constraint("event", "isAnyOf", Operand::Several(events(retention))), retention.after.period());
            [Some(usual), retention.max.map(|max| rule(collected(), Some(max)))].into_iter().flatten()
        })
        .collect()
}

/// One for each category that a law has kept for some time: until then it may not be deleted.
pub(super) fn kept(document: &Document) -> Vec<Rule> {
    let kept = document.category.iter().filter_map(|(name, rule)| Some((name, document.retention_of(rule)?.min?)));
    kept.map(|(name, least)| Rule {
        action: "delete".to_owned(),
        target: id::category(name),
        assigner: id::CONTROLLER.to_owned(),
        assignee: None,
        constraint: vec![collected(), elapsed("lt", least)],
        duty: Vec::new(),
    })
    .collect()
}

fn collected() -> Constraint {
    constraint("event", "eq", Operand::thing(event(Trigger::Collected)))
}

/// How long after the event.
fn elapsed(operator: &'static str, period: Period) -> Constraint {
    let length = Operand::Length { value: jsonld::duration(period), type_: jsonld::DURATION };
    constraint("elapsedTime", operator, length)
}

fn events(retention: &Retention) -> Vec<Operand> {
    retention.trigger.iter().map(|trigger| Operand::thing(event(trigger))).collect()
}

const fn ending(action: RetentionAction) -> &'static str {
    match action {
        RetentionAction::Erase | RetentionAction::EraseOrAnonymise | RetentionAction::Zeroise => "delete",
        RetentionAction::Anonymise => "anonymize",
        RetentionAction::Pseudonymise => "dpv:Pseudonymise",
        RetentionAction::Restrict => "dpv:Restrict",
    }
}
