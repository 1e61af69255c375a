//! The `Disclosures` service: what authorities are given by law.

use std::collections::BTreeSet;
use std::sync::Arc;

use sayso_audit::AuditKey;
use sayso_consent::Register;
use sayso_consent::disclosure::{Disclosure, DisclosureDesk, Error, desk};
use sayso_consent::exemption::{Demand, Proposal, Terms};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::disclosures_server::Disclosures;
use sayso_types::{Category, Name, WallTime};
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::exemptions::{code, names, shown as shown_exemption};
use crate::field;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;

/// Most people that one demand names.
const PEOPLE_MAX: usize = sayso_consent::exemption::demand::PEOPLE_MAX;
/// Most demands and most disclosures of a list: the newest.
const LISTED_MAX: usize = 100;

/// Serves disclosures.
pub(crate) struct DisclosuresService {
    pub(crate) register: Arc<Register>,
    pub(crate) desk: DisclosureDesk,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
}

impl DisclosuresService {
    async fn propose(
        &self,
        operator: &Operator,
        request: proto::ProposeDisclosureRequest,
    ) -> Result<proto::Exemption, Refusal> {
        operator.must_see_all()?;
        let by = operator.actor(&self.key).tag.ok_or(Refusal::OperatorOnly)?;
        let demand = request.demand.ok_or_else(|| Refusal::invalid("demand", "missing; say what the document says"))?;
        let people = request.principals.len();
        if people > PEOPLE_MAX {
            return Err(Refusal::invalid("principals", format_args!("{people} are more than {PEOPLE_MAX}")));
        }
        let mut subjects = BTreeSet::new();
        for named in request.principals {
            subjects.insert(Principal::find(&self.register, operator, Some(named)).await?.subject);
        }
        let terms = Terms {
            code: code(&request.code)?,
            subject: None,
            purposes: BTreeSet::new(),
            categories: names("categories", &request.categories)?,
            processors: BTreeSet::new(),
            lasts: field::id("lasts", &request.lasts)?,
            evidence_sha256: field::sha256("demand.document_sha256", &demand.document_sha256)?,
            demand: Some(Demand { people: subjects, ..read(demand)? }),
            reading: None,
        };
        self.access.record(operator, Name::constant("disclosure.propose"), people).await?;
        let proposal = self.register.propose_exemption(terms, by).await?;
        Ok(shown_exemption(&proposal, 0, &self.register.profile()))
    }

    async fn make(
        &self,
        operator: &Operator,
        request: proto::MakeDisclosureRequest,
    ) -> Result<proto::MakeDisclosureResponse, Refusal> {
        operator.must_see_all()?;
        let grant = field::id("exemption_id", &request.exemption_id)?;
        let only: Option<BTreeSet<Category>> = match request.categories.as_slice() {
            [] => None,
            named => Some(names("categories", named)?),
        };
        let made = self.desk.make(grant, only.as_ref(), operator.actor(&self.key)).await?;
        Ok(proto::MakeDisclosureResponse { disclosure: Some(shown(&made.disclosure)), file: made.file })
    }

    async fn listed(&self, operator: &Operator) -> Result<proto::ListDisclosuresResponse, Refusal> {
        operator.must_see_all()?;
        let mut demands = Vec::new();
        for proposal in self.desk.demands().await?.iter().rev().take(LISTED_MAX) {
            let people = self.register.people_exempted(proposal.id).await?;
            demands.push(demanded(proposal, shown_exemption(proposal, people, &self.register.profile())));
        }
        let disclosures: Vec<_> = self.desk.all().await?.iter().rev().take(LISTED_MAX).map(shown).collect();
        let rows = demands.len() + disclosures.len();
        self.access.record(operator, Name::constant("disclosure.list"), rows).await?;
        Ok(proto::ListDisclosuresResponse { demands, disclosures })
    }
}

#[tonic::async_trait]
impl Disclosures for DisclosuresService {
    async fn propose(
        &self,
        request: Request<proto::ProposeDisclosureRequest>,
    ) -> Result<Response<proto::ProposeDisclosureResponse>, Status> {
        let operator = Operator::of(&request)?;
        let exemption = Some(self.propose(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::ProposeDisclosureResponse { exemption }))
    }

    async fn make(
        &self,
        request: Request<proto::MakeDisclosureRequest>,
    ) -> Result<Response<proto::MakeDisclosureResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.make(&operator, request.into_inner()).await?))
    }

    async fn list(
        &self,
        request: Request<proto::ListDisclosuresRequest>,
    ) -> Result<Response<proto::ListDisclosuresResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.listed(&operator).await?))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let problem = error.to_string();
        match error {
            Error::Register(error) => error.into(),
            Error::Unknown => {
                Self::NotFound { field: "exemption_id", problem: "there is no such grant; list the demands" }
            }
            Error::NoDemand | Error::NotLive | Error::Grant(_) => Self::NotNow { field: "exemption_id", problem },
            Error::Outside(category) => {
                Self::invalid("categories", format_args!("`{category}` is not in the grant; ask for what was approved"))
            }
            Error::TooLarge => Self::NotNow { field: "categories", problem },
            Error::TooMany => Self::OverLimit { what: "disclosures that are kept", limit: desk::KEPT_MAX },
        }
    }
}

/// A demand, of nobody yet.
fn read(demand: proto::Demand) -> Result<Demand, Refusal> {
    let moment = |unix_ms: u64| (unix_ms > 0).then_some(WallTime(unix_ms));
    let recipient = demand.recipient.as_slice().try_into();
    let tell_after = match demand.tell_after.as_str() {
        "" => None,
        after => Some(field::id("demand.tell_after", after)?),
    };
    Ok(Demand {
        recipient: recipient.map_err(|_| {
            let found = demand.recipient.len();
            Refusal::invalid("demand.recipient", format_args!("an X25519 public key has 32 bytes, this has {found}"))
        })?,
        from: moment(demand.from_unix_ms),
        until: moment(demand.until_unix_ms),
        by: moment(demand.by_unix_ms),
        tell_after,
        authority: demand.authority,
        reference: demand.reference,
        law: demand.law,
        people: BTreeSet::new(),
    })
}

fn demanded(proposal: &Proposal, exemption: proto::Exemption) -> proto::Demanded {
    let Some(demand) = &proposal.terms.demand else {
        return proto::Demanded { exemption: Some(exemption), ..proto::Demanded::default() };
    };
    let moment = |at: Option<WallTime>| at.map_or(0, |at| at.0);
    let shown = proto::Demand {
        authority: demand.authority.clone(),
        reference: demand.reference.clone(),
        law: demand.law.clone(),
        document_sha256: proposal.terms.evidence_sha256.to_vec(),
        from_unix_ms: moment(demand.from),
        until_unix_ms: moment(demand.until),
        by_unix_ms: moment(demand.by),
        recipient: demand.recipient.to_vec(),
        tell_after: demand.tell_after.map_or_else(String::new, |after| after.to_string()),
    };
    let subject_ids = demand.people.iter().map(ToString::to_string).collect();
    proto::Demanded { exemption: Some(exemption), demand: Some(shown), subject_ids }
}

fn shown(disclosure: &Disclosure) -> proto::Disclosure {
    proto::Disclosure {
        disclosure_id: disclosure.id.0.to_vec(),
        exemption_id: disclosure.grant.to_string(),
        made_unix_ms: disclosure.made_at.0,
        subject_ids: disclosure.people.iter().map(ToString::to_string).collect(),
        categories: disclosure.categories.iter().map(ToString::to_string).collect(),
        rows: disclosure.rows,
        bytes: disclosure.bytes,
        file_sha256: disclosure.file.0.to_vec(),
        tell_unix_ms: disclosure.tell_at.map_or(0, |at| at.0),
        told_unix_ms: disclosure.told_at.map_or(0, |at| at.0),
    }
}
