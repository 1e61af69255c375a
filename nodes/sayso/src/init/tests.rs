use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

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
    }
}

fn load(dir: &Path) -> Config {
    let config = Some(dir.join("sayso.toml"));
    Config::load(&ServeArgs { config, listen: None, admin_listen: None, data: None, dump_config: false }).unwrap()
}

/// Every file and directory below `dir`, with its mode.
fn modes(dir: &Path) -> BTreeMap<PathBuf, u32> {
    let mut modes = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        modes.insert(path.clone(), fs::metadata(&path).unwrap().permissions().mode() & 0o777);
        if path.is_dir() {
            modes.extend(modes_below(&path));
        }
    }
    modes
}

fn modes_below(dir: &Path) -> BTreeMap<PathBuf, u32> {
    modes(dir)
}

#[test]
fn what_is_written_is_a_configuration_that_a_node_can_use() {
    let dir = tempfile::tempdir().unwrap();
    run(&args(dir.path())).unwrap();
    let config = load(dir.path());
    assert!(config.read_profile().is_ok());
    assert_eq!(config.data_dir, dir.path().join("data"));
    assert_eq!(config.log_origin, "localhost/audit");
    assert_eq!(config.telemetry.metrics_listen, Some("127.0.0.1:9464".parse().unwrap()));
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
