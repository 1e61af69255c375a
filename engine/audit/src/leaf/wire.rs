//! A leaf as the protocol buffer that is encoded. Which field holds what of which event is decided here only.

use sayso_proto::audit::v1::{AuditLeaf, Verdict};
use sayso_types::{Cell, ConsentVersion, Part, ProcessorId, TurnId, WallTime};

use super::{Actor, Fact, HybridClock, Leaf, LeafError, Place, VERSION, cell, desk, flow, lineage, node};
use crate::event::{Anonymised, AnonymisedStep, IncidentStep, NoticeStep, ProcessorChange, RequestStep};
use crate::merkle::Hash;
use crate::{ActorTag, Event, Reference, Replica, Scope, SubjectTag};

mod control;
mod field;
mod minors;

pub(super) use self::field::{
    approvers, category, content, document, full_cell, gate, optional, processor, reason, reference,
};
use self::field::{evidence, part, purpose, replica, scope};

pub(super) fn write(leaf: &Leaf) -> AuditLeaf {
    let Leaf { place, fact } = leaf;
    let mut wire = AuditLeaf {
        version: VERSION,
        event: fact.event.name().to_owned(),
        subject_tag: fact.subject.map_or_else(Vec::new, |tag| tag.0.to_vec()),
        shard: place.shard,
        shard_sequence: place.sequence,
        hybrid_clock: place.clock.0,
        wall_unix_ms: place.wall.0,
        actor: cell::write_actor(fact.actor.kind),
        actor_tag: fact.actor.tag.map_or_else(Vec::new, |tag| tag.0.to_vec()),
        consent_version: fact.cv.0,
        profile_revision: fact.profile_rev,
        registry_revision: fact.registry_rev,
        epoch: fact.epoch,
        ..AuditLeaf::default()
    };
    write_event(&fact.event, &mut wire);
    wire
}

pub(super) fn read(wire: &AuditLeaf) -> Result<Leaf, LeafError> {
    if wire.version != VERSION {
        return Err(LeafError::Version(wire.version));
    }
    Ok(Leaf {
        place: Place {
            shard: wire.shard,
            sequence: wire.shard_sequence,
            clock: HybridClock(wire.hybrid_clock),
            wall: WallTime(wire.wall_unix_ms),
        },
        fact: Fact {
            subject: optional("subject_tag", &wire.subject_tag)?.map(SubjectTag),
            actor: Actor {
                kind: cell::read_actor(wire.actor)?,
                tag: optional("actor_tag", &wire.actor_tag)?.map(ActorTag),
            },
            cv: ConsentVersion(wire.consent_version),
            profile_rev: wire.profile_revision,
            registry_rev: wire.registry_revision,
            epoch: wire.epoch,
            event: read_event(wire)?,
        },
    })
}

/// A part that is taken back is a cell with what it says; which receiver, in the field for that.
pub(super) fn write_scope(scope: Scope, wire: &mut AuditLeaf) {
    match scope {
        Scope::Everything => {}
        Scope::Purpose(purpose) => wire.cell = Some(cell::write_purpose(purpose)),
        Scope::Part(part) => write_part(&part, wire),
    }
}

fn write_part(part: &Part, wire: &mut AuditLeaf) {
    wire.cell = Some(cell::write_part(part));
    wire.processor_id = part.processor.map_or_else(String::new, |processor| processor.to_string());
}

fn write_event(event: &Event, wire: &mut AuditLeaf) {
    match event {
        Event::PolicyEffective { profile: document }
        | Event::PolicySuperseded { profile: document }
        | Event::ControllerChanged { profile: document }
        | Event::LogKeyRotated { key: document } => {
            wire.document_sha256 = document.0.to_vec();
        }
        Event::PolicyPublished { profile, notice } => {
            wire.document_sha256 = profile.0.to_vec();
            wire.reference = notice.map_or_else(Vec::new, |notice| notice.0.to_vec());
        }
        Event::NoticeServed { text, processor } => {
            wire.document_sha256 = text.0.to_vec();
            wire.processor_id = processor.map_or_else(String::new, |processor| processor.to_string());
        }
        Event::ConsentRequested { record, purpose } | Event::ConsentExpired { record, purpose } => {
            wire.reference = record.0.to_vec();
            wire.cell = Some(cell::write_purpose(*purpose));
        }
        Event::ConsentGiven { record, purpose, notice, evidence, is_renewal: _ } => {
            wire.reference = record.0.to_vec();
            wire.cell = Some(cell::write_purpose(*purpose));
            wire.document_sha256 = notice.0.to_vec();
            wire.commitments = vec![evidence.0.to_vec()];
        }
        Event::ConsentRefused { record, purpose, evidence } | Event::ConsentDeferred { record, purpose, evidence } => {
            wire.reference = record.0.to_vec();
            wire.cell = Some(cell::write_purpose(*purpose));
            wire.commitments = vec![evidence.0.to_vec()];
        }
        Event::WithdrawRequested { withdrawal, scope } | Event::WithdrawEffective { withdrawal, scope } => {
            wire.reference = withdrawal.0.to_vec();
            write_scope(*scope, wire);
        }
        Event::PermitGranted { permit, cell, processor } => {
            write_passage(wire, *permit, cell, *processor);
            wire.verdict = Verdict::Permitted.into();
        }
        Event::GateDenied { gate, cell, processor, reason, count, labelled } => {
            wire.gate = gate.to_string();
            wire.verdict = Verdict::Denied.into();
            wire.cell = Some(cell::write(cell));
            wire.processor_id = processor.to_string();
            wire.reason = reason.to_string();
            wire.pieces = *count;
            wire.labelled_version = labelled.map(|cv| cv.0);
        }
        Event::SegmentOpened { segment, cell, processor, turn } => {
            write_passage(wire, *segment, cell, *processor);
            wire.verdict = Verdict::Permitted.into();
            wire.turn = turn.0;
        }
        Event::SegmentClosed { segment, cell, processor, turn, bytes, pieces, content, reason } => {
            write_passage(wire, *segment, cell, *processor);
            wire.turn = turn.0;
            wire.bytes = *bytes;
            wire.pieces = *pieces;
            wire.content_sha256 = content.0.to_vec();
            wire.reason = reason.to_string();
        }
        Event::SelfcheckPassed { size, root } => {
            wire.pieces = *size;
            wire.content_sha256 = root.0.to_vec();
        }
        Event::SelfcheckFailed { size, root, reason } => {
            wire.pieces = *size;
            wire.content_sha256 = root.0.to_vec();
            wire.reason = reason.to_string();
        }
        Event::ClockAnomaly { behind_ms } => wire.pieces = *behind_ms,
        Event::OperatorAccess { ticket, reason, rows } => {
            wire.reference = ticket.0.to_vec();
            wire.reason = reason.to_string();
            wire.pieces = *rows;
        }
        Event::Request { request, step: _, detail, evidence } => {
            wire.reference = request.0.to_vec();
            wire.reason = detail.to_string();
            wire.commitments = evidence.iter().map(|evidence| evidence.0.to_vec()).collect();
        }
        Event::ExportDownloaded { request, content, bytes } => {
            wire.reference = request.0.to_vec();
            wire.content_sha256 = content.0.to_vec();
            wire.bytes = *bytes;
        }
        Event::ExportCreated { request, rows } => {
            wire.reference = request.0.to_vec();
            wire.pieces = *rows;
        }
        Event::EraseCommitted { erasure, category, ground } => {
            wire.reference = erasure.0.to_vec();
            wire.cell = category.map(cell::write_category);
            wire.reason = ground.to_string();
        }
        Event::KeyDestroyed { erasure, category, generation, key } => {
            wire.reference = erasure.0.to_vec();
            wire.cell = Some(cell::write_category(*category));
            wire.pieces = u64::from(*generation);
            wire.content_sha256 = key.0.to_vec();
        }
        Event::EraseAcknowledged { erasure, how, replica } => {
            wire.reference = erasure.0.to_vec();
            wire.reason = how.to_string();
            if let Some(Replica { node, of }) = replica {
                (wire.bytes, wire.pieces) = (*node, *of);
            }
        }
        Event::DeletionUnconfirmed { erasure, processor, reason } => {
            wire.reference = erasure.0.to_vec();
            wire.processor_id = processor.to_string();
            wire.reason = reason.to_string();
        }
        Event::EraseCertified { erasure, certificate } => {
            wire.reference = erasure.0.to_vec();
            wire.document_sha256 = certificate.0.to_vec();
        }
        Event::ProcessorChanged { switch, processor, change: _, reason } => {
            wire.reference = switch.0.to_vec();
            wire.processor_id = processor.to_string();
            wire.reason = reason.to_string();
        }
        Event::CategorySwitched { switch, category, is_off: _, reason } => {
            wire.reference = switch.0.to_vec();
            wire.cell = Some(cell::write_category(*category));
            wire.reason = reason.to_string();
        }
        Event::TenantSwitched { switch, tenant, is_off: _, reason } => {
            wire.reference = switch.0.to_vec();
            wire.document_sha256 = tenant.0.to_vec();
            wire.reason = reason.to_string();
        }
        Event::Incident { incident, step: _, detail, document, people, detected } => {
            wire.reference = incident.0.to_vec();
            wire.reason = detail.to_string();
            wire.document_sha256 = document.map_or_else(Vec::new, |document| document.0.to_vec());
            wire.pieces = *people;
            wire.bytes = detected.map_or(0, |at| at.0);
        }
        Event::ExemptionGranted { grant, cell, processor, until, evidence, approvers } => {
            wire.reason = grant.to_string();
            wire.cell = Some(cell::write(cell));
            wire.processor_id = processor.to_string();
            wire.pieces = until.0;
            wire.document_sha256 = evidence.0.to_vec();
            wire.commitments = approvers.iter().map(|tag| tag.0.to_vec()).collect();
        }
        Event::ExemptionUsed { grant } | Event::ExemptionExpired { grant } | Event::ExemptionRevoked { grant } => {
            wire.reason = grant.to_string();
        }
        Event::PermittedByExemption { segment, gate, cell, processor, grant } => {
            write_passage(wire, *segment, cell, *processor);
            wire.verdict = Verdict::Permitted.into();
            wire.gate = gate.to_string();
            wire.reason = grant.to_string();
        }
        Event::RetentionDue { ending, category, at } => {
            wire.reference = ending.0.to_vec();
            wire.cell = Some(cell::write_category(*category));
            wire.pieces = at.0;
        }
        Event::RetentionExecuted { ending, category, how, rows } => {
            wire.reference = ending.0.to_vec();
            wire.cell = Some(cell::write_category(*category));
            wire.reason = how.to_string();
            wire.pieces = *rows;
        }
        Event::RetentionHeld { hold, category, from } => {
            wire.reference = hold.0.to_vec();
            wire.cell = Some(cell::write_category(*category));
            wire.reason = from.to_string();
        }
        Event::HoldSet { hold, category, law } => {
            wire.reference = hold.0.to_vec();
            wire.cell = category.map(cell::write_category);
            wire.document_sha256 = law.0.to_vec();
        }
        Event::HoldReleased { hold, why } => {
            wire.reference = hold.0.to_vec();
            wire.reason = why.to_string();
        }
        Event::StoreRestricted { request, category, how } => {
            wire.reference = request.0.to_vec();
            wire.cell = Some(cell::write_category(*category));
            wire.reason = how.to_string();
        }
        Event::RectifyApplied { request, category, rows } => {
            wire.reference = request.0.to_vec();
            wire.cell = Some(cell::write_category(*category));
            wire.pieces = *rows;
        }
        Event::AccountCancelled { request } => wire.reference = request.0.to_vec(),
        Event::Notice { notice, step: _, channel, text } => {
            wire.reference = notice.0.to_vec();
            wire.reason = channel.to_string();
            wire.document_sha256 = text.0.to_vec();
        }
        Event::ShutdownStarted { shutdown } => wire.reference = shutdown.0.to_vec(),
        Event::WithdrawPending { withdrawal } => wire.reference = withdrawal.0.to_vec(),
        Event::ShutdownCompleted { shutdown, people } => {
            wire.reference = shutdown.0.to_vec();
            wire.pieces = *people;
        }
        Event::Minor(event) => minors::write(event, wire),
        Event::Anonymised(Anonymised { ending, category, step, people, report }) => {
            wire.reference = ending.0.to_vec();
            wire.cell = Some(cell::write_category(*category));
            wire.reason = step.how().to_owned();
            wire.pieces = *people;
            wire.document_sha256 = report.map_or_else(Vec::new, |report| report.0.to_vec());
        }
        Event::Desk(event) => desk::write(event, wire),
        Event::Lineage(event) => lineage::write(event, wire),
        Event::Flow(event) => flow::write(event, wire),
        Event::Control(event) => control::write(event, wire),
        Event::Node(event) => node::write(event, wire),
    }
}

fn read_event(wire: &AuditLeaf) -> Result<Event, LeafError> {
    if let Some(event) = desk::read(wire)? {
        return Ok(Event::Desk(event));
    }
    if let Some(event) = lineage::read(wire)? {
        return Ok(Event::Lineage(event));
    }
    if let Some(event) = flow::read(wire)? {
        return Ok(Event::Flow(event));
    }
    if let Some(event) = node::read(wire)? {
        return Ok(Event::Node(event));
    }
    Ok(match wire.event.as_str() {
        "policy.effective" => Event::PolicyEffective { profile: document(wire)? },
        "notice.served" => Event::NoticeServed {
            text: document(wire)?,
            processor: if wire.processor_id.is_empty() { None } else { Some(processor(wire)?) },
        },
        "consent.requested" => Event::ConsentRequested { record: reference(wire)?, purpose: purpose(wire)? },
        name @ ("consent.given" | "consent.renewed") => Event::ConsentGiven {
            record: reference(wire)?,
            purpose: purpose(wire)?,
            notice: document(wire)?,
            evidence: evidence(wire)?,
            is_renewal: name == "consent.renewed",
        },
        "consent.expired" => Event::ConsentExpired { record: reference(wire)?, purpose: purpose(wire)? },
        "policy.superseded" => Event::PolicySuperseded { profile: document(wire)? },
        "withdraw.pending_timeout" => Event::WithdrawPending { withdrawal: reference(wire)? },
        "consent.refused" => {
            Event::ConsentRefused { record: reference(wire)?, purpose: purpose(wire)?, evidence: evidence(wire)? }
        }
        "consent.deferred" => {
            Event::ConsentDeferred { record: reference(wire)?, purpose: purpose(wire)?, evidence: evidence(wire)? }
        }
        "withdraw.requested" => Event::WithdrawRequested { withdrawal: reference(wire)?, scope: scope(wire)? },
        "withdraw.effective" => Event::WithdrawEffective { withdrawal: reference(wire)?, scope: scope(wire)? },
        "permit.granted" => {
            Event::PermitGranted { permit: reference(wire)?, cell: full_cell(wire)?, processor: processor(wire)? }
        }
        "gate.denied" => Event::GateDenied {
            gate: gate(wire)?,
            cell: full_cell(wire)?,
            processor: processor(wire)?,
            reason: reason(wire)?,
            count: wire.pieces,
            labelled: wire.labelled_version.map(ConsentVersion),
        },
        "egress.segment_opened" => Event::SegmentOpened {
            segment: reference(wire)?,
            cell: full_cell(wire)?,
            processor: processor(wire)?,
            turn: TurnId(wire.turn),
        },
        "egress.segment_closed" => Event::SegmentClosed {
            segment: reference(wire)?,
            cell: full_cell(wire)?,
            processor: processor(wire)?,
            turn: TurnId(wire.turn),
            bytes: wire.bytes,
            pieces: wire.pieces,
            content: content(wire)?,
            reason: reason(wire)?,
        },
        "audit.selfcheck_passed" => Event::SelfcheckPassed { size: wire.pieces, root: content(wire)? },
        "audit.selfcheck_failed" => {
            Event::SelfcheckFailed { size: wire.pieces, root: content(wire)?, reason: reason(wire)? }
        }
        "log.key_rotated" => Event::LogKeyRotated { key: document(wire)? },
        "clock.anomaly" => Event::ClockAnomaly { behind_ms: wire.pieces },
        "operator.access" => {
            Event::OperatorAccess { ticket: reference(wire)?, reason: reason(wire)?, rows: wire.pieces }
        }
        "export.downloaded" => {
            Event::ExportDownloaded { request: reference(wire)?, content: content(wire)?, bytes: wire.bytes }
        }
        "export.created" => Event::ExportCreated { request: reference(wire)?, rows: wire.pieces },
        "erase.committed" => Event::EraseCommitted {
            erasure: reference(wire)?,
            category: wire.cell.as_ref().map(cell::read_category).transpose()?,
            ground: reason(wire)?,
        },
        "key.destroyed" => Event::KeyDestroyed {
            erasure: reference(wire)?,
            category: category(wire)?,
            generation: wire.pieces.try_into().map_err(|_| LeafError::Field("pieces"))?,
            key: content(wire)?,
        },
        "erase.node_acked" => {
            Event::EraseAcknowledged { erasure: reference(wire)?, how: reason(wire)?, replica: replica(wire)? }
        }
        "processor.deletion_unconfirmed" => {
            Event::DeletionUnconfirmed { erasure: reference(wire)?, processor: processor(wire)?, reason: reason(wire)? }
        }
        "erase.certified" => Event::EraseCertified { erasure: reference(wire)?, certificate: document(wire)? },
        "policy.published" => Event::PolicyPublished { profile: document(wire)?, notice: field::notice(wire)? },
        "controller.changed" => Event::ControllerChanged { profile: document(wire)? },
        "service.shutdown_started" => Event::ShutdownStarted { shutdown: reference(wire)? },
        "service.shutdown_completed" => Event::ShutdownCompleted { shutdown: reference(wire)?, people: wire.pieces },
        "store.restricted" => {
            Event::StoreRestricted { request: reference(wire)?, category: category(wire)?, how: reason(wire)? }
        }
        "rectify.applied" => {
            Event::RectifyApplied { request: reference(wire)?, category: category(wire)?, rows: wire.pieces }
        }
        "account.cancelled" => Event::AccountCancelled { request: reference(wire)? },
        "exemption.granted" => Event::ExemptionGranted {
            grant: reason(wire)?,
            cell: full_cell(wire)?,
            processor: processor(wire)?,
            until: WallTime(wire.pieces),
            evidence: document(wire)?,
            approvers: approvers(wire)?,
        },
        "exemption.used" => Event::ExemptionUsed { grant: reason(wire)? },
        "exemption.expired" => Event::ExemptionExpired { grant: reason(wire)? },
        "exemption.revoked" => Event::ExemptionRevoked { grant: reason(wire)? },
        "gate.permitted_by_exemption" => Event::PermittedByExemption {
            segment: reference(wire)?,
            gate: gate(wire)?,
            cell: full_cell(wire)?,
            processor: processor(wire)?,
            grant: reason(wire)?,
        },
        "retention.due" => {
            Event::RetentionDue { ending: reference(wire)?, category: category(wire)?, at: WallTime(wire.pieces) }
        }
        "retention.executed" => Event::RetentionExecuted {
            ending: reference(wire)?,
            category: category(wire)?,
            how: reason(wire)?,
            rows: wire.pieces,
        },
        "retention.held" => {
            Event::RetentionHeld { hold: reference(wire)?, category: category(wire)?, from: reason(wire)? }
        }
        "legal_hold.set" => Event::HoldSet {
            hold: reference(wire)?,
            category: wire.cell.as_ref().map(cell::read_category).transpose()?,
            law: document(wire)?,
        },
        "legal_hold.released" => Event::HoldReleased { hold: reference(wire)?, why: reason(wire)? },
        "category.switched_off" => category_switched(wire, true)?,
        "category.switched_on" => category_switched(wire, false)?,
        "tenant.switched_off" => tenant_switched(wire, true)?,
        "tenant.switched_on" => tenant_switched(wire, false)?,
        name => return read_step(name, wire),
    })
}

fn category_switched(wire: &AuditLeaf, is_off: bool) -> Result<Event, LeafError> {
    let category = cell::read_category(wire.cell.as_ref().ok_or(LeafError::Field("cell"))?)?;
    Ok(Event::CategorySwitched { switch: reference(wire)?, category, is_off, reason: reason(wire)? })
}

fn tenant_switched(wire: &AuditLeaf, is_off: bool) -> Result<Event, LeafError> {
    let (switch, tenant) = (reference(wire)?, document(wire)?);
    Ok(Event::TenantSwitched { switch, tenant, is_off, reason: reason(wire)? })
}

/// The events that are steps of something, by the names of their steps.
fn read_step(name: &str, wire: &AuditLeaf) -> Result<Event, LeafError> {
    if let Some(step) = RequestStep::ALL.into_iter().find(|step| step.name() == name) {
        let evidence = (!wire.commitments.is_empty()).then(|| evidence(wire)).transpose()?;
        return Ok(Event::Request { request: reference(wire)?, step, detail: reason(wire)?, evidence });
    }
    if let Some(step) = NoticeStep::ALL.into_iter().find(|step| step.name() == name) {
        return Ok(Event::Notice { notice: reference(wire)?, step, channel: reason(wire)?, text: document(wire)? });
    }
    if let Some(change) = ProcessorChange::ALL.into_iter().find(|change| change.name() == name) {
        let (switch, processor, reason) = (reference(wire)?, processor(wire)?, reason(wire)?);
        return Ok(Event::ProcessorChanged { switch, processor, change, reason });
    }
    if let Some(step) = IncidentStep::ALL.into_iter().find(|step| step.name() == name) {
        let document = optional("document_sha256", &wire.document_sha256)?.map(Hash);
        let (incident, detail, people) = (reference(wire)?, reason(wire)?, wire.pieces);
        let detected = (wire.bytes > 0).then_some(WallTime(wire.bytes));
        return Ok(Event::Incident { incident, step, detail, document, people, detected });
    }
    let is = |step: &AnonymisedStep| step.name() == name && step.how() == wire.reason;
    if let Some(step) = AnonymisedStep::ALL.into_iter().find(is) {
        let report = optional("document_sha256", &wire.document_sha256)?.map(Hash);
        let (ending, category, people) = (reference(wire)?, category(wire)?, wire.pieces);
        return Ok(Event::Anonymised(Anonymised { ending, category, step, people, report }));
    }
    if let Some(event) = control::read(name, wire)? {
        return Ok(Event::Control(event));
    }
    minors::read(name, wire).map(Event::Minor)
}

/// The fields of permits and segments alike.
pub(super) fn write_passage(wire: &mut AuditLeaf, reference: Reference, cell: &Cell, processor: ProcessorId) {
    wire.reference = reference.0.to_vec();
    wire.cell = Some(cell::write(cell));
    wire.processor_id = processor.to_string();
}
