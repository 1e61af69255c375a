//! The `Incidents` service: what is done when data got where it should not.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use sayso_audit::{AuditKey, Reference};
use sayso_consent::Error as RegisterError;
use sayso_consent::incidents::desk::OPEN_MAX;
use sayso_consent::incidents::{Affected, Deed, Ending, Error, Incident, IncidentDesk, Notice, Report, Scope, Telling};
use sayso_policy::law::Audience;
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::advance_incident_request::Step;
use sayso_proto::admin::v1::incidents_server::Incidents;
use sayso_types::{Name, SubjectId, WallTime};
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::field;
use crate::operator::Operator;
use crate::refusal::Refusal;
use crate::switches::{position, reference, sort};

/// Processors, or categories, that a scope may name: more than a profile has.
const NAMED_MAX: usize = 64;

/// Incidents in an answer, by default and at most.
const PAGE: (usize, usize) = (100, 1_000);

/// People in an answer, by default and at most: some half a megabyte.
const PEOPLE_PAGE: (usize, usize) = (1_000, 10_000);

/// Serves the desk of incidents.
pub(crate) struct IncidentsService {
    pub(crate) desk: IncidentDesk,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
}

impl IncidentsService {
    async fn taken(
        &self,
        operator: &Operator,
        request: proto::OpenIncidentRequest,
    ) -> Result<proto::Incident, Refusal> {
        let tenant = operator.scope("tenant_id", &request.tenant_id)?;
        let detected = (request.detected_unix_ms > 0).then_some(WallTime(request.detected_unix_ms));
        let report = Report { tenant, text: request.report, detected };
        Ok(shown(&self.desk.report(report, operator.actor(&self.key)).await?))
    }

    async fn listed(
        &self,
        operator: &Operator,
        request: proto::ListIncidentsRequest,
    ) -> Result<proto::ListIncidentsResponse, Refusal> {
        let tenant = operator.scope("tenant_id", &request.tenant_id)?;
        let size = field::page_size(request.page_size, PAGE.0, PAGE.1)?;
        let from: usize = field::page_token(&request.page_token)?.unwrap_or(0);
        let incidents = self.desk.list(tenant.as_ref()).await?;
        let rest = incidents.len() > from.saturating_add(size);
        let incidents: Vec<_> = incidents.iter().skip(from).take(size).map(shown).collect();
        self.access.record(operator, Name::constant("incidents.list"), incidents.len()).await?;
        let next_page_token = if rest { (from + size).to_string() } else { String::new() };
        Ok(proto::ListIncidentsResponse { incidents, next_page_token })
    }

    async fn advanced(
        &self,
        operator: &Operator,
        request: proto::AdvanceIncidentRequest,
    ) -> Result<proto::Incident, Refusal> {
        operator.must_see_all()?;
        let (id, deed) = (reference("incident_id", &request.incident_id)?, deed(request.step)?);
        Ok(shown(&self.desk.step(id, deed, operator.actor(&self.key)).await?))
    }

    async fn found(
        &self,
        operator: &Operator,
        request: proto::AffectedRequest,
    ) -> Result<proto::AffectedResponse, Refusal> {
        let id = reference("incident_id", &request.incident_id)?;
        let size = field::page_size(request.page_size, PEOPLE_PAGE.0, PEOPLE_PAGE.1)?;
        let after: Option<SubjectId> = field::page_token(&request.page_token)?;
        let tenant = operator.scope("incident_id", "")?;
        let incident = self.desk.find(id, tenant.as_ref()).await?;
        let Affected { people, unnamed } = self.desk.affected(&incident).await?;
        let total = people.len() as u64;
        let rest = people.into_iter().filter(|person| after.is_none_or(|after| person.subject > after));
        let mut page: Vec<_> = rest.take(size + 1).collect();
        let has_more = page.len() > size;
        page.truncate(size);
        self.access.record(operator, Name::constant("incidents.affected"), page.len()).await?;
        let last = page.last().filter(|_| has_more).map_or_else(String::new, |person| person.subject.to_string());
        let people = page.into_iter().map(|person| proto::AffectedPerson {
            subject_id: person.subject.to_string(),
            tenant_id: person.tenant.to_string(),
        });
        Ok(proto::AffectedResponse { people: people.collect(), total, unnamed, next_page_token: last })
    }
}

#[tonic::async_trait]
impl Incidents for IncidentsService {
    async fn open(
        &self,
        request: Request<proto::OpenIncidentRequest>,
    ) -> Result<Response<proto::OpenIncidentResponse>, Status> {
        let operator = Operator::of(&request)?;
        let incident = Some(self.taken(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::OpenIncidentResponse { incident }))
    }

    async fn list(
        &self,
        request: Request<proto::ListIncidentsRequest>,
    ) -> Result<Response<proto::ListIncidentsResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.listed(&operator, request.into_inner()).await?))
    }

    async fn advance(
        &self,
        request: Request<proto::AdvanceIncidentRequest>,
    ) -> Result<Response<proto::AdvanceIncidentResponse>, Status> {
        let operator = Operator::of(&request)?;
        let incident = Some(self.advanced(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::AdvanceIncidentResponse { incident }))
    }

    async fn affected(
        &self,
        request: Request<proto::AffectedRequest>,
    ) -> Result<Response<proto::AffectedResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.found(&operator, request.into_inner()).await?))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Register(error @ RegisterError::UnknownPart { .. }) => Self::invalid("assess", error),
            Error::Register(error) => error.into(),
            Error::UnknownRecord(_) => Self::invalid("assess.record_ids", error),
            Error::Unknown => Self::NotFound { field: "incident_id", problem: "there is no such incident; list them" },
            Error::Report => Self::invalid("report", "say what happened, in 1 to 4000 bytes"),
            Error::Detected => {
                Self::invalid("detected_unix_ms", "give the moment at which it was found, which has passed")
            }
            Error::TooMany => Self::OverLimit { what: "open incidents", limit: OPEN_MAX },
            Error::Notice(error) => error.into(),
            Error::NotNow(why) => Self::NotNow { field: "step", problem: why.to_string() },
        }
    }
}

fn deed(step: Option<Step>) -> Result<Deed, Refusal> {
    Ok(match step {
        Some(Step::Assess(scope)) => Deed::Assess(Scope {
            processors: named("assess.processors", &scope.processors)?,
            categories: named("assess.categories", &scope.categories)?,
            records: records(&scope.record_ids)?,
            from: WallTime(scope.from_unix_ms),
            until: WallTime(scope.until_unix_ms),
        }),
        Some(Step::Contain(proto::Contain {})) => Deed::Contain,
        Some(Step::RegulatorTold(reference)) => Deed::TellRegulator(reference),
        Some(Step::SubjectsTold(told)) => Deed::TellSubjects(notices(told.notices)?),
        Some(Step::Close(ending)) => Deed::Close(match proto::IncidentEnding::try_from(ending) {
            Ok(proto::IncidentEnding::Handled) => Ending::Handled,
            Ok(proto::IncidentEnding::Unfounded) => Ending::Unfounded,
            Ok(proto::IncidentEnding::Unspecified) | Err(_) => {
                return Err(Refusal::invalid("close", "give HANDLED or UNFOUNDED"));
            }
        }),
        None => return Err(Refusal::invalid("step", "missing; say what became of the incident")),
    })
}

fn named<T: FromStr<Err: core::fmt::Display> + Ord>(
    field: &'static str,
    names: &[String],
) -> Result<BTreeSet<T>, Refusal> {
    if names.len() > NAMED_MAX {
        let problem = format_args!("{} are more than {NAMED_MAX}; leave it empty for any", names.len());
        return Err(Refusal::invalid(field, problem));
    }
    names.iter().map(|name| field::id(field, name)).collect()
}

fn records(ids: &[Vec<u8>]) -> Result<BTreeSet<Reference>, Refusal> {
    if ids.len() > NAMED_MAX {
        let problem = format_args!("{} are more than {NAMED_MAX}; leave it empty for any", ids.len());
        return Err(Refusal::invalid("assess.record_ids", problem));
    }
    ids.iter().map(|id| reference("assess.record_ids", id)).collect()
}

fn notices(told: Vec<proto::IncidentNotice>) -> Result<BTreeMap<Name, Notice>, Refusal> {
    let mut notices = BTreeMap::new();
    for proto::IncidentNotice { spoken, situation, impact, measures, self_protection, remedies, contact, language } in
        told
    {
        let language = field::id("subjects_told.language", &language)?;
        let notice = Notice { spoken, situation, impact, measures, self_protection, remedies, contact };
        if notices.insert(language, notice).is_some() {
            return Err(Refusal::invalid("subjects_told.language", format_args!("{language} is there twice")));
        }
    }
    Ok(notices)
}

fn shown(incident: &Incident) -> proto::Incident {
    let scope = |scope: &Scope| proto::IncidentScope {
        processors: scope.processors.iter().map(ToString::to_string).collect(),
        categories: scope.categories.iter().map(ToString::to_string).collect(),
        record_ids: scope.records.iter().map(|record| record.0.to_vec()).collect(),
        from_unix_ms: scope.from.0,
        until_unix_ms: scope.until.0,
    };
    let assessment = incident.assessment.as_ref().map(|assessment| proto::Assessment {
        scope: Some(scope(&assessment.scope)),
        people: assessment.people,
        at_unix_ms: assessment.at.0,
    });
    let switches = incident.switches.iter().map(|thrown| proto::ThrownSwitch {
        sort: sort(&thrown.target).into(),
        name: thrown.target.name().to_owned(),
        to: position(thrown.to).into(),
        at_unix_ms: thrown.at.0,
    });
    let telling = |tell| incident.tellings.get(&tell).map(told);
    let notices = incident.notices.iter().map(|(language, notice)| {
        let Notice { spoken, situation, impact, measures, self_protection, remedies, contact } = notice.clone();
        let language = language.to_string();
        proto::IncidentNotice { spoken, situation, impact, measures, self_protection, remedies, contact, language }
    });
    let ending = incident.closed.map_or(proto::IncidentEnding::Unspecified, |(_, ending)| match ending {
        Ending::Handled => proto::IncidentEnding::Handled,
        Ending::Unfounded => proto::IncidentEnding::Unfounded,
    });
    proto::Incident {
        incident_id: incident.id.0.to_vec(),
        tenant_id: incident.tenant.as_ref().map_or_else(String::new, ToString::to_string),
        report: incident.report.clone(),
        detected_unix_ms: incident.detected.0,
        opened_unix_ms: incident.opened.0,
        assessment,
        contained_unix_ms: incident.contained.map_or(0, |at| at.0),
        switches: switches.collect(),
        regulator: telling(Audience::Regulator),
        subjects: telling(Audience::Subjects),
        notices: notices.collect(),
        notice_id: incident.notice.map_or_else(Vec::new, |notice| notice.0.to_vec()),
        closed_unix_ms: incident.closed.map_or(0, |(at, _)| at.0),
        ending: ending.into(),
    }
}

fn told(telling: &Telling) -> proto::Telling {
    proto::Telling {
        due_unix_ms: telling.due.as_ref().map_or(0, |due| due.at.0),
        due_by: telling.due.as_ref().map_or_else(String::new, |due| due.by.clone()),
        told_unix_ms: telling.told.map_or(0, |at| at.0),
        reference: telling.reference.clone(),
        overdue: telling.is_overdue,
    }
}
