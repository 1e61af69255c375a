//! `sayso visit`: guests at devices, on a running node.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::visits_client::VisitsClient;
use sayso_proto::admin::v1::{BeginVisitRequest, EndVisitRequest, ListVisitsRequest, Visit};
use serde_json::{Value, json};

use crate::cli::{OneVisitArgs, VisitArgs, VisitCommand};
use crate::output::moment;
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &VisitArgs) -> Result<ExitCode> {
    let runtime = runtime()?;
    match &args.command {
        VisitCommand::List { node, tenant, json } => {
            let tenant_id = tenant.as_ref().map_or_else(String::new, ToString::to_string);
            let listed = async {
                let mut client = VisitsClient::new(operator::to(node).await?);
                client.list(ListVisitsRequest { tenant_id }).await.context("the node lists no visits")
            };
            let visits = runtime.block_on(listed)?.into_inner().visits;
            if *json {
                output::json(&visits.iter().map(shown).collect::<Vec<_>>())?;
            } else if visits.is_empty() {
                output::line("nobody visits a device")?;
            } else {
                visits.iter().try_for_each(|visit| output::line(told(visit)))?;
            }
        }
        VisitCommand::Begin(args) => tell(args, &runtime.block_on(begin(args))?, "")?,
        VisitCommand::End(args) => tell(args, &runtime.block_on(end(args))?, "over: ")?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn begin(args: &OneVisitArgs) -> Result<Visit> {
    let request = BeginVisitRequest { tenant_id: args.tenant.to_string(), device_id: args.device_id.to_string() };
    let mut client = VisitsClient::new(operator::to(&args.node).await?);
    let begun = client.begin(request).await.context("the visit does not begin")?;
    begun.into_inner().visit.context("the node says nothing of the visit")
}

async fn end(args: &OneVisitArgs) -> Result<Visit> {
    let request = EndVisitRequest { tenant_id: args.tenant.to_string(), device_id: args.device_id.to_string() };
    let mut client = VisitsClient::new(operator::to(&args.node).await?);
    let ended = client.end(request).await.context("the visit does not end")?;
    ended.into_inner().visit.context("the node says nothing of the visit")
}

fn tell(args: &OneVisitArgs, visit: &Visit, how: &str) -> Result<()> {
    if args.json { output::json(&shown(visit)) } else { output::line(format!("{how}{}", told(visit))) }
}

fn shown(visit: &Visit) -> Value {
    json!({
        "visit": hex::encode(&visit.visit_id),
        "tenant": visit.tenant_id,
        "device": visit.device_id,
        "subject": visit.subject_id,
        "began_at": moment(visit.began_unix_ms),
        "ends_at": moment(visit.ends_unix_ms),
    })
}

/// A visit in one line, for people.
fn told(visit: &Visit) -> String {
    let Visit { tenant_id, device_id, subject_id, .. } = visit;
    let [since, until] = [visit.began_unix_ms, visit.ends_unix_ms].map(|at| moment(at).unwrap_or_default());
    let id = hex::encode(&visit.visit_id);
    format!("{id}  {subject_id} at {device_id} of {tenant_id}, since {since}, until {until} at the latest")
}
