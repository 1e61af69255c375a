//! [`ConsentState`]: what one person has agreed to, as `decide()` needs to know it.
//!
//! Status and type names are those of the W3C Data Privacy Vocabulary (DPV 2.3), which ISO/IEC TS 27560 records use.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, Cell, ConsentVersion, Part, ProcessorId, Purpose, RegionClass, TenantId, WallTime};
use serde::{Deserialize, Serialize};

use crate::IntroductionHash;

/// Where one purpose stands with one person. Only [`Given`](Self::Given) and [`Renewed`](Self::Renewed) allow
/// anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConsentStatus {
    /// Nobody asked yet.
    #[default]
    #[serde(rename = "ConsentUnknown")]
    Unknown,
    /// Asked, not answered.
    #[serde(rename = "ConsentRequested")]
    Requested,
    /// "Not now": may be asked again later.
    #[serde(rename = "ConsentRequestDeferred")]
    Deferred,
    /// "No".
    #[serde(rename = "ConsentRefused")]
    Refused,
    /// "Yes".
    #[serde(rename = "ConsentGiven")]
    Given,
    /// "Yes" again, before the first one expired.
    #[serde(rename = "RenewedConsentGiven")]
    Renewed,
    /// The person withdrew and the gates are closing: nothing is allowed, OK is not yet said. The one status that
    /// DPV does not have.
    #[serde(rename = "ConsentWithdrawing")]
    Withdrawing,
    /// Withdrawn by the person.
    #[serde(rename = "ConsentWithdrawn")]
    Withdrawn,
    /// Ended by somebody else.
    #[serde(rename = "ConsentRevoked")]
    Revoked,
    /// Its time is over.
    #[serde(rename = "ConsentExpired")]
    Expired,
    /// Found not to have been valid.
    #[serde(rename = "ConsentInvalidated")]
    Invalidated,
}

impl ConsentStatus {
    /// Whether data may be processed under it (DPV's `ConsentStatusValidForProcessing`).
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Given | Self::Renewed)
    }

    /// Its DPV term.
    #[must_use]
    pub const fn dpv(self) -> &'static str {
        match self {
            Self::Unknown => "ConsentUnknown",
            Self::Requested => "ConsentRequested",
            Self::Deferred => "ConsentRequestDeferred",
            Self::Refused => "ConsentRefused",
            Self::Given => "ConsentGiven",
            Self::Renewed => "RenewedConsentGiven",
            Self::Withdrawing => "ConsentWithdrawing",
            Self::Withdrawn => "ConsentWithdrawn",
            Self::Revoked => "ConsentRevoked",
            Self::Expired => "ConsentExpired",
            Self::Invalidated => "ConsentInvalidated",
        }
    }
}

/// How clearly consent was expressed, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConsentType {
    /// Concluded from what the person did, such as going on to use a device.
    #[serde(rename = "ImpliedConsent")]
    Implied,
    /// Said or done for this end: a "yes", a button.
    #[serde(rename = "ExpressedConsent")]
    Expressed,
    /// Expressed in words that name what is agreed to.
    #[serde(rename = "ExplicitlyExpressedConsent")]
    ExplicitlyExpressed,
}

/// How old the person is, as far as the law asks: a band, so that no birth date need be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgeBand {
    /// Not known: the profile's `defaults.unknown_age` says how to decide.
    #[default]
    Unknown,
    /// 0 to 12.
    Under13,
    /// 13.
    Under14,
    /// 14 and 15.
    Under16,
    /// 16 and 17.
    Under18,
    /// 18 and above.
    Adult,
}

impl AgeBand {
    /// The youngest that somebody of this band can be, in years; [`None`] when unknown.
    #[must_use]
    pub const fn youngest(self) -> Option<u8> {
        match self {
            Self::Unknown => None,
            Self::Under13 => Some(0),
            Self::Under14 => Some(13),
            Self::Under16 => Some(14),
            Self::Under18 => Some(16),
            Self::Adult => Some(18),
        }
    }

    /// At which age, in years, one has grown out of it; [`None`] where nobody does.
    #[must_use]
    pub const fn ends_at(self) -> Option<u8> {
        match self {
            Self::Unknown | Self::Adult => None,
            Self::Under13 => Some(13),
            Self::Under14 => Some(14),
            Self::Under16 => Some(16),
            Self::Under18 => Some(18),
        }
    }

    /// The band of those who have just grown out of it; [`None`] where nobody does.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Unknown | Self::Adult => None,
            Self::Under13 => Some(Self::Under14),
            Self::Under14 => Some(Self::Under16),
            Self::Under16 => Some(Self::Under18),
            Self::Under18 => Some(Self::Adult),
        }
    }
}

/// What one person answered for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeConsent {
    /// Where it stands.
    pub status: ConsentStatus,
    /// How clearly it was expressed.
    pub consent_type: ConsentType,
    /// Whether it was asked apart from everything else (what PIPL calls separate consent).
    pub separate: bool,
    /// Whether it was given in writing.
    pub written: bool,
    /// The consent version at which the grant in force began. Data labelled with an older one stays shut out: what
    /// came in before a withdrawal does not come back to life with a later grant.
    pub given_at: ConsentVersion,
    /// The profile revision that the person was shown. A grant covers this revision and no other.
    pub profile_rev: u32,
    /// When it ends by itself; the first moment at which it no longer counts.
    pub expires_at: Option<WallTime>,
}

impl PurposeConsent {
    /// Whether it has begun with regard to data labelled `cv`, and not ended at `now`. Whether it is valid, and enough,
    /// is not asked.
    pub(crate) fn covers(&self, cv: ConsentVersion, now: WallTime) -> bool {
        cv >= self.given_at && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Where a part stands that a person once took back of what they agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartStatus {
    /// Taken back, and the gates are closing: nothing is allowed, OK is not yet said.
    Withdrawing,
    /// Taken back.
    Withdrawn,
    /// Given again, by name, at this consent version: data labelled with an older one stays shut out.
    GivenAgain(ConsentVersion),
}

impl PartStatus {
    /// Whether it shuts out data labelled `cv`.
    #[must_use]
    pub fn shuts_out(self, cv: ConsentVersion) -> bool {
        match self {
            Self::Withdrawing | Self::Withdrawn => true,
            Self::GivenAgain(at) => cv < at,
        }
    }
}

/// One person's consents at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentState {
    /// Goes up by one with every change.
    pub cv: ConsentVersion,
    /// The answers; a purpose that is not there is [`ConsentStatus::Unknown`].
    pub consents: BTreeMap<Purpose, PurposeConsent>,
    /// How far the person lets data travel.
    pub farthest: RegionClass,
    /// The person's age, as far as known.
    pub age: AgeBand,
    /// Whether a guardian has been verified and agreed.
    pub guardian_verified: bool,
    /// What is kept of the person and used for nothing, because they asked for that.
    pub restricted: BTreeSet<Category>,
    /// The parts of what the person agreed to, or will agree to, that they took back at some time: no consent covers one until
    /// it is given again by name.
    pub parts: BTreeMap<Part, PartStatus>,
    /// Whatever was read of what is stored of the person before this version is out of date: it was put right, restricted,
    /// given back or erased with their account.
    pub stale_before: ConsentVersion,
    /// Revisions that the person was asked about anew and said no to: what they agreed to before goes on governing, and
    /// they are not asked about the same revision again.
    pub declined: BTreeMap<Purpose, u32>,
    /// What the person was told of services that decide themselves what they do with data.
    pub told: BTreeSet<IntroductionHash>,
    /// Whose devices the person speaks to, where that is known: the audit log does not say.
    pub tenant: Option<TenantId>,
    /// Whether they closed their account: no contract with them is left, no device speaks for them any more, and they agree to
    /// nothing.
    pub is_closed: bool,
}

impl ConsentState {
    /// Somebody who was never asked anything: no consent, and no limit on regions beyond the profile's.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            cv: ConsentVersion(0),
            consents: BTreeMap::new(),
            farthest: RegionClass::Overseas,
            age: AgeBand::Unknown,
            guardian_verified: false,
            restricted: BTreeSet::new(),
            parts: BTreeMap::new(),
            stale_before: ConsentVersion(0),
            declined: BTreeMap::new(),
            told: BTreeSet::new(),
            tenant: None,
            is_closed: false,
        }
    }

    /// Whether the person has agreed to `purpose`, and that is not over at `now`.
    #[must_use]
    pub fn has_agreed(&self, purpose: Purpose, now: WallTime) -> bool {
        let is_live = |end: WallTime| now < end;
        let consent = self.consents.get(&purpose).filter(|consent| consent.status.is_valid());
        consent.is_some_and(|consent| consent.expires_at.is_none_or(is_live))
    }

    /// A part that shuts out data of `cell`, labelled `cv`, from `processor`, since the person took it back.
    #[must_use]
    pub fn took_back(&self, cell: &Cell, processor: ProcessorId, cv: ConsentVersion) -> Option<(Part, PartStatus)> {
        let shuts_out = |(part, status): &(&Part, &PartStatus)| part.covers(cell, processor) && status.shuts_out(cv);
        self.parts.iter().find(shuts_out).map(|(part, status)| (*part, *status))
    }

    /// The parts that the person took back, and has not given again.
    pub fn taken_back(&self) -> impl Iterator<Item = Part> {
        let is_back = |(_, status): &(&Part, &PartStatus)| !matches!(status, PartStatus::GivenAgain(_));
        self.parts.iter().filter(is_back).map(|(part, _)| *part)
    }

    /// Where `purpose` stands.
    #[must_use]
    pub fn status(&self, purpose: Purpose) -> ConsentStatus {
        self.consents.get(&purpose).map_or(ConsentStatus::Unknown, |c| c.status)
    }
}

impl Default for ConsentState {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_follow_each_other_without_a_gap() {
        let (mut band, mut seen) = (AgeBand::Under13, vec![AgeBand::Under13]);
        while let Some(next) = band.next() {
            assert_eq!(next.youngest(), band.ends_at(), "{band:?}");
            seen.push(next);
            band = next;
        }
        assert_eq!(seen.len(), 5);
        assert_eq!((band, band.ends_at(), AgeBand::Unknown.next()), (AgeBand::Adult, None, None));
    }

    #[test]
    fn statuses_are_spelled_as_dpv_spells_them() {
        use ConsentStatus::*;
        let all = [
            Unknown,
            Requested,
            Deferred,
            Refused,
            Given,
            Renewed,
            Withdrawing,
            Withdrawn,
            Revoked,
            Expired,
            Invalidated,
        ];
        for status in all {
            assert_eq!(serde_json::to_value(status).unwrap(), status.dpv());
            assert_eq!(status.is_valid(), status.dpv().ends_with("ConsentGiven"), "{status:?}");
        }
    }

    const NOW: WallTime = WallTime(1_000);
    const PURPOSE: Purpose = Purpose::VOICE_INTERACTION;

    fn answered(status: ConsentStatus, expires_at: Option<u64>) -> ConsentState {
        let consent = PurposeConsent {
            status,
            consent_type: ConsentType::Expressed,
            separate: false,
            written: false,
            given_at: ConsentVersion(3),
            profile_rev: 1,
            expires_at: expires_at.map(WallTime),
        };
        ConsentState { consents: [(PURPOSE, consent)].into(), ..ConsentState::new() }
    }

    #[test]
    fn somebody_has_agreed_from_a_yes_until_its_end() {
        use ConsentStatus::*;
        for (status, expires_at, agreed) in [
            (Given, None, true),
            (Renewed, None, true),
            (Given, Some(NOW.0 + 1), true),
            (Given, Some(NOW.0), false),
            (Given, Some(NOW.0 - 1), false),
            (Requested, None, false),
            (Refused, None, false),
            (Withdrawing, Some(NOW.0 + 1), false),
            (Withdrawn, None, false),
        ] {
            let state = answered(status, expires_at);
            assert_eq!(state.has_agreed(PURPOSE, NOW), agreed, "{status:?} until {expires_at:?}");
            assert!(!state.has_agreed(Purpose::MEMORY, NOW), "to something else");
            assert_eq!(state.status(PURPOSE), status);
            assert_eq!(state.status(Purpose::MEMORY), Unknown);
        }
        assert!(!ConsentState::default().has_agreed(PURPOSE, NOW));
    }

    #[test]
    fn consent_covers_from_its_version_until_its_end() {
        let given = |expires_at| answered(ConsentStatus::Given, expires_at).consents.remove(&PURPOSE).unwrap();
        for (cv, expires_at, covered) in [
            (2, None, false),
            (3, None, true),
            (4, None, true),
            (3, Some(NOW.0 + 1), true),
            (3, Some(NOW.0), false),
            (2, Some(NOW.0 + 1), false),
        ] {
            assert_eq!(given(expires_at).covers(ConsentVersion(cv), NOW), covered, "{cv} until {expires_at:?}");
        }
    }

    #[test]
    fn what_was_taken_back_is_so_until_it_is_given_again() {
        use PartStatus::*;
        let part = |category| Part { category: Some(category), ..Part::default() };
        let (audio, text, memory) =
            (part(Category::VOICE_AUDIO), part(Category::TRANSCRIPT), part(Category::MEMORY_SUMMARY));
        let parts = [(audio, Withdrawing), (text, Withdrawn), (memory, GivenAgain(ConsentVersion(5)))].into();
        let state = ConsentState { parts, ..ConsentState::new() };
        let mut back = vec![audio, text];
        back.sort();
        assert_eq!(state.taken_back().collect::<Vec<_>>(), back);

        let (kind, region) = (sayso_types::ProcessorKind::Asr, RegionClass::Local);
        let took_back = |category, cv| {
            let cell = Cell { purpose: PURPOSE, category, kind, region };
            state.took_back(&cell, "asr".parse().unwrap(), ConsentVersion(cv))
        };
        assert_eq!(took_back(Category::VOICE_AUDIO, 9), Some((audio, Withdrawing)));
        assert_eq!(took_back(Category::TRANSCRIPT, 9), Some((text, Withdrawn)));
        assert_eq!(took_back(Category::REPLY_TEXT, 9), None);
        for (cv, shut_out) in [(4, true), (5, false), (6, false)] {
            let expected = shut_out.then_some((memory, GivenAgain(ConsentVersion(5))));
            assert_eq!(took_back(Category::MEMORY_SUMMARY, cv), expected, "{cv}");
        }
    }
}
