//! The `Tenants` service: what tenants instruct, and what becomes of their people's data when they are served no more.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use sayso_audit::{AuditKey, Hash};
use sayso_consent::Register;
use sayso_consent::tenants::{NotInstructed, Order, Tenant, Why};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::tenants_server::Tenants;
use sayso_types::{TenantId, WallTime};
use tonic::{Request, Response, Status};

use crate::field;
use crate::operator::Operator;
use crate::refusal::Refusal;

/// Purposes, or categories, that instructions may name: more than a profile has.
const NAMED_MAX: usize = 64;

/// Serves tenants' instructions.
pub(crate) struct TenantsService {
    pub(crate) register: Arc<Register>,
    pub(crate) key: AuditKey,
}

impl TenantsService {
    async fn instructed(&self, operator: &Operator, request: proto::InstructRequest) -> Result<Tenant, Refusal> {
        operator.must_see_all()?;
        let order = Order {
            tenant: field::id("tenant_id", &request.tenant_id)?,
            reference: request.reference,
            purposes: named("purposes", &request.purposes)?,
            categories: named("categories", &request.categories)?,
            until: (request.until_unix_ms > 0).then_some(WallTime(request.until_unix_ms)),
            attestation: Some(request.attestation).filter(|text| !text.is_empty()),
        };
        Ok(self.register.instruct(order, operator.actor(&self.key)).await?)
    }

    async fn demanded(&self, operator: &Operator, request: proto::DemandEvidenceRequest) -> Result<Tenant, Refusal> {
        operator.must_see_all()?;
        let tenant = field::id("tenant_id", &request.tenant_id)?;
        let due = (request.due_unix_ms > 0).then_some(WallTime(request.due_unix_ms));
        Ok(self.register.demand_evidence(tenant, request.what, due, operator.actor(&self.key)).await?)
    }

    async fn accepted(&self, operator: &Operator, request: proto::AcceptEvidenceRequest) -> Result<Tenant, Refusal> {
        operator.must_see_all()?;
        let tenant = field::id("tenant_id", &request.tenant_id)?;
        let document = field::sha256("document_sha256", &request.document_sha256)?;
        Ok(self.register.accept_evidence(tenant, Hash(document), operator.actor(&self.key)).await?)
    }

    async fn found(&self, operator: &Operator, tenant: &str) -> Result<Tenant, Refusal> {
        let id = whose(operator, tenant)?;
        let mut tenants = self.register.tenants().await?.into_iter();
        Ok(tenants.find(|tenant| tenant.order.tenant == id).ok_or(NotInstructed::Unknown)?)
    }

    async fn erased(&self, operator: &Operator, tenant: &str) -> Result<Tenant, Refusal> {
        let id = whose(operator, tenant)?;
        Ok(self.register.end_tenant(id, Why::Instructed, operator.actor(&self.key)).await?)
    }
}

#[tonic::async_trait]
impl Tenants for TenantsService {
    async fn instruct(
        &self,
        request: Request<proto::InstructRequest>,
    ) -> Result<Response<proto::InstructResponse>, Status> {
        let operator = Operator::of(&request)?;
        let tenant = Some(shown(&self.instructed(&operator, request.into_inner()).await?));
        Ok(Response::new(proto::InstructResponse { tenant }))
    }

    async fn get(
        &self,
        request: Request<proto::GetTenantRequest>,
    ) -> Result<Response<proto::GetTenantResponse>, Status> {
        let operator = Operator::of(&request)?;
        let tenant = Some(shown(&self.found(&operator, &request.into_inner().tenant_id).await?));
        Ok(Response::new(proto::GetTenantResponse { tenant }))
    }

    async fn list(
        &self,
        request: Request<proto::ListTenantsRequest>,
    ) -> Result<Response<proto::ListTenantsResponse>, Status> {
        Operator::of(&request)?.must_see_all()?;
        let tenants = self.register.tenants().await.map_err(Refusal::from)?;
        Ok(Response::new(proto::ListTenantsResponse { tenants: tenants.iter().map(shown).collect() }))
    }

    async fn demand_evidence(
        &self,
        request: Request<proto::DemandEvidenceRequest>,
    ) -> Result<Response<proto::DemandEvidenceResponse>, Status> {
        let operator = Operator::of(&request)?;
        let tenant = Some(shown(&self.demanded(&operator, request.into_inner()).await?));
        Ok(Response::new(proto::DemandEvidenceResponse { tenant }))
    }

    async fn accept_evidence(
        &self,
        request: Request<proto::AcceptEvidenceRequest>,
    ) -> Result<Response<proto::AcceptEvidenceResponse>, Status> {
        let operator = Operator::of(&request)?;
        let tenant = Some(shown(&self.accepted(&operator, request.into_inner()).await?));
        Ok(Response::new(proto::AcceptEvidenceResponse { tenant }))
    }

    async fn erase(
        &self,
        request: Request<proto::EraseTenantRequest>,
    ) -> Result<Response<proto::EraseTenantResponse>, Status> {
        let operator = Operator::of(&request)?;
        let tenant = Some(shown(&self.erased(&operator, &request.into_inner().tenant_id).await?));
        Ok(Response::new(proto::EraseTenantResponse { tenant }))
    }
}

impl From<NotInstructed> for Refusal {
    fn from(why: NotInstructed) -> Self {
        match why {
            NotInstructed::Nothing | NotInstructed::Purpose(_) => Self::invalid("purposes", why),
            NotInstructed::Category(_) => Self::invalid("categories", why),
            NotInstructed::Reference => Self::invalid("reference", why),
            NotInstructed::Term => Self::invalid("until_unix_ms", why),
            NotInstructed::Attestation => Self::invalid("attestation", why),
            NotInstructed::What => Self::invalid("what", why),
            NotInstructed::Due => Self::invalid("due_unix_ms", why),
            NotInstructed::Demanded | NotInstructed::NotDemanded => {
                Self::NotNow { field: "tenant_id", problem: why.to_string() }
            }
            NotInstructed::Erasing => Self::NotNow { field: "tenant_id", problem: why.to_string() },
            NotInstructed::Unknown => {
                let problem = "this tenant has given no instructions; the operator of the node puts them down";
                Self::NotFound { field: "tenant_id", problem }
            }
            NotInstructed::TooMany => {
                Self::OverLimit { what: "tenants with instructions", limit: sayso_consent::tenants::TENANTS_MAX }
            }
        }
    }
}

/// The tenant that is named, or the caller's own.
fn whose(operator: &Operator, named: &str) -> Result<TenantId, Refusal> {
    let missing = || Refusal::invalid("tenant_id", "missing; you see all tenants, so name one");
    operator.scope("tenant_id", named)?.ok_or_else(missing)
}

fn named<T: FromStr<Err: core::fmt::Display> + Ord>(
    field: &'static str,
    names: &[String],
) -> Result<BTreeSet<T>, Refusal> {
    if names.len() > NAMED_MAX {
        return Err(Refusal::invalid(field, format_args!("{} are more than {NAMED_MAX}", names.len())));
    }
    names.iter().map(|name| field::id(field, name)).collect()
}

fn shown(tenant: &Tenant) -> proto::Tenant {
    let Order { tenant: id, reference, purposes, categories, until, attestation } = &tenant.order;
    let demand = tenant.demand.as_ref().map(|demand| proto::EvidenceDemand {
        demand_id: demand.id().0.to_vec(),
        what: demand.what.clone(),
        since_unix_ms: demand.since.0,
        due_unix_ms: demand.due.0,
    });
    let ending = tenant.ending.as_ref();
    let state = match ending {
        None => proto::TenantState::Live,
        Some(_) if tenant.is_erasing() => proto::TenantState::Erasing,
        Some(_) => proto::TenantState::Erased,
    };
    proto::Tenant {
        tenant_id: id.to_string(),
        instructions_id: tenant.id.0.to_vec(),
        reference: reference.clone(),
        purposes: purposes.iter().map(ToString::to_string).collect(),
        categories: categories.iter().map(ToString::to_string).collect(),
        until_unix_ms: until.map_or(0, |until| until.0),
        since_unix_ms: tenant.since.0,
        registry_revision: tenant.rev,
        state: state.into(),
        ended_unix_ms: ending.map_or(0, |ending| ending.at.0),
        ended_for: ending.map_or_else(String::new, |ending| ending.why.name().to_string()),
        people: ending.map_or(0, |ending| ending.people),
        erased_unix_ms: ending.and_then(|ending| ending.erased_at).map_or(0, |at| at.0),
        notice_id: ending.and_then(|ending| ending.notice).map_or_else(Vec::new, |notice| notice.0.to_vec()),
        not_before_unix_ms: ending.and_then(|ending| ending.not_before).map_or(0, |at| at.0),
        attestation: attestation.clone().unwrap_or_default(),
        demand,
    }
}
