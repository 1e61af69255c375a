//! [`Request`]: what a person asked for, and how far it has come.
//!
//! ```text
//!            verify             accept             fulfil
//! Unverified ──────▶ Verified ─────────▶ Accepted ────────▶ Fulfilled
//!     │                 │                   │
//!     └────── reject ───┴───────────────────┘────▶ Rejected        delay: once, while it is open
//! ```
//!
//! In DPV's terms: `RequestRequiresAction`, `RequestActionPerformed`, `RequestAccepted`, `RequestFulfilled` or
//! `RequestPartiallyFulfilled`, `RequestRejected`.

use sayso_audit::Reference;
use sayso_policy::due::{Clocks, Due};
use sayso_policy::profile::{ErasureGround, Refusal, RightKind, Trigger};
use sayso_policy::{Happened, IsoPeriod, Profile};
use sayso_types::{Name, Purpose, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

use super::referral::Referral;

/// The longest that an answer may be put off beyond its day: two months (GDPR 12(3)).
pub(crate) const DELAY_MAX: &str = "P2M";

/// A person's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which.
    pub id: Reference,
    /// Whose.
    pub subject: SubjectId,
    /// What is asked for.
    pub kind: RightKind,
    /// Of which purposes; where it is about none in particular, of none.
    pub purposes: Vec<Purpose>,
    /// When it came in, and when the person had proved who they are.
    pub clocks: Clocks,
    /// How far it has come.
    pub standing: Standing,
    /// By when it is answered; [`None`] when the policy gives no time that runs.
    pub due: Option<Due>,
    /// Put off, and why.
    pub delayed: Option<Delay>,
    /// When it was answered.
    pub answered: Option<WallTime>,
    /// Whether its day has passed without an answer, and that is on record.
    pub is_overdue: bool,
    /// The revision of the policy under which it came in.
    pub profile_rev: u32,
    /// How far the tenant has come, where the policy has them asked first.
    pub referral: Option<Referral>,
    /// What proves that a relative of the person asks, who has died.
    pub relative: Option<Relative>,
    /// By what the person proved who they are.
    pub identity: Option<Identity>,
    /// By when they have done so or are refused, while the policy gives that a time and nobody else is asked first.
    pub identity_due: Option<Due>,
    /// Whether that day has passed, and that is on record.
    pub is_identity_overdue: bool,
    /// On which ground erasure is asked for, where one is named.
    pub ground: Option<ErasureGround>,
    /// Whether it may cost something: the person asks for the same again, and the policy says so of that.
    pub may_cost: bool,
}

/// By what somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// How, such as `signed_in` or `in_person`.
    pub method: Name,
    /// What shows it, where that is kept; whoever signed in has shown nothing that could be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceHash>,
}

/// SHA-256 of what shows who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceHash(#[serde(with = "hex")] pub [u8; 32]);

/// What a request says of itself beside what it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Particulars {
    /// Which purposes a withdrawal or an objection is about.
    pub purposes: Vec<Purpose>,
    /// What proves that a relative asks.
    pub relative: Option<Relative>,
    /// On which ground erasure is asked for.
    pub ground: Option<ErasureGround>,
}

/// What a relative of somebody who has died shows (PIPL 49).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relative {
    /// SHA-256 of what proves the kinship.
    #[serde(with = "hex")]
    pub kinship_sha256: [u8; 32],
    /// SHA-256 of what proves the death.
    #[serde(with = "hex")]
    pub death_sha256: [u8; 32],
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The person has yet to prove who they are.
    Unverified,
    /// They have; somebody has yet to say whether it is done.
    Verified,
    /// It will be done.
    Accepted,
    /// It is done.
    Fulfilled,
    /// It is done as far as it can be.
    PartlyFulfilled,
    /// It will not be done.
    Rejected(Refusal),
}

impl Standing {
    /// Whether it still waits for an answer.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Unverified | Self::Verified | Self::Accepted)
    }
}

/// Why an answer takes longer: the reasons of GDPR 12(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delay {
    /// It is hard to do.
    Complex,
    /// There are many requests.
    Numerous,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The person has proved who they are.
    Verify(Identity),
    /// It will be done.
    Accept,
    /// It will not be done.
    Reject(Refusal),
    /// The answer takes longer.
    Delay {
        /// Why.
        why: Delay,
        /// By when it is answered then.
        until: WallTime,
    },
    /// It is done, or done as far as it can be.
    Fulfil {
        /// Whether something had to be left.
        is_partial: bool,
    },
}

/// Why a step cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// It has been answered.
    #[error("the request has been answered; open another one")]
    Closed,
    /// Nobody knows yet who asks.
    #[error("the person has not proved who they are; verify that first")]
    Unverified,
    /// That was done before.
    #[error("that was done before")]
    Done,
    /// Nobody has said that it will be done.
    #[error("the request is not accepted; accept it first")]
    NotAccepted,
    /// The engine is carrying it out.
    #[error("it is being carried out, and answered by what does so; list the person's requests to see how far it is")]
    UnderWay,
    /// The policy allows no refusal for that reason.
    #[error("the policy allows no refusal for this reason; its rights.refusals lists those that it allows")]
    Refusal,
    /// A refusal because of who asks, though that is proved.
    #[error("the person has proved who they are")]
    IsVerified,
    /// It was put off before.
    #[error("the answer was put off before; that is possible once")]
    DelayedBefore,
    /// The tenant is asked first.
    #[error("the tenant is asked first, and has yet to answer; it comes back by itself when their time is over")]
    WithTenant,
    /// The tenant is not asked, or not any more.
    #[error("the request is not with the tenant, or not any more")]
    NotWithTenant,
    /// No day to put it off from.
    #[error("the request has no day by which it is answered, so there is nothing to put off")]
    NoDue,
    /// Put off to before its day, or too far.
    #[error("until: give a moment after the day on which it is due and at most {DELAY_MAX} later (GDPR 12(3))")]
    Until,
}

impl Request {
    /// A request that came in at `now`, under `profile`.
    #[must_use]
    pub fn received(id: Reference, subject: SubjectId, kind: RightKind, profile: &Profile, now: WallTime) -> Self {
        let clocks = Clocks { received: now, identity_verified: None };
        let referral = profile.tenant_until(kind, now).map(|until| Referral { until, outcome: None });
        // who asks a tenant is known to the tenant, or proves it when it comes back
        let identity_due = if referral.is_none() { profile.identity_due(now) } else { None };
        // while the tenant is asked, no clock waits for the person's identity
        let running = Clocks { identity_verified: referral.map(|_| now), ..clocks };
        Self {
            id,
            subject,
            kind,
            purposes: Vec::new(),
            clocks,
            standing: Standing::Unverified,
            due: profile.answer_due(kind, running),
            delayed: None,
            answered: None,
            is_overdue: false,
            profile_rev: profile.rev(),
            referral,
            relative: None,
            identity: None,
            identity_due,
            is_identity_overdue: false,
            ground: None,
            may_cost: false,
        }
    }

    /// The right that is used: a relative's, whatever they ask for.
    #[must_use]
    pub fn right(&self) -> RightKind {
        self.relative.map_or(self.kind, |_| RightKind::DeceasedRelatives)
    }

    /// The request after `step`, taken at `now`. What an earlier policy promised stays promised: a clock that is started
    /// under `profile` never moves the day back.
    ///
    /// # Errors
    /// [`NotNow`]; the request is as it was.
    pub fn after(&self, step: Step, profile: &Profile, now: WallTime) -> Result<Self, NotNow> {
        if !self.standing.is_open() {
            return Err(NotNow::Closed);
        }
        if self.is_with_tenant() {
            return Err(NotNow::WithTenant);
        }
        let mut next = self.clone();
        match (step, self.standing) {
            (Step::Verify(identity), Standing::Unverified) => {
                next.standing = Standing::Verified;
                next.identity = Some(identity);
                next.clocks.identity_verified = Some(now);
                let dues = [self.due.clone(), profile.answer_due(self.right(), next.clocks)];
                // put off is put off: the day that was agreed stands
                next.due = match self.delayed {
                    Some(_) => self.due.clone(),
                    None => dues.into_iter().flatten().min_by_key(|due| due.at),
                };
            }
            (Step::Accept, Standing::Verified) => next.standing = Standing::Accepted,
            (Step::Verify(_), _) | (Step::Accept, Standing::Accepted) => return Err(NotNow::Done),
            (Step::Accept, _) => return Err(NotNow::Unverified),
            (Step::Reject(why), standing) => {
                if !profile.document().rights.refusals.contains(&why) {
                    return Err(NotNow::Refusal);
                }
                if why == Refusal::IdentityVerificationFailure && standing != Standing::Unverified {
                    return Err(NotNow::IsVerified);
                }
                next.standing = Standing::Rejected(why);
            }
            (Step::Delay { why, until }, _) => {
                if self.delayed.is_some() {
                    return Err(NotNow::DelayedBefore);
                }
                let due = self.due.as_ref().ok_or(NotNow::NoDue)?;
                let latest = DELAY_MAX.parse::<IsoPeriod>().map_or(due.at, |most| most.after(due.at));
                if until <= due.at || latest < until {
                    return Err(NotNow::Until);
                }
                next.delayed = Some(why);
                next.due = Some(Due { at: until, ..due.clone() });
            }
            (Step::Fulfil { is_partial: true }, Standing::Accepted) => next.standing = Standing::PartlyFulfilled,
            (Step::Fulfil { is_partial: false }, Standing::Accepted) => next.standing = Standing::Fulfilled,
            (Step::Fulfil { .. }, _) => return Err(NotNow::NotAccepted),
        }
        next.answered = (!next.standing.is_open()).then_some(now);
        Ok(next)
    }

    /// What has happened to it, as far as its retention counts from that; [`None`] while it is open. Of one that was
    /// answered before that was written down, the day by which it was to be answered stands for it.
    #[must_use]
    pub fn happened(&self) -> Option<Happened> {
        let due = self.due.as_ref().map_or(self.clocks.received, |due| due.at);
        let answered = (!self.standing.is_open()).then(|| self.answered.unwrap_or(due))?;
        Some(Happened::collected(self.clocks.received).and(Trigger::PurposeEnded, answered))
    }

    /// Whether at `now` the day has passed by which it was to be known who asks.
    #[must_use]
    pub fn is_identity_late(&self, now: WallTime) -> bool {
        self.unverified_until().is_some_and(|due| due.at < now)
    }

    fn unverified_until(&self) -> Option<&Due> {
        self.identity_due.as_ref().filter(|_| self.standing == Standing::Unverified)
    }

    /// The next of its days that is watched: by which it is answered, or by which it is known who asks.
    pub(crate) fn watched(&self) -> Option<WallTime> {
        // an answer that is late is the whole of it
        if self.is_overdue {
            return None;
        }
        let answer = self.due.as_ref().filter(|_| self.standing.is_open());
        let identity = self.unverified_until().filter(|_| !self.is_identity_overdue);
        answer.into_iter().chain(identity).map(|due| due.at).min()
    }

    /// Whether at `now` its day has passed without an answer.
    #[must_use]
    pub fn is_late(&self, now: WallTime) -> bool {
        self.standing.is_open() && self.due.as_ref().is_some_and(|due| due.at < now)
    }
}
