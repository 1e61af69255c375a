//! `sayso referral`: what a tenant is asked first, on a running node.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::referrals_client::ReferralsClient;
use sayso_proto::admin::v1::{AnswerReferralRequest, ListReferralsRequest, ReferralAnswer};
use serde_json::Value;

use crate::cli::{AnswerArg, NodeArgs, ReferralArgs, ReferralCommand};
use crate::output::{self, moment};
use crate::serve::runtime;
use crate::{operator, rights};

pub(crate) fn run(args: &ReferralArgs) -> Result<ExitCode> {
    let cases = runtime()?.block_on(referral(&args.command))?;
    output::shown(&cases, args.json, "no request waits for the tenant", |case| match case["tenant_until"].as_str() {
        Some(until) => format!("{}; the tenant's until {until}", rights::told(case)),
        None => rights::told(case),
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn referral(command: &ReferralCommand) -> Result<Value> {
    Ok(match command {
        ReferralCommand::List { node, tenant } => {
            let request = ListReferralsRequest { tenant_id: tenant.to_string() };
            let listed = client(node).await?.list(request).await.context("the node lists no requests")?.into_inner();
            let shown = listed.referrals.iter().map(|referral| {
                let mut shown = rights::shown(referral.case.as_ref());
                shown["tenant_until"] = moment(referral.until_unix_ms).into();
                shown
            });
            shown.collect()
        }
        ReferralCommand::Answer { person, case, answer, reason } => {
            let answer = match answer {
                AnswerArg::Done => ReferralAnswer::Done,
                AnswerArg::Refused => ReferralAnswer::Refused,
                AnswerArg::Cannot => ReferralAnswer::Cannot,
            };
            let request = AnswerReferralRequest {
                principal: Some(operator::principal(person)),
                case_id: rights::id(case)?,
                answer: answer.into(),
                reason: reason.clone(),
            };
            let answered = client(&person.node).await?.answer(request).await.context("the answer is not taken")?;
            rights::shown(answered.into_inner().case.as_ref())
        }
    })
}

async fn client(node: &NodeArgs) -> Result<ReferralsClient<tonic::transport::Channel>> {
    Ok(ReferralsClient::new(operator::to(node).await?))
}
