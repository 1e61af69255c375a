//! [`Notices`]: where notices are sent from, and what became of them is kept.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, NoticeStep, Reference};
use sayso_store::{
    Condition, Error as StoreError, Key, Op, Range, TypedKey, Version, Versioned, limits::READ_KEYS_MAX,
};
use sayso_types::{NoticeId, SubjectId, TenantId};

use super::delivery::{Delivery, Standing, Step};
use super::notice::{self, Audience, Channel, Draft, Notice, Refused};
use super::spreading::PAGE;
use crate::journal::{About, Noted};
use crate::register::Subject;
use crate::tables::{
    ANNOUNCED, AnnouncedKey, NOTICE, NOTICE_DUE, NOTICE_OUT, NOTICE_PAGE, NOTICE_PERSON, NOTICE_SPREAD, NOTICE_TO,
    NoticeDueKey, NoticeKey, NoticeOutKey, NoticePageKey, NoticePersonKey, NoticeSpreadKey, NoticeToKey,
};
use crate::{Entry, Error as RegisterError, Register};

/// Notices that are kept: some hundreds of revisions and incidents, and then some.
pub const NOTICES_MAX: usize = 4_096;

/// Notices that a person is told at the beginning of one conversation; the others wait for the next one.
pub const TOLD_AT_ONCE: usize = 3;

/// Notices on the public page: more than anybody reads.
pub const ANNOUNCED_MAX: usize = 50;

/// Why a notice was not sent, or nothing is known of one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The register did not do it.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// There is something against it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There is no such notice, or none of it for this person.
    #[error("there is no such notice, or it is not for this person; check the ids")]
    Unknown,
    /// Too many are kept.
    #[error("{NOTICES_MAX} notices are kept, which is all that there is room for")]
    TooMany,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Register(error.into())
    }
}

/// How a notice stands with all whom it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many people have been sent it so far.
    pub people: u64,
    /// Whether there are more to come.
    pub is_spreading: bool,
    /// How many of them stand how.
    pub standings: BTreeMap<Standing, u64>,
}

/// Sends notices and keeps what becomes of them.
#[derive(Clone, Debug)]
pub struct Notices {
    pub(super) register: Arc<Register>,
}

impl Notices {
    /// The notices of `register`, which spreads them.
    #[must_use]
    pub const fn new(register: Arc<Register>) -> Self {
        Self { register }
    }

    /// Sends `draft` to everybody who was ever here, or who speaks to a device of `tenant`. That it is to be spread is
    /// durable when this returns.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::TooMany`], or as the register says.
    pub async fn send(&self, draft: Draft, tenant: Option<TenantId>) -> Result<Notice, Error> {
        let audience = tenant.map_or(Audience::Everybody, Audience::Tenant);
        self.take(draft, audience, &[], Entry::default()).await
    }

    /// Sends `draft` to these people, such as those whom an incident concerns.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_to(&self, draft: Draft, people: &[SubjectId]) -> Result<Notice, Error> {
        let distinct: HashSet<_> = people.iter().copied().collect();
        let mut people: Vec<_> = distinct.into_iter().collect();
        people.sort_unstable();
        self.take(draft, Audience::People { count: people.len() as u64 }, &people, Entry::default()).await
    }

    /// Sends `draft` to `audience`, and applies `with` in the same batch.
    pub(crate) async fn take(
        &self,
        draft: Draft,
        audience: Audience,
        people: &[SubjectId],
        mut with: Entry,
    ) -> Result<Notice, Error> {
        let notice = self.draw_up(draft, audience).await?;
        with.ops.extend(sending(&notice, people));
        self.register.journal().append(with).await?;
        Ok(notice)
    }

    /// The notice that `draft` makes, which is not sent yet: [`sending`] does that.
    pub(crate) async fn draw_up(&self, draft: Draft, audience: Audience) -> Result<Notice, Error> {
        let notice = draft.check(audience, &self.register.profile(), self.register.clock.wall())?;
        if notice.channels.contains(&Channel::Page) && !self.register.options.has_page {
            return Err(Refused::NoPage.into());
        }
        if self.all().await?.len() >= NOTICES_MAX {
            return Err(Error::TooMany);
        }
        Ok(notice)
    }

    /// The ways by which people are told where nobody says otherwise.
    #[must_use]
    pub fn usual_channels(&self) -> Vec<Channel> {
        let page = self.register.options.has_page.then_some(Channel::Page);
        [Channel::Device, Channel::Tenant].into_iter().chain(page).collect()
    }

    /// What everybody can read on the public page, the newest first: at most [`ANNOUNCED_MAX`].
    ///
    /// # Errors
    /// As the register says.
    pub async fn announced(&self) -> Result<Vec<Notice>, Error> {
        let rows = self.register.scan(AnnouncedKey::table(), ANNOUNCED, |_| Ok(())).await?;
        let mut announced = Vec::with_capacity(rows.len());
        for (key, ()) in rows {
            let AnnouncedKey { notice } = AnnouncedKey::parse(&key).map_err(StoreError::from)?;
            announced.push(self.get(notice).await?);
        }
        announced.sort_by_key(|notice| core::cmp::Reverse((notice.made_at, notice.id)));
        announced.truncate(ANNOUNCED_MAX);
        Ok(announced)
    }

    /// Every notice, the oldest first.
    ///
    /// # Errors
    /// As the register says.
    pub async fn all(&self) -> Result<Vec<Notice>, Error> {
        let mut all: Vec<_> =
            self.register.scan(NoticeKey::table(), NOTICE, decode).await?.into_iter().map(|(_, one)| one).collect();
        all.sort_by_key(|notice| (notice.made_at, notice.id));
        Ok(all)
    }

    /// The notice `id`.
    ///
    /// # Errors
    /// [`Error::Unknown`], or as the register says.
    pub async fn get(&self, id: NoticeId) -> Result<Notice, Error> {
        get(&self.register, id).await?.ok_or(Error::Unknown)
    }

    /// How the notice `id` stands with those whom it is for. Reads a record for each of them.
    ///
    /// # Errors
    /// [`Error::Unknown`], or as the register says.
    pub async fn tally(&self, notice: &Notice) -> Result<Tally, Error> {
        let store = &self.register.store;
        let spread = store.read(&[NoticeSpreadKey { notice: notice.id }.key()]).await?.pop().flatten();
        let mut tally = Tally { is_spreading: spread.is_some(), ..Tally::default() };
        let mut range = Range::from(NoticePersonKey::table().then(&notice.id));
        loop {
            let page = store.scan(range, READ_KEYS_MAX).await?;
            let keys: Result<Vec<_>, StoreError> = page
                .entries
                .iter()
                .map(|entry| {
                    let NoticePersonKey { notice, subject } = NoticePersonKey::parse(&entry.key)?;
                    Ok(NoticeToKey { subject, notice }.key())
                })
                .collect();
            for stored in store.read(&keys?).await?.into_iter().flatten() {
                let standing = delivery(&stored)?.standing(notice);
                tally.people += 1;
                *tally.standings.entry(standing).or_default() += 1;
            }
            let Some(rest) = page.rest else { return Ok(tally) };
            range = rest;
        }
    }

    /// What was sent to `subject`, and how it stands; the oldest first.
    ///
    /// # Errors
    /// As the register says.
    pub async fn of(&self, subject: SubjectId) -> Result<Vec<(Notice, Delivery)>, Error> {
        Ok(of(&self.register, subject).await?)
    }

    /// What `subject`'s device is to tell them at the beginning of their next conversation, the oldest first: at most
    /// [`TOLD_AT_ONCE`]. It is told until it was heard, also when its time is over.
    ///
    /// # Errors
    /// As the register says.
    pub async fn to_tell(&self, subject: SubjectId) -> Result<Vec<Notice>, Error> {
        let sent = self.of(subject).await?.into_iter();
        let open = sent
            .filter(|(notice, delivery)| !delivery.is_heard() && delivery.begun_at(notice, Channel::Device).is_some());
        Ok(open.map(|(notice, _)| notice).take(TOLD_AT_ONCE).collect())
    }

    /// The device of `subject` has told them the notice `id` to its end. On record when this returns.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub async fn heard(&self, subject: SubjectId, id: NoticeId) -> Result<Delivery, Error> {
        let device = Actor { kind: ActorKind::Device, tag: None };
        self.step(subject, id, Step::Delivered(Channel::Device), device).await
    }

    /// Takes a step with the notice `id` to `subject`; how it stands then. It is on record when this returns. A step that
    /// changes nothing, as a second report of the same, is none.
    ///
    /// # Errors
    /// [`Error::Unknown`], or as the register says.
    pub async fn step(&self, subject: SubjectId, id: NoticeId, step: Step, by: Actor) -> Result<Delivery, Error> {
        // two entries of one batch do not see each other, so steps of one person are taken one after the other
        let mut turn = self.register.lock(subject).await?;
        let key = NoticeToKey { subject, notice: id }.key();
        let found = self.register.store.read(&[key]).await?.pop().flatten().ok_or(Error::Unknown)?;
        let (before, notice) = (delivery(&found)?, self.get(id).await?);
        let Some((next, told)) = before.after(step, &notice, self.register.clock.wall()) else { return Ok(before) };
        let mut entry = written(&turn, &notice, Some((&before, found.version)), &next);
        entry.events =
            told.iter().map(|(step, channel)| event(turn.state.about(subject), by, &notice, *step, *channel)).collect();
        match notice.audience {
            Audience::Introduced { processor, introduction } if next.is_heard() => {
                self.register.introduced(&mut turn, (processor, introduction), by, entry).await?;
            }
            _ => drop(self.register.journal().append(entry).await?),
        }
        for (step, channel) in told {
            metrics::counter!("sayso_notices_total", "step" => step.name(), "channel" => channel.name().to_string())
                .increment(1);
        }
        Ok(next)
    }
}

/// What was sent to `subject`, and how it stands; the oldest first.
pub(crate) async fn of(register: &Register, subject: SubjectId) -> Result<Vec<(Notice, Delivery)>, RegisterError> {
    let rows = register.scan(NoticeToKey::table().then(&subject), NOTICE_TO, decode_delivery).await?;
    let mut sent = Vec::with_capacity(rows.len());
    for (key, delivery) in rows {
        let NoticeToKey { notice, .. } = NoticeToKey::parse(&key).map_err(StoreError::from)?;
        let lost = || RegisterError::Damaged { what: "notice", found: "one that was sent is missing".to_owned() };
        sent.push((get(register, notice).await?.ok_or_else(lost)?, delivery));
    }
    sent.sort_by_key(|(notice, _)| (notice.made_at, notice.id));
    Ok(sent)
}

pub(crate) async fn get(register: &Register, id: NoticeId) -> Result<Option<Notice>, RegisterError> {
    let Some(found) = register.store.read(&[NoticeKey { notice: id }.key()]).await?.pop().flatten() else {
        return Ok(None);
    };
    let (_, body) = NOTICE.decode(&found.value).map_err(StoreError::from)?;
    decode(body).map(Some)
}

/// What writes `next` in place of what was stored of the delivery of `notice` before.
pub(crate) fn written(turn: &Subject, notice: &Notice, before: Option<(&Delivery, Version)>, next: &Delivery) -> Entry {
    let (subject, tenant) = (turn.id(), &turn.state.tenant);
    let key = NoticeToKey { subject, notice: notice.id }.key();
    let unchanged = before.map_or(Condition::Absent, |(_, version)| Condition::Version(version));
    Entry {
        require: vec![(key, unchanged)],
        ops: ops(subject, tenant, notice, before.map(|(before, _)| before), next),
        ..Entry::default()
    }
}

/// The same, as what is put and deleted.
pub(super) fn ops(
    subject: SubjectId,
    tenant: &TenantId,
    notice: &Notice,
    before: Option<&Delivery>,
    next: &Delivery,
) -> Vec<Op> {
    let key = NoticeToKey { subject, notice: notice.id }.key();
    let mut ops = vec![Op::Put(key, NOTICE_TO.encode(&encode_delivery(next)))];
    if before.is_none() {
        ops.push(Op::Put(NoticePersonKey { notice: notice.id, subject }.key(), NOTICE_PERSON.encode(&[])));
    }
    let due = |one: &Delivery| Some(NoticeDueKey { at: one.due(notice)?.0, subject, notice: notice.id }.key());
    exchange(before.and_then(due), due(next), NOTICE_DUE.encode(&[]), &mut ops);
    let out = |one: &Delivery| {
        let since = one.begun_at(notice, Channel::Tenant)?;
        let waits = !one.is_heard() && !one.failed.contains(&Channel::Tenant);
        let key = NoticeOutKey { tenant: tenant.to_string(), since: since.0, subject, notice: notice.id };
        waits.then(|| key.key())
    };
    exchange(before.and_then(out), out(next), NOTICE_OUT.encode(&[]), &mut ops);
    if next.begun_at(notice, Channel::Page).is_some() {
        ops.push(Op::Put(AnnouncedKey { notice: notice.id }.key(), ANNOUNCED.encode(&[])));
    }
    ops
}

/// Puts `value` at `next` instead of at `before`.
fn exchange(before: Option<Key>, next: Option<Key>, value: sayso_store::Value, ops: &mut Vec<Op>) {
    if before != next {
        ops.extend(before.map(Op::Delete));
        ops.extend(next.map(|key| Op::Put(key, value)));
    }
}

/// The leaf of a step of `notice`.
pub(crate) fn event(about: About, by: Actor, notice: &Notice, step: NoticeStep, channel: Channel) -> Noted {
    let (reference, text) = (Reference(notice.id.0), notice.sha256());
    about.by(by, Event::Notice { notice: reference, step, channel: channel.name(), text })
}

/// What sends `notice`, to `people` where it names them.
pub(crate) fn sending(notice: &Notice, people: &[SubjectId]) -> Vec<Op> {
    let pages = notice::pages(people, PAGE).zip(0..).map(|(page, number)| {
        Op::Put(NoticePageKey { notice: notice.id, page: number }.key(), NOTICE_PAGE.encode(&page))
    });
    let spread = Op::Put(NoticeSpreadKey { notice: notice.id }.key(), NOTICE_SPREAD.encode(&[]));
    [put(notice)].into_iter().chain(pages).chain([spread]).collect()
}

pub(crate) fn put(notice: &Notice) -> Op {
    let json = serde_json::to_vec(notice).expect("plain values are JSON");
    Op::Put(NoticeKey { notice: notice.id }.key(), NOTICE.encode(&json))
}

fn decode(body: &[u8]) -> Result<Notice, RegisterError> {
    serde_json::from_slice(body).map_err(|e| damaged(&e))
}

fn encode_delivery(delivery: &Delivery) -> Vec<u8> {
    serde_json::to_vec(delivery).expect("plain values are JSON")
}

fn decode_delivery(body: &[u8]) -> Result<Delivery, RegisterError> {
    serde_json::from_slice(body).map_err(|e| damaged(&e))
}

pub(super) fn delivery(stored: &Versioned) -> Result<Delivery, RegisterError> {
    let (_, body) = NOTICE_TO.decode(&stored.value).map_err(StoreError::from)?;
    decode_delivery(body)
}

fn damaged(error: &serde_json::Error) -> RegisterError {
    let found = format!("{:?} at column {}", error.classify(), error.column());
    RegisterError::Damaged { what: "notice", found }
}
