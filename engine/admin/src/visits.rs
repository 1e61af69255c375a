//! The `Visits` service: guests at devices.

use std::sync::Arc;

use sayso_consent::Register;
use sayso_consent::visits::{DeviceOf, Error, Visit};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::visits_server::Visits;
use sayso_types::Name;
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::field;
use crate::operator::Operator;
use crate::refusal::Refusal;

/// Serves who visits which device.
pub(crate) struct VisitsService {
    pub(crate) register: Arc<Register>,
    pub(crate) access: Access,
}

impl VisitsService {
    async fn listed(&self, operator: &Operator, tenant: &str) -> Result<Vec<proto::Visit>, Refusal> {
        let tenant = operator.scope("tenant_id", tenant)?;
        let mut visits = self.register.visits();
        visits.retain(|visit| tenant.as_ref().is_none_or(|tenant| visit.device.0 == *tenant));
        self.access.record(operator, Name::constant("visits.list"), visits.len()).await?;
        Ok(visits.into_iter().map(shown).collect())
    }

    async fn begun(&self, operator: &Operator, tenant: &str, device: &str) -> Result<proto::Visit, Refusal> {
        let (tenant, device) = named(operator, tenant, device)?;
        self.access.record(operator, Name::constant("visit.begin"), 1).await?;
        Ok(shown(self.register.begin_visit(&tenant, &device).await?))
    }

    async fn ended(&self, operator: &Operator, tenant: &str, device: &str) -> Result<proto::Visit, Refusal> {
        let (tenant, device) = named(operator, tenant, device)?;
        self.access.record(operator, Name::constant("visit.end"), 1).await?;
        Ok(shown(self.register.end_visit(&tenant, &device).await?))
    }
}

#[tonic::async_trait]
impl Visits for VisitsService {
    async fn list(
        &self,
        request: Request<proto::ListVisitsRequest>,
    ) -> Result<Response<proto::ListVisitsResponse>, Status> {
        let operator = Operator::of(&request)?;
        let visits = self.listed(&operator, &request.into_inner().tenant_id).await?;
        Ok(Response::new(proto::ListVisitsResponse { visits }))
    }

    async fn begin(
        &self,
        request: Request<proto::BeginVisitRequest>,
    ) -> Result<Response<proto::BeginVisitResponse>, Status> {
        let operator = Operator::of(&request)?;
        let proto::BeginVisitRequest { tenant_id, device_id } = request.into_inner();
        let visit = Some(self.begun(&operator, &tenant_id, &device_id).await?);
        Ok(Response::new(proto::BeginVisitResponse { visit }))
    }

    async fn end(&self, request: Request<proto::EndVisitRequest>) -> Result<Response<proto::EndVisitResponse>, Status> {
        let operator = Operator::of(&request)?;
        let proto::EndVisitRequest { tenant_id, device_id } = request.into_inner();
        let visit = Some(self.ended(&operator, &tenant_id, &device_id).await?);
        Ok(Response::new(proto::EndVisitResponse { visit }))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::OverLimit { what, limit, .. } => Self::OverLimit { what, limit },
            Error::UnknownDevice => Self::NotFound {
                field: "device_id",
                problem: "no such device of this tenant was ever connected; check the id, or connect it once",
            },
            Error::NotOpen => Self::NotNow {
                field: "device_id",
                problem: "nobody visits this device; list the visits that are open".to_owned(),
            },
            Error::Register(error) => error.into(),
        }
    }
}

/// The device that is named.
fn named(operator: &Operator, tenant: &str, device: &str) -> Result<DeviceOf, Refusal> {
    let missing = || Refusal::invalid("tenant_id", "missing; you see all tenants, so name one");
    let tenant = operator.scope("tenant_id", tenant)?.ok_or_else(missing)?;
    Ok((tenant, field::id("device_id", device)?))
}

fn shown(visit: Visit) -> proto::Visit {
    let Visit { id, device: (tenant, device), subject, began_at, ends_at } = visit;
    proto::Visit {
        visit_id: id.0.to_vec(),
        tenant_id: tenant.to_string(),
        device_id: device.to_string(),
        subject_id: subject.to_string(),
        began_unix_ms: began_at.0,
        ends_unix_ms: ends_at.0,
    }
}
