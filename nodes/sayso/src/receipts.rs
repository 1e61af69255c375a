//! `sayso receipts`: what the person in front of a device agreed to, as receipts that they can be given, and the proofs that
//! it is on record, as is what was taken back and what was erased.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sayso_audit::receipt::EXTENSION;
use sayso_consent::erasure::Certificate;
use sayso_consent::receipt;
use sayso_policy::export::kantara::Receipt;
use sayso_proto::admin::v1::audit_client::AuditClient;
use sayso_proto::admin::v1::consent_client::ConsentClient;
use sayso_proto::admin::v1::rights_client::RightsClient;
use sayso_proto::admin::v1::{GetConsentRequest, ListCertificatesRequest, ReceiptRequest};
use sayso_proto::consent::v1::ConsentRecord;
use serde::Serialize;
use serde_json::Value;
use tonic::Code;
use tonic::transport::Channel;

use crate::cli::{ReceiptFormat, ReceiptsArgs};
use crate::serve::runtime;
use crate::{operator, output};

/// Pages of records that are asked for: fifty thousand records of one person are none of a person's.
const PAGES_MAX: usize = 1_000;

pub(crate) fn run(args: &ReceiptsArgs) -> Result<ExitCode> {
    output::json(&runtime()?.block_on(receipts(args))?)?;
    Ok(ExitCode::SUCCESS)
}

/// A receipt in the terms that were asked for.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    Kantara(Box<Receipt>),
    Iso27560(Value),
}

impl Shown {
    fn of(record: &ConsentRecord, format: ReceiptFormat) -> Option<Self> {
        match format {
            ReceiptFormat::Kantara => receipt::of(record).map(|receipt| Self::Kantara(Box::new(receipt))),
            ReceiptFormat::Iso27560 => receipt::iso27560::of(record).map(Self::Iso27560),
        }
    }
}

/// All of them, the newest first.
async fn receipts(args: &ReceiptsArgs) -> Result<Vec<Shown>> {
    let channel = operator::to(&args.person.node).await?;
    let mut client = ConsentClient::new(channel.clone());
    let principal = operator::principal(&args.person);
    let mut request = GetConsentRequest { principal: Some(principal), ..GetConsentRequest::default() };
    let (mut receipts, mut on_record) = (Vec::new(), Vec::new());
    for _ in 0..PAGES_MAX {
        let page = client.get(request.clone()).await.context("the node gave no consent records")?.into_inner();
        receipts.extend(page.records.iter().filter_map(|record| Shown::of(record, args.format)));
        on_record.extend(page.withdrawals.into_iter().map(|withdrawal| ("withdrawal", withdrawal.withdrawal_id)));
        on_record.extend(page.records.into_iter().map(|record| ("consent", record.record_id)));
        if page.next_page_token.is_empty() {
            if let Some(dir) = &args.proofs {
                let erased = erased(channel.clone(), args).await?;
                on_record.extend(erased.into_iter().map(|erasure| ("erasure", erasure)));
                write_proofs(&mut AuditClient::new(channel), &on_record, dir).await?;
            }
            return Ok(receipts);
        }
        request.page_token = page.next_page_token;
    }
    bail!("the node gives more than {PAGES_MAX} pages of records; ask for them by the admin API")
}

/// The person's erasures that are certified.
async fn erased(channel: Channel, args: &ReceiptsArgs) -> Result<Vec<Vec<u8>>> {
    let request = ListCertificatesRequest { principal: Some(operator::principal(&args.person)) };
    let listed = RightsClient::new(channel).list_certificates(request).await;
    let certificates = listed.context("the node lists no certificates")?.into_inner().certificates;
    certificates.iter().map(|json| Ok(Certificate::parse(json)?.erasure.to_vec())).collect()
}

/// Writes a proof for each of these ids into `dir`. What is not on record, as a question that was not answered with yes, has
/// none.
async fn write_proofs(client: &mut AuditClient<Channel>, on_record: &[(&str, Vec<u8>)], dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    for (sort, id) in on_record {
        let request = ReceiptRequest { shard: 0, reference: id.clone() };
        match client.receipt(request).await {
            Ok(answer) => {
                let file = dir.join(format!("{sort}-{}.{EXTENSION}", hex::encode(id)));
                let written = fs::write(&file, answer.into_inner().receipt);
                written.with_context(|| format!("cannot write {}", file.display()))?;
            }
            Err(status) if status.code() == Code::NotFound => {}
            Err(status) => return Err(status).context("the node gave no proof"),
        }
    }
    Ok(())
}
