//! Consent records in the terms of ISO/IEC TS 27560:2023, one purpose a record.

mod layers;
pub mod part;
pub(crate) mod withdrawal;

use core::iter;
use std::collections::BTreeMap;

use prost::Message;
use sayso_audit::{Actor, ActorKind, Reference};
use sayso_policy::profile::{
    AtRest, CategoryRule, Contact, Controller, ControllerRole, Date, Necessity, Processor, Responsible, Retention,
    RetentionAction, Sensitivity,
};
use sayso_policy::{ConsentStatus, ConsentType, LegalBasis, Period, Practice, Profile, PurposeConsent, Tongue};
use sayso_proto::consent::v1 as proto;
use sayso_store::Key;
use sayso_types::{ConsentVersion, ProcessorKind, Purpose, RegionClass, TenantId, WallTime};

use crate::Error;
use crate::evidence::{Answer, Asking, Means};

/// `schema_version` of the records written here.
pub const SCHEMA: &str = "sayso/consent-record/v1";

/// Who acted, where nobody did.
const SYSTEM: &str = "system";

/// The record of `answer` for one of its purposes, under a revision of the policy and one of the registry of processors.
pub(crate) fn of(
    (profile, registry_rev): (&Profile, u32),
    answer: &Answer,
    (purpose, id): (Purpose, Reference),
    consent: &PurposeConsent,
    now: WallTime,
) -> proto::ConsentRecord {
    let header = profile.header();
    let controller = profile.controller();
    let rule = profile.purpose(purpose);
    let used: Vec<_> = profile.categories().filter(|(_, rule)| rule.purposes.contains(&purpose)).collect();
    let receivers: Vec<_> = profile.processors().filter(|p| p.purposes.contains(&purpose)).collect();
    let cells = receivers.iter().flat_map(|p| {
        // what needs a clearer consent than this one is not opened by it
        let opened = |rule: &CategoryRule| profile.is_enough(consent, purpose, rule, p);
        let accepted = used.iter().filter(move |(category, rule)| p.accepts.contains(category) && opened(rule));
        accepted.map(|(category, _)| proto::Cell {
            purpose: purpose.to_string(),
            category: category.to_string(),
            processor_kind: kind(p.kind).into(),
            region_class: region(p.region_class).into(),
        })
    });
    let cells: Vec<_> = cells.collect();
    let practice = Practice::of(profile, purpose, Tongue::of(&answer.language));
    let mut regions: Vec<String> = receivers.iter().map(|p| p.region.clone()).collect();
    regions.sort();
    regions.dedup();
    // where the profile names no article, what sort of right it is
    let basis_code = rule.and_then(|rule| rule.basis_code.clone());
    let block = proto::PurposeBlock {
        purpose: purpose.to_string(),
        purpose_type: rule.map(|r| r.dpv.clone()).unwrap_or_default(),
        lawful_basis: proto::LegalBasis::Consent.into(),
        lawful_basis_code: basis_code.unwrap_or_else(|| LegalBasis::Consent.as_str().to_owned()),
        privacy_notices: vec![proto::NoticeVersion {
            notice_id: header.id.to_string(),
            profile_id: header.id.to_string(),
            profile_revision: profile.rev(),
            profile_sha256: profile.hash().0.to_vec(),
            rendered_sha256: answer.notice_sha256.to_vec(),
            language: answer.language.clone(),
            form: if answer.spoken { proto::NoticeForm::Oral } else { proto::NoticeForm::Screen }.into(),
            location: location(answer.means).to_owned(),
            ongoing_url: controller.contact.url.clone().unwrap_or_default(),
            processor_registry_revision: registry_rev,
            published_unix_ms: header.published_at.as_ref().and_then(Date::moment).map_or(0, |at| at.0),
            effective_unix_ms: header.effective_at.moment().map_or(0, |at| at.0),
            layers: layers::given(profile, answer),
        }],
        pii_information: used
            .iter()
            .map(|(category, rule)| proto::PiiInformation {
                category: category.to_string(),
                optional: rule.necessity != Some(Necessity::Required),
                sensitive_category: terms(rule, Sensitivity::High),
                special_category: terms(rule, Sensitivity::Special),
                ..Default::default()
            })
            .collect(),
        pii_controllers: iter::once(controller.id.to_string())
            .chain(controller.joint.iter().map(|other| other.name.clone()))
            .collect(),
        collection_method: practice.collection,
        processing_method: practice.processing,
        storage_locations: practice.storage,
        geographic_restrictions: practice.restrictions,
        privacy_rights: practice.rights,
        processing_locations: regions,
        recipient_third_parties: receivers
            .iter()
            .filter(|p| p.region_class != RegionClass::Local)
            .map(|p| proto::ThirdPartyDisclosure {
                party_id: p.party.to_string(),
                region: p.region.clone(),
                jurisdiction_change: p.region_class == RegionClass::Overseas,
                transfer_mechanism: p.mechanism.as_ref().map(ToString::to_string).unwrap_or_default(),
            })
            .collect(),
        cells: cells.clone(),
        retention_period: used
            .iter()
            .filter_map(|(_, rule)| Some((*rule, profile.document().retention_of(rule)?)))
            .max_by_key(|(_, retention)| kept_until(retention))
            .map(|(rule, retention)| retention_rule(rule, retention)),
        service: "voice session".to_owned(),
        jurisdiction: header.jurisdiction.to_string(),
        impact_assessment: rule
            .and_then(|rule| rule.impact_assessment.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default(),
        authority_party: header.supervisor.clone().unwrap_or_default(),
        withdrawal_method: "say \"stop listening\", or withdraw on the device or through the operator".to_owned(),
        ..Default::default()
    };
    let event = proto::ConsentEvent {
        at_unix_ms: now.0,
        actor: actor(answer.means).into(),
        entity_id: entity(answer),
        validity_ms: consent.expires_at.map_or(0, |end| end.0.saturating_sub(now.0)),
        r#type: consent_type(consent.consent_type).into(),
        status: status(answer.status).into(),
        separate: consent.separate,
        written: consent.written,
        indication_method: indication(answer.means).into(),
        evidence_sha256: answer.evidence_sha256.to_vec(),
        reason: if let Means::Conduct(act) = answer.means { act.to_string() } else { String::new() },
        consent_version: consent.given_at.0,
        scope: cells,
        ..Default::default()
    };
    proto::ConsentRecord {
        schema_version: SCHEMA.to_owned(),
        record_id: id.0.to_vec(),
        pii_principal_id: answer.subject.0.to_vec(),
        tenant_id: answer.tenant.to_string(),
        purpose: Some(block),
        parties: responsible(controller, header.supervisor.as_deref())
            .into_iter()
            .chain(third_parties(&receivers))
            .collect(),
        events: vec![event],
        created_unix_ms: now.0,
        replaces_record_id: Vec::new(),
    }
}

/// The record of a question that a device puts to somebody of `tenant`, who would answer it by `means`: it becomes that of
/// their answer.
pub(crate) fn requested(
    under: (&Profile, u32),
    (asking, tenant, means): (&Asking, &TenantId, Means),
    of_purpose: (Purpose, Reference),
    consent: &PurposeConsent,
    now: WallTime,
) -> proto::ConsentRecord {
    let answer = Answer {
        tenant: tenant.clone(),
        subject: asking.subject,
        status: ConsentStatus::Requested,
        question: asking.question.clone(),
        means,
        notice_sha256: asking.notice_sha256,
        language: asking.language.clone(),
        spoken: asking.spoken,
        evidence_sha256: [0; 32],
    };
    let mut record = of(under, &answer, of_purpose, consent, now);
    for event in &mut record.events {
        // nobody has said anything yet
        event.actor = proto::ActorKind::System.into();
        event.entity_id = SYSTEM.to_owned();
        event.indication_method = proto::IndicationMethod::Unspecified.into();
        event.evidence_sha256 = Vec::new();
    }
    record
}

/// Has `answer` be added to what was `asked` for.
pub(crate) fn answers(answer: &mut proto::ConsentRecord, asked: &proto::ConsentRecord) {
    answer.created_unix_ms = asked.created_unix_ms;
    answer.events.splice(..0, asked.events.iter().cloned());
}

/// Who answers for it, and who sees to that they do.
fn responsible(controller: &Controller, supervisor: Option<&str>) -> Vec<proto::Party> {
    let party = |id: &str, name: &str, contact: &Contact, of: (proto::PartyRole, &str)| proto::Party {
        party_id: id.to_owned(),
        name: name.to_owned(),
        address: contact.address.clone().unwrap_or_default(),
        contact: contact.ways().next().unwrap_or_default().to_owned(),
        email: contact.email.clone().unwrap_or_default(),
        url: contact.url.clone().unwrap_or_default(),
        phone: contact.phone.clone().unwrap_or_default(),
        role: of.0.into(),
        party_type: of.1.to_owned(),
    };
    let as_term = |who: &Responsible, of| party(&who.name, &who.name, &who.contact, of);
    let is = (role(controller.role), role_term(controller.role));
    let mut parties = vec![party(controller.id.as_str(), &controller.name, &controller.contact, is)];
    parties.extend(controller.joint.iter().map(|who| as_term(who, is)));
    // the standard has these two by their type only
    let unspecified = proto::PartyRole::Unspecified;
    parties.extend(controller.representative.iter().map(|who| as_term(who, (unspecified, "Representative"))));
    parties.extend(controller.dpo.iter().map(|who| as_term(who, (unspecified, "DataProtectionOfficer"))));
    let authority = (proto::PartyRole::Authority, "DataProtectionAuthority");
    parties.extend(supervisor.map(|name| party(name, name, &Contact::default(), authority)));
    parties
}

/// Who else receives it, each once.
fn third_parties(receivers: &[&Processor]) -> Vec<proto::Party> {
    let others = receivers.iter().filter(|one| one.region_class != RegionClass::Local);
    let others: BTreeMap<_, _> = others.map(|one| (one.party.as_str(), *one)).collect();
    let party = |(name, one): (&str, &Processor)| proto::Party {
        party_id: name.to_owned(),
        name: name.to_owned(),
        contact: one.contact.clone().unwrap_or_default(),
        url: one.privacy_url.clone().unwrap_or_default(),
        role: if one.independent_controller { proto::PartyRole::ThirdParty } else { proto::PartyRole::DataProcessor }
            .into(),
        party_type: if one.independent_controller { "ThirdParty" } else { "DataProcessor" }.to_owned(),
        ..Default::default()
    };
    others.into_iter().map(party).collect()
}

/// Where the person was told.
const fn location(means: Means) -> &'static str {
    match means {
        Means::Voice | Means::Button | Means::Permission => "the device",
        Means::Integrator | Means::Guardian | Means::Document { .. } | Means::Conduct(_) => "the integrator",
    }
}

/// Which of those who may act did, by a pseudonym: a guardian's is put in where their decision is.
fn entity(answer: &Answer) -> String {
    match actor(answer.means) {
        proto::ActorKind::Tenant => answer.tenant.to_string(),
        proto::ActorKind::Device => "device".to_owned(),
        _ => answer.subject.to_string(),
    }
}

/// DPV's word for it.
const fn role_term(role: ControllerRole) -> &'static str {
    match role {
        ControllerRole::DataController => "DataController",
        ControllerRole::JointDataControllers => "JointDataControllers",
        ControllerRole::DataProcessor => "DataProcessor",
    }
}

const fn role(role: ControllerRole) -> proto::PartyRole {
    match role {
        ControllerRole::DataController => proto::PartyRole::DataController,
        ControllerRole::JointDataControllers => proto::PartyRole::JointController,
        ControllerRole::DataProcessor => proto::PartyRole::DataProcessor,
    }
}

/// The DPV terms of a category that is at least as sensitive as `least`; empty for others.
fn terms(rule: &CategoryRule, least: Sensitivity) -> String {
    let terms = rule.dpv.iter().filter(|_| rule.sensitivity >= least).map(String::as_str);
    terms.collect::<Vec<_>>().join(", ")
}

/// The event that a withdrawal, or another end before its time, in effect at `now`, adds to a record.
pub(crate) fn withdrawn(withdrawal: &proto::Withdrawal, now: WallTime) -> proto::ConsentEvent {
    proto::ConsentEvent {
        at_unix_ms: now.0,
        actor: withdrawal.actor,
        entity_id: match withdrawal.actor() {
            proto::ActorKind::Subject => hex::encode(&withdrawal.pii_principal_id),
            other => other.as_str_name().trim_start_matches("ACTOR_KIND_").to_lowercase(),
        },
        r#type: proto::ConsentType::Expressed.into(),
        status: status(withdrawal::status(withdrawal)).into(),
        reason: withdrawal.reason.clone(),
        indication_method: withdrawal::means(withdrawal)
            .map_or(proto::IndicationMethod::Unspecified, indication)
            .into(),
        consent_version: withdrawal.consent_version,
        ..Default::default()
    }
}

/// The event that ends a record whose time is over at `now`.
pub(crate) fn expired(cv: ConsentVersion, now: WallTime) -> proto::ConsentEvent {
    proto::ConsentEvent {
        at_unix_ms: now.0,
        actor: proto::ActorKind::System.into(),
        entity_id: SYSTEM.to_owned(),
        r#type: proto::ConsentType::Expressed.into(),
        status: proto::ConsentStatus::Expired.into(),
        consent_version: cv.0,
        ..Default::default()
    }
}

/// The record for `purpose` that counts, of `records`, which are oldest first: the newest yes that was not taken back,
/// which a later no to a revision leaves standing; otherwise the newest answer.
pub(crate) fn latest(
    records: &[(Key, proto::ConsentRecord)],
    purpose: Purpose,
) -> Option<&(Key, proto::ConsentRecord)> {
    let mut newest_first = records.iter().rev().filter(|(_, record)| is_for(record, purpose) && !is_open(record));
    newest_first.clone().find(|(_, record)| is_yes(record)).or_else(|| newest_first.next())
}

/// The id of a record.
pub(crate) fn reference(record: &proto::ConsentRecord) -> Result<Reference, Error> {
    let id = record.record_id.as_slice();
    let damaged = |_| Error::Damaged { what: "consent record", found: format!("an id of {} bytes", id.len()) };
    id.try_into().map(Reference).map_err(damaged)
}

/// Whether it is about `purpose`.
pub(crate) fn is_for(record: &proto::ConsentRecord, purpose: Purpose) -> bool {
    record.purpose.as_ref().is_some_and(|block| block.purpose == purpose.as_str())
}

/// Whether the person said yes, and nothing that was said of it since takes it back.
pub(crate) fn is_yes(record: &proto::ConsentRecord) -> bool {
    use proto::ConsentStatus::{Given, Renewed};
    record.events.last().is_some_and(|event| matches!(event.status(), Given | Renewed))
}

/// Whether the person was asked and has not answered.
pub(crate) fn is_open(record: &proto::ConsentRecord) -> bool {
    record.events.last().is_some_and(|event| event.status() == proto::ConsentStatus::Requested)
}

/// Whether it was ended otherwise than by withdrawal.
pub(crate) fn is_ended(record: &proto::ConsentRecord) -> bool {
    use proto::ConsentStatus::{Invalidated, Revoked};
    record.events.last().is_some_and(|event| matches!(event.status(), Revoked | Invalidated))
}

/// What is kept longer comes later.
fn kept_until(retention: &Retention) -> impl Ord + use<> {
    (retention.trigger.latest(), retention.after.period().map(Period::longest))
}

/// How long data of a category is kept, as the profile says it.
fn retention_rule(rule: &CategoryRule, retention: &Retention) -> proto::RetentionRule {
    let default_on_withdraw = match rule.at_rest {
        AtRest::Allowed => RetentionAction::Erase,
        AtRest::Forbidden => RetentionAction::Zeroise,
    };
    proto::RetentionRule {
        trigger: retention.trigger.to_string(),
        after: retention.after.to_string(),
        at_least: retention.min.map(|min| min.to_string()).unwrap_or_default(),
        at_least_basis: retention.min_basis.clone().unwrap_or_default(),
        at_most: retention.max.map(|max| max.to_string()).unwrap_or_default(),
        processors_must_confirm: retention.processors_must_confirm,
        action: action(retention.action).into(),
        on_withdraw: action(retention.on_withdraw.unwrap_or(default_on_withdraw)).into(),
    }
}

const fn action(action: RetentionAction) -> proto::RetentionAction {
    match action {
        // what can be either is promised as the stronger
        RetentionAction::Erase | RetentionAction::EraseOrAnonymise => proto::RetentionAction::Erase,
        RetentionAction::Anonymise => proto::RetentionAction::Anonymise,
        RetentionAction::Pseudonymise => proto::RetentionAction::Pseudonymise,
        RetentionAction::Restrict => proto::RetentionAction::Restrict,
        RetentionAction::Zeroise => proto::RetentionAction::Zeroise,
    }
}

pub(crate) fn encode(record: &proto::ConsentRecord) -> Vec<u8> {
    record.encode_to_vec()
}

pub(crate) fn decode(body: &[u8]) -> Result<proto::ConsentRecord, Error> {
    proto::ConsentRecord::decode(body).map_err(|e| Error::Damaged { what: "consent", found: e.to_string() })
}

/// Who acted, when it reached us this way.
pub(crate) const fn actor(means: Means) -> proto::ActorKind {
    match means {
        Means::Voice | Means::Button => proto::ActorKind::Subject,
        Means::Guardian | Means::Document { is_guardians: true, .. } => proto::ActorKind::Guardian,
        Means::Integrator | Means::Document { .. } | Means::Conduct(_) => proto::ActorKind::Tenant,
        Means::Permission => proto::ActorKind::Device,
    }
}

/// The same for the audit log.
pub(crate) const fn audit_actor(means: Means) -> Actor {
    match means {
        Means::Voice | Means::Button => Actor::SUBJECT,
        Means::Guardian | Means::Document { is_guardians: true, .. } => Actor { kind: ActorKind::Guardian, tag: None },
        Means::Integrator | Means::Document { .. } | Means::Conduct(_) => Actor { kind: ActorKind::Tenant, tag: None },
        Means::Permission => Actor { kind: ActorKind::Device, tag: None },
    }
}

/// Through which door it came.
pub(crate) const fn channel(means: Means) -> &'static str {
    match means {
        Means::Voice => "voice",
        Means::Button => "device",
        Means::Integrator => "api",
        Means::Guardian => "guardian",
        Means::Permission => "device_permission",
        Means::Document { is_signed: true, .. } => "signed_document",
        Means::Document { .. } => "document",
        Means::Conduct(_) => "conduct",
    }
}

const fn indication(means: Means) -> proto::IndicationMethod {
    match means {
        Means::Voice => proto::IndicationMethod::Voice,
        Means::Button => proto::IndicationMethod::Button,
        Means::Integrator | Means::Guardian => proto::IndicationMethod::Integrator,
        Means::Permission => proto::IndicationMethod::DeviceSetting,
        Means::Document { is_signed: true, .. } => proto::IndicationMethod::Signature,
        Means::Document { .. } => proto::IndicationMethod::Document,
        Means::Conduct(_) => proto::IndicationMethod::Conduct,
    }
}

const fn status(status: ConsentStatus) -> proto::ConsentStatus {
    match status {
        ConsentStatus::Unknown => proto::ConsentStatus::Unspecified,
        ConsentStatus::Requested => proto::ConsentStatus::Requested,
        ConsentStatus::Deferred => proto::ConsentStatus::Deferred,
        ConsentStatus::Refused => proto::ConsentStatus::Refused,
        ConsentStatus::Given => proto::ConsentStatus::Given,
        ConsentStatus::Renewed => proto::ConsentStatus::Renewed,
        ConsentStatus::Withdrawing => proto::ConsentStatus::Withdrawing,
        ConsentStatus::Withdrawn => proto::ConsentStatus::Withdrawn,
        ConsentStatus::Revoked => proto::ConsentStatus::Revoked,
        ConsentStatus::Expired => proto::ConsentStatus::Expired,
        ConsentStatus::Invalidated => proto::ConsentStatus::Invalidated,
    }
}

const fn consent_type(consent_type: ConsentType) -> proto::ConsentType {
    match consent_type {
        ConsentType::Implied => proto::ConsentType::Implied,
        ConsentType::Expressed => proto::ConsentType::Expressed,
        ConsentType::ExplicitlyExpressed => proto::ConsentType::ExplicitlyExpressed,
    }
}

const fn region(region: RegionClass) -> proto::RegionClass {
    match region {
        RegionClass::Local => proto::RegionClass::Local,
        RegionClass::Domestic => proto::RegionClass::Domestic,
        RegionClass::Overseas => proto::RegionClass::Overseas,
    }
}

const fn kind(kind: ProcessorKind) -> proto::ProcessorKind {
    match kind {
        ProcessorKind::Vad => proto::ProcessorKind::Vad,
        ProcessorKind::Asr => proto::ProcessorKind::Asr,
        ProcessorKind::Llm => proto::ProcessorKind::Llm,
        ProcessorKind::Tts => proto::ProcessorKind::Tts,
        ProcessorKind::Vision => proto::ProcessorKind::Vision,
        ProcessorKind::Voiceprint => proto::ProcessorKind::Voiceprint,
        ProcessorKind::Embedding => proto::ProcessorKind::Embedding,
        ProcessorKind::Moderation => proto::ProcessorKind::Moderation,
        ProcessorKind::Sms => proto::ProcessorKind::Sms,
        ProcessorKind::Email => proto::ProcessorKind::Email,
        ProcessorKind::Call => proto::ProcessorKind::Call,
        ProcessorKind::Push => proto::ProcessorKind::Push,
        ProcessorKind::Tool => proto::ProcessorKind::Tool,
        ProcessorKind::MqttBroker => proto::ProcessorKind::MqttBroker,
        ProcessorKind::Database => proto::ProcessorKind::Database,
    }
}
