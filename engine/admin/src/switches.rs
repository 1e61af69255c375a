//! The `Switches` service: what is turned off, whatever the policy says.

use std::collections::BTreeSet;
use std::sync::Arc;

use sayso_audit::{AuditKey, Reference};
use sayso_consent::Register;
use sayso_consent::incidents::IncidentDesk;
use sayso_consent::switch::{NotThrown, Position, Switch, Target, Throw};
use sayso_consent::transfer::Counted;
use sayso_policy::{People, Profile};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::switches_server::Switches;
use sayso_types::RegionClass;
use tonic::{Request, Response, Status};

use crate::field;
use crate::operator::Operator;
use crate::refusal::Refusal;

/// Serves the operator's switches.
pub(crate) struct SwitchesService {
    pub(crate) register: Arc<Register>,
    pub(crate) incidents: IncidentDesk,
    pub(crate) key: AuditKey,
}

impl SwitchesService {
    async fn thrown(
        &self,
        operator: &Operator,
        request: proto::ThrowSwitchRequest,
    ) -> Result<proto::ThrowSwitchResponse, Refusal> {
        operator.must_see_all()?;
        let target = target(request.sort(), &request.name)?;
        let to = match request.to() {
            proto::SwitchPosition::On => Position::On,
            proto::SwitchPosition::Off => Position::Off,
            proto::SwitchPosition::Terminated => Position::Terminated,
            proto::SwitchPosition::Unspecified
            | proto::SwitchPosition::DueDiligenceExpired
            | proto::SwitchPosition::TransferLimitReached => {
                return Err(Refusal::invalid("to", "give ON, OFF or TERMINATED"));
            }
        };
        let reason = field::id("reason", &request.reason)?;
        let incident = optional_reference("incident_id", &request.incident_id)?;
        let (throw, by) = (Throw { target, to, reason, incident: None }, operator.actor(&self.key));
        let thrown = match incident {
            Some(incident) => self.incidents.throw(incident, throw, by).await?.1,
            None => self.register.throw(throw, by).await?,
        };
        let switch = Some(shown(&thrown.switch));
        Ok(proto::ThrowSwitchResponse { switch, permits_ended: thrown.ended as u64 })
    }
}

#[tonic::async_trait]
impl Switches for SwitchesService {
    async fn throw(
        &self,
        request: Request<proto::ThrowSwitchRequest>,
    ) -> Result<Response<proto::ThrowSwitchResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.thrown(&operator, request.into_inner()).await?))
    }

    async fn list(
        &self,
        request: Request<proto::ListSwitchesRequest>,
    ) -> Result<Response<proto::ListSwitchesResponse>, Status> {
        Operator::of(&request)?.must_see_all()?;
        let switches = self.register.switches().await.map_err(Refusal::from)?;
        let switches = switches.iter().map(shown).collect();
        Ok(Response::new(proto::ListSwitchesResponse { switches }))
    }

    async fn count_volumes(
        &self,
        request: Request<proto::CountVolumesRequest>,
    ) -> Result<Response<proto::CountVolumesResponse>, Status> {
        Operator::of(&request)?.must_see_all()?;
        let to = self.register.volumes().into_iter().map(|to| proto::VolumeTo {
            processor_id: to.processor.to_string(),
            category: to.category.to_string(),
            calls: to.went.calls,
            bytes: to.went.bytes,
            over: to.went.over,
            malformed: to.went.malformed,
            bytes_per_call_max: to.most.per_call,
            bytes_per_day_max: to.most.per_day,
            bytes_left: to.left,
        });
        Ok(Response::new(proto::CountVolumesResponse { to: to.collect() }))
    }

    async fn count_transfers(
        &self,
        request: Request<proto::CountTransfersRequest>,
    ) -> Result<Response<proto::CountTransfersResponse>, Status> {
        Operator::of(&request)?.must_see_all()?;
        let year = Some(request.into_inner().year).filter(|year| *year != 0);
        let (year, counted) = self.register.transfers_of(year).await.map_err(Refusal::from)?;
        Ok(Response::new(transfers(year, &counted, &self.register.profile())))
    }
}

fn transfers(year: u32, counted: &Counted, profile: &Profile) -> proto::CountTransfersResponse {
    let people = |people: People| proto::TransferredPeople { persons: people.persons, sensitive: people.sensitive };
    let overseas = profile.processors().filter(|processor| processor.region_class == RegionClass::Overseas);
    let ids: BTreeSet<_> = overseas.map(|processor| processor.id).chain(counted.to.keys().copied()).collect();
    let to = ids.into_iter().map(|id| {
        let mechanism = profile.processor(id).and_then(|processor| processor.mechanism.as_ref());
        let limit = mechanism.map(|mechanism| profile.transfer_limit(mechanism)).unwrap_or_default();
        proto::TransfersTo {
            processor_id: id.to_string(),
            people: Some(people(counted.there(id))),
            mechanism: mechanism.map(ToString::to_string).unwrap_or_default(),
            together_persons_max: limit.together.persons,
            together_sensitive_max: limit.together.sensitive,
            sensitive_max: limit.there.sensitive,
        }
    });
    proto::CountTransfersResponse { year, together: Some(people(counted.together)), to: to.collect() }
}

impl From<NotThrown> for Refusal {
    fn from(why: NotThrown) -> Self {
        match why {
            NotThrown::Unknown => Self::NotFound {
                field: "name",
                problem: "the policy has no processor or category of that name; check it against the profile",
            },
            NotThrown::UnknownTenant => Self::NotFound {
                field: "name",
                problem: "no device, no person and no instruction is of that tenant; check its name",
            },
            why => Self::NotNow { field: "to", problem: why.to_string() },
        }
    }
}

fn target(sort: proto::SwitchSort, name: &str) -> Result<Target, Refusal> {
    Ok(match sort {
        proto::SwitchSort::Processor => Target::Processor(field::id("name", name)?),
        proto::SwitchSort::Category => Target::Category(field::id("name", name)?),
        proto::SwitchSort::Tenant => Target::Tenant(field::id("name", name)?),
        proto::SwitchSort::Unspecified => {
            return Err(Refusal::invalid("sort", "missing; give PROCESSOR, CATEGORY or TENANT"));
        }
    })
}

/// An id of 16 bytes, or nothing.
fn optional_reference(field: &'static str, bytes: &[u8]) -> Result<Option<Reference>, Refusal> {
    if bytes.is_empty() { Ok(None) } else { reference(field, bytes).map(Some) }
}

/// An id of 16 bytes.
pub(crate) fn reference(field: &'static str, bytes: &[u8]) -> Result<Reference, Refusal> {
    let malformed = |_| Refusal::invalid(field, format_args!("an id has 16 bytes, this has {}", bytes.len()));
    bytes.try_into().map(Reference).map_err(malformed)
}

pub(crate) const fn sort(target: &Target) -> proto::SwitchSort {
    match target {
        Target::Processor(_) => proto::SwitchSort::Processor,
        Target::Category(_) => proto::SwitchSort::Category,
        Target::Tenant(_) => proto::SwitchSort::Tenant,
    }
}

pub(crate) const fn position(position: Position) -> proto::SwitchPosition {
    match position {
        Position::On => proto::SwitchPosition::On,
        Position::Off => proto::SwitchPosition::Off,
        Position::Terminated => proto::SwitchPosition::Terminated,
        Position::DueDiligenceExpired => proto::SwitchPosition::DueDiligenceExpired,
        Position::TransferLimitReached => proto::SwitchPosition::TransferLimitReached,
    }
}

fn shown(switch: &Switch) -> proto::Switch {
    proto::Switch {
        sort: sort(&switch.target).into(),
        name: switch.target.name().to_owned(),
        position: position(switch.position).into(),
        reason: switch.reason.to_string(),
        since_unix_ms: switch.since.0,
        incident_id: switch.incident.map_or_else(Vec::new, |incident| incident.0.to_vec()),
        switch_id: switch.id.0.to_vec(),
        registry_revision: switch.rev,
    }
}
