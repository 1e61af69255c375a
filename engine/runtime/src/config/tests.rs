#![expect(clippy::result_large_err, reason = "figment's own error type")]

use std::fs;
use std::path::PathBuf;

use figment::Jail;

use super::*;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Config {
    node: String,
    gateway: Gateway,
    log: Option<Log>,
    codec: Codec,
}

/// As in crates that spell keys the other way.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Codec {
    bit_rate: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Gateway {
    listen: String,
    connections_max: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Log {
    Text,
    Json,
}

impl Default for Gateway {
    fn default() -> Self {
        Self { listen: "[::]:4433".to_owned(), connections_max: 1000 }
    }
}

/// What loading `file` with these variables of the environment gives; paths of the temporary directory are cut.
fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let mut loaded = None;
    Jail::expect_with(|jail| {
        jail.clear_env();
        env.iter().for_each(|(name, value)| jail.set_env(name, value));
        let path = PathBuf::from("sayso.toml");
        fs::write(&path, file).unwrap();
        loaded = Some(
            Loader::new()
                .file(&path)
                .env(&["SAYSO_MODELS"])
                .load()
                .map_err(|error| error.to_string().replace(&format!("{}/", jail.directory().display()), "")),
        );
        Ok(())
    });
    loaded.expect("the jail ran")
}

#[test]
fn later_sources_win() {
    Jail::expect_with(|jail| {
        jail.clear_env();
        jail.create_file("sayso.toml", "node = \"file\"\n[gateway]\nlisten = \"file\"\nconnections-max = 1")?;
        jail.set_env("SAYSO_GATEWAY__LISTEN", "env");
        jail.set_env("SAYSO_GATEWAY__CONNECTIONS_MAX", "2");
        jail.set_env("SAYSO_CODEC__BIT_RATE", "4");
        let config: Config = Loader::new()
            .file(Path::new("sayso.toml"))
            .env(&[])
            .flag("--connections-max", "gateway.connections-max", Some(3))
            .flag("--node", "node", None::<String>)
            .load()
            .unwrap();
        let gateway = Gateway { listen: "env".to_owned(), connections_max: 3 };
        let codec = Codec { bit_rate: 4 };
        assert_eq!(config, Config { node: "file".to_owned(), gateway, log: None, codec });
        Ok(())
    });
}

#[test]
fn a_typo_is_named_with_its_place_and_the_nearest_key() {
    assert_eq!(
        load("[gateway]\nlisen = 1", &[]).unwrap_err(),
        "gateway.lisen in sayso.toml: no such key; did you mean listen?"
    );
    assert_eq!(load("nodes = 1", &[]).unwrap_err(), "nodes in sayso.toml: no such key; did you mean node?");
    assert_eq!(load("zzz = 1", &[]).unwrap_err(), "zzz in sayso.toml: no such key; remove it");
    assert_eq!(
        load("", &[("SAYSO_GATEWAY__CONECTIONS_MAX", "2")]).unwrap_err(),
        "gateway.conections-max in SAYSO_GATEWAY__CONECTIONS_MAX: no such key; did you mean connections-max?"
    );
}

#[test]
fn all_unknown_keys_are_listed() {
    assert_eq!(
        load("nodes = 1\ngate = 2", &[]).unwrap_err(),
        "gate in sayso.toml: no such key; did you mean gateway?\nnodes in sayso.toml: no such key; did you mean node?"
    );
}

#[test]
fn a_wrong_type_is_named_without_its_value() {
    assert_eq!(
        load("[gateway]\nconnections-max = \"secret\"", &[]).unwrap_err(),
        "gateway.connections-max in sayso.toml: found text, expected u32"
    );
    assert_eq!(load("log = \"xml\"", &[]).unwrap_err(), "log in sayso.toml: write one of text, json");
    assert_eq!(
        load("", &[("SAYSO_GATEWAY__CONNECTIONS_MAX", "many")]).unwrap_err(),
        "gateway.connections-max in SAYSO_GATEWAY__CONNECTIONS_MAX: found text, expected u32"
    );
}

#[test]
fn a_bad_source_is_named() {
    let error = load("node = ", &[]).unwrap_err();
    assert!(error.starts_with("sayso.toml: TOML parse error at line 1, column 8"), "{error}");
    let error = Loader::<Config>::new().file(Path::new("/nowhere/sayso.toml")).load().unwrap_err().to_string();
    assert!(error.contains("/nowhere/sayso.toml"), "{error}");
}

#[test]
fn reserved_variables_are_no_keys() {
    assert_eq!(load("", &[("SAYSO_MODELS", "/models")]), Ok(Config::default()));
}

#[test]
fn a_dump_reads_back() {
    let config = Config { node: "a".to_owned(), log: Some(Log::Json), ..Config::default() };
    let dumped = dump(&config).unwrap();
    assert_eq!(
        dumped,
        "node = \"a\"\nlog = \"json\"\n\n[gateway]\nlisten = \"[::]:4433\"\nconnections-max = 1000\n\n[codec]\nbit_rate = 0\n"
    );
    assert_eq!(load(&dumped, &[]), Ok(config));
}
