//! The leaves about what is stored of people, and from what it was made.

use sayso_proto::audit::v1::AuditLeaf;

use super::wire::{document, full_cell, gate, processor, reference};
use super::{LeafError, cell};
use crate::event::LineageEvent;

pub(super) fn write(event: &LineageEvent, wire: &mut AuditLeaf) {
    match event {
        LineageEvent::Written { item, gate, cell, processor, bytes } => {
            wire.reference = item.0.to_vec();
            wire.gate = gate.to_string();
            wire.cell = Some(cell::write(cell));
            wire.processor_id = processor.to_string();
            wire.bytes = *bytes;
        }
        LineageEvent::Derived { item, from } => {
            wire.reference = item.0.to_vec();
            wire.document_sha256 = from.0.to_vec();
        }
    }
}

/// Reads one of these, if it is one.
pub(super) fn read(wire: &AuditLeaf) -> Result<Option<LineageEvent>, LeafError> {
    Ok(Some(match wire.event.as_str() {
        "store.written" => LineageEvent::Written {
            item: reference(wire)?,
            gate: gate(wire)?,
            cell: full_cell(wire)?,
            processor: processor(wire)?,
            bytes: wire.bytes,
        },
        "derive.created" => LineageEvent::Derived { item: reference(wire)?, from: document(wire)? },
        _ => return Ok(None),
    }))
}
