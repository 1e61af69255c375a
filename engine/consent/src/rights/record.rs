//! A consent record in a copy: all of its fields, by their names in ISO/IEC TS 27560:2023, as JSON.

use sayso_proto::consent::v1 as proto;
use serde_json::{Value, json};

use crate::record::part;

/// `record`, with what the person was told, whom it concerns, and everything that happened to it: also that they said no, or
/// not yet.
pub(super) fn shown(record: &proto::ConsentRecord) -> Value {
    json!({
        "schema_version": record.schema_version,
        "record_id": hex::encode(&record.record_id),
        "pii_principal_id": hex::encode(&record.pii_principal_id),
        "tenant_id": record.tenant_id,
        "created_at": record.created_unix_ms,
        "replaces_record_id": hex::encode(&record.replaces_record_id),
        "purposes": record.purpose.iter().map(purpose).collect::<Vec<_>>(),
        "parties": record.parties.iter().map(party).collect::<Vec<_>>(),
        "events": record.events.iter().map(event).collect::<Vec<_>>(),
    })
}

fn purpose(block: &proto::PurposeBlock) -> Value {
    json!({
        "purpose": block.purpose,
        "purpose_type": block.purpose_type,
        "lawful_basis": block.lawful_basis().as_str_name(),
        "lawful_basis_code": block.lawful_basis_code,
        "privacy_notices": block.privacy_notices.iter().map(notice).collect::<Vec<_>>(),
        "pii_information": block.pii_information.iter().map(|pii| json!({
            "pii_type": pii.category,
            "pii_attribute_id": pii.attribute_id,
            "pii_optional": pii.optional,
            "sensitive_pii_category": pii.sensitive_category,
            "special_pii_category": pii.special_category,
        })).collect::<Vec<_>>(),
        "pii_controllers": block.pii_controllers,
        "cells": cells(&block.cells),
        "collection_method": block.collection_method,
        "processing_method": block.processing_method,
        "storage_locations": block.storage_locations,
        "processing_locations": block.processing_locations,
        "geographic_restrictions": block.geographic_restrictions,
        "retention_period": block.retention_period.as_ref().map(|rule| json!({
            "trigger": rule.trigger,
            "after": rule.after,
            "at_least": rule.at_least,
            "at_least_basis": rule.at_least_basis,
            "at_most": rule.at_most,
            "action": rule.action().as_str_name(),
            "on_withdraw": rule.on_withdraw().as_str_name(),
            "processors_must_confirm": rule.processors_must_confirm,
        })),
        "recipient_third_parties": block.recipient_third_parties.iter().map(|other| json!({
            "party_id": other.party_id,
            "region": other.region,
            "jurisdiction_change": other.jurisdiction_change,
            "transfer_mechanism": other.transfer_mechanism,
        })).collect::<Vec<_>>(),
        "service": block.service,
        "jurisdiction": block.jurisdiction,
        "withdrawal_method": block.withdrawal_method,
        "privacy_rights": block.privacy_rights,
        "codes_of_conduct": block.codes_of_conduct,
        "impact_assessment": block.impact_assessment,
        "authority_party": block.authority_party,
    })
}

fn notice(notice: &proto::NoticeVersion) -> Value {
    json!({
        "notice_id": notice.notice_id,
        "profile_id": notice.profile_id,
        "profile_revision": notice.profile_revision,
        "profile_sha256": hex::encode(&notice.profile_sha256),
        "rendered_sha256": hex::encode(&notice.rendered_sha256),
        "language": notice.language,
        "form": notice.form().as_str_name(),
        "location": notice.location,
        "ongoing_url": notice.ongoing_url,
        "processor_registry_revision": notice.processor_registry_revision,
        "layers": notice.layers,
        "published_at": notice.published_unix_ms,
        "effective_at": notice.effective_unix_ms,
    })
}

fn party(party: &proto::Party) -> Value {
    json!({
        "party_id": party.party_id,
        "party_name": party.name,
        "party_address": party.address,
        "party_contact": party.contact,
        "party_email": party.email,
        "party_url": party.url,
        "party_phone": party.phone,
        "party_role": party.role().as_str_name(),
        "party_type": party.party_type,
    })
}

fn event(event: &proto::ConsentEvent) -> Value {
    json!({
        "event_time": event.at_unix_ms,
        "validity_duration": event.validity_ms,
        "entity_type": event.actor().as_str_name(),
        "entity_id": event.entity_id,
        "event_type": event.r#type().as_str_name(),
        "event_state": event.status().as_str_name(),
        "separate": event.separate,
        "written": event.written,
        "indication_method": event.indication_method().as_str_name(),
        "evidence_sha256": hex::encode(&event.evidence_sha256),
        "consent_version": event.consent_version,
        "scope": cells(&event.scope),
        "taken_back": event.taken_back.iter().filter_map(|part| part::read(part).ok()).collect::<Vec<_>>(),
        "guardian": event.guardian.as_ref().map(|guardian| json!({
            "method": guardian.method,
            "evidence_sha256": hex::encode(&guardian.evidence_sha256),
            "verified_at": guardian.verified_unix_ms,
        })),
        "reason": event.reason,
    })
}

fn cells(cells: &[proto::Cell]) -> Vec<Value> {
    let shown = |cell: &proto::Cell| {
        json!({
            "purpose": cell.purpose,
            "category": cell.category,
            "processor_kind": cell.processor_kind().as_str_name(),
            "region_class": cell.region_class().as_str_name(),
        })
    };
    cells.iter().map(shown).collect()
}
