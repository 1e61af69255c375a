use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hex::FromHex;
use sayso_types::WallTime;
use sayso_wire::token::TokenVerifier;

use super::*;
use crate::certs::{self, Identity};
use crate::cli::ServeArgs;
use crate::config::Config;

fn args(dir: &Path) -> InitArgs {
    InitArgs {
        dir: dir.to_owned(),
        name: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        device_id: "speaker-1".parse().unwrap(),
        tenant: "home".parse().unwrap(),
        peer: None,
        join: None,
        cluster: "home".parse().unwrap(),
    }
}

fn load(dir: &Path) -> Config {
    let config = Some(dir.join("sayso.toml"));
    Config::load(&ServeArgs { config, listen: None, admin_listen: None, data: None, dump_config: false }).unwrap()
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn what_is_written_is_a_configuration_with_all_that_it_names() {
    let dir = tempfile::tempdir().unwrap();
    run(&args(dir.path())).unwrap();
    let config = load(dir.path());
    assert_eq!(config.read_profile().unwrap().hash(), Config::default().read_profile().unwrap().hash());
    assert_eq!(config.data_dir, dir.path().join("data"));
    assert_eq!(config.telemetry.metrics_listen, Some("127.0.0.1:9464".parse().unwrap()));
    assert!(jiff::tz::TimeZone::get(&config.timezone).is_ok());

    let gateway = Identity::read(&config.gateway.certificate, &config.gateway.key).unwrap();
    assert!(gateway.gateway_tls(config.gateway.device_authority.as_deref()).is_ok());
    let admin = Identity::read(&config.admin.certificate, &config.admin.key).unwrap();
    assert!(admin.admin_tls(config.admin.authority.as_deref()).is_ok());
    for who in ["device", "admin"] {
        let file = |name: &str| dir.path().join(who).join(name);
        assert!(Identity::read(&file("cert.pem"), &file("key.pem")).is_ok());
        assert_eq!(certs::read_roots(&file("ca.pem")).unwrap().len(), 1);
    }
}

#[test]
fn the_token_is_the_first_devices_for_a_year() {
    let dir = tempfile::tempdir().unwrap();
    run(&args(dir.path())).unwrap();
    let keys = load(dir.path()).gateway.token_keys;
    let keys = keys.iter().map(|key| {
        let bytes = hex::decode(&key.public_key).unwrap();
        (key.id, ed25519_dalek::VerifyingKey::try_from(bytes.as_slice()).unwrap())
    });
    let verifier = TokenVerifier::new(keys);
    let token = read(dir.path(), "device/token");
    let now = SystemClock::new().wall();
    let claims = verifier.verify(token.trim(), now).unwrap();
    assert_eq!((claims.tenant.as_str(), claims.device.as_str()), ("home", "speaker-1"));
    let in_days = |days: u64| WallTime(now.0 + days * DAY_SECONDS * 1_000);
    assert!(verifier.verify(token.trim(), in_days(364)).is_ok());
    assert!(verifier.verify(token.trim(), in_days(366)).is_err());
}

#[test]
fn auditors_get_the_key_of_the_log_that_the_node_signs() {
    let dir = tempfile::tempdir().unwrap();
    run(&args(dir.path())).unwrap();
    let seed = read(dir.path(), "log.key");
    assert_eq!(seed.trim().len(), 64);
    let bytes = <[u8; 32]>::from_hex(seed.trim()).unwrap();
    let signer = Signer::new(&load(dir.path()).log_origin, &bytes).unwrap();
    assert_eq!(read(dir.path(), "log.pub").trim(), signer.verifier().to_string());
}

#[test]
fn every_key_is_its_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("x");
    run(&args(&root)).unwrap();
    let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777;
    let keys = [
        "ca/key.pem",
        "admin-ca/key.pem",
        "node/key.pem",
        "admin/key.pem",
        "device/key.pem",
        "device/token",
        "token.key",
        "log.key",
        "kek.key",
    ];
    for key in keys {
        assert_eq!(mode(key), 0o600, "{key}");
    }
    for name in ["", "ca", "admin-ca", "node", "admin", "device"] {
        assert_eq!(mode(name), 0o700, "{name}");
    }
}

#[test]
fn nothing_is_written_twice_and_a_failure_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("x");
    let mut wrong = args(&root);
    wrong.name = vec!["not a name".to_owned()];
    assert!(run(&wrong).is_err());
    assert!(!root.exists());

    run(&args(&root)).unwrap();
    let before = read(&root, "log.key");
    let error = run(&args(&root)).unwrap_err().to_string();
    assert!(error.contains("admin is there already"), "{error}");
    assert_eq!(read(&root, "log.key"), before);
}
