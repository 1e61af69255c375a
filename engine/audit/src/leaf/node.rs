//! The leaves of what becomes of a node.

use sayso_proto::audit::v1::AuditLeaf;

use super::LeafError;
use super::wire::{content, document, reason};
use crate::event::{KeyStep, NodeEvent};

pub(super) fn write(event: &NodeEvent, wire: &mut AuditLeaf) {
    match event {
        NodeEvent::ConfigChanged { setting, config } => {
            wire.reason = setting.to_string();
            wire.document_sha256 = config.0.to_vec();
        }
        NodeEvent::Key { step: _, which, generation, kek } => {
            wire.reason = which.to_string();
            wire.pieces = u64::from(*generation);
            wire.content_sha256 = kek.0.to_vec();
        }
    }
}

/// The event of this sort that `wire` is; [`None`] when it is another.
pub(super) fn read(wire: &AuditLeaf) -> Result<Option<NodeEvent>, LeafError> {
    if wire.event == "config.changed" {
        return Ok(Some(NodeEvent::ConfigChanged { setting: reason(wire)?, config: document(wire)? }));
    }
    let Some(step) = KeyStep::ALL.into_iter().find(|step| step.name() == wire.event) else { return Ok(None) };
    let generation = wire.pieces.try_into().map_err(|_| LeafError::Field("pieces"))?;
    Ok(Some(NodeEvent::Key { step, which: reason(wire)?, generation, kek: content(wire)? }))
}
