//! `sayso init`: writes all that a first node, its first device and its first operator need.

mod fresh;
mod next;

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use ed25519_dalek::SigningKey;
use sayso_audit::Signer;
use sayso_runtime::{SystemClock, config as loader};
use sayso_store_raft::NodeId;
use sayso_types::{Clock, Name, Redacted};
use sayso_wire::token::{Claims, TokenSigner};

use self::fresh::Fresh;
use crate::certs::{Authority, Issued};
use crate::cli::{InitArgs, OperatorArgs, OperatorCommand, PeerAddress};
use crate::config::HOME_PROFILE;
use crate::join::{Entering, Token, enter};
use crate::{output, vault};

/// The configuration, with words in capitals where values go.
const CONFIG: &str = include_str!("init/sayso.toml");
/// Its table `store`: of one node, and of the first of several.
const LOCAL_STORE: &str = include_str!("init/local.toml");
const RAFT_STORE: &str = include_str!("init/raft.toml");
/// The authority of the nodes of a cluster, which vouches for nobody else.
const PEER_AUTHORITY: &str = "peer-ca";
/// The node that founds a cluster.
const FIRST_NODE: NodeId = NodeId(1);
/// The name under which the node knows the key of device tokens.
const TOKEN_KEY: Name = Name::constant("first");

const DAY_SECONDS: u64 = 86_400;
/// Device tokens live as long as device certificates.
const TOKEN_DAYS: u64 = 365;

pub(crate) fn run(args: &InitArgs) -> Result<ExitCode> {
    let mut fresh = Fresh::open(&args.dir)?;
    let steps = match (&args.join, &args.peer) {
        (Some(token), Some(address)) => {
            join(&mut fresh, token, address, &args.name)?;
            next::steps_of_one_more(args, token)
        }
        _ => {
            write(&mut fresh, args)?;
            next::steps(args)
        }
    };
    fresh.keep();
    output::line(steps)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes what one more of the operator's people needs.
pub(crate) fn operator(args: &OperatorArgs) -> Result<ExitCode> {
    let OperatorCommand::Add { name, processors, tenant, node, out } = &args.command;
    if name.is_empty() {
        bail!("NAME is empty; say what they are called");
    }
    let [certificate, key] = ["cert.pem", "key.pem"].map(|file| node.join("admin-ca").join(file));
    let operators = Authority::read(&certificate, &key)?;
    let issued = match (processors.as_slice(), tenant) {
        ([], None) => operators.operator(name)?,
        ([], Some(tenant)) => operators.operator_of(tenant, name)?,
        (processors, tenant) => operators.service(name, processors, tenant.as_ref())?,
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
fn join(fresh: &mut Fresh, token: &Token, address: &PeerAddress, names: &[String]) -> Result<()> {
    let Entering { config, files } = enter(token, address, names)?;
    let dirs: BTreeSet<_> = files.iter().filter_map(|(name, ..)| Some(name.split_once('/')?.0)).collect();
    for dir in dirs {
        fresh.dir(dir)?;
    }
    for (name, text, is_secret) in &files {
        if *is_secret { fresh.secret(name, text)? } else { fresh.public(name, text)? }
    }
    let config = loader::dump(&config)?;
    fresh
        .public("sayso.toml", &format!("# Node {} of cluster {}, as it joined.\n\n{config}", token.node, token.cluster))
}

/// Writes everything. `sayso.toml` comes last: where it is, all that it names is too, even if this is killed on its way.
fn write(fresh: &mut Fresh, args: &InitArgs) -> Result<()> {
    let devices = Authority::new("sayso devices")?;
    write_authority(fresh, "ca", &devices)?;
    write_identity(fresh, "node", &devices.node(&args.name)?)?;
    write_identity(fresh, "device", &devices.device(&args.tenant, &args.device_id)?)?;
    fresh.public("device/ca.pem", devices.cert_pem())?;

    let operators = Authority::new("sayso operators")?;
    write_authority(fresh, "admin-ca", &operators)?;
    write_identity(fresh, "admin", &operators.operator("first operator")?)?;
    // The operator must know the node, whose certificate is of the other authority.
    fresh.public("admin/ca.pem", devices.cert_pem())?;

    let token_seed = seed()?;
    let token_key = SigningKey::from_bytes(token_seed.reveal());
    let public_key = hex::encode(token_key.verifying_key().as_bytes());
    fresh.secret("token.key", &format!("{}\n", hex::encode(token_seed.reveal())))?;
    fresh.secret("device/token", &format!("{}\n", token(token_key, args).reveal()))?;

    let origin = format!("{}/audit", args.name.first().context("--name gives no name")?);
    let log_seed = seed()?;
    fresh.secret("log.key", &format!("{}\n", hex::encode(log_seed.reveal())))?;
    fresh.public("log.pub", &format!("{}\n", Signer::new(&origin, log_seed.reveal())?.verifier()))?;

    fresh.secret("kek.key", vault::new_kek()?.reveal())?;

    fresh.public("profile.toml", HOME_PROFILE)?;
    let config = CONFIG
        .replace("STORE", &store(fresh, args)?)
        .replace("LOG-ORIGIN", &origin)
        .replace("TIMEZONE", jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC"))
        .replace("TOKEN-KEY", TOKEN_KEY.as_str())
        .replace("TOKEN-PUBLIC-KEY", &public_key);
    fresh.public("sayso.toml", &config)
}

/// The table `store`, with what it names.
fn store(fresh: &mut Fresh, args: &InitArgs) -> Result<String> {
    let Some(address) = &args.peer else { return Ok(LOCAL_STORE.trim_end().to_owned()) };
    if args.cluster.as_str().contains('_') {
        bail!("--cluster {}: certificates name the cluster, so it is made of a-z, 0-9, '-' and '.'", args.cluster);
    }
    let nodes = Authority::new(&format!("sayso nodes of {}", args.cluster))?;
    write_authority(fresh, PEER_AUTHORITY, &nodes)?;
    write_identity(fresh, "peer", &nodes.peer(&args.cluster, FIRST_NODE)?)?;
    fresh.public("peer/ca.pem", nodes.cert_pem())?;
    let table = RAFT_STORE
        .replace("CLUSTER", args.cluster.as_str())
        .replace("LISTEN", &address.listen().to_string())
        .replace("ADDRESS", &address.to_string());
    Ok(table.trim_end().to_owned())
}

fn write_authority(fresh: &mut Fresh, name: &str, authority: &Authority) -> Result<()> {
    fresh.dir(name)?;
    fresh.public(&format!("{name}/cert.pem"), authority.cert_pem())?;
    fresh.secret(&format!("{name}/key.pem"), authority.key_pem())
}

fn write_identity(fresh: &mut Fresh, name: &str, issued: &Issued) -> Result<()> {
    fresh.dir(name)?;
    fresh.public(&format!("{name}/cert.pem"), &issued.chain_pem)?;
    fresh.secret(&format!("{name}/key.pem"), &issued.key_pem)
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

/// The seed of an Ed25519 key.
fn seed() -> Result<Redacted<[u8; 32]>> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the operating system gives no random bytes")?;
    Ok(Redacted::new(seed))
}

#[cfg(test)]
mod tests;
