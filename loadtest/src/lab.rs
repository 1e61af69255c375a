//! What the measurements share: sound, devices, a node with fakes behind it, servers in processes of their own, and
//! the reading of clocks and memory.

pub(crate) mod authority;
pub(crate) mod device;
pub(crate) mod fleet;
pub(crate) mod latencies;
pub(crate) mod metered;
pub(crate) mod node;
pub(crate) mod recogniser;
pub(crate) mod server;
pub(crate) mod usage;
pub(crate) mod utterance;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use sayso_runtime::{SystemClock, Tasks};
use sayso_types::Clock;
use tempfile::TempDir;

pub(crate) use authority::Authority;
pub(crate) use device::{Device, Heard};
pub(crate) use fleet::Fleet;
pub(crate) use latencies::{Latencies, Quantiles};
pub(crate) use node::Node;
pub(crate) use server::Server;
pub(crate) use utterance::Utterance;

/// Where a run happens.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) seed: u64,
    dir: TempDir,
}

impl Lab {
    /// A lab with a directory of its own in `data`, which is removed with it.
    pub(crate) fn new(seed: u64, data: Option<&Path>) -> Result<Self> {
        let data = data.map_or_else(std::env::temp_dir, Path::to_owned);
        let dir = TempDir::with_prefix_in("sayso-loadtest-", &data)
            .with_context(|| format!("cannot make a directory in {}; choose another with --data", data.display()))?;
        Ok(Self { seed, dir })
    }

    /// A directory that nobody has used before, if nobody has used the name.
    pub(crate) fn dir(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// What everything in a process lives on.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) tasks: Tasks,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self { tasks: Tasks::new(), clock: Arc::new(SystemClock::new()) }
    }
}

/// Lets whoever waits know for what; the figures go to another stream.
pub(crate) fn begin(measurement: &str) {
    let _ = writeln!(std::io::stderr(), "measuring {measurement}");
}

/// The runtime that a node lives in; servers and clients are given the same.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the async runtime")
}
