//! [`Replicas`]: nodes of a replicated store, in processes of their own, that can be killed and started again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::{sleep, timeout};

use super::cluster::free_address;
use crate::lab::{Authority, Lab, Server};
use crate::server::{Ask, Kind, Replica, Stats};

/// How often it is looked how nodes stand.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a state may take to come. A snapshot of a gigabyte is on its way for less.
const WITHIN: Duration = Duration::from_secs(300);

/// The nodes of a cluster.
pub(super) struct Replicas<'a> {
    lab: &'a Lab,
    name: &'static str,
    authority: Authority,
    founders: BTreeMap<u64, SocketAddr>,
    log_entries: Option<u64>,
    /// Those that run.
    running: BTreeMap<u64, Server>,
}

impl<'a> Replicas<'a> {
    /// Founds a cluster of `nodes`, numbered from 1, and waits until all of them follow a leader. `name` is that of their
    /// directories in the lab. A log is as long as it is by default, or `log_entries`.
    pub(super) async fn found(lab: &'a Lab, name: &'static str, nodes: u64, log_entries: Option<u64>) -> Result<Self> {
        let founders = (1..=nodes).map(|node| Ok((node, free_address()?))).collect::<Result<_>>()?;
        let mut replicas =
            Self { lab, name, authority: Authority::new()?, founders, log_entries, running: BTreeMap::new() };
        for (node, listen) in replicas.founders.clone() {
            replicas.start(node, listen)?;
        }
        replicas.leader().await?;
        Ok(replicas)
    }

    /// Starts `node`, which listens for its peers at `listen`.
    fn start(&mut self, node: u64, listen: SocketAddr) -> Result<()> {
        let founders = self.founders.clone();
        let kind = Kind::Replica(Replica { node, listen, founders, log_entries: self.log_entries });
        // its store is where it was before, if it was
        let server = Server::start(self.lab, &format!("{}-{node}", self.name), &self.authority, kind);
        self.running.insert(node, server.with_context(|| format!("cannot start node {node}"))?);
        Ok(())
    }

    /// Starts a founder that was killed.
    pub(super) fn restart(&mut self, node: u64) -> Result<()> {
        let listen = *self.founders.get(&node).context("only founders come back")?;
        self.start(node, listen)
    }

    /// Starts a node that has nothing yet and belongs to nobody.
    pub(super) fn add(&mut self, node: u64) -> Result<()> {
        self.start(node, free_address()?)
    }

    /// Kills `node` as `kill -9` does.
    pub(super) fn kill(&mut self, node: u64) {
        drop(self.running.remove(&node));
    }

    /// Has `node` do what it is asked, and says how it stands then.
    pub(super) fn ask(&mut self, node: u64, ask: &Ask) -> Result<Stats> {
        self.running.get_mut(&node).with_context(|| format!("node {node} does not run"))?.ask(ask)
    }

    /// Waits until all that run follow one leader and have applied the same; who that is.
    pub(super) async fn leader(&mut self) -> Result<u64> {
        let agreed = async {
            loop {
                let stood = self.running.values_mut().map(Server::stats).collect::<Result<Vec<_>>>()?;
                let mut replicas = stood.iter().filter_map(|stats| stats.replica);
                let first = replicas.next().context("no node runs")?;
                if let Some(leader) = first.leader
                    && replicas.all(|other| other == first)
                    && self.running.contains_key(&leader)
                {
                    return Ok(leader);
                }
                sleep(LOOK_EVERY).await;
            }
        };
        match timeout(WITHIN, agreed).await {
            Ok(leader) => leader,
            Err(_) => bail!("the nodes do not agree on a leader in {WITHIN:?}"),
        }
    }
}
