//! `sayso init`: writes all that a first node, its first device and its first operator need.

mod fresh;
mod next;

use std::process::ExitCode;

use anyhow::{Context, Result};
use ed25519_dalek::SigningKey;
use sayso_audit::Signer;
use sayso_runtime::SystemClock;
use sayso_types::{Clock, Name, Redacted};
use sayso_wire::token::{Claims, TokenSigner};

use self::fresh::Fresh;
use crate::certs::{Authority, Issued};
use crate::cli::InitArgs;
use crate::config::HOME_PROFILE;
use crate::hex;
use crate::output;

/// The configuration, with words in capitals where values go.
const CONFIG: &str = include_str!("init/sayso.toml");
/// The name under which the node knows the key of device tokens.
const TOKEN_KEY: Name = Name::constant("first");

const DAY_SECONDS: u64 = 86_400;
/// Device tokens live as long as device certificates.
const TOKEN_DAYS: u64 = 365;

pub(crate) fn run(args: &InitArgs) -> Result<ExitCode> {
    let mut fresh = Fresh::open(&args.dir)?;
    write(&mut fresh, args)?;
    fresh.keep();
    output::line(next::steps(args))?;
    Ok(ExitCode::SUCCESS)
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

    fresh.public("profile.toml", HOME_PROFILE)?;
    let config = CONFIG
        .replace("LOG-ORIGIN", &origin)
        .replace("TIMEZONE", jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC"))
        .replace("TOKEN-KEY", TOKEN_KEY.as_str())
        .replace("TOKEN-PUBLIC-KEY", &public_key);
    fresh.public("sayso.toml", &config)
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
