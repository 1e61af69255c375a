//! A server that is measured, in a process of its own. It is told on its standard input what to be and answers where
//! it listens; then it does what each line [asks](Ask), answers with its [`Stats`], and ends with its input.

mod bare;
mod node;
mod replica;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use self::bare::BareServer;
use self::node::NodeServer;
use self::replica::ReplicaServer;
pub(crate) use self::replica::{Replica, ReplicaStats};
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
    /// A node of a replicated store, and nothing else.
    Replica(Replica),
}

/// What a server is asked to do before it says how it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Nothing.
    Stats,
    /// To forget the peak of its memory.
    ForgetPeak,
    /// A replica: to commit something, until that is answered.
    Commit,
    /// A replica: to put so many bytes into the store.
    Fill { bytes: u64 },
    /// A replica: to join its cluster.
    Join,
}

/// What became of a server so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stats {
    /// CPU time, all threads together.
    pub(crate) cpu: Duration,
    /// Bytes of memory that are resident.
    pub(crate) resident_bytes: u64,
    /// The most that were since it began, or since it was asked to forget that.
    pub(crate) peak_resident_bytes: u64,
    /// Frames of 20 ms that came through: to the end of voice detection, or through the gate.
    pub(crate) frames: u64,
    /// How long each stage of a turn took.
    pub(crate) stages: BTreeMap<String, Quantiles>,
    /// How long the store took over each commit since it was last asked.
    pub(crate) commits: Quantiles,
    /// What a replica knows of its cluster.
    pub(crate) replica: Option<ReplicaStats>,
}

enum Serving {
    Bare(BareServer),
    Node(NodeServer),
    Replica(ReplicaServer),
}

impl Serving {
    async fn start(spec: Spec) -> Result<Self> {
        Ok(match spec.kind.clone() {
            Kind::Bare => Self::Bare(BareServer::start(spec)?),
            Kind::Node { agreed, hears, stages } => Self::Node(NodeServer::start(spec, agreed, &hears, stages).await?),
            Kind::Replica(replica) => Self::Replica(ReplicaServer::start(spec, replica).await?),
        })
    }

    fn addr(&self) -> SocketAddr {
        match self {
            Self::Bare(bare) => bare.addr,
            Self::Node(node) => node.addr,
            Self::Replica(replica) => replica.addr,
        }
    }

    fn stats(&self) -> Result<Stats> {
        let cpu = usage::process_cpu();
        let stats = match self {
            Self::Bare(bare) => bare.stats(),
            Self::Node(node) => node.stats(),
            Self::Replica(replica) => Stats { replica: Some(replica.stats()), ..Stats::default() },
        };
        let (resident_bytes, peak_resident_bytes) = (usage::resident_bytes()?, usage::peak_resident_bytes()?);
        Ok(Stats { cpu, resident_bytes, peak_resident_bytes, ..stats })
    }

    async fn do_what_is_asked(&self, ask: Ask) -> Result<()> {
        match (ask, self) {
            (Ask::Stats, _) => Ok(()),
            (Ask::ForgetPeak, _) => usage::forget_peak(),
            (Ask::Commit, Self::Replica(replica)) => replica.commit().await,
            (Ask::Fill { bytes }, Self::Replica(replica)) => replica.fill(bytes).await,
            (Ask::Join, Self::Replica(replica)) => replica.join().await,
            (ask, _) => bail!("only a replica can be asked for {ask:?}"),
        }
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
        runtime.block_on(serving.do_what_is_asked(serde_json::from_str(&line?)?))?;
        answer(&serving.stats()?)?;
    }
    Ok(())
}

fn answer(what: &impl Serialize) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(what)?)?;
    Ok(stdout.flush()?)
}
