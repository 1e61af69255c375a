//! The configuration of a node, and its defaults. `sayso serve --dump-config` prints it.

mod deletion;
mod fdb;
mod noted;
mod place;
mod store;
mod vault;

use core::time::Duration;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sayso_audio::EndpointConfig;
use sayso_audit::VerifierKey;
use sayso_policy::Profile;
use sayso_runtime::config::Loader;
use sayso_runtime::telemetry::TelemetryOptions;
use sayso_types::{Name, ProcessorId};
use serde::{Deserialize, Serialize};

pub(crate) use self::deletion::Deletion;
pub(crate) use self::fdb::FdbPart;
#[cfg(feature = "fdb")]
pub(crate) use self::fdb::FdbStore;
pub(crate) use self::place::require as require_place;
pub(crate) use self::store::{Peer, RaftStore, Store, StoreKind, StoreProblem};
pub(crate) use self::vault::{Kek, Vault};
use crate::cli::ServeArgs;
use crate::policy::{ProfileFile, check_signature};

/// The profile of a node that names none.
pub(crate) const HOME_PROFILE: &str = include_str!("../../../deploy/profiles/home.toml");

/// What is logged: openraft tells several times a second of a peer that does not answer, the store tells it once; and of
/// what the store does inside of itself only what goes wrong.
const LOG_FILTER: &str = "info,openraft=error,openraft::replication=off,lsm_tree=warn";

/// Variables that start with SAYSO_ and are not keys of this configuration.
const RESERVED: &[&str] = &["SAYSO_CONFIG", "SAYSO_MODELS", "SAYSO_DEVICE_TOKEN", "SAYSO_JOIN_TOKEN", "SAYSO_KEK"];

/// Everything that an operator sets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Where the store is.
    pub(crate) data_dir: PathBuf,
    /// The privacy profile; without it, that of a home with everything local.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<PathBuf>,
    /// Whoever may put a profile in force, as `sayso policy key` printed their keys. With any, a profile that none of them
    /// has signed is refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) profile_keys: Vec<String>,
    /// The Ed25519 seed with which checkpoints of the audit log are signed: 64 hexadecimal digits.
    pub(crate) log_key: PathBuf,
    /// The seed that was used before: with it, both sign, until everybody has the new public key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_key_former: Option<PathBuf>,
    /// The name of the audit log in its checkpoints.
    pub(crate) log_origin: String,
    /// IANA time zone in which times of day are told.
    pub(crate) timezone: String,
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) gateway: Gateway,
    pub(crate) admin: Admin,
    /// The public pages; without them, nobody is announced anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pages: Option<Pages>,
    pub(crate) witnesses: Witnesses,
    pub(crate) sessions: Sessions,
    pub(crate) agent: Agent,
    pub(crate) local: Local,
    /// OpenAI-compatible services; each must be a processor of the profile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) openai: Vec<OpenAi>,
    /// Where processors are told to delete what they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) deletion: Vec<Deletion>,
    /// How long they have to confirm that they did, before a certificate of erasure says that they did not.
    pub(crate) deletion_within_ms: u64,
    pub(crate) telemetry: TelemetryOptions,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "data".into(),
            profile: None,
            profile_keys: Vec::new(),
            log_key: "log.key".into(),
            log_key_former: None,
            log_origin: "sayso.local/audit".to_owned(),
            timezone: "UTC".to_owned(),
            store: Store::default(),
            vault: Vault::default(),
            gateway: Gateway::default(),
            admin: Admin::default(),
            pages: None,
            witnesses: Witnesses::default(),
            sessions: Sessions::default(),
            agent: Agent::default(),
            local: Local::default(),
            openai: Vec::new(),
            deletion: Vec::new(),
            deletion_within_ms: 86_400_000,
            telemetry: TelemetryOptions { log_filter: LOG_FILTER.to_owned(), ..TelemetryOptions::default() },
        }
    }
}

/// What everybody may read: the privacy notice, who receives data, announcements.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Pages {
    /// TCP address. Plain HTTP: TLS is for a proxy in front of it.
    pub(crate) listen: SocketAddr,
}

/// Where devices connect.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Gateway {
    /// UDP address.
    pub(crate) listen: SocketAddr,
    /// The node's certificate chain, PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, PEM.
    pub(crate) key: PathBuf,
    /// Who signs device certificates, PEM; without it devices need tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_authority: Option<PathBuf>,
    /// Who signs device tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) token_keys: Vec<TokenKey>,
    pub(crate) limits: sayso_gateway::Limits,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 4433).into(),
            certificate: "node/cert.pem".into(),
            key: "node/key.pem".into(),
            device_authority: None,
            token_keys: Vec::new(),
            limits: sayso_gateway::Limits::default(),
        }
    }
}

/// A public key that tokens may be signed with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct TokenKey {
    /// The name that tokens give it.
    pub(crate) id: Name,
    /// Ed25519, 64 hexadecimal digits.
    pub(crate) public_key: String,
}

/// Where integrators connect.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Admin {
    /// TCP address.
    pub(crate) listen: SocketAddr,
    /// The certificate chain, PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, PEM.
    pub(crate) key: PathBuf,
    /// Who signs operators' certificates, PEM; without it operators need tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<PathBuf>,
    /// Who signs operators' tokens. Never the keys of device tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) token_keys: Vec<TokenKey>,
    pub(crate) limits: sayso_admin::Limits,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 4434).into(),
            certificate: "node/cert.pem".into(),
            key: "node/key.pem".into(),
            authority: None,
            token_keys: Vec::new(),
            limits: sayso_admin::Limits::default(),
        }
    }
}

/// Who watches the audit log from outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Witnesses {
    /// The trust policy (c2sp.org/tlog-policy) that names the log, its witnesses with their URLs, and how many of them it
    /// takes; the same file is for auditors. Without it nobody is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trust: Option<PathBuf>,
    /// Who signs the certificates of witnesses inside one's own network, PEM; public authorities are trusted anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<PathBuf>,
    /// How often they are asked, if there is anything new.
    pub(crate) every_ms: u64,
    /// After how many new leaves they are asked at once.
    pub(crate) leaves: u64,
}

impl Default for Witnesses {
    fn default() -> Self {
        Self { trust: None, authority: None, every_ms: 10_000, leaves: 1_000 }
    }
}

/// Limits of sessions; times in milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Sessions {
    /// Sessions on this node.
    pub(crate) max: usize,
    /// How long a session is kept after its device has gone.
    pub(crate) resume_within_ms: u64,
    /// How long a session may do nothing before it is put to sleep.
    pub(crate) idle_after_ms: u64,
    /// From the end of an utterance to the first sound of its answer.
    pub(crate) answer_within_ms: u64,
    /// How long a withdrawal waits for holders before it answers PENDING.
    pub(crate) withdraw_wait_ms: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            max: 10_000,
            resume_within_ms: 120_000,
            idle_after_ms: 60_000,
            answer_within_ms: 15_000,
            withdraw_wait_ms: 2_000,
        }
    }
}

/// Whom devices talk to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Agent {
    /// Role and manner, for responders that take one.
    pub(crate) role: String,
    /// How utterances are found.
    pub(crate) endpoint: EndpointConfig,
}

/// Models in this process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Local {
    /// Whether to load them. Without them every processor must be configured, and nobody can be asked for consent by
    /// voice unless the profile names another local recogniser for that.
    pub(crate) enabled: bool,
    /// Threads that infer. One an utterance at a time; more than the machine's cores only makes all of them late.
    pub(crate) threads: usize,
    /// Inferences that may wait. Beyond it turns are refused as busy.
    pub(crate) queue: usize,
    /// Names under which the profile knows them.
    pub(crate) transcriber: Name,
    /// The same for the rules that answer.
    pub(crate) responder: Name,
    /// The same for the voice.
    pub(crate) synthesizer: Name,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            enabled: true,
            threads: 2,
            queue: 64,
            transcriber: Name::constant("whisper-local"),
            responder: Name::constant("rules-local"),
            synthesizer: Name::constant("voice-local"),
        }
    }
}

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Speech recognition.
    Asr,
    /// Dialogue.
    Llm,
    /// Speech synthesis.
    Tts,
    /// Pictures.
    Vision,
}

/// One OpenAI-compatible service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct OpenAi {
    /// The processor's name in the profile.
    pub(crate) id: ProcessorId,
    /// What it does.
    pub(crate) stage: Stage,
    /// Such as <https://api.openai.com/v1> or <http://127.0.0.1:11434/v1>.
    pub(crate) base_url: String,
    /// Which model.
    pub(crate) model: String,
    /// For recognition: whether sound is sent while the person speaks, over a WebSocket (OpenAI's Realtime API), and not
    /// when they have finished.
    #[serde(default)]
    pub(crate) realtime: bool,
    /// For speech: which voice.
    #[serde(default)]
    pub(crate) voice: String,
    /// The environment variable that holds the key; none for services that need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_key_env: Option<String>,
    /// A certificate authority of one's own, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
}

impl Config {
    /// Reads the configuration that `args` ask for. Relative paths of a file are relative to that file.
    pub(crate) fn load(args: &ServeArgs) -> Result<Self> {
        let mut loader = Loader::new();
        if let Some(file) = &args.config {
            loader = loader.file(file);
        }
        let mut config: Self = loader
            .env(RESERVED)
            .flag("--listen", "gateway.listen", args.listen)
            .flag("--admin-listen", "admin.listen", args.admin_listen)
            .flag("--data", "data-dir", args.data.as_ref())
            .load()?;
        if let Some(dir) = args.config.as_deref().and_then(Path::parent) {
            config.resolve(dir, args.data.is_some());
        }
        Ok(config)
    }

    fn resolve(&mut self, dir: &Path, data_by_flag: bool) {
        let mut paths: Vec<&mut PathBuf> = vec![
            &mut self.log_key,
            &mut self.gateway.certificate,
            &mut self.gateway.key,
            &mut self.admin.certificate,
            &mut self.admin.key,
        ];
        if !data_by_flag {
            paths.push(&mut self.data_dir);
        }
        paths.extend(self.profile.as_mut());
        paths.extend(self.log_key_former.as_mut());
        paths.extend(self.witnesses.trust.as_mut());
        paths.extend(self.witnesses.authority.as_mut());
        paths.extend(self.gateway.device_authority.as_mut());
        paths.extend(self.admin.authority.as_mut());
        paths.extend(self.store.paths());
        paths.extend(self.vault.paths());
        paths.extend(self.openai.iter_mut().filter_map(|service| service.ca_file.as_mut()));
        paths.extend(self.deletion.iter_mut().filter_map(|at| at.ca_file.as_mut()));
        for path in paths {
            *path = dir.join(&*path);
        }
    }

    /// Reads the configuration in `file`, as a node would.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let config = Some(file.to_owned());
        Self::load(&ServeArgs { config, listen: None, admin_listen: None, data: None, dump_config: false })
    }

    /// Reads the profile in force.
    pub(crate) fn read_profile(&self) -> Result<Profile> {
        let Some(file) = &self.profile else { return Ok(Profile::parse(HOME_PROFILE)?) };
        let profile = read_profile(file)?;
        let keys = self.profile_keys.iter().enumerate();
        let keys: Vec<VerifierKey> =
            keys.map(|(i, key)| key.parse().with_context(|| format!("profile-keys.{i}"))).collect::<Result<_>>()?;
        if !keys.is_empty() {
            let by = check_signature(&profile, file, &keys)?;
            tracing::info!(rev = profile.rev(), by, "the profile's signature is good");
        }
        Ok(profile)
    }
}

/// Reads the profile in `file`, and the one that it extends.
pub(crate) fn read_profile(file: &Path) -> Result<Profile> {
    ProfileFile::open(file)?.profile()
}

/// Milliseconds of a configuration as a duration.
pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(config: Option<PathBuf>) -> ServeArgs {
        ServeArgs { config, listen: None, admin_listen: None, data: None, dump_config: false }
    }

    #[test]
    fn what_is_dumped_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sayso.toml");
        std::fs::write(&file, sayso_runtime::config::dump(&Config::default()).unwrap()).unwrap();
        let config = Config::load(&args(Some(file))).unwrap();
        assert_eq!(config.data_dir, dir.path().join("data"), "relative to the file");
        assert_eq!(config.gateway.listen, Config::default().gateway.listen);
    }

    #[test]
    fn files_of_services_are_relative_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sayso.toml");
        let deletion = "[[deletion]]\nid = \"cloud\"\nurl = \"https://example.com\"\nca-file = \"ca.pem\"\n";
        std::fs::write(&file, deletion).unwrap();
        assert_eq!(Config::read(&file).unwrap().deletion[0].ca_file, Some(dir.path().join("ca.pem")));
    }

    #[test]
    fn a_typo_is_named_with_its_nearest_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sayso.toml");
        std::fs::write(&file, "[gateway]\nlistne = \"127.0.0.1:1\"\n").unwrap();
        let error = Config::load(&args(Some(file))).unwrap_err().to_string();
        assert!(error.contains("gateway.listne") && error.contains("listen"), "{error}");
    }

    fn refused(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sayso.toml");
        std::fs::write(&file, text).unwrap();
        let error = Config::read(&file).unwrap_err().to_string();
        assert!(error.contains(file.to_str().unwrap()), "the file is named: {error}");
        error
    }

    /// A node of a cluster of three.
    const RAFT: &str = r#"
        [store]
        kind = "raft"
        [store.raft]
        cluster = "home"
        node = 2
        listen = "127.0.0.1:4436"
        founders = [{ node = 1, address = "a:4435" }, { node = 2, address = "b:4436" }]
        certificate = "peer/cert.pem"
        key = "peer/key.pem"
        authority = "peer/ca.pem"
    "#;

    #[test]
    fn a_replicated_store_is_read_with_its_files_and_dumped() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sayso.toml");
        std::fs::write(&file, RAFT).unwrap();
        let config = Config::read(&file).unwrap();
        let raft = config.store.raft().unwrap();
        assert_eq!((raft.node, raft.reached_at().as_str()), (2, "b:4436"));
        assert_eq!(raft.key, dir.path().join("peer/key.pem"), "relative to the file");
        std::fs::write(&file, sayso_runtime::config::dump(&config).unwrap()).unwrap();
        assert_eq!(Config::read(&file).unwrap().store.raft().unwrap().founders, raft.founders);
    }

    #[test]
    fn what_is_wrong_with_a_store_is_named() {
        let unknown = refused("[store]\nkind = \"rafft\"\n");
        assert!(unknown.contains("store.kind") && unknown.contains("local, raft, fdb"), "{unknown}");
        let typo = refused(&RAFT.replace("cluster =", "clustre ="));
        assert!(typo.contains("clustre") && typo.contains("cluster"), "{typo}");
        let missing = refused(&RAFT.replace("node = 2\n", "\n"));
        assert!(missing.contains("store.raft") && missing.contains("node"), "{missing}");
        let store = Store { kind: StoreKind::Raft, ..Store::default() };
        assert_eq!(store.raft().unwrap_err(), StoreProblem::Missing { kind: "raft" });
        let config = Config { store, ..Config::default() };
        let mut raft: Config = toml::from_str(RAFT).unwrap();
        let founders = &mut raft.store.raft.as_mut().unwrap().founders;
        founders[0].node = 2;
        assert_eq!(raft.store.raft().unwrap_err(), StoreProblem::SameNode { node: 2 });
        assert!(config.store.raft().unwrap_err().to_string().contains("[store.raft]"));
    }

    #[test]
    fn the_built_in_profile_is_valid() {
        assert!(Config::default().read_profile().is_ok());
    }
}
