//! A gateway on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use sayso_gateway::{Gateway, GatewayOptions, Limits, Tls};
use sayso_runtime::{CancellationToken, SystemClock, TaskHandle, TaskKind, Tasks, queue};
use sayso_types::{Name, Redacted};
use sayso_wire::token::{Claims, TokenSigner, TokenVerifier};
use sayso_wire::{ToDevice, ToNode};

use crate::authority::Authority;
use crate::fake_sessions::{FakeSession, FakeSessions};
use crate::raw_device::{Dial, RawDevice, hello, listen, packet};
use crate::soon;

pub(crate) const TENANT: &str = "acme";
const KEY_ID: Name = Name::constant("key-1");

pub(crate) struct Node {
    pub(crate) addr: SocketAddr,
    pub(crate) authority: Authority,
    pub(crate) fake: Arc<FakeSessions>,
    pub(crate) sessions: queue::Receiver<FakeSession>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) gateway: TaskHandle,
    pub(crate) tasks: Tasks,
}

pub(crate) fn options(authority: &Authority, limits: Limits) -> GatewayOptions {
    let node = authority.node();
    GatewayOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: Tls { chain: node.chain, key: node.key, device_roots: authority.roots() },
        tokens: Some(TokenVerifier::new([(KEY_ID, signing_key(1).verifying_key())])),
        limits,
    }
}

fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A token for `device` until `expires`, signed with the key that nodes trust (1) or another.
pub(crate) fn token(device: &str, expires: u64, key: u8) -> Option<Redacted<String>> {
    let claims = Claims { tenant: TENANT.parse().unwrap(), device: device.parse().unwrap(), not_before: 0, expires };
    Some(TokenSigner::new(KEY_ID, signing_key(key)).sign(&claims))
}

impl Node {
    pub(crate) fn start(limits: Limits) -> Self {
        let authority = Authority::new();
        let (fake, sessions) = FakeSessions::new();
        let (tasks, clock, shutdown) = (Tasks::new(), Arc::new(SystemClock::new()), CancellationToken::new());
        let gateway = Gateway::bind(options(&authority, limits), fake.clone(), tasks.clone(), clock).unwrap();
        let addr = gateway.local_addr();
        let gateway = tasks.spawn(TaskKind::Listener, "gateway", gateway.run(shutdown.clone()));
        Self { addr, authority, fake, sessions, shutdown, gateway, tasks }
    }

    /// How `device` connects with its certificate.
    pub(crate) fn dial(&self, device: &str) -> Dial {
        Dial::new(&self.authority, Some(self.authority.device(TENANT, device)))
    }

    /// Opens the control stream of a connection made with `dial`.
    pub(crate) async fn open(&self, dial: Dial) -> RawDevice {
        RawDevice::open(dial.connect(self.addr).await.unwrap()).await
    }

    /// A device that says `hello` after connecting with `dial`, and is welcomed.
    pub(crate) async fn welcome(&mut self, dial: Dial, hello: sayso_wire::Hello) -> (RawDevice, FakeSession) {
        let mut device = self.open(dial).await;
        device.say(&ToNode::Hello(hello)).await;
        assert!(matches!(device.hear().await, Some(ToDevice::Welcome(_))));
        let session = soon(self.sessions.recv()).await.unwrap();
        (device, session)
    }

    /// A device that does everything right.
    pub(crate) async fn device(&mut self, name: &str) -> (RawDevice, FakeSession) {
        self.welcome(self.dial(name), hello(name)).await
    }

    /// A device that is there while others do wrong, and should not notice.
    pub(crate) async fn bystander(&mut self) -> Bystander {
        let (device, session) = self.device("bystander").await;
        let mut bystander = Bystander { device, session, turn: 0 };
        bystander.unmoved().await;
        bystander
    }
}

pub(crate) struct Bystander {
    device: RawDevice,
    session: FakeSession,
    turn: u32,
}

impl Bystander {
    /// Messages and sound still go both ways, and nothing else came in between.
    pub(crate) async fn unmoved(&mut self) {
        self.turn += 1;
        talk(&mut self.device, &mut self.session, self.turn).await;
    }
}

/// A message and a packet each way.
pub(crate) async fn talk(device: &mut RawDevice, session: &mut FakeSession, turn: u32) {
    device.say(&listen(turn)).await;
    assert_eq!(session.hear().await, listen(turn));

    let notice = ToDevice::Notice { code: "test".to_owned(), text: turn.to_string() };
    session.outlet.control(notice.clone()).unwrap();
    assert_eq!(device.hear().await, Some(notice));

    let mut datagram = bytes::BytesMut::new();
    packet(turn, 60).encode_datagram(&mut datagram).unwrap();
    device.connection.send_datagram(datagram.clone().freeze()).unwrap();
    assert_eq!(session.listen().await, packet(turn, 60));

    session.outlet.audio(packet(turn, 60)).unwrap();
    assert_eq!(soon(device.connection.read_datagram()).await.unwrap(), datagram);
}
