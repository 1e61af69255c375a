//! `sayso complaint`: complaints of people and of tenants, on a running node.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::complaints_client::ComplaintsClient;
use sayso_proto::admin::v1::{
    AnswerComplaintRequest, Complaint, ComplaintOutcome, FileComplaintRequest, GetComplaintRequest,
    ListComplaintsRequest, Principal,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::{ComplaintArgs, ComplaintCommand, ComplaintNode, OutcomeArg};
use crate::operator;
use crate::output::{self, due, moment, text};
use crate::serve::runtime;

pub(crate) fn run(args: &ComplaintArgs) -> Result<ExitCode> {
    let complaints = runtime()?.block_on(complaint(&args.command))?;
    output::shown(&complaints, args.json, "nobody has complained", told)?;
    Ok(ExitCode::SUCCESS)
}

async fn complaint(command: &ComplaintCommand) -> Result<Value> {
    Ok(match command {
        ComplaintCommand::File { at, text, evidence, device_id } => {
            let principal = device_id.as_ref().map(|device| Principal {
                tenant_id: at.tenant.to_string(),
                device_id: device.to_string(),
                ..Principal::default()
            });
            let request = FileComplaintRequest {
                tenant_id: at.tenant.to_string(),
                principal,
                text_sha256: sha256(text)?,
                evidence_sha256: evidence.as_deref().map(sha256).transpose()?.unwrap_or_default(),
            };
            let filed = client(at).await?.file(request).await.context("the complaint is not filed")?;
            shown(filed.into_inner().complaint.as_ref())
        }
        ComplaintCommand::Answer { at, id, outcome, text } => {
            let outcome = match outcome {
                OutcomeArg::Upheld => ComplaintOutcome::Upheld,
                OutcomeArg::UpheldInPart => ComplaintOutcome::UpheldInPart,
                OutcomeArg::NotUpheld => ComplaintOutcome::NotUpheld,
            };
            let request = AnswerComplaintRequest {
                tenant_id: at.tenant.to_string(),
                complaint_id: parsed(id)?,
                outcome: outcome.into(),
                text_sha256: sha256(text)?,
            };
            let answered = client(at).await?.answer(request).await.context("the complaint is not answered")?;
            shown(answered.into_inner().complaint.as_ref())
        }
        ComplaintCommand::Show { at, id } => {
            let request = GetComplaintRequest { tenant_id: at.tenant.to_string(), complaint_id: parsed(id)? };
            let found = client(at).await?.get(request).await.context("the node shows no complaint")?;
            shown(found.into_inner().complaint.as_ref())
        }
        ComplaintCommand::List { at } => {
            let request = ListComplaintsRequest { tenant_id: at.tenant.to_string() };
            let listed = client(at).await?.list(request).await.context("the node lists no complaints")?.into_inner();
            listed.complaints.iter().map(|complaint| shown(Some(complaint))).collect()
        }
    })
}

async fn client(at: &ComplaintNode) -> Result<ComplaintsClient<tonic::transport::Channel>> {
    Ok(ComplaintsClient::new(operator::to(&at.node).await?))
}

fn sha256(file: &Path) -> Result<Vec<u8>> {
    let content = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Sha256::digest(&content).to_vec())
}

fn parsed(id: &str) -> Result<Vec<u8>> {
    hex::decode(id)
        .ok()
        .filter(|bytes| bytes.len() == 16)
        .with_context(|| format!("COMPLAINT {id:?} is not 32 hexadecimal digits, as `file` and `list` print"))
}

/// A complaint in one line, for people.
fn told(complaint: &Value) -> String {
    let (id, received) = (text(complaint, "complaint"), text(complaint, "received_at"));
    let by = complaint["subject"].as_str().unwrap_or_else(|| text(complaint, "tenant"));
    let (due, late) = (due(&complaint["due"]), if complaint["overdue"] == true { ", overdue" } else { "" });
    let answer = match &complaint["answer"] {
        Value::Null => "not answered".to_owned(),
        answer => format!("{} at {}", text(answer, "outcome"), text(answer, "at")),
    };
    format!("{id}  by {by} at {received}: {answer}{due}{late}")
}

fn shown(complaint: Option<&Complaint>) -> Value {
    let Some(complaint) = complaint else { return Value::Null };
    let answer = (complaint.answered_unix_ms > 0).then(|| {
        let outcome = complaint.outcome().as_str_name().trim_start_matches("COMPLAINT_OUTCOME_").to_lowercase();
        let text = hex::encode(&complaint.answer_sha256);
        json!({ "outcome": outcome, "at": moment(complaint.answered_unix_ms), "text_sha256": text })
    });
    let evidence = &complaint.evidence_sha256;
    json!({
        "complaint": hex::encode(&complaint.complaint_id),
        "tenant": complaint.tenant_id,
        "subject": (!complaint.subject_id.is_empty()).then_some(&complaint.subject_id),
        "text_sha256": hex::encode(&complaint.text_sha256),
        "evidence_sha256": (!evidence.is_empty()).then(|| hex::encode(evidence)),
        "received_at": moment(complaint.received_unix_ms),
        "due": { "at": moment(complaint.due_unix_ms), "by": complaint.due_by, "is_exact": complaint.due_is_exact },
        "overdue": complaint.overdue,
        "answer": answer,
    })
}
