//! Laws of working days, on the calendars that come with Sayso: time only adds, rest days are never the last, and the
//! answer is that of somebody who counts on a wall calendar.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::{env, fs};

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;
use sayso_policy::profile::Draft;
use sayso_policy::{Period, Profile, WorkingCalendar, diff};
use sayso_types::WallTime;

/// A calendar file, read without the code under test.
struct Sheet {
    calendar: &'static WorkingCalendar,
    holidays: Vec<(Date, Date)>,
    worked: Vec<Date>,
}

fn day(value: &toml::Value) -> Date {
    value.as_datetime().unwrap().to_string().parse().unwrap()
}

fn china() -> Sheet {
    let file: toml::Table = include_str!("../calendars/cn-2026.toml").parse().unwrap();
    let holidays = file["holiday"].as_array().unwrap();
    Sheet {
        calendar: WorkingCalendar::named("cn-2026").unwrap(),
        holidays: holidays.iter().map(|h| (day(&h["from"]), day(&h["through"]))).collect(),
        worked: holidays.iter().filter_map(|h| h.get("make_up")?.as_array()).flatten().map(day).collect(),
    }
}

impl Sheet {
    fn rests(&self, date: Date) -> bool {
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !self.worked.contains(&date);
        weekend || self.holidays.iter().any(|(from, through)| *from <= date && date <= *through)
    }

    /// Walks from day to day, crossing off.
    fn due(&self, count: u16, start: WallTime) -> Option<WallTime> {
        let zone = TimeZone::posix("CST-8").unwrap();
        let mut date = Timestamp::from_millisecond(start.0.cast_signed()).unwrap().to_zoned(zone.clone()).date();
        let mut left = count;
        let covered = |date| self.calendar.valid_from() <= date && date <= self.calendar.valid_through();
        if !covered(date) {
            return None;
        }
        while left > 0 {
            date = date.tomorrow().unwrap();
            if !covered(date) {
                return None;
            }
            left -= u16::from(!self.rests(date));
        }
        let midnight = date.tomorrow().unwrap().to_zoned(zone).unwrap().timestamp();
        Some(if count == 0 { start } else { WallTime(midnight.as_millisecond().cast_unsigned()) })
    }
}

/// From two days before 2026 to two days after it.
fn start() -> impl Strategy<Value = WallTime> {
    (1_767_052_800_000_u64..1_798_934_400_000).prop_map(WallTime)
}

/// Mostly counts that a year has room for.
fn count() -> impl Strategy<Value = u16> {
    prop_oneof![8 => 0_u16..40, 2 => 0_u16..300, 1 => any::<u16>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn agrees_with_a_wall_calendar(count in count(), start in start()) {
        let sheet = china();
        prop_assert_eq!(sheet.calendar.end_of(count, start).ok(), sheet.due(count, start));
    }

    #[test]
    fn ends_when_a_working_day_does(count in 1_u16..40, start in start()) {
        let sheet = china();
        if let Ok(end) = sheet.calendar.end_of(count, start) {
            let last = sheet.calendar.date_of(WallTime(end.0 - 1));
            prop_assert!(!sheet.rests(last), "{}", last);
            prop_assert_eq!(sheet.calendar.is_working_day(last), Some(true));
            prop_assert_eq!(sheet.calendar.date_of(end), last.tomorrow().unwrap());
        }
    }

    #[test]
    fn grows_with_the_start_and_with_the_count(
        (count, more) in (count(), 0_u16..20),
        (start, later) in (start(), 0_u64..40 * 86_400_000),
    ) {
        let calendar = china().calendar;
        let end = calendar.end_of(count, start);
        let longer = calendar.end_of(count.saturating_add(more), start);
        if let (Ok(end), Ok(longer)) = (&end, &longer) {
            prop_assert!(start <= *end && end <= longer);
            prop_assert!(end < longer || more == 0);
        }
        prop_assert!(end.is_ok() || longer.is_err(), "what has no end has none further on");
        if let (Ok(end), Ok(from_later)) = (end, calendar.end_of(count, WallTime(start.0 + later))) {
            prop_assert!(end <= from_later);
        }
    }

    #[test]
    fn stays_within_the_bounds_that_periods_compare_by(count in count(), start in start()) {
        let period = Period::WorkingDays(count);
        if let Ok(end) = period.after_in(start, china().calendar) {
            let taken = u128::from(end.0 - start.0);
            prop_assert!(period.shortest().as_millis() <= taken && taken <= period.longest().as_millis());
        }
    }

    #[test]
    fn a_length_that_may_not_exceed_never_does(
        one in prop_oneof![(0_u16..60).prop_map(Period::WorkingDays), iso()],
        other in prop_oneof![(0_u16..60).prop_map(Period::WorkingDays), iso()],
        start in start(),
    ) {
        let calendar = china().calendar;
        if let (Ok(end), Ok(others)) = (one.after_in(start, calendar), other.after_in(start, calendar)) {
            prop_assert!(one.may_exceed(other) || end <= others, "{} {}", one, other);
        }
    }
}

fn iso() -> impl Strategy<Value = Period> {
    (0_u8..3, 0_u8..14, 0_u8..70, 0_u8..30)
        .prop_map(|(years, months, days, hours)| format!("P{years}Y{months}M{days}DT{hours}H").parse().unwrap())
}

#[test]
fn every_calendar_file_is_embedded_under_its_name() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("calendars");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let parsed = WorkingCalendar::parse(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(path.file_stem().unwrap().to_str(), Some(parsed.name()));
        let embedded = WorkingCalendar::named(parsed.name()).unwrap();
        assert_eq!((embedded.valid_from(), embedded.valid_through()), (parsed.valid_from(), parsed.valid_through()));
        assert!(!embedded.source().is_empty());
        files += 1;
    }
    assert_eq!(files, WorkingCalendar::embedded().len());
}

/// What is stored of a profile is read again with the calendar that it was counted on, and whoever signs it signs that.
#[test]
fn a_calendar_of_the_operators_own_is_part_of_the_profile() {
    const HOME: &str = include_str!("../../../deploy/profiles/home.toml");
    const OWN: &str = "name = \"cn-2026\"\ntime_zone = \"CST-8\"\nvalid_from = 2026-01-01\nvalid_through = 2026-12-31\n\
        rest_days = [\"monday\"]\nsrc = \"the house\"\n[[holiday]]\nname = \"Spring\"\nfrom = 2026-02-14\nthrough = 2026-02-20\n";
    let text = HOME.replacen("[profile]", "[profile]\nworking_days = \"cn-2026\"", 1);
    let plain = Draft::parse(&text, None).unwrap();
    let with = |calendar: &str| plain.with_calendar(calendar).unwrap().accept().unwrap();
    let own = with(OWN);
    // 2026-02-13, a Friday; Sayso's calendar of that name has the festival from the 15th on, and works on the 14th
    let friday = WallTime(1_770_944_400_000);
    let days = |profile: &Profile| {
        let due = profile.end_of("P1WD".parse().unwrap(), friday, String::new());
        ((due.at.0 - friday.0) / 86_400_000, due.is_exact)
    };
    let shipped = plain.clone().accept().unwrap();
    assert_eq!((days(&shipped), days(&own)), ((1, true), (8, true)));

    let stored = Profile::in_force_before(own.text()).unwrap();
    assert_eq!((stored.hash(), days(&stored)), (own.hash(), days(&own)));
    assert_eq!(Profile::in_force_before(shipped.text()).unwrap().hash(), shipped.hash());

    // what it says is hashed, not how it is written
    assert_eq!(with(&OWN.replace("[[holiday]]", "# one\n[[holiday]]")).hash(), own.hash());
    let longer = with(&OWN.replace("through = 2026-02-20", "through = 2026-02-21"));
    let known = [&shipped, &longer, &with(&OWN.replace("the house", "the garden"))].map(Profile::hash);
    assert!(!known.contains(&own.hash()));

    let named = plain.with_calendar(&OWN.replace("cn-2026", "de-2026")).unwrap_err().to_string();
    assert!(named.contains("profile.working_days") && named.contains("calendar `de-2026`"), "{named}");
    let wrong = plain.with_calendar(&OWN.replace("monday", "someday")).unwrap_err().to_string();
    assert!(wrong.contains("calendar"), "{wrong}");

    // nothing at home is counted in working days
    let changes = diff(shipped.document(), own.document());
    assert!(!changes.is_material() && !changes.changes.is_empty(), "{changes:#?}");
    let counted = |profile: &Profile| {
        let text = profile.text().replacen("\"P15D\"", "\"P15WD\"", 1);
        Profile::in_force_before(&text).unwrap()
    };
    let [shorter, longer] = [&own, &longer].map(counted);
    assert!(diff(shorter.document(), longer.document()).is_material());
    assert!(!diff(longer.document(), shorter.document()).is_material());
}
