//! [`Complaint`]: what somebody complained of, and what became of it.
//!
//! ```text
//! filed ──▶ Open ── answer, once ──▶ Answered        overdue: once, while it is open
//! ```

use sayso_audit::Reference;
use sayso_policy::due::{Clocks, Due};
use sayso_policy::profile::RightKind;
use sayso_policy::{Period, Profile};
use sayso_types::{Name, SubjectId, TenantId, WallTime};
use serde::{Deserialize, Serialize};

use crate::Error;

/// By when a complaint is answered where the policy gives no time: the longest that the 2019 method for finding unlawful
/// collection by apps lets anybody take.
const ANSWERED_WITHIN: &str = "P15WD";

/// What is filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    /// Whose devices it is about.
    pub tenant: TenantId,
    /// Who complains; the tenant itself when absent.
    pub subject: Option<SubjectId>,
    /// SHA-256 of the complaint.
    pub text_sha256: [u8; 32],
    /// SHA-256 of what came with it.
    pub evidence_sha256: Option<[u8; 32]>,
}

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Which.
    pub id: Reference,
    /// What was filed.
    pub filing: Filing,
    /// When it came in.
    pub received: WallTime,
    /// By when it is answered.
    pub due: Due,
    /// Its answer.
    pub answer: Option<Answer>,
    /// Whether its day has passed without an answer, and that is on record.
    pub is_overdue: bool,
    /// The revision of the policy under which it came in.
    pub profile_rev: u32,
}

/// What a complaint was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What came of it.
    pub outcome: Outcome,
    /// SHA-256 of the answer's words.
    #[serde(with = "hex")]
    pub text_sha256: [u8; 32],
    /// When.
    pub at: WallTime,
}

/// What came of a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was right, and what it was about is put right.
    Upheld,
    /// It was right in part.
    UpheldInPart,
    /// It was not right, and the answer says why.
    NotUpheld,
}

impl Outcome {
    /// What the log calls it.
    #[must_use]
    pub const fn name(self) -> Name {
        match self {
            Self::Upheld => Name::constant("upheld"),
            Self::UpheldInPart => Name::constant("upheld_in_part"),
            Self::NotUpheld => Name::constant("not_upheld"),
        }
    }
}

/// Why a step cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// It has its answer.
    #[error("the complaint was answered before; whoever is not content files another one")]
    Answered,
}

/// By when a complaint is answered that comes in at `received`.
pub(crate) fn due(profile: &Profile, received: WallTime) -> Due {
    let promised = profile.answer_due(RightKind::Complain, Clocks { received, identity_verified: Some(received) });
    let within: Period = ANSWERED_WITHIN.parse().expect("a period");
    promised.unwrap_or_else(|| profile.end_of(within, received, "sayso:complaint".to_owned()))
}

impl Complaint {
    /// A complaint that came in at `now`, under `profile`. It needs no proof of who complains, so a clock that waits for
    /// one runs, too.
    #[must_use]
    pub fn received(id: Reference, filing: Filing, profile: &Profile, now: WallTime) -> Self {
        let due = due(profile, now);
        Self { id, filing, received: now, due, answer: None, is_overdue: false, profile_rev: profile.rev() }
    }

    /// The complaint after its answer, given at `now`.
    ///
    /// # Errors
    /// [`NotNow::Answered`]; the complaint is as it was.
    pub fn answered(&self, outcome: Outcome, text_sha256: [u8; 32], now: WallTime) -> Result<Self, NotNow> {
        if self.answer.is_some() {
            return Err(NotNow::Answered);
        }
        Ok(Self { answer: Some(Answer { outcome, text_sha256, at: now }), ..self.clone() })
    }

    /// The complaint after its day has passed, if at `now` that is so and is not on record.
    #[must_use]
    pub fn overdue(&self, now: WallTime) -> Option<Self> {
        let is_late = self.answer.is_none() && !self.is_overdue && self.due.at < now;
        is_late.then(|| Self { is_overdue: true, ..self.clone() })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let body = Body {
            subject: self.filing.subject,
            text_sha256: self.filing.text_sha256,
            evidence_sha256: self.filing.evidence_sha256.map(hex::encode),
            received: self.received,
            due_at: self.due.at,
            due_by: self.due.by.clone(),
            due_is_exact: self.due.is_exact,
            answer: self.answer,
            is_overdue: self.is_overdue,
            profile_rev: self.profile_rev,
        };
        serde_json::to_vec(&body).expect("plain values are JSON")
    }

    /// The complaint `id` at `tenant` that is stored as `body`.
    pub(crate) fn decode(tenant: &str, id: &[u8], body: &[u8]) -> Result<Self, Error> {
        let damaged = |found: String| Error::Damaged { what: "complaint", found };
        let id = id.try_into().map_err(|_| damaged(format!("an id of {} bytes", id.len())))?;
        let tenant = tenant.parse().map_err(|e| damaged(format!("its tenant: {e}")))?;
        let body: Body = serde_json::from_slice(body)
            .map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
        let evidence = body.evidence_sha256.map(|text| {
            let mut hash = [0; 32];
            hex::decode_to_slice(&text, &mut hash).map(|()| hash).map_err(|e| damaged(format!("its evidence: {e}")))
        });
        let (subject, text_sha256, evidence_sha256) = (body.subject, body.text_sha256, evidence.transpose()?);
        Ok(Self {
            id: Reference(id),
            filing: Filing { tenant, subject, text_sha256, evidence_sha256 },
            received: body.received,
            due: Due { at: body.due_at, by: body.due_by, is_exact: body.due_is_exact },
            answer: body.answer,
            is_overdue: body.is_overdue,
            profile_rev: body.profile_rev,
        })
    }
}

/// The stored form, schema version 1: JSON.
#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<SubjectId>,
    #[serde(with = "hex")]
    text_sha256: [u8; 32],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence_sha256: Option<String>,
    received: WallTime,
    due_at: WallTime,
    due_by: String,
    due_is_exact: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    is_overdue: bool,
    profile_rev: u32,
}
