//! The leaves of data that has left.

use sayso_proto::audit::v1::AuditLeaf;

use super::LeafError;
use super::wire::{content, full_cell, processor, reason, reference, write_passage};
use crate::event::FlowEvent;

pub(super) fn write(event: &FlowEvent, wire: &mut AuditLeaf) {
    match event {
        FlowEvent::CrossBorder { segment, cell, processor, how, persons, sensitive } => {
            write_passage(wire, *segment, cell, *processor);
            wire.reason = how.to_string();
            wire.pieces = *persons;
            wire.bytes = *sensitive;
        }
        FlowEvent::RevokeAcknowledged { permit, cell, processor }
        | FlowEvent::PermitExpired { permit, cell, processor } => write_passage(wire, *permit, cell, *processor),
        FlowEvent::DeletionRequested { erasure, processor } => {
            wire.reference = erasure.0.to_vec();
            wire.processor_id = processor.to_string();
        }
        FlowEvent::DeletionConfirmed { erasure: of, processor, answer }
        | FlowEvent::RectifyPropagated { request: of, processor, answer } => {
            wire.reference = of.0.to_vec();
            wire.processor_id = processor.to_string();
            wire.content_sha256 = answer.0.to_vec();
        }
    }
}

/// The event of this sort that `wire` is; [`None`] when it is another.
pub(super) fn read(wire: &AuditLeaf) -> Result<Option<FlowEvent>, LeafError> {
    Ok(Some(match wire.event.as_str() {
        "transfer.cross_border" => FlowEvent::CrossBorder {
            segment: reference(wire)?,
            cell: full_cell(wire)?,
            processor: processor(wire)?,
            how: reason(wire)?,
            persons: wire.pieces,
            sensitive: wire.bytes,
        },
        "permit.revoke_acked" => FlowEvent::RevokeAcknowledged {
            permit: reference(wire)?,
            cell: full_cell(wire)?,
            processor: processor(wire)?,
        },
        "permit.expired" => {
            FlowEvent::PermitExpired { permit: reference(wire)?, cell: full_cell(wire)?, processor: processor(wire)? }
        }
        "processor.deletion_requested" => {
            FlowEvent::DeletionRequested { erasure: reference(wire)?, processor: processor(wire)? }
        }
        "processor.deletion_confirmed" => FlowEvent::DeletionConfirmed {
            erasure: reference(wire)?,
            processor: processor(wire)?,
            answer: content(wire)?,
        },
        "rectify.propagated" => FlowEvent::RectifyPropagated {
            request: reference(wire)?,
            processor: processor(wire)?,
            answer: content(wire)?,
        },
        _ => return Ok(None),
    }))
}
