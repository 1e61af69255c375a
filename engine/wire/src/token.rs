//! The token: a signed, expiring credential with which a device, or a caller of the admin API, that has no certificate
//! proves who it is.
//!
//! ```text
//! sayso1.<payload>.<signature>
//! ```
//!
//! Both parts are base64url without padding. The payload is JSON: `key` (the id of the signing key), and `tenant`,
//! `device`, `not_before` and `expires` as in [`Claims`]. The signature is Ed25519 (RFC 8032, verified strictly) over
//! everything before the last dot, so that it cannot be taken for a signature of anything else. Whoever holds a token
//! is whom it names until it expires: it travels inside TLS only, and is never logged. Signing takes the same time
//! whatever the key; verifying handles no secret but the token itself, which is compared with nothing.

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
    /// Whose device or caller it is.
    pub tenant: TenantId,
    /// Which device; of a caller of the admin API, its name, which is never one of a device.
    pub device: DeviceId,
    /// From when on it is valid, in seconds since the Unix epoch.
    pub not_before: u64,
    /// From when on it is no longer valid, in seconds since the Unix epoch.
    pub expires: u64,
}

/// Why a token is not accepted. Whoever took it says where it was: in a hello, or in a request to the admin API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not a token.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// It names a key that is not trusted here.
    #[error("the token is signed with key {0}, which is not trusted here; issue it with a trusted key")]
    ForeignKey(Name),
    /// It was not signed with the key that it names, or was changed since.
    #[error("the signature of the token is wrong; issue it again")]
    BadSignature,
    /// Its time is over.
    #[error("the token expired at {at} (Unix seconds); issue a new one")]
    Expired {
        /// When.
        at: u64,
    },
    /// Its time has not come.
    #[error("the token is valid from {from} (Unix seconds) on; check the clocks")]
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
            .map_err(|_| Error::Malformed("its payload is not that of a token"))?;

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: WallTime = WallTime(1_767_225_600_000);
    /// Made by another implementation of Ed25519, base64 and JSON.
    const GOLDEN: &str = "sayso1\
        .eyJrZXkiOiJrMSIsInRlbmFudCI6ImFjbWUiLCJkZXZpY2UiOiJraXRjaGVuLTEiLCJub3RfYmVmb3JlIjoxNzY3MjI1NTQwLCJleHBpcmVzIjoxNzY3MjI5MjAwfQ\
        .vpsi4Lyt8n0TkdwBkCXnhpAm5Eu5xL9b8bG5GCgGOFHz1bPapUvWDC06vdNPMW_G3XaaJAHal9kxTltShXjyCg";

    fn signer(key_id: &str, seed: u8) -> TokenSigner {
        TokenSigner::new(key_id.parse().unwrap(), SigningKey::from_bytes(&[seed; 32]))
    }

    fn verifier() -> TokenVerifier {
        TokenVerifier::new([("k1".parse().unwrap(), SigningKey::from_bytes(&[1; 32]).verifying_key())])
    }

    fn claims() -> Claims {
        Claims {
            tenant: "acme".parse().unwrap(),
            device: "kitchen-1".parse().unwrap(),
            not_before: NOW.0 / 1000 - 60,
            expires: NOW.0 / 1000 + 3600,
        }
    }

    fn sign(claims: &Claims) -> String {
        signer("k1", 1).sign(claims).into_inner()
    }

    #[test]
    fn a_genuine_token_says_what_was_signed() {
        let token = sign(&claims());
        // Ed25519 signs deterministically: these are the bytes that issuers in other languages must make
        assert_eq!(token, GOLDEN);
        assert_eq!(verifier().verify(&token, NOW), Ok(claims()));
    }

    #[test]
    fn the_longest_token_is_taken() {
        let longest = Claims {
            tenant: "t".repeat(64).parse().unwrap(),
            device: "d".repeat(64).parse().unwrap(),
            not_before: 0,
            expires: u64::MAX,
        };
        let key_id = "k".repeat(31);
        let token = signer(&key_id, 1).sign(&longest).into_inner();
        let verifier =
            TokenVerifier::new([(key_id.parse().unwrap(), SigningKey::from_bytes(&[1; 32]).verifying_key())]);
        assert_eq!(verifier.verify(&token, NOW), Ok(longest));
    }

    #[test]
    fn time_is_checked_to_the_second() {
        let token = sign(&claims());
        let Claims { not_before, expires, .. } = claims();
        let at = |seconds: u64| verifier().verify(&token, WallTime(seconds * 1000));
        assert_eq!(at(not_before - 1), Err(Error::NotYetValid { from: not_before }));
        assert_eq!(at(not_before), Ok(claims()));
        assert_eq!(verifier().verify(&token, WallTime(expires * 1000 - 1)), Ok(claims()));
        assert_eq!(at(expires), Err(Error::Expired { at: expires }));
    }

    #[test]
    fn a_foreign_signature_is_not_taken() {
        let foreign = signer("k2", 2).sign(&claims()).into_inner();
        assert_eq!(verifier().verify(&foreign, NOW), Err(Error::ForeignKey("k2".parse().unwrap())));
        let forged = signer("k1", 2).sign(&claims()).into_inner();
        assert_eq!(verifier().verify(&forged, NOW), Err(Error::BadSignature));
    }

    #[test]
    fn one_devices_signature_does_not_fit_another_devices_claims() {
        let mine = sign(&claims());
        let other = sign(&Claims { device: "bedroom-1".parse().unwrap(), ..claims() });
        let (_, signature) = mine.rsplit_once('.').unwrap();
        let (signed, _) = other.rsplit_once('.').unwrap();
        assert_eq!(verifier().verify(&format!("{signed}.{signature}"), NOW), Err(Error::BadSignature));
    }

    #[test]
    fn what_is_no_token_is_malformed() {
        let payload = |json: &str| {
            let signed = format!("sayso1.{}", BASE64_URL_SAFE_NO_PAD.encode(json));
            let signature = SigningKey::from_bytes(&[1; 32]).sign(signed.as_bytes());
            format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes()))
        };
        let well_formed = r#"{"key":"k1","tenant":"acme","device":"kitchen-1","not_before":0,"expires":9999999999}"#;
        assert!(verifier().verify(&payload(well_formed), NOW).is_ok());
        for token in [
            String::new(),
            "sayso1".into(),
            "sayso1.".into(),
            "sayso1..".into(),
            "sayso1.####.####".into(),
            sign(&claims()).replace("sayso1", "sayso2"),
            sign(&claims()) + "=",
            sign(&claims()) + ".x",
            "x".repeat(TOKEN_CHARS_MAX + 1),
            payload("[]"),
            payload(&well_formed.replace("kitchen-1", "kitchen 1")),
            payload(&well_formed.replace("\"not_before\":0,", "")),
            payload(&well_formed.replace("\"not_before\":0", "\"not_before\":0,\"admin\":true")),
            payload(&well_formed.replace("\"not_before\":0", "\"not_before\":-1")),
        ] {
            assert!(matches!(verifier().verify(&token, NOW), Err(Error::Malformed(_))), "{token}");
        }
    }

    #[test]
    fn keys_do_not_show() {
        assert_eq!(format!("{:?}", signer("k1", 1)), "TokenSigner { key_id: \"k1\", .. }");
    }

    proptest! {
        #[test]
        fn any_change_of_a_token_makes_it_worthless(at in 0..1000usize, to in "[A-Za-z0-9._-]") {
            let token = sign(&claims());
            let at = at % token.len();
            let mut changed = token.clone();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != token);
            prop_assert!(verifier().verify(&changed, NOW).is_err());
        }

        #[test]
        fn garbage_is_an_answer(token in "\\PC{0,600}") {
            prop_assert!(verifier().verify(&token, NOW).is_err());
        }
    }
}
