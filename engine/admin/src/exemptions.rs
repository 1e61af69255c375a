//! The `Exemptions` service: what is done without consent, and who approved it.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use sayso_audit::{ActorTag, AuditKey};
use sayso_consent::Register;
use sayso_consent::exemption::{Error, Proposal, Reading, Standing, Terms};
use sayso_policy::profile::ExemptionCode;
use sayso_policy::{EXEMPTIONS_MAX, Profile};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::exemptions_server::Exemptions;
use sayso_types::Name;
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::field;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;

/// Most names of a sort in one proposal.
const NAMES_MAX: usize = 32;
/// Most exemptions of a list: as many as can be open, and those that ended last.
const LISTED_MAX: usize = 100;

/// Serves exemptions.
pub(crate) struct ExemptionsService {
    pub(crate) register: Arc<Register>,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
}

impl ExemptionsService {
    async fn propose(
        &self,
        operator: &Operator,
        request: proto::ProposeExemptionRequest,
    ) -> Result<proto::Exemption, Refusal> {
        let by = self.tag(operator)?;
        let subject = match request.principal {
            None => None,
            named => Some(Principal::find(&self.register, operator, named).await?.subject),
        };
        let reading = (!request.ticket.is_empty()).then(|| Reading::new(&request.ticket));
        // a grant to read opens no gate, so that it names neither
        let is_named = |names: &[String]| reading.is_none() || !names.is_empty();
        let (purposes, processors) = (&request.purposes, &request.processors);
        let terms = Terms {
            code: code(&request.code)?,
            subject,
            purposes: if is_named(purposes) { names("purposes", purposes)? } else { BTreeSet::new() },
            categories: names("categories", &request.categories)?,
            processors: if is_named(processors) { names("processors", processors)? } else { BTreeSet::new() },
            lasts: field::id("lasts", &request.lasts)?,
            evidence_sha256: field::sha256("evidence_sha256", &request.evidence_sha256)?,
            demand: None,
            reading,
        };
        self.access.record(operator, Name::constant("exemption.propose"), 1).await?;
        self.shown(&self.register.propose_exemption(terms, by).await?).await
    }

    async fn approve(&self, operator: &Operator, id: &str) -> Result<proto::Exemption, Refusal> {
        let (by, id) = (self.tag(operator)?, field::id("exemption_id", id)?);
        self.access.record(operator, Name::constant("exemption.approve"), 1).await?;
        self.shown(&self.register.approve_exemption(id, by).await?).await
    }

    async fn revoke(&self, operator: &Operator, id: &str) -> Result<proto::Exemption, Refusal> {
        let (by, id) = (self.tag(operator)?, field::id("exemption_id", id)?);
        self.access.record(operator, Name::constant("exemption.revoke"), 1).await?;
        self.shown(&self.register.revoke_exemption(id, by).await?).await
    }

    async fn listed(&self, operator: &Operator) -> Result<Vec<proto::Exemption>, Refusal> {
        self.tag(operator)?;
        let mut listed = Vec::new();
        for proposal in self.register.exemptions().await?.iter().rev().take(LISTED_MAX) {
            listed.push(self.shown(proposal).await?);
        }
        Ok(listed)
    }

    /// How the log names `operator`, who must be the node's.
    fn tag(&self, operator: &Operator) -> Result<ActorTag, Refusal> {
        operator.must_see_all()?;
        operator.actor(&self.key).tag.ok_or(Refusal::OperatorOnly)
    }

    async fn shown(&self, proposal: &Proposal) -> Result<proto::Exemption, Refusal> {
        let people = self.register.people_exempted(proposal.id).await?;
        Ok(shown(proposal, people, &self.register.profile()))
    }
}

#[tonic::async_trait]
impl Exemptions for ExemptionsService {
    async fn propose(
        &self,
        request: Request<proto::ProposeExemptionRequest>,
    ) -> Result<Response<proto::ProposeExemptionResponse>, Status> {
        let operator = Operator::of(&request)?;
        let exemption = Some(self.propose(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::ProposeExemptionResponse { exemption }))
    }

    async fn approve(
        &self,
        request: Request<proto::ApproveExemptionRequest>,
    ) -> Result<Response<proto::ApproveExemptionResponse>, Status> {
        let operator = Operator::of(&request)?;
        let exemption = Some(self.approve(&operator, &request.get_ref().exemption_id).await?);
        Ok(Response::new(proto::ApproveExemptionResponse { exemption }))
    }

    async fn revoke(
        &self,
        request: Request<proto::RevokeExemptionRequest>,
    ) -> Result<Response<proto::RevokeExemptionResponse>, Status> {
        let operator = Operator::of(&request)?;
        let exemption = Some(self.revoke(&operator, &request.get_ref().exemption_id).await?);
        Ok(Response::new(proto::RevokeExemptionResponse { exemption }))
    }

    async fn list(
        &self,
        request: Request<proto::ListExemptionsRequest>,
    ) -> Result<Response<proto::ListExemptionsResponse>, Status> {
        let operator = Operator::of(&request)?;
        let exemptions = self.listed(&operator).await?;
        Ok(Response::new(proto::ListExemptionsResponse { exemptions }))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Register(error) => error.into(),
            Error::Unknown => {
                Self::NotFound { field: "exemption_id", problem: "there is no such exemption; list them" }
            }
            Error::TooMany => Self::OverLimit { what: "open exemptions", limit: EXEMPTIONS_MAX },
            Error::NotNow(why) => Self::NotNow { field: "exemption", problem: why.to_string() },
        }
    }
}

pub(crate) fn code(text: &str) -> Result<ExemptionCode, Refusal> {
    let code = ExemptionCode::ALL.into_iter().find(|code| code.as_str() == text);
    code.ok_or_else(|| Refusal::invalid("code", "not a ground; give one of the policy's exemptions, X01 to X14"))
}

/// Names, at least one.
pub(crate) fn names<T: FromStr<Err: core::fmt::Display> + Ord>(
    field: &'static str,
    names: &[String],
) -> Result<BTreeSet<T>, Refusal> {
    match names.len() {
        0 => Err(Refusal::invalid(field, "missing; say what is to be opened")),
        1..=NAMES_MAX => names.iter().map(|name| field::id(field, name)).collect(),
        more => Err(Refusal::invalid(field, format_args!("{more} are more than {NAMES_MAX}; propose less at once"))),
    }
}

pub(crate) fn shown(proposal: &Proposal, people: usize, profile: &Profile) -> proto::Exemption {
    let Proposal { id, terms, proposed, approved, standing } = proposal;
    let state = match standing {
        Standing::Proposed => proto::ExemptionState::Proposed,
        Standing::Live { .. } => proto::ExemptionState::Live,
        Standing::Expired => proto::ExemptionState::Expired,
        Standing::Revoked => proto::ExemptionState::Revoked,
    };
    let (from, until) = match standing {
        Standing::Live { from, until } => (from.0, until.0),
        _ => (0, 0),
    };
    proto::Exemption {
        exemption_id: id.to_string(),
        code: terms.code.to_string(),
        subject_id: terms.subject.map_or_else(String::new, |subject| subject.to_string()),
        purposes: terms.purposes.iter().map(ToString::to_string).collect(),
        categories: terms.categories.iter().map(ToString::to_string).collect(),
        processors: terms.processors.iter().map(ToString::to_string).collect(),
        lasts: terms.lasts.to_string(),
        evidence_sha256: terms.evidence_sha256.to_vec(),
        state: state.into(),
        proposed_unix_ms: proposed.at.0,
        approvals: u32::try_from(approved.len()).unwrap_or(u32::MAX),
        approvals_needed: proposal.approvers_needed(profile).into(),
        from_unix_ms: from,
        until_unix_ms: until,
        people: people as u64,
        ticket: terms.reading.as_ref().map_or_else(String::new, |reading| reading.ticket.clone()),
    }
}
