//! `sayso switch`: what is turned off on a running node.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::switches_client::SwitchesClient;
use sayso_proto::admin::v1::{
    CountTransfersRequest, CountTransfersResponse, CountVolumesRequest, CountVolumesResponse, ListSwitchesRequest,
    Switch, SwitchPosition, SwitchSort, ThrowSwitchRequest, TransferredPeople,
};
use serde_json::{Value, json};

use crate::cli::{SortArg, SwitchArgs, SwitchCommand, ThrowArgs};
use crate::incident::{id, word};
use crate::output::moment;
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &SwitchArgs) -> Result<ExitCode> {
    let runtime = runtime()?;
    match &args.command {
        SwitchCommand::Off { throw, for_good: true } => runtime.block_on(thrown(throw, SwitchPosition::Terminated))?,
        SwitchCommand::Off { throw, for_good: false } => runtime.block_on(thrown(throw, SwitchPosition::Off))?,
        SwitchCommand::On { throw } => runtime.block_on(thrown(throw, SwitchPosition::On))?,
        SwitchCommand::Transfers { node, year, json } => {
            let counted = async {
                let request = CountTransfersRequest { year: year.unwrap_or_default() };
                let asked = SwitchesClient::new(operator::to(node).await?).count_transfers(request).await;
                asked.context("the node does not count")
            };
            transfers(&runtime.block_on(counted)?.into_inner(), *json)?;
        }
        SwitchCommand::Volumes { node, json } => {
            let counted = async {
                let asked = SwitchesClient::new(operator::to(node).await?).count_volumes(CountVolumesRequest {}).await;
                asked.context("the node does not say how much went where")
            };
            volumes(&runtime.block_on(counted)?.into_inner(), *json)?;
        }
        SwitchCommand::List { node, json } => {
            let listed = async {
                SwitchesClient::new(operator::to(node).await?)
                    .list(ListSwitchesRequest {})
                    .await
                    .context("the node lists no switches")
            };
            let switches = runtime.block_on(listed)?.into_inner().switches;
            if *json {
                output::json(&switches.iter().map(shown).collect::<Vec<_>>())?;
            } else if switches.is_empty() {
                output::line("No switch was ever thrown.")?;
            }
            for switch in switches.iter().filter(|_| !json) {
                output::line(told(switch))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn thrown(args: &ThrowArgs, to: SwitchPosition) -> Result<()> {
    let sort = match args.sort {
        SortArg::Processor => SwitchSort::Processor,
        SortArg::Category => SwitchSort::Category,
        SortArg::Tenant => SwitchSort::Tenant,
    };
    let request = ThrowSwitchRequest {
        sort: sort.into(),
        name: args.name.clone(),
        to: to.into(),
        reason: args.reason.to_string(),
        incident_id: args.incident.as_deref().map(id).transpose()?.unwrap_or_default(),
    };
    let asked = SwitchesClient::new(operator::to(&args.node).await?).throw(request).await;
    let answer = asked.context("the switch is not thrown")?.into_inner();
    let switch = answer.switch.context("the node did not say how the switch stands")?;
    if args.json {
        let mut shown = shown(&switch);
        shown["permits_ended"] = answer.permits_ended.into();
        return output::json(&shown);
    }
    output::line(told(&switch))?;
    if to != SwitchPosition::On {
        output::line(format_args!("Nothing passes there any more; {} permits were taken back.", answer.permits_ended))?;
    }
    Ok(())
}

/// Prints how many people's data went overseas.
fn transfers(counted: &CountTransfersResponse, json: bool) -> Result<()> {
    let together = counted.together.unwrap_or_default();
    let people = |people: TransferredPeople| json!({ "persons": people.persons, "sensitive": people.sensitive });
    if json {
        let to = counted.to.iter().map(|to| {
            let most = json!({
                "together_persons": to.together_persons_max,
                "together_sensitive": to.together_sensitive_max,
                "sensitive": to.sensitive_max,
            });
            let (id, mechanism) = (&to.processor_id, &to.mechanism);
            json!({ "processor": id, "people": people(to.people.unwrap_or_default()), "mechanism": mechanism, "most": most })
        });
        let to: Vec<_> = to.collect();
        return output::json(&json!({ "year": counted.year, "together": people(together), "to": to }));
    }
    let says = |people: TransferredPeople| format!("{} people, sensitive data of {}", people.persons, people.sensitive);
    output::line(format_args!("Overseas in {}: {}", counted.year, says(together)))?;
    for to in &counted.to {
        let most = [
            to.together_persons_max.map(|most| format!("{most} people overseas")),
            to.together_sensitive_max.map(|most| format!("sensitive data of {most} overseas")),
            to.sensitive_max.map(|most| format!("sensitive data of {most} there")),
        ];
        let most: Vec<_> = most.into_iter().flatten().collect();
        let most = if most.is_empty() { "as many as there are".to_owned() } else { most.join(", ") };
        let mechanism = if to.mechanism.is_empty() { "no means" } else { &to.mechanism };
        let people = says(to.people.unwrap_or_default());
        output::line(format_args!("{}: {people}; {mechanism} covers {most}", to.processor_id))?;
    }
    Ok(())
}

/// Prints how much went where.
fn volumes(counted: &CountVolumesResponse, json: bool) -> Result<()> {
    if json {
        let to = counted.to.iter().map(|to| {
            json!({
                "processor": to.processor_id,
                "category": to.category,
                "calls": to.calls,
                "bytes": to.bytes,
                "over": to.over,
                "malformed": to.malformed,
                "most": { "per_call": to.bytes_per_call_max, "per_day": to.bytes_per_day_max },
                "left": to.bytes_left,
            })
        });
        return output::json(&to.collect::<Vec<_>>());
    }
    if counted.to.is_empty() {
        output::line("Nothing has gone to any processor today.")?;
    }
    for to in &counted.to {
        let (processor, category, calls, bytes) = (&to.processor_id, &to.category, to.calls, to.bytes);
        let told = [
            Some(format!("{bytes} bytes in {calls} calls")),
            to.bytes_per_call_max.map(|most| format!("{most} may go in a call")),
            to.bytes_per_day_max.map(|most| format!("{most} in a day, of which {} are left", to.bytes_left())),
            (to.over > 0).then(|| format!("TOO MUCH {} times", to.over)),
            (to.malformed > 0).then(|| format!("{} answers were none", to.malformed)),
        ];
        let told: Vec<_> = told.into_iter().flatten().collect();
        output::line(format_args!("{processor} {category}: {}", told.join("; ")))?;
    }
    Ok(())
}

/// A switch as a sentence without its full stop.
fn told(switch: &Switch) -> String {
    let position = match switch.position() {
        SwitchPosition::Unspecified | SwitchPosition::On => "on",
        SwitchPosition::Off => "off",
        SwitchPosition::Terminated => "off for good",
        SwitchPosition::DueDiligenceExpired => "off until somebody looks at it anew",
        SwitchPosition::TransferLimitReached => "off for what is about people, until another year or another means",
    };
    let since = moment(switch.since_unix_ms).unwrap_or_default();
    let incident = match switch.incident_id.as_slice() {
        [] => String::new(),
        id => format!(", for incident {}", hex::encode(id)),
    };
    format!("{} {} is {position} since {since} ({}){incident}", sort(switch.sort()), switch.name, switch.reason)
}

/// What a sort of switch is called.
pub(crate) fn sort(sort: SwitchSort) -> String {
    word(sort.as_str_name(), "SWITCH_SORT_")
}

fn shown(switch: &Switch) -> Value {
    json!({
        "sort": sort(switch.sort()),
        "name": switch.name,
        "position": word(switch.position().as_str_name(), "SWITCH_POSITION_"),
        "reason": switch.reason,
        "since": moment(switch.since_unix_ms),
        "incident": (!switch.incident_id.is_empty()).then(|| hex::encode(&switch.incident_id)),
        "registry_revision": switch.registry_revision,
    })
}
