//! `sayso consent`: giving and ending consent of a person on a running node.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_consent::record::part;
use sayso_proto::admin::v1::consent_client::ConsentClient;
use sayso_proto::admin::v1::{
    ConsentEnding, EndConsentRequest, EvidenceKind, GiveConsentRequest, WithdrawConsentRequest,
};
use sayso_proto::consent::v1::{HolderOutcome, HolderState, NoticeForm, WithdrawalState};
use sayso_types::{Name, Purpose};
use serde_json::json;
use sha2::{Digest, Sha256};
use tonic::transport::Channel;

use crate::cli::{ConsentArgs, ConsentCommand, ConsentOfArgs, EvidenceArg, GiveArgs, PartArgs, PersonArgs};
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &ConsentArgs) -> Result<ExitCode> {
    let runtime = runtime()?;
    match &args.command {
        ConsentCommand::Give(args) => runtime.block_on(give(args)),
        ConsentCommand::Withdraw { of, part } => runtime.block_on(withdraw(of, part)),
        ConsentCommand::Revoke { of, reason } => runtime.block_on(end(of, ConsentEnding::Revoked, *reason)),
        ConsentCommand::Invalidate { of, reason } => runtime.block_on(end(of, ConsentEnding::Invalidated, *reason)),
    }
}

async fn client(person: &PersonArgs) -> Result<ConsentClient<Channel>> {
    Ok(ConsentClient::new(operator::to(&person.node).await?))
}

async fn give(args: &GiveArgs) -> Result<ExitCode> {
    let kind = match args.kind {
        EvidenceArg::Told => EvidenceKind::Unspecified,
        EvidenceArg::Signed => EvidenceKind::Signed,
        EvidenceArg::Written => EvidenceKind::Written,
        EvidenceArg::Permission => EvidenceKind::DevicePermission,
        EvidenceArg::Implied => EvidenceKind::Implied,
    };
    let request = GiveConsentRequest {
        principal: Some(operator::principal(&args.person)),
        purposes: names(&args.purpose),
        notice_sha256: sha256_of(&args.notice)?,
        notice_language: args.language.clone(),
        notice_form: if args.oral { NoticeForm::Oral } else { NoticeForm::Screen }.into(),
        evidence_sha256: sha256_of(&args.evidence)?,
        by_guardian: args.by_guardian,
        evidence_kind: kind.into(),
        act: args.act.map_or_else(String::new, |act| act.to_string()),
        parts: args.again.iter().map(part::write).collect(),
    };
    let given = client(&args.person).await?.give(request).await.context("the consent is not taken")?.into_inner();
    let records: Vec<_> = given.records.iter().map(|record| hex::encode(&record.record_id)).collect();
    if args.json {
        let version = given.consent_version;
        output::json(&json!({ "subject": given.subject_id, "consent_version": version, "records": records }))?;
    }
    for (purpose, record) in args.purpose.iter().zip(&records).filter(|_| !args.json) {
        output::line(format_args!("{purpose}: on record as {record}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn withdraw(of: &ConsentOfArgs, part: &PartArgs) -> Result<ExitCode> {
    let (principal, parts) = (Some(operator::principal(&of.person)), part.of(&of.purpose));
    let purposes = if parts.is_empty() { names(&of.purpose) } else { Vec::new() };
    let parts = parts.iter().map(part::write).collect();
    let request = WithdrawConsentRequest { principal, purposes, wait_ms: 0, parts };
    let asked = client(&of.person).await?.withdraw(request).await.context("the consent is not withdrawn")?;
    let done = asked.into_inner();
    told(of, done.state(), &done.withdrawal_id, (&[], &done.holders))
}

async fn end(of: &ConsentOfArgs, ending: ConsentEnding, reason: Name) -> Result<ExitCode> {
    let request = EndConsentRequest {
        principal: Some(operator::principal(&of.person)),
        purposes: names(&of.purpose),
        ending: ending.into(),
        reason: reason.to_string(),
        wait_ms: 0,
    };
    let done = client(&of.person).await?.end(request).await.context("the consent is not ended")?.into_inner();
    told(of, done.state(), &done.ending_id, (&done.record_ids, &done.holders))
}

/// Prints how far it has come. Only when every holder has let go is it done.
fn told(
    of: &ConsentOfArgs,
    state: WithdrawalState,
    id: &[u8],
    (records, holders): (&[Vec<u8>], &[HolderOutcome]),
) -> Result<ExitCode> {
    let is_ok = state == WithdrawalState::Ok;
    let (state, id) = (if is_ok { "ok" } else { "pending" }, hex::encode(id));
    let records: Vec<_> = records.iter().map(hex::encode).collect();
    let waits_for: Vec<_> = holders
        .iter()
        .filter(|holder| holder.state() == HolderState::Outstanding)
        .map(|holder| json!({ "processor": holder.processor_id, "permit": hex::encode(&holder.permit_id) }))
        .collect();
    if of.json {
        output::json(&json!({ "state": state, "id": id, "records": records, "waits_for": waits_for }))?;
    } else {
        output::line(format_args!("{state}: {id}"))?;
        for record in records {
            output::line(format_args!("ends the consent record {record}"))?;
        }
        if !is_ok {
            output::line(
                "Its gates are closed, and somebody has not let go of data yet. Ask again to see how it stands.",
            )?;
            for holder in waits_for {
                let (processor, permit) = (output::text(&holder, "processor"), output::text(&holder, "permit"));
                output::line(format_args!("waits for {processor}, which has the permit {permit}"))?;
            }
        }
    }
    Ok(if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn names(purposes: &[Purpose]) -> Vec<String> {
    purposes.iter().map(Purpose::to_string).collect()
}

pub(crate) fn sha256_of(file: &Path) -> Result<Vec<u8>> {
    let read = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Sha256::digest(&read).to_vec())
}
