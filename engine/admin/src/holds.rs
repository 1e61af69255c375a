//! The `Holds` service: what laws demand to be kept.

use std::sync::Arc;

use sayso_audit::{AuditKey, Reference};
use sayso_consent::Register;
use sayso_consent::retention::{Hold, HoldError, HoldOrder};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::holds_server::Holds;
use sayso_types::{Category, Name, WallTime};
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::field;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;

/// Serves legal holds to the operator of the node.
pub(crate) struct HoldsService {
    pub(crate) register: Arc<Register>,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
}

impl HoldsService {
    async fn set_now(&self, operator: &Operator, request: proto::SetHoldRequest) -> Result<proto::Hold, Refusal> {
        operator.must_see_all()?;
        let category: Option<Category> = field::optional_id("category", &request.category)?;
        let subject = match request.principal {
            Some(named) => Some(Principal::find(&self.register, operator, Some(named)).await?.subject),
            None => None,
        };
        let until = (request.until_unix_ms > 0).then_some(WallTime(request.until_unix_ms));
        let order = HoldOrder { subject, category, law: request.law, by: operator.name().to_owned(), until };
        Ok(shown(&self.register.set_hold(order, operator.actor(&self.key)).await?))
    }

    async fn listed(&self, operator: &Operator) -> Result<Vec<proto::Hold>, Refusal> {
        operator.must_see_all()?;
        let holds = self.register.legal_holds().await;
        self.access.record(operator, Name::constant("holds.list"), holds.len()).await?;
        Ok(holds.iter().map(shown).collect())
    }

    async fn released(&self, operator: &Operator, id: &[u8]) -> Result<proto::Hold, Refusal> {
        operator.must_see_all()?;
        let malformed = |_| Refusal::invalid("hold_id", format_args!("an id has 16 bytes, this has {}", id.len()));
        let id = Reference(id.try_into().map_err(malformed)?);
        Ok(shown(&self.register.release_hold(id, operator.actor(&self.key)).await?))
    }
}

#[tonic::async_trait]
impl Holds for HoldsService {
    async fn set(&self, request: Request<proto::SetHoldRequest>) -> Result<Response<proto::SetHoldResponse>, Status> {
        let operator = Operator::of(&request)?;
        let hold = Some(self.set_now(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::SetHoldResponse { hold }))
    }

    async fn list(
        &self,
        request: Request<proto::ListHoldsRequest>,
    ) -> Result<Response<proto::ListHoldsResponse>, Status> {
        let holds = self.listed(&Operator::of(&request)?).await?;
        Ok(Response::new(proto::ListHoldsResponse { holds }))
    }

    async fn release(
        &self,
        request: Request<proto::ReleaseHoldRequest>,
    ) -> Result<Response<proto::ReleaseHoldResponse>, Status> {
        let operator = Operator::of(&request)?;
        let hold = Some(self.released(&operator, &request.into_inner().hold_id).await?);
        Ok(Response::new(proto::ReleaseHoldResponse { hold }))
    }
}

/// What is wrong with a hold. The field is the first word of what it says.
pub(crate) fn refused(error: HoldError) -> Refusal {
    let problem = error.to_string();
    let problem = problem.split_once(": ").map_or_else(|| problem.clone(), |(_, rest)| rest.to_owned());
    match error {
        HoldError::Law => Refusal::Invalid { field: "law", problem },
        HoldError::By => Refusal::Invalid { field: "set_by", problem },
        HoldError::Until => Refusal::Invalid { field: "until_unix_ms", problem },
        HoldError::TooMany => {
            Refusal::OverLimit { what: "legal holds", limit: sayso_consent::retention::hold::HOLDS_MAX }
        }
        HoldError::Unknown => {
            Refusal::NotFound { field: "hold_id", problem: "no such hold is set; list those that are" }
        }
    }
}

fn shown(hold: &Hold) -> proto::Hold {
    let order = &hold.order;
    proto::Hold {
        hold_id: hold.id.0.to_vec(),
        subject_id: order.subject.map_or_else(String::new, |subject| subject.to_string()),
        category: order.category.map_or_else(String::new, |category| category.to_string()),
        law: order.law.clone(),
        set_by: order.by.clone(),
        set_unix_ms: hold.set_at.0,
        until_unix_ms: order.until.map_or(0, |until| until.0),
    }
}
