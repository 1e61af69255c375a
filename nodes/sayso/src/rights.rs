//! `sayso rights`: what a person asks of whoever has their data, on a running node.

mod bundle;
mod residuals;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_consent::erasure::{Approval, Certificate};
use sayso_consent::rights::bundle::{Bundle, COPY, COPY_BYTES_MAX, KEPT};
use sayso_proto::admin::v1::rights_client::RightsClient;
use sayso_proto::admin::v1::{
    AdvanceCaseRequest, ApproveResidualRequest, BundleFile, Case, CaseStep, CertificateRequest, CertificateResponse,
    CopyCaseRequest, CorrectCaseRequest, ExplainCaseRequest, ImportCaseRequest, LiftCaseRequest, ListCasesRequest,
    OpenCaseRequest, PortCaseRequest, RememberedFact, ResidualApproval,
};
use sayso_types::{Name, WallTime};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::{AdvanceArgs, CertificateArgs, PersonArgs, RightsArgs, RightsCommand, StepArg};
use crate::output::{moment, text};
use crate::serve::runtime;
use crate::{operator, output};

/// Bytes of the message that a copy in JSON comes in.
const COPY_MESSAGE_MAX: usize = COPY_BYTES_MAX + (64 << 10);

pub(crate) fn run(args: &RightsArgs) -> Result<ExitCode> {
    let (runtime, json) = (runtime()?, args.json);
    match &args.command {
        RightsCommand::Certificate(args) => {
            let given = runtime.block_on(certificate(args))?;
            if json {
                // as it is: its hash is that of these bytes
                let bytes = given.certificate;
                output::line(String::from_utf8(bytes).context("the node gave a certificate that is not text")?)?;
            } else {
                let approvals = given.approvals.iter().map(approval).collect::<Result<Vec<_>>>()?;
                let told = Certificate::parse(&given.certificate)?;
                output::line(told.told(&approvals, args.lang, |at| moment(at.0).unwrap_or_default()).trim_end())?;
            }
        }
        RightsCommand::Explain(args) => {
            let given = runtime.block_on(explain(args))?;
            if json {
                output::line(String::from_utf8(given).context("the node gave an explanation that is not text")?)?;
            } else {
                let explained: Vec<Value> =
                    serde_json::from_slice(&given).context("the node gave an explanation that is not JSON")?;
                output::line(told_why(&explained))?;
            }
        }
        RightsCommand::Copy { person, case, out: None } => {
            let copy = runtime.block_on(copy(person, case))?;
            let copy: Value = serde_json::from_slice(&copy).context("the node gave a copy that is not JSON")?;
            output::json(&copy)?;
        }
        RightsCommand::Copy { person, case, out: Some(file) } if file.extension().is_some_and(|is| is == "json") => {
            // before it is on record that it was handed out
            bundle::require_free(file)?;
            bundle::write_one(file, &runtime.block_on(copy(person, case))?)?;
            output::shown(&json!({ "files": 1 }), json, "", |_| format!("wrote {}", file.display()))?;
        }
        RightsCommand::Copy { person, case, out: Some(dir) } | RightsCommand::Port { person, case, dir } => {
            bundle::require_free(dir)?;
            let given = runtime.block_on(port(person, case))?;
            bundle::write(dir, &given)?;
            let files = given.files.len() + 1;
            let told = |_: &Value| format!("wrote {files} files to {}", dir.display());
            output::shown(&json!({ "files": files }), json, "", told)?;
        }
        RightsCommand::Import { person, dir, trust } => {
            output::shown(&runtime.block_on(import(person, dir, trust))?, json, "", told_import)?;
        }
        RightsCommand::Residuals { node, tenant } => {
            let open = runtime.block_on(residuals::listed(node, tenant.as_ref()))?;
            output::shown(&open, json, "nothing remains with a receiver for which nobody answers", residuals::told)?;
        }
        RightsCommand::ApproveResidual { person, case, residual, reason } => {
            let approved = runtime.block_on(approve(person, case, (*residual, *reason)))?;
            output::shown(&approved, json, "", told_approval)?;
        }
        command => output::shown(&runtime.block_on(cases(command))?, json, "the person has asked for nothing", told)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn certificate(args: &CertificateArgs) -> Result<CertificateResponse> {
    let principal = Some(operator::principal(&args.person));
    let request = CertificateRequest { principal, reference: id(&args.case)? };
    let given = client(&args.person).await?.certificate(request).await.context("the node gives no certificate")?;
    Ok(given.into_inner())
}

/// What a command does to the requests of a person; what they have become.
async fn cases(command: &RightsCommand) -> Result<Value> {
    Ok(match command {
        RightsCommand::Open { person, right, purposes, kinship, death, ground } => {
            let request = OpenCaseRequest {
                principal: Some(operator::principal(person)),
                right: right.clone(),
                purposes: purposes.iter().map(ToString::to_string).collect(),
                kinship_sha256: sha256(kinship.as_ref())?,
                death_sha256: sha256(death.as_ref())?,
                ground: ground.clone(),
            };
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
        RightsCommand::Correct { person, case, facts } => {
            let principal = Some(operator::principal(person));
            let request = CorrectCaseRequest { principal, case_id: id(case)?, facts: read_facts(facts)? };
            let corrected = client(person).await?.correct(request).await.context("nothing is put right")?;
            shown(corrected.into_inner().case.as_ref())
        }
        RightsCommand::Lift { person, case } => {
            let request = LiftCaseRequest { principal: Some(operator::principal(person)), case_id: id(case)? };
            let lifted = client(person).await?.lift(request).await.context("the restriction is not lifted")?;
            shown(lifted.into_inner().case.as_ref())
        }
        RightsCommand::Explain(_)
        | RightsCommand::Copy { .. }
        | RightsCommand::Port { .. }
        | RightsCommand::Import { .. }
        | RightsCommand::Certificate(_)
        | RightsCommand::Residuals { .. }
        | RightsCommand::ApproveResidual { .. } => Value::Null,
    })
}

/// A copy, in JSON.
async fn copy(person: &PersonArgs, case: &str) -> Result<Vec<u8>> {
    let request = CopyCaseRequest { principal: Some(operator::principal(person)), case_id: id(case)? };
    let mut client = client(person).await?.max_decoding_message_size(COPY_MESSAGE_MAX);
    Ok(client.copy(request).await.context("the node gives no copy")?.into_inner().copy)
}

/// A copy as files.
async fn port(person: &PersonArgs, case: &str) -> Result<Bundle> {
    let request = PortCaseRequest { principal: Some(operator::principal(person)), case_id: id(case)? };
    let mut given = client(person).await?.port(request).await.context("the node gives no copy")?.into_inner();
    let mut parts = bundle::Parts::default();
    while let Some(part) = given.message().await.context("the node broke off in the middle of the copy; ask again")? {
        parts.take(part)?;
    }
    parts.whole()
}

async fn import(person: &PersonArgs, dir: &Path, trust: &Path) -> Result<Value> {
    let (bundle, key) = bundle::read(dir, trust)?;
    let copy = ImportCaseRequest {
        principal: Some(operator::principal(person)),
        copy: bundle.files.get(COPY).cloned().unwrap_or_default(),
        manifest: bundle.manifest,
        key: key.to_string(),
        file: None,
    };
    let kept = bundle.files.into_iter().filter(|(name, _)| name.starts_with(KEPT));
    let kept = kept.map(|(name, content)| BundleFile { name, content });
    let kept = kept.map(|file| ImportCaseRequest { file: Some(file), ..ImportCaseRequest::default() });
    let brought = futures::stream::iter(core::iter::once(copy).chain(kept));
    let imported = client(person).await?.import(brought).await.context("nothing is taken in")?.into_inner();
    Ok(json!({
        "taken": imported.taken,
        "known": imported.known,
        "conflicts": imported.conflicts,
        "consents_left": imported.consents_left,
        "items_taken": imported.items_taken,
        "items_left": imported.items_left,
    }))
}

async fn approve(person: &PersonArgs, case: &str, (residual, reason): (Name, Name)) -> Result<Value> {
    let request = ApproveResidualRequest {
        principal: Some(operator::principal(person)),
        reference: id(case)?,
        residual: residual.to_string(),
        reason: reason.to_string(),
    };
    let approved = client(person).await?.approve_residual(request).await.context("nobody answers for it")?;
    let Approval { residual, reason, by, at } = approval(&approved.into_inner().approval.unwrap_or_default())?;
    Ok(json!({ "residual": residual, "reason": reason, "approved_by": by, "approved_at": moment(at.0) }))
}

fn approval(given: &ResidualApproval) -> Result<Approval> {
    let word =
        |text: &str| text.parse::<Name>().context("the node says of something unnamed that somebody answers for it");
    let (residual, reason) = (word(&given.residual)?, word(&given.reason)?);
    Ok(Approval { residual, reason, by: given.approved_by.clone(), at: WallTime(given.approved_unix_ms) })
}

async fn explain(args: &CertificateArgs) -> Result<Vec<u8>> {
    let principal = Some(operator::principal(&args.person));
    let language = args.lang.tag().to_owned();
    let request = ExplainCaseRequest { principal, case_id: id(&args.case)?, language };
    let given = client(&args.person).await?.explain(request).await.context("the node explains nothing")?;
    Ok(given.into_inner().explained)
}

/// A request in one line, for people.
pub(crate) fn told(case: &Value) -> String {
    let [id, right, state, received] = ["case", "right", "state", "received_at"].map(|name| text(case, name));
    let purposes: Vec<_> = case["purposes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let of = if purposes.is_empty() { String::new() } else { format!(" of {}", purposes.join(", ")) };
    let relative = if case["by_relative"] == true { " by a relative" } else { "" };
    let due = output::due(&case["due"]);
    let late = if case["overdue"] == true { ", overdue" } else { "" };
    let delayed = if case["delayed"] == true { ", delayed" } else { "" };
    let ground = case["ground"].as_str().map(|ground| format!(" because {ground}")).unwrap_or_default();
    let identity = match (case["state"] == "unverified", case["identity_due"].as_str(), &case["identity_overdue"]) {
        (true, Some(_), Value::Bool(true)) => ", overdue to know who asks".to_owned(),
        (true, Some(day), _) => format!(", to know who asks by {day}"),
        _ => String::new(),
    };
    let cost = if case["may_cost"] == true { ", may cost something" } else { "" };
    let refusal = case["refusal"].as_str().map(|why| format!(" ({why})")).unwrap_or_default();
    format!(
        "{id}  {right}{of}{ground}{relative}, received {received}: {state}{refusal}{due}{delayed}{late}{identity}{cost}"
    )
}

/// What was taken in, for people.
fn told_import(imported: &Value) -> String {
    let [taken, known, left, items, items_left] =
        ["taken", "known", "consents_left", "items_taken", "items_left"].map(|name| &imported[name]);
    let conflicts: Vec<_> = imported["conflicts"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let conflicts = if conflicts.is_empty() { "none".to_owned() } else { conflicts.join(", ") };
    format!(
        "remembered: {taken} taken, {known} known before; otherwise here than there: {conflicts}\n\
         kept: {items} taken, {items_left} left\n\
         consents: {left} left with whoever they were given to"
    )
}

/// That somebody answers for what remains, for people.
fn told_approval(approval: &Value) -> String {
    let [residual, reason, by, at] =
        ["residual", "reason", "approved_by", "approved_at"].map(|name| text(approval, name));
    format!("{residual} remains: {reason} ({by} answers for it, {at})")
}

/// The answers of an explanation under their purposes; the way to each is in its JSON.
fn told_why(explained: &[Value]) -> String {
    let (mut lines, mut heading) = (Vec::new(), String::new());
    for one in explained {
        let purpose = text(one, "purpose");
        if purpose != heading {
            lines.push(purpose.to_owned());
            purpose.clone_into(&mut heading);
        }
        let (category, processor) = (text(one, "category"), text(one, "processor"));
        lines.push(format!("  {category} > {processor}: {}", text(&one["told"], "verdict")));
    }
    lines.join("\n")
}

/// What is to be remembered, out of a file.
fn read_facts(file: &Path) -> Result<Vec<RememberedFact>> {
    let json = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    // where it broke, and nothing of what is in it
    let facts: BTreeMap<String, String> = serde_json::from_slice(&json)
        .map_err(|e| anyhow::anyhow!("{} is not {{\"key\": \"value\", ...}}: column {}", file.display(), e.column()))?;
    Ok(facts.into_iter().map(|(key, value)| RememberedFact { key, value }).collect())
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
        method: args.method.clone(),
        evidence_sha256: sha256(args.evidence.as_ref())?,
    })
}

/// SHA-256 of what shows something; nothing where there is none.
fn sha256(proof: Option<&PathBuf>) -> Result<Vec<u8>> {
    let Some(file) = proof else { return Ok(Vec::new()) };
    let content = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Sha256::digest(&content).to_vec())
}

pub(crate) fn id(case: &str) -> Result<Vec<u8>> {
    let id = hex::decode(case).ok().filter(|id| id.len() == 16);
    id.with_context(|| format!("CASE {case:?} is not 32 hexadecimal digits, as `open` and `list` print"))
}

pub(crate) fn shown(case: Option<&Case>) -> Value {
    let Some(case) = case else { return Value::Null };
    let state = case.state().as_str_name().trim_start_matches("CASE_STATE_").to_lowercase();
    let due = (case.due_unix_ms > 0)
        .then(|| json!({ "at": moment(case.due_unix_ms), "by": case.due_by, "is_exact": case.due_is_exact }));
    json!({
        "case": hex::encode(&case.case_id),
        "subject": case.subject_id,
        "right": case.right,
        "purposes": case.purposes,
        "by_relative": case.by_relative,
        "state": state,
        "received_at": moment(case.received_unix_ms),
        "due": due,
        "delayed": case.delayed,
        "overdue": case.overdue,
        "refusal": (!case.refusal.is_empty()).then_some(&case.refusal),
        "identity_due": (case.identity_due_unix_ms > 0).then(|| moment(case.identity_due_unix_ms)),
        "identity_overdue": case.identity_overdue,
        "identity_method": (!case.identity_method.is_empty()).then_some(&case.identity_method),
        "identity_evidence_sha256":
            (!case.identity_evidence_sha256.is_empty()).then(|| hex::encode(&case.identity_evidence_sha256)),
        "ground": (!case.ground.is_empty()).then_some(&case.ground),
        "may_cost": case.may_cost,
    })
}
