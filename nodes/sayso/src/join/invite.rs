//! `sayso store invite`: lets one node join.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::ServerConfig;
use sayso_policy::Profile;
use sayso_runtime::SystemClock;
use sayso_store_raft::NodeId;
use sayso_types::Clock;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::message::{self, Answer, FAREWELL, File, Request, VERSION, Welcome};
use super::token::{Token, inviter};
use crate::certs::{self, Authority, Identity};
use crate::cli::InviteArgs;
use crate::config::{Config, Kek, Peer, RaftStore, require_place};
use crate::policy::{own_calendar, signature_of};
use crate::{output, serve};

/// How long a newcomer may take for the handshake and its request, and to take the answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Holds the number of the last node that was invited: no number is given twice.
const LAST_NODE: &str = "last-node";
/// What the profile is called on the new node, which gets it as one file that extends no other.
const PROFILE: &str = "profile.toml";
/// Names that a node may be reached under.
const NAMES_MAX: usize = 32;

/// What is printed, for machines.
#[derive(Serialize)]
struct Printed<'a> {
    token: &'a str,
    cluster: String,
    node: u64,
    at: &'a str,
    expires_unix_s: u64,
}

/// An open invitation.
struct Invitation {
    token: Token,
    /// What the new node is configured with, and the files that this names.
    config: Config,
    files: Vec<File>,
    /// Says where it may stand.
    profile: Profile,
    /// Signs for nodes among each other.
    peers: Authority,
    /// Signs what devices and operators know nodes by.
    devices: Authority,
}

pub(crate) fn run(args: &InviteArgs) -> Result<ExitCode> {
    let config = Config::read(&args.config)?;
    let dir = args.config.parent().unwrap_or_else(|| Path::new(""));
    serve::runtime()?.block_on(async {
        let listener = TcpListener::bind(args.listen).await;
        let listener = listener.with_context(|| format!("cannot listen on TCP {}", args.listen))?;
        let listen = listener.local_addr()?;
        let at = match &args.at {
            Some(at) => at.clone(),
            None if listen.ip().is_unspecified() => format!("{}:{}", host(&config)?, listen.port()),
            None => listen.to_string(),
        };
        let invitation = Invitation::open(config, dir, at, args)?;
        announce(&invitation.token, args.json)?;
        let left = Duration::from_secs(invitation.token.expires.saturating_sub(now()));
        match timeout(left, invitation.wait(listener)).await {
            Ok(welcomed) => {
                welcomed?;
                output::note(format!("node {} has what it needs to join", invitation.token.node));
                Ok(ExitCode::SUCCESS)
            }
            Err(_) => bail!("nobody joined in {} minutes: the token is worth nothing any more", args.minutes),
        }
    })
}

/// Where other nodes reach this machine.
fn host(config: &Config) -> Result<String> {
    let address = config.store.raft()?.reached_at();
    Ok(address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host).to_owned())
}

fn announce(token: &Token, json: bool) -> Result<()> {
    let text = token.to_text();
    if json {
        return output::json(&Printed {
            token: &text,
            cluster: token.cluster.to_string(),
            node: token.node,
            at: &token.at,
            expires_unix_s: token.expires,
        });
    }
    output::note(format!(
        "waiting for node {} at {}; on its machine: sayso init DIR --peer HOST:PORT --join TOKEN, with this token",
        token.node, token.at
    ));
    output::line(text)
}

impl Invitation {
    fn open(config: Config, dir: &Path, at: String, args: &InviteArgs) -> Result<Self> {
        let raft = config.store.raft()?.clone();
        let peers = authority(dir, "peer-ca")?;
        let devices = authority(dir, "ca")?;
        let (profile, mut files) = (config.read_profile()?, Vec::new());
        let mut config = portable(&config, &mut files)?;
        if let Some(raft) = &mut config.store.raft {
            raft.replaces = args.replaces;
        }
        let node = next_node(&dir.join("peer-ca").join(LAST_NODE), &raft, args.replaces)?;
        let token = Token::new(raft.cluster, node, at, now() + 60 * args.minutes, peers.fingerprint());
        Ok(Self { token, config, files, profile, peers, devices })
    }

    /// Answers newcomers until one was welcomed.
    async fn wait(&self, listener: TcpListener) -> Result<()> {
        let identity = Identity::of(&self.peers.node(&[inviter(&self.token.cluster)])?)?;
        let acceptor = TlsAcceptor::from(Arc::new(tls(identity)?));
        loop {
            let (stream, from) = listener.accept().await.context("cannot take a connection")?;
            // One after another: whoever dawdles holds up nobody for long.
            match timeout(ANSWER_WITHIN, self.answer(&acceptor, stream)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => output::note(format!("{from} was not let in: {error:#}")),
                Err(_) => output::note(format!("{from} was not let in: it says nothing")),
            }
        }
    }

    /// Answers a newcomer, and waits until it has everything.
    async fn answer(&self, acceptor: &TlsAcceptor, stream: TcpStream) -> Result<()> {
        let mut stream = acceptor.accept(stream).await?;
        let request: Request = message::receive(&mut stream).await?;
        match self.welcome(&request) {
            Ok(welcome) => message::send(&mut stream, &Answer::Welcome(Box::new(welcome))).await?,
            Err(refusal) => {
                message::send(&mut stream, &Answer::Refused(format!("{refusal:#}"))).await?;
                stream.shutdown().await?;
                return Err(refusal);
            }
        }
        // A newcomer that did not get it all may try again.
        stream.read_exact(&mut [0; FAREWELL.len()]).await.context("it may not have got everything")?;
        Ok(())
    }

    fn welcome(&self, request: &Request) -> Result<Welcome> {
        if request.version != VERSION {
            bail!("it is of another version of Sayso: join with the same version");
        }
        let proof = hex::decode(&request.proof).unwrap_or_default();
        if !self.token.is_proven(&request.parts(), &proof) {
            bail!("its token is not the one that was printed here: copy it again");
        }
        require_place(&self.profile, request.region.as_ref(), "--region")?;
        if request.names.is_empty() || request.names.len() > NAMES_MAX {
            bail!("a node has 1 to {NAMES_MAX} names");
        }
        let (peer, node) = (certs::Request::read(&request.peer)?, certs::Request::read(&request.node)?);
        Ok(Welcome {
            peer_chain: self.peers.peer_of(&self.token.cluster, self.token.id(), &peer)?,
            node_chain: self.devices.node_of(&request.names, &node)?,
            config: self.config.clone(),
            files: self.files.clone(),
        })
    }
}

/// `config` as another node can have it: what it names is in `files`, and what is of this node alone is left out.
fn portable(config: &Config, files: &mut Vec<File>) -> Result<Config> {
    let mut portable = config.clone();
    let mut take = |path: &mut PathBuf, name: &str, is_secret: bool| -> Result<()> {
        let text = fs::read_to_string(&*path).with_context(|| format!("cannot read {}", path.display()))?;
        *path = name.into();
        files.push(File { name: name.to_owned(), text, is_secret });
        Ok(())
    };
    portable.data_dir = "data".into();
    portable.store.region = None;
    take(&mut portable.log_key, "log.key", true)?;
    if let Some(former) = &mut portable.log_key_former {
        take(former, "log.key.former", true)?;
    }
    if let Some(trust) = &mut portable.witnesses.trust {
        take(trust, "trust.policy", false)?;
    }
    if let Some(authority) = &mut portable.witnesses.authority {
        take(authority, "witness-ca/cert.pem", false)?;
    }
    portable.vault.keys_dir = "keys".into();
    // A key of the whole cluster: whoever serves unlocks the keys with it.
    if portable.vault.kek == Kek::File {
        take(&mut portable.vault.kek_file, "kek.key", true)?;
    }
    if let Some(authority) = portable.vault.transit.as_mut().and_then(|transit| transit.ca_file.as_mut()) {
        take(authority, "vault-ca.pem", false)?;
    }
    if let Some(authority) = &mut portable.gateway.device_authority {
        take(authority, "ca/cert.pem", false)?;
    }
    if let Some(authority) = &mut portable.admin.authority {
        take(authority, "admin-ca/cert.pem", false)?;
    }
    for (index, service) in portable.openai.iter_mut().enumerate() {
        if let Some(authority) = &mut service.ca_file {
            take(authority, &format!("openai-{index}.pem"), false)?;
        }
    }
    for (certificate, key) in [
        (&mut portable.gateway.certificate, &mut portable.gateway.key),
        (&mut portable.admin.certificate, &mut portable.admin.key),
    ] {
        (*certificate, *key) = ("node/cert.pem".into(), "node/key.pem".into());
    }
    if let Some(raft) = &mut portable.store.raft {
        take(&mut raft.authority, "peer/ca.pem", false)?;
        let inviting = Peer { node: raft.node, address: raft.reached_at() };
        if !raft.founders.contains(&inviting) {
            // Those who join need not find a founder: nodes go.
            raft.founders.push(inviting);
        }
        (raft.certificate, raft.key) = ("peer/cert.pem".into(), "peer/key.pem".into());
        raft.started = "peer/started".into();
    }
    if let Some(profile) = &mut portable.profile {
        let read = config.read_profile()?;
        // Without its signature or the operator's own calendar the new node would refuse it.
        let beside = |profile: &Path| {
            let files = [Some(signature_of(profile)), own_calendar(profile, read.header())];
            files.into_iter().flatten()
        };
        for (mut file, name) in beside(profile).zip(beside(Path::new(PROFILE))) {
            if file.exists() {
                take(&mut file, &name.to_string_lossy(), false)?;
            }
        }
        *profile = PROFILE.into();
        files.push(File { name: PROFILE.to_owned(), text: read.text().to_owned(), is_secret: false });
    }
    Ok(portable)
}

/// Reads the authority `name` beside the configuration.
fn authority(dir: &Path, name: &str) -> Result<Authority> {
    let dir = dir.join(name);
    Authority::read(&dir.join("cert.pem"), &dir.join("key.pem"))
        .context("only where the authorities' keys are can a node be invited: on the machine of `sayso init --peer`")
}

/// A number that no node had before, nor `gone`, which is noted in `file` before anybody learns it.
fn next_node(file: &Path, raft: &RaftStore, gone: Option<u64>) -> Result<NodeId> {
    let noted = match fs::read_to_string(file) {
        Ok(text) => {
            text.trim().parse().with_context(|| format!("{} holds no number: a node's, the last", file.display()))?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let known = raft.founders.iter().map(|founder| founder.node).chain([raft.node, noted]).chain(gone);
    let known = known.max().unwrap_or_default();
    let written = replace(file, &format!("{}\n", known + 1));
    written.with_context(|| format!("cannot write {}", file.display()))?;
    Ok(NodeId(known + 1))
}

/// Writes a file so that it is there as a whole, or as it was.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, text)?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(new, file)
}

fn tls(identity: Identity) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth();
    let (chain, key) = identity.into_parts();
    Ok(builder.with_single_cert(chain, key)?)
}

fn now() -> u64 {
    SystemClock::new().wall().0 / 1_000
}
