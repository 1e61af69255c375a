//! Somebody who talks turns out to be a child: nothing of theirs is processed before a guardian is verified, who may have
//! everything erased.

use sayso_audit::{Event, Leaf};
use sayso_tests::{Admin, Installation, TENANT};
use sayso_types::Category;
use sayso_wire::{ConsentDecision, ConsentStatus};
use serde_json::Value;

use crate::reload::PROFILE;
use crate::sayso;

/// Lets guardians have a child's data erased.
fn offer_guardian_erase(profile: &mut toml::Table) {
    let right: toml::Table = r#"channel = ["console"]"#.parse().unwrap();
    let offers = profile["rights"]["offers"].as_table_mut().unwrap();
    offers.insert("guardian_erase".to_owned(), right.into());
}

/// Whether something of a person was on its way to a processor: everything but the controller's own words.
fn is_personal(leaf: &Leaf) -> bool {
    let notice: Category = "notice_text".parse().unwrap();
    matches!(&leaf.fact.event, Event::SegmentOpened { cell, .. } if cell.category != notice)
}

async fn place(operator: &Admin, name: &str) -> usize {
    let leaves = operator.leaves().await;
    leaves.iter().rposition(|leaf| leaf.fact.event.name() == name).unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn a_child_is_heard_once_a_guardian_is_verified_and_erased_when_they_ask() {
    let installation = Installation::new(&sayso()).await;
    installation.edit(PROFILE, offer_guardian_erase);
    let node = installation.start().await;
    let operator = installation.operator(&node).await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.hears("What is twelve times seven?", "84").await;

    let (certs, at, evidence) = (installation.file("admin"), node.admin.to_string(), installation.file(PROFILE));
    let run = async |noun: &str, command: &str, args: &[&str]| {
        let person = [noun, command, "--admin", &at, "--certs", &certs, "--tenant", TENANT];
        sayso().run(person.into_iter().chain(args.iter().copied())).await
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    run("guardian", "age", &["adult", "--until", "2036-03", "--evidence", &evidence]).await.failure(&["until_month"]);
    let said = ["under13", "--until", "2036-03", "--evidence", &evidence, "--json"];
    let child = json(&run("guardian", "age", &said).await.success().stdout);
    assert_eq!((&child["needs_guardian"], &child["is_alone"]), (&true.into(), &true.into()));
    assert_eq!((&child["guardian"], &child["age_ends"]), (&"none".into(), &"2036-04-01T00:00:00Z".into()));
    device.until_consent(ConsentStatus::Withdrawn).await;
    operator.until_leaf("the erasure", |leaf| leaf.fact.event.name() == "minor.data_erased").await;

    // the child says yes all the same
    let (prompt, _) = device.asked().await;
    device.device.answer_consent(&prompt, ConsentDecision::Agree).unwrap();
    assert_eq!(device.until_error().await, "no_guardian");
    let (prompt, _) = device.asked().await;
    let alone = place(&operator, "minor.detected").await;
    assert!(!operator.leaves().await[alone..].iter().any(is_personal), "not one byte to any processor");

    run("guardian", "verify", &["--evidence", &evidence]).await.failure(&["request one first"]);
    run("guardian", "request", &["their_word"]).await.failure(&["minors.verify_methods"]);
    let asked = run("guardian", "request", &["in_person"]).await.success().stdout;
    assert!(asked.contains("guardian requested (in_person"), "{asked}");
    let verified = json(&run("guardian", "verify", &["--evidence", &evidence, "--json"]).await.success().stdout);
    assert_eq!((&verified["guardian"], &verified["is_alone"]), (&"verified".into(), &false.into()));
    device.agree(&prompt).await;
    device.until_listening().await;
    device.hears("What is two times three?", "6").await;

    let case = json(&run("rights", "open", &["guardian_erase", "--json"]).await.success().stdout)["case"].clone();
    let case = case.as_str().unwrap();
    for step in [&["verify", "--method", "signed_in"][..], &["accept"]] {
        let _ = run("rights", "advance", &[&[case], step].concat()).await.success();
    }
    device.until_consent(ConsentStatus::Withdrawn).await;
    let certificate = loop {
        let asked = run("rights", "certificate", &[case, "--json"]).await;
        if asked.status.success() {
            break json(&asked.stdout);
        }
        asked.failure(&["the erasure is on its way"]);
    };
    assert_eq!(certificate["grounds"][0]["request"], case);
    let report = operator.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}
