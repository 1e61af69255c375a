//! [`Installation`]: what `sayso init` wrote, and those who use it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use hex::FromHex;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sayso_device::{Error, Identity};
use sayso_types::{DeviceId, Name, Redacted};
use sayso_wire::token::{Claims, TokenSigner};
use tempfile::TempDir;

use crate::{Admin, Node, Process, Sayso, TENANT, TestDevice};

/// The name under which an installation knows the key of its device tokens.
const TOKEN_KEY: Name = Name::constant("first");
/// The id of the device for which `sayso init` makes a certificate.
const FIRST_DEVICE: &str = "speaker-1";
/// When tokens end that are good: in the year 2286.
pub(crate) const NEVER: u64 = 9_999_999_999;

/// What `sayso init` calls the profile.
const PROFILE: &str = "profile.toml";

/// What `sayso init` makes here: the directory of a node, or one with those of several.
const NODE: &str = "node";

/// The directory of a node made by `sayso init`, removed when this is dropped, and those that were made with it.
#[derive(Debug)]
pub struct Installation {
    dir: Arc<TempDir>,
    /// Where in `dir` it is.
    place: String,
    sayso: Sayso,
}

impl Installation {
    /// A new one, with the models that its nodes need.
    pub async fn new(sayso: &Sayso) -> Self {
        Self::with(sayso, &[]).await
    }

    /// The first node of a cluster, which its peers reach on a port of this machine.
    pub async fn founder(sayso: &Sayso) -> Self {
        Self::with(sayso, &["--cluster", "home", "--peer", &free_udp_address().to_string()]).await
    }

    /// Three nodes that found a cluster together, which reach each other on ports of this machine. The first one has what there is
    /// once.
    pub async fn founders(sayso: &Sayso) -> [Self; 3] {
        let peers = [(); 3].map(|()| free_udp_address().to_string());
        let args = peers.iter().flat_map(|peer| ["--peer", peer.as_str()]);
        let made = Self::with(sayso, &["--cluster", "home"].into_iter().chain(args).collect::<Vec<_>>()).await;
        [1, 2, 3].map(|node| Self {
            dir: Arc::clone(&made.dir),
            place: format!("{NODE}/node-{node}"),
            sayso: sayso.clone(),
        })
    }

    /// One more node of the cluster of `self`, invited by it.
    pub async fn one_more(&self) -> Self {
        self.invite(&[], &[]).await
    }

    /// The same, in the country `region`.
    pub async fn one_more_in(&self, region: &str) -> Self {
        self.invite(&[], &["--region", region]).await
    }

    /// One in the place of node `gone`, which is lost.
    pub async fn one_instead_of(&self, gone: u64) -> Self {
        self.invite(&["--replaces", &gone.to_string()], &[]).await
    }

    /// One more node of the cluster of `self`, invited by it, that one command has join and serve.
    pub async fn one_more_that_serves(&self) -> (Self, Process) {
        let (invite, token) = self.open_invitation(&[]).await;
        let node = Self::nowhere(&self.sayso).await;
        let (dir, peer) = (node.file(""), free_udp_address().to_string());
        let init = ["init", &dir, "--peer", &peer, "--join", &token, "--serve"];
        let ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
        let process = Process::start(heard(self.sayso.command([&init[..], &ports].concat())));
        let _ = invite.finished().await.success();
        (node, process)
    }

    async fn invite(&self, args: &[&str], init: &[&str]) -> Self {
        let (invite, token) = self.open_invitation(args).await;
        let peer = free_udp_address().to_string();
        let joined = Self::with(&self.sayso, &[&["--peer", &peer, "--join", &token], init].concat()).await;
        let _ = invite.finished().await.success();
        joined
    }

    /// A command that waits for a node to join, and the token that it gave out.
    async fn open_invitation(&self, args: &[&str]) -> (Process, String) {
        let config = self.file("sayso.toml");
        let invite = ["store", "invite", "--config", &config, "--listen", "127.0.0.1:0"];
        let mut invite = Process::start(self.sayso.command([&invite, args].concat()));
        let token = invite.answer().await;
        (invite, token)
    }

    /// A directory that nothing is in yet, with the models that a node there needs.
    async fn nowhere(sayso: &Sayso) -> Self {
        sayso.fetch_models().await;
        let dir = Arc::new(tempfile::tempdir().expect("a directory can be made"));
        Self { dir, place: NODE.to_owned(), sayso: sayso.clone() }
    }

    async fn with(sayso: &Sayso, args: &[&str]) -> Self {
        let installation = Self::nowhere(sayso).await;
        let _ = sayso.run([&["init", &installation.file("")], args].concat()).await.success();
        installation
    }

    /// Where `name` lies in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(&self.place).join(name)
    }

    /// The same, for a command line.
    ///
    /// # Panics
    /// When directories for temporary files have strange names here.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        self.path(name).into_os_string().into_string().expect("the path is text")
    }

    /// Changes the TOML file `name`. The profile is signed again, unless it may not be put in force or the key lies at another node.
    ///
    /// # Panics
    /// When there is none.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut toml::Table)) {
        self.edit_unsigned(name, change);
        if name == PROFILE {
            self.sign();
        }
    }

    /// Puts `text` in the place of the profile, and signs it as [`edit`](Self::edit) does.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn set_profile(&self, text: &str) {
        fs::write(self.path(PROFILE), text).expect("the file can be written");
        self.sign();
    }

    fn sign(&self) {
        if self.path("policy.key").exists() {
            let signed = self.sayso.command(["policy", "sign", &self.file(PROFILE)]).output();
            let _ = signed.expect("the program can be run");
        }
    }

    /// Changes the TOML file `name`, and nothing else.
    ///
    /// # Panics
    /// When there is none.
    pub fn edit_unsigned(&self, name: &str, change: impl FnOnce(&mut toml::Table)) {
        let text = fs::read_to_string(self.path(name)).expect("the file can be read");
        let mut table = text.parse().expect("the file is TOML");
        change(&mut table);
        fs::write(self.path(name), table.to_string()).expect("the file can be written");
    }

    /// Takes the profile, and its signature, from the node of `other`.
    ///
    /// # Panics
    /// When there is none.
    pub fn take_profile(&self, other: &Self) {
        for name in [PROFILE, "profile.toml.sig"] {
            let _ = fs::copy(other.path(name), self.path(name)).expect("the profile can be copied");
        }
    }

    /// The command line of a node, on ports that the system picks, with logs that can be read by [`Node`].
    #[must_use]
    pub fn serve(&self) -> Command {
        self.serve_on((Ipv4Addr::LOCALHOST, 0).into(), (Ipv4Addr::LOCALHOST, 0).into())
    }

    /// The same, with devices at `gateway` and operators at `admin`.
    #[must_use]
    pub fn serve_on(&self, gateway: SocketAddr, admin: SocketAddr) -> Command {
        let (config, gateway, admin) = (self.file("sayso.toml"), gateway.to_string(), admin.to_string());
        let args = ["serve", "--config", &config, "--listen", &gateway, "--admin-listen", &admin];
        heard(self.sayso.command(args))
    }

    /// Starts a node and waits until it is ready.
    pub async fn start(&self) -> Node {
        Node::ready(Process::start(self.serve())).await
    }

    /// Connects to `node` as its first operator.
    pub async fn operator(&self, node: &Node) -> Admin {
        let log_key = self.read("log.pub").trim().parse().expect("log.pub holds a public key");
        Admin::connect(
            node.admin,
            [self.read("admin/ca.pem"), self.read("admin/cert.pem"), self.read("admin/key.pem")],
            log_key,
        )
        .await
    }

    /// The directory of a certificate for one more of the operator's people, or of the people of `tenant`.
    pub async fn person(&self, name: &str, tenant: Option<&str>) -> String {
        let (node, out) = (self.file(""), self.file(name));
        let of = tenant.map_or_else(Vec::new, |tenant| vec!["--tenant", tenant]);
        let add = [&["operator", "add", name, "--node", &node, "--out", &out], &of[..]].concat();
        let _ = self.sayso.run(add).await.success();
        out
    }

    /// The first device, connected to `node` by its certificate.
    pub async fn first_device(&self, node: &Node) -> TestDevice {
        let connected = TestDevice::connect(node.gateway, self.roots(), self.identity(), device_id(FIRST_DEVICE)).await;
        connected.expect("the node takes its first device")
    }

    /// Another device, connected to `node` by a token.
    ///
    /// # Errors
    /// When the node does not take it.
    pub async fn device(&self, node: &Node, id: &str) -> Result<TestDevice, Error> {
        let token = Identity::Token(Redacted::new(self.token(id, NEVER)));
        TestDevice::connect(node.gateway, self.roots(), token, device_id(id)).await
    }

    /// A token for `device` that ends at `expires`, in seconds since the Unix epoch.
    ///
    /// # Panics
    /// When the installation has no key to sign it with.
    #[must_use]
    pub fn token(&self, device: &str, expires: u64) -> String {
        let seed = <[u8; 32]>::from_hex(self.read("token.key").trim()).expect("a seed is 64 hexadecimal digits");
        let signer = TokenSigner::new(TOKEN_KEY, SigningKey::from_bytes(&seed));
        let tenant = TENANT.parse().expect("the tenant is an id");
        signer.sign(&Claims { tenant, device: device_id(device), not_before: 0, expires }).into_inner()
    }

    /// Who may vouch for its nodes.
    #[must_use]
    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(certificates(&self.path("device/ca.pem")).swap_remove(0)).expect("it is an authority");
        roots
    }

    /// How its first device proves who it is.
    fn identity(&self) -> Identity {
        let key = PrivateKeyDer::from_pem_file(self.path("device/key.pem")).expect("the key can be read");
        Identity::Certificate { chain: certificates(&self.path("device/cert.pem")), key }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name} cannot be read: {error}"))
    }
}

/// The `command` of a node, with logs that can be read by [`Node`].
fn heard(mut command: Command) -> Command {
    command.env("SAYSO_TELEMETRY__METRICS_LISTEN", "127.0.0.1:0");
    command.env("SAYSO_TELEMETRY__LOG_FORMAT", "json").env("SAYSO_TELEMETRY__LOG_FILTER", "info,sayso=debug");
    command
}

/// An address on which nobody waits for connections.
///
/// # Panics
/// When no port is free.
#[must_use]
pub fn free_tcp_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it has an address")
}

/// An address that nobody listens on.
#[must_use]
pub fn free_udp_address() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    socket.local_addr().expect("it has an address")
}

fn device_id(id: &str) -> DeviceId {
    id.parse().expect("it is a device's id")
}

fn certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    read.expect("the certificates can be read")
}
