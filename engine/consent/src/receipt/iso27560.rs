//! A consent record as a receipt in the terms of ISO/IEC TS 27560: the names are the standard's, the words DPV 2.3's where it
//! has them. Nothing is left out of the record but the hashes and ids that only the node can look up.

use sayso_policy::profile::Date;
use sayso_proto::consent::v1 as proto;
use sayso_types::WallTime;
use serde_json::{Map, Value, json};

use super::or_nothing;
use crate::record::part;

/// `schema_version` of the receipts written here.
pub const SCHEMA: &str = "ISO/IEC TS 27560:2023 receipt, sayso 1";

/// The receipt of `record`; [`None`] when the person never agreed, so that there is nothing to be given a receipt for. Other
/// than one of Kantara it says what has become of the consent since: its events are all there.
#[must_use]
pub fn of(record: &proto::ConsentRecord) -> Option<Value> {
    let block = record.purpose.as_ref()?;
    let is_given = |event: &proto::ConsentEvent| event.status() == proto::ConsentStatus::Given;
    record.events.iter().find(|event| is_given(event))?;
    let id = hex::encode(&record.record_id);
    Some(said(json!({
        "schema_version": SCHEMA,
        "receipt_id": id,
        "record_id": id,
        "replaces_record_id": hex::encode(&record.replaces_record_id),
        "pii_principal_id": hex::encode(&record.pii_principal_id),
        "privacy_notice": block.privacy_notices.iter().map(notice).collect::<Vec<_>>(),
        "language": block.privacy_notices.first().map(|notice| notice.language.as_str()),
        "purposes": [purpose(block)],
        "party_identification": record.parties.iter().map(party).collect::<Vec<_>>(),
        "events": record.events.iter().map(event).collect::<Vec<_>>(),
    })))
}

fn notice(notice: &proto::NoticeVersion) -> Value {
    json!({
        "notice": format!("{} revision {}", notice.profile_id, notice.profile_revision),
        "policy_sha256": hex::encode(&notice.profile_sha256),
        "text_sha256": hex::encode(&notice.rendered_sha256),
        "language": notice.language,
        "form": word(notice.form().as_str_name(), "NOTICE_FORM_"),
        "url": notice.ongoing_url,
        // of a text that is not the policy's it is not known
        "sayso:layers": (!notice.layers.is_empty()).then_some(&notice.layers),
    })
}

fn purpose(block: &proto::PurposeBlock) -> Value {
    let basis = word(block.lawful_basis().as_str_name(), "LEGAL_BASIS_");
    json!({
        "purpose": block.purpose,
        "purpose_type": block.purpose_type,
        "lawful_basis": basis,
        "lawful_basis_code": block.lawful_basis_code,
        "pii_information": block.pii_information.iter().map(pii).collect::<Vec<_>>(),
        "pii_controllers": block.pii_controllers,
        "collection_method": block.collection_method,
        "processing_method": block.processing_method,
        "storage_locations": block.storage_locations,
        "retention_period": block.retention_period.as_ref().map(retention),
        "processing_locations": block.processing_locations,
        "geographic_restrictions": block.geographic_restrictions,
        "service": block.service,
        "jurisdiction": block.jurisdiction,
        "recipient_third_parties": block.recipient_third_parties.iter().map(recipient).collect::<Vec<_>>(),
        "withdrawal_method": block.withdrawal_method,
        "privacy_rights": block.privacy_rights,
        "codes_of_conduct": block.codes_of_conduct,
        "impact_assessment": block.impact_assessment,
        "authority_party": block.authority_party,
    })
}

fn pii(pii: &proto::PiiInformation) -> Value {
    json!({
        "pii_type": pii.category,
        "pii_attribute_id": pii.attribute_id,
        // what is not said counts as necessary, so it is always said
        "pii_optional": pii.optional,
        "sensitive_pii_category": pii.sensitive_category,
        "special_pii_category": pii.special_category,
    })
}

fn retention(rule: &proto::RetentionRule) -> Value {
    json!({
        "trigger": rule.trigger,
        "after": rule.after,
        "at_least": rule.at_least,
        "at_least_basis": rule.at_least_basis,
        "at_most": rule.at_most,
        "action": word(rule.action().as_str_name(), "RETENTION_ACTION_"),
        "on_withdraw": word(rule.on_withdraw().as_str_name(), "RETENTION_ACTION_"),
        "processors_must_confirm": rule.processors_must_confirm,
    })
}

fn recipient(other: &proto::ThirdPartyDisclosure) -> Value {
    json!({
        "party_id": other.party_id,
        "location": other.region,
        "jurisdiction_change": other.jurisdiction_change,
        "transfer_mechanism": other.transfer_mechanism,
    })
}

fn party(party: &proto::Party) -> Value {
    let role = word(party.role().as_str_name(), "PARTY_ROLE_");
    let sort = if party.party_type.is_empty() { role.clone() } else { Some(party.party_type.clone()) };
    json!({
        "party_id": party.party_id,
        "party_name": party.name,
        // the standard demands both
        "party_address": or_nothing(&party.address),
        "party_contact": or_nothing(&party.contact),
        "party_email": party.email,
        "party_url": party.url,
        "party_phone": party.phone,
        "party_role": role,
        "party_type": sort,
    })
}

fn event(event: &proto::ConsentEvent) -> Value {
    let duration = match event.validity_ms {
        0 => "UntilEventDuration".to_owned(),
        ms => format!("PT{}S", ms / 1_000),
    };
    let taken_back = event.taken_back.iter().filter_map(|part| part::read(part).ok());
    let taken_back: Vec<_> = taken_back.map(|part| part.to_string()).collect();
    json!({
        "event_time": Date::Moment(WallTime(event.at_unix_ms)).to_string(),
        "validity_duration": duration,
        "entity_id": event.entity_id,
        "entity_type": word(event.actor().as_str_name(), "ACTOR_KIND_"),
        "event_type": event_type(event.r#type()),
        "event_state": state(event.status()),
        "indication_method": word(event.indication_method().as_str_name(), "INDICATION_METHOD_"),
        "separate": event.separate,
        "written": event.written,
        "reason": event.reason,
        "sayso:taken_back": (!taken_back.is_empty()).then_some(taken_back),
    })
}

const fn event_type(consent: proto::ConsentType) -> Option<&'static str> {
    match consent {
        proto::ConsentType::Unspecified => None,
        proto::ConsentType::Uninformed => Some("UninformedConsent"),
        proto::ConsentType::Implied => Some("ImpliedConsent"),
        proto::ConsentType::Expressed => Some("ExpressedConsent"),
        proto::ConsentType::ExplicitlyExpressed => Some("ExplicitlyExpressedConsent"),
    }
}

/// By DPV's terms; a withdrawal that is not yet in effect has none.
const fn state(status: proto::ConsentStatus) -> Option<&'static str> {
    match status {
        proto::ConsentStatus::Unspecified => None,
        proto::ConsentStatus::Requested => Some("ConsentRequested"),
        proto::ConsentStatus::Deferred => Some("ConsentRequestDeferred"),
        proto::ConsentStatus::Refused => Some("ConsentRefused"),
        proto::ConsentStatus::Given => Some("ConsentGiven"),
        proto::ConsentStatus::Renewed => Some("RenewedConsentGiven"),
        proto::ConsentStatus::Withdrawn => Some("ConsentWithdrawn"),
        proto::ConsentStatus::Revoked => Some("ConsentRevoked"),
        proto::ConsentStatus::Expired => Some("ConsentExpired"),
        proto::ConsentStatus::Invalidated => Some("ConsentInvalidated"),
        proto::ConsentStatus::Withdrawing => Some("sayso:ConsentWithdrawing"),
    }
}

/// `PARTY_ROLE_DATA_CONTROLLER` as `DataController`; nothing where nothing is said.
fn word(name: &str, prefix: &str) -> Option<String> {
    let name = name.strip_prefix(prefix).filter(|name| *name != "UNSPECIFIED")?;
    let word =
        |word: &str| word.get(..1).unwrap_or_default().to_owned() + &word.get(1..).unwrap_or_default().to_lowercase();
    Some(name.split('_').map(word).collect())
}

/// `value` without what says nothing. An empty list says that there is none.
fn said(value: Value) -> Value {
    let is_said = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, said(value)));
            Value::Object(members.filter(|(_, value)| is_said(value)).collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(said).collect()),
        other => other,
    }
}
