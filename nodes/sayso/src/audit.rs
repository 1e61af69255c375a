//! `sayso audit`: the audit log of a running node, for whoever wants to check it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sayso_audit::Checkpoint;
use sayso_proto::admin::v1::audit_client::AuditClient;
use sayso_proto::admin::v1::{
    CheckpointRequest, CheckpointResponse, ReadAuditRequest, WitnessStanding, WitnessesRequest,
};
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::cli::{AuditArgs, AuditCommand};
use crate::export::Exporter;
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &AuditArgs) -> Result<ExitCode> {
    output::json(&runtime()?.block_on(audit(&args.command))?)?;
    Ok(ExitCode::SUCCESS)
}

async fn audit(command: &AuditCommand) -> Result<Value> {
    match command {
        AuditCommand::Export { node, dir } => export(AuditClient::new(operator::to(node).await?), dir).await,
        AuditCommand::Witnesses { node } => {
            let asked = AuditClient::new(operator::to(node).await?).witnesses(WitnessesRequest { shard: 0 }).await;
            let standing = asked.context("the node does not say how its log is witnessed")?.into_inner();
            let witnesses: Vec<_> = standing.witnesses.iter().map(shown).collect();
            Ok(json!({"size": standing.size, "witnessed_size": standing.witnessed_size, "witnesses": witnesses}))
        }
    }
}

/// Writes the log, as long as it is now, to `dir`.
async fn export(mut client: AuditClient<Channel>, dir: &Path) -> Result<Value> {
    let asked = client.checkpoint(CheckpointRequest { shard: 0 }).await;
    let CheckpointResponse { note, witnessed_note } = asked.context("the node gave no checkpoint")?.into_inner();
    let checkpoint = Checkpoint::unverified(&note).context("the node gave a checkpoint that is none")?;
    let mut exporter = Exporter::begin(dir)?;
    let request = ReadAuditRequest { shard: 0, from_index: 0, limit: checkpoint.size, follow: false };
    let mut leaves = client.read(request).await.context("the node does not give its log")?.into_inner();
    while let Some(read) = leaves.message().await.context("the log broke off; begin again, in an empty directory")? {
        exporter.append(&read.leaf)?;
    }
    if (exporter.size(), exporter.root()) != (checkpoint.size, checkpoint.root) {
        bail!("the node gave {} leaves that are not those of its checkpoint", exporter.size());
    }
    exporter.finish(note, Some(witnessed_note).filter(|note| !note.is_empty()))?;
    Ok(json!({"origin": checkpoint.origin, "leaves": checkpoint.size, "root": checkpoint.root.to_string(), "dir": dir}))
}

fn shown(witness: &WitnessStanding) -> Value {
    let state = witness.state().as_str_name().trim_start_matches("WITNESS_STATE_").to_lowercase();
    json!({
        "name": witness.name,
        "state": state,
        "size": witness.size,
        "cosigned_unix_ms": witness.cosigned_unix_ms,
        "problem": witness.problem,
    })
}
