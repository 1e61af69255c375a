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
        peer: Vec::new(),
        join: None,
        cluster: "home".parse().unwrap(),
        region: None,
        serve: false,
        listen: None,
        admin_listen: None,
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
fn a_node_says_where_it_stands_if_somebody_says_so() {
    for (region, peer) in [(None, None), (Some("CN"), None), (Some("the \"old\" cellar"), Some("10.0.0.1:4435"))] {
        let dir = tempfile::tempdir().unwrap();
        let region = region.map(|region| region.parse().unwrap());
        let peer = peer.map(|peer| peer.parse().unwrap()).into_iter().collect();
        run(&InitArgs { region: region.clone(), peer, ..args(dir.path()) }).unwrap();
        assert_eq!(load(dir.path()).store.region, region);
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
fn the_profile_is_signed_and_taken_in_no_other_way() {
    let dir = tempfile::tempdir().unwrap();
    run(&args(dir.path())).unwrap();
    let config = load(dir.path());
    assert_eq!(config.profile_keys.len(), 1);
    fs::write(dir.path().join("profile.toml"), HOME_PROFILE.replacen("rev = 1", "rev = 2", 1)).unwrap();
    let refused = format!("{:#}", config.read_profile().unwrap_err());
    let command = format!("`sayso policy sign {}`", dir.path().join("profile.toml").display());
    assert!(refused.contains("profile.toml.sig") && refused.contains(&command), "{refused}");
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
        "policy.key",
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

/// Three nodes, of which the first two are on one machine.
fn founders(dir: &Path) -> InitArgs {
    let peer = ["10.0.0.1:4435", "10.0.0.1:4436", "10.0.0.2:4435"];
    InitArgs { peer: peer.map(|peer| peer.parse().unwrap()).to_vec(), ..args(dir) }
}

#[test]
fn founders_know_each_other_and_each_has_what_it_needs() {
    let dir = tempfile::tempdir().unwrap();
    run(&founders(dir.path())).unwrap();
    let configs = [1, 2, 3].map(|node| load(&dir.path().join(format!("node-{node}"))));
    let first = configs[0].store.raft().unwrap();
    for (config, number) in configs.iter().zip(1..) {
        let raft = config.store.raft().unwrap();
        assert_eq!((raft.node, &raft.founders, raft.cluster), (number, &first.founders, first.cluster));
        let founders: Vec<_> = raft.founders.iter().map(|founder| founder.address.as_str()).collect();
        assert_eq!(founders, ["10.0.0.1:4435", "10.0.0.1:4436", "10.0.0.2:4435"]);
        let identity = Identity::read(&raft.certificate, &raft.key).unwrap();
        let _ = identity.peer_tls(certs::read_roots(&raft.authority).unwrap());
        assert_eq!(config.log_origin, configs[0].log_origin);
        for name in [
            "log.key",
            "kek.key",
            "profile.toml",
            "profile.toml.sig",
            "ca/cert.pem",
            "admin-ca/cert.pem",
            "peer/ca.pem",
        ] {
            let (own, of_first) = (dir.path().join(format!("node-{number}")), dir.path().join("node-1"));
            assert_eq!(read(&own, name), read(&of_first, name), "{name} of node {number}");
        }
        let is_first = number == 1;
        for name in [
            "ca/key.pem",
            "admin-ca/key.pem",
            "peer-ca/key.pem",
            "token.key",
            "policy.key",
            "admin/key.pem",
            "device/key.pem",
        ] {
            assert_eq!(
                dir.path().join(format!("node-{number}")).join(name).exists(),
                is_first,
                "{name} of node {number}"
            );
        }
    }
    assert_eq!(configs.each_ref().map(|config| config.gateway.listen.port()), [4433, 4533, 4433]);
    assert_eq!(configs.each_ref().map(|config| config.admin.listen.port()), [4434, 4534, 4434]);
    assert_ne!(read(dir.path(), "node-1/peer/key.pem"), read(dir.path(), "node-2/peer/key.pem"));
}

#[test]
fn a_number_of_founders_that_helps_nobody_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("x");
    let peers = |peers: &[&str]| {
        let peer = peers.iter().map(|peer| peer.parse().unwrap()).collect();
        run(&InitArgs { peer, ..args(&root) }).unwrap_err().to_string()
    };
    let two = peers(&["10.0.0.1:4435", "10.0.0.2:4435"]);
    assert!(two.contains("given 2 times") && two.contains("3 to 5"), "{two}");
    let same = peers(&["10.0.0.1:4435", "10.0.0.2:4435", "10.0.0.1:4435"]);
    assert!(same.contains("more than once"), "{same}");
    let serve = run(&InitArgs { serve: true, ..founders(&root) }).unwrap_err().to_string();
    assert!(serve.contains("--serve is for one node"), "{serve}");
    assert!(!root.exists());
}
