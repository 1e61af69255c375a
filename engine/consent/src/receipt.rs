//! Receipts of Kantara and, as [`iso27560`], of ISO/IEC TS 27560: what a person can be given to keep, made from the record of
//! what they agreed to.

pub mod iso27560;

use sayso_policy::export::kantara::{PiiController, Receipt, ReceiptConsent, Service, ServicePurpose, VERSION};
use sayso_proto::consent::v1 as proto;

/// What stands in a mandatory member for which a record has nothing.
const NOTHING: &str = "-";

/// The receipt of `record`; [`None`] when the person never agreed, so that there is nothing to be given a receipt for. A
/// receipt says what was agreed to and when; whether it still holds is for the record to say.
#[must_use]
pub fn of(record: &proto::ConsentRecord) -> Option<Receipt> {
    let block = record.purpose.as_ref()?;
    let given = record.events.iter().find(|event| is_given(event))?;
    let notice = block.privacy_notices.first();
    let controllers: Vec<_> =
        record.parties.iter().filter(|party| block.pii_controllers.contains(&party.party_id)).collect();
    let sensitive = block.pii_information.iter().filter(|pii| is_sensitive(pii));
    let spi_cat: Vec<_> = sensitive.map(|pii| pii.category.clone()).collect();
    Some(Receipt {
        version: VERSION,
        jurisdiction: block.jurisdiction.clone(),
        consent_timestamp: given.at_unix_ms / 1_000,
        collection_method: method(given.indication_method()).to_owned(),
        consent_receipt_id: hex::encode(&record.record_id),
        public_key: None,
        language: notice.map(|notice| notice.language.clone()),
        pii_principal_id: hex::encode(&record.pii_principal_id),
        policy_url: or_nothing(controllers.first().map_or("", |party| &party.url)),
        pii_controllers: controllers.into_iter().map(controller).collect(),
        services: vec![Service { service: block.service.clone(), purposes: vec![purpose(block, given)] }],
        sensitive: !spi_cat.is_empty(),
        spi_cat,
    })
}

fn is_given(event: &proto::ConsentEvent) -> bool {
    matches!(event.status(), proto::ConsentStatus::Given | proto::ConsentStatus::Renewed)
}

const fn is_sensitive(pii: &proto::PiiInformation) -> bool {
    !pii.sensitive_category.is_empty() || !pii.special_category.is_empty()
}

fn controller(party: &proto::Party) -> PiiController {
    PiiController {
        pii_controller: party.name.clone(),
        on_behalf: Some(party.role() == proto::PartyRole::DataProcessor),
        contact: or_nothing(&party.contact),
        address: or_nothing(&party.address),
        email: or_nothing(&party.email),
        phone: or_nothing(&party.phone),
        pii_controller_url: (!party.url.is_empty()).then(|| party.url.clone()),
    }
}

fn purpose(block: &proto::PurposeBlock, given: &proto::ConsentEvent) -> ServicePurpose {
    let others: Vec<_> = block.recipient_third_parties.iter().map(|other| other.party_id.as_str()).collect();
    ServicePurpose {
        purpose: block.purpose.clone(),
        purpose_category: vec![block.purpose_type.clone()],
        consent_type: match given.r#type() {
            proto::ConsentType::Expressed | proto::ConsentType::ExplicitlyExpressed => ReceiptConsent::Explicit,
            _ => ReceiptConsent::Implicit,
        },
        pii_category: block.pii_information.iter().map(|pii| pii.category.clone()).collect(),
        primary_purpose: Some(block.pii_information.iter().any(|pii| !pii.optional)),
        termination: termination(block.retention_period.as_ref()),
        third_party_disclosure: !others.is_empty(),
        third_party_name: (!others.is_empty()).then(|| others.join(", ")),
    }
}

/// When the data ends, in the words of the profile: `turn.end + PT0S`.
fn termination(retention: Option<&proto::RetentionRule>) -> String {
    let Some(rule) = retention else { return NOTHING.to_owned() };
    let most = if rule.at_most.is_empty() { String::new() } else { format!(", at most {}", rule.at_most) };
    format!("{} + {}{most}", rule.trigger, rule.after)
}

const fn method(indicated: proto::IndicationMethod) -> &'static str {
    match indicated {
        proto::IndicationMethod::Voice => "spoken answer",
        proto::IndicationMethod::Button => "button on the device",
        proto::IndicationMethod::Screen => "screen",
        proto::IndicationMethod::DeviceSetting => "setting of the device",
        proto::IndicationMethod::Signature => "signature",
        proto::IndicationMethod::Integrator => "answer to the integrator",
        proto::IndicationMethod::Document => "written document",
        proto::IndicationMethod::Conduct => "conduct",
        proto::IndicationMethod::Unspecified => NOTHING,
    }
}

fn or_nothing(text: &str) -> String {
    if text.is_empty() { NOTHING.to_owned() } else { text.to_owned() }
}
