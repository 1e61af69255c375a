//! `sayso permit`: asks a node before something of a person goes elsewhere, stops what may go on no longer, and says who is gone.

mod bound;
mod child;
mod hold;
mod stream;
mod term;
mod watch;

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_policy::Reason;
use sayso_proto::admin::v1::permits_client::PermitsClient;
use sayso_proto::admin::v1::{FencePermitsRequest, FencePermitsResponse, PermitDenied, PermitGiven};
use serde_json::json;

use self::stream::{Answer, Stream};
use crate::cli::{NodeArgs, PermitArgs, PermitCommand, PermitForArgs};
use crate::serve::runtime;
use crate::{operator, output};

/// What `ask` ends with when it may not.
const DENIED: u8 = 3;

pub(crate) fn run(args: &PermitArgs) -> Result<ExitCode> {
    match &args.command {
        PermitCommand::Ask { what, json } => runtime()?.block_on(ask(what, *json)),
        PermitCommand::Hold { what, command } => runtime()?.block_on(hold::hold(what, command)),
        PermitCommand::Fence { node, processor, permit, json } => {
            runtime()?.block_on(fence(node, processor, permit.as_deref(), *json))
        }
        PermitCommand::Bound { until, command } => bound::run(*until, command),
        PermitCommand::Watch => runtime()?.block_on(watch::watch()),
    }
}

async fn ask(what: &PermitForArgs, as_json: bool) -> Result<ExitCode> {
    let mut stream = Stream::open(&what.person.node).await?;
    let answer = stream.ask(what).await?;
    if let Answer::Given(given) = &answer {
        stream.let_go(&given.permit_id, false).await?;
    }
    match answer {
        Answer::Given(given) => {
            if as_json {
                output::json(&given_as_json(&given))?;
            } else {
                output::line(format_args!("It may, on the basis of {}{}.", given.basis, duties(&given)))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Answer::Denied(denied) => {
            if as_json {
                let PermitDenied { reason, basis, policy_revision, .. } = denied;
                let answer =
                    json!({ "may": false, "reason": reason, "basis": basis, "policy_revision": policy_revision });
                output::json(&answer)?;
            } else {
                output::line(told(&denied))?;
            }
            Ok(ExitCode::from(DENIED))
        }
    }
}

/// Says that whoever had permits of `processor`, and is silent, can do nothing any more.
async fn fence(node: &NodeArgs, processor: &str, permit: Option<&str>, as_json: bool) -> Result<ExitCode> {
    let id =
        |permit| hex::decode(permit).context("--permit is not hexadecimal, as a withdrawal that is PENDING names it");
    let permit_id = permit.map(id).transpose()?.unwrap_or_default();
    let request = FencePermitsRequest { processor: processor.to_owned(), permit_id };
    let fenced = PermitsClient::new(operator::to(node).await?).fence(request).await;
    let FencePermitsResponse { ended, left } = fenced.context("the permits are not ended")?.into_inner();
    if as_json {
        output::json(&json!({ "ended": ended, "left": left }))?;
    } else {
        output::line(format_args!("{ended} permits of {processor} are over; {left} have not run out."))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A denial, for people.
fn told(denied: &PermitDenied) -> String {
    let PermitDenied { reason, basis, .. } = denied;
    let why = match Reason::ALL.into_iter().find(|known| known.as_str() == reason) {
        Some(Reason::Prohibited) => "the policy forbids it, and no consent opens it",
        Some(Reason::UnknownCell) => "the policy does not use this data for this",
        Some(Reason::MinorNoGuardian) => "the person may be a minor, and no guardian has agreed",
        Some(Reason::SwitchedOff) => "the data, or the tenant, is switched off",
        Some(Reason::NotInstructed) => "the tenant has not instructed it, or not any more",
        Some(Reason::Restricted) => "the person had the use of it restricted",
        Some(Reason::ProcessorState) => {
            "the receiver is not in use, was not examined in time, or is not meant for this"
        }
        Some(Reason::Region) => "the receiver is further away than the person allows",
        Some(Reason::TransferLimit) => "as many people's data went there this year as may",
        Some(Reason::AccountClosed) => "it rests on a contract with the person, who closed their account",
        Some(Reason::NoBasis) => "the person has not agreed to it, or has taken that back",
        Some(Reason::TakenBack) => "the person took back this part of what they agreed to",
        Some(Reason::NotTold) => {
            "the receiver has a privacy policy of its own, and the person was not told so yet; their device says it in their \
             next conversation, or their tenant tells them"
        }
        // of a node that knows more
        None => "the node says so",
    };
    format!("It may not: {why} ({reason}). The policy rests this on: {basis}.")
}

/// What has to be kept to, as the end of a sentence.
fn duties(given: &PermitGiven) -> String {
    let Some(duties) = &given.obligations else { return String::new() };
    let said = [
        (duties.no_store, "it must not be stored"),
        (duties.zeroise, "it must be overwritten as soon as it was used"),
        (duties.redact, "what the policy lists must be taken out of it first"),
        (duties.minor, "the person may be a minor"),
    ];
    let mut said: Vec<_> = said.into_iter().filter(|(is_so, _)| *is_so).map(|(_, duty)| duty.to_owned()).collect();
    if !duties.only_fields.is_empty() {
        said.push(format!("only {} may go", duties.only_fields.join(", ")));
    }
    said.extend(duties.bytes_max.map(|most| format!("at most {most} bytes may go")));
    if said.is_empty() { String::new() } else { format!("; {}", said.join("; ")) }
}

fn given_as_json(given: &PermitGiven) -> serde_json::Value {
    let duties = given.obligations.clone().unwrap_or_default();
    json!({
        "may": true,
        "basis": given.basis,
        "policy_revision": given.policy_revision,
        "subject_id": given.subject_id,
        "obligations": {
            "no_store": duties.no_store,
            "zeroise": duties.zeroise,
            "redact": duties.redact,
            "only_fields": duties.only_fields,
            "minor": duties.minor,
            "bytes_max": duties.bytes_max,
        },
    })
}
