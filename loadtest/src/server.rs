//! A server that is measured, in a process of its own. It is told on its standard input what to be and answers where
//! it listens; then it answers every line with its [`Stats`], and ends with its input.

mod bare;
mod node;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use self::bare::BareServer;
use self::node::NodeServer;
use crate::lab::{self, Quantiles, usage};

/// Where servers listen: any free port of this machine.
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What a server is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    /// Its certificate, DER.
    pub(crate) certificate: Vec<u8>,
    /// The key of its certificate, PKCS #8 DER.
    pub(crate) key: Vec<u8>,
    /// The certificate of who vouches for devices, DER.
    pub(crate) authority: Vec<u8>,
    /// Where its store goes.
    pub(crate) data: PathBuf,
}

/// The sorts of servers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// The bare parts: quinn, which echoes datagrams; Opus and voice detection for what is in them.
    Bare,
    /// A node.
    Node {
        /// At so many devices, from the first on, people have agreed to a conversation.
        agreed: usize,
        /// What the recogniser hears in every utterance.
        hears: String,
        /// Whether to follow how long the stages of turns take. Following takes time as well.
        stages: bool,
    },
}

/// What became of a server so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stats {
    /// CPU time, all threads together.
    pub(crate) cpu: Duration,
    /// Bytes of memory that are resident.
    pub(crate) resident_bytes: u64,
    /// Frames of 20 ms that came through: to the end of voice detection, or through the gate.
    pub(crate) frames: u64,
    /// How long each stage of a turn took.
    pub(crate) stages: BTreeMap<String, Quantiles>,
    /// How long the store took over each commit since it was last asked.
    pub(crate) commits: Quantiles,
}

enum Serving {
    Bare(BareServer),
    Node(NodeServer),
}

impl Serving {
    async fn start(spec: Spec) -> Result<Self> {
        Ok(match spec.kind.clone() {
            Kind::Bare => Self::Bare(BareServer::start(spec)?),
            Kind::Node { agreed, hears, stages } => Self::Node(NodeServer::start(spec, agreed, &hears, stages).await?),
        })
    }

    fn addr(&self) -> SocketAddr {
        match self {
            Self::Bare(bare) => bare.addr,
            Self::Node(node) => node.addr,
        }
    }

    fn stats(&self) -> Result<Stats> {
        let cpu = usage::process_cpu();
        let stats = match self {
            Self::Bare(bare) => bare.stats(),
            Self::Node(node) => node.stats(),
        };
        Ok(Stats { cpu, resident_bytes: usage::resident_bytes()?, ..stats })
    }
}

/// Is a server until the input ends.
pub(crate) fn run() -> Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    let spec = lines.next().context("nobody says what to serve: this command is for the other commands")??;
    let runtime = lab::runtime()?;
    let serving = runtime.block_on(Serving::start(serde_json::from_str(&spec)?))?;
    answer(&serving.addr())?;
    for line in lines {
        line?;
        answer(&serving.stats()?)?;
    }
    Ok(())
}

fn answer(what: &impl Serialize) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(what)?)?;
    Ok(stdout.flush()?)
}
