//! The harness: nodes with directories and certificates, opened and closed.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sayso_runtime::{SystemClock, Tasks};
use sayso_store_raft::{Address, Error, NodeId, RaftOptions, RaftStore, Timers, Tls, peer_name};
use sayso_types::{Clock, Name};
use tempfile::TempDir;

/// How long before and after they are made the certificates of nodes are valid: longer than any test takes, and shorter than
/// what a clock is set wrong by.
const VALID: Duration = Duration::from_secs(12 * 3_600);

/// Who vouches for nodes.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let certificate = params.self_signed(&key).expect("signs").der().clone();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// What `node` of `cluster` shows its peers.
    pub(crate) fn tls(&self, cluster: &Name, node: NodeId) -> Tls {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([peer_name(cluster, node)]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let now = date_time_ymd(1970, 1, 1) + Duration::from_millis(SystemClock::new().wall().0);
        (params.not_before, params.not_after) = (now - VALID, now + VALID);
        let certificate = params.signed_by(&key, &self.issuer).expect("signs").der().clone();
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("an authority");
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Tls { chain: vec![certificate], key, roots }
    }
}

/// A cluster's configuration, its directories, and the nodes that are open.
pub(crate) struct Cluster {
    pub(crate) name: Name,
    pub(crate) authority: Authority,
    pub(crate) founders: BTreeMap<NodeId, Address>,
    addresses: BTreeMap<NodeId, SocketAddr>,
    /// Of the nodes that are opened from now on.
    pub(crate) timers: Timers,
    dir: TempDir,
    pub(crate) nodes: BTreeMap<NodeId, Arc<RaftStore>>,
}

/// An address that nobody listens on.
pub(crate) fn free_address() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    socket.local_addr().expect("has an address")
}

impl Cluster {
    /// Nodes from 1 to `founders`, of which none is open.
    pub(crate) fn new(founders: u64) -> Self {
        let addresses: BTreeMap<_, _> = (1..=founders).map(|node| (NodeId(node), free_address())).collect();
        Self {
            name: Name::constant("test"),
            authority: Authority::new(),
            founders: addresses.iter().map(|(node, address)| (*node, (*address).into())).collect(),
            addresses,
            timers: Timers::default(),
            dir: tempfile::tempdir().expect("a directory"),
            nodes: BTreeMap::new(),
        }
    }

    /// One with all its founders open.
    pub(crate) async fn start(founders: u64) -> Self {
        let mut cluster = Self::new(founders);
        cluster.open_all().await;
        cluster
    }

    pub(crate) fn dir_of(&self, node: u64) -> PathBuf {
        self.dir.path().join(node.to_string())
    }

    /// What node `node` is opened with.
    pub(crate) fn options(&mut self, node: u64) -> RaftOptions {
        let node = NodeId(node);
        let listen = *self.addresses.entry(node).or_insert_with(free_address);
        let tls = self.authority.tls(&self.name, node);
        let clock = Arc::new(SystemClock::new());
        let options = RaftOptions::new(node, self.name, listen, self.founders.clone(), tls, clock);
        // small enough that tests see tables merge
        RaftOptions { memtable_bytes: 256 << 10, timers: self.timers, ..options }
    }

    /// Opens a node with `options`, which need not be its own.
    pub(crate) async fn try_open(&self, options: RaftOptions, dir: u64) -> Result<Arc<RaftStore>, Error> {
        RaftStore::open(&self.dir_of(dir), options, Tasks::new()).await
    }

    pub(crate) async fn open(&mut self, node: u64) -> Arc<RaftStore> {
        let options = self.options(node);
        let store = self.try_open(options, node).await.expect("opens");
        self.nodes.insert(NodeId(node), Arc::clone(&store));
        store
    }

    pub(crate) async fn open_all(&mut self) {
        for node in self.founders.clone().into_keys() {
            self.open(node.0).await;
        }
    }

    pub(crate) async fn close(&mut self, node: NodeId) {
        let store = self.nodes.remove(&node).expect("it is open");
        store.close().await;
    }

    pub(crate) async fn close_all(&mut self) {
        for node in self.nodes.clone().into_keys() {
            self.close(node).await;
        }
    }

    /// Waits until `holds` of what the nodes know.
    pub(crate) async fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        /// How long a state may take to come before the test fails.
        const WITHIN: Duration = Duration::from_secs(60);
        /// How often it is looked for.
        const EVERY: Duration = Duration::from_millis(10);
        let waited = tokio::time::timeout(WITHIN, async {
            while !holds(self) {
                tokio::time::sleep(EVERY).await;
            }
        });
        if waited.await.is_err() {
            let known: Vec<_> = self.nodes.values().map(|node| node.status()).collect();
            panic!("{what}: {known:#?}");
        }
    }

    /// Who leads, as all open nodes agree.
    pub(crate) async fn leader(&self) -> NodeId {
        let agreed = |cluster: &Self| {
            let mut leaders = cluster.nodes.values().map(|node| node.status().leader);
            let first = leaders.next().flatten()?;
            (leaders.all(|leader| leader == Some(first)) && cluster.nodes.contains_key(&first)).then_some(first)
        };
        self.wait("a leader that all agree on", |cluster| agreed(cluster).is_some()).await;
        agreed(self).unwrap_or_default()
    }

    /// A node that follows.
    pub(crate) async fn follower(&self) -> Arc<RaftStore> {
        let leader = self.leader().await;
        let follower = self.nodes.iter().find(|(node, _)| **node != leader);
        Arc::clone(follower.expect("more than one node").1)
    }
}
