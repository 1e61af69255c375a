//! [`StoredState`]: a subject's entry in the register, as it is kept and as it is stored.

use std::collections::BTreeSet;

use hex::FromHex;
use sayso_audit::AuditKey;
use sayso_policy::{AgeBand, ConsentState, ConsentStatus, ConsentType, IntroductionHash, PurposeConsent};
use sayso_store::{Version, Versioned};
use sayso_types::{Category, ConsentVersion, Purpose, RegionClass, TenantId, WallTime};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::guardian::ward::Ward;
use crate::tables::REGISTER;

/// What is known of a subject. The audit key makes its tags in the log; destroying it makes them meaningless.
#[derive(Clone)]
pub(crate) struct StoredState {
    pub(crate) tenant: TenantId,
    pub(crate) audit_key: [u8; 32],
    pub(crate) consent: ConsentState,
    /// Their guardian, and what was said of their age.
    pub(crate) ward: Ward,
    /// Whether they closed their account: no device speaks for them any more, and they agree to nothing.
    pub(crate) is_closed: bool,
    /// Whether they said that their relatives have nothing of this once they have died.
    pub(crate) bars_relatives: bool,
    /// Of the stored record; a change requires that it is still this.
    pub(crate) version: Version,
}

/// The stored form, schema version 3: JSON, because records of consent outlive the program that wrote them.
#[derive(Serialize, Deserialize)]
struct Body {
    tenant: TenantId,
    /// 64 hexadecimal digits.
    audit_key: String,
    cv: ConsentVersion,
    farthest: RegionClass,
    age: AgeBand,
    guardian_verified: bool,
    consents: Vec<StoredConsent>,
    /// Left out where nothing is, as it was before there was such a thing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    declined: Vec<(Purpose, u32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    restricted: Vec<Category>,
    #[serde(default, skip_serializing_if = "is_first")]
    stale_before: ConsentVersion,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    told: BTreeSet<IntroductionHash>,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    is_closed: bool,
    #[serde(default, skip_serializing_if = "Ward::is_nobodys")]
    ward: Ward,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    bars_relatives: bool,
}

const fn is_first(version: &ConsentVersion) -> bool {
    version.0 == 0
}

#[derive(Serialize, Deserialize)]
struct StoredConsent {
    purpose: Purpose,
    status: ConsentStatus,
    consent_type: ConsentType,
    separate: bool,
    /// Left out where it is not, as it was before there was such a thing.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    written: bool,
    given_at: ConsentVersion,
    profile_rev: u32,
    expires_at: Option<WallTime>,
}

impl StoredConsent {
    fn store((purpose, consent): (&Purpose, &PurposeConsent)) -> Self {
        let PurposeConsent { status, consent_type, separate, written, given_at, profile_rev, expires_at } = *consent;
        Self { purpose: *purpose, status, consent_type, separate, written, given_at, profile_rev, expires_at }
    }

    fn restore(self) -> (Purpose, PurposeConsent) {
        let Self { purpose, status, consent_type, separate, written, given_at, profile_rev, expires_at } = self;
        (purpose, PurposeConsent { status, consent_type, separate, written, given_at, profile_rev, expires_at })
    }
}

impl StoredState {
    pub(crate) fn new(tenant: TenantId) -> Self {
        let mut audit_key = [0; 32];
        getrandom::fill(&mut audit_key).expect("the operating system provides random bytes");
        let consent = ConsentState { tenant: Some(tenant.clone()), ..ConsentState::new() };
        let ward = Ward::default();
        Self { tenant, audit_key, consent, ward, is_closed: false, bars_relatives: false, version: Version::default() }
    }

    /// The key that makes the subject's tags and commitments in the log.
    pub(crate) const fn audit_key(&self) -> AuditKey {
        AuditKey::new(self.audit_key)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let consent = &self.consent;
        let body = Body {
            tenant: self.tenant.clone(),
            audit_key: hex::encode(self.audit_key),
            cv: consent.cv,
            farthest: consent.farthest,
            age: consent.age,
            guardian_verified: consent.guardian_verified,
            consents: consent.consents.iter().map(StoredConsent::store).collect(),
            declined: consent.declined.iter().map(|(purpose, rev)| (*purpose, *rev)).collect(),
            restricted: consent.restricted.iter().copied().collect(),
            stale_before: consent.stale_before,
            told: consent.told.clone(),
            is_closed: self.is_closed,
            ward: self.ward.clone(),
            bars_relatives: self.bars_relatives,
        };
        serde_json::to_vec(&body).expect("a map of plain values is JSON")
    }

    /// The state that is `stored`.
    pub(crate) fn of(stored: &Versioned) -> Result<Self, Error> {
        let (_, body) = REGISTER.decode(&stored.value).map_err(sayso_store::Error::from)?;
        Self::decode(body, stored.version)
    }

    fn decode(stored: &[u8], version: Version) -> Result<Self, Error> {
        let damaged = |found: String| Error::Damaged { what: "register", found };
        // serde_json's text would quote the record; where it broke is enough.
        let body: Body = serde_json::from_slice(stored)
            .map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
        let audit_key =
            <[u8; 32]>::from_hex(&body.audit_key).map_err(|_| damaged("the audit key is not 64 digits".into()))?;
        Ok(Self {
            tenant: body.tenant.clone(),
            audit_key,
            consent: ConsentState {
                cv: body.cv,
                consents: body.consents.into_iter().map(StoredConsent::restore).collect(),
                farthest: body.farthest,
                age: body.age,
                guardian_verified: body.guardian_verified,
                declined: body.declined.into_iter().collect(),
                tenant: Some(body.tenant),
                restricted: body.restricted.into_iter().collect(),
                stale_before: body.stale_before,
                told: body.told,
            },
            ward: body.ward,
            is_closed: body.is_closed,
            bars_relatives: body.bars_relatives,
            version,
        })
    }
}
