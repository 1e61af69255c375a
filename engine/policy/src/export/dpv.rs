//! A profile in the W3C Data Privacy Vocabulary 2.3, as JSON-LD. What neither DPV nor its extensions have a term for is in
//! the namespace `sayso:`, below the DPV term that comes nearest.

mod parts;

use std::collections::BTreeMap;

use serde::Serialize;

use super::jsonld::{self, Node, id, plain, term, to};
use crate::country::is_country;
use crate::profile::{Document, ProhibitedPurpose};
use crate::words::spelled;

/// A profile in DPV.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dpv {
    #[serde(rename = "@context")]
    context: BTreeMap<&'static str, String>,
    #[serde(rename = "@graph")]
    graph: Vec<Node>,
}

impl Dpv {
    /// `document` in DPV.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let mut graph = vec![profile(document), parts::controller(document)];
        graph.extend(document.purpose.values().flat_map(|rule| [parts::purpose(rule), parts::process(document, rule)]));
        graph.extend(document.category.iter().flat_map(|(name, rule)| parts::category(document, *name, rule)));
        graph.extend(document.processor.values().map(parts::processor));
        graph.extend(prohibitions(document));
        graph.extend(document.rights.offers.keys().map(|kind| {
            let node = Node::new(format!("#right.{}", spelled(kind)), ["dpv:DataSubjectRight"]);
            node.with("skos:prefLabel", jsonld::in_words(kind))
        }));
        graph.extend(document.security.measures.iter().map(|(name, measure)| {
            let node = Node::new(format!("#measure.{name}"), ["dpv:TechnicalOrganisationalMeasure"]);
            node.with("skos:definition", [plain(&measure.how)])
        }));
        graph.extend(jsonld::places(document, "dpv:Location"));
        graph.extend(parts::subjects(document));
        graph.extend(jsonld::own_terms(document));
        Self { context: jsonld::context(document), graph }
    }
}

fn profile(document: &Document) -> Node {
    let header = &document.profile;
    let rules = (0..document.prohibition.len()).map(|index| to(format!("#prohibition.{index}")));
    let rights = document.rights.offers.keys().map(|kind| to(format!("#right.{}", spelled(kind))));
    let measures = document.security.measures.keys().map(|name| to(format!("#measure.{name}")));
    Node::new(id::PROFILE, ["dpv:Process"])
        .titled(&header.title)
        .with("dcterms:identifier", [plain(format!("{} revision {}", header.id, header.rev))])
        .with("dcterms:valid", [plain(header.effective_at.to_string())])
        .with("dpv:hasDataController", [to(id::CONTROLLER)])
        .with("dpv:hasJurisdiction", is_country(&header.jurisdiction).then(|| to(jsonld::place(&header.jurisdiction))))
        .with("dpv:hasProcess", document.purpose.keys().map(|name| to(parts::process_id(*name))))
        .with("dpv:hasRule", rules)
        .with("dpv:hasRight", rights)
        .with("dpv:hasTechnicalOrganisationalMeasure", measures)
}

fn prohibitions(document: &Document) -> impl Iterator<Item = Node> {
    document.prohibition.iter().enumerate().map(|(index, rule)| {
        let purpose = rule.purpose.iter().map(|purpose| match purpose {
            ProhibitedPurpose::Id(name) => to(id::purpose(name)),
            ProhibitedPurpose::Dpv(name) => to(term(name)),
        });
        let below = rule.when.iter().map(|when| plain(when.age_lt.to_string()));
        Node::new(format!("#prohibition.{index}"), ["dpv:Prohibition"])
            .with("dpv:hasPurpose", purpose)
            .with("dpv:hasPersonalData", rule.category.iter().map(|name| to(id::category(name))))
            .with("dpv:hasProcessing", rule.processing.iter().map(|processing| to(jsonld::processing(*processing))))
            .with("sayso:ageBelow", below)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::export::jsonld::testing::dangling;
    use crate::profile::Draft;

    const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");

    fn home() -> Value {
        serde_json::to_value(Dpv::of(Draft::parse(HOME, None).unwrap().document())).unwrap()
    }

    fn node(document: &Value, name: &str) -> Value {
        let graph = document["@graph"].as_array().unwrap();
        graph.iter().find(|node| node["@id"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    }

    #[test]
    fn nothing_is_referred_to_that_is_not_there() {
        assert_eq!(dangling(&home()), BTreeSet::new());
    }

    #[test]
    fn says_who_does_what_with_whose_data() {
        let home = home();
        assert_eq!(node(&home, "#controller")["@type"][0], "dpv:DataController");
        let talk = node(&home, "#process.voice_interaction");
        assert_eq!(talk["dpv:hasLegalBasis"][0]["@id"], "dpv:Consent");
        assert_eq!(talk["dpv:hasPurpose"][0]["@id"], "#purpose.voice_interaction");
        let data: Vec<_> = talk["dpv:hasPersonalData"].as_array().unwrap().iter().map(|d| &d["@id"]).collect();
        assert_eq!(data, ["#category.reply_text", "#category.transcript", "#category.voice_audio"]);
        let to: Vec<_> = talk["dpv:hasRecipient"].as_array().unwrap().iter().map(|d| &d["@id"]).collect();
        assert_eq!(
            to,
            ["#processor.rules-local", "#processor.vad-local", "#processor.voice-local", "#processor.whisper-local"]
        );
    }

    #[test]
    fn says_what_is_done_with_whose_data_and_under_whose_law() {
        let exported =
            |text: &str| serde_json::to_value(Dpv::of(Draft::parse(text, None).unwrap().document())).unwrap();
        let home = home();
        let done = |purpose: &str| {
            let process = node(&home, &format!("#process.{purpose}"));
            let done = process["dpv:hasProcessing"].as_array().unwrap().clone();
            done.into_iter().map(|done| done["@id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(done("voice_interaction"), ["dpv:Transmit", "dpv:Collect"], "nothing of it is stored");
        assert!(done("memory").contains(&"dpv:Store".to_owned()), "{:?}", done("memory"));
        assert_eq!(done("notice"), ["dpv:Transmit"], "it is about nobody");
        let whose = &node(&home, "#process.voice_interaction")["dpv:hasDataSubject"][0]["@id"];
        assert_eq!(node(&home, whose.as_str().unwrap())["@type"][0], "dpv:DataSubject");
        assert!(node(&home, "#process.notice").get("dpv:hasDataSubject").is_none());
        assert_eq!(node(&home, "#category.transcript")["dpv:hasContext"][0]["@id"], "dpv:Required");
        assert_eq!(node(&home, "#category.memory_summary")["dpv:hasContext"][0]["@id"], "dpv:Optional");
        let labels = &node(&home, "#right.access")["skos:prefLabel"];
        assert_eq!(labels[0], serde_json::json!({ "@value": "see your data", "@language": "en" }));
        let who = &node(&home, "#processor.whisper-local")["dpv:hasName"];
        assert_eq!((&who[0]["@value"], &who[1]["@value"]), (&"the operator".into(), &"运营者".into()));
        assert!(node(&home, "#profile").get("dpv:hasJurisdiction").is_none(), "it is meant for any place");
        let chinese = exported(&HOME.replacen("jurisdiction = \"*\"", "jurisdiction = \"CN\"", 1));
        assert_eq!(node(&chinese, "#profile")["dpv:hasJurisdiction"][0]["@id"], "loc:CN");
    }

    #[test]
    fn says_the_least_and_the_longest_that_data_is_kept() {
        let kept = "action = \"erase\", min = \"P6M\", min_basis = \"cn-csl:21\", max = \"P1Y\"";
        let text = HOME.replace("action = \"erase\"", kept);
        let exported = serde_json::to_value(Dpv::of(Draft::parse(&text, None).unwrap().document())).unwrap();
        let storage = node(&exported, "#storage.memory_summary");
        assert_eq!(storage["sayso:atLeast"][0]["@value"], "P6M");
        assert_eq!(storage["sayso:atLeastBasis"][0], "cn-csl:21");
        assert_eq!(storage["sayso:atMost"][0]["@value"], "P1Y");
        assert_eq!(storage["sayso:atMost"][0]["@type"], "xsd:duration");
    }

    #[test]
    fn own_terms_stand_below_a_term_of_dpv() {
        let home = home();
        assert_eq!(node(&home, "sayso:ConversationMemory")["skos:broader"][0]["@id"], "dpv:DerivedPersonalData");
        assert_eq!(node(&home, "sayso:NoticeText")["skos:broader"][0]["@id"], "dpv:NonPersonalData");
        assert_eq!(node(&home, "#category.voice_audio")["skos:broader"][0]["@id"], "pd:VoiceCommunicationRecording");
    }

    #[test]
    fn what_dpv_has_no_term_for_is_a_term_of_our_own_below_its_nearest() {
        let trains =
            HOME.replacen("basis = \"Consent\"", "basis = \"Consent\", processing = [\"Train\", \"Derive\"]", 1);
        let never = trains.replacen("prohibition = [", "prohibition = [{ processing = \"Publish\" },", 1);
        let exported = serde_json::to_value(Dpv::of(Draft::parse(&never, None).unwrap().document())).unwrap();
        let done = &node(&exported, "#process.voice_interaction")["dpv:hasProcessing"];
        let done: Vec<_> = done.as_array().unwrap().iter().map(|done| &done["@id"]).collect();
        assert_eq!(done, ["dpv:Transmit", "dpv:Collect", "dpv:Derive", "sayso:Train"]);
        assert_eq!(node(&exported, "sayso:Train")["skos:broader"][0]["@id"], "dpv:Use");
        assert_eq!(node(&exported, "sayso:Publish")["skos:broader"][0]["@id"], "dpv:Disseminate");
        assert_eq!(dangling(&exported), BTreeSet::new());
    }

    #[test]
    fn places_are_told_apart() {
        let names = ["中国", "美国", "the device", "the-device", "ZZ", "a%b"].map(jsonld::place);
        assert_eq!(names[..2], ["#place.%E4%B8%AD%E5%9B%BD", "#place.%E7%BE%8E%E5%9B%BD"]);
        assert_eq!(BTreeSet::from(names).len(), 6);
        assert_eq!(jsonld::place("CN"), "loc:CN");
    }

    #[test]
    fn a_reference_to_nothing_would_be_noticed() {
        let mut home = home();
        home["@graph"][0]["dpv:hasRule"][0]["@id"] = "#prohibition.99".into();
        assert_eq!(dangling(&home), BTreeSet::from(["#prohibition.99".to_owned()]));
    }
}
