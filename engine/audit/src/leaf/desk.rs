//! The events of desks, as the protocol buffer that is encoded.

use sayso_proto::audit::v1::{AuditLeaf, Verdict};
use sayso_types::WallTime;

use super::wire::{approvers, category, content, document, gate, optional, processor, reason, reference};
use super::{LeafError, cell};
use crate::event::{ComplaintStep, DeskEvent};
use crate::merkle::Hash;

/// The gate at which what is kept is read or taken out (H11). Of events of one name, those with it are about reading.
const ACCESS: &str = "access";

pub(super) fn write(event: &DeskEvent, wire: &mut AuditLeaf) {
    match event {
        DeskEvent::DisclosureGranted { grant, category, until, evidence, recipient, approvers } => {
            wire.reason = grant.to_string();
            wire.cell = Some(cell::write_category(*category));
            wire.pieces = until.0;
            wire.document_sha256 = evidence.0.to_vec();
            wire.content_sha256 = recipient.0.to_vec();
            wire.commitments = approvers.iter().map(|tag| tag.0.to_vec()).collect();
        }
        DeskEvent::ReadingGranted { grant, category, until, evidence, ticket, reader, approvers } => {
            wire.gate = ACCESS.to_owned();
            wire.reason = grant.to_string();
            wire.cell = Some(cell::write_category(*category));
            wire.pieces = until.0;
            wire.document_sha256 = evidence.0.to_vec();
            wire.content_sha256 = ticket.0.to_vec();
            wire.commitments = core::iter::once(reader).chain(approvers).map(|tag| tag.0.to_vec()).collect();
        }
        DeskEvent::ContentRead { access, what, category, rows, ticket } => {
            wire.reference = access.0.to_vec();
            wire.gate = ACCESS.to_owned();
            wire.reason = what.to_string();
            wire.cell = Some(cell::write_category(*category));
            wire.pieces = *rows;
            wire.document_sha256 = ticket.map_or_else(Vec::new, |ticket| ticket.0.to_vec());
        }
        DeskEvent::DisclosurePermitted { disclosure, gate, category, grant } => {
            wire.reference = disclosure.0.to_vec();
            wire.verdict = Verdict::Permitted.into();
            wire.gate = gate.to_string();
            wire.cell = Some(cell::write_category(*category));
            wire.reason = grant.to_string();
        }
        DeskEvent::DisclosureCreated { disclosure, rows, bytes, file } => {
            wire.reference = disclosure.0.to_vec();
            wire.pieces = *rows;
            wire.bytes = *bytes;
            wire.content_sha256 = file.0.to_vec();
        }
        DeskEvent::OperatorDenied { ticket, gate, reason } => {
            wire.reference = ticket.0.to_vec();
            wire.verdict = Verdict::Denied.into();
            wire.gate = gate.to_string();
            wire.reason = reason.to_string();
        }
        DeskEvent::Complaint { complaint, step: _, detail, document, evidence } => {
            wire.reference = complaint.0.to_vec();
            wire.reason = detail.to_string();
            wire.document_sha256 = document.0.to_vec();
            wire.content_sha256 = evidence.map_or_else(Vec::new, |evidence| evidence.0.to_vec());
        }
        DeskEvent::ResidualApproved { erasure, certificate, residual, reason } => {
            wire.reference = erasure.0.to_vec();
            wire.document_sha256 = certificate.0.to_vec();
            wire.processor_id = residual.to_string();
            wire.reason = reason.to_string();
        }
    }
}

/// The event of a desk that `wire` is; [`None`] when it is another. Of the names that others have, too, only what a desk does
/// names no processor and has a SHA-256 of contents.
pub(super) fn read(wire: &AuditLeaf) -> Result<Option<DeskEvent>, LeafError> {
    let (is_to_nobody, has_content) = (wire.processor_id.is_empty(), !wire.content_sha256.is_empty());
    let is_reading = wire.gate == ACCESS;
    Ok(Some(match wire.event.as_str() {
        "exemption.granted" if is_to_nobody && is_reading => {
            let mut tags = approvers(wire)?;
            if tags.is_empty() {
                return Err(LeafError::Field("commitments"));
            }
            DeskEvent::ReadingGranted {
                grant: reason(wire)?,
                category: category(wire)?,
                until: WallTime(wire.pieces),
                evidence: document(wire)?,
                ticket: content(wire)?,
                reader: tags.remove(0),
                approvers: tags,
            }
        }
        "operator.access" if is_reading => DeskEvent::ContentRead {
            access: reference(wire)?,
            what: reason(wire)?,
            category: category(wire)?,
            rows: wire.pieces,
            ticket: optional("document_sha256", &wire.document_sha256)?.map(Hash),
        },
        "exemption.granted" if is_to_nobody => DeskEvent::DisclosureGranted {
            grant: reason(wire)?,
            category: category(wire)?,
            until: WallTime(wire.pieces),
            evidence: document(wire)?,
            recipient: content(wire)?,
            approvers: approvers(wire)?,
        },
        "gate.permitted_by_exemption" if is_to_nobody => DeskEvent::DisclosurePermitted {
            disclosure: reference(wire)?,
            gate: gate(wire)?,
            category: category(wire)?,
            grant: reason(wire)?,
        },
        "export.created" if has_content => DeskEvent::DisclosureCreated {
            disclosure: reference(wire)?,
            rows: wire.pieces,
            bytes: wire.bytes,
            file: content(wire)?,
        },
        "operator.denied" => {
            DeskEvent::OperatorDenied { ticket: reference(wire)?, gate: gate(wire)?, reason: reason(wire)? }
        }
        "erase.residual_approved" => DeskEvent::ResidualApproved {
            erasure: reference(wire)?,
            certificate: document(wire)?,
            residual: processor(wire)?.0,
            reason: reason(wire)?,
        },
        name => {
            let Some(step) = ComplaintStep::ALL.into_iter().find(|step| step.name() == name) else { return Ok(None) };
            let evidence = has_content.then(|| content(wire)).transpose()?;
            let (complaint, detail, document) = (reference(wire)?, reason(wire)?, document(wire)?);
            DeskEvent::Complaint { complaint, step, detail, document, evidence }
        }
    }))
}
