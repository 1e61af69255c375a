//! The `Guardians` service: how old people are, and who answers for children.

use std::sync::Arc;

use sayso_audit::AuditKey;
use sayso_consent::Register;
use sayso_consent::guardian::{Error, Guardianship, Said, Standing, Step};
use sayso_policy::AgeBand;
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::guardians_server::Guardians;
use sayso_types::Name;
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::field;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;

/// Serves ages and guardians.
pub(crate) struct GuardiansService {
    pub(crate) register: Arc<Register>,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
}

impl GuardiansService {
    async fn read(
        &self,
        operator: &Operator,
        request: proto::GetGuardianRequest,
    ) -> Result<proto::Guardianship, Refusal> {
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        self.access.record(operator, Name::constant("guardian.get"), 1).await?;
        Ok(shown(&self.register.guardianship(subject).await?))
    }

    async fn age(&self, operator: &Operator, request: proto::SetAgeRequest) -> Result<proto::Guardianship, Refusal> {
        let said = Said {
            band: band(request.age())?,
            until: field::optional_id("until_month", &request.until_month)?,
            evidence_sha256: field::sha256("evidence_sha256", &request.evidence_sha256)?,
        };
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        self.access.record(operator, Name::constant("guardian.age"), 1).await?;
        Ok(shown(&self.register.set_age(subject, said, operator.actor(&self.key)).await?))
    }

    async fn advanced(
        &self,
        operator: &Operator,
        request: proto::AdvanceGuardianRequest,
    ) -> Result<proto::Guardianship, Refusal> {
        let step = step(&request)?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        self.access.record(operator, Name::constant("guardian.advance"), 1).await?;
        Ok(shown(&self.register.guardian_step(subject, step, operator.actor(&self.key)).await?))
    }
}

#[tonic::async_trait]
impl Guardians for GuardiansService {
    async fn get(
        &self,
        request: Request<proto::GetGuardianRequest>,
    ) -> Result<Response<proto::GetGuardianResponse>, Status> {
        let operator = Operator::of(&request)?;
        let guardianship = Some(self.read(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::GetGuardianResponse { guardianship }))
    }

    async fn set_age(&self, request: Request<proto::SetAgeRequest>) -> Result<Response<proto::SetAgeResponse>, Status> {
        let operator = Operator::of(&request)?;
        let guardianship = Some(self.age(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::SetAgeResponse { guardianship }))
    }

    async fn advance(
        &self,
        request: Request<proto::AdvanceGuardianRequest>,
    ) -> Result<Response<proto::AdvanceGuardianResponse>, Status> {
        let operator = Operator::of(&request)?;
        let guardianship = Some(self.advanced(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::AdvanceGuardianResponse { guardianship }))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Register(error) => error.into(),
            Error::NotNow(why) => Self::NotNow { field: "step", problem: why.to_string() },
            Error::Age(why) => Self::Invalid { field: why.field(), problem: why.to_string() },
        }
    }
}

fn band(age: proto::AgeBand) -> Result<AgeBand, Refusal> {
    Ok(match age {
        proto::AgeBand::Unspecified => return Err(Refusal::invalid("age", "missing; name a band")),
        proto::AgeBand::Unknown => AgeBand::Unknown,
        proto::AgeBand::Under13 => AgeBand::Under13,
        proto::AgeBand::Under14 => AgeBand::Under14,
        proto::AgeBand::Under16 => AgeBand::Under16,
        proto::AgeBand::Under18 => AgeBand::Under18,
        proto::AgeBand::Adult => AgeBand::Adult,
    })
}

fn step(request: &proto::AdvanceGuardianRequest) -> Result<Step, Refusal> {
    let step = match request.step() {
        proto::GuardianStep::Unspecified => {
            return Err(Refusal::invalid("step", "missing; say what became of the guardian"));
        }
        proto::GuardianStep::Request => Step::Request(field::id("method", &request.method)?),
        proto::GuardianStep::Verify => Step::Verify(field::sha256("evidence_sha256", &request.evidence_sha256)?),
        proto::GuardianStep::Fail => Step::Fail,
    };
    if !(request.method.is_empty() || matches!(step, Step::Request(_))) {
        return Err(Refusal::invalid("method", "this step has none; leave it empty"));
    }
    if !(request.evidence_sha256.is_empty() || matches!(step, Step::Verify(_))) {
        return Err(Refusal::invalid("evidence_sha256", "this step has none; leave it empty"));
    }
    Ok(step)
}

fn shown(stands: &Guardianship) -> proto::Guardianship {
    let age = match stands.age {
        AgeBand::Unknown => proto::AgeBand::Unknown,
        AgeBand::Under13 => proto::AgeBand::Under13,
        AgeBand::Under14 => proto::AgeBand::Under14,
        AgeBand::Under16 => proto::AgeBand::Under16,
        AgeBand::Under18 => proto::AgeBand::Under18,
        AgeBand::Adult => proto::AgeBand::Adult,
    };
    let about_them = proto::Guardianship {
        age: age.into(),
        age_ends_unix_ms: stands.age_ends.map_or(0, |end| end.0),
        needs_guardian: stands.needs_guardian,
        state: proto::GuardianState::None.into(),
        is_alone: stands.is_alone,
        ..proto::Guardianship::default()
    };
    let Some(guardian) = &stands.guardian else { return about_them };
    let (state, since, evidence_sha256) = match guardian.standing {
        Standing::Requested => (proto::GuardianState::Requested, guardian.requested_at, Vec::new()),
        Standing::Verified { at, evidence_sha256 } => (proto::GuardianState::Verified, at, evidence_sha256.to_vec()),
        Standing::Failed { at } => (proto::GuardianState::Failed, at, Vec::new()),
    };
    proto::Guardianship {
        state: state.into(),
        guardian_id: guardian.id.to_vec(),
        method: guardian.method.to_string(),
        since_unix_ms: since.0,
        evidence_sha256,
        ..about_them
    }
}
