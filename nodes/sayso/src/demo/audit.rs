//! Follows the audit log through the admin API and shows each leaf.

use anyhow::Result;
use sayso_audit::{Event, Leaf};
use sayso_proto::admin::v1::ReadAuditRequest;
use sayso_proto::admin::v1::audit_client::AuditClient;
use serde_json::json;
use tonic::transport::Channel;

use super::view::{View, Who};

/// Shows leaves until the log can no longer be read.
pub(crate) async fn follow(channel: Channel, view: View) -> Result<()> {
    let request = ReadAuditRequest { shard: 0, from_index: 0, limit: 0, follow: true };
    let mut leaves = AuditClient::new(channel).read(request).await?.into_inner();
    while let Some(read) = leaves.message().await? {
        let leaf = Leaf::decode(&read.leaf)?;
        view.leaves(read.index + 1);
        let (name, details) = (leaf.fact.event.name(), describe(&leaf.fact.event));
        let text = format!("#{:<3} {name}{details}", read.index);
        view.line(Who::Audit, name, &text, json!({"index": read.index, "cv": leaf.fact.cv.0}));
    }
    Ok(())
}

/// What there is to say of an event besides its name.
fn describe(event: &Event) -> String {
    match event {
        Event::ConsentGiven { purpose, .. }
        | Event::ConsentRefused { purpose, .. }
        | Event::ConsentDeferred { purpose, .. }
        | Event::ConsentRequested { purpose, .. } => format!(" {purpose}"),
        Event::WithdrawRequested { scope, .. } | Event::WithdrawEffective { scope, .. } => match scope {
            sayso_audit::Scope::Everything => " everything".to_owned(),
            sayso_audit::Scope::Purpose(purpose) => format!(" {purpose}"),
            sayso_audit::Scope::Part(part) => format!(" {part}"),
        },
        Event::GateDenied { cell, processor, reason, .. } => {
            format!(" {}/{} to {processor}: {reason}", cell.purpose, cell.category)
        }
        Event::SegmentOpened { cell, processor, turn, .. } => {
            format!(" turn {turn}: {}/{} to {processor}", cell.purpose, cell.category)
        }
        Event::SegmentClosed { processor, turn, bytes, reason, .. } => {
            format!(" turn {turn}: {bytes} bytes to {processor}, {reason}")
        }
        Event::OperatorAccess { reason, .. } => format!(" {reason}"),
        Event::EraseCommitted { category, ground, .. } => {
            format!(" {}: {ground}", category.map_or("everything".to_owned(), |category| category.to_string()))
        }
        Event::KeyDestroyed { category, generation, .. } => format!(" key {generation} of {category}"),
        Event::EraseAcknowledged { how, .. } => format!(" {how}"),
        _ => String::new(),
    }
}
