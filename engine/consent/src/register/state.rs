//! [`StoredState`]: a subject's entry in the register, as it is kept and as it is stored.

use std::collections::BTreeSet;

use sayso_audit::AuditKey;
use sayso_policy::{AgeBand, ConsentState, ConsentStatus, ConsentType, IntroductionHash, PartStatus, PurposeConsent};
use sayso_store::{Version, Versioned};
use sayso_types::{Category, ConsentVersion, Name, Part, Purpose, RegionClass, TenantId, WallTime};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::guardian::ward::Ward;
use crate::register::tagging::{StoredKey, TagKey};
use crate::tables::REGISTER;

/// What is known of a subject.
#[derive(Clone)]
pub(crate) struct StoredState {
    pub(crate) tenant: TenantId,
    pub(crate) tag_key: TagKey,
    pub(crate) consent: ConsentState,
    /// Their guardian, and what was said of their age.
    pub(crate) ward: Ward,
    /// Whether they said that their relatives have nothing of this once they have died.
    pub(crate) bars_relatives: bool,
    /// What somebody took away in the settings of their device, such as `microphone`: what needs it opens with nobody's yes.
    pub(crate) permissions_off: BTreeSet<Name>,
    /// Of the stored record; a change requires that it is still this.
    pub(crate) version: Version,
}

/// A subject's entry as it is stored: the key that makes their tags is sealed.
pub(crate) struct Unopened {
    pub(crate) key: StoredKey,
    state: StoredState,
}

impl Unopened {
    pub(crate) const fn tenant(&self) -> &TenantId {
        &self.state.tenant
    }

    pub(crate) const fn consent(&self) -> &ConsentState {
        &self.state.consent
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.state.consent.is_closed
    }

    /// The state, with the key that was opened.
    pub(crate) fn opened(self, tag_key: TagKey) -> StoredState {
        StoredState { tag_key, ..self.state }
    }
}

/// The stored form, schema version 6: JSON, because records of consent outlive the program that wrote them.
#[derive(Serialize, Deserialize)]
struct Body {
    tenant: TenantId,
    /// Of versions up to 3, in clear: 64 hexadecimal digits.
    #[serde(default, with = "hex", skip_serializing_if = "Vec::is_empty")]
    audit_key: Vec<u8>,
    /// From version 4 on, sealed, in hexadecimal.
    #[serde(default, with = "hex", skip_serializing_if = "Vec::is_empty")]
    sealed_key: Vec<u8>,
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
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    permissions_off: BTreeSet<Name>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<(Part, PartStatus)>,
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
    pub(crate) fn new(tenant: TenantId, tag_key: TagKey) -> Self {
        let consent = ConsentState { tenant: Some(tenant.clone()), ..ConsentState::new() };
        let ward = Ward::default();
        let permissions_off = BTreeSet::new();
        let (bars_relatives, version) = (false, Version::default());
        Self { tenant, tag_key, consent, ward, bars_relatives, permissions_off, version }
    }

    /// The key that makes the subject's tags and commitments in the log.
    pub(crate) fn audit_key(&self) -> AuditKey {
        self.tag_key.audit_key()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let consent = &self.consent;
        let body = Body {
            tenant: self.tenant.clone(),
            audit_key: Vec::new(),
            sealed_key: self.tag_key.sealed().to_vec(),
            cv: consent.cv,
            farthest: consent.farthest,
            age: consent.age,
            guardian_verified: consent.guardian_verified,
            consents: consent.consents.iter().map(StoredConsent::store).collect(),
            declined: consent.declined.iter().map(|(purpose, rev)| (*purpose, *rev)).collect(),
            restricted: consent.restricted.iter().copied().collect(),
            stale_before: consent.stale_before,
            told: consent.told.clone(),
            is_closed: consent.is_closed,
            ward: self.ward.clone(),
            bars_relatives: self.bars_relatives,
            permissions_off: self.permissions_off.clone(),
            parts: consent.parts.iter().map(|(part, status)| (*part, *status)).collect(),
        };
        serde_json::to_vec(&body).expect("a map of plain values is JSON")
    }

    /// The state that is `stored`.
    pub(crate) fn of(stored: &Versioned) -> Result<Unopened, Error> {
        let (_, body) = REGISTER.decode(&stored.value).map_err(sayso_store::Error::from)?;
        Self::decode(body, stored.version)
    }

    fn decode(stored: &[u8], version: Version) -> Result<Unopened, Error> {
        let damaged = |found: String| Error::Damaged { what: "register", found };
        // serde_json's text would quote the record; where it broke is enough.
        let body: Body = serde_json::from_slice(stored)
            .map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
        let key =
            StoredKey::of(body.audit_key, body.sealed_key).ok_or_else(|| damaged("it has no audit key".into()))?;
        let state = Self {
            tenant: body.tenant.clone(),
            tag_key: TagKey::unopened(),
            consent: ConsentState {
                cv: body.cv,
                consents: body.consents.into_iter().map(StoredConsent::restore).collect(),
                farthest: body.farthest,
                age: body.age,
                guardian_verified: body.guardian_verified,
                declined: body.declined.into_iter().collect(),
                tenant: Some(body.tenant),
                restricted: body.restricted.into_iter().collect(),
                parts: body.parts.into_iter().collect(),
                stale_before: body.stale_before,
                told: body.told,
                is_closed: body.is_closed,
            },
            ward: body.ward,
            bars_relatives: body.bars_relatives,
            permissions_off: body.permissions_off,
            version,
        };
        Ok(Unopened { key, state })
    }
}
