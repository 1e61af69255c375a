//! What a node says of itself when it starts: another configuration, other keys that wrap those of people.

use std::fs::OpenOptions;
use std::io::Write;

use sayso_audit::{Event, Leaf, NodeEvent};
use sayso_tests::Installation;

use crate::sayso;

/// The settings that the log says to have changed, and what it says of keys.
fn told(leaves: &[Leaf]) -> Vec<String> {
    let of = |leaf: &Leaf| match &leaf.fact.event {
        Event::Node(event @ NodeEvent::ConfigChanged { setting, .. }) => Some(format!("{} {setting}", event.name())),
        Event::Node(event @ NodeEvent::Key { which, generation, .. }) => {
            Some(format!("{} {which} {generation}", event.name()))
        }
        _ => None,
    };
    leaves.iter().filter_map(of).collect()
}

#[tokio::test]
async fn another_configuration_and_another_key_are_on_record() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let first = ["config.changed all", "key.created shard_key 1"];
    assert_eq!(told(&installation.operator(&node).await.leaves().await), first);
    assert!(node.terminate().await.status.success());

    installation.edit("sayso.toml", |config| {
        config.insert("timezone".to_owned(), "Asia/Shanghai".into());
        config.insert("deletion-within-ms".to_owned(), 5_000.into());
    });
    let node = installation.start().await;
    let operator = installation.operator(&node).await;
    let changed = ["config.changed deletion-within-ms", "config.changed timezone"];
    assert_eq!(told(&operator.leaves().await), [&first[..], &changed].concat(), "and the same keys");

    // another key encryption key, which the node reads again with its other files
    let mut kek = OpenOptions::new().append(true).open(installation.path("kek.key")).unwrap();
    writeln!(kek, "{}", "7".repeat(64)).unwrap();
    node.process.reload();
    operator.until_leaf("another key", |leaf| leaf.fact.event.name() == "key.rotated").await;
    assert_eq!(told(&operator.leaves().await).last().unwrap(), "key.rotated kek 1");
    let report = operator.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}
