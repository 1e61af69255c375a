//! `sayso kept`: what integrators have a running node keep of people.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::kept_client::KeptClient;
use sayso_proto::admin::v1::{
    DeleteKeptRequest, GetKeptRequest, KeptItem, KeptParty, KeptSource, ListKeptRequest, Principal, PutKeptRequest,
    UnbindDeviceRequest,
};
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::cli::{KeptArgs, KeptCommand, KeptSourceArg, PersonArgs, PutKeptArgs};
use crate::output::moment;
use crate::serve::runtime;
use crate::{operator, output};

/// Bytes of an answer: an item, and some for the rest.
const ANSWER_BYTES_MAX: usize = 9 << 20;

pub(crate) fn run(args: &KeptArgs) -> Result<ExitCode> {
    runtime()?.block_on(kept(&args.command))?;
    Ok(ExitCode::SUCCESS)
}

async fn kept(command: &KeptCommand) -> Result<()> {
    match command {
        KeptCommand::Put(args) => {
            let id = put(args).await?;
            if args.json { output::json(&json!({ "item": id })) } else { output::line(format!("kept as {id}")) }
        }
        KeptCommand::Get { person, item, out, json } => {
            let request = GetKeptRequest { principal: Some(operator::principal(person)), item_id: parsed(item)? };
            let answer = client(person).await?.get(request).await.context("the node does not give the item")?;
            let answer = answer.into_inner();
            match out {
                Some(file) => write(file, &answer.content)?,
                None => std::io::stdout().write_all(&answer.content).context("cannot write to standard output")?,
            }
            let item = answer.item.unwrap_or_default();
            if *json { output::json(&shown(&item)) } else { Ok(()) }
        }
        KeptCommand::List { person, category, json } => {
            let category = category.map_or_else(String::new, |category| category.to_string());
            let items = listed(person, category).await?;
            if *json {
                return output::json(&items.iter().map(shown).collect::<Vec<_>>());
            }
            if items.is_empty() {
                return output::line("nothing is kept of the person");
            }
            items.iter().try_for_each(|item| output::line(told(item)))
        }
        KeptCommand::Unbind { person, json } => {
            let request = UnbindDeviceRequest { principal: Some(operator::principal(person)) };
            client(person).await?.unbind(request).await.context("it is not unbound")?;
            let device = person.device_id.to_string();
            if *json {
                return output::json(&json!({ "unbound": device }));
            }
            output::line(format!("{device} speaks for nobody from here on; whoever speaks to it next is somebody new"))
        }
        KeptCommand::Delete { person, item, json } => {
            let request = DeleteKeptRequest { principal: Some(operator::principal(person)), item_id: parsed(item)? };
            let answer = client(person).await?.delete(request).await.context("it is not deleted")?.into_inner();
            let (law, until) = (answer.kept_by_law, moment(answer.kept_until_unix_ms).unwrap_or_default());
            match (*json, law.is_empty()) {
                (true, true) => output::json(&json!({ "deleted": item })),
                (true, false) => output::json(&json!({ "deleted": item, "kept_by_law": law, "kept_until": until })),
                (false, true) => output::line(format!("deleted {item}")),
                (false, false) => output::line(format!(
                    "deleted {item}: it is used for nothing from here on; {law} demands that it is stored until {until}"
                )),
            }
        }
    }
}

async fn put(args: &PutKeptArgs) -> Result<String> {
    let content = fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let party = args.party.as_ref().map(|processor| KeptParty {
        processor: processor.clone(),
        basis: args.basis.clone().unwrap_or_default(),
        reference: args.reference.clone().unwrap_or_default(),
    });
    let source = match (&party, args.source) {
        (Some(_), _) => KeptSource::Party,
        (None, KeptSourceArg::Person) => KeptSource::Unspecified,
        (None, KeptSourceArg::Device) => KeptSource::Device,
    };
    let of = args.of.as_ref().map(|device| Principal {
        tenant_id: args.person.tenant.to_string(),
        device_id: device.to_string(),
        ..Principal::default()
    });
    let request = PutKeptRequest {
        principal: Some(operator::principal(&args.person)),
        category: args.category.to_string(),
        purpose: args.purpose.to_string(),
        media_type: args.media_type.clone(),
        content,
        collected_unix_ms: args.collected.map_or(0, |at| u64::try_from(at.as_millisecond()).unwrap_or(0)),
        source: source.into(),
        party,
        of,
        derived_from: args.from.iter().map(|item| parsed(item)).collect::<Result<_>>()?,
        attribute: args.attribute.clone().unwrap_or_default(),
        ticket: args.ticket.clone().unwrap_or_default(),
    };
    let put = client(&args.person).await?.put(request).await.context("it is not kept")?;
    Ok(hex::encode(put.into_inner().item_id))
}

async fn listed(person: &PersonArgs, category: String) -> Result<Vec<KeptItem>> {
    let (mut client, mut items, mut page_token) = (client(person).await?, Vec::new(), String::new());
    loop {
        let principal = Some(operator::principal(person));
        let request = ListKeptRequest { principal, category: category.clone(), page_size: 1_000, page_token };
        let page = client.list(request).await.context("the node lists nothing")?.into_inner();
        items.extend(page.items);
        if page.next_page_token.is_empty() {
            return Ok(items);
        }
        page_token = page.next_page_token;
    }
}

async fn client(person: &PersonArgs) -> Result<KeptClient<Channel>> {
    let client = KeptClient::new(operator::to(&person.node).await?);
    Ok(client.max_decoding_message_size(ANSWER_BYTES_MAX))
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

fn parsed(id: &str) -> Result<Vec<u8>> {
    hex::decode(id)
        .ok()
        .filter(|bytes| bytes.len() == 16)
        .with_context(|| format!("ITEM {id:?} is not 32 hexadecimal digits, as `put` and `list` print"))
}

/// An item, for people.
fn told(item: &KeptItem) -> String {
    let KeptItem { category, purpose, media_type, bytes, .. } = item;
    let at = moment(item.collected_unix_ms).unwrap_or_default();
    let from = match (item.source(), &item.party) {
        (KeptSource::Party, Some(party)) => format!(", from {}", party.processor),
        (KeptSource::Device, _) => ", from the device".to_owned(),
        _ => String::new(),
    };
    let of = if item.of_subject_id.is_empty() { String::new() } else { format!(", of {}", item.of_subject_id) };
    let id = hex::encode(&item.item_id);
    format!("{id}  {at}  {category} for {purpose}, {media_type}, {bytes} B{from}{of}")
}

fn shown(item: &KeptItem) -> Value {
    let named = |text: &String| (!text.is_empty()).then(|| text.clone());
    let source = match item.source() {
        KeptSource::Unspecified => "person",
        KeptSource::Device => "device",
        KeptSource::Party => "party",
    };
    let party = item
        .party
        .as_ref()
        .map(|party| json!({ "processor": party.processor, "basis": party.basis, "reference": party.reference }));
    json!({
        "item": hex::encode(&item.item_id),
        "category": item.category,
        "purpose": item.purpose,
        "media_type": item.media_type,
        "bytes": item.bytes,
        "collected_at": moment(item.collected_unix_ms),
        "source": source,
        "party": party,
        "of": named(&item.of_subject_id),
        "derived_from": item.derived_from.iter().map(hex::encode).collect::<Vec<_>>(),
        "attribute": named(&item.attribute),
        "ticket": named(&item.ticket),
    })
}
