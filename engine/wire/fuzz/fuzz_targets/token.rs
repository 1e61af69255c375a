#![no_main]

use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use libfuzzer_sys::fuzz_target;
use sayso_types::WallTime;
use sayso_wire::token::{Claims, TokenSigner, TokenVerifier};

/// The only token that was ever signed, and who trusts it.
static SIGNED: LazyLock<(String, TokenVerifier)> = LazyLock::new(|| {
    let key = SigningKey::from_bytes(&[1; 32]);
    let key_id = "k1".parse().expect("a name");
    let verifier = TokenVerifier::new([(key_id, key.verifying_key())]);
    let claims = Claims {
        tenant: "acme".parse().expect("an identifier"),
        device: "kitchen-1".parse().expect("an identifier"),
        not_before: 0,
        expires: u64::MAX,
    };
    (
        TokenSigner::new(key_id, key).sign(&claims).into_inner(),
        verifier,
    )
});

// Nothing but that token is ever accepted.
fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let (token, verifier) = &*SIGNED;
    if verifier.verify(text, WallTime(0)).is_ok() {
        assert_eq!(text, token);
    }
});
