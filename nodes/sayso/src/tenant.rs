//! `sayso tenant`: what tenants instruct on a running node, and their end.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::tenants_client::TenantsClient;
use sayso_proto::admin::v1::{
    AcceptEvidenceRequest, DemandEvidenceRequest, EraseTenantRequest, GetTenantRequest, InstructRequest,
    ListTenantsRequest, Tenant, TenantState,
};
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::cli::{NodeArgs, OneTenantArgs, TenantArgs, TenantCommand};
use crate::consent::sha256_of;
use crate::incident::{unix_ms, word};
use crate::output::moment;
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &TenantArgs) -> Result<ExitCode> {
    runtime()?.block_on(tenant(&args.command))?;
    Ok(ExitCode::SUCCESS)
}

async fn tenant(command: &TenantCommand) -> Result<()> {
    match command {
        TenantCommand::Set { one, reference, purpose, category, until, attestation } => {
            let request = InstructRequest {
                tenant_id: one.tenant.to_string(),
                reference: reference.clone(),
                purposes: purpose.iter().map(ToString::to_string).collect(),
                categories: category.iter().map(ToString::to_string).collect(),
                until_unix_ms: until.map(unix_ms).transpose()?.unwrap_or(0),
                attestation: attestation.clone().unwrap_or_default(),
            };
            let set = client(&one.node).await?.instruct(request).await.context("the instructions are not taken")?;
            print(one, set.into_inner().tenant)
        }
        TenantCommand::Demand { one, what, due } => {
            let request = DemandEvidenceRequest {
                tenant_id: one.tenant.to_string(),
                what: what.clone(),
                due_unix_ms: due.map(unix_ms).transpose()?.unwrap_or(0),
            };
            let demanded = client(&one.node).await?.demand_evidence(request).await.context("nothing is demanded")?;
            print(one, demanded.into_inner().tenant)
        }
        TenantCommand::Accept { one, evidence } => {
            let document_sha256 = sha256_of(evidence)?;
            let request = AcceptEvidenceRequest { tenant_id: one.tenant.to_string(), document_sha256 };
            let accepted = client(&one.node).await?.accept_evidence(request).await.context("it is not accepted")?;
            print(one, accepted.into_inner().tenant)
        }
        TenantCommand::Show { one } => {
            let request = GetTenantRequest { tenant_id: one.tenant.to_string() };
            let found = client(&one.node).await?.get(request).await.context("the node does not say")?;
            print(one, found.into_inner().tenant)
        }
        TenantCommand::Erase { one } => {
            let request = EraseTenantRequest { tenant_id: one.tenant.to_string() };
            let erased = client(&one.node).await?.erase(request).await.context("the tenant is not erased")?;
            print(one, erased.into_inner().tenant)
        }
        TenantCommand::List { node, json } => {
            let listed = client(node).await?.list(ListTenantsRequest {}).await.context("the node lists no tenants")?;
            let tenants = listed.into_inner().tenants;
            if *json {
                return output::json(&tenants.iter().map(shown).collect::<Vec<_>>());
            }
            if tenants.is_empty() {
                output::line("No tenant has given instructions: all have what the policy gives.")?;
            }
            tenants.iter().try_for_each(|tenant| output::line(told(tenant)))
        }
    }
}

async fn client(node: &NodeArgs) -> Result<TenantsClient<Channel>> {
    Ok(TenantsClient::new(operator::to(node).await?))
}

fn print(one: &OneTenantArgs, tenant: Option<Tenant>) -> Result<()> {
    let tenant = tenant.context("the node says nothing of the tenant")?;
    if one.json { output::json(&shown(&tenant)) } else { output::line(told(&tenant)) }
}

/// A tenant as a sentence without its full stop.
fn told(tenant: &Tenant) -> String {
    let Tenant { tenant_id, reference, purposes, categories, people, .. } = tenant;
    let ended = || format!("{} ({})", moment(tenant.ended_unix_ms).unwrap_or_default(), tenant.ended_for);
    match tenant.state() {
        TenantState::Erasing => {
            let told = moment(tenant.not_before_unix_ms).map_or_else(String::new, |at| format!(", from {at} on"));
            format!("{tenant_id} ended {}; {people} people are being erased{told}", ended())
        }
        TenantState::Erased => {
            let at = moment(tenant.erased_unix_ms).unwrap_or_default();
            format!("{tenant_id} ended {}; {people} people were erased by {at}", ended())
        }
        TenantState::Live | TenantState::Unspecified => {
            let until = moment(tenant.until_unix_ms).map_or_else(String::new, |until| format!(", until {until}"));
            let (what, data) = (purposes.join(", "), categories.join(", "));
            let demanded = tenant.demand.as_ref().map_or_else(String::new, |demand| {
                format!("; it has to show by {}: {}", moment(demand.due_unix_ms).unwrap_or_default(), demand.what)
            });
            format!("{tenant_id} instructs, by {reference}{until}: {what}; with {data}{demanded}")
        }
    }
}

fn shown(tenant: &Tenant) -> Value {
    json!({
        "tenant": tenant.tenant_id,
        "instructions": hex::encode(&tenant.instructions_id),
        "reference": tenant.reference,
        "purposes": tenant.purposes,
        "categories": tenant.categories,
        "until": moment(tenant.until_unix_ms),
        "since": moment(tenant.since_unix_ms),
        "registry_revision": tenant.registry_revision,
        "state": word(tenant.state().as_str_name(), "TENANT_STATE_"),
        "ended": moment(tenant.ended_unix_ms),
        "ended_for": Some(&tenant.ended_for).filter(|why| !why.is_empty()),
        "people": tenant.people,
        "erased": moment(tenant.erased_unix_ms),
        "notice": Some(hex::encode(&tenant.notice_id)).filter(|notice| !notice.is_empty()),
        "erases_from": moment(tenant.not_before_unix_ms),
        "attestation": Some(&tenant.attestation).filter(|text| !text.is_empty()),
        "demand": tenant.demand.as_ref().map(|demand| json!({
            "demand": hex::encode(&demand.demand_id),
            "what": demand.what,
            "since": moment(demand.since_unix_ms),
            "due": moment(demand.due_unix_ms),
        })),
    })
}
