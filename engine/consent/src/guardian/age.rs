//! What is said of a person's age, and how they grow up.

use sayso_policy::{AgeBand, IsoPeriod, Month};
use sayso_types::WallTime;
use serde::{Deserialize, Serialize};

/// What somebody who answers for it says of a person's age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// How old the person is.
    pub band: AgeBand,
    /// The month in which they grow out of that band, where it is known: the day would be that of their birth.
    pub until: Option<Month>,
    /// SHA-256 of what shows it.
    pub evidence_sha256: [u8; 32],
}

/// Why nothing was taken of what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAge {
    /// No band at all.
    #[error("name a band; what is not known need not be said")]
    Band,
    /// An end of a band that has none.
    #[error("nobody grows out of this band; leave it out")]
    NoEnd,
    /// A month that is over.
    #[error("that month is over, so the person is of the next band")]
    Past,
    /// A month that is too far away.
    #[error("whoever is of this band now grows out of it earlier")]
    TooLate,
}

impl NoAge {
    /// The field that is wrong.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Band => "age",
            Self::NoEnd | Self::Past | Self::TooLate => "until_month",
        }
    }
}

/// What was said of a person's age, as it is stored with the register. The band is in the consent state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Age {
    /// When they have grown out of their band, where that is known: the first moment of a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends: Option<WallTime>,
    /// When it was said.
    pub(crate) said_at: WallTime,
    /// SHA-256 of what shows it.
    #[serde(with = "hex")]
    pub(crate) evidence_sha256: [u8; 32],
}

impl Age {
    /// What is kept of what is `said` at `now`.
    pub(crate) fn said(said: &Said, now: WallTime) -> Result<Self, NoAge> {
        let ends = said.until.map(Month::end);
        match (said.band, said.band.youngest().zip(said.band.ends_at()), ends) {
            (AgeBand::Unknown, ..) => return Err(NoAge::Band),
            (_, None, Some(_)) => return Err(NoAge::NoEnd),
            (_, Some(_), Some(end)) if end <= now => return Err(NoAge::Past),
            (_, Some((youngest, oldest)), Some(end)) => {
                let month = "P1M".parse::<IsoPeriod>().map_or(now, |month| month.after(now));
                if end > IsoPeriod::years(oldest - youngest).after(month) {
                    return Err(NoAge::TooLate);
                }
            }
            (_, _, None) => {}
        }
        Ok(Self { ends, said_at: now, evidence_sha256: said.evidence_sha256 })
    }
}

/// The band that follows one that ended at `end`, and when that one ends in its turn.
fn after(band: AgeBand, end: WallTime) -> Option<(AgeBand, Option<WallTime>)> {
    let next = band.next()?;
    let years = next.ends_at().zip(band.ends_at()).map(|(to, from)| to - from);
    Some((next, years.map(|years| IsoPeriod::years(years).after(end))))
}

/// Of which band somebody is at `now` who is of `band` until it `ends`, and until when.
pub(crate) fn grown(mut band: AgeBand, mut ends: Option<WallTime>, now: WallTime) -> (AgeBand, Option<WallTime>) {
    while let Some(next) = ends.filter(|end| *end <= now).and_then(|end| after(band, end)) {
        (band, ends) = next;
    }
    (band, ends)
}

/// When somebody who is of `band` until it `ends` is `years` old for certain; [`None`] when they are, or when that is not
/// known.
pub(crate) fn reaches(mut band: AgeBand, mut ends: Option<WallTime>, years: u8) -> Option<WallTime> {
    let mut reached = None;
    while band.youngest()? < years {
        let end = ends?;
        (band, ends) = after(band, end)?;
        reached = Some(end);
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T00:00:00Z, 2026-12-01T00:00:00Z
    const TODAY: WallTime = WallTime(1_795_305_600_000);
    const DECEMBER: WallTime = WallTime(1_796_083_200_000);

    #[test]
    fn people_grow_out_of_their_bands_to_the_last() {
        let band = |at: WallTime| grown(AgeBand::Under13, Some(DECEMBER), at).0;
        let year = |n: u8| IsoPeriod::years(n).after(DECEMBER);
        assert_eq!(band(WallTime(DECEMBER.0 - 1)), AgeBand::Under13);
        for (years, grown) in [
            (0, AgeBand::Under14),
            (1, AgeBand::Under16),
            (3, AgeBand::Under18),
            (5, AgeBand::Adult),
            (99, AgeBand::Adult),
        ] {
            assert_eq!(band(year(years)), grown);
        }
        assert_eq!(band(WallTime(year(3).0 - 1)), AgeBand::Under16);
        assert_eq!(grown(AgeBand::Under13, Some(DECEMBER), year(5)), (AgeBand::Adult, None));
        assert_eq!(grown(AgeBand::Under13, None, year(9)), (AgeBand::Under13, None), "nobody knows when");
    }

    #[test]
    fn an_age_is_reached_when_the_band_before_it_ends() {
        let reaches = |years| reaches(AgeBand::Under13, Some(DECEMBER), years);
        assert_eq!([13, 14, 15, 18].map(reaches), [0, 1, 3, 5].map(|n| Some(IsoPeriod::years(n).after(DECEMBER))));
        assert_eq!((reaches(0), reaches(19)), (None, None), "they are; and nobody asks that");
        assert_eq!(super::reaches(AgeBand::Under13, None, 14), None);
        assert_eq!(super::reaches(AgeBand::Unknown, None, 14), None);
    }

    #[test]
    fn what_cannot_be_is_not_taken() {
        let said = |band, until: Option<&str>| {
            let said = Said { band, until: until.map(|month| month.parse().unwrap()), evidence_sha256: [1; 32] };
            Age::said(&said, TODAY).map(|age| age.ends)
        };
        assert_eq!(said(AgeBand::Under14, Some("2026-11")), Ok(Some(DECEMBER)));
        assert_eq!(said(AgeBand::Under13, Some("2039-10")).map(|ends| ends.is_some()), Ok(true));
        assert_eq!((said(AgeBand::Under14, None), said(AgeBand::Adult, None)), (Ok(None), Ok(None)));
        assert_eq!(said(AgeBand::Unknown, None), Err(NoAge::Band));
        assert_eq!(said(AgeBand::Adult, Some("2026-12")), Err(NoAge::NoEnd));
        assert_eq!(said(AgeBand::Under14, Some("2026-10")), Err(NoAge::Past));
        assert_eq!(said(AgeBand::Under14, Some("2028-01")), Err(NoAge::TooLate));
    }
}
