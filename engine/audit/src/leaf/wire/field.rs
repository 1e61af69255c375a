//! What the fields of a leaf's protocol buffer are read as.

use sayso_proto::audit::v1::AuditLeaf;
use sayso_types::{Category, Cell, Name, Part, ProcessorId, Purpose};

use crate::leaf::{LeafError, cell};
use crate::merkle::Hash;
use crate::{ActorTag, Commitment, Reference, Replica, Scope};

pub(super) fn bytes<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<[u8; N], LeafError> {
    bytes.try_into().map_err(|_| LeafError::Field(field))
}

pub(in crate::leaf) fn optional<const N: usize>(
    field: &'static str,
    value: &[u8],
) -> Result<Option<[u8; N]>, LeafError> {
    if value.is_empty() { Ok(None) } else { bytes(field, value).map(Some) }
}

pub(in crate::leaf) fn reference(wire: &AuditLeaf) -> Result<Reference, LeafError> {
    bytes("reference", &wire.reference).map(Reference)
}

/// The notice by which people are told, where that is said.
pub(super) fn notice(wire: &AuditLeaf) -> Result<Option<Reference>, LeafError> {
    Ok(optional("reference", &wire.reference)?.map(Reference))
}

pub(in crate::leaf) fn document(wire: &AuditLeaf) -> Result<Hash, LeafError> {
    bytes("document_sha256", &wire.document_sha256).map(Hash)
}

pub(in crate::leaf) fn content(wire: &AuditLeaf) -> Result<Hash, LeafError> {
    bytes("content_sha256", &wire.content_sha256).map(Hash)
}

pub(super) fn evidence(wire: &AuditLeaf) -> Result<Commitment, LeafError> {
    match wire.commitments.as_slice() {
        [evidence] => bytes("commitments", evidence).map(Commitment),
        _ => Err(LeafError::Field("commitments")),
    }
}

pub(in crate::leaf) fn approvers(wire: &AuditLeaf) -> Result<Vec<ActorTag>, LeafError> {
    wire.commitments.iter().map(|tag| bytes("commitments", tag).map(ActorTag)).collect()
}

pub(super) fn replica(wire: &AuditLeaf) -> Result<Option<Replica>, LeafError> {
    match (wire.bytes, wire.pieces) {
        (0, 0) => Ok(None),
        (node, of) if node > 0 && of > 0 => Ok(Some(Replica { node, of })),
        _ => Err(LeafError::Field("pieces")),
    }
}

pub(in crate::leaf) fn gate(wire: &AuditLeaf) -> Result<Name, LeafError> {
    wire.gate.parse().map_err(|_| LeafError::Field("gate"))
}

pub(super) fn purpose(wire: &AuditLeaf) -> Result<Purpose, LeafError> {
    cell::read_purpose(wire.cell.as_ref().ok_or(LeafError::Field("cell"))?)
}

pub(in crate::leaf) fn category(wire: &AuditLeaf) -> Result<Category, LeafError> {
    cell::read_category(wire.cell.as_ref().ok_or(LeafError::Field("cell"))?)
}

pub(super) fn scope(wire: &AuditLeaf) -> Result<Scope, LeafError> {
    if wire.cell.is_none() && wire.processor_id.is_empty() {
        return Ok(Scope::Everything);
    }
    let part = read_part(wire)?;
    match part.purpose {
        _ if part.is_partial() => Ok(Scope::Part(part)),
        Some(purpose) => Ok(Scope::Purpose(purpose)),
        None => Err(LeafError::Field("cell")),
    }
}

/// What is less than a purpose.
pub(super) fn part(wire: &AuditLeaf) -> Result<Part, LeafError> {
    Some(read_part(wire)?).filter(Part::is_partial).ok_or(LeafError::Field("cell"))
}

fn read_part(wire: &AuditLeaf) -> Result<Part, LeafError> {
    let part = cell::read_part(wire.cell.as_ref().ok_or(LeafError::Field("cell"))?)?;
    let processor = if wire.processor_id.is_empty() { None } else { Some(processor(wire)?) };
    Ok(Part { processor, ..part })
}

pub(in crate::leaf) fn full_cell(wire: &AuditLeaf) -> Result<Cell, LeafError> {
    cell::read(wire.cell.as_ref().ok_or(LeafError::Field("cell"))?)
}

pub(in crate::leaf) fn processor(wire: &AuditLeaf) -> Result<ProcessorId, LeafError> {
    wire.processor_id.parse().map_err(|_| LeafError::Field("processor_id"))
}

pub(in crate::leaf) fn reason(wire: &AuditLeaf) -> Result<Name, LeafError> {
    wire.reason.parse().map_err(|_| LeafError::Field("reason"))
}
