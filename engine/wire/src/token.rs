//! The device token: a signed, expiring credential with which a device without a certificate proves who it is.
//!
//! ```text
//! sayso1.<payload>.<signature>
//! ```
//!
//! Both parts are base64url without padding. The payload is JSON: `key` (the id of the
//! signing key), and `tenant`, `device`, `not_before` and `expires` as in [`Claims`]. The signature is Ed25519 (RFC 8032, verified strictly) over everything before the last dot, so that it cannot be
//! taken for a signature of anything else. Whoever holds a token is the device until it expires: it travels inside
//! TLS only, and is never logged.

use core::fmt;
use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sayso_types::{DeviceId, Name, Redacted, TenantId, WallTime};
use serde::{Deserialize, Serialize};

/// What a token starts with: its format and the version of it.
const PREFIX: &str = "sayso1";

/// Characters that a token may have. With the longest identifiers it has about 430.
pub const TOKEN_CHARS_MAX: usize = 512;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Whose device it is.
    pub tenant: TenantId,
    /// Which device.
    pub device: DeviceId,
    /// From when on it is valid, in seconds since the Unix epoch.
    pub not_before: u64,
    /// From when on it is no longer valid, in seconds since the Unix epoch.
    pub expires: u64,
}

/// Why a token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not a token.
    #[error("the device token is malformed: {0}")]
    Malformed(&'static str),
    /// It names a key that is not trusted here.
    #[error("the device token is signed with key {0}, which is not trusted here; issue it with a trusted key")]
    ForeignKey(Name),
    /// It was not signed with the key that it names, or was changed since.
    #[error("the signature of the device token is wrong; issue it again")]
    BadSignature,
    /// Its time is over.
    #[error("the device token expired at {at} (Unix seconds); issue a new one")]
    Expired {
        /// When.
        at: u64,
    },
    /// Its time has not come.
    #[error("the device token is valid from {from} (Unix seconds) on; check the clocks")]
    NotYetValid {
        /// When it has.
        from: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    key: Name,
    tenant: TenantId,
    device: DeviceId,
    not_before: u64,
    expires: u64,
}

/// Issues tokens.
pub struct TokenSigner {
    key_id: Name,
    key: SigningKey,
}

impl TokenSigner {
    /// A signer with this key, which verifiers know as `key_id`.
    #[must_use]
    pub const fn new(key_id: Name, key: SigningKey) -> Self {
        Self { key_id, key }
    }

    /// A token that says `claims`.
    #[must_use]
    #[expect(clippy::expect_used, reason = "it cannot fail, and no input of a device reaches it")]
    pub fn sign(&self, claims: &Claims) -> Redacted<String> {
        let Claims { tenant, device, not_before, expires } = claims.clone();
        let payload = Payload { key: self.key_id, tenant, device, not_before, expires };
        let payload = serde_json::to_vec(&payload).expect("a struct of texts and numbers is JSON");
        let signed = format!("{PREFIX}.{}", BASE64_URL_SAFE_NO_PAD.encode(payload));
        let signature = self.key.sign(signed.as_bytes());
        Redacted::new(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes())))
    }
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSigner").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// Checks tokens.
#[derive(Clone, Debug, Default)]
pub struct TokenVerifier {
    keys: BTreeMap<Name, VerifyingKey>,
}

impl TokenVerifier {
    /// A verifier that trusts these keys, by their ids.
    pub fn new(keys: impl IntoIterator<Item = (Name, VerifyingKey)>) -> Self {
        Self { keys: keys.into_iter().collect() }
    }

    /// What `token` says, if a trusted key signed it and its time is `now`.
    ///
    /// # Errors
    /// [`Error`]. Times are checked after the signature: an error about time is about a genuine token.
    pub fn verify(&self, token: &str, now: WallTime) -> Result<Claims, Error> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(Error::Malformed("it is too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Error::Malformed("it has no signature"))?;
        let (prefix, payload) = signed.split_once('.').ok_or(Error::Malformed("it has no payload"))?;
        if prefix != PREFIX {
            return Err(Error::Malformed("it does not start with sayso1"));
        }
        let decode = |part| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| Error::Malformed("it is not base64url"));
        let signature = Signature::from_slice(&decode(signature)?)
            .map_err(|_| Error::Malformed("its signature does not have 64 bytes"))?;
        let Payload { key, tenant, device, not_before, expires } = serde_json::from_slice(&decode(payload)?)
            .map_err(|_| Error::Malformed("its payload is not that of a device token"))?;

        let trusted = self.keys.get(&key).ok_or(Error::ForeignKey(key))?;
        trusted.verify_strict(signed.as_bytes(), &signature).map_err(|_| Error::BadSignature)?;

        let seconds = now.0 / 1000;
        if seconds >= expires {
            return Err(Error::Expired { at: expires });
        }
        if seconds < not_before {
            return Err(Error::NotYetValid { from: not_before });
        }
        Ok(Claims { tenant, device, not_before, expires })
    }
}
