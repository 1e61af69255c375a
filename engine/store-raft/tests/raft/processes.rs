//! A cluster whose nodes are processes of their own, on a network that the test owns.

mod log_files;
mod messages;
mod node;
mod process;
mod remote;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sayso_store_raft::{Address, NodeId};

pub(crate) use self::log_files::{damage, flip_behind_the_mark, tear};
pub(crate) use self::messages::{Answer, Ask};
pub(crate) use self::node::be_a_node_if_told;
use self::node::{DISK, SPEC, Spec};
use self::process::Process;
pub(crate) use self::remote::Remote;
use crate::cluster::{Cluster, free_address};
use crate::network::Network;

/// How often it is looked whether there is a leader, or asked again.
const RETRY: Duration = Duration::from_millis(10);

/// The nodes that clients may ask. One that is dead does not answer.
#[derive(Clone, Default)]
pub(crate) struct Nodes(Arc<Mutex<BTreeMap<NodeId, Remote>>>);

impl Nodes {
    fn held(&self) -> MutexGuard<'_, BTreeMap<NodeId, Remote>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn all(&self) -> BTreeMap<NodeId, Remote> {
        self.held().clone()
    }

    pub(crate) fn any(&self, random: &mut fastrand::Rng) -> Remote {
        random.choice(self.held().values()).expect("there are nodes").clone()
    }
}

/// The cluster.
pub(crate) struct Processes {
    cluster: Cluster,
    pub(crate) network: Network,
    pub(crate) nodes: Nodes,
    /// Those that run.
    running: BTreeMap<NodeId, Process>,
    /// Where each listens.
    listens: BTreeMap<NodeId, Address>,
    answer_within: Duration,
}

impl Processes {
    /// Founds it, of `count` nodes. Each answers within `answer_within` that it cannot.
    pub(crate) async fn start(count: u64, answer_within: Duration) -> Self {
        let mut cluster = Cluster::new(count);
        let listens = cluster.founders.clone();
        let network = Network::start(&mut cluster.founders).await;
        let (nodes, running) = (Nodes::default(), BTreeMap::new());
        let mut processes = Self { cluster, network, nodes, running, listens, answer_within };
        for node in processes.cluster.founders.clone().into_keys() {
            processes.open(node).await.expect("opens");
        }
        processes
    }

    fn home_of(&self, node: NodeId) -> PathBuf {
        self.cluster.dir_of(node.0)
    }

    /// Where the store of `node` is.
    pub(crate) fn disk_of(&self, node: NodeId) -> PathBuf {
        self.home_of(node).join(DISK)
    }

    /// Those that belong to the cluster.
    pub(crate) fn members(&self) -> Vec<NodeId> {
        self.nodes.held().keys().copied().collect()
    }

    /// Starts `node`, or says what it says instead of serving.
    pub(crate) async fn open(&mut self, node: NodeId) -> Result<(), String> {
        let home = self.home_of(node);
        if !home.exists() {
            fs::create_dir_all(&home).expect("creates");
            fs::write(home.join(SPEC), serde_json::to_vec(&self.spec(node)).expect("a spec")).expect("writes");
        }
        let process = Process::start(&home).await?;
        self.nodes.held().insert(node, process.remote());
        self.running.insert(node, process);
        Ok(())
    }

    fn spec(&self, node: NodeId) -> Spec {
        let tls = self.cluster.authority.tls(&self.cluster.name, node);
        Spec {
            cluster: self.cluster.name.as_str().to_owned(),
            node: node.0,
            listen: self.listens[&node].0.clone(),
            address: self.network.address_of(node).0,
            founders: self.cluster.founders.iter().map(|(node, address)| (node.0, address.0.clone())).collect(),
            certificate: tls.chain[0].to_vec(),
            key: tls.key.secret_der().to_vec(),
            authority: self.cluster.authority.certificate.to_vec(),
            answer_within_ms: u64::try_from(self.answer_within.as_millis()).expect("fits"),
        }
    }

    /// The process that `node` is.
    pub(crate) fn running(&self, node: NodeId) -> &Process {
        &self.running[&node]
    }

    pub(crate) fn kill(&mut self, node: NodeId) {
        self.running.remove(&node).expect("it runs").kill();
    }

    /// Has `node`, which is dead for good, replaced by a new one.
    pub(crate) async fn replace(&mut self, node: NodeId) {
        self.nodes.held().remove(&node);
        let others = self.nodes.all();
        self.ask_until_done(&others, &Ask::Remove(node.0)).await;
        let new = NodeId(self.listens.keys().map(|node| node.0).max().expect("there are nodes") + 1);
        let listen = Address::from(free_address());
        self.network.add(new, &listen).await;
        self.listens.insert(new, listen);
        // whom it asks to let it in: those that are there, and not who was when the cluster was founded
        self.cluster.founders = others.keys().map(|node| (*node, self.network.address_of(*node))).collect();
        self.open(new).await.expect("opens");
        let new = BTreeMap::from([(new, self.nodes.all()[&new].clone())]);
        self.ask_until_done(&new, &Ask::Join).await;
    }

    /// Asks one after the other until one has done it.
    async fn ask_until_done(&self, nodes: &BTreeMap<NodeId, Remote>, ask: &Ask) {
        for node in nodes.values().cycle() {
            match node.ask(ask).await {
                Ok(Answer::Done) => return,
                Ok(Answer::Failed { retryable: true, .. }) | Err(_) => tokio::time::sleep(RETRY).await,
                Ok(other) => panic!("{ask:?}: {other:?}"),
            }
        }
    }

    /// Has `node` do what it is asked, which it cannot fail to.
    pub(crate) async fn tell(&self, node: NodeId, ask: &Ask) {
        let node = self.nodes.all()[&node].clone();
        let answer = node.ask(ask).await;
        assert!(matches!(answer, Ok(Answer::Done)), "{ask:?}: {answer:?}");
    }

    /// Who leads, as the node knows that has heard of the latest election.
    pub(crate) async fn leader(&self) -> NodeId {
        loop {
            let mut known = Vec::new();
            for node in self.nodes.all().into_values() {
                if let Ok(Answer::Status { leader: Some(leader), term }) = node.ask(&Ask::Status).await {
                    known.push((term, NodeId(leader)));
                }
            }
            let leader = known.into_iter().max().map(|(_, leader)| leader);
            if let Some(leader) = leader.filter(|leader| self.running.contains_key(leader)) {
                return leader;
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Opens all nodes that were closed.
    pub(crate) async fn open_all(&mut self) {
        for node in self.members() {
            self.open(node).await.expect("opens");
        }
    }

    /// Closes all nodes in order; they can be opened again.
    pub(crate) async fn close_all(&mut self) {
        for (node, process) in core::mem::take(&mut self.running) {
            self.tell(node, &Ask::Close).await;
            self.nodes.all()[&node].is_closed.store(true, Ordering::Relaxed);
            process.ended().await;
        }
    }

    pub(crate) async fn stop(mut self) {
        self.close_all().await;
        self.network.stop().await;
    }
}
