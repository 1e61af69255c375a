//! [`Receipt`]: the Kantara Initiative's Consent Receipt 1.1, as JSON. A view of a consent record for those who expect it;
//! the records themselves are in the terms of ISO/IEC TS 27560.

use serde::Serialize;

/// `version` of the receipts written here.
pub const VERSION: &str = "KI-CR-v1.1.0";

/// A consent receipt (specification 1.1, section 4). This crate knows no stored records; whoever reads one fills it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// [`VERSION`].
    pub version: &'static str,
    /// Whose law holds.
    pub jurisdiction: String,
    /// When consent was given, in seconds since the Unix epoch.
    pub consent_timestamp: u64,
    /// How consent was obtained.
    pub collection_method: String,
    /// What the receipt is known by.
    #[serde(rename = "consentReceiptID")]
    pub consent_receipt_id: String,
    /// The key of the controller, where receipts are signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// In which language the person was asked (ISO 639-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whose data it is: a pseudonym.
    pub pii_principal_id: String,
    /// Who answers for it; at least one.
    pub pii_controllers: Vec<PiiController>,
    /// Where the policy is.
    pub policy_url: String,
    /// What the person agreed to.
    pub services: Vec<Service>,
    /// Whether any of the data is sensitive.
    pub sensitive: bool,
    /// The sensitive categories; mandatory where there are any.
    pub spi_cat: Vec<String>,
}

/// Who answers for the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PiiController {
    /// The person or organisation.
    pub pii_controller: String,
    /// Whether it acts for somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<bool>,
    /// Whom to write to.
    pub contact: String,
    /// The postal address.
    pub address: String,
    /// The e-mail address.
    pub email: String,
    /// The telephone number.
    pub phone: String,
    /// A page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pii_controller_url: Option<String>,
}

/// A service that the person agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// What it is called.
    pub service: String,
    /// What it uses data for; at least one.
    pub purposes: Vec<ServicePurpose>,
}

/// What a service uses data for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePurpose {
    /// What for, in words.
    pub purpose: String,
    /// The sorts of purposes that it is a case of.
    pub purpose_category: Vec<String>,
    /// `EXPLICIT` or `IMPLICIT`.
    pub consent_type: ReceiptConsent,
    /// The categories of data.
    pub pii_category: Vec<String>,
    /// Whether the service is nothing without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_purpose: Option<bool>,
    /// When it ends.
    pub termination: String,
    /// Whether somebody else gets it.
    pub third_party_disclosure: bool,
    /// Who; mandatory where somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub third_party_name: Option<String>,
}

/// How consent was expressed, in the two words that receipts have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReceiptConsent {
    /// Said or done for this end.
    Explicit,
    /// Concluded from what the person did.
    Implicit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_as_in_the_specification() {
        let receipt = Receipt {
            version: VERSION,
            jurisdiction: "CN".to_owned(),
            consent_timestamp: 1_780_000_000,
            collection_method: "spoken question".to_owned(),
            consent_receipt_id: "01".to_owned(),
            public_key: None,
            language: Some("zh".to_owned()),
            pii_principal_id: "02".to_owned(),
            pii_controllers: vec![PiiController {
                pii_controller: "Operator".to_owned(),
                on_behalf: Some(false),
                contact: "privacy".to_owned(),
                address: "-".to_owned(),
                email: "p@example.cn".to_owned(),
                phone: "-".to_owned(),
                pii_controller_url: Some("https://example.cn".to_owned()),
            }],
            policy_url: "https://example.cn/privacy".to_owned(),
            services: vec![Service {
                service: "voice session".to_owned(),
                purposes: vec![ServicePurpose {
                    purpose: "voice_interaction".to_owned(),
                    purpose_category: vec!["RequestedServiceProvision".to_owned()],
                    consent_type: ReceiptConsent::Explicit,
                    pii_category: vec!["voice_audio".to_owned()],
                    primary_purpose: Some(true),
                    termination: "turn.end".to_owned(),
                    third_party_disclosure: true,
                    third_party_name: Some("Far".to_owned()),
                }],
            }],
            sensitive: true,
            spi_cat: vec!["voice_audio".to_owned()],
        };
        let json = serde_json::to_value(receipt).unwrap();
        let members = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut expected = [
            "version",
            "jurisdiction",
            "consentTimestamp",
            "collectionMethod",
            "consentReceiptID",
            "language",
            "piiPrincipalId",
            "piiControllers",
            "policyUrl",
            "services",
            "sensitive",
            "spiCat",
        ];
        expected.sort_unstable();
        assert_eq!(members(&json), expected);
        let mut expected = ["piiController", "onBehalf", "contact", "address", "email", "phone", "piiControllerUrl"];
        expected.sort_unstable();
        assert_eq!(members(&json["piiControllers"][0]), expected);
        let mut expected = [
            "purpose",
            "purposeCategory",
            "consentType",
            "piiCategory",
            "primaryPurpose",
            "termination",
            "thirdPartyDisclosure",
            "thirdPartyName",
        ];
        expected.sort_unstable();
        assert_eq!(members(&json["services"][0]["purposes"][0]), expected);
        assert_eq!(json["services"][0]["purposes"][0]["consentType"], "EXPLICIT");
    }
}
