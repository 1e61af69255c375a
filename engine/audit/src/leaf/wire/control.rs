//! What those do who answer for the data, as the protocol buffer that is encoded.

use sayso_proto::audit::v1::AuditLeaf;
use sayso_types::WallTime;

use super::{category, cell, document, part, processor, purpose, reason, reference, scope, write_part, write_scope};
use crate::event::{ConsentEnding, ControlEvent, Instructed};
use crate::leaf::LeafError;

pub(super) fn write(event: &ControlEvent, wire: &mut AuditLeaf) {
    match event {
        ControlEvent::ConsentEnded { withdrawal, scope, ending: _, reason } => {
            wire.reference = withdrawal.0.to_vec();
            write_scope(*scope, wire);
            wire.reason = reason.to_string();
        }
        ControlEvent::ProcessorRegistered { processor, entry } => {
            wire.processor_id = processor.to_string();
            wire.document_sha256 = entry.0.to_vec();
        }
        ControlEvent::PartGiven { record, part } => {
            wire.reference = record.0.to_vec();
            write_part(part, wire);
        }
        ControlEvent::TenantInstructed { instructions, tenant, document, until } => {
            wire.reference = instructions.0.to_vec();
            wire.document_sha256 = tenant.0.to_vec();
            wire.content_sha256 = document.0.to_vec();
            // no term ends at the beginning of time
            wire.pieces = until.map_or(0, |until| until.0);
        }
        ControlEvent::TenantAttested { instructions: said, tenant, document }
        | ControlEvent::TenantShown { demand: said, tenant, document } => {
            wire.reference = said.0.to_vec();
            wire.document_sha256 = tenant.0.to_vec();
            wire.content_sha256 = document.0.to_vec();
        }
        ControlEvent::TenantDemanded { demand, tenant, due } => {
            wire.reference = demand.0.to_vec();
            wire.document_sha256 = tenant.0.to_vec();
            wire.pieces = due.0;
        }
        ControlEvent::TenantInstructs { instructions, tenant, what } => {
            wire.reference = instructions.0.to_vec();
            wire.document_sha256 = tenant.0.to_vec();
            wire.cell = Some(match what {
                Instructed::Purpose(purpose) => cell::write_purpose(*purpose),
                Instructed::Category(category) => cell::write_category(*category),
            });
        }
        ControlEvent::TenantServes { tenant } => wire.document_sha256 = tenant.0.to_vec(),
        ControlEvent::TenantErasing { instructions, tenant, reason } => {
            wire.reference = instructions.0.to_vec();
            wire.document_sha256 = tenant.0.to_vec();
            wire.reason = reason.to_string();
        }
        ControlEvent::TenantErased { instructions, tenant, people } => {
            wire.reference = instructions.0.to_vec();
            wire.document_sha256 = tenant.0.to_vec();
            wire.pieces = *people;
        }
    }
}

/// The event of this `name`, if it is one of these.
pub(super) fn read(name: &str, wire: &AuditLeaf) -> Result<Option<ControlEvent>, LeafError> {
    if let Some(ending) = ConsentEnding::ALL.into_iter().find(|ending| ending.name() == name) {
        let (withdrawal, scope, reason) = (reference(wire)?, scope(wire)?, reason(wire)?);
        return Ok(Some(ControlEvent::ConsentEnded { withdrawal, scope, ending, reason }));
    }
    let instructs = |what| -> Result<ControlEvent, LeafError> {
        Ok(ControlEvent::TenantInstructs { instructions: reference(wire)?, tenant: document(wire)?, what })
    };
    Ok(Some(match name {
        "processor.registered" => {
            ControlEvent::ProcessorRegistered { processor: processor(wire)?, entry: document(wire)? }
        }
        "consent.part_given" => ControlEvent::PartGiven { record: reference(wire)?, part: part(wire)? },
        "tenant.instructed" => ControlEvent::TenantInstructed {
            instructions: reference(wire)?,
            tenant: document(wire)?,
            document: super::content(wire)?,
            until: Some(wire.pieces).filter(|at| *at > 0).map(WallTime),
        },
        "tenant.attested" => ControlEvent::TenantAttested {
            instructions: reference(wire)?,
            tenant: document(wire)?,
            document: super::content(wire)?,
        },
        "tenant.evidence_demanded" => ControlEvent::TenantDemanded {
            demand: reference(wire)?,
            tenant: document(wire)?,
            due: WallTime(wire.pieces),
        },
        "tenant.evidence_accepted" => ControlEvent::TenantShown {
            demand: reference(wire)?,
            tenant: document(wire)?,
            document: super::content(wire)?,
        },
        "tenant.purpose_instructed" => instructs(Instructed::Purpose(purpose(wire)?))?,
        "tenant.category_instructed" => instructs(Instructed::Category(category(wire)?))?,
        "tenant.person_served" => ControlEvent::TenantServes { tenant: document(wire)? },
        "tenant.erasing" => ControlEvent::TenantErasing {
            instructions: reference(wire)?,
            tenant: document(wire)?,
            reason: reason(wire)?,
        },
        "tenant.erased" => {
            ControlEvent::TenantErased { instructions: reference(wire)?, tenant: document(wire)?, people: wire.pieces }
        }
        _ => return Ok(None),
    }))
}
