//! How many people's data goes overseas in a calendar year, and how many the means covers by which it does.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sayso_types::{Category, ProcessorId, Purpose, RegionClass, WallTime};
use serde::{Deserialize, Serialize};

use crate::Profile;
use crate::profile::{Mechanism, Sensitivity};

/// Told of from this many tenths of what is covered on: time to file for another means, which takes months.
const NEAR_TENTHS: u64 = 9;

/// How many people's data went overseas in a calendar year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// Whatever the data.
    pub persons: u64,
    /// Of these, the ones whose sensitive data went.
    pub sensitive: u64,
}

/// The most people whose data may go overseas in a calendar year; [`None`]: as many as there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// Whatever the data.
    pub persons: Option<u64>,
    /// With sensitive data.
    pub sensitive: Option<u64>,
}

/// What limits the people whose data goes to a processor overseas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferLimit {
    /// By law, of all that the controller sends overseas together.
    pub together: Covered,
    /// By the profile, of what goes to this one.
    pub there: Covered,
}

/// Data of a category that goes to a processor overseas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Whether the data is sensitive.
    pub is_sensitive: bool,
    /// Whether the law counts it: not what it exempts for another reason than that it is about few.
    pub counts: bool,
    /// What limits it.
    pub limit: TransferLimit,
}

impl Covered {
    /// Whether that many people are no more than may.
    #[must_use]
    pub fn covers(&self, people: People) -> bool {
        let fits = |people, most: Option<u64>| most.is_none_or(|most| people <= most);
        fits(people.persons, self.persons) && fits(people.sensitive, self.sensitive)
    }

    /// Whether that many people are nine tenths of what may, or more.
    #[must_use]
    pub fn is_near(&self, people: People) -> bool {
        let near = |people: u64, most: Option<u64>| {
            most.is_some_and(|most| people > 0 && people.saturating_mul(10) >= most.saturating_mul(NEAR_TENTHS))
        };
        near(people.persons, self.persons) || near(people.sensitive, self.sensitive)
    }
}

impl TransferLimit {
    /// Whether the means covers that many people's data, sent overseas `together`, and of it `there`.
    #[must_use]
    pub fn covers(&self, together: People, there: People) -> bool {
        self.together.covers(together) && self.there.covers(there)
    }

    /// Whether so many are nine tenths of what it covers, or more.
    #[must_use]
    pub fn is_near(&self, together: People, there: People) -> bool {
        self.together.is_near(together) || self.there.is_near(there)
    }
}

impl Profile {
    /// Whether a receiver overseas serves `purpose`: who agrees to it apart from everything else lets data go there (PIPL 39).
    #[must_use]
    pub fn goes_overseas(&self, purpose: Purpose) -> bool {
        let mut receivers = self.processors();
        receivers.any(|one| one.region_class == RegionClass::Overseas && one.purposes.contains(&purpose))
    }

    /// What it is to send data of `category` to `processor`; [`None`] when it is about nobody, or leads nowhere overseas.
    #[must_use]
    pub fn transfer(&self, processor: ProcessorId, category: Category) -> Option<Transfer> {
        let receiver = self.processor(processor).filter(|p| p.region_class == RegionClass::Overseas)?;
        let rule = self.category(category).filter(|rule| rule.is_personal())?;
        let mechanism = receiver.mechanism.as_ref();
        let limit = mechanism.map_or_else(TransferLimit::default, |mechanism| self.transfer_limit(mechanism));
        Some(Transfer {
            is_sensitive: rule.sensitivity >= Sensitivity::High,
            counts: mechanism.is_none_or(counts),
            limit,
        })
    }

    /// How many people's data may go overseas by `mechanism` in a calendar year.
    #[must_use]
    pub fn transfer_limit(&self, mechanism: &Mechanism) -> TransferLimit {
        let is_assessed = *mechanism == Mechanism::SecurityAssessment;
        let promised = self.document().transfers.sensitive_subjects_max.filter(|_| !is_assessed);
        let there = Covered { persons: None, sensitive: promised.map(u64::from) };
        let together = if counts(mechanism) { self.law().covered_by(mechanism) } else { Covered::default() };
        TransferLimit { together, there }
    }

    /// The calendar year that `at` is in, where the profile's working days are counted; in universal time where it names no
    /// calendar.
    #[must_use]
    pub fn year_of(&self, at: WallTime) -> u32 {
        let date = match self.calendar() {
            Some(calendar) => calendar.date_of(at),
            None => {
                let at = Timestamp::from_millisecond(i64::try_from(at.0).unwrap_or(i64::MAX));
                at.unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC).date()
            }
        };
        u32::from(date.year().unsigned_abs())
    }
}

/// Whether the law counts the people whose data goes overseas by `mechanism`.
fn counts(mechanism: &Mechanism) -> bool {
    !matches!(mechanism, Mechanism::Exempt(why) if why != Mechanism::FEW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LawFloor;
    use crate::profile::Draft;

    fn covered_by(mechanism: &Mechanism) -> Covered {
        LawFloor::named("cn-xborder@2024-03-22").unwrap().covered_by(mechanism)
    }

    #[test]
    fn the_law_covers_as_many_as_it_says_and_not_one_more() {
        let contract = covered_by(&Mechanism::StandardContract);
        assert_eq!(contract, Covered { persons: Some(999_999), sensitive: Some(9_999) });
        let of = |persons, sensitive| People { persons, sensitive };
        assert!(contract.covers(of(999_999, 9_999)));
        assert!(!contract.covers(of(1_000_000, 0)));
        assert!(!contract.covers(of(10_000, 10_000)) && !contract.covers(of(10_001, 10_001)));
        assert_eq!(covered_by(&Mechanism::Certification), contract);

        assert_eq!(covered_by(&Mechanism::SecurityAssessment), Covered::default());
        assert!(Covered::default().covers(of(u64::MAX, u64::MAX)));
        let few = covered_by(&Mechanism::Exempt(Mechanism::FEW.to_owned()));
        assert_eq!(few, Covered { persons: Some(99_999), sensitive: Some(0) });
    }

    #[test]
    fn nine_tenths_are_near() {
        let contract = covered_by(&Mechanism::StandardContract);
        let near = |persons, sensitive| contract.is_near(People { persons, sensitive });
        assert!(!near(10_000, 8_999) && near(10_000, 9_000));
        assert!(!near(899_999, 0) && near(900_000, 0));
        assert!(!Covered::default().is_near(People { persons: 1 << 40, sensitive: 1 << 40 }));
        let few = covered_by(&Mechanism::Exempt(Mechanism::FEW.to_owned()));
        assert!(!few.is_near(People::default()), "where none may, nobody is not nearly too many");
        assert!(few.is_near(People { persons: 1, sensitive: 1 }));
    }

    #[test]
    fn what_goes_overseas_together_and_what_goes_there_are_limits_each() {
        let ten = Covered { persons: Some(10), sensitive: None };
        let limit = TransferLimit { together: ten, there: ten };
        let people = |persons| People { persons, sensitive: 0 };
        for (together, there, covers, is_near) in
            [(8, 8, true, false), (9, 8, true, true), (8, 9, true, true), (11, 8, false, true), (8, 11, false, true)]
        {
            let (together, there) = (people(together), people(there));
            assert_eq!(limit.covers(together, there), covers, "{together:?} {there:?}");
            assert_eq!(limit.is_near(together, there), is_near, "{together:?} {there:?}");
        }
    }

    /// A home whose law counts who is sent overseas, and from which an answer may be looked for in the United States by
    /// `mechanism`.
    fn home(mechanism: &str) -> Profile {
        let text = format!(
            "extends = \"home.toml\"\n\
             processor = [{{ id = \"far-llm\", kind = \"llm\", party = \"Far\", region = \"US\", region_class = \"overseas\", \
             mechanism = \"{mechanism}\", accepts = [\"transcript\", \"notice_text\"], purposes = [\"voice_interaction\"], state = \"active\" }}]\n\
             [profile]\nlaw_floor = [\"cn-xborder@2024-03-22\"]\n\
             [transfers]\noverseas = true\nsensitive_subjects_max = 500\n"
        );
        let home = include_str!("../../../deploy/profiles/home.toml");
        Draft::parse(&text, Some(home)).unwrap().unlinted()
    }

    #[test]
    fn only_what_is_about_somebody_and_leads_overseas_is_a_transfer() {
        let home = home("standard_contract");
        let sent = |to: &str, category| home.transfer(to.parse().unwrap(), category);
        let limit = TransferLimit {
            together: Covered { persons: Some(999_999), sensitive: Some(9_999) },
            there: Covered { persons: None, sensitive: Some(500) },
        };
        assert_eq!(sent("far-llm", Category::TRANSCRIPT), Some(Transfer { is_sensitive: true, counts: true, limit }));
        assert_eq!(sent("rules-local", Category::TRANSCRIPT), None);
        assert_eq!(sent("far-llm", Category::NOTICE_TEXT), None, "it is about nobody");
        assert!(home.goes_overseas(Purpose::VOICE_INTERACTION) && !home.goes_overseas(Purpose::MEMORY));
    }

    #[test]
    fn a_means_without_a_number_of_people_has_none() {
        let sent = |mechanism: &str| {
            let sent = home(mechanism).transfer("far-llm".parse().unwrap(), Category::TRANSCRIPT).unwrap();
            (sent.counts, sent.limit)
        };
        let there = Covered { persons: None, sensitive: Some(500) };
        let few = Covered { persons: Some(99_999), sensitive: Some(0) };
        assert_eq!(sent("security_assessment"), (true, TransferLimit::default()), "the authority said how many");
        assert_eq!(sent("exempt:few"), (true, TransferLimit { together: few, there }));
        let unasked = TransferLimit { together: Covered::default(), there };
        assert_eq!(sent("exempt:contract"), (false, unasked), "the law does not ask how many they are");
    }

    #[test]
    fn a_year_begins_where_working_days_are_counted() {
        let home = include_str!("../../../deploy/profiles/home.toml");
        let home = Profile::in_force_before(home).unwrap();
        let new_year = WallTime(1_767_225_600_000);
        assert_eq!((home.year_of(WallTime(new_year.0 - 1)), home.year_of(new_year)), (2025, 2026));
        let in_china = crate::WorkingCalendar::named("cn-2026").unwrap();
        let eight_hours = 8 * 3_600_000;
        assert_eq!(in_china.date_of(WallTime(new_year.0 - eight_hours)).year(), 2026);
    }
}
