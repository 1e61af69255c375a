//! [`IncidentDesk`]: where incidents are opened and dealt with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, Hash, IncidentStep, Leaf, Reference, SubjectTag};
use sayso_policy::law::Audience;
use sayso_store::{Condition, Error as StoreError, Op, TypedKey, Versioned, limits::SCAN_LIMIT_MAX};
use sayso_types::{Name, SubjectId, TenantId, WallTime};

use super::affected::{Affected, Person, Scope, Trace};
use super::incident::{Assessment, Ending, Incident, NotNow, Notice, Step, TEXT_BYTES_MAX};
use super::mailing::Mailing;
use super::stored::{self, StoredAssessment};
use crate::journal::About;
use crate::notices::book;
use crate::notices::{Error as NoticesError, Notices};
use crate::register::Look;
use crate::register::switching::Turn;
use crate::switch::Throw;
use crate::tables::{INCIDENT, IncidentKey, RegisterKey};
use crate::{Entry, Error as RegisterError, Register, Thrown};

/// Incidents of one tenant, or of nobody's in particular, that are open. Each is for people to deal with, and nobody deals
/// with more; whoever reports yet more has to wait.
pub const OPEN_MAX: usize = 64;

/// Incidents that are kept, for ever. More than a deployment survives.
pub const KEPT_MAX: usize = 16_384;

/// Leaves that are looked at in one go.
const LEAVES_AT_ONCE: usize = 1_000;

/// Why an incident was not opened, or a step not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The register did not do it.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// There is none.
    #[error("there is no such incident; list them")]
    Unknown,
    /// A report that says nothing, or too much.
    #[error("report: say what happened, in 1 to {TEXT_BYTES_MAX} bytes")]
    Report,
    /// Found in the future.
    #[error("detected: give the moment at which it was found, which has passed")]
    Detected,
    /// Too many are open.
    #[error("{OPEN_MAX} incidents are open; close one first")]
    TooMany,
    /// The incident is not where that step can be taken.
    #[error(transparent)]
    NotNow(#[from] NotNow),
    /// It is to concern a consent that nobody gave.
    #[error("nobody ever agreed by the record {0}; check it")]
    UnknownRecord(Reference),
    /// There is something against the notice to the people concerned.
    #[error(transparent)]
    Notice(NoticesError),
}

impl From<NoticesError> for Error {
    fn from(error: NoticesError) -> Self {
        match error {
            NoticesError::Register(error) => Self::Register(error),
            refused => Self::Notice(refused),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Register(error.into())
    }
}

/// What somebody has found out.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose people's data it is; [`None`] is everybody's, as far as is known.
    pub tenant: Option<TenantId>,
    /// What happened, in words.
    pub text: String,
    /// When it was found; [`None`] is now.
    pub detected: Option<WallTime>,
}

/// A step that somebody takes with an incident.
#[derive(Clone, Debug)]
pub enum Deed {
    /// It concerns this.
    Assess(Scope),
    /// It spreads no further.
    Contain,
    /// The authority was told: its file number, or how.
    TellRegulator(String),
    /// The people concerned are sent this, by language.
    TellSubjects(BTreeMap<Name, Notice>),
    /// Nothing is left to do.
    Close(Ending),
}

/// Takes reports, keeps incidents, and watches by when somebody is told of them.
#[derive(Clone, Debug)]
pub struct IncidentDesk {
    register: Arc<Register>,
}

impl IncidentDesk {
    /// The desk of `register`. It looks after what is overdue for as long as somebody else holds the register.
    #[must_use]
    pub fn open(register: Arc<Register>) -> Self {
        register.look(Look::EachMinute, "overdue incidents", |register| async move {
            Self { register }.note_overdue().await
        });
        Self { register }
    }

    /// Opens an incident. It is on record, with the moments by which somebody is told of it, when this returns.
    ///
    /// # Errors
    /// [`Error::Report`], [`Error::Detected`], [`Error::TooMany`], or as the register says.
    pub async fn report(&self, report: Report, by: Actor) -> Result<Incident, Error> {
        let Report { tenant, text, detected } = report;
        if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX {
            return Err(Error::Report);
        }
        let now = self.register.clock.wall();
        let detected = detected.unwrap_or(now);
        if detected > now {
            return Err(Error::Detected);
        }
        let turn = self.register.rules_turn().await;
        let kept = self.all().await?;
        let open = kept.iter().filter(|incident| incident.tenant == tenant && incident.closed.is_none());
        if open.count() >= OPEN_MAX || kept.len() >= KEPT_MAX {
            return Err(Error::TooMany);
        }
        let id = Reference(SubjectId::random().0);
        let incident = Incident::opened(id, tenant, text, &self.register.profile(), (detected, now));
        let who = match by.kind {
            ActorKind::Tenant => Name::constant("tenant"),
            _ => Name::constant("operator"),
        };
        let document = Some(Hash::of(incident.report.as_bytes()));
        self.append(&turn, None, &incident, by, (IncidentStep::Opened, who, document)).await?;
        Ok(incident)
    }

    /// Takes a step with the incident `id`. It is on record when this returns. Whom what is assessed concerns, and who is to
    /// be told, is looked for in the audit log first; a notice to them is sent with the step that says so.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::NotNow`] when the step is not the next one, [`Error::UnknownRecord`], [`Error::Notice`]; or as the
    /// register says, which also knows the profile's names. Nothing has changed then.
    pub async fn step(&self, id: Reference, deed: Deed, by: Actor) -> Result<Incident, Error> {
        let register = &self.register;
        // outside of the turn: a long log takes its time
        let affected = match &deed {
            Deed::Assess(scope) => {
                // of what is misspelled nobody's data is found
                scope.processors.iter().try_for_each(|processor| register.require_processor(*processor))?;
                scope.categories.iter().try_for_each(|category| register.require_category(*category))?;
                let (incident, _) = self.get(id).await?;
                self.affected_by(scope, incident.tenant.as_ref()).await?
            }
            Deed::TellSubjects(_) => match self.get(id).await? {
                (incident, _) if incident.assessment.is_some() => self.affected(&incident).await?,
                _ => Affected::default(),
            },
            _ => Affected::default(),
        };
        let turn = register.rules_turn().await;
        let (incident, stored) = self.get(id).await?;
        let now = register.clock.wall();
        let held = incident.is_held_by(&register.switches().await?);
        let (step, event, detail, document) = match deed {
            Deed::Assess(scope) => {
                let assessment = Assessment { scope, people: affected.count(), at: now };
                let document = hash(&StoredAssessment::of(&assessment));
                (Step::Assess(assessment), IncidentStep::Assessed, Name::constant("scope"), Some(document))
            }
            Deed::Contain => {
                let how = Name::constant(if held { "switched_off" } else { "otherwise" });
                (Step::Contain, IncidentStep::Contained, how, None)
            }
            Deed::TellRegulator(reference) => {
                let document = Hash::of(reference.as_bytes());
                let told = IncidentStep::RegulatorNotified;
                (Step::TellRegulator(reference), told, audience_name(Audience::Regulator), Some(document))
            }
            Deed::TellSubjects(notices) => {
                let document = hash(&notices);
                let told = IncidentStep::SubjectsNotified;
                (Step::TellSubjects(notices), told, audience_name(Audience::Subjects), Some(document))
            }
            Deed::Close(ending) => (Step::Close(ending), IncidentStep::Closed, ending.name(), None),
        };
        let sends = matches!(step, Step::TellSubjects(_));
        let mut next = incident.after(step, &register.profile(), now)?;
        let mut mailed = Vec::new();
        let notices = Notices::new(Arc::clone(register));
        let mailing = Mailing::of(&next, &affected, notices.usual_channels(), &register.profile(), now);
        if let Some(mailing) = mailing.filter(|_| sends) {
            let notice = notices.draw_up(mailing.draft, mailing.audience).await?;
            mailed = book::sending(&notice, &mailing.people);
            next.notice = Some(notice.id);
        }
        self.append_with(&turn, Some(&stored), &next, by, (event, detail, document), mailed).await?;
        Ok(next)
    }

    /// Throws a switch for the incident `id`, which lists it from then on. What it turns off passes no gate any more when
    /// this returns. What was begun is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::NotNow`], or as [`Register::throw`] says.
    pub async fn throw(&self, id: Reference, throw: Throw, by: Actor) -> Result<(Incident, Thrown), Error> {
        let desk = self.clone();
        let work = async move { desk.throw_now(id, throw, by).await };
        self.register.to_the_end("throw a switch for an incident", work).await?
    }

    async fn throw_now(&self, id: Reference, throw: Throw, by: Actor) -> Result<(Incident, Thrown), Error> {
        let turn = self.register.rules_turn().await;
        let (incident, stored) = self.get(id).await?;
        let next = incident.with_switch(throw.target.clone(), throw.to, self.register.clock.wall())?;
        let throw = Throw { incident: Some(id), ..throw };
        let (key, put) = row(&next);
        let entry =
            Entry { require: vec![(key, Condition::Version(stored.version))], ops: vec![put], events: Vec::new() };
        let thrown = self.register.throw_with(&turn, &throw, by, entry).await?;
        Ok((next, thrown))
    }

    /// The incidents of `tenant`, or all of them; oldest first.
    ///
    /// # Errors
    /// As the register says.
    pub async fn list(&self, tenant: Option<&TenantId>) -> Result<Vec<Incident>, Error> {
        let mut incidents = self.all().await?;
        incidents.retain(|incident| tenant.is_none_or(|tenant| incident.tenant.as_ref() == Some(tenant)));
        incidents.sort_by_key(|incident| (incident.opened, incident.id));
        Ok(incidents)
    }

    /// The incident `id`, if it is one of `tenant`, or whoever asks may see all.
    ///
    /// # Errors
    /// [`Error::Unknown`], or as the register says.
    pub async fn find(&self, id: Reference, tenant: Option<&TenantId>) -> Result<Incident, Error> {
        let (incident, _) = self.get(id).await?;
        let is_seen = tenant.is_none_or(|tenant| incident.tenant.as_ref() == Some(tenant));
        if is_seen { Ok(incident) } else { Err(Error::Unknown) }
    }

    /// Whose data the incident concerns, by what it was assessed to be: computed anew from the audit log, so that whoever
    /// was forgotten meanwhile is no longer named.
    ///
    /// # Errors
    /// [`NotNow::NotAssessed`] before it is assessed; or as the register says.
    pub async fn affected(&self, incident: &Incident) -> Result<Affected, Error> {
        let assessment = incident.assessment.as_ref().ok_or(NotNow::NotAssessed)?;
        self.affected_by(&assessment.scope, incident.tenant.as_ref()).await
    }

    async fn affected_by(&self, scope: &Scope, tenant: Option<&TenantId>) -> Result<Affected, Error> {
        let mut tags = self.trace(scope.clone()).await?;
        let mut people = BTreeSet::new();
        let mut range = RegisterKey::table().into();
        loop {
            let page = self.register.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let RegisterKey { subject } = RegisterKey::parse(&entry.key).map_err(StoreError::from)?;
                let stored = Versioned { value: entry.value, version: entry.version };
                let state = match self.register.opened_state(subject, stored).await {
                    Ok(state) => state,
                    // who was forgotten meanwhile is a tag that nobody can name
                    Err(RegisterError::Vault(error)) if error.is_forgotten() => continue,
                    Err(error) => return Err(error.into()),
                };
                if tags.remove(&state.audit_key().subject(subject)) && tenant.is_none_or(|own| *own == state.tenant) {
                    people.insert(Person { subject, tenant: state.tenant });
                }
            }
            let Some(rest) = page.rest else { break };
            range = rest;
        }
        let unnamed = if tenant.is_none() { tags.len() as u64 } else { 0 };
        Ok(Affected { people, unnamed })
    }

    /// The tags of those whose data was in `scope`.
    async fn trace(&self, scope: Scope) -> Result<BTreeSet<SubjectTag>, Error> {
        let mut trace = Trace::new(scope);
        let mut index = 0;
        loop {
            let leaves = self.register.journal().read(index, LEAVES_AT_ONCE).await?;
            if leaves.is_empty() {
                return match trace.unknown() {
                    Some(record) => Err(Error::UnknownRecord(record)),
                    None => Ok(trace.finish(self.register.clock.wall())),
                };
            }
            index += leaves.len() as u64;
            for leaf in leaves {
                trace.leaf(&Leaf::decode(&leaf).map_err(|e| RegisterError::Log(e.to_string()))?);
            }
        }
    }

    /// Puts on record whom somebody should have told of an incident by now; how many anew.
    ///
    /// # Errors
    /// As the register says; what was not reached is found next time.
    pub async fn note_overdue(&self) -> Result<usize, Error> {
        let mut found = 0;
        for incident in self.all().await? {
            for tell in incident.late(self.register.clock.wall()).collect::<Vec<_>>() {
                found += usize::from(self.note_late(incident.id, tell).await?);
            }
        }
        Ok(found)
    }

    /// Puts on record that `tell` should have been told, if that is still so; whether it is.
    async fn note_late(&self, id: Reference, tell: Audience) -> Result<bool, Error> {
        let turn = self.register.rules_turn().await;
        let (incident, stored) = self.get(id).await?;
        if !incident.late(self.register.clock.wall()).any(|late| late == tell) {
            return Ok(false);
        }
        let (next, whom) = (incident.overdue(tell), audience_name(tell));
        self.append(&turn, Some(&stored), &next, Actor::SYSTEM, (IncidentStep::Overdue, whom, None)).await?;
        metrics::counter!("sayso_incidents_overdue_total").increment(1);
        tracing::warn!(%whom, "somebody was not told of an incident in time");
        Ok(true)
    }

    async fn all(&self) -> Result<Vec<Incident>, Error> {
        let rows = self.register.scan(IncidentKey::table(), INCIDENT, |body| Ok(body.to_vec())).await?;
        let incidents = rows.into_iter().map(|(key, body)| {
            let IncidentKey { incident } = IncidentKey::parse(&key).map_err(StoreError::from)?;
            Ok(stored::decode(&incident, &body)?)
        });
        incidents.collect()
    }

    async fn get(&self, id: Reference) -> Result<(Incident, Versioned), Error> {
        let key = IncidentKey { incident: id.0.to_vec() }.key();
        let stored = self.register.store.read(&[key]).await?.pop().flatten().ok_or(Error::Unknown)?;
        let (_, body) = INCIDENT.decode(&stored.value).map_err(StoreError::from)?;
        Ok((stored::decode(&id.0, body)?, stored))
    }

    /// Writes `next` in place of what was stored before, with its leaf.
    async fn append(
        &self,
        turn: &Turn<'_>,
        before: Option<&Versioned>,
        next: &Incident,
        by: Actor,
        what: (IncidentStep, Name, Option<Hash>),
    ) -> Result<(), Error> {
        self.append_with(turn, before, next, by, what, Vec::new()).await
    }

    /// The same, with `more` in the same batch.
    async fn append_with(
        &self,
        _turn: &Turn<'_>,
        before: Option<&Versioned>,
        next: &Incident,
        by: Actor,
        (step, detail, document): (IncidentStep, Name, Option<Hash>),
        mut more: Vec<Op>,
    ) -> Result<(), Error> {
        let (key, put) = row(next);
        more.push(put);
        let unchanged = before.map_or(Condition::Absent, |stored| Condition::Version(stored.version));
        let people = next.assessment.as_ref().map_or(0, |assessment| assessment.people);
        let detected = (step == IncidentStep::Opened).then_some(next.detected);
        let event = Event::Incident { incident: next.id, step, detail, document, people, detected };
        let events = vec![About::default().by(by, event)];
        self.register.journal().append(Entry { require: vec![(key, unchanged)], ops: more, events }).await?;
        metrics::counter!("sayso_incidents_total", "step" => step.name()).increment(1);
        Ok(())
    }
}

/// Where an incident is stored, and what stores it.
fn row(incident: &Incident) -> (sayso_store::Key, Op) {
    let key = IncidentKey { incident: incident.id.0.to_vec() }.key();
    (key.clone(), Op::Put(key, INCIDENT.encode(&stored::encode(incident))))
}

/// What the log has of a document that the store keeps.
fn hash(document: &impl serde::Serialize) -> Hash {
    Hash::of(&serde_json::to_vec(document).expect("plain values are JSON"))
}

/// What the log calls those who are told.
pub(crate) const fn audience_name(tell: Audience) -> Name {
    match tell {
        Audience::Regulator => Name::constant("regulator"),
        Audience::Subjects => Name::constant("subjects"),
    }
}
