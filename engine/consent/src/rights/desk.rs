//! [`Desk`]: where people's requests come in and are answered.

use std::sync::Arc;

use sayso_audit::{Actor, Event, Hash, Reference, RequestStep};
use sayso_policy::profile::RightKind;
use sayso_store::{Condition, Error as StoreError, Key, Op, TypedKey, Versioned};
use sayso_types::{Name, SubjectId};

use super::carrier::Carrier;
use super::copy::Copy;
use super::entitlement::Entitlement;
use super::left::Left;
use super::names::{refusal_name, right_name};
use super::referring::{keys, reference};
use super::request::{Delay, EvidenceHash, NotNow, Request, Standing, Step};
use super::stored;
use crate::exemption::NotRead;
use crate::register::remembering::PutRight;
use crate::register::{Look, Subject};
use crate::retention::Stored;
use crate::tables::{DUE, DueKey, REFERRAL, REQUEST, RequestKey};
use crate::{Entry, Error as RegisterError, Register};

/// Requests of one person that wait for an answer. There are seventeen rights; more than one request for each is a
/// person who asks again, and then some.
pub const OPEN_MAX: usize = 32;

/// Why a request was not taken, or a step not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The register did not do it.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// Nobody has such a request.
    #[error("there is no such request of this person; check the id")]
    Unknown,
    /// The policy does not offer that right.
    #[error("the policy offers no such right; its rights.offers lists those that it offers")]
    NotOffered,
    /// Only erasure has grounds.
    #[error("only an erasure names a ground; leave it out")]
    NamesGround,
    /// The policy does not erase on that ground.
    #[error("the policy erases on no such ground as {ground}; it names {offered}")]
    NoSuchGround {
        /// What was named.
        ground: String,
        /// What the policy names.
        offered: String,
    },
    /// The right is not about single purposes.
    #[error("only a withdrawal and an objection name purposes; leave them out")]
    NamesPurposes,
    /// What is remembered is not put right.
    #[error("{0}")]
    NotPutRight(String),
    /// A copy with more files than a bundle names.
    #[error("the person's records are more than the {} files of a bundle; hand out a copy", super::bundle::FILES_MAX)]
    TooLarge,
    /// Not something that relatives may ask for.
    #[error("relatives of somebody who has died may see, copy, rectify and erase, and nothing else (PIPL 49)")]
    NotForRelatives,
    /// The person wanted no such thing.
    #[error("the person said that their relatives have nothing of this")]
    SaidOtherwise,
    /// Complaints have a desk of their own.
    #[error("a complaint is taken by the desk for complaints: file it there")]
    Complaint,
    /// There is no restriction to lift.
    #[error("nothing is restricted by this request, or no longer")]
    NotRestricted,
    /// The person has too many open.
    #[error("{OPEN_MAX} requests of this person wait for an answer; answer one first")]
    TooMany,
    /// Whoever wants the copy may not read what is in it.
    #[error(transparent)]
    NotRead(#[from] NotRead),
    /// The request is not where that step can be taken.
    #[error(transparent)]
    NotNow(#[from] NotNow),
    /// Somebody else took a step meanwhile.
    #[error("the request has changed meanwhile; read it again")]
    Changed,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Changed,
            error => Self::Register(error.into()),
        }
    }
}

/// Takes people's requests, keeps them, and watches their days.
#[derive(Clone, Debug)]
pub struct Desk {
    pub(super) register: Arc<Register>,
}

impl Desk {
    /// The desk of `register`. It looks after what is overdue for as long as somebody else holds the register.
    #[must_use]
    pub fn open(register: Arc<Register>) -> Self {
        register.look(
            Look::EachMinute,
            "referrals' ends",
            |register| async move { Self { register }.take_back().await },
        );
        register.look(Look::EachMinute, "overdue requests", |register| async move {
            Self { register }.note_overdue().await
        });
        Self { register }
    }

    /// Takes a step with the request `id` of `subject`. It is on record when this returns. What the engine can carry out it
    /// begins to carry out when it is accepted; then the request is given back as far as it has come.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::NotNow`] when the step is not the next one, [`Error::Changed`] when somebody else
    /// took one; or as the register says. Nothing has changed then.
    pub async fn step(&self, subject: SubjectId, id: Reference, step: Step, by: Actor) -> Result<Request, Error> {
        // two entries of one batch do not see each other, so steps of one person are taken one after the other
        let turn = self.register.lock(subject).await?;
        let (request, stored) = self.get(subject, id).await?;
        if ends(step) && self.is_under_way(subject, id).await? {
            return Err(NotNow::UnderWay.into());
        }
        if step == Step::Accept && request.kind == RightKind::GuardianErase && !turn.state.consent.guardian_verified {
            return Err(RegisterError::NoGuardian.into());
        }
        let entitled = Entitlement::of(&self.register.revisions(), &turn.state.consent);
        let next = entitled.after(&request, step, self.register.clock.wall())?;
        let (event, detail) = match step {
            Step::Verify(identity) => (RequestStep::IdentityVerified, identity.method),
            Step::Accept => (RequestStep::Accepted, right_name(next.kind)),
            Step::Reject(why) => (RequestStep::Rejected, refusal_name(why)),
            Step::Delay { why: Delay::Complex, .. } => (RequestStep::Delayed, Name::constant("complex")),
            Step::Delay { why: Delay::Numerous, .. } => (RequestStep::Delayed, Name::constant("numerous")),
            Step::Fulfil { is_partial: false } => (RequestStep::Fulfilled, Name::constant("whole")),
            Step::Fulfil { is_partial: true } => (RequestStep::Fulfilled, Name::constant("in_part")),
        };
        let mut entry = entry(&turn, Some((&request, &stored)), &next, by, (event, detail));
        if next.answered.is_some() {
            entry.ops.extend(self.register.marks(&turn, Stored::Requests, self.register.clock.wall()));
        }
        self.take(turn, next, entry, event, step == Step::Accept).await
    }

    /// Appends `entry`, with which the request of the person whose turn it is comes to `next`, and begins to carry it out if
    /// it `is_accepted` with it; as far as it has come.
    pub(super) async fn take(
        &self,
        turn: Subject,
        next: Request,
        mut entry: Entry,
        event: RequestStep,
        is_accepted: bool,
    ) -> Result<Request, Error> {
        let (subject, id, carrier) = (next.subject, next.id, next.carrier());
        let is_begun = is_accepted && carrier.begins_at_once();
        match carrier {
            Carrier::Erasure | Carrier::Closing if is_begun => entry.ops.push(self.register.erase_for(subject, id)),
            _ if is_begun => entry.ops.push(Left::All.put(subject, id)),
            _ => {}
        }
        self.append(entry, event).await?;
        drop(turn);
        if !is_begun {
            return Ok(next);
        }
        if let Err(error) = self.register.carry_out(subject, id).await {
            tracing::warn!(%error, "an accepted request is not carried out yet, trying again");
        }
        Ok(self.get(subject, id).await?.0)
    }

    /// Puts what the person says in the place of what is remembered of them, for the accepted request `id` to rectify or to
    /// supplement it: for each key its value. Rectifying changes what is there, supplementing adds, too. The request is
    /// answered by itself, when the values before are in no file any more. What was begun is finished, also when the caller does
    /// not wait for it.
    ///
    /// # Errors
    /// [`Error::Unknown`] for another request, [`NotNow`] for one that is not accepted, [`Error::NotPutRight`]; or as the
    /// register says.
    pub async fn correct(
        &self,
        subject: SubjectId,
        id: Reference,
        facts: &[(String, String)],
        by: Actor,
    ) -> Result<Request, Error> {
        let (desk, facts) = (self.clone(), facts.to_vec());
        let corrected = async move { desk.correct_now(subject, id, &facts, by).await };
        self.register.to_the_end("correct what is remembered", corrected).await?
    }

    async fn correct_now(
        &self,
        subject: SubjectId,
        id: Reference,
        facts: &[(String, String)],
        by: Actor,
    ) -> Result<Request, Error> {
        let mut turn = self.register.lock(subject).await?;
        let (request, _) = self.get(subject, id).await?;
        if request.carrier() != Carrier::Correction {
            return Err(Error::Unknown);
        }
        if request.standing != Standing::Accepted {
            return Err(NotNow::NotAccepted.into());
        }
        if self.is_under_way(subject, id).await? {
            return Err(NotNow::UnderWay.into());
        }
        let may_add = request.kind == RightKind::Supplement;
        match self.register.put_right(&mut turn, id, (facts, may_add), by).await {
            Ok(()) => Ok(request),
            Err(PutRight::Register(RegisterError::Store(error))) => Err(error.into()),
            Err(PutRight::Register(error)) => Err(error.into()),
            Err(why) => Err(Error::NotPutRight(why.to_string())),
        }
    }

    /// Ends the restriction that the request `id` was for, because the person wants it: what is stored is used again for what
    /// they agree to. The same of a request that kept it from their relatives. It is on record when this returns. What was begun
    /// is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// [`Error::Unknown`] for another request, [`Error::NotRestricted`] where nothing is restricted any more; or as the
    /// register says.
    pub async fn lift(&self, subject: SubjectId, id: Reference, by: Actor) -> Result<Request, Error> {
        let desk = self.clone();
        self.register.to_the_end("lift a restriction", async move { desk.lift_now(subject, id, by).await }).await?
    }

    async fn lift_now(&self, subject: SubjectId, id: Reference, by: Actor) -> Result<Request, Error> {
        let mut turn = self.register.lock(subject).await?;
        let (request, _) = self.get(subject, id).await?;
        let is_lifted = match request.carrier() {
            _ if request.standing != Standing::Fulfilled => false,
            Carrier::Restriction => self.register.lift(&mut turn, id, by).await?,
            Carrier::Barring => self.register.say_of_relatives(&mut turn, id, false, by).await?,
            _ => return Err(Error::Unknown),
        };
        if is_lifted { Ok(request) } else { Err(Error::NotRestricted) }
    }

    /// The requests of `subject`, oldest first.
    ///
    /// # Errors
    /// As the register says.
    pub async fn of(&self, subject: SubjectId) -> Result<Vec<Request>, Error> {
        Ok(of(&self.register, subject).await?)
    }

    /// Everything that is held of `subject`, for the accepted request `id` to see it, to have a copy, or to take it
    /// elsewhere. That it was put together is on record when this returns.
    ///
    /// # Errors
    /// [`Error::Unknown`] for another request, [`NotNow::NotAccepted`] for one that is not accepted; or as the register
    /// says.
    pub async fn copy(&self, subject: SubjectId, id: Reference, by: Actor) -> Result<Copy, Error> {
        let (request, _) = self.get(subject, id).await?;
        if !matches!(request.kind, RightKind::Access | RightKind::Copy | RightKind::Port) {
            return Err(Error::Unknown);
        }
        if request.standing != Standing::Accepted {
            return Err(NotNow::NotAccepted.into());
        }
        let copy = Copy::of(&self.register, subject, self.of(subject).await?).await?;
        self.register.let_read(subject, Name::constant("rights.copy"), &copy.content(), by).await?;
        let about = self.register.read(subject).await?.about(subject);
        let event = about.by(by, Event::ExportCreated { request: id, rows: copy.rows() });
        self.register.journal().append(Entry { events: vec![event], ..Entry::default() }).await?;
        Ok(copy)
    }

    /// Puts on record that `content`, which was put together for the request `id` of `subject`, is handed out to `by`: of a bundle,
    /// its manifest and how many bytes all of it has. It is on record when this returns, which is before it is handed out.
    ///
    /// # Errors
    /// As the register says; it is not handed out then.
    pub async fn handed_out(
        &self,
        subject: SubjectId,
        id: Reference,
        (content, bytes): (&[u8], usize),
        by: Actor,
    ) -> Result<(), Error> {
        let about = self.register.read(subject).await?.about(subject);
        let handed = Event::ExportDownloaded { request: id, content: Hash::of(content), bytes: bytes as u64 };
        self.register.journal().append(Entry { events: vec![about.by(by, handed)], ..Entry::default() }).await?;
        Ok(())
    }

    /// Puts on record which open requests should have been answered by now, or their people known; how many there are anew.
    ///
    /// # Errors
    /// As the register says; what was not reached is found next time.
    pub async fn note_overdue(&self) -> Result<u64, Error> {
        let note =
            |due: DueKey| async move { self.note_late(due.subject, reference(&due.request)?).await.map(u64::from) };
        self.register.due(self.register.clock.wall()).each(note).await
    }

    /// Puts on record that the request should have been answered, or its person known, if that is still so; whether it is.
    async fn note_late(&self, subject: SubjectId, id: Reference) -> Result<bool, Error> {
        let turn = self.register.lock(subject).await?;
        let (request, stored) = self.get(subject, id).await?;
        let (now, kind) = (self.register.clock.wall(), right_name(request.kind));
        if request.watched().is_none_or(|day| now <= day) {
            return Ok(false);
        }
        let is_answer = request.is_late(now);
        let (late, what) = if is_answer {
            (Request { is_overdue: true, ..request.clone() }, kind)
        } else {
            (Request { is_identity_overdue: true, ..request.clone() }, RequestStep::IDENTITY)
        };
        let overdue = RequestStep::Overdue;
        let entry = entry(&turn, Some((&request, &stored)), &late, Actor::SYSTEM, (overdue, what));
        self.append(entry, overdue).await?;
        metrics::counter!("sayso_requests_overdue_total").increment(1);
        match is_answer {
            true => tracing::warn!(%kind, "a person's request is overdue"),
            false => tracing::warn!(%kind, "it is overdue to find out who asks; verify them, or refuse the request"),
        }
        Ok(true)
    }

    pub(super) async fn get(&self, subject: SubjectId, id: Reference) -> Result<(Request, Versioned), Error> {
        get(&self.register, subject, id).await?.ok_or(Error::Unknown)
    }

    /// Whether the engine is carrying the request out, and will answer it.
    async fn is_under_way(&self, subject: SubjectId, id: Reference) -> Result<bool, Error> {
        let is_left = Left::of(&self.register, subject, id).await?.is_some();
        Ok(is_left || self.register.is_erasing(subject, id).await?)
    }

    pub(super) async fn append(&self, entry: Entry, step: RequestStep) -> Result<(), Error> {
        match self.register.journal().append(entry).await {
            Ok(_) => {
                metrics::counter!("sayso_requests_total", "step" => step.name()).increment(1);
                Ok(())
            }
            Err(RegisterError::Store(error)) => Err(error.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Has `entry` answer the accepted request `id` of the person whose turn it is: what was asked for is done, as `detail` says
/// in the log. What carried it out; [`None`] where it was answered before.
pub(crate) async fn fulfil_into(
    register: &Register,
    turn: &Subject,
    id: Reference,
    is_partial: bool,
    detail: Name,
    entry: &mut Entry,
) -> Result<Option<Carrier>, RegisterError> {
    let Some((request, stored)) = get(register, turn.id(), id).await? else { return Ok(None) };
    let (profile, now) = (register.profile(), register.clock.wall());
    let Ok(next) = request.after(Step::Fulfil { is_partial }, &profile, now) else { return Ok(None) };
    let answer = self::entry(turn, Some((&request, &stored)), &next, Actor::SYSTEM, (RequestStep::Fulfilled, detail));
    entry.require.extend(answer.require);
    entry.ops.extend(answer.ops);
    entry.events.extend(answer.events);
    entry.ops.extend(register.marks(turn, Stored::Requests, now));
    Ok(Some(request.carrier()))
}

/// The requests of `subject`, oldest first.
pub(crate) async fn of(register: &Register, subject: SubjectId) -> Result<Vec<Request>, RegisterError> {
    let rows = register.scan(RequestKey::table().then(&subject), REQUEST, |body| Ok(body.to_vec())).await?;
    let requests = rows.into_iter().map(|(key, body)| {
        let RequestKey { subject, request } = RequestKey::parse(&key).map_err(StoreError::from)?;
        stored::decode(subject, &request, &body)
    });
    let mut requests: Vec<_> = requests.collect::<Result<_, _>>()?;
    requests.sort_by_key(|request| (request.clocks.received, request.id.0));
    Ok(requests)
}

/// The request `id` of `subject`, as it is stored.
pub(crate) async fn get(
    register: &Register,
    subject: SubjectId,
    id: Reference,
) -> Result<Option<(Request, Versioned)>, RegisterError> {
    let key = RequestKey { subject, request: id.0.to_vec() }.key();
    let Some(stored) = register.store.read(&[key]).await?.pop().flatten() else { return Ok(None) };
    let (_, body) = REQUEST.decode(&stored.value).map_err(StoreError::from)?;
    Ok(Some((stored::decode(subject, &id.0, body)?, stored)))
}

/// What writes `next` in place of what was stored before, with its leaf.
pub(super) fn entry(
    turn: &Subject,
    before: Option<(&Request, &Versioned)>,
    next: &Request,
    by: Actor,
    (step, detail): (RequestStep, Name),
) -> Entry {
    let key = RequestKey { subject: next.subject, request: next.id.0.to_vec() }.key();
    let unchanged = before.map_or(Condition::Absent, |(_, stored)| Condition::Version(stored.version));
    let mut ops = vec![Op::Put(key.clone(), REQUEST.encode(&stored::encode(next)))];
    let (watched, watch) = (before.and_then(|(request, _)| due_key(request)), due_key(next));
    if watched != watch {
        ops.extend(watched.map(Op::Delete));
        ops.extend(watch.map(|key| Op::Put(key, DUE.encode(&[]))));
    }
    let (asked, asks) = (before.map_or_else(Vec::new, |(request, _)| keys(turn, request)), keys(turn, next));
    if asked != asks {
        ops.extend(asked.into_iter().map(Op::Delete));
        ops.extend(asks.into_iter().map(|key| Op::Put(key, REFERRAL.encode(&[]))));
    }
    let about = turn.state.about(next.subject);
    let shown = next.identity.filter(|_| step == RequestStep::IdentityVerified).and_then(|identity| identity.evidence);
    let evidence = shown.map(|EvidenceHash(sha256)| turn.state.audit_key().commit(&sha256));
    let event = about.by(by, Event::Request { request: next.id, step, detail, evidence });
    Entry { require: vec![(key, unchanged)], ops, events: vec![event] }
}

/// Whether `step` answers a request.
const fn ends(step: Step) -> bool {
    matches!(step, Step::Fulfil { .. } | Step::Reject(_))
}

/// Under which the next of its days is watched, while there is one.
fn due_key(request: &Request) -> Option<Key> {
    Some(DueKey { at: request.watched()?.0, subject: request.subject, request: request.id.0.to_vec() }.key())
}
