//! A disk that takes no more: what cannot be recorded is refused, what was recorded stays, and the node lives.

use std::collections::BTreeSet;
use std::process::Command;

use sayso_audit::{Event, Leaf};
use sayso_proto::consent::v1::{ConsentEvent, ConsentStatus};
use sayso_tests::{Installation, Node, Process};
use sayso_types::ProcessorId;
use sayso_wire::ConsentDecision;

use crate::sayso;

/// `command` in a process that is not ended by the signal that comes with a file growing over its limit: the write
/// fails instead, as on a full disk.
fn unsignalled(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

#[tokio::test]
async fn a_decision_that_cannot_be_recorded_is_refused() {
    let installation = Installation::new(&sayso()).await;
    let node = Node::ready(Process::start(unsignalled(&installation.serve()))).await;
    let admin = installation.operator(&node).await;
    let mut first = installation.first_device(&node).await;
    let (prompt, _) = first.asked().await;
    first.agree(&prompt).await;
    let recorded = admin.consent("speaker-1").await.records;

    let others: BTreeSet<_> = admin.leaves().await.iter().map(|leaf| leaf.fact.subject).collect();
    let mut second = installation.device(&node, "speaker-2").await.unwrap();
    let (prompt, _) = second.asked().await;
    // reading it out is put on record too, and that an answer is listened to: only the decision is to find the disk full
    second.until_played().await;
    let vad: ProcessorId = "vad-local".parse().unwrap();
    let listens = |leaf: &Leaf| matches!(&leaf.fact.event, Event::SegmentOpened { processor, .. } if *processor == vad);
    admin.until_leaf("the right to listen", |leaf| listens(leaf) && !others.contains(&leaf.fact.subject)).await;
    node.process.limit_files(Some(1));
    second.device.answer_consent(&prompt, ConsentDecision::Agree).unwrap();
    assert_eq!(second.until_error().await, "store_full");

    node.process.limit_files(None);
    let asked = admin.consent("speaker-2").await.records;
    let is_asked = |event: &ConsentEvent| event.status() == ConsentStatus::Requested;
    assert!(asked.iter().flat_map(|record| &record.events).all(is_asked), "no answer was recorded: {asked:?}");
    assert_eq!(admin.consent("speaker-1").await.records, recorded);
    let (prompt, _) = second.asked().await;
    second.agree(&prompt).await;
    first.hears("What is twelve times seven?", "84").await;
    let report = admin.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
    let _ = node.terminate().await.success();
}
