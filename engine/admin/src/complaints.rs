//! The `Complaints` service: complaints of people and of tenants.

use std::sync::Arc;

use sayso_audit::{AuditKey, Reference};
use sayso_consent::Register;
use sayso_consent::complaints::{Complaint, ComplaintDesk, Error, Filing, Outcome, desk};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::complaints_server::Complaints;
use sayso_types::{Name, TenantId};
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::field;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;

/// Most complaints of a list: the newest.
const LISTED_MAX: usize = 100;

/// Serves complaints.
pub(crate) struct ComplaintsService {
    pub(crate) register: Arc<Register>,
    pub(crate) desk: ComplaintDesk,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
}

impl ComplaintsService {
    async fn file(&self, operator: &Operator, request: proto::FileComplaintRequest) -> Result<Complaint, Refusal> {
        let tenant = tenant(operator, &request.tenant_id)?;
        let subject = match request.principal {
            None => None,
            named => Some(Principal::find(&self.register, operator, named).await?.subject),
        };
        let evidence = request.evidence_sha256.as_slice();
        let evidence_sha256 = (!evidence.is_empty()).then(|| field::sha256("evidence_sha256", evidence)).transpose()?;
        let text_sha256 = field::sha256("text_sha256", &request.text_sha256)?;
        let filing = Filing { tenant, subject, text_sha256, evidence_sha256 };
        Ok(self.desk.file(filing, operator.actor(&self.key)).await?)
    }

    async fn answer(&self, operator: &Operator, request: proto::AnswerComplaintRequest) -> Result<Complaint, Refusal> {
        operator.must_see_all()?;
        let tenant = tenant(operator, &request.tenant_id)?;
        let outcome = match request.outcome() {
            proto::ComplaintOutcome::Upheld => Outcome::Upheld,
            proto::ComplaintOutcome::UpheldInPart => Outcome::UpheldInPart,
            proto::ComplaintOutcome::NotUpheld => Outcome::NotUpheld,
            proto::ComplaintOutcome::Unspecified => {
                return Err(Refusal::invalid("outcome", "missing; say what came of the complaint"));
            }
        };
        let text_sha256 = field::sha256("text_sha256", &request.text_sha256)?;
        let id = id(&request.complaint_id)?;
        Ok(self.desk.answer(&tenant, id, (outcome, text_sha256), operator.actor(&self.key)).await?)
    }

    async fn get(&self, operator: &Operator, request: &proto::GetComplaintRequest) -> Result<Complaint, Refusal> {
        let tenant = tenant(operator, &request.tenant_id)?;
        let complaint = self.desk.get(&tenant, id(&request.complaint_id)?).await?;
        self.access.record(operator, Name::constant("complaint.get"), 1).await?;
        Ok(complaint)
    }

    async fn listed(&self, operator: &Operator, tenant_id: &str) -> Result<Vec<Complaint>, Refusal> {
        let mut complaints = self.desk.of(&tenant(operator, tenant_id)?).await?;
        complaints.reverse();
        complaints.truncate(LISTED_MAX);
        self.access.record(operator, Name::constant("complaint.list"), complaints.len()).await?;
        Ok(complaints)
    }
}

#[tonic::async_trait]
impl Complaints for ComplaintsService {
    async fn file(
        &self,
        request: Request<proto::FileComplaintRequest>,
    ) -> Result<Response<proto::FileComplaintResponse>, Status> {
        let operator = Operator::of(&request)?;
        let complaint = Some(shown(&self.file(&operator, request.into_inner()).await?));
        Ok(Response::new(proto::FileComplaintResponse { complaint }))
    }

    async fn answer(
        &self,
        request: Request<proto::AnswerComplaintRequest>,
    ) -> Result<Response<proto::AnswerComplaintResponse>, Status> {
        let operator = Operator::of(&request)?;
        let complaint = Some(shown(&self.answer(&operator, request.into_inner()).await?));
        Ok(Response::new(proto::AnswerComplaintResponse { complaint }))
    }

    async fn get(
        &self,
        request: Request<proto::GetComplaintRequest>,
    ) -> Result<Response<proto::GetComplaintResponse>, Status> {
        let operator = Operator::of(&request)?;
        let complaint = Some(shown(&self.get(&operator, request.get_ref()).await?));
        Ok(Response::new(proto::GetComplaintResponse { complaint }))
    }

    async fn list(
        &self,
        request: Request<proto::ListComplaintsRequest>,
    ) -> Result<Response<proto::ListComplaintsResponse>, Status> {
        let operator = Operator::of(&request)?;
        let complaints = self.listed(&operator, &request.get_ref().tenant_id).await?.iter().map(shown).collect();
        Ok(Response::new(proto::ListComplaintsResponse { complaints }))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let problem = error.to_string();
        match error {
            Error::Register(error) => error.into(),
            Error::Unknown => {
                Self::NotFound { field: "complaint_id", problem: "the tenant has no such complaint; list theirs" }
            }
            Error::OtherTenant => Self::invalid("principal", problem),
            Error::TooMany => Self::OverLimit { what: "open complaints", limit: desk::OPEN_MAX },
            Error::NotNow(_) => Self::NotNow { field: "complaint_id", problem },
        }
    }
}

/// Whose complaints `operator` means.
fn tenant(operator: &Operator, named: &str) -> Result<TenantId, Refusal> {
    let missing = || Refusal::invalid("tenant_id", "missing; you see all tenants, so name one");
    operator.scope("tenant_id", named)?.ok_or_else(missing)
}

fn id(bytes: &[u8]) -> Result<Reference, Refusal> {
    let malformed = |_| Refusal::invalid("complaint_id", format_args!("an id has 16 bytes, this has {}", bytes.len()));
    bytes.try_into().map(Reference).map_err(malformed)
}

fn shown(complaint: &Complaint) -> proto::Complaint {
    let outcome = complaint.answer.map_or(proto::ComplaintOutcome::Unspecified, |answer| match answer.outcome {
        Outcome::Upheld => proto::ComplaintOutcome::Upheld,
        Outcome::UpheldInPart => proto::ComplaintOutcome::UpheldInPart,
        Outcome::NotUpheld => proto::ComplaintOutcome::NotUpheld,
    });
    let filing = &complaint.filing;
    proto::Complaint {
        complaint_id: complaint.id.0.to_vec(),
        tenant_id: filing.tenant.to_string(),
        subject_id: filing.subject.map_or_else(String::new, |subject| subject.to_string()),
        text_sha256: filing.text_sha256.to_vec(),
        evidence_sha256: filing.evidence_sha256.map_or_else(Vec::new, |hash| hash.to_vec()),
        received_unix_ms: complaint.received.0,
        due_unix_ms: complaint.due.at.0,
        due_by: complaint.due.by.clone(),
        due_is_exact: complaint.due.is_exact,
        outcome: outcome.into(),
        answer_sha256: complaint.answer.map_or_else(Vec::new, |answer| answer.text_sha256.to_vec()),
        answered_unix_ms: complaint.answer.map_or(0, |answer| answer.at.0),
        overdue: complaint.is_overdue,
    }
}
