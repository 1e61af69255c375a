//! [`ExemptionGrant`]: one use, for a time, of a ground on which the policy processes without consent.

use std::collections::BTreeSet;

use sayso_types::{Category, Name, ProcessorId, Purpose, SubjectId, WallTime};

use crate::profile::{CategoryRule, ClauseId, Exemption, ExemptionCode, ExemptionScope, Identifies, Processing};
use crate::{LegalBasis, Period, Profile, Question};

/// People who approve that what is kept of a child is read, whatever the ground: one person's word would be too easily had.
pub const MINORS_APPROVERS: u8 = 2;

/// The longest that a grant to read lasts, however long the profile lets others: what is looked into for longer is worth that
/// somebody approves it anew.
pub const READING_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

/// What people decided to do without somebody's consent, and on what ground. It opens what it names and nothing else,
/// and only while the profile keeps its ground for itself. What the profile prohibits, or no processor may have, stays
/// closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExemptionGrant {
    /// Its name: what every use of it is noted under.
    pub id: Name,
    /// The ground.
    pub code: ExemptionCode,
    /// The clause of the written policy that keeps it.
    pub clause: Option<ClauseId>,
    /// Where the law allows it, such as `cn-pipl:13-4`.
    pub basis_code: String,
    /// Whose data; anybody's when absent.
    pub subject: Option<SubjectId>,
    /// What for.
    pub purposes: BTreeSet<Purpose>,
    /// Which data.
    pub categories: BTreeSet<Category>,
    /// To whom.
    pub processors: BTreeSet<ProcessorId>,
    /// From when.
    pub not_before: WallTime,
    /// Until when; the first moment at which it no longer counts.
    pub not_after: WallTime,
    /// Who approved it, each by a keyed tag.
    pub approvers: BTreeSet<[u8; 16]>,
    /// SHA-256 of what it was approved on.
    pub evidence_hash: [u8; 32],
    /// When the people whom it is about are told, where the law does not forbid it.
    pub notify_subject_after: Option<WallTime>,
}

/// Why a grant opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The profile does not have the ground.
    #[error("the profile keeps no exemption {0}; add it to `exemption`, or use another ground")]
    NotKept(ExemptionCode),
    /// Too few people approved it.
    #[error("{found} approved it; exemption {code} needs {needed}")]
    Approvers {
        /// The ground.
        code: ExemptionCode,
        /// How many did.
        found: usize,
        /// How many must.
        needed: u8,
    },
    /// It ends before it begins, or lasts longer than the profile lets it.
    #[error("it must end after it begins, and within {0} of that")]
    Window(Period),
    /// The ground is not for this data.
    #[error("exemption {code} may not be used for `{category}`")]
    Category {
        /// The ground.
        code: ExemptionCode,
        /// The data.
        category: Category,
    },
    /// The ground is for using data, and not for giving it to others.
    #[error("the profile keeps exemption {0} for its own use; give one whose scope is share_publish")]
    NotForSharing(ExemptionCode),
    /// The policy forbids to give this data to others, whatever the ground.
    #[error("the policy prohibits that `{0}` is shared; no exemption opens it")]
    Prohibited(Category),
    /// The ground is for giving data to others, and not for using it.
    #[error("the profile keeps exemption {0} for giving data to others; give one whose scope is collect_use")]
    NotForUse(ExemptionCode),
    /// Looking at what people keep is for the day on which there is a need to.
    #[error("a grant to read lasts no longer than a day; propose another one tomorrow")]
    ReadingWindow,
    /// The policy forbids that this data is taken out, whatever the ground.
    #[error("the policy prohibits that `{0}` is taken out; no exemption opens it")]
    Closed(Category),
}

impl ExemptionGrant {
    /// Whether `profile` lets it open anything.
    ///
    /// # Errors
    /// [`GrantError`] says what is missing.
    pub fn check(&self, profile: &Profile) -> Result<(), GrantError> {
        self.check_approvers(profile)?;
        self.check_terms(profile)
    }

    /// Whether `profile` would let it open anything if enough people approved it.
    ///
    /// # Errors
    /// [`GrantError`] says what stands against it.
    pub fn check_terms(&self, profile: &Profile) -> Result<(), GrantError> {
        let (code, kept) = (self.code, self.kept(profile)?);
        self.check_window(kept)?;
        let unfit =
            |category: &&Category| profile.category(**category).is_none_or(|rule| !suits(kept, **category, rule));
        match self.categories.iter().find(unfit) {
            Some(category) => Err(GrantError::Category { code, category: *category }),
            None => Ok(()),
        }
    }

    /// Whether `profile` lets what is stored of its categories be given to whoever demands it by law.
    ///
    /// # Errors
    /// [`GrantError`] says what is missing.
    pub fn check_disclosure(&self, profile: &Profile) -> Result<(), GrantError> {
        self.check_approvers(profile)?;
        self.check_disclosure_terms(profile)
    }

    /// Whether `profile` would let it be given to them if enough people approved it. What is stored as evidence, and no
    /// profile need declare, fits each ground that is not for some data only.
    ///
    /// # Errors
    /// [`GrantError`] says what stands against it.
    pub fn check_disclosure_terms(&self, profile: &Profile) -> Result<(), GrantError> {
        let (code, kept) = (self.code, self.kept(profile)?);
        self.check_window(kept)?;
        if !kept.is_for(true) {
            return Err(GrantError::NotForSharing(code));
        }
        for category in self.categories.iter().copied() {
            let fits = match profile.category(category) {
                Some(rule) => suits(kept, category, rule),
                None => is_listed(kept, category) && !matches!(code, ExemptionCode::X09 | ExemptionCode::X13),
            };
            if !fits {
                return Err(GrantError::Category { code, category });
            }
            if is_never(profile, category, Processing::Share) {
                return Err(GrantError::Prohibited(category));
            }
        }
        Ok(())
    }

    /// Whether `profile` lets somebody of the operator's read what is kept of its categories: of a child's, if two others
    /// approved it.
    ///
    /// # Errors
    /// [`GrantError`] says what is missing.
    pub fn check_reading(&self, profile: &Profile, is_minors: bool) -> Result<(), GrantError> {
        self.check_approvers_of(profile, if is_minors { MINORS_APPROVERS } else { 1 })?;
        self.check_reading_terms(profile)
    }

    /// Whether `profile` would let it be read if enough people approved it.
    ///
    /// # Errors
    /// [`GrantError`] says what stands against it.
    pub fn check_reading_terms(&self, profile: &Profile) -> Result<(), GrantError> {
        self.check_terms(profile)?;
        if !self.kept(profile)?.is_for(false) {
            return Err(GrantError::NotForUse(self.code));
        }
        if self.not_after.0.saturating_sub(self.not_before.0) > READING_MS_MAX {
            return Err(GrantError::ReadingWindow);
        }
        let closed = self.categories.iter().find(|category| is_never(profile, **category, Processing::Export));
        closed.map_or(Ok(()), |category| Err(GrantError::Closed(*category)))
    }

    fn check_approvers(&self, profile: &Profile) -> Result<(), GrantError> {
        self.check_approvers_of(profile, 1)
    }

    fn check_approvers_of(&self, profile: &Profile, least: u8) -> Result<(), GrantError> {
        let kept = self.kept(profile)?;
        let (code, found, needed) = (self.code, self.approvers.len(), kept.approvers_needed().max(least));
        if found < usize::from(needed) {
            return Err(GrantError::Approvers { code, found, needed });
        }
        Ok(())
    }

    fn check_window(&self, kept: &Exemption) -> Result<(), GrantError> {
        let is_within = self.not_before < self.not_after && self.not_after <= latest_end(kept.max, self.not_before);
        if is_within { Ok(()) } else { Err(GrantError::Window(kept.max)) }
    }

    fn kept<'a>(&self, profile: &'a Profile) -> Result<&'a Exemption, GrantError> {
        profile.document().exemption.get(&self.code).ok_or(GrantError::NotKept(self.code))
    }

    /// Whether it is live and names what `question` asks for. That is not enough: [`check`](Self::check) must hold, and
    /// the profile must keep the ground for what is done there.
    pub(crate) fn names(&self, question: &Question) -> bool {
        let Question { label, processor, now, .. } = question;
        self.subject.is_none_or(|subject| subject == label.subject)
            && self.purposes.contains(&label.purpose)
            && self.categories.contains(&label.category)
            && self.processors.contains(processor)
            && self.not_before <= *now
            && *now < self.not_after
    }
}

/// Whether `kept` may be used for data of `category`.
fn suits(kept: &Exemption, category: Category, rule: &CategoryRule) -> bool {
    is_listed(kept, category)
        && match kept.code {
            // faults are found without what people said
            ExemptionCode::X09 => rule.content_free,
            // what is merely de-identified still leads to a person, whatever the policy calls it (PIPL 4, 73)
            ExemptionCode::X13 => rule.identifies == Identifies::Anonymised,
            _ => true,
        }
}

fn is_listed(kept: &Exemption, category: Category) -> bool {
    kept.categories.is_empty() || kept.categories.contains(&category)
}

/// Whether the profile prohibits that this is `done` with `category`, whatever it was collected for and whoever the person is.
fn is_never(profile: &Profile, category: Category, done: Processing) -> bool {
    profile.document().prohibition.iter().any(|one| {
        let is_about_it = one.category.is_none_or(|prohibited| prohibited == category) && one.purpose.is_none();
        let is_done = match one.processing {
            Some(processing) => processing == done,
            None => one.category.is_some(),
        };
        is_about_it && is_done && one.when.is_none()
    })
}

/// The latest that a grant from `start` may end. Working days are counted as if all days were: no calendar is at hand.
fn latest_end(max: Period, start: WallTime) -> WallTime {
    match max {
        Period::Iso(period) => period.after(start),
        Period::WorkingDays(_) => {
            let ms = u64::try_from(max.shortest().as_millis()).unwrap_or(u64::MAX);
            WallTime(start.0.saturating_add(ms))
        }
    }
}

impl Exemption {
    /// How many people must approve a grant: as many as the policy says, and never fewer than its ground asks for.
    #[must_use]
    pub fn approvers_needed(&self) -> u8 {
        self.approvers.max(self.code.approvers_min())
    }

    /// Whether it is kept for what is done: giving data to others who use it for their own ends is more than using it.
    pub(crate) fn is_for(&self, gives_away: bool) -> bool {
        self.scope.contains(if gives_away { &ExemptionScope::SharePublish } else { &ExemptionScope::CollectUse })
    }
}

impl ExemptionCode {
    /// The legal basis that its ground is a case of (PIPL 13, GDPR 6).
    #[must_use]
    pub const fn basis(self) -> LegalBasis {
        match self {
            Self::X01 | Self::X03 => LegalBasis::OfficialAuthority,
            Self::X02 | Self::X11 | Self::X12 => LegalBasis::PublicInterest,
            Self::X04 | Self::X10 => LegalBasis::VitalInterest,
            Self::X07 => LegalBasis::ContractPerformance,
            Self::X08 | Self::X14 => LegalBasis::LegalObligation,
            Self::X05 | Self::X06 | Self::X09 | Self::X13 => LegalBasis::LegitimateInterest,
        }
    }
}

#[cfg(test)]
mod tests;
