//! [`Network`]: loopback with faults. Every node is reached through a relay that drops or delays what the rules say.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sayso_runtime::{TaskKind, Tasks};
use sayso_store_raft::{Address, NodeId};
use tokio::net::UdpSocket;

/// Bytes in a UDP packet at most.
const PACKET_BYTES_MAX: usize = 65_535;

/// What happens to packets.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// From whom to whom nothing arrives.
    pub(crate) blocked: BTreeSet<(NodeId, NodeId)>,
    /// Of how many packets in a hundred nothing is seen again.
    pub(crate) loss_percent: u8,
    /// How much later the others arrive.
    pub(crate) delay: Duration,
}

impl Rules {
    /// Whether a packet arrives, and how much later.
    fn fate(&self, from: NodeId, to: NodeId) -> Option<Duration> {
        let lost = self.blocked.contains(&(from, to)) || fastrand::u8(..100) < self.loss_percent;
        (!lost).then_some(self.delay)
    }
}

/// Who sends from where.
type Senders = Arc<Mutex<HashMap<SocketAddr, NodeId>>>;

/// The relays of a cluster.
pub(crate) struct Network {
    rules: Arc<Mutex<Rules>>,
    senders: Senders,
    /// Where each node is reached.
    relays: BTreeMap<NodeId, Address>,
    tasks: Tasks,
}

impl Network {
    /// Puts a relay in front of each node: `addresses` are where they listen, and become where the relays do.
    pub(crate) async fn start(addresses: &mut BTreeMap<NodeId, Address>) -> Self {
        let mut network =
            Self { rules: Arc::default(), senders: Senders::default(), relays: BTreeMap::new(), tasks: Tasks::new() };
        for (node, listens) in addresses.iter() {
            network.add(*node, listens).await;
        }
        addresses.clone_from(&network.relays);
        network
    }

    /// Puts a relay in front of one more node, which listens at `listens`.
    pub(crate) async fn add(&mut self, node: NodeId, listens: &Address) {
        let address = listens.0.parse::<SocketAddr>().expect("an IP address");
        locked(&self.senders).insert(address, node);
        let front = Arc::new(bind().await);
        let relayed = front.local_addr().expect("has an address");
        let (rules, senders, tasks) = (self.rules.clone(), self.senders.clone(), self.tasks.clone());
        let relay = Relay { node, address, front, rules, senders, tasks };
        self.tasks.spawn(TaskKind::Client, "relay", relay.run()).detach();
        self.relays.insert(node, relayed.into());
    }

    /// Where `node` is reached.
    pub(crate) fn address_of(&self, node: NodeId) -> Address {
        self.relays[&node].clone()
    }

    pub(crate) fn rules(&self) -> MutexGuard<'_, Rules> {
        locked(&self.rules)
    }

    /// No faults any more.
    pub(crate) fn heal(&self) {
        *self.rules() = Rules::default();
    }

    pub(crate) async fn stop(self) {
        self.tasks.shutdown(Duration::from_secs(1)).await;
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn bind() -> UdpSocket {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("binds")
}

/// What is in front of one node. Each of the others has a socket behind it, so that the node tells them apart.
struct Relay {
    node: NodeId,
    address: SocketAddr,
    front: Arc<UdpSocket>,
    rules: Arc<Mutex<Rules>>,
    senders: Senders,
    tasks: Tasks,
}

impl Relay {
    async fn run(self) {
        let mut behind: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
        let mut packet = vec![0; PACKET_BYTES_MAX];
        loop {
            let Ok((length, sender)) = self.front.recv_from(&mut packet).await else { continue };
            let Some(from) = locked(&self.senders).get(&sender).copied() else { continue };
            let socket = match behind.get(&sender) {
                Some(socket) => Arc::clone(socket),
                None => {
                    let socket = Arc::new(bind().await);
                    self.answer(from, sender, Arc::clone(&socket));
                    behind.insert(sender, Arc::clone(&socket));
                    socket
                }
            };
            let fate = locked(&self.rules).fate(from, self.node);
            pass(&self.tasks, &socket, packet[..length].to_vec(), self.address, fate);
        }
    }

    /// Relays what the node sends back.
    fn answer(&self, to: NodeId, receiver: SocketAddr, socket: Arc<UdpSocket>) {
        let (node, front, rules, tasks) = (self.node, self.front.clone(), self.rules.clone(), self.tasks.clone());
        let relay_back = async move {
            let mut packet = vec![0; PACKET_BYTES_MAX];
            while !tasks.stopping().is_cancelled() {
                let Ok((length, _)) = socket.recv_from(&mut packet).await else { continue };
                let fate = locked(&rules).fate(node, to);
                pass(&tasks, &front, packet[..length].to_vec(), receiver, fate);
            }
        };
        self.tasks.spawn(TaskKind::Client, "relay back", relay_back).detach();
    }
}

fn pass(tasks: &Tasks, socket: &Arc<UdpSocket>, packet: Vec<u8>, to: SocketAddr, fate: Option<Duration>) {
    let Some(delay) = fate else { return };
    if delay.is_zero() {
        // what does not fit the system's buffer is lost, as on any network
        let _ = socket.try_send_to(&packet, to);
        return;
    }
    let socket = Arc::clone(socket);
    let later = async move {
        tokio::time::sleep(delay).await;
        let _ = socket.try_send_to(&packet, to);
    };
    tasks.spawn(TaskKind::Client, "late packet", later).detach();
}
