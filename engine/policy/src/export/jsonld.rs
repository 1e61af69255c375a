//! The parts of JSON-LD 1.1 that the exports are made of.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::country::is_country;
use crate::profile::{Document, Language, Processing, Processor};
use crate::words::{self, InWords, spelled};
use crate::{Period, Tongue, Vocabulary};

/// Where the terms are described that neither DPV nor ODRL has.
pub(super) const SAYSO: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/ns#");

/// The prefixes of the terms in use.
const PREFIXES: [(&str, &str); 8] = [
    ("dcterms", "http://purl.org/dc/terms/"),
    ("dpv", "https://w3id.org/dpv#"),
    ("loc", "https://w3id.org/dpv/loc#"),
    ("pd", "https://w3id.org/dpv/pd#"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("sayso", SAYSO),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

/// `@context` of a document about one profile revision: relative references such as `#purpose.memory` are in it.
pub(super) fn context(document: &Document) -> BTreeMap<&'static str, String> {
    let header = &document.profile;
    let base = format!("{}/profiles/{}/{}", env!("CARGO_PKG_REPOSITORY"), header.id, header.rev);
    let prefixes = PREFIXES.into_iter().map(|(prefix, iri)| (prefix, iri.to_owned()));
    prefixes.chain([("@base", base)]).collect()
}

/// One thing, and what is said about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Node {
    /// What it is called.
    #[serde(rename = "@id")]
    pub(super) id: String,
    /// What it is.
    #[serde(rename = "@type")]
    types: Vec<&'static str>,
    #[serde(flatten)]
    said: BTreeMap<&'static str, Vec<Object>>,
}

/// What is said about a thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Object {
    /// Another thing.
    Ref {
        /// What that is called.
        #[serde(rename = "@id")]
        id: String,
    },
    /// A text in a language.
    Text {
        /// The text.
        #[serde(rename = "@value")]
        value: String,
        /// Its language.
        #[serde(rename = "@language")]
        language: String,
    },
    /// A value of a type.
    Typed {
        /// The value.
        #[serde(rename = "@value")]
        value: String,
        /// Its type.
        #[serde(rename = "@type")]
        type_: &'static str,
    },
    /// A text in no language.
    Plain(String),
}

impl Node {
    pub(super) fn new(id: impl Into<String>, types: impl Into<Vec<&'static str>>) -> Self {
        Self { id: id.into(), types: types.into(), said: BTreeMap::new() }
    }

    /// With more said; nothing is said where there are no objects.
    pub(super) fn with(mut self, property: &'static str, objects: impl IntoIterator<Item = Object>) -> Self {
        let mut objects = objects.into_iter().peekable();
        if objects.peek().is_some() {
            self.said.entry(property).or_default().extend(objects);
        }
        self
    }

    /// With the titles that people call it by.
    pub(super) fn titled(self, titles: &BTreeMap<Language, String>) -> Self {
        let text = |(language, title): (&Language, &String)| Object::Text {
            value: title.clone(),
            language: language.to_string(),
        };
        self.with("skos:prefLabel", titles.iter().map(text))
    }
}

pub(super) fn to(id: impl Into<String>) -> Object {
    Object::Ref { id: id.into() }
}

pub(super) fn plain(text: impl Into<String>) -> Object {
    Object::Plain(text.into())
}

/// A term as profiles spell it, with the prefix that it stands for.
pub(super) fn term(spelled: &str) -> String {
    if spelled.contains(':') { spelled.to_owned() } else { format!("dpv:{spelled}") }
}

/// The type of lengths of time.
pub(super) const DURATION: &str = "xsd:duration";

/// A length of time as XML Schema writes it, which knows neither weeks nor working days: those as long as they can take.
pub(super) fn duration(period: Period) -> String {
    match period {
        Period::Iso(iso) if !iso.to_string().contains('W') => iso.to_string(),
        other => format!("P{}D", other.longest().as_secs().div_ceil(24 * 60 * 60)),
    }
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

/// The places of processors that are not countries, as things of this type.
pub(super) fn places(document: &Document, type_: &'static str) -> impl Iterator<Item = Node> {
    let regions: BTreeSet<_> = document.processor.values().map(|processor| &processor.region).collect();
    let own = regions.into_iter().filter(|region| !is_country(region));
    own.map(move |region| Node::new(place(region), [type_]).with("skos:prefLabel", [plain(region)]))
}

/// Who runs a processor, by the name that people read.
pub(super) fn party(processor: &Processor) -> Vec<Object> {
    if !processor.is_own() {
        return vec![plain(&processor.party)];
    }
    Tongue::ALL.into_iter().map(|tongue| text(words::party(&processor.party, tongue), tongue)).collect()
}

/// Something of the format as people read it.
pub(super) fn in_words(word: &impl InWords) -> Vec<Object> {
    Tongue::ALL.into_iter().map(|tongue| text(words::words(word, tongue), tongue)).collect()
}

fn text(value: impl Into<String>, tongue: Tongue) -> Object {
    Object::Text { value: value.into(), language: tongue.tag().to_owned() }
}

/// What is done with data, by DPV's term where it has one, else by our own.
pub(super) fn processing(done: Processing) -> String {
    let name = spelled(&done);
    let known = term(&name);
    if Vocabulary::dpv().has(&known) { known } else { format!("sayso:{name}") }
}

/// The terms of our own that `document` speaks in, each below the terms that come nearest.
pub(super) fn own_terms(document: &Document) -> impl Iterator<Item = Node> {
    let done = document.purpose.values().flat_map(|rule| rule.processing.iter().copied());
    let forbidden = document.prohibition.iter().filter_map(|rule| rule.processing);
    let done = done.chain(forbidden).map(|done| (processing(done), "dpv:Processing"));
    let purposes = document.purpose.values().map(|rule| (rule.dpv.clone(), "dpv:Purpose"));
    let categories = document.category.values().flat_map(|rule| {
        let above = if rule.is_personal() { "dpv:PersonalData" } else { "dpv:NonPersonalData" };
        rule.dpv.iter().map(move |name| (name.clone(), above))
    });
    let own = done.chain(purposes).chain(categories).filter(|(name, _)| name.starts_with("sayso:"));
    let own: BTreeMap<_, _> = own.collect();
    own.into_iter().map(|(name, nearest)| {
        let mut above: Vec<_> = Vocabulary::dpv().broader(&name).map(to).collect();
        if above.is_empty() {
            above.push(to(nearest));
        }
        Node::new(name, ["skos:Concept"]).with("skos:broader", above)
    })
}

/// The things of a profile that documents refer to.
pub(super) mod id {
    use core::fmt::Display;

    pub(in crate::export) const PROFILE: &str = "#profile";
    pub(in crate::export) const CONTROLLER: &str = "#controller";

    pub(in crate::export) fn purpose(id: impl Display) -> String {
        format!("#purpose.{id}")
    }

    pub(in crate::export) fn category(id: impl Display) -> String {
        format!("#category.{id}")
    }

    pub(in crate::export) fn processor(id: impl Display) -> String {
        format!("#processor.{id}")
    }
}

/// What tests look for in any of the documents.
#[cfg(test)]
pub(super) mod testing {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::PREFIXES;

    /// References to things of the profile or to terms of our own that nothing in `document` describes, and prefixes
    /// that its context does not have.
    pub(in crate::export) fn dangling(document: &Value) -> BTreeSet<String> {
        let graph = document["@graph"].as_array().expect("a document has a graph");
        let name =
            |node: &Value| node.get("@id").or_else(|| node.get("uid")).and_then(Value::as_str).map(str::to_owned);
        let described: BTreeSet<_> = graph.iter().filter_map(name).collect();
        assert_eq!(described.len(), graph.len(), "every thing is described once, by its name");
        let mut used = BTreeSet::new();
        references(&document["@graph"], &mut used);
        let unknown = |name: &String| match name.split_once(':') {
            _ if name.starts_with('#') => !described.contains(name),
            Some(("sayso", _)) => !described.contains(name),
            Some((prefix, _)) => !PREFIXES.iter().any(|(known, _)| *known == prefix) && !name.contains("://"),
            None => true,
        };
        used.into_iter().filter(unknown).collect()
    }

    fn references(value: &Value, used: &mut BTreeSet<String>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| references(value, used)),
            Value::Object(members) => {
                for (key, value) in members {
                    match (key.as_str(), value) {
                        ("@id" | "target" | "assigner" | "assignee", Value::String(name)) => {
                            used.insert(name.clone());
                        }
                        _ => references(value, used),
                    }
                }
            }
            _ => {}
        }
    }
}
