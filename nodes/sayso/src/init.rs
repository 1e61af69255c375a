//! `sayso init`: writes all that a first node, its first device and its first operator need; or all that the nodes need that
//! found a cluster together.

mod files;
mod fresh;
mod next;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use ed25519_dalek::SigningKey;
use sayso_audit::Signer;
use sayso_policy::Profile;
use sayso_runtime::{SystemClock, config as loader};
use sayso_store_raft::NodeId;
use sayso_types::{Clock, Name, Redacted};
use sayso_wire::token::{Claims, TokenSigner};
use time::OffsetDateTime;

use self::files::Files;
use self::fresh::Fresh;
use crate::certs::{Authority, Nda};
use crate::cli::{InitArgs, OperatorArgs, OperatorCommand, PeerAddress, ServeArgs};
use crate::config::HOME_PROFILE;
use crate::join::{Entering, Token, enter};
use crate::policy::{self, SigningKey as ProfileKey};
use crate::{output, serve, vault};

/// What the profile is called in a node's directory.
const PROFILE: &str = "profile.toml";
/// The configuration, with words in capitals where values go.
const CONFIG: &str = include_str!("init/sayso.toml");
/// Its table `store`: of one node, and of one of several.
const LOCAL_STORE: &str = include_str!("init/local.toml");
const RAFT_STORE: &str = include_str!("init/raft.toml");
/// What it says of where it stands, where nobody says that.
const NO_REGION: &str = r#"# region = "CN""#;
/// One of those who found a cluster, in that table.
const FOUNDER: &str = include_str!("init/founder.toml");
/// The authority of the nodes of a cluster, which vouches for nobody else.
const PEER_AUTHORITY: &str = "peer-ca";
/// The node that founds a cluster, or the first of those that do: it has what there is once.
const FIRST_NODE: NodeId = NodeId(1);
/// Nodes that found a cluster together: with fewer than three none may fail, and more than five only make each other wait.
const FOUNDERS: std::ops::RangeInclusive<usize> = 3..=5;
/// Where devices, operators and Prometheus find a node. Another one on the same machine is [`NEXT_PORTS`] further.
const PORTS: [u16; 3] = [4433, 4434, 9464];
const NEXT_PORTS: u16 = 100;
/// The name under which the node knows the key of device tokens.
const TOKEN_KEY: Name = Name::constant("first");

const DAY_SECONDS: u64 = 86_400;
/// Device tokens live as long as device certificates.
const TOKEN_DAYS: u64 = 365;

pub(crate) fn run(args: &InitArgs) -> Result<ExitCode> {
    if args.serve && args.peer.len() > 1 {
        bail!("--serve is for one node: take each directory to its machine, and serve it there");
    }
    let token = args.join.as_deref().map(str::parse::<Token>).transpose().context("--join cannot be read")?;
    let mut fresh = Fresh::open(&args.dir)?;
    let steps = match (&token, args.peer.as_slice()) {
        (Some(token), [address]) => {
            join(&mut fresh, token, address, args)?;
            next::steps_of_one_more(args, token)
        }
        (Some(_), _) => bail!("--join is for one node: give --peer once, with where the others reach it"),
        (None, [] | [_]) => {
            Installation::new(args)?.node(FIRST_NODE)?.write(&mut fresh, "")?;
            next::steps(args)
        }
        (None, founders) => {
            found(&mut fresh, args, founders)?;
            next::steps_of_founders(args)
        }
    };
    fresh.keep();
    output::line(steps)?;
    if args.serve { serve(args) } else { Ok(ExitCode::SUCCESS) }
}

/// Runs the node that was written.
fn serve(args: &InitArgs) -> Result<ExitCode> {
    let config = Some(args.dir.join("sayso.toml"));
    let InitArgs { listen, admin_listen, .. } = *args;
    serve::run(ServeArgs { config, listen, admin_listen, data: None, dump_config: false })
}

/// Writes a directory for each of those that found a cluster together.
fn found(fresh: &mut Fresh, args: &InitArgs, founders: &[PeerAddress]) -> Result<()> {
    if !FOUNDERS.contains(&founders.len()) {
        bail!(
            "--peer is given {} times: one node founds a cluster that others join, or {} to {} found one together",
            founders.len(),
            FOUNDERS.start(),
            FOUNDERS.end()
        );
    }
    let distinct: BTreeSet<_> = founders.iter().map(ToString::to_string).collect();
    if distinct.len() < founders.len() {
        bail!("--peer has an address more than once: each node is reached at one of its own");
    }
    let installation = Installation::new(args)?;
    for node in (1..).map(NodeId).take(founders.len()) {
        let place = next::place_of(node);
        fresh.dir(&place)?;
        installation.node(node)?.write(fresh, &place)?;
    }
    Ok(())
}

/// Writes what one more of the operator's people needs.
pub(crate) fn operator(args: &OperatorArgs) -> Result<ExitCode> {
    let OperatorCommand::Add { name, processors, tenant, employer, nda, nda_until, node, out } = &args.command;
    if name.is_empty() {
        bail!("NAME is empty; say what they are called");
    }
    let [certificate, key] = ["cert.pem", "key.pem"].map(|file| node.join("admin-ca").join(file));
    let operators = Authority::read(&certificate, &key)?;
    let until = nda_until.map(|at| OffsetDateTime::from_unix_timestamp(at.as_second())).transpose()?;
    if until.is_some_and(|until| until <= OffsetDateTime::now_utc()) {
        bail!("--nda-until has passed: nobody is bound any more by what was signed; give what was signed since");
    }
    let signed = nda.zip(until).map(|(reference, until)| Nda { employer: *employer, reference, until });
    let issued = match processors.as_slice() {
        [] => operators.person(name, tenant.as_ref(), signed.as_ref())?,
        processors => operators.service(name, processors, tenant.as_ref())?,
    };
    let authority = node.join("ca").join("cert.pem");
    let authority = std::fs::read_to_string(&authority)
        .with_context(|| format!("cannot read the node's authority {}", authority.display()))?;
    let mut fresh = Fresh::open(out)?;
    fresh.public("cert.pem", &issued.chain_pem)?;
    fresh.secret("key.pem", &issued.key_pem)?;
    fresh.public("ca.pem", &authority)?;
    fresh.keep();
    output::line(format_args!("{} holds the certificate of {name}; give it to nobody else", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes what a node has from the cluster that it joins.
fn join(fresh: &mut Fresh, token: &Token, address: &PeerAddress, args: &InitArgs) -> Result<()> {
    let Entering { config, files } = enter(token, address, &args.name, args.region.as_ref())?;
    let mut files = Files::from(files);
    let config = loader::dump(&config)?;
    files.public(
        "sayso.toml",
        &format!("# Node {} of cluster {}, as it joined.\n\n{config}", token.node, token.cluster),
    );
    files.write(fresh, "")
}

/// What the nodes of an installation have in common.
struct Installation<'a> {
    args: &'a InitArgs,
    devices: Authority,
    operators: Authority,
    /// Of the nodes among each other, where there are several.
    nodes: Option<Authority>,
    token_seed: Redacted<[u8; 32]>,
    log_seed: Redacted<[u8; 32]>,
    /// Signs the profile.
    profile_key: ProfileKey,
    kek: Redacted<String>,
}

impl<'a> Installation<'a> {
    fn new(args: &'a InitArgs) -> Result<Self> {
        let cluster = args.cluster;
        if !args.peer.is_empty() && cluster.as_str().contains('_') {
            bail!("--cluster {cluster}: certificates name the cluster, so it is made of a-z, 0-9, '-' and '.'");
        }
        let nodes = (!args.peer.is_empty()).then(|| Authority::new(&format!("sayso nodes of {cluster}")));
        Ok(Self {
            args,
            devices: Authority::new("sayso devices")?,
            operators: Authority::new("sayso operators")?,
            nodes: nodes.transpose()?,
            token_seed: seed()?,
            log_seed: seed()?,
            profile_key: ProfileKey { name: format!("{}/policy", first(&args.name)?), seed: seed()? },
            kek: vault::new_kek()?,
        })
    }

    /// All that a node needs. `sayso.toml` comes last: where it is, all that it names is too, even if this is killed on its way.
    fn node(&self, node: NodeId) -> Result<Files> {
        let Self { args, devices, operators, .. } = self;
        let mut files = Files::default();
        files.public("ca/cert.pem", devices.cert_pem());
        files.public("admin-ca/cert.pem", operators.cert_pem());
        files.identity("node", &devices.node(&args.name)?);
        if let Some(nodes) = &self.nodes {
            files.identity("peer", &nodes.peer(&args.cluster, node)?);
            files.public("peer/ca.pem", nodes.cert_pem());
        }
        let token_key = SigningKey::from_bytes(self.token_seed.reveal());
        let public_key = hex::encode(token_key.verifying_key().as_bytes());
        if node == FIRST_NODE {
            self.once(&mut files, token_key)?;
        }
        let origin = format!("{}/audit", first(&args.name)?);
        files.secret("log.key", &format!("{}\n", hex::encode(self.log_seed.reveal())));
        files.public("log.pub", &format!("{}\n", Signer::new(&origin, self.log_seed.reveal())?.verifier()));
        files.secret("kek.key", self.kek.reveal());
        let profile_signer = self.profile_key.signer()?;
        files.public(PROFILE, HOME_PROFILE);
        let signature = policy::signature_of(Path::new(PROFILE));
        files.public(&signature.to_string_lossy(), &policy::signed(&Profile::parse(HOME_PROFILE)?, &profile_signer));
        let [gateway, admin, metrics] = self.ports(node).map(|port| port.to_string());
        let config = CONFIG
            .replace("PROFILE-KEY", &profile_signer.verifier().to_string())
            .replace("LOG-ORIGIN", &origin)
            .replace("GATEWAY-PORT", &gateway)
            .replace("ADMIN-PORT", &admin)
            .replace("METRICS-PORT", &metrics)
            .replace("TIMEZONE", jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC"))
            .replace("TOKEN-KEY", TOKEN_KEY.as_str())
            .replace("TOKEN-PUBLIC-KEY", &public_key)
            .replace("STORE", &self.store(node));
        files.public("sayso.toml", &config);
        Ok(files)
    }

    /// What there is of an installation once, and not on each node.
    fn once(&self, files: &mut Files, token_key: SigningKey) -> Result<()> {
        let Self { args, devices, operators, .. } = self;
        files.secret("ca/key.pem", devices.key_pem());
        files.secret("admin-ca/key.pem", operators.key_pem());
        if let Some(nodes) = &self.nodes {
            files.public(&format!("{PEER_AUTHORITY}/cert.pem"), nodes.cert_pem());
            files.secret(&format!("{PEER_AUTHORITY}/key.pem"), nodes.key_pem());
        }
        files.identity("device", &devices.device(&args.tenant, &args.device_id)?);
        files.public("device/ca.pem", devices.cert_pem());
        files.secret(policy::KEY, self.profile_key.text().reveal());
        files.secret("token.key", &format!("{}\n", hex::encode(self.token_seed.reveal())));
        files.secret("device/token", &format!("{}\n", token(token_key, args).reveal()));
        files.identity("admin", &operators.operator("first operator")?);
        // The operator must know the node, whose certificate is of the other authority.
        files.public("admin/ca.pem", devices.cert_pem());
        Ok(())
    }

    /// The ports of a node: the usual ones, unless others are on the same machine.
    fn ports(&self, node: NodeId) -> [u16; 3] {
        let peers = &self.args.peer;
        let before = (node.0 - FIRST_NODE.0) as usize;
        let host = peers.get(before).map(PeerAddress::host);
        let beside = peers.iter().take(before).filter(|peer| Some(peer.host()) == host).count();
        PORTS.map(|port| port + NEXT_PORTS * beside as u16)
    }

    /// The table `store` of a node.
    fn store(&self, node: NodeId) -> String {
        let Self { args, .. } = self;
        let nodes = (1..).map(NodeId).zip(&args.peer);
        let region = match &args.region {
            Some(region) => format!("region = {}", toml::Value::from(region.as_str())),
            None => NO_REGION.to_owned(),
        };
        let Some((_, own)) = nodes.clone().find(|(one, _)| *one == node) else {
            return LOCAL_STORE.trim_end().replace("REGION", &region);
        };
        let founders = nodes.map(|(one, address)| {
            FOUNDER.trim_end().replace("NODE", &one.to_string()).replace("ADDRESS", &address.to_string())
        });
        let founders = founders.collect::<Vec<_>>().join("\n\n");
        let table = RAFT_STORE
            .replace("CLUSTER", args.cluster.as_str())
            .replace("NODE", &node.to_string())
            .replace("LISTEN", &own.listen().to_string())
            .replace("FOUNDERS", &founders)
            .replace("REGION", &region);
        table.trim_end().to_owned()
    }
}

/// A token for the first device, from yesterday on: the node's clock may be a little behind this one.
fn token(key: SigningKey, args: &InitArgs) -> Redacted<String> {
    let now = SystemClock::new().wall().0 / 1_000;
    TokenSigner::new(TOKEN_KEY, key).sign(&Claims {
        tenant: args.tenant.clone(),
        device: args.device_id.clone(),
        not_before: now.saturating_sub(DAY_SECONDS),
        expires: now + TOKEN_DAYS * DAY_SECONDS,
    })
}

/// The name under which the node is known first, which those of its keys begin with.
fn first(names: &[String]) -> Result<&str> {
    Ok(names.first().context("--name gives no name")?)
}

/// The seed of an Ed25519 key.
fn seed() -> Result<Redacted<[u8; 32]>> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the operating system gives no random bytes")?;
    Ok(Redacted::new(seed))
}

#[cfg(test)]
mod tests;
