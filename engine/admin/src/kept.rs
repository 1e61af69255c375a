//! The `Kept` service: what integrators have the node keep of people.

use std::sync::Arc;

use sayso_audit::{AuditKey, Reference};
use sayso_consent::Register;
use sayso_consent::exemption::NotRead;
use sayso_consent::keep::item::{ITEMS_MAX, PERSON_BYTES_MAX};
use sayso_consent::keep::{Kept, NewItem, NotKept, Source};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::kept_server::Kept as KeptRpc;
use sayso_types::{Category, ConsentVersion, Name, SubjectId, WallTime};
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::field;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;
use crate::rights::word;

/// Items of a page, where nothing is said, and at most.
const PAGE: (usize, usize) = (100, 1_000);

/// Serves what is kept of people.
pub(crate) struct KeptService {
    pub(crate) register: Arc<Register>,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
}

impl KeptService {
    async fn find(&self, operator: &Operator, named: Option<proto::Principal>) -> Result<SubjectId, Refusal> {
        Ok(Principal::find(&self.register, operator, named).await?.subject)
    }

    async fn put(&self, operator: &Operator, request: proto::PutKeptRequest) -> Result<Reference, Refusal> {
        let source = source(&request)?;
        let subject = self.find(operator, request.principal).await?;
        let of = match request.of {
            None => None,
            named => Some(self.find(operator, named).await?),
        };
        let (category, purpose) = (field::id("category", &request.category)?, field::id("purpose", &request.purpose)?);
        let item = NewItem {
            collected_at: (request.collected_unix_ms > 0).then_some(WallTime(request.collected_unix_ms)),
            source,
            of,
            derived_from: request
                .derived_from
                .iter()
                .map(|id| item_id("derived_from", id))
                .collect::<Result<_, _>>()?,
            attribute: (!request.attribute.is_empty()).then_some(request.attribute),
            ticket: (!request.ticket.is_empty()).then_some(request.ticket),
            ..NewItem::new(category, purpose, &request.media_type, request.content)
        };
        self.access.record(operator, Name::constant("kept.put"), 1).await?;
        Ok(self.register.keep(subject, ConsentVersion(u64::MAX), item).await?)
    }

    async fn get(&self, operator: &Operator, request: proto::GetKeptRequest) -> Result<Kept, Refusal> {
        let id = item_id("item_id", &request.item_id)?;
        let subject = self.find(operator, request.principal).await?;
        self.register.read_kept(subject, id, operator.actor(&self.key)).await?.ok_or_else(unknown)
    }

    async fn listed(
        &self,
        operator: &Operator,
        request: proto::ListKeptRequest,
    ) -> Result<proto::ListKeptResponse, Refusal> {
        let category: Option<Category> = field::optional_id("category", &request.category)?;
        let size = field::page_size(request.page_size, PAGE.0, PAGE.1)?;
        let after: Option<usize> = field::page_token(&request.page_token)?;
        let subject = self.find(operator, request.principal).await?;
        // what an item says of a person is for the tenant's own people, or for whoever has a grant to read it
        let listed = if operator.sees_all() {
            self.register.list_heads(subject, category).await?
        } else {
            self.register.list_kept(subject, category).await?
        };
        let from = after.unwrap_or(0).min(listed.len());
        let page = &listed[from..listed.len().min(from + size)];
        self.access.record(operator, Name::constant("kept.list"), page.len()).await?;
        let is_last = from + page.len() >= listed.len();
        let next_page_token = if is_last { String::new() } else { (from + page.len()).to_string() };
        Ok(proto::ListKeptResponse { items: page.iter().map(shown).collect(), next_page_token })
    }

    async fn deleted(
        &self,
        operator: &Operator,
        request: proto::DeleteKeptRequest,
    ) -> Result<proto::DeleteKeptResponse, Refusal> {
        let id = item_id("item_id", &request.item_id)?;
        let subject = self.find(operator, request.principal).await?;
        if !self.register.drop_kept(subject, id).await? {
            return Err(unknown());
        }
        self.access.record(operator, Name::constant("kept.delete"), 1).await?;
        let kept = self.register.kept_by_law(subject, id).await?;
        Ok(kept.map_or_else(proto::DeleteKeptResponse::default, |kept| proto::DeleteKeptResponse {
            kept_by_law: kept.law,
            kept_until_unix_ms: kept.until.0,
        }))
    }

    async fn unbound(&self, operator: &Operator, request: proto::UnbindDeviceRequest) -> Result<(), Refusal> {
        let named = request.principal.as_ref().map_or("", |principal| principal.device_id.as_str());
        let device = field::id("principal.device_id", named)?;
        let Principal { tenant, .. } = Principal::find(&self.register, operator, request.principal).await?;
        if !self.register.unbind(&tenant, &device).await? {
            return Err(Refusal::NotFound { field: "principal.device_id", problem: "it speaks for nobody" });
        }
        self.access.record(operator, Name::constant("kept.unbind"), 1).await
    }
}

#[tonic::async_trait]
impl KeptRpc for KeptService {
    async fn put(&self, request: Request<proto::PutKeptRequest>) -> Result<Response<proto::PutKeptResponse>, Status> {
        let operator = Operator::of(&request)?;
        let id = self.put(&operator, request.into_inner()).await?;
        Ok(Response::new(proto::PutKeptResponse { item_id: id.0.to_vec() }))
    }

    async fn get(&self, request: Request<proto::GetKeptRequest>) -> Result<Response<proto::GetKeptResponse>, Status> {
        let operator = Operator::of(&request)?;
        let kept = self.get(&operator, request.into_inner()).await?;
        Ok(Response::new(proto::GetKeptResponse { item: Some(shown(&kept)), content: kept.content.to_vec() }))
    }

    async fn list(
        &self,
        request: Request<proto::ListKeptRequest>,
    ) -> Result<Response<proto::ListKeptResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.listed(&operator, request.into_inner()).await?))
    }

    async fn delete(
        &self,
        request: Request<proto::DeleteKeptRequest>,
    ) -> Result<Response<proto::DeleteKeptResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.deleted(&operator, request.into_inner()).await?))
    }

    async fn unbind(
        &self,
        request: Request<proto::UnbindDeviceRequest>,
    ) -> Result<Response<proto::UnbindDeviceResponse>, Status> {
        let operator = Operator::of(&request)?;
        self.unbound(&operator, request.into_inner()).await?;
        Ok(Response::new(proto::UnbindDeviceResponse {}))
    }
}

impl From<NotKept> for Refusal {
    fn from(why: NotKept) -> Self {
        let problem = why.to_string();
        match why {
            NotKept::Register(error) => error.into(),
            NotKept::Policy(_) => {
                let problem = format!("{problem}: `sayso policy explain` says what of the profile stands against it");
                Self::NotNow { field: "category", problem }
            }
            NotKept::Held => Self::NotNow { field: "principal", problem },
            NotKept::TooMany => Self::OverLimit { what: "items of the person", limit: ITEMS_MAX },
            NotKept::TooMuch => {
                let limit = usize::try_from(PERSON_BYTES_MAX).unwrap_or(usize::MAX);
                Self::OverLimit { what: "bytes of items of the person", limit }
            }
            NotKept::TooLarge | NotKept::InClear | NotKept::NotJson => Self::Invalid { field: "content", problem },
            NotKept::Words(field) => Self::Invalid { field, problem: rest(&problem) },
            NotKept::Future => Self::Invalid { field: "collected_unix_ms", problem: rest(&problem) },
            NotKept::Over(_) => Self::Invalid { field: "collected_unix_ms", problem },
            NotKept::NoAttributes(_) | NotKept::Attribute(_) => Self::Invalid { field: "content", problem },
            NotKept::Remembered => Self::Invalid { field: "category", problem },
            NotKept::WhoseIsIt(_) | NotKept::OtherTenant | NotKept::Lineage => Self::Invalid { field: "of", problem },
            NotKept::NoSuchSource => Self::Invalid { field: "derived_from", problem: rest(&problem) },
            NotKept::NoParty(_) => Self::Invalid { field: "party", problem },
            NotKept::UnknownParty(_) => Self::NotNow { field: "party.processor", problem },
        }
    }
}

impl From<NotRead> for Refusal {
    fn from(why: NotRead) -> Self {
        let problem = why.to_string();
        match why {
            NotRead::Register(error) => error.into(),
            NotRead::Kept(why) => why.into(),
            NotRead::NoGrant(_) | NotRead::Grant(_) => Self::GrantOnly(problem),
        }
    }
}

/// What a refusal says after the name of its field.
fn rest(problem: &str) -> String {
    problem.split_once(": ").map_or_else(|| problem.to_owned(), |(_, rest)| rest.to_owned())
}

const fn unknown() -> Refusal {
    Refusal::NotFound {
        field: "item_id",
        problem: "no such item is kept of the person, or not any more; list those that are",
    }
}

fn source(request: &proto::PutKeptRequest) -> Result<Source, Refusal> {
    let party = request.party.as_ref();
    Ok(match (request.source(), party) {
        (proto::KeptSource::Party, Some(party)) => Source::Party {
            party: field::id("party.processor", &party.processor)?,
            basis: word("party.basis", &party.basis, "give one such as Consent or ContractPerformance")?,
            reference: party.reference.clone(),
        },
        (proto::KeptSource::Party, None) => {
            return Err(Refusal::invalid("party", "missing; say who handed it on, by what right, and what shows it"));
        }
        (_, Some(_)) => {
            return Err(Refusal::invalid("party", "only what a party handed on has one; set source, or leave it out"));
        }
        (proto::KeptSource::Unspecified, None) => Source::Person,
        (proto::KeptSource::Device, None) => Source::Device,
    })
}

pub(crate) fn item_id(field: &'static str, bytes: &[u8]) -> Result<Reference, Refusal> {
    let malformed = |_| Refusal::invalid(field, format_args!("an id has 16 bytes, this has {}", bytes.len()));
    bytes.try_into().map(Reference).map_err(malformed)
}

pub(crate) fn shown(kept: &Kept) -> proto::KeptItem {
    let (source, party) = match &kept.source {
        Source::Person => (proto::KeptSource::Unspecified, None),
        Source::Device => (proto::KeptSource::Device, None),
        Source::Party { party, basis, reference } => {
            let (processor, basis) = (party.to_string(), basis.to_string());
            (proto::KeptSource::Party, Some(proto::KeptParty { processor, basis, reference: reference.clone() }))
        }
    };
    proto::KeptItem {
        item_id: kept.id.0.to_vec(),
        category: kept.category.to_string(),
        purpose: kept.purpose.to_string(),
        media_type: kept.media_type.clone(),
        bytes: kept.bytes,
        collected_unix_ms: kept.collected_at.0,
        source: source.into(),
        party,
        of_subject_id: kept.of.map_or_else(String::new, |of| of.to_string()),
        derived_from: kept.derived_from.iter().map(|id| id.0.to_vec()).collect(),
        attribute: kept.attribute.clone().unwrap_or_default(),
        ticket: kept.ticket.clone().unwrap_or_default(),
    }
}
