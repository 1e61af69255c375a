//! What receivers may still have, over everybody.

use anyhow::{Context, Result};
use sayso_proto::admin::v1::rights_client::RightsClient;
use sayso_proto::admin::v1::{ListResidualsRequest, OpenResidual};
use sayso_types::TenantId;
use serde_json::{Value, json};

use crate::cli::NodeArgs;
use crate::operator;
use crate::output::{moment, text};

/// All of it, page by page.
pub(super) async fn listed(node: &NodeArgs, tenant: Option<&TenantId>) -> Result<Value> {
    let mut client = RightsClient::new(operator::to(node).await?);
    let tenant_id = tenant.map_or_else(String::new, ToString::to_string);
    let (mut open, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListResidualsRequest { tenant_id: tenant_id.clone(), page_token };
        let page = client.list_residuals(request).await.context("the node does not say what remains")?.into_inner();
        open.extend(page.residuals.iter().map(shown));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(open.into());
        }
    }
}

fn shown(open: &OpenResidual) -> Value {
    json!({
        "subject": open.subject_id,
        "tenant": open.tenant_id,
        "erasure": hex::encode(&open.erasure_id),
        "category": (!open.category.is_empty()).then_some(&open.category),
        "certified_at": moment(open.certified_unix_ms),
        "processor": open.processor,
        "party": open.party,
        "told_at": moment(open.told_unix_ms),
        "until": moment(open.until_unix_ms),
    })
}

/// In a line, for people.
pub(super) fn told(open: &Value) -> String {
    let [subject, erasure, certified] = ["subject", "erasure", "certified_at"].map(|name| text(open, name));
    let [processor, party] = ["processor", "party"].map(|name| text(open, name));
    let category = open["category"].as_str().unwrap_or("everything");
    let asked = match open["told_at"].as_str() {
        Some(at) => format!("told to delete since {at}, without an answer"),
        None => "nobody told it to delete".to_owned(),
    };
    let until = open["until"].as_str().map(|at| format!(", says that it keeps it until {at}")).unwrap_or_default();
    format!("{subject} {erasure}  {category}, certified {certified}: {party} [{processor}], {asked}{until}")
}
