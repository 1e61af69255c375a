//! `sayso exemption`: what is done without consent on a running node, and who approves it.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::exemptions_client::ExemptionsClient;
use sayso_proto::admin::v1::{
    ApproveExemptionRequest, Exemption, ListExemptionsRequest, Principal, ProposeExemptionRequest,
    RevokeExemptionRequest,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::{ExemptionArgs, ExemptionCommand, NodeArgs, ProposeArgs};
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &ExemptionArgs) -> Result<ExitCode> {
    output::json(&runtime()?.block_on(exemption(&args.command))?)?;
    Ok(ExitCode::SUCCESS)
}

async fn exemption(command: &ExemptionCommand) -> Result<Value> {
    Ok(match command {
        ExemptionCommand::Propose(args) => {
            let proposed = client(&args.node).await?.propose(proposal(args)?).await;
            shown(proposed.context("the exemption is not proposed")?.into_inner().exemption.as_ref())
        }
        ExemptionCommand::Approve { node, id } => {
            let request = ApproveExemptionRequest { exemption_id: id.clone() };
            let approved = client(node).await?.approve(request).await.context("the exemption is not approved")?;
            shown(approved.into_inner().exemption.as_ref())
        }
        ExemptionCommand::Revoke { node, id } => {
            let request = RevokeExemptionRequest { exemption_id: id.clone() };
            let revoked = client(node).await?.revoke(request).await.context("the exemption is not revoked")?;
            shown(revoked.into_inner().exemption.as_ref())
        }
        ExemptionCommand::List { node } => {
            let listed = client(node).await?.list(ListExemptionsRequest {}).await;
            let listed = listed.context("the node lists no exemptions")?.into_inner();
            listed.exemptions.iter().map(|exemption| shown(Some(exemption))).collect()
        }
    })
}

async fn client(node: &NodeArgs) -> Result<ExemptionsClient<tonic::transport::Channel>> {
    Ok(ExemptionsClient::new(operator::to(node).await?))
}

fn proposal(args: &ProposeArgs) -> Result<ProposeExemptionRequest> {
    let evidence = std::fs::read(&args.evidence)
        .with_context(|| format!("cannot read the evidence {}", args.evidence.display()))?;
    let principal = args.device_id.as_ref().map(|device| Principal {
        tenant_id: args.tenant.to_string(),
        device_id: device.to_string(),
        ..Principal::default()
    });
    Ok(ProposeExemptionRequest {
        code: args.code.clone(),
        principal,
        purposes: args.purposes.clone(),
        categories: args.categories.clone(),
        processors: args.processors.clone(),
        lasts: args.lasts.clone(),
        evidence_sha256: Sha256::digest(&evidence).to_vec(),
        ticket: args.ticket.clone().unwrap_or_default(),
    })
}

pub(crate) fn shown(exemption: Option<&Exemption>) -> Value {
    let Some(exemption) = exemption else { return Value::Null };
    let state = exemption.state().as_str_name().trim_start_matches("EXEMPTION_STATE_").to_lowercase();
    json!({
        "exemption": exemption.exemption_id,
        "code": exemption.code,
        "state": state,
        "subject": (!exemption.subject_id.is_empty()).then_some(&exemption.subject_id),
        "purposes": exemption.purposes,
        "categories": exemption.categories,
        "processors": exemption.processors,
        "lasts": exemption.lasts,
        "evidence_sha256": hex::encode(&exemption.evidence_sha256),
        "proposed_at": output::moment(exemption.proposed_unix_ms),
        "approvals": exemption.approvals,
        "approvals_needed": exemption.approvals_needed,
        "from": (exemption.from_unix_ms > 0).then(|| output::moment(exemption.from_unix_ms)),
        "until": (exemption.until_unix_ms > 0).then(|| output::moment(exemption.until_unix_ms)),
        "people": exemption.people,
        "ticket": (!exemption.ticket.is_empty()).then_some(&exemption.ticket),
    })
}
