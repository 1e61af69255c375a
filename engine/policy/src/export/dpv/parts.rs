//! The items of a profile as nodes.

use std::collections::BTreeSet;

use sayso_types::{Category, ProcessorKind, Purpose};

use crate::LegalBasis;
use crate::export::jsonld::{self, Node, Object, id, plain, term, to};
use crate::profile::{
    AtRest, CategoryRule, DataSubject, Document, Identifies, Necessity, Processor, Provenance, PurposeRule, Retention,
    Sensitivity,
};
use crate::words::spelled;

pub(super) fn process_id(purpose: Purpose) -> String {
    format!("#process.{purpose}")
}

pub(super) fn controller(document: &Document) -> Node {
    let controller = &document.controller;
    Node::new(id::CONTROLLER, [role(document)])
        .with("dpv:hasName", [plain(&controller.name)])
        .with("dpv:hasContact", controller.contact.ways().map(plain))
}

const fn role(document: &Document) -> &'static str {
    use crate::profile::ControllerRole;
    match document.controller.role {
        ControllerRole::DataController => "dpv:DataController",
        ControllerRole::JointDataControllers => "dpv:JointDataControllers",
        ControllerRole::DataProcessor => "dpv:DataProcessor",
    }
}

pub(super) fn purpose(rule: &PurposeRule) -> Node {
    Node::new(id::purpose(rule.id), ["dpv:Purpose", "skos:Concept"])
        .titled(&rule.title)
        .with("skos:broader", [to(term(&rule.dpv))])
}

pub(super) fn process(document: &Document, rule: &PurposeRule) -> Node {
    let used = || document.category.iter().filter(|(_, category)| category.purposes.contains(&rule.id));
    let of =
        |personal| used().filter(move |(_, c)| c.is_personal() == personal).map(|(name, _)| to(id::category(name)));
    let flows = document.flows().filter(|flow| flow.purpose.id == rule.id);
    let recipients: BTreeSet<_> = flows.map(|flow| flow.processor.id).collect();
    let is_taken_in = |rule: &CategoryRule| {
        matches!(rule.provenance, Some(Provenance::Provided | Provenance::Collected | Provenance::Observed))
            // what nothing is said to follow from comes from the person
            || (rule.provenance.is_none() && rule.derived_from.is_empty())
    };
    let collects = used().any(|(_, rule)| rule.is_personal() && is_taken_in(rule));
    let stores = document.flows().any(|flow| {
        let keeps = document.category[&flow.id].at_rest == AtRest::Allowed;
        flow.purpose.id == rule.id && flow.processor.kind == ProcessorKind::Database && keeps
    });
    let named: BTreeSet<_> = rule.processing.iter().map(|processing| jsonld::processing(*processing)).collect();
    let follows = [("dpv:Collect", collects), ("dpv:Store", stores)].into_iter().filter(|(_, is_so)| *is_so);
    let follows = follows.map(|(name, _)| name.to_owned()).filter(|name| !named.contains(name)).collect::<Vec<_>>();
    let processing = follows.into_iter().chain(named.iter().cloned()).map(to);
    let subjects: BTreeSet<_> =
        used().filter(|(_, rule)| rule.is_personal()).map(|(_, rule)| subject_id(rule.subject)).collect();
    Node::new(process_id(rule.id), ["dpv:Process"])
        .with("dpv:hasPurpose", [to(id::purpose(rule.id))])
        .with("dpv:hasDataController", [to(id::CONTROLLER)])
        .with("dpv:hasLegalBasis", [to(basis(rule.basis))])
        .with("dcterms:source", rule.basis_code.iter().map(plain))
        .with("dpv:hasPersonalData", of(true))
        .with("dpv:hasData", of(false))
        .with("dpv:hasDataSubject", subjects.into_iter().map(to))
        .with("dpv:hasProcessing", [to("dpv:Transmit")].into_iter().chain(processing))
        .with("dpv:hasRecipient", recipients.into_iter().map(|name| to(id::processor(name))))
}

fn subject_id(subject: DataSubject) -> String {
    format!("#subject.{}", spelled(&subject))
}

/// Those whose data it is.
pub(super) fn subjects(document: &Document) -> impl Iterator<Item = Node> {
    let personal = document.category.values().filter(|rule| rule.is_personal());
    let subjects: BTreeSet<_> = personal.map(|rule| rule.subject).collect();
    subjects.into_iter().map(|subject| {
        Node::new(subject_id(subject), ["dpv:DataSubject"]).with("skos:prefLabel", jsonld::in_words(&subject))
    })
}

const fn basis(basis: LegalBasis) -> &'static str {
    match basis {
        LegalBasis::Consent => "dpv:Consent",
        LegalBasis::ContractPerformance => "dpv:ContractPerformance",
        LegalBasis::EnterIntoContract => "dpv:EnterIntoContract",
        LegalBasis::LegalObligation => "dpv:LegalObligation",
        LegalBasis::VitalInterest => "dpv:VitalInterest",
        LegalBasis::PublicInterest => "dpv:PublicInterest",
        LegalBasis::OfficialAuthority => "dpv:OfficialAuthorityOfController",
        LegalBasis::LegitimateInterest => "dpv:LegitimateInterest",
    }
}

/// A category, and how long it is stored.
pub(super) fn category(document: &Document, name: Category, rule: &CategoryRule) -> Vec<Node> {
    let sort = match rule.sensitivity {
        Sensitivity::None => "dpv:NonPersonalData",
        Sensitivity::Normal => "dpv:PersonalData",
        Sensitivity::High => "dpv:SensitivePersonalData",
        Sensitivity::Special => "dpv:SpecialCategoryPersonalData",
    };
    let identifies = match rule.identifies {
        Identifies::Directly => None,
        Identifies::Pseudonymised => Some("dpv:PseudonymisedData"),
        Identifies::Anonymised => Some("dpv:AnonymisedData"),
    };
    let retention = document.retention_of(rule);
    let storage = format!("#storage.{name}");
    let node = Node::new(id::category(name), ["skos:Concept", sort])
        .titled(&rule.title)
        .with("skos:broader", rule.dpv.iter().map(|spelled| to(term(spelled))))
        .with("skos:broader", identifies.map(to))
        .with("skos:broader", rule.provenance.map(|provenance| to(origin(provenance))))
        .with("dcterms:source", rule.derived_from.iter().map(|source| to(id::category(source))))
        .with("dpv:hasContext", rule.necessity.as_ref().map(|necessity| to(needed(necessity))))
        .with("dpv:hasStorageCondition", retention.map(|_| to(&storage)));
    let condition = retention.map(|retention| stored(storage, retention));
    [Some(node), condition].into_iter().flatten().collect()
}

/// Whether the service can do without.
const fn needed(necessity: &Necessity) -> &'static str {
    match necessity {
        Necessity::Required | Necessity::RequiredFor(_) => "dpv:Required",
        Necessity::Optional => "dpv:Optional",
    }
}

const fn origin(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Provided => "dpv:ProvidedPersonalData",
        Provenance::Collected => "dpv:CollectedPersonalData",
        Provenance::Observed => "dpv:ObservedPersonalData",
        Provenance::Derived => "dpv:DerivedPersonalData",
        Provenance::Inferred => "dpv:InferredPersonalData",
        Provenance::Generated => "dpv:GeneratedPersonalData",
    }
}

fn stored(name: String, retention: &Retention) -> Node {
    let length = |period| Object::Typed { value: jsonld::duration(period), type_: jsonld::DURATION };
    // words are no length
    let after = retention.after.period().map_or_else(|| plain(retention.after.to_string()), length);
    Node::new(name, ["dpv:StorageCondition", "dpv:UntilEventDuration"])
        .with("dpv:hasDuration", [after])
        .with("sayso:atLeast", retention.min.map(length))
        .with("sayso:atLeastBasis", retention.min_basis.iter().map(plain))
        .with("sayso:atMost", retention.max.map(length))
        .with("sayso:trigger", retention.trigger.iter().map(|trigger| plain(spelled(&trigger))))
        .with("sayso:action", [plain(spelled(&retention.action))])
}

pub(super) fn processor(processor: &Processor) -> Node {
    let sort = match () {
        () if processor.independent_controller => "dpv:ThirdParty",
        () if processor.is_own() => "dpv:Recipient",
        () => "dpv:DataProcessor",
    };
    Node::new(id::processor(processor.id), [sort])
        .with("dpv:hasName", jsonld::party(processor))
        .with("dpv:hasContact", processor.contact.iter().map(plain))
        .with("sayso:role", processor.role.iter().map(|role| plain(spelled(role))))
        .with("sayso:partnerType", processor.partner_type.iter().map(|sort| plain(spelled(sort))))
        .with("sayso:instructions", processor.instructions_ref.iter().map(plain))
        .with("dpv:hasLocation", [to(jsonld::place(&processor.region))])
        .with("sayso:transferMechanism", processor.mechanism.iter().map(|means| plain(means.to_string())))
        .with("sayso:state", [plain(spelled(&processor.state))])
}
