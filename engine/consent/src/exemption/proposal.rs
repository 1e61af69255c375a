//! [`Proposal`]: what somebody wants to do without consent, and how far it has come.

use std::collections::BTreeSet;

use sayso_audit::ActorTag;
use sayso_policy::profile::{Exemption, ExemptionCode};
use sayso_policy::{ExemptionGrant, GrantError, IsoPeriod, MINORS_APPROVERS, Profile};
use sayso_types::{Category, Cell, Name, ProcessorId, Purpose, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

use super::demand::{Demand, DemandError};
use super::reading::{Reading, ReadingError};
use crate::Error;

/// Cells that one grant opens: each is a leaf, and people have to see what they approve.
pub const CELLS_MAX: usize = 32;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// On which ground.
    pub code: ExemptionCode,
    /// Whose data; anybody's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectId>,
    /// What for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub purposes: BTreeSet<Purpose>,
    /// Which data.
    pub categories: BTreeSet<Category>,
    /// To whom.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub processors: BTreeSet<ProcessorId>,
    /// For how long from the last approval on.
    pub lasts: IsoPeriod,
    /// SHA-256 of what it is approved on.
    #[serde(with = "hex")]
    pub evidence_sha256: [u8; 32],
    /// What an authority demands; then no purposes and no processors are named, and no gate opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand: Option<Demand>,
    /// Why somebody of the operator's wants to read it themselves; then no gate opens either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
}

/// A proposal. The stored form, schema version 2, is JSON; its id is in the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its ground in lower case, `-` and 24 hexadecimal digits by chance: what every use is noted under.
    #[serde(skip, default = "unnamed")]
    pub id: Name,
    /// What is wanted.
    pub terms: Terms,
    /// By whom, and when.
    pub proposed: Said,
    /// Who has approved it, and when, oldest first.
    pub approved: Vec<Said>,
    /// How far it has come.
    pub standing: Standing,
}

/// What somebody of the operator's said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Who, as the log names them.
    #[serde(with = "hex")]
    pub by: [u8; 16],
    /// When.
    pub at: WallTime,
}

/// How far a proposal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not enough people have approved it.
    Proposed,
    /// It opens what it names.
    Live {
        /// From when.
        from: WallTime,
        /// The first moment at which it no longer does.
        until: WallTime,
    },
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl Standing {
    /// Whether something may still come of it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Proposed | Self::Live { .. })
    }
}

/// Why a proposal is not made, or a step not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// The policy does not let it open anything.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// What is demanded cannot be.
    #[error(transparent)]
    Demand(#[from] DemandError),
    /// What is to be read cannot be.
    #[error(transparent)]
    Reading(#[from] ReadingError),
    /// It opens nothing.
    #[error("none of these processors may have any of this data for these purposes; check them against the policy")]
    Nothing,
    /// It opens too much.
    #[error("it would open {0} cells, and {CELLS_MAX} is the most; propose less at once")]
    TooWide(usize),
    /// Nobody approves what they proposed themselves.
    #[error("who proposed it cannot approve it; somebody else must")]
    Own,
    /// Nobody counts twice.
    #[error("you have approved it before; somebody else must")]
    Twice,
    /// It waits for nobody any more.
    #[error("it is not waiting for approval")]
    NotProposed,
    /// It has ended.
    #[error("it has ended; propose another one")]
    Ended,
}

impl Proposal {
    /// What `by` proposes at `now`, under `profile`.
    ///
    /// # Errors
    /// [`NotNow`] says what stands against it.
    pub fn new(terms: Terms, by: ActorTag, profile: &Profile, now: WallTime) -> Result<Self, NotNow> {
        let proposed = Said { by: by.0, at: now };
        let (id, standing) = (named(terms.code), Standing::Proposed);
        let proposal = Self { id, terms, proposed, approved: Vec::new(), standing };
        if let Some(reading) = &proposal.terms.reading {
            reading.check(&proposal.terms, profile)?;
        } else if let Some(demand) = &proposal.terms.demand {
            demand.check(&proposal.terms, profile, now)?;
        }
        proposal.check_terms(&proposal.grant(now), profile)?;
        if proposal.opens_no_gate() {
            return Ok(proposal);
        }
        match proposal.cells(profile).len() {
            0 => Err(NotNow::Nothing),
            cells if cells > CELLS_MAX => Err(NotNow::TooWide(cells)),
            _ => Ok(proposal),
        }
    }

    /// The proposal after `by` has approved it at `now`: live, if that is enough for `profile`.
    ///
    /// # Errors
    /// [`NotNow`]; the proposal is as it was.
    pub fn approved(&self, by: ActorTag, profile: &Profile, now: WallTime) -> Result<Self, NotNow> {
        match self.standing {
            Standing::Proposed => {}
            Standing::Live { .. } => return Err(NotNow::NotProposed),
            Standing::Expired | Standing::Revoked => return Err(NotNow::Ended),
        }
        if self.proposed.by == by.0 {
            return Err(NotNow::Own);
        }
        if self.approved.iter().any(|said| said.by == by.0) {
            return Err(NotNow::Twice);
        }
        let mut next = self.clone();
        next.approved.push(Said { by: by.0, at: now });
        let grant = next.grant(now);
        match next.check(&grant, profile) {
            Ok(()) => next.standing = Standing::Live { from: grant.not_before, until: grant.not_after },
            // the policy may have been revised since it was proposed
            Err(GrantError::Approvers { .. }) => next.check_terms(&grant, profile)?,
            Err(error) => return Err(error.into()),
        }
        Ok(next)
    }

    /// Whether `profile` lets `grant`, which is this one's, do what it is for.
    pub(crate) fn check(&self, grant: &ExemptionGrant, profile: &Profile) -> Result<(), GrantError> {
        match (&self.terms.reading, &self.terms.demand) {
            (Some(reading), _) => grant.check_reading(profile, reading.is_minors),
            (None, Some(_)) => grant.check_disclosure(profile),
            (None, None) => grant.check(profile),
        }
    }

    /// Whether `profile` would, if enough people approved it.
    fn check_terms(&self, grant: &ExemptionGrant, profile: &Profile) -> Result<(), GrantError> {
        match (&self.terms.reading, &self.terms.demand) {
            (Some(_), _) => grant.check_reading_terms(profile),
            (None, Some(_)) => grant.check_disclosure_terms(profile),
            (None, None) => grant.check_terms(profile),
        }
    }

    const fn opens_no_gate(&self) -> bool {
        self.terms.demand.is_some() || self.terms.reading.is_some()
    }

    /// How many must approve it under `profile`.
    #[must_use]
    pub fn approvers_needed(&self, profile: &Profile) -> u8 {
        let kept = profile.document().exemption.get(&self.terms.code);
        let needed = kept.map_or_else(|| self.terms.code.approvers_min(), Exemption::approvers_needed);
        if self.terms.reading.as_ref().is_some_and(|one| one.is_minors) { needed.max(MINORS_APPROVERS) } else { needed }
    }

    /// The same, if what is to be read is that of somebody who was found to be a minor.
    pub(crate) fn of_minor(mut self, is_minors: bool) -> Self {
        if let Some(reading) = &mut self.terms.reading {
            reading.is_minors |= is_minors;
        }
        self
    }

    /// The proposal after it was taken back.
    ///
    /// # Errors
    /// [`NotNow::Ended`] when it had ended before.
    pub fn revoked(&self) -> Result<Self, NotNow> {
        if self.standing.is_open() { Ok(self.ended(Standing::Revoked)) } else { Err(NotNow::Ended) }
    }

    /// The proposal when its time is over, if at `now` it is.
    #[must_use]
    pub fn expired(&self, now: WallTime) -> Option<Self> {
        match self.standing {
            Standing::Live { until, .. } if until <= now => Some(self.ended(Standing::Expired)),
            _ => None,
        }
    }

    fn ended(&self, standing: Standing) -> Self {
        Self { standing, ..self.clone() }
    }

    /// What it lets be done, if it is live.
    #[must_use]
    pub fn live(&self) -> Option<ExemptionGrant> {
        match self.standing {
            Standing::Live { from, until } => Some(ExemptionGrant { not_after: until, ..self.grant(from) }),
            _ => None,
        }
    }

    /// What it would let be done from `now` on.
    fn grant(&self, now: WallTime) -> ExemptionGrant {
        let Terms { code, subject, purposes, categories, processors, lasts, evidence_sha256, demand, .. } = &self.terms;
        let tell_after = demand.as_ref().and_then(|demand| demand.tell_after);
        ExemptionGrant {
            id: self.id,
            code: *code,
            clause: None,
            basis_code: String::new(),
            subject: *subject,
            purposes: purposes.clone(),
            categories: categories.clone(),
            processors: processors.clone(),
            not_before: now,
            not_after: lasts.after(now),
            approvers: self.approved.iter().map(|said| said.by).collect(),
            evidence_hash: *evidence_sha256,
            notify_subject_after: tell_after.map(|after| after.after(now)),
        }
    }

    /// What it opens, as far as `profile` lets the processors have it.
    #[must_use]
    pub fn cells(&self, profile: &Profile) -> Vec<(Cell, ProcessorId)> {
        let Terms { purposes, categories, processors, .. } = &self.terms;
        let receivers = processors.iter().filter_map(|id| profile.processor(*id));
        let cells = receivers.flat_map(|receiver| {
            let fits = |category: &&Category| receiver.accepts.contains(category);
            let wanted = categories.iter().filter(fits).flat_map(|category| {
                purposes
                    .iter()
                    .filter(|purpose| receiver.purposes.contains(purpose))
                    .map(|purpose| (*purpose, *category))
            });
            let used = wanted.filter(|(purpose, category)| {
                profile.category(*category).is_some_and(|rule| rule.purposes.contains(purpose))
            });
            used.filter_map(|(purpose, category)| Some((profile.cell(purpose, category, receiver.id)?, receiver.id)))
        });
        cells.collect()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain values are JSON")
    }

    /// The proposal `id` that is stored as `body`.
    pub(crate) fn decode(id: &str, body: &[u8]) -> Result<Self, Error> {
        let damaged = |found: String| Error::Damaged { what: "exemption", found };
        let id = id.parse().map_err(|e| damaged(format!("its id: {e}")))?;
        let read: Self = serde_json::from_slice(body)
            .map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
        Ok(Self { id, ..read })
    }
}

/// A name for a grant on the ground `code`.
fn named(code: ExemptionCode) -> Name {
    let chance = SubjectId::random().0;
    let name = format!("{}-{}", code.as_str().to_lowercase(), hex::encode(&chance[..12]));
    name.parse().expect("three characters, a dash and 24 digits are a name")
}

const fn unnamed() -> Name {
    Name::constant("unnamed")
}

/// The ground of the grant `id`.
pub(crate) fn code_of(id: Name) -> Option<ExemptionCode> {
    let (code, _) = id.as_str().split_once('-')?;
    ExemptionCode::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests;
