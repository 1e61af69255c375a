//! The configuration of a witness.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sayso_audit::{Cosigner, VerifierKey};
use sayso_runtime::config::Loader;
use sayso_runtime::telemetry::TelemetryOptions;
use sayso_witness::Options;
use serde::{Deserialize, Serialize};

use crate::cli::ServeArgs;
use crate::key;

/// Everything that an operator sets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// TCP address.
    pub(crate) listen: SocketAddr,
    /// The name in its cosignatures.
    pub(crate) name: String,
    /// Its private key, as `witness key` wrote it.
    pub(crate) key: PathBuf,
    /// Where it keeps what it must not forget.
    pub(crate) dir: PathBuf,
    /// The public keys of the logs that it looks after, NAME+HASH+KEY.
    pub(crate) logs: Vec<String>,
    pub(crate) telemetry: TelemetryOptions,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 7080).into(),
            name: String::new(),
            key: "witness.key".into(),
            dir: "ledger".into(),
            logs: Vec::new(),
            telemetry: TelemetryOptions::default(),
        }
    }
}

impl Config {
    /// Reads the configuration that `args` ask for.
    pub(crate) fn load(args: &ServeArgs) -> Result<Self> {
        let loader = Loader::<Self>::new().file(&args.config).env(&[]).flag("--listen", "listen", args.listen);
        let mut config = loader.load()?;
        if let Some(base) = args.config.parent() {
            for path in [&mut config.key, &mut config.dir] {
                *path = Path::join(base, &*path);
            }
        }
        Ok(config)
    }

    /// What it says, read and checked.
    pub(crate) fn options(&self) -> Result<Options> {
        if self.name.is_empty() {
            bail!("name: missing; give the name that `witness key` was given");
        }
        if self.logs.is_empty() {
            bail!("logs: empty; give the public key of each log to look after, as in a node's log.pub");
        }
        let logs = self.logs.iter().enumerate();
        let logs = logs.map(|(i, log)| log.parse::<VerifierKey>().with_context(|| format!("logs.{i}")));
        Ok(Options {
            listen: self.listen,
            dir: self.dir.clone(),
            cosigner: Cosigner::new(&self.name, &key::read(&self.key)?).context("name")?,
            logs: logs.collect::<Result<_>>()?,
        })
    }
}
