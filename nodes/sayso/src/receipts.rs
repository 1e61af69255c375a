//! `sayso receipts`: what the person in front of a device agreed to, as receipts that they can be given.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_consent::receipt;
use sayso_policy::export::kantara::Receipt;
use sayso_proto::admin::v1::consent_client::ConsentClient;
use sayso_proto::admin::v1::{GetConsentRequest, Principal};

use crate::cli::ReceiptsArgs;
use crate::operator::{self, Credentials};
use crate::output;
use crate::serve::runtime;

pub(crate) fn run(args: &ReceiptsArgs) -> Result<ExitCode> {
    output::json(&runtime()?.block_on(receipts(args))?)?;
    Ok(ExitCode::SUCCESS)
}

/// All of them, the newest first.
async fn receipts(args: &ReceiptsArgs) -> Result<Vec<Receipt>> {
    let read = |name: &str| {
        let file = args.certs.join(name);
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    let (authority, certificate, key) = (read("ca.pem")?, read("cert.pem")?, read("key.pem")?);
    let credentials = Credentials { authority: &authority, certificate: &certificate, key: &key };
    let channel = operator::connect(args.admin, &args.server_name, &credentials).await?;
    let mut client = ConsentClient::new(channel);
    let principal = Principal { tenant_id: args.tenant.to_string(), device_id: args.device_id.to_string() };
    let mut request = GetConsentRequest { principal: Some(principal), ..GetConsentRequest::default() };
    let mut receipts = Vec::new();
    loop {
        let page = client.get(request.clone()).await.context("the node gave no consent records")?.into_inner();
        receipts.extend(page.records.iter().filter_map(receipt::of));
        if page.next_page_token.is_empty() {
            return Ok(receipts);
        }
        request.page_token = page.next_page_token;
    }
}
