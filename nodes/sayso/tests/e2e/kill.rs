//! kill -9 in the middle of a turn: what was acknowledged is there afterwards.

use std::collections::BTreeSet;

use sayso_audit::Event;
use sayso_tests::{Installation, recordings};
use sayso_types::{Category, Purpose};
use sha2::{Digest, Sha256};

use crate::sayso;

#[tokio::test]
async fn consent_and_log_survive_and_nobody_is_asked_again() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, notice) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.begin(&recordings::sound(recordings::LONG)).await;
    let admin = installation.operator(&node).await;
    let is_hearing = |event: &Event| {
        matches!(event, Event::SegmentOpened { cell, .. }
            if cell.purpose == Purpose::VOICE_INTERACTION && cell.category == Category::VOICE_AUDIO)
    };
    admin.until_leaf("an utterance on its way to the recogniser", |leaf| is_hearing(&leaf.fact.event)).await;
    let consent = admin.consent("speaker-1").await;
    let before = admin.leaves().await;
    node.kill().await;

    let node = installation.start().await;
    let admin = installation.operator(&node).await;
    let found = admin.consent("speaker-1").await;
    assert_eq!((&found.subject_id, &found.records), (&consent.subject_id, &consent.records));
    assert_eq!(found.records.len(), 2, "one for each purpose that was asked for");
    let heard = Sha256::digest(notice.as_bytes());
    for purpose in found.records.iter().map(|record| record.purpose.as_ref().unwrap()) {
        assert_eq!(purpose.privacy_notices[0].rendered_sha256, heard.as_slice(), "of {}", purpose.purpose);
    }
    let report = admin.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
    let after = admin.leaves().await;
    assert_eq!(after[..before.len()], before, "what was in the log is in it still");
    let lives: BTreeSet<_> = after.iter().map(|leaf| leaf.fact.epoch).collect();
    assert_eq!(lives.len(), 2, "each life of the node has a fencing number of its own");

    let mut device = installation.first_device(&node).await;
    device.listens_unasked().await;
    device.hears("What is twelve times seven?", "84").await;
    let _ = node.terminate().await.success();
}
