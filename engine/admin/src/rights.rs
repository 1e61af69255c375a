//! The `Rights` service: what people ask of whoever has their data.

use std::sync::Arc;

use sayso_audit::{AuditKey, Reference};
use sayso_consent::Register;
use sayso_consent::rights::{Delay, Desk, Error, Request as Case, Standing, Step};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::rights_server::Rights;
use sayso_types::{Name, WallTime};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;

/// Serves people's requests.
pub(crate) struct RightsService {
    pub(crate) register: Arc<Register>,
    pub(crate) desk: Desk,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
}

impl RightsService {
    async fn take(&self, operator: &Operator, request: proto::OpenCaseRequest) -> Result<proto::Case, Refusal> {
        let right = word("right", &request.right, "the policy's rights.offers lists those that it offers")?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        Ok(shown(&self.desk.receive(subject, right, operator.actor(&self.key)).await?))
    }

    async fn advanced(&self, operator: &Operator, request: proto::AdvanceCaseRequest) -> Result<proto::Case, Refusal> {
        let (id, step) = (case_id(&request.case_id)?, step(&request)?);
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        Ok(shown(&self.desk.step(subject, id, step, operator.actor(&self.key)).await?))
    }

    async fn listed(&self, operator: &Operator, request: proto::ListCasesRequest) -> Result<Vec<proto::Case>, Refusal> {
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let cases = self.desk.of(subject).await?;
        self.access.record(operator, Name::constant("rights.list"), cases.len()).await?;
        Ok(cases.iter().map(shown).collect())
    }

    async fn copied(&self, operator: &Operator, request: proto::CopyCaseRequest) -> Result<Vec<u8>, Refusal> {
        let id = case_id(&request.case_id)?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let copy = self.desk.copy(subject, id, operator.actor(&self.key)).await?;
        Ok(serde_json::to_vec(&copy).expect("a copy is texts, numbers and lists of them"))
    }

    async fn certified(&self, operator: &Operator, request: proto::CertificateRequest) -> Result<Vec<u8>, Refusal> {
        let of = id("reference", &request.reference)?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let found = self.register.certificate(subject, of).await?;
        self.access.record(operator, Name::constant("rights.certificate"), found.iter().len()).await?;
        match found {
            Some(certificate) => Ok(certificate),
            None if self.register.is_erasing(subject, of).await? => {
                let problem = "the erasure is on its way; ask again in a moment".to_owned();
                Err(Refusal::NotNow { field: "reference", problem })
            }
            None => Err(Refusal::NotFound { field: "reference", problem: "nothing of the person was erased for this" }),
        }
    }
}

#[tonic::async_trait]
impl Rights for RightsService {
    async fn open(
        &self,
        request: Request<proto::OpenCaseRequest>,
    ) -> Result<Response<proto::OpenCaseResponse>, Status> {
        let operator = Operator::of(&request)?;
        let case = Some(self.take(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::OpenCaseResponse { case }))
    }

    async fn advance(
        &self,
        request: Request<proto::AdvanceCaseRequest>,
    ) -> Result<Response<proto::AdvanceCaseResponse>, Status> {
        let operator = Operator::of(&request)?;
        let case = Some(self.advanced(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::AdvanceCaseResponse { case }))
    }

    async fn list(
        &self,
        request: Request<proto::ListCasesRequest>,
    ) -> Result<Response<proto::ListCasesResponse>, Status> {
        let operator = Operator::of(&request)?;
        let cases = self.listed(&operator, request.into_inner()).await?;
        Ok(Response::new(proto::ListCasesResponse { cases }))
    }

    async fn copy(
        &self,
        request: Request<proto::CopyCaseRequest>,
    ) -> Result<Response<proto::CopyCaseResponse>, Status> {
        let operator = Operator::of(&request)?;
        let copy = self.copied(&operator, request.into_inner()).await?;
        Ok(Response::new(proto::CopyCaseResponse { copy }))
    }

    async fn certificate(
        &self,
        request: Request<proto::CertificateRequest>,
    ) -> Result<Response<proto::CertificateResponse>, Status> {
        let operator = Operator::of(&request)?;
        let certificate = self.certified(&operator, request.into_inner()).await?;
        Ok(Response::new(proto::CertificateResponse { certificate }))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Register(error) => error.into(),
            Error::Unknown => Self::NotFound { field: "case_id", problem: "the person has no such case; list theirs" },
            Error::NotOffered => Self::NotNow { field: "right", problem: error.to_string() },
            Error::TooMany => Self::OverLimit { what: "open cases", limit: sayso_consent::rights::desk::OPEN_MAX },
            Error::NotNow(why) => Self::NotNow { field: "step", problem: why.to_string() },
            Error::Changed => Self::Changed { field: "case_id" },
        }
    }
}

fn case_id(bytes: &[u8]) -> Result<Reference, Refusal> {
    id("case_id", bytes)
}

fn id(field: &'static str, bytes: &[u8]) -> Result<Reference, Refusal> {
    let malformed = |_| Refusal::invalid(field, format_args!("an id has 16 bytes, this has {}", bytes.len()));
    bytes.try_into().map(Reference).map_err(malformed)
}

fn step(request: &proto::AdvanceCaseRequest) -> Result<Step, Refusal> {
    let reason = request.reason.as_str();
    let step = match request.step() {
        proto::CaseStep::Verify => Step::Verify,
        proto::CaseStep::Accept => Step::Accept,
        proto::CaseStep::Reject => {
            return Ok(Step::Reject(word(
                "reason",
                reason,
                "the policy's rights.refusals lists those that it allows",
            )?));
        }
        proto::CaseStep::Delay => {
            let why: Delay = word("reason", reason, "give complex or numerous (GDPR 12(3))")?;
            return Ok(Step::Delay { why, until: WallTime(request.until_unix_ms) });
        }
        proto::CaseStep::Fulfil => Step::Fulfil { is_partial: false },
        proto::CaseStep::FulfilInPart => Step::Fulfil { is_partial: true },
        proto::CaseStep::Unspecified => return Err(Refusal::invalid("step", "missing; say what became of the case")),
    };
    if reason.is_empty() { Ok(step) } else { Err(Refusal::invalid("reason", "this step has none; leave it empty")) }
}

/// A word of a closed list, as profiles spell it.
fn word<T: DeserializeOwned>(field: &'static str, text: &str, advice: &str) -> Result<T, Refusal> {
    let unknown = |_| Refusal::invalid(field, format_args!("not a word that is known here; {advice}"));
    serde_json::from_value(text.into()).map_err(unknown)
}

fn spelled(word: impl Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

fn shown(case: &Case) -> proto::Case {
    let state = match case.standing {
        Standing::Unverified => proto::CaseState::Unverified,
        Standing::Verified => proto::CaseState::Verified,
        Standing::Accepted => proto::CaseState::Accepted,
        Standing::Fulfilled => proto::CaseState::Fulfilled,
        Standing::PartlyFulfilled => proto::CaseState::PartlyFulfilled,
        Standing::Rejected(_) => proto::CaseState::Rejected,
    };
    let refusal = match case.standing {
        Standing::Rejected(why) => spelled(why),
        _ => String::new(),
    };
    proto::Case {
        case_id: case.id.0.to_vec(),
        right: spelled(case.kind),
        received_unix_ms: case.clocks.received.0,
        identity_verified_unix_ms: case.clocks.identity_verified.map_or(0, |at| at.0),
        state: state.into(),
        due_unix_ms: case.due.as_ref().map_or(0, |due| due.at.0),
        due_by: case.due.as_ref().map_or_else(String::new, |due| due.by.clone()),
        due_is_exact: case.due.as_ref().is_some_and(|due| due.is_exact),
        delayed: case.delayed.is_some(),
        overdue: case.is_overdue,
        refusal,
    }
}
