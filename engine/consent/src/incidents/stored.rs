//! Incidents as they are stored, schema version 2: JSON, because they outlive the program that wrote them.

use std::collections::BTreeMap;

use sayso_audit::Reference;
use sayso_policy::Due;
use sayso_policy::law::Audience;
use sayso_types::{Name, NoticeId, TenantId, WallTime};
use serde::{Deserialize, Serialize};

use super::affected::Scope;
use super::incident::{Assessment, Ending, Incident, Notice, Telling, ThrownFor};
use crate::Error;
use crate::switch::{Position, Target};

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantId>,
    report: String,
    detected: WallTime,
    opened: WallTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assessment: Option<StoredAssessment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contained: Option<WallTime>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    switches: Vec<StoredThrow>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tellings: BTreeMap<Audience, StoredTelling>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    notices: BTreeMap<Name, Notice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice: Option<NoticeId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<StoredEnd>,
    profile_rev: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredAssessment {
    #[serde(flatten)]
    scope: Scope,
    people: u64,
    at: WallTime,
}

#[derive(Serialize, Deserialize)]
struct StoredThrow {
    sort: String,
    name: String,
    to: Position,
    at: WallTime,
}

#[derive(Serialize, Deserialize)]
struct StoredTelling {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<StoredDue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<WallTime>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reference: String,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    is_overdue: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredDue {
    at: WallTime,
    by: String,
    is_exact: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredEnd {
    at: WallTime,
    ending: Ending,
}

impl StoredAssessment {
    pub(super) fn of(assessment: &Assessment) -> Self {
        let Assessment { scope, people, at } = assessment.clone();
        Self { scope, people, at }
    }
}

fn telling(telling: &Telling) -> StoredTelling {
    let due = telling.due.clone().map(|Due { at, by, is_exact }| StoredDue { at, by, is_exact });
    let Telling { told, reference, is_overdue, .. } = telling.clone();
    StoredTelling { due, told, reference, is_overdue }
}

pub(crate) fn encode(incident: &Incident) -> Vec<u8> {
    let switches = incident.switches.iter().map(|thrown| StoredThrow {
        sort: thrown.target.sort().to_owned(),
        name: thrown.target.name().to_owned(),
        to: thrown.to,
        at: thrown.at,
    });
    let body = Body {
        tenant: incident.tenant.clone(),
        report: incident.report.clone(),
        detected: incident.detected,
        opened: incident.opened,
        assessment: incident.assessment.as_ref().map(StoredAssessment::of),
        contained: incident.contained,
        switches: switches.collect(),
        tellings: incident.tellings.iter().map(|(tell, told)| (*tell, telling(told))).collect(),
        notices: incident.notices.clone(),
        notice: incident.notice,
        closed: incident.closed.map(|(at, ending)| StoredEnd { at, ending }),
        profile_rev: incident.profile_rev,
    };
    serde_json::to_vec(&body).expect("plain values are JSON")
}

/// The incident `id` that is stored as `body`.
pub(crate) fn decode(id: &[u8], body: &[u8]) -> Result<Incident, Error> {
    let damaged = |found: String| Error::Damaged { what: "incident", found };
    let id = id.try_into().map_err(|_| damaged(format!("an id of {} bytes", id.len())))?;
    let body: Body =
        serde_json::from_slice(body).map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
    let thrown = |StoredThrow { sort, name, to, at }| match Target::parse(&sort, &name) {
        Some(target) => Ok(ThrownFor { target, to, at }),
        None => Err(damaged("a switch that cannot be read".into())),
    };
    let tellings = body.tellings.into_iter().map(|(tell, stored)| {
        let due = stored.due.map(|StoredDue { at, by, is_exact }| Due { at, by, is_exact });
        let StoredTelling { told, reference, is_overdue, .. } = stored;
        (tell, Telling { due, told, reference, is_overdue })
    });
    Ok(Incident {
        id: Reference(id),
        tenant: body.tenant,
        report: body.report,
        detected: body.detected,
        opened: body.opened,
        assessment: body.assessment.map(|StoredAssessment { scope, people, at }| Assessment { scope, people, at }),
        contained: body.contained,
        switches: body.switches.into_iter().map(thrown).collect::<Result<_, _>>()?,
        tellings: tellings.collect(),
        notices: body.notices,
        notice: body.notice,
        closed: body.closed.map(|StoredEnd { at, ending }| (at, ending)),
        profile_rev: body.profile_rev,
    })
}
