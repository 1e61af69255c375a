//! `sayso hold`: what laws demand to be kept, on a running node.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::holds_client::HoldsClient;
use sayso_proto::admin::v1::{Hold, ListHoldsRequest, Principal, ReleaseHoldRequest, SetHoldRequest};
use serde_json::{Value, json};

use crate::cli::{HoldArgs, HoldCommand, SetHoldArgs};
use crate::output::moment;
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &HoldArgs) -> Result<ExitCode> {
    let runtime = runtime()?;
    match &args.command {
        HoldCommand::Set(args) => {
            let hold = runtime.block_on(set(args))?;
            if args.json { output::json(&shown(&hold))? } else { output::line(told(&hold))? }
        }
        HoldCommand::List { node, json } => {
            let listed =
                async { HoldsClient::new(operator::to(node).await?).list(ListHoldsRequest {}).await.context(LIST) };
            let holds = runtime.block_on(listed)?.into_inner().holds;
            if *json {
                output::json(&holds.iter().map(shown).collect::<Vec<_>>())?;
            } else if holds.is_empty() {
                output::line("no hold is set")?;
            } else {
                holds.iter().try_for_each(|hold| output::line(told(hold)))?;
            }
        }
        HoldCommand::Release { node, hold, json } => {
            let id = hex::decode(hold).ok().filter(|id| id.len() == 16);
            let hold_id =
                id.with_context(|| format!("HOLD {hold:?} is not 32 hexadecimal digits, as `list` prints"))?;
            let request = ReleaseHoldRequest { hold_id };
            let released =
                async { HoldsClient::new(operator::to(node).await?).release(request).await.context("it is still set") };
            let hold = runtime.block_on(released)?.into_inner().hold.context("the node says nothing of the hold")?;
            if *json { output::json(&shown(&hold))? } else { output::line(format!("released {}", told(&hold)))? }
        }
    }
    Ok(ExitCode::SUCCESS)
}

const LIST: &str = "the node lists no holds";

async fn set(args: &SetHoldArgs) -> Result<Hold> {
    let principal = args.device_id.as_ref().map(|device| Principal {
        tenant_id: args.tenant.to_string(),
        device_id: device.to_string(),
        ..Principal::default()
    });
    let until = args.until.map_or(0, |until| u64::try_from(until.as_millisecond()).unwrap_or(1));
    let category = args.category.map_or_else(String::new, |category| category.to_string());
    let request = SetHoldRequest { principal, category, law: args.law.clone(), until_unix_ms: until };
    let set = HoldsClient::new(operator::to(&args.node).await?).set(request).await.context("the hold is not set")?;
    set.into_inner().hold.context("the node says nothing of the hold")
}

fn shown(hold: &Hold) -> Value {
    json!({
        "hold": hex::encode(&hold.hold_id),
        "subject": said(&hold.subject_id),
        "category": said(&hold.category),
        "law": hold.law,
        "set_by": hold.set_by,
        "set_at": moment(hold.set_unix_ms),
        "until": (hold.until_unix_ms > 0).then(|| moment(hold.until_unix_ms)),
    })
}

fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// A hold in one line, for people.
fn told(hold: &Hold) -> String {
    let what = said(&hold.category).unwrap_or("everything");
    let whose = said(&hold.subject_id).map_or_else(|| "of everybody".to_owned(), |id| format!("of {id}"));
    let until = match hold.until_unix_ms {
        0 => "until it is released".to_owned(),
        at => format!("until {}", moment(at).unwrap_or_default()),
    };
    let (id, law, by) = (hex::encode(&hold.hold_id), &hold.law, &hold.set_by);
    let since = moment(hold.set_unix_ms).unwrap_or_default();
    format!("{id}  keeps {what} {whose} {until}: {law} (set by {by}, {since})")
}
