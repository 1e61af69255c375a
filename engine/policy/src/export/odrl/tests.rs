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

/// Whether a right operand is what the left one is compared with.
type IsRight = fn(&Value) -> bool;

/// Of the left operands of ODRL 2.2 that are used here, how they may be compared and with what; of ours likewise.
const LEFT: [(&str, &[&str], IsRight); 7] = [
    ("purpose", &["eq", "isA"], is_thing),
    ("spatial", &["eq"], is_thing),
    ("recipient", &["eq"], is_thing),
    ("event", &["eq", "isAnyOf"], is_things),
    ("elapsedTime", &["lt", "lteq"], is_duration),
    ("sayso:agreedTo", &["isAllOf"], is_things),
    ("sayso:age", &["lt"], |operand| operand.is_u64()),
];

fn is_thing(operand: &Value) -> bool {
    operand["@id"].as_str().is_some_and(|id| id.starts_with('#') || id.contains(':'))
}

fn is_things(operand: &Value) -> bool {
    is_thing(operand) || operand.as_array().is_some_and(|several| several.iter().all(is_thing))
}

/// As XML Schema writes it: neither weeks nor working days.
fn is_duration(operand: &Value) -> bool {
    let value = operand["@value"].as_str().unwrap_or_default();
    operand["@type"] == "xsd:duration" && value.starts_with('P') && !value.contains('W')
}

fn exported(text: &str, base: Option<&str>) -> Value {
    serde_json::to_value(Odrl::of(Draft::parse(text, base).unwrap().document())).unwrap()
}

fn rules(document: &Value) -> Vec<Value> {
    let of = |sort: &str| document["@graph"][0][sort].as_array().unwrap().clone();
    ["permission", "prohibition", "obligation"].into_iter().flat_map(of).collect()
}

#[test]
fn every_constraint_keeps_to_the_vocabulary() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/profiles");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}.toml")).unwrap();
    let mut seen = BTreeSet::new();
    for name in ["home", "xiaozhi", "aiwellflow", "chat-ai", "xiaosuan", "zego"] {
        let variant = if name == "home" { name.to_owned() } else { format!("{name}-lawful") };
        let (written, variant) = (read(name), read(&variant));
        for document in [exported(&written, None), exported(&variant, (name != "home").then_some(&*written))] {
            assert_eq!(dangling(&document), BTreeSet::new(), "{name}");
            for constraint in
                rules(&document).iter().flat_map(|rule| rule["constraint"].as_array().cloned().unwrap_or_default())
            {
                let left = constraint["leftOperand"].as_str().unwrap();
                let known = LEFT.iter().find(|(operand, ..)| *operand == left);
                let (operand, operators, is_fit) = known.unwrap_or_else(|| panic!("{name}: {left}"));
                assert!(operators.contains(&constraint["operator"].as_str().unwrap()), "{name}: {constraint}");
                assert!(is_fit(&constraint["rightOperand"]), "{name}: {constraint}");
                seen.insert(*operand);
            }
        }
    }
    let unseen: Vec<_> =
        LEFT.iter().filter(|(operand, ..)| !seen.contains(operand)).map(|(operand, ..)| operand).collect();
    assert!(unseen.iter().all(|operand| **operand == "sayso:age"), "{unseen:?}");
}

#[test]
fn what_odrl_has_no_operand_for_is_one_of_our_own() {
    let home = home();
    assert_eq!(home["@graph"][0]["profile"][1], jsonld::SAYSO);
    for name in ["sayso:agreedTo", "sayso:age"] {
        let graph = home["@graph"].as_array().unwrap();
        let node = graph.iter().find(|node| node["@id"] == name).unwrap();
        assert_eq!(node["@type"][0], "LeftOperand");
    }
    let young = HOME.replacen("{ purpose = \"Marketing\" }", "{ purpose = \"Marketing\", when = { age_lt = 18 } }", 1);
    let rules = rules(&exported(&young, None));
    let age = rules.iter().flat_map(|rule| rule["constraint"].as_array().cloned().unwrap_or_default());
    let age: Vec<_> = age.filter(|constraint| constraint["leftOperand"] == "sayso:age").collect();
    assert_eq!(age, [serde_json::json!({ "leftOperand": "sayso:age", "operator": "lt", "rightOperand": 18 })]);
}

#[test]
fn says_the_least_and_the_longest_that_data_is_kept() {
    let kept = "after = \"P15WD\", action = \"erase\", min = \"P6M\", min_basis = \"cn-csl:21\", max = \"P1Y\"";
    let text = HOME.replace("after = \"PT0S\", action = \"erase\"", kept);
    assert_ne!(text, HOME);
    let document = exported(&text, None);
    let of = |sort: &str| -> Vec<Value> {
        let rules = document["@graph"][0][sort].as_array().unwrap();
        rules.iter().filter(|rule| rule["target"] == "#category.memory_summary").cloned().collect()
    };
    let time = |rule: &Value| {
        let of = |at: usize, key: &str| rule["constraint"][at][key].clone();
        (of(0, "rightOperand"), of(1, "operator"), of(1, "rightOperand")["@value"].clone())
    };
    let collected = serde_json::json!({ "@id": "#event.collected" });
    let obliged = of("obligation");
    assert_eq!(obliged.len(), 2);
    // fifteen working days are as many days as they can take at the most
    let longest = "P15WD".parse::<crate::Period>().unwrap().longest().as_secs() / 86_400;
    assert_eq!(time(&obliged[0]).2, format!("P{longest}D"));
    assert_eq!(time(&obliged[1]), (collected.clone(), "lteq".into(), "P1Y".into()));
    let forbidden = of("prohibition");
    assert_eq!(forbidden[0]["action"], "delete");
    assert_eq!(time(&forbidden[0]), (collected, "lt".into(), "P6M".into()));
}
