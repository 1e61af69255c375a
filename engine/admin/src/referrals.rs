//! The `Referrals` service: what tenants are asked first.

use std::sync::Arc;

use sayso_audit::AuditKey;
use sayso_consent::Register;
use sayso_consent::rights::{Desk, Request as Case, TenantAnswer};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::referrals_server::Referrals;
use sayso_types::Name;
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;
use crate::rights::{case_id, shown as shown_case, word};

/// Most requests of a list: the oldest.
const LISTED_MAX: usize = 100;

/// Serves what tenants are asked first.
pub(crate) struct ReferralsService {
    pub(crate) register: Arc<Register>,
    pub(crate) desk: Desk,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
}

impl ReferralsService {
    async fn listed(&self, operator: &Operator, tenant_id: &str) -> Result<Vec<proto::Referral>, Refusal> {
        let missing = || Refusal::invalid("tenant_id", "missing; you see all tenants, so name one");
        let tenant = operator.scope("tenant_id", tenant_id)?.ok_or_else(missing)?;
        let mut waiting = self.desk.referred(&tenant).await?;
        waiting.truncate(LISTED_MAX);
        self.access.record(operator, Name::constant("referral.list"), waiting.len()).await?;
        Ok(waiting.iter().map(shown).collect())
    }

    async fn answered(&self, operator: &Operator, request: proto::AnswerReferralRequest) -> Result<Case, Refusal> {
        if operator.sees_all() {
            return Err(Refusal::TenantOnly);
        }
        let (id, reason) = (case_id(&request.case_id)?, request.reason.as_str());
        let answer = match request.answer() {
            proto::ReferralAnswer::Done => TenantAnswer::Done,
            proto::ReferralAnswer::Cannot => TenantAnswer::Cannot,
            proto::ReferralAnswer::Refused => {
                let advice = "the policy's rights.refusals lists those that it allows";
                TenantAnswer::Refused(word("reason", reason, advice)?)
            }
            proto::ReferralAnswer::Unspecified => {
                return Err(Refusal::invalid("answer", "missing; say what became of the request"));
            }
        };
        if !matches!(answer, TenantAnswer::Refused(_)) && !reason.is_empty() {
            return Err(Refusal::invalid("reason", "this answer has none; leave it empty"));
        }
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        Ok(self.desk.answer_referral(subject, id, answer, operator.actor(&self.key)).await?)
    }
}

#[tonic::async_trait]
impl Referrals for ReferralsService {
    async fn list(
        &self,
        request: Request<proto::ListReferralsRequest>,
    ) -> Result<Response<proto::ListReferralsResponse>, Status> {
        let operator = Operator::of(&request)?;
        let referrals = self.listed(&operator, &request.get_ref().tenant_id).await?;
        Ok(Response::new(proto::ListReferralsResponse { referrals }))
    }

    async fn answer(
        &self,
        request: Request<proto::AnswerReferralRequest>,
    ) -> Result<Response<proto::AnswerReferralResponse>, Status> {
        let operator = Operator::of(&request)?;
        let case = Some(shown_case(&self.answered(&operator, request.into_inner()).await?));
        Ok(Response::new(proto::AnswerReferralResponse { case }))
    }
}

fn shown(case: &Case) -> proto::Referral {
    let until_unix_ms = case.referral.map_or(0, |referral| referral.until.0);
    proto::Referral { case: Some(shown_case(case)), until_unix_ms }
}
