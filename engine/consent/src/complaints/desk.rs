//! [`ComplaintDesk`]: where complaints come in and are answered.

use std::sync::Arc;

use sayso_audit::{Actor, ComplaintStep, DeskEvent, Event, Hash, Reference};
use sayso_store::{Condition, Error as StoreError, Key, Op, TypedKey, Versioned};
use sayso_types::{Name, SubjectId, TenantId};

use super::complaint::{Complaint, Filing, NotNow, Outcome};
use crate::journal::About;
use crate::register::Look;
use crate::tables::{COMPLAINT, COMPLAINT_DUE, ComplaintDueKey, ComplaintKey};
use crate::{Entry, Error as RegisterError, Register};

/// Complaints of one tenant and its people that wait for an answer. Each is for people to answer, within weeks.
pub const OPEN_MAX: usize = 256;

/// Complaints of one tenant and its people that are kept.
pub const KEPT_MAX: usize = 16_384;

/// Why a complaint was not taken, or not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The register did not do it.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// There is none.
    #[error("this tenant has no such complaint; check the id")]
    Unknown,
    /// The person is somebody else's.
    #[error("this person speaks to no device of the tenant")]
    OtherTenant,
    /// Too many are open or kept.
    #[error("{OPEN_MAX} complaints of this tenant wait for an answer, or {KEPT_MAX} are kept; answer one first")]
    TooMany,
    /// It was answered.
    #[error(transparent)]
    NotNow(#[from] NotNow),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Register(error.into())
    }
}

/// Takes complaints, keeps them, and watches their days.
#[derive(Clone, Debug)]
pub struct ComplaintDesk {
    register: Arc<Register>,
}

impl ComplaintDesk {
    /// The desk of `register`. It looks after what is overdue for as long as somebody else holds the register.
    #[must_use]
    pub fn open(register: Arc<Register>) -> Self {
        register.look(Look::EachMinute, "overdue complaints", |register| async move {
            Self { register }.note_overdue().await
        });
        Self { register }
    }

    /// Takes a complaint. It is on record, with the day by which it is answered, when this returns.
    ///
    /// # Errors
    /// [`Error::OtherTenant`], [`Error::TooMany`], or as the register says.
    pub async fn file(&self, filing: Filing, by: Actor) -> Result<Complaint, Error> {
        let _turn = self.register.rules_turn().await;
        if let Some(subject) = filing.subject
            && self.register.tenant_of(subject).await?.as_ref() != Some(&filing.tenant)
        {
            return Err(Error::OtherTenant);
        }
        let kept = self.of(&filing.tenant).await?;
        if kept.iter().filter(|one| one.answer.is_none()).count() >= OPEN_MAX || kept.len() >= KEPT_MAX {
            return Err(Error::TooMany);
        }
        let id = Reference(SubjectId::random().0);
        let complaint = Complaint::received(id, filing, &self.register.profile(), self.register.clock.wall());
        let who = if complaint.filing.subject.is_some() { "person" } else { "tenant" };
        self.append(None, &complaint, (ComplaintStep::Received, Name::constant(who)), by).await?;
        Ok(complaint)
    }

    /// Answers the complaint `id` at `tenant`, once: what came of it, and the SHA-256 of the answer's words. It is on record
    /// when this returns.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::NotNow`] when it was answered before; or as the register says.
    pub async fn answer(
        &self,
        tenant: &TenantId,
        id: Reference,
        (outcome, text_sha256): (Outcome, [u8; 32]),
        by: Actor,
    ) -> Result<Complaint, Error> {
        let _turn = self.register.rules_turn().await;
        let (complaint, stored) = self.find(tenant, id).await?;
        let next = complaint.answered(outcome, text_sha256, self.register.clock.wall())?;
        self.append(Some((&complaint, &stored)), &next, (ComplaintStep::Answered, outcome.name()), by).await?;
        Ok(next)
    }

    /// The complaint `id` at `tenant`.
    ///
    /// # Errors
    /// [`Error::Unknown`], or as the register says.
    pub async fn get(&self, tenant: &TenantId, id: Reference) -> Result<Complaint, Error> {
        Ok(self.find(tenant, id).await?.0)
    }

    /// The complaints of `tenant` and its people, oldest first.
    ///
    /// # Errors
    /// As the register says.
    pub async fn of(&self, tenant: &TenantId) -> Result<Vec<Complaint>, Error> {
        Ok(of(&self.register, tenant).await?)
    }

    /// Puts on record which open complaints should have been answered by now; how many there are anew.
    ///
    /// # Errors
    /// As the register says; what was not reached is found next time.
    pub async fn note_overdue(&self) -> Result<u64, Error> {
        let note =
            |due: ComplaintDueKey| async move { self.note_late(&due.tenant, &due.complaint).await.map(u64::from) };
        self.register.due(self.register.clock.wall()).each(note).await
    }

    /// Puts on record that the complaint should have been answered, if that is still so; whether it is.
    async fn note_late(&self, tenant: &str, id: &[u8]) -> Result<bool, Error> {
        let _turn = self.register.rules_turn().await;
        let key = ComplaintKey { tenant: tenant.to_owned(), complaint: id.to_vec() };
        let Some((complaint, stored)) = self.read(&key).await? else { return Ok(false) };
        let Some(late) = complaint.overdue(self.register.clock.wall()) else { return Ok(false) };
        let step = (ComplaintStep::Overdue, Name::constant("not_answered"));
        self.append(Some((&complaint, &stored)), &late, step, Actor::SYSTEM).await?;
        metrics::counter!("sayso_complaints_overdue_total").increment(1);
        tracing::warn!("a complaint is overdue");
        Ok(true)
    }

    async fn find(&self, tenant: &TenantId, id: Reference) -> Result<(Complaint, Versioned), Error> {
        let key = ComplaintKey { tenant: tenant.to_string(), complaint: id.0.to_vec() };
        self.read(&key).await?.ok_or(Error::Unknown)
    }

    async fn read(&self, key: &ComplaintKey) -> Result<Option<(Complaint, Versioned)>, Error> {
        let Some(stored) = self.register.store.read(&[key.key()]).await?.pop().flatten() else { return Ok(None) };
        let (_, body) = COMPLAINT.decode(&stored.value).map_err(StoreError::from)?;
        Ok(Some((Complaint::decode(&key.tenant, &key.complaint, body)?, stored)))
    }

    /// Writes `next` in place of what was stored `before`, with its leaf.
    async fn append(
        &self,
        before: Option<(&Complaint, &Versioned)>,
        next: &Complaint,
        (step, detail): (ComplaintStep, Name),
        by: Actor,
    ) -> Result<(), Error> {
        let (tenant, complaint) = (next.filing.tenant.to_string(), next.id.0.to_vec());
        let key = ComplaintKey { tenant, complaint }.key();
        let unchanged = before.map_or(Condition::Absent, |(_, stored)| Condition::Version(stored.version));
        let mut ops = vec![Op::Put(key.clone(), COMPLAINT.encode(&next.encode()))];
        ops.extend(before.and_then(|(complaint, _)| due_key(complaint)).map(Op::Delete));
        ops.extend(due_key(next).map(|key| Op::Put(key, COMPLAINT_DUE.encode(&[]))));
        let about = match next.filing.subject {
            Some(subject) => match self.register.read(subject).await {
                // they closed their account, and were forgotten since: it is answered all the same
                Err(RegisterError::UnknownSubject) => About::default(),
                state => state?.about(subject),
            },
            None => About::default(),
        };
        let event = DeskEvent::Complaint {
            complaint: next.id,
            step,
            detail,
            document: Hash(next.answer.map_or(next.filing.text_sha256, |answer| answer.text_sha256)),
            evidence: next.filing.evidence_sha256.map(Hash),
        };
        let events = vec![about.by(by, Event::Desk(event))];
        self.register.journal().append(Entry { require: vec![(key, unchanged)], ops, events }).await?;
        self.register.filed_anew();
        metrics::counter!("sayso_complaints_total", "step" => step.name()).increment(1);
        Ok(())
    }
}

/// The complaints of `tenant` and its people, oldest first.
pub(crate) async fn of(register: &Register, tenant: &TenantId) -> Result<Vec<Complaint>, RegisterError> {
    let prefix = ComplaintKey::table().then(&tenant.to_string());
    let rows = register.scan(prefix, COMPLAINT, |body| Ok(body.to_vec())).await?;
    let read = |(key, body): (Key, Vec<u8>)| {
        let ComplaintKey { tenant, complaint } = ComplaintKey::parse(&key).map_err(StoreError::from)?;
        Complaint::decode(&tenant, &complaint, &body)
    };
    let mut complaints: Vec<_> = rows.into_iter().map(read).collect::<Result<_, RegisterError>>()?;
    complaints.sort_by_key(|one| (one.received, one.id.0));
    Ok(complaints)
}

/// Under which its day is watched, while there is no answer and it has not passed.
fn due_key(complaint: &Complaint) -> Option<Key> {
    let is_watched = complaint.answer.is_none() && !complaint.is_overdue;
    let (tenant, id) = (complaint.filing.tenant.to_string(), complaint.id.0.to_vec());
    is_watched.then(|| ComplaintDueKey { at: complaint.due.at.0, tenant, complaint: id }.key())
}
