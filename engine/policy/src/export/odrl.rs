//! A profile as a W3C ODRL 2.2 policy, in JSON-LD: what is permitted, under which duties, and what is not. As in the
//! engine, what nothing permits is prohibited, and a prohibition wins. ODRL is for others to read; nothing here evaluates it.

mod rules;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::jsonld::{self, Node, id, plain, term, to};
use crate::profile::{Document, ProhibitedPurpose, Trigger};

pub use rules::{Constraint, Duty, Operand, Rule};

/// A policy, and what it speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Odrl {
    #[serde(rename = "@context")]
    context: (&'static str, BTreeMap<&'static str, String>),
    #[serde(rename = "@graph")]
    graph: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Item {
    Policy(Box<Policy>),
    Node(Node),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Policy {
    #[serde(rename = "@type")]
    type_: &'static str,
    uid: &'static str,
    /// DPV's terms as actions and operands, and operands of our own.
    profile: [&'static str; 2],
    conflict: &'static str,
    permission: Vec<Rule>,
    prohibition: Vec<Rule>,
    obligation: Vec<Rule>,
}

impl Odrl {
    /// `document` in ODRL.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let policy = Policy {
            type_: "Set",
            uid: id::PROFILE,
            profile: ["https://w3id.org/dpv/mappings/odrl#", jsonld::SAYSO],
            conflict: "prohibit",
            permission: rules::permissions(document),
            prohibition: rules::prohibitions(document).into_iter().chain(rules::kept(document)).collect(),
            obligation: rules::obligations(document),
        };
        let nodes = nodes(document).into_iter().map(Item::Node);
        Self {
            context: ("http://www.w3.org/ns/odrl.jsonld", jsonld::context(document)),
            graph: [Item::Policy(Box::new(policy))].into_iter().chain(nodes).collect(),
        }
    }
}

/// What the rules speak of.
fn nodes(document: &Document) -> Vec<Node> {
    let controller = Node::new(id::CONTROLLER, ["Party"]).with("dcterms:title", [plain(&document.controller.name)]);
    let mut nodes = vec![controller, Node::new(rules::ALL_DATA, ["AssetCollection"])];
    nodes.extend(document.processor.values().map(|processor| {
        Node::new(id::processor(processor.id), ["Party"]).with("dcterms:title", jsonld::party(processor))
    }));
    nodes.extend(document.category.iter().map(|(name, rule)| {
        let terms = rule.dpv.iter().map(|spelled| to(term(spelled)));
        let node = Node::new(id::category(name), ["Asset"]).titled(&rule.title).with("skos:broader", terms);
        node.with("partOf", [to(rules::ALL_DATA)])
    }));
    nodes.extend(document.purpose.values().map(|rule| {
        let node = Node::new(id::purpose(rule.id), ["skos:Concept"]).titled(&rule.title);
        node.with("skos:broader", [to(term(&rule.dpv))])
    }));
    let retentions = || document.category.values().filter_map(|rule| document.retention_of(rule));
    let counted = retentions().any(|retention| retention.min.is_some() || retention.max.is_some());
    let triggers: BTreeSet<_> = retentions().flat_map(|retention| retention.trigger.iter()).collect();
    let triggers: BTreeSet<_> = triggers.into_iter().chain(counted.then_some(Trigger::Collected)).collect();
    nodes.extend(triggers.iter().map(|trigger| Node::new(rules::event(*trigger), ["skos:Concept"])));
    nodes.extend(
        rules::OPERANDS.map(|(name, means)| {
            Node::new(name, ["LeftOperand", "skos:Concept"]).with("skos:definition", [plain(means)])
        }),
    );
    nodes.extend(jsonld::places(document, "skos:Concept"));
    nodes.extend(jsonld::own_terms(document));
    nodes
}

/// What a prohibition says about purposes, as an operand.
fn prohibited(purpose: &ProhibitedPurpose) -> Operand {
    match purpose {
        ProhibitedPurpose::Id(name) => Operand::thing(id::purpose(name)),
        ProhibitedPurpose::Dpv(name) => Operand::thing(term(name)),
    }
}

/// What is done with data, as an action.
fn action(processing: Option<crate::profile::Processing>) -> String {
    processing.map_or_else(|| "use".to_owned(), jsonld::processing)
}

#[cfg(test)]
mod tests;
