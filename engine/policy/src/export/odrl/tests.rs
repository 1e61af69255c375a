//! The structure that ODRL 2.2 asks for, and that it says what the profile says.

use serde_json::Value;

use super::*;
use crate::export::jsonld::testing::dangling;
use crate::profile::Draft;

const HOME: &str = include_str!("../../../../../deploy/profiles/home.toml");

fn home() -> Value {
    serde_json::to_value(Odrl::of(Draft::parse(HOME, None).unwrap().document())).unwrap()
}

#[test]
fn has_what_odrl_demands() {
    let home = home();
    assert_eq!(home["@context"][0], "http://www.w3.org/ns/odrl.jsonld");
    let policy = &home["@graph"][0];
    assert_eq!((&policy["@type"], &policy["conflict"]), (&"Set".into(), &"prohibit".into()));
    for rules in ["permission", "prohibition", "obligation"] {
        let rules = policy[rules].as_array().unwrap();
        assert!(!rules.is_empty());
        for rule in rules {
            assert!(rule["action"].is_string() && rule["target"].is_string(), "{rule}");
            for constraint in rule["constraint"].as_array().into_iter().flatten() {
                let members = ["leftOperand", "operator", "rightOperand"];
                assert!(members.iter().all(|member| constraint.get(member).is_some()), "{constraint}");
            }
        }
    }
}

#[test]
fn nothing_is_referred_to_that_is_not_there() {
    assert_eq!(dangling(&home()), BTreeSet::new());
}

#[test]
fn permits_what_the_profile_lets_go_and_no_more() {
    let home = home();
    let permissions = home["@graph"][0]["permission"].as_array().unwrap();
    let of = |rule: &Value| {
        let operand = |index: usize| rule["constraint"][index]["rightOperand"]["@id"].as_str().unwrap().to_owned();
        (operand(0), rule["target"].as_str().unwrap().to_owned(), operand(2), rule.get("duty").is_some())
    };
    let permitted: BTreeSet<_> = permissions.iter().map(of).collect();
    let expected = [
        ("notice", "notice_text", "voice-local", false),
        ("consent_answer", "voice_audio", "vad-local", false),
        ("consent_answer", "voice_audio", "whisper-local", false),
        ("voice_interaction", "voice_audio", "vad-local", true),
        ("voice_interaction", "voice_audio", "whisper-local", true),
        ("voice_interaction", "transcript", "rules-local", true),
        ("voice_interaction", "reply_text", "voice-local", true),
        ("memory", "memory_summary", "rules-local", true),
        ("memory", "memory_summary", "store-local", true),
    ];
    let expected = expected.map(|(purpose, category, processor, consent)| {
        (id::purpose(purpose), id::category(category), id::processor(processor), consent)
    });
    assert_eq!(permitted, BTreeSet::from(expected));
}

#[test]
fn obliges_to_end_what_is_over() {
    let home = home();
    let obligations = home["@graph"][0]["obligation"].as_array().unwrap();
    let memory = obligations.iter().find(|rule| rule["target"] == "#category.memory_summary").unwrap();
    assert_eq!(memory["action"], "delete");
    assert_eq!(memory["constraint"][0]["rightOperand"][0]["@id"], "#event.withdraw");
    assert_eq!(memory["constraint"][1]["rightOperand"]["@value"], "PT0S");
}
