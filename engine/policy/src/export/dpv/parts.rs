//! The items of a profile as nodes.

use std::collections::BTreeSet;

use sayso_types::{Category, Purpose};

use crate::LegalBasis;
use crate::country::is_country;
use crate::export::jsonld::{self, Node, Object, id, plain, term, to};
use crate::profile::{CategoryRule, Document, Identifies, Processor, Provenance, PurposeRule, Retention, Sensitivity};
use crate::words::spelled;

pub(super) fn process_id(purpose: Purpose) -> String {
    format!("#process.{purpose}")
}

/// The name of a place: DPV's where it is a country. Any other keeps its words, encoded as a fragment asks (RFC 3986).
pub(super) fn place(region: &str) -> String {
    if is_country(region) {
        return format!("loc:{region}");
    }
    let mut name = "#place.".to_owned();
    for byte in region.bytes() {
        match byte {
            b' ' => name.push('-'),
            _ if byte.is_ascii_alphanumeric() || b"._~".contains(&byte) => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name
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
    let processing = rule.processing.iter().map(|processing| to(jsonld::processing(*processing)));
    Node::new(process_id(rule.id), ["dpv:Process"])
        .with("dpv:hasPurpose", [to(id::purpose(rule.id))])
        .with("dpv:hasDataController", [to(id::CONTROLLER)])
        .with("dpv:hasLegalBasis", [to(basis(rule.basis))])
        .with("dcterms:source", rule.basis_code.iter().map(plain))
        .with("dpv:hasPersonalData", of(true))
        .with("dpv:hasData", of(false))
        .with("dpv:hasProcessing", [to("dpv:Transmit")].into_iter().chain(processing))
        .with("dpv:hasRecipient", recipients.into_iter().map(|name| to(id::processor(name))))
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
        .with("dpv:hasStorageCondition", retention.map(|_| to(&storage)));
    let condition = retention.map(|retention| stored(storage, retention));
    [Some(node), condition].into_iter().flatten().collect()
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
    let after = match retention.after.period() {
        Some(crate::Period::Iso(period)) => Object::Typed { value: period.to_string(), type_: "xsd:duration" },
        // xsd has no working days, and words are no length
        _ => plain(retention.after.to_string()),
    };
    Node::new(name, ["dpv:StorageCondition", "dpv:UntilEventDuration"])
        .with("dpv:hasDuration", [after])
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
        .with("dpv:hasName", [plain(&processor.party)])
        .with("dpv:hasContact", processor.contact.iter().map(plain))
        .with("sayso:role", processor.role.iter().map(|role| plain(spelled(role))))
        .with("sayso:partnerType", processor.partner_type.iter().map(|sort| plain(spelled(sort))))
        .with("sayso:instructions", processor.instructions_ref.iter().map(plain))
        .with("dpv:hasLocation", [to(place(&processor.region))])
        .with("sayso:transferMechanism", processor.mechanism.iter().map(|means| plain(means.to_string())))
        .with("sayso:state", [plain(spelled(&processor.state))])
}
