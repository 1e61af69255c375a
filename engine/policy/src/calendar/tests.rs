use jiff::civil::date;

use super::*;

/// A calendar of one week, the first of June 2026, with `more` keys.
fn week(more: &str) -> String {
    format!(
        "name = \"week\"\ntime_zone = \"CST-8\"\nvalid_from = 2026-06-01\nvalid_through = 2026-06-07\n\
         rest_days = [\"saturday\", \"sunday\"]\nsrc = \"test\"\n{more}"
    )
}

fn refusal(text: &str) -> CalendarError {
    WorkingCalendar::parse(text).expect_err(text)
}

fn china() -> &'static WorkingCalendar {
    WorkingCalendar::named("cn-2026").unwrap()
}

fn moment(text: &str) -> WallTime {
    let timestamp: Timestamp = text.parse().unwrap();
    WallTime(timestamp.as_millisecond().unsigned_abs())
}

/// The day on which `count` working days after `start` are over.
fn due(count: u16, start: &str) -> String {
    let end = china().end_of(count, moment(start)).unwrap();
    let midnight =
        Timestamp::from_millisecond(end.0.cast_signed()).unwrap().to_zoned(TimeZone::posix("CST-8").unwrap());
    assert_eq!(midnight.time(), jiff::civil::Time::midnight(), "{midnight}");
    midnight.date().yesterday().unwrap().to_string()
}

#[test]
fn counts_the_working_days_of_china() {
    for (start, count, last, why) in [
        ("2026-03-02T09:00:00+08:00", 1, "2026-03-03", "the first day does not count"),
        ("2026-03-06T09:00:00+08:00", 1, "2026-03-09", "over a weekend"),
        ("2026-03-02T09:00:00+08:00", 15, "2026-03-23", "three ordinary weeks"),
        ("2026-02-12T09:00:00+08:00", 1, "2026-02-13", "before Spring Festival"),
        ("2026-02-12T09:00:00+08:00", 2, "2026-02-14", "a Saturday that is worked"),
        ("2026-02-12T09:00:00+08:00", 3, "2026-02-24", "across Spring Festival"),
        ("2026-02-12T09:00:00+08:00", 15, "2026-03-11", "across it and a Saturday that is worked"),
        ("2026-02-18T09:00:00+08:00", 1, "2026-02-24", "from within it"),
        ("2026-02-18T09:00:00+08:00", 5, "2026-02-28", "from within it to a Saturday that is worked"),
        ("2026-02-28T09:00:00+08:00", 1, "2026-03-02", "from a Saturday that is worked"),
        ("2026-01-03T09:00:00+08:00", 1, "2026-01-04", "a Sunday that is worked"),
        ("2026-09-24T09:00:00+08:00", 4, "2026-10-08", "across Mid-Autumn and the National Day"),
        ("2026-12-30T09:00:00+08:00", 1, "2026-12-31", "to the last day covered"),
        ("2026-01-01T00:00:00+08:00", 1, "2026-01-04", "from the first moment covered"),
    ] {
        assert_eq!(due(count, start), last, "{why}");
    }
}

#[test]
fn starts_on_the_day_that_it_is_there() {
    assert_eq!(due(1, "2026-03-02T15:59:59Z"), "2026-03-03");
    assert_eq!(due(1, "2026-03-02T16:00:00Z"), "2026-03-04", "it is the third of March in China");
    let end = china().end_of(1, moment("2026-03-02T00:00:00Z"));
    assert_eq!(end, Ok(moment("2026-03-03T16:00:00Z")), "midnight in China");
}

#[test]
fn takes_no_time_for_no_working_days() {
    for start in ["2026-02-18T12:34:56Z", "2026-03-02T01:02:03Z"] {
        assert_eq!(china().end_of(0, moment(start)), Ok(moment(start)));
    }
}

#[test]
fn refuses_what_it_does_not_cover() {
    let starts = |day| BeyondCalendar::Starts {
        calendar: "cn-2026".to_owned(),
        date: day,
        valid_from: date(2026, 1, 1),
        valid_through: date(2026, 12, 31),
    };
    for (start, day) in [("2025-12-31T15:59:59Z", date(2025, 12, 31)), ("2026-12-31T16:00:00Z", date(2027, 1, 1))] {
        for count in [0, 1, 15] {
            assert_eq!(china().end_of(count, moment(start)), Err(starts(day)), "{count} from {start}");
        }
    }
    for (start, count) in [("2026-12-31T09:00:00+08:00", 1), ("2026-12-30T09:00:00+08:00", 2)] {
        let refused = china().end_of(count, moment(start)).unwrap_err();
        assert!(matches!(refused, BeyondCalendar::Ends { count: c, .. } if c == count), "{refused}");
    }
    assert!(china().end_of(u16::MAX, moment("2026-01-01T00:00:00+08:00")).is_err());
    assert!(china().end_of(1, WallTime(u64::MAX)).is_err());
    assert_eq!(china().is_working_day(date(2027, 1, 4)), None);
}

#[test]
fn ends_at_midnight_by_the_rule_of_the_season() {
    let text = include_str!("../../calendars/cn-2026.toml").replace("CST-8", "CET-1CEST,M3.5.0,M10.5.0/3");
    let calendar = WorkingCalendar::parse(&text).unwrap();
    assert_eq!(calendar.end_of(1, moment("2026-03-02T12:00:00Z")), Ok(moment("2026-03-03T23:00:00Z")));
    assert_eq!(calendar.end_of(1, moment("2026-07-01T12:00:00Z")), Ok(moment("2026-07-02T22:00:00Z")));
}

#[test]
fn works_on_a_leap_day() {
    let leap = week("").replace("2026-06-01", "2028-02-25").replace("2026-06-07", "2028-03-01");
    let calendar = WorkingCalendar::parse(&leap).unwrap();
    let end = calendar.end_of(2, moment("2028-02-25T12:00:00+08:00"));
    assert_eq!(end, Ok(moment("2028-03-01T00:00:00+08:00")), "the end of the 29th of February");
}

#[test]
fn covers_a_day_or_ten_years_and_holidays_of_a_day() {
    for through in ["2026-06-01", "2036-05-31"] {
        let text = week("").replace("2026-06-07", through);
        assert!(WorkingCalendar::parse(&text).is_ok(), "{through}");
    }
    let fair = "holiday = [{ name = \"Fair\", from = 2026-06-02, through = 2026-06-02 }]";
    let calendar = WorkingCalendar::parse(&week(fair)).unwrap();
    let worked = [1, 2, 3].map(|day| calendar.is_working_day(date(2026, 6, day)));
    assert_eq!(worked, [Some(true), Some(false), Some(true)]);
    let without = WorkingCalendar::parse(&week("")).unwrap();
    assert!(calendar.rests_more_than(&without) && !without.rests_more_than(&calendar));
    assert_eq!(without.source(), "test");
}

#[test]
fn says_what_is_wrong_with_a_file() {
    let holiday = |from: &str, through: &str, make_up: &str| {
        week(&format!("holiday = [{{ name = \"Fair\", from = {from}, through = {through}, make_up = [{make_up}] }}]"))
    };
    assert!(WorkingCalendar::parse(&holiday("2026-06-02", "2026-06-03", "2026-06-06")).is_ok());

    for text in [
        week("weekend = true"),
        week("").replace("src = \"test\"", ""),
        week("").replace("2026-06-07", "\"2026-06-07\""),
        week("").replace("2026-06-07", "2026-06-07T00:00:00"),
        week("").replace("saturday", "caturday"),
        "soon".to_owned(),
    ] {
        assert!(matches!(refusal(&text), CalendarError::Format(_)), "{text}");
    }
    assert_eq!(refusal(&week("").replace("\"test\"", "\" \"")), CalendarError::Empty("src"));
    let zone = refusal(&week("").replace("CST-8", "Asia/Shanghai"));
    assert_eq!(zone, CalendarError::TimeZone("Asia/Shanghai".to_owned()));
    for through in ["2026-05-31", "2036-06-02"] {
        let text = week("").replace("2026-06-07", through);
        assert!(matches!(refusal(&text), CalendarError::Validity { .. }), "{through}");
    }
    for (from, through) in [("2026-06-03", "2026-06-02"), ("2026-05-31", "2026-06-02"), ("2026-06-05", "2026-06-08")] {
        assert!(matches!(refusal(&holiday(from, through, "")), CalendarError::Range { .. }), "{from} {through}");
    }
    let twice = "holiday = [{ name = \"A\", from = 2026-06-02, through = 2026-06-03 },\
                 { name = \"B\", from = 2026-06-03, through = 2026-06-04 }]";
    let shared = CalendarError::Overlap { name: "B".to_owned(), date: date(2026, 6, 3) };
    assert_eq!(refusal(&week(twice)), shared);
    for make_up in ["2026-06-04", "2026-06-13", "2026-06-06, 2026-06-06"] {
        let text = holiday("2026-06-02", "2026-06-03", make_up);
        assert!(matches!(refusal(&text), CalendarError::MakeUp { .. }), "{make_up}");
    }
    let text = holiday("2026-06-05", "2026-06-07", "2026-06-06");
    assert!(matches!(refusal(&text), CalendarError::MakeUp { .. }), "a holiday cannot be worked");
}

#[test]
fn refuses_a_calendar_of_hardly_any_work() {
    let text = week("")
        .replace("2026-06-07", "2026-07-31")
        .replace("\"saturday\",", "\"monday\", \"tuesday\",\"wednesday\", \"thursday\", \"saturday\",");
    let refused = refusal(&text);
    assert!(matches!(refused, CalendarError::TooMuchRest { .. }), "{refused}");
}

#[test]
fn refuses_a_calendar_once_it_takes_a_day_more_than_periods_compare_by() {
    let fair = |through: &str| {
        let fair = format!("holiday = [{{ name = \"Fair\", from = 2026-06-02, through = {through} }}]");
        WorkingCalendar::parse(&week(&fair).replace("2026-06-07", "2026-06-30"))
    };
    // five working days from Monday the first end on the 18th, the longest that any five take
    assert_eq!(WorkingCalendar::longest_days(5), 18);
    assert!(fair("2026-06-11").is_ok());
    let refused = fair("2026-06-12").unwrap_err();
    assert!(matches!(refused, CalendarError::TooMuchRest { count: 5, days: 19, max_days: 18, .. }), "{refused}");
}

#[test]
fn says_where_it_is_wrong() {
    let at = |text: &str| {
        let error = refusal(text);
        let place = error.place(text);
        (place.line, place.key, error.problem())
    };
    for (text, line, key, says) in [
        (week("weekend = true"), 7, "weekend", "`weekend` is not known here"),
        (week("").replace("2026-06-07", "\"soon\""), 4, "valid_through", "soon"),
        (week("").replace("\"test\"", "\" \""), 6, "src", "src is empty"),
        (week("").replace("CST-8", "Asia/Shanghai"), 2, "time_zone", "POSIX TZ rule"),
        (week("").replace("2026-06-07", "2026-05-31"), 4, "valid_through", "is not a stretch"),
        (
            week("\n[[holiday]]\nname = \"Fair\"\nfrom = 2026-06-03\nthrough = 2026-06-02"),
            8,
            "holiday",
            "holiday Fair runs from",
        ),
    ] {
        let (found, found_key, problem) = at(&text);
        assert_eq!((found, found_key.as_str()), (line, key), "{text}");
        assert!(problem.contains(says) && !problem.starts_with("line"), "{problem}");
    }
}
