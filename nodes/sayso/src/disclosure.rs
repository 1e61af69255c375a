//! `sayso disclosure`: what authorities are given by law from a running node, and how a recipient reads it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use sayso_consent::disclosure::sealed;
use sayso_proto::admin::v1::disclosures_client::DisclosuresClient;
use sayso_proto::admin::v1::{
    Demand, Demanded, Disclosure, ListDisclosuresRequest, MakeDisclosureRequest, Principal, ProposeDisclosureRequest,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::{DisclosureArgs, DisclosureCommand, NodeArgs, ProposeDisclosureArgs};
use crate::exemption;
use crate::operator;
use crate::output::{self, moment, text};
use crate::serve::runtime;

/// Bytes of a message with a file: what a node gives at once, encrypted and in base64, and some for the rest.
const FILE_BYTES_MAX: usize = 16 << 20;

/// How an X25519 public key begins in DER (RFC 8410, section 4), before its 32 bytes.
const PUBLIC: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00];

/// How an X25519 private key begins in DER (RFC 8410, section 7), before its 32 bytes.
const PRIVATE: &[u8] =
    &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20];

pub(crate) fn run(args: &DisclosureArgs) -> Result<ExitCode> {
    match &args.command {
        DisclosureCommand::Open { file, key } => open(file, key)?,
        command => {
            let shown = runtime()?.block_on(disclosure(command))?;
            if args.json { output::json(&shown)? } else { output::line(told(&shown))? }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn disclosure(command: &DisclosureCommand) -> Result<Value> {
    Ok(match command {
        DisclosureCommand::Propose(args) => {
            let proposed = client(&args.node).await?.propose(proposal(args)?).await;
            let proposed = proposed.context("the disclosure is not proposed")?.into_inner();
            exemption::shown(proposed.exemption.as_ref())
        }
        DisclosureCommand::Make { node, id, file, categories } => {
            // before anything is given away and on record
            let mut to = OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(file)
                .with_context(|| format!("cannot write {}; give a file that is not there", file.display()))?;
            let request = MakeDisclosureRequest { exemption_id: id.clone(), categories: categories.clone() };
            let made = client(node).await?.make(request).await;
            let written = made.context("nothing is given").and_then(|made| {
                let made = made.into_inner();
                to.write_all(&made.file).and_then(|()| to.sync_all()).context("the file cannot be written")?;
                Ok(made)
            });
            if written.is_err() {
                // an empty file is no disclosure; that it stays does no harm
                let _ = fs::remove_file(file);
            }
            made_of(written?.disclosure.as_ref())
        }
        DisclosureCommand::List { node } => {
            let listed = client(node).await?.list(ListDisclosuresRequest {}).await;
            let listed = listed.context("the node lists no disclosures")?.into_inner();
            let disclosures: Value = listed.disclosures.iter().map(|one| made_of(Some(one))).collect();
            json!({ "demands": listed.demands.iter().map(demanded).collect::<Value>(), "disclosures": disclosures })
        }
        DisclosureCommand::Open { .. } => Value::Null,
    })
}

fn open(file: &Path, key: &Path) -> Result<()> {
    let der = PrivatePkcs8KeyDer::from_pem_file(key).with_context(|| format!("{} is no private key", key.display()))?;
    let key = key_of(der.secret_pkcs8_der(), PRIVATE).with_context(|| format!("{}: no X25519 key", key.display()))?;
    let sealed = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let content = sealed::open(&sealed, &key).with_context(|| format!("cannot open {}", file.display()))?;
    output::line(core::str::from_utf8(&content).context("what is in the file is not text")?)
}

/// The 32 bytes of a key, which in `der` come after `prefix`.
fn key_of(der: &[u8], prefix: &[u8]) -> Option<[u8; 32]> {
    der.strip_prefix(prefix)?.try_into().ok()
}

async fn client(node: &NodeArgs) -> Result<DisclosuresClient<tonic::transport::Channel>> {
    Ok(DisclosuresClient::new(operator::to(node).await?).max_decoding_message_size(FILE_BYTES_MAX))
}

fn proposal(args: &ProposeDisclosureArgs) -> Result<ProposeDisclosureRequest> {
    let document =
        fs::read(&args.document).with_context(|| format!("cannot read the document {}", args.document.display()))?;
    let recipient = SubjectPublicKeyInfoDer::from_pem_file(&args.recipient).ok();
    let recipient = recipient.and_then(|der| key_of(&der, PUBLIC)).with_context(|| {
        format!("{} is no X25519 public key in PEM; see --help for how one is made", args.recipient.display())
    })?;
    let unix_ms = |at: Option<Timestamp>| at.map_or(0, |at| u64::try_from(at.as_millisecond()).unwrap_or(1));
    let principals = args.devices.iter().map(|device| Principal {
        tenant_id: args.tenant.to_string(),
        device_id: device.to_string(),
        ..Principal::default()
    });
    Ok(ProposeDisclosureRequest {
        code: args.code.clone(),
        principals: principals.collect(),
        categories: args.categories.clone(),
        lasts: args.lasts.clone(),
        demand: Some(Demand {
            authority: args.authority.clone(),
            reference: args.reference.clone(),
            law: args.law.clone(),
            document_sha256: Sha256::digest(&document).to_vec(),
            from_unix_ms: unix_ms(args.from),
            until_unix_ms: unix_ms(args.until),
            by_unix_ms: unix_ms(args.by),
            recipient: recipient.to_vec(),
            tell_after: args.tell_after.clone().unwrap_or_default(),
        }),
    })
}

/// What was demanded and what was given, for people; of one of them, that.
fn told(shown: &Value) -> String {
    if shown["demands"].is_null() {
        return if shown["disclosure"].is_null() { told_demand(shown) } else { told_disclosure(shown) };
    }
    let lines =
        |of: &str, told: fn(&Value) -> String| shown[of].as_array().into_iter().flatten().map(told).collect::<Vec<_>>();
    let all = [lines("demands", told_demand), lines("disclosures", told_disclosure)].concat();
    if all.is_empty() { "nothing was demanded".to_owned() } else { all.join("\n") }
}

/// What is demanded in one line.
fn told_demand(demand: &Value) -> String {
    let [id, code, state, authority, reference, law, lasts] =
        ["exemption", "code", "state", "authority", "reference", "law", "lasts"].map(|name| text(demand, name));
    let (given, needed) = (&demand["approvals"], &demand["approvals_needed"]);
    let until = demand["until"].as_str().map_or_else(|| format!("for {lasts}"), |until| format!("until {until}"));
    let by = if authority.is_empty() { String::new() } else { format!(" by {authority}, {reference} ({law})") };
    let categories = listed(&demand["categories"]);
    format!("{id}  {code} {state}, {given} of {needed} approvals, {until}: {categories} demanded{by}")
}

/// What was given in one line.
fn told_disclosure(made: &Value) -> String {
    let [id, exemption, at, file] = ["disclosure", "exemption", "made_at", "file_sha256"].map(|name| text(made, name));
    let (categories, rows, bytes) = (listed(&made["categories"]), &made["rows"], &made["bytes"]);
    let people = made["subjects"].as_array().map_or(0, Vec::len);
    let told = match (made["told_at"].as_str(), made["tell_at"].as_str()) {
        (Some(at), _) => format!("told at {at}"),
        (None, Some(at)) => format!("to be told at {at}"),
        (None, None) => "not to be told".to_owned(),
    };
    format!(
        "{id}  given on {exemption} at {at}: {categories}, {rows} records of {people} people ({told}), {bytes} bytes, \
         SHA-256 {file}"
    )
}

fn listed(names: &Value) -> String {
    names.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn demanded(demanded: &Demanded) -> Value {
    let (mut shown, demand) =
        (exemption::shown(demanded.exemption.as_ref()), demanded.demand.clone().unwrap_or_default());
    shown["subjects"] = json!(demanded.subject_ids);
    shown["authority"] = demand.authority.into();
    shown["reference"] = demand.reference.into();
    shown["law"] = demand.law.into();
    shown["data_from"] = moment(demand.from_unix_ms).into();
    shown["data_until"] = moment(demand.until_unix_ms).into();
    shown["by"] = moment(demand.by_unix_ms).into();
    shown["recipient"] = hex::encode(&demand.recipient).into();
    shown["tell_after"] = (!demand.tell_after.is_empty()).then_some(demand.tell_after).into();
    shown
}

fn made_of(disclosure: Option<&Disclosure>) -> Value {
    let Some(disclosure) = disclosure else { return Value::Null };
    json!({
        "disclosure": hex::encode(&disclosure.disclosure_id),
        "exemption": disclosure.exemption_id,
        "made_at": moment(disclosure.made_unix_ms),
        "subjects": disclosure.subject_ids,
        "categories": disclosure.categories,
        "rows": disclosure.rows,
        "bytes": disclosure.bytes,
        "file_sha256": hex::encode(&disclosure.file_sha256),
        "tell_at": moment(disclosure.tell_unix_ms),
        "told_at": moment(disclosure.told_unix_ms),
    })
}
