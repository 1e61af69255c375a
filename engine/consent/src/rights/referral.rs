//! [`Referral`]: a request that the tenant is asked first.
//!
//! ```text
//!                    done ──▶ Fulfilled, or Accepted where the engine carries it out
//! with the tenant ── refused ──▶ Rejected
//!                    cannot, or silent until its time is over ──▶ back at the desk, as if it had just come in
//! ```

use sayso_policy::Profile;
use sayso_policy::profile::Refusal;
use sayso_types::{Name, WallTime};
use serde::{Deserialize, Serialize};

use super::carrier::Carrier;
use super::request::{Identity, NotNow, Request, Standing};

/// What the log says of a request that the tenant is asked first.
pub(crate) const SENT: Name = Name::constant("sent_to_tenant");

/// How somebody proved who they are of whom the tenant said so.
pub(super) const TENANT: Name = Name::constant("tenant");

/// How far the tenant, who is asked first, has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// Until when the tenant may answer.
    pub until: WallTime,
    /// What came of it, and when; [`None`] while it is with the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<(Outcome, WallTime)>,
}

/// What came of asking the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The tenant has done its part.
    Done,
    /// The tenant refused it.
    Refused,
    /// The tenant cannot do it.
    Cannot,
    /// The tenant said nothing.
    Silent,
}

impl Outcome {
    /// What the log calls it.
    #[must_use]
    pub const fn name(self) -> Name {
        match self {
            Self::Done => Name::constant("tenant_done"),
            Self::Refused => Name::constant("tenant_refused"),
            Self::Cannot => Name::constant("tenant_cannot"),
            Self::Silent => Name::constant("tenant_silent"),
        }
    }
}

/// What a tenant answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantAnswer {
    /// It has proved who the person is, and has done its part.
    Done,
    /// It will not be done.
    Refused(Refusal),
    /// It cannot do it.
    Cannot,
}

impl TenantAnswer {
    const fn outcome(self) -> Outcome {
        match self {
            Self::Done => Outcome::Done,
            Self::Refused(_) => Outcome::Refused,
            Self::Cannot => Outcome::Cannot,
        }
    }
}

impl Request {
    /// Whether the tenant has yet to answer it.
    #[must_use]
    pub fn is_with_tenant(&self) -> bool {
        self.standing.is_open() && self.referral.is_some_and(|referral| referral.outcome.is_none())
    }

    /// The request after the tenant's `answer`, given at `now` under `profile`.
    ///
    /// # Errors
    /// [`NotNow`]; the request is as it was.
    pub fn answered_by_tenant(&self, answer: TenantAnswer, profile: &Profile, now: WallTime) -> Result<Self, NotNow> {
        let referral = self.referral.filter(|referral| self.is_with_tenant() && now < referral.until);
        let referral = referral.ok_or(NotNow::NotWithTenant)?;
        let mut next =
            Self { referral: Some(Referral { outcome: Some((answer.outcome(), now)), ..referral }), ..self.clone() };
        match answer {
            TenantAnswer::Done => {
                next.clocks.identity_verified = Some(now);
                next.identity = Some(Identity { method: TENANT, evidence: None });
                let is_answered = self.carrier() == Carrier::People;
                next.standing = if is_answered { Standing::Fulfilled } else { Standing::Accepted };
            }
            TenantAnswer::Refused(why) if !profile.document().rights.refusals.contains(&why) => {
                return Err(NotNow::Refusal);
            }
            TenantAnswer::Refused(why) => next.standing = Standing::Rejected(why),
            TenantAnswer::Cannot => next.identity_due = profile.identity_due(now),
        }
        next.answered = (!next.standing.is_open()).then_some(now);
        Ok(next)
    }

    /// The request back at the desk, if at `now` the tenant's time is over and it has said nothing.
    #[must_use]
    pub fn taken_back(&self, profile: &Profile, now: WallTime) -> Option<Self> {
        let referral = self.referral.filter(|referral| self.is_with_tenant() && referral.until <= now)?;
        let silent = Referral { outcome: Some((Outcome::Silent, now)), ..referral };
        Some(Self { referral: Some(silent), identity_due: profile.identity_due(now), ..self.clone() })
    }
}
