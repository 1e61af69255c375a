//! `sayso receipts`: what the person in front of a device agreed to, as receipts that they can be given.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sayso_consent::receipt;
use sayso_policy::export::kantara::Receipt;
use sayso_proto::admin::v1::GetConsentRequest;
use sayso_proto::admin::v1::consent_client::ConsentClient;

use crate::cli::ReceiptsArgs;
use crate::serve::runtime;
use crate::{operator, output};

/// Pages of records that are asked for: fifty thousand records of one person are none of a person's.
const PAGES_MAX: usize = 1_000;

pub(crate) fn run(args: &ReceiptsArgs) -> Result<ExitCode> {
    output::json(&runtime()?.block_on(receipts(args))?)?;
    Ok(ExitCode::SUCCESS)
}

/// All of them, the newest first.
async fn receipts(args: &ReceiptsArgs) -> Result<Vec<Receipt>> {
    let mut client = ConsentClient::new(operator::to(&args.person).await?);
    let principal = operator::principal(&args.person);
    let mut request = GetConsentRequest { principal: Some(principal), ..GetConsentRequest::default() };
    let mut receipts = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = client.get(request.clone()).await.context("the node gave no consent records")?.into_inner();
        receipts.extend(page.records.iter().filter_map(receipt::of));
        if page.next_page_token.is_empty() {
            return Ok(receipts);
        }
        request.page_token = page.next_page_token;
    }
    bail!("the node gives more than {PAGES_MAX} pages of records; ask for them by the admin API")
}
