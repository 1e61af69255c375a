//! The `Rights` service: what people ask of whoever has their data.

use std::sync::Arc;

use futures::{StreamExt, stream};
use sayso_audit::{AuditKey, Reference, Signer, VerifierKey};
use sayso_consent::Register;
use sayso_consent::erasure::{Approval, ApprovalError, Certificate};
use sayso_consent::rights::bundle::{Brought, Bundle, FILES_MAX};
use sayso_consent::rights::{
    Delay, Desk, Error, EvidenceHash, Identity, Imported, Particulars, Relative, Request as Case, Standing, Step,
};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::rights_server::Rights;
use sayso_types::{Name, WallTime};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::{Request, Response, Status, Streaming};

use crate::access::Access;
use crate::feed::Feed;
use crate::field;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;

/// Serves people's requests.
pub(crate) struct RightsService {
    pub(crate) register: Arc<Register>,
    pub(crate) desk: Desk,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
    /// Vouches for copies that are taken elsewhere.
    pub(crate) signer: Arc<Signer>,
}

impl RightsService {
    async fn take(&self, operator: &Operator, request: proto::OpenCaseRequest) -> Result<proto::Case, Refusal> {
        let right = word("right", &request.right, "the policy's rights.offers lists those that it offers")?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let purposes = field::purposes(&request.purposes)?;
        let is_of_relative = !request.kinship_sha256.is_empty() || !request.death_sha256.is_empty();
        let relative = is_of_relative.then(|| {
            let kinship_sha256 = field::sha256("kinship_sha256", &request.kinship_sha256)?;
            let death_sha256 = field::sha256("death_sha256", &request.death_sha256)?;
            Ok::<_, Refusal>(Relative { kinship_sha256, death_sha256 })
        });
        let ground = (!request.ground.is_empty()).then(|| {
            word("ground", &request.ground, "the policy's rights.offers lists the grounds on which it erases")
        });
        let particulars = Particulars { purposes, relative: relative.transpose()?, ground: ground.transpose()? };
        let by = operator.actor(&self.key);
        Ok(shown(&self.desk.receive_with(subject, right, particulars, by).await?))
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

    async fn corrected(&self, operator: &Operator, request: proto::CorrectCaseRequest) -> Result<proto::Case, Refusal> {
        let id = case_id(&request.case_id)?;
        if request.facts.is_empty() {
            return Err(Refusal::invalid("facts", "missing; name what is to be put right"));
        }
        let facts: Vec<_> = request.facts.into_iter().map(|fact| (fact.key, fact.value)).collect();
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        Ok(shown(&self.desk.correct(subject, id, &facts, operator.actor(&self.key)).await?))
    }

    async fn lifted(&self, operator: &Operator, request: proto::LiftCaseRequest) -> Result<proto::Case, Refusal> {
        let id = case_id(&request.case_id)?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        Ok(shown(&self.desk.lift(subject, id, operator.actor(&self.key)).await?))
    }

    async fn explained(&self, operator: &Operator, request: proto::ExplainCaseRequest) -> Result<Vec<u8>, Refusal> {
        let id = case_id(&request.case_id)?;
        let tongue = field::id("language", &request.language)?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let explained = self.desk.explain(subject, id, tongue).await?;
        self.access.record(operator, Name::constant("rights.explain"), explained.len()).await?;
        Ok(serde_json::to_vec(&explained).expect("an explanation is texts and lists of them"))
    }

    async fn copied(&self, operator: &Operator, request: proto::CopyCaseRequest) -> Result<Vec<u8>, Refusal> {
        let id = case_id(&request.case_id)?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let by = operator.actor(&self.key);
        let copy = self.desk.copy(subject, id, by).await?;
        let copy = serde_json::to_vec(&copy).expect("a copy is texts, numbers and lists of them");
        self.desk.handed_out(subject, id, (&copy, copy.len()), by).await?;
        Ok(copy)
    }

    async fn ported(&self, operator: &Operator, request: proto::PortCaseRequest) -> Result<Bundle, Refusal> {
        let id = case_id(&request.case_id)?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let by = operator.actor(&self.key);
        let bundle = self.desk.bundle(subject, id, (&self.signer, by), moment).await?;
        let bytes = bundle.manifest.len() + bundle.files.values().map(Vec::len).sum::<usize>();
        self.desk.handed_out(subject, id, (bundle.manifest.as_bytes(), bytes), by).await?;
        Ok(bundle)
    }

    async fn imported(
        &self,
        operator: &Operator,
        mut stream: Streaming<proto::ImportCaseRequest>,
    ) -> Result<proto::ImportCaseResponse, Status> {
        let missing = || Refusal::invalid("copy", "missing; the first message brings it");
        let request = stream.message().await?.ok_or_else(missing)?;
        let key: VerifierKey = field::id("key", &request.key)?;
        let brought = Brought::read(&request.manifest, &request.copy, &key);
        let brought = brought.map_err(|error| Refusal::invalid("copy", error))?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        self.access.record(operator, Name::constant("rights.import"), brought.remembered.len().max(1)).await?;
        let imported = self.desk.import(subject, brought.clone()).await.map_err(Refusal::from)?;
        let Imported { taken, known, conflicts, consents, mut items, mut items_left } = imported;
        let mut files = 0;
        while let Some(proto::ImportCaseRequest { file, .. }) = stream.message().await? {
            let file = file.ok_or_else(|| Refusal::invalid("file", "missing; each message but the first has one"))?;
            files += 1;
            if files > FILES_MAX {
                return Err(Refusal::OverLimit { what: "files of a copy", limit: FILES_MAX }.into());
            }
            let item = brought.item(&file.name, &file.content);
            let item = item.map_err(|error| Refusal::invalid("file", error))?.clone();
            if self.desk.import_item(subject, item, file.content).await.map_err(Refusal::from)? {
                (items, items_left) = (items + 1, items_left.saturating_sub(1));
            }
        }
        let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
        let (taken, known, consents_left) = (count(taken), count(known), count(consents));
        let (items_taken, items_left) = (count(items), count(items_left));
        Ok(proto::ImportCaseResponse { taken, known, conflicts, consents_left, items_taken, items_left })
    }

    async fn certificates(
        &self,
        operator: &Operator,
        request: proto::ListCertificatesRequest,
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let found = self.register.certificates(subject).await?;
        self.access.record(operator, Name::constant("rights.certificates"), found.len()).await?;
        Ok(found)
    }

    async fn approved(
        &self,
        operator: &Operator,
        request: proto::ApproveResidualRequest,
    ) -> Result<proto::ResidualApproval, Refusal> {
        operator.must_see_all()?;
        let of = id("reference", &request.reference)?;
        let what: Name = field::id("residual", &request.residual)?;
        let reason: Name = field::id("reason", &request.reason)?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let by = (operator.name().to_owned(), operator.actor(&self.key));
        match self.register.approve_residual(subject, of, (what, reason), by).await {
            Ok(approval) => Ok(approval_shown(approval)),
            Err(ApprovalError::Register(error)) => Err(error.into()),
            Err(error @ ApprovalError::NotCertified) => {
                Err(Refusal::NotNow { field: "reference", problem: error.to_string() })
            }
            Err(error) => Err(Refusal::NotNow { field: "residual", problem: error.to_string() }),
        }
    }

    async fn certified(
        &self,
        operator: &Operator,
        request: proto::CertificateRequest,
    ) -> Result<proto::CertificateResponse, Refusal> {
        let of = id("reference", &request.reference)?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let found = self.register.certificate(subject, of).await?;
        self.access.record(operator, Name::constant("rights.certificate"), found.iter().len()).await?;
        match found {
            Some(certificate) => {
                let erasure = Reference(Certificate::parse(&certificate)?.erasure);
                let approvals = self.register.approvals(subject, erasure).await?;
                let approvals = approvals.into_iter().map(approval_shown).collect();
                Ok(proto::CertificateResponse { certificate, approvals })
            }
            None if self.register.is_erasing(subject, of).await? => {
                let problem = match self.register.held_for(subject, of).await? {
                    None => "the erasure is on its way; ask again in a moment".to_owned(),
                    Some(hold) => format!("the legal hold {hold} keeps some of it; ask again after it is released"),
                };
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

    async fn correct(
        &self,
        request: Request<proto::CorrectCaseRequest>,
    ) -> Result<Response<proto::CorrectCaseResponse>, Status> {
        let operator = Operator::of(&request)?;
        let case = Some(self.corrected(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::CorrectCaseResponse { case }))
    }

    async fn lift(
        &self,
        request: Request<proto::LiftCaseRequest>,
    ) -> Result<Response<proto::LiftCaseResponse>, Status> {
        let operator = Operator::of(&request)?;
        let case = Some(self.lifted(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::LiftCaseResponse { case }))
    }

    async fn explain(
        &self,
        request: Request<proto::ExplainCaseRequest>,
    ) -> Result<Response<proto::ExplainCaseResponse>, Status> {
        let operator = Operator::of(&request)?;
        let explained = self.explained(&operator, request.into_inner()).await?;
        Ok(Response::new(proto::ExplainCaseResponse { explained }))
    }

    async fn copy(
        &self,
        request: Request<proto::CopyCaseRequest>,
    ) -> Result<Response<proto::CopyCaseResponse>, Status> {
        let operator = Operator::of(&request)?;
        let copy = self.copied(&operator, request.into_inner()).await?;
        Ok(Response::new(proto::CopyCaseResponse { copy }))
    }

    type PortStream = Feed<proto::PortCaseResponse>;

    async fn port(&self, request: Request<proto::PortCaseRequest>) -> Result<Response<Self::PortStream>, Status> {
        let operator = Operator::of(&request)?;
        let (parts, manifest) = self.ported(&operator, request.into_inner()).await?.into_parts();
        let parts = parts.map(|(name, content)| proto::PortCaseResponse {
            part: Some(proto::BundleFile { name, content }),
            manifest: String::new(),
        });
        let last = proto::PortCaseResponse { part: None, manifest };
        Ok(Response::new(stream::iter(parts.chain([last]).map(Ok)).boxed()))
    }

    async fn import(
        &self,
        request: Request<Streaming<proto::ImportCaseRequest>>,
    ) -> Result<Response<proto::ImportCaseResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.imported(&operator, request.into_inner()).await?))
    }

    async fn list_certificates(
        &self,
        request: Request<proto::ListCertificatesRequest>,
    ) -> Result<Response<proto::ListCertificatesResponse>, Status> {
        let operator = Operator::of(&request)?;
        let certificates = self.certificates(&operator, request.into_inner()).await?;
        Ok(Response::new(proto::ListCertificatesResponse { certificates }))
    }

    async fn certificate(
        &self,
        request: Request<proto::CertificateRequest>,
    ) -> Result<Response<proto::CertificateResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.certified(&operator, request.into_inner()).await?))
    }

    async fn list_residuals(
        &self,
        request: Request<proto::ListResidualsRequest>,
    ) -> Result<Response<proto::ListResidualsResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.residuals(&operator, request.into_inner()).await?))
    }

    async fn approve_residual(
        &self,
        request: Request<proto::ApproveResidualRequest>,
    ) -> Result<Response<proto::ApproveResidualResponse>, Status> {
        let operator = Operator::of(&request)?;
        let approval = Some(self.approved(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::ApproveResidualResponse { approval }))
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
            Error::NamesPurposes => Self::invalid("purposes", error),
            Error::NamesGround => Self::invalid("ground", error),
            Error::NoSuchGround { .. } => Self::NotNow { field: "ground", problem: error.to_string() },
            Error::NotPutRight(problem) => Self::NotNow { field: "facts", problem },
            Error::TooLarge => Self::NotNow { field: "case_id", problem: error.to_string() },
            Error::NotRead(why) => why.into(),
            Error::NotForRelatives => Self::invalid("right", error),
            Error::SaidOtherwise => Self::NotNow { field: "principal", problem: error.to_string() },
            Error::Complaint => Self::invalid("right", error),
            Error::NotRestricted => Self::NotNow { field: "case_id", problem: error.to_string() },
            Error::Changed => Self::Changed { field: "case_id" },
        }
    }
}

fn approval_shown(approval: Approval) -> proto::ResidualApproval {
    let Approval { residual, reason, by, at } = approval;
    let (residual, reason) = (residual.to_string(), reason.to_string());
    proto::ResidualApproval { residual, reason, approved_by: by, approved_unix_ms: at.0 }
}

/// A moment in UTC, for people.
fn moment(at: WallTime) -> String {
    let at = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map(|at| at.to_string()).unwrap_or_default()
}

pub(crate) fn case_id(bytes: &[u8]) -> Result<Reference, Refusal> {
    id("case_id", bytes)
}

fn id(field: &'static str, bytes: &[u8]) -> Result<Reference, Refusal> {
    let malformed = |_| Refusal::invalid(field, format_args!("an id has 16 bytes, this has {}", bytes.len()));
    bytes.try_into().map(Reference).map_err(malformed)
}

/// By what somebody proved who they are.
fn identity(request: &proto::AdvanceCaseRequest) -> Result<Identity, Refusal> {
    if request.method.is_empty() {
        return Err(Refusal::invalid("method", "missing; say how the person proved who they are, such as signed_in"));
    }
    let evidence = (!request.evidence_sha256.is_empty())
        .then(|| field::sha256("evidence_sha256", &request.evidence_sha256).map(EvidenceHash));
    Ok(Identity { method: field::id("method", &request.method)?, evidence: evidence.transpose()? })
}

fn step(request: &proto::AdvanceCaseRequest) -> Result<Step, Refusal> {
    let is_identity = request.step() == proto::CaseStep::Verify;
    if !(is_identity || request.method.is_empty() && request.evidence_sha256.is_empty()) {
        return Err(Refusal::invalid("method", "this step has no method and no evidence_sha256; leave them empty"));
    }
    let reason = request.reason.as_str();
    let step = match request.step() {
        proto::CaseStep::Verify => Step::Verify(identity(request)?),
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
pub(crate) fn word<T: DeserializeOwned>(field: &'static str, text: &str, advice: &str) -> Result<T, Refusal> {
    let unknown = |_| Refusal::invalid(field, format_args!("not a word that is known here; {advice}"));
    serde_json::from_value(text.into()).map_err(unknown)
}

fn spelled(word: impl Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

pub(crate) fn shown(case: &Case) -> proto::Case {
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
    let shown_by = case.identity.and_then(|identity| identity.evidence);
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
        purposes: case.purposes.iter().map(ToString::to_string).collect(),
        subject_id: case.subject.to_string(),
        by_relative: case.relative.is_some(),
        identity_due_unix_ms: case.identity_due.as_ref().map_or(0, |due| due.at.0),
        identity_overdue: case.is_identity_overdue,
        identity_method: case.identity.map_or_else(String::new, |identity| identity.method.to_string()),
        identity_evidence_sha256: shown_by.map_or_else(Vec::new, |EvidenceHash(sha256)| sha256.to_vec()),
        ground: case.ground.map_or_else(String::new, spelled),
        may_cost: case.may_cost,
    }
}
