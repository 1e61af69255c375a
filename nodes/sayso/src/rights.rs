//! `sayso rights`: what a person asks of whoever has their data, on a running node.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_consent::erasure::Certificate;
use sayso_proto::admin::v1::rights_client::RightsClient;
use sayso_proto::admin::v1::{
    AdvanceCaseRequest, Case, CaseStep, CertificateRequest, CopyCaseRequest, ListCasesRequest, OpenCaseRequest,
};
use serde_json::{Value, json};

use crate::cli::{AdvanceArgs, CertificateArgs, PersonArgs, RightsArgs, RightsCommand, StepArg};
use crate::output::moment;
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &RightsArgs) -> Result<ExitCode> {
    let runtime = runtime()?;
    match &args.command {
        RightsCommand::Certificate(args) => {
            let json = runtime.block_on(certificate(args))?;
            if args.json {
                // as it is: its hash is that of these bytes
                output::line(String::from_utf8(json).context("the node gave a certificate that is not text")?)?;
            } else {
                let certificate = Certificate::parse(&json)?;
                output::line(certificate.told(args.lang, |at| moment(at.0).unwrap_or_default()).trim_end())?;
            }
        }
        command => output::json(&runtime.block_on(rights(command))?)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn certificate(args: &CertificateArgs) -> Result<Vec<u8>> {
    let principal = Some(operator::principal(&args.person));
    let request = CertificateRequest { principal, reference: id(&args.case)? };
    let given = client(&args.person).await?.certificate(request).await.context("the node gives no certificate")?;
    Ok(given.into_inner().certificate)
}

async fn rights(command: &RightsCommand) -> Result<Value> {
    Ok(match command {
        RightsCommand::Open { person, right } => {
            let request = OpenCaseRequest { principal: Some(operator::principal(person)), right: right.clone() };
            let opened = client(person).await?.open(request).await.context("the request is not taken")?;
            shown(opened.into_inner().case.as_ref())
        }
        RightsCommand::List { person } => {
            let request = ListCasesRequest { principal: Some(operator::principal(person)) };
            let listed = client(person).await?.list(request).await.context("the node lists no requests")?.into_inner();
            listed.cases.iter().map(|case| shown(Some(case))).collect()
        }
        RightsCommand::Advance(args) => {
            let advanced = client(&args.person).await?.advance(step(args)?).await;
            shown(advanced.context("the step is not taken")?.into_inner().case.as_ref())
        }
        RightsCommand::Copy { person, case } => {
            let request = CopyCaseRequest { principal: Some(operator::principal(person)), case_id: id(case)? };
            let copy = client(person).await?.copy(request).await.context("the node gives no copy")?.into_inner().copy;
            serde_json::from_slice(&copy).context("the node gave a copy that is not JSON")?
        }
        RightsCommand::Certificate(args) => {
            serde_json::from_slice(&certificate(args).await?).context("the node gave a certificate that is not JSON")?
        }
    })
}

async fn client(person: &PersonArgs) -> Result<RightsClient<tonic::transport::Channel>> {
    Ok(RightsClient::new(operator::to(&person.node).await?))
}

fn step(args: &AdvanceArgs) -> Result<AdvanceCaseRequest> {
    let step = match args.step {
        StepArg::Verify => CaseStep::Verify,
        StepArg::Accept => CaseStep::Accept,
        StepArg::Reject => CaseStep::Reject,
        StepArg::Delay => CaseStep::Delay,
        StepArg::Fulfil => CaseStep::Fulfil,
        StepArg::FulfilInPart => CaseStep::FulfilInPart,
    };
    Ok(AdvanceCaseRequest {
        principal: Some(operator::principal(&args.person)),
        case_id: id(&args.case)?,
        step: step.into(),
        reason: args.reason.clone(),
        until_unix_ms: args.until,
    })
}

fn id(case: &str) -> Result<Vec<u8>> {
    let id = hex::decode(case).ok().filter(|id| id.len() == 16);
    id.with_context(|| format!("CASE {case:?} is not 32 hexadecimal digits, as `open` and `list` print"))
}

fn shown(case: Option<&Case>) -> Value {
    let Some(case) = case else { return Value::Null };
    let state = case.state().as_str_name().trim_start_matches("CASE_STATE_").to_lowercase();
    let due = (case.due_unix_ms > 0)
        .then(|| json!({ "at": moment(case.due_unix_ms), "by": case.due_by, "is_exact": case.due_is_exact }));
    json!({
        "case": hex::encode(&case.case_id),
        "right": case.right,
        "state": state,
        "received_at": moment(case.received_unix_ms),
        "due": due,
        "delayed": case.delayed,
        "overdue": case.overdue,
        "refusal": (!case.refusal.is_empty()).then_some(&case.refusal),
    })
}
