//! The contract of a KEK against a stand-in of the service, over TCP and TLS.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod stand_in;

use std::path::{Path, PathBuf};

use sayso_vault::{KekError, KeyWrap, SecretKey};
use sayso_vault_transit::{Token, TransitKek, TransitOptions};

use crate::stand_in::{KEY, StandIn, TOKEN};

const CONTEXT: &[u8] = b"shard 0, generation 1";

fn token_file(dir: &Path, token: &str) -> PathBuf {
    let path = dir.join("token");
    std::fs::write(&path, token).unwrap();
    path
}

struct World {
    service: StandIn,
    kek: TransitKek,
    dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with(StandIn::start(None).await)
    }

    fn with(service: StandIn) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let token = Token::File(token_file(dir.path(), &format!("{TOKEN}\n")));
        let ca_file = service.ca_file.clone();
        let options = TransitOptions {
            address: service.address.clone(),
            mount: "keys/transit".to_owned(),
            key: KEY.to_owned(),
            token,
            ca_file,
        };
        Self { service, kek: TransitKek::new(options).unwrap(), dir }
    }
}

#[tokio::test]
async fn what_is_wrapped_unwraps_with_its_context_only() {
    let World { kek, service, dir: _dir } = World::new().await;
    let key = SecretKey::random();
    let wrapped = kek.wrap(&key, CONTEXT).await.unwrap();
    assert!(wrapped.starts_with(b"vault:v1:"));
    assert_eq!(kek.unwrap(&wrapped, CONTEXT).await.unwrap().reveal(), key.reveal());
    assert!(matches!(kek.unwrap(&wrapped, b"another").await, Err(KekError::Altered)));
    assert!(matches!(kek.unwrap(b"\x01 from a file", CONTEXT).await, Err(KekError::Kind { .. })));
    let mut changed = wrapped.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(matches!(kek.unwrap(&changed, CONTEXT).await, Err(KekError::Refused { .. } | KekError::Altered)));
    assert_eq!(service.questions(), ["encrypt", "decrypt", "decrypt", "decrypt"]);
}

#[tokio::test]
async fn the_service_changes_its_key_and_an_old_version_goes_out_of_use() {
    let World { kek, service, dir: _dir } = World::new().await;
    let key = SecretKey::random();
    let old = kek.wrap(&key, CONTEXT).await.unwrap();
    service.rotate();
    assert!(kek.unwrap(&old, CONTEXT).await.is_ok());
    let new = kek.rewrap(&old, CONTEXT).await.unwrap();
    assert!(new.starts_with(b"vault:v2:"));
    service.decrypt_from(2);
    assert_eq!(kek.unwrap(&new, CONTEXT).await.unwrap().reveal(), key.reveal());
    let refused = kek.unwrap(&old, CONTEXT).await.unwrap_err();
    assert!(
        matches!(&refused, KekError::Refused { reason, .. } if reason.contains("disallowed by policy")),
        "{refused}"
    );
}

#[tokio::test]
async fn a_token_is_read_anew_for_every_question_and_never_told() {
    let World { kek, dir, service: _service } = World::new().await;
    token_file(dir.path(), "s.another");
    let refused = kek.wrap(&SecretKey::random(), CONTEXT).await.unwrap_err();
    let shown = refused.to_string();
    assert!(matches!(refused, KekError::Refused { .. }) && shown.contains("permission denied"), "{shown}");
    assert!(!shown.contains("s.another") && !format!("{kek:?}").contains(TOKEN));
    token_file(dir.path(), "two\nlines");
    assert!(matches!(kek.wrap(&SecretKey::random(), CONTEXT).await, Err(KekError::Refused { .. })));
    token_file(dir.path(), TOKEN);
    kek.wrap(&SecretKey::random(), CONTEXT).await.unwrap();
    std::fs::remove_file(dir.path().join("token")).unwrap();
    assert!(matches!(kek.wrap(&SecretKey::random(), CONTEXT).await, Err(KekError::File { .. })));
}

#[tokio::test]
async fn a_service_that_is_sealed_or_gone_is_unavailable() {
    let World { kek, service, dir: _dir } = World::new().await;
    service.seal(true);
    let sealed = kek.wrap(&SecretKey::random(), CONTEXT).await.unwrap_err();
    assert!(matches!(&sealed, KekError::Unavailable { reason, .. } if reason.contains("Vault is sealed")), "{sealed}");
    service.seal(false);
    service.answer_nonsense();
    assert!(matches!(kek.wrap(&SecretKey::random(), CONTEXT).await, Err(KekError::Unavailable { .. })));
    let address = service.address.clone();
    drop(service);
    let gone = kek.wrap(&SecretKey::random(), CONTEXT).await.unwrap_err();
    assert!(matches!(&gone, KekError::Unavailable { service, .. } if *service == address), "{gone}");
}

#[tokio::test]
async fn a_certificate_is_checked_against_the_authority_that_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let World { kek, service, dir: _dir } = World::with(StandIn::start(Some(dir.path())).await);
    assert!(service.address.starts_with("https://"));
    let key = SecretKey::random();
    let wrapped = kek.wrap(&key, CONTEXT).await.unwrap();
    assert_eq!(kek.unwrap(&wrapped, CONTEXT).await.unwrap().reveal(), key.reveal());

    let stranger = TransitKek::new(TransitOptions {
        address: service.address.clone(),
        mount: "keys/transit".to_owned(),
        key: KEY.to_owned(),
        token: Token::File(token_file(dir.path(), TOKEN)),
        ca_file: None,
    });
    let refused = stranger.unwrap().wrap(&key, CONTEXT).await.unwrap_err();
    assert!(matches!(refused, KekError::Unavailable { .. }), "{refused}");
}
