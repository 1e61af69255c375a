//! When data ends: by each rule, on calendars, and the laws that hold for all of them.

use std::sync::Arc;

use proptest::option::weighted as maybe;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use sayso_types::ConsentVersion;

use super::*;
use crate::{ConsentStatus, ConsentType, InForce, PurposeConsent};

const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");

/// 2026-02-13, a Friday, 01:00 UTC: the last working day but one before the Spring Festival.
const FRIDAY: WallTime = WallTime(1_770_944_400_000);
/// 2024-02-29T12:00:00Z
const LEAP_DAY: WallTime = WallTime(1_709_208_000_000);
const DAY: u64 = 86_400_000;

const MEMORY: Category = Category::MEMORY_SUMMARY;

/// The profile of a home on the calendar of China, that says `retention` of what is remembered, and `more`.
fn profile(retention: &str, more: &str) -> Profile {
    let before = "retention = { trigger = \"withdraw\", after = \"PT0S\", action = \"erase\" }";
    assert!(HOME.contains(before));
    let text = HOME.replace("[profile]\n", "[profile]\nworking_days = \"cn-2026\"\n").replace(before, retention);
    Profile::in_force_before(&format!("{text}\n{more}\n")).unwrap()
}

fn rule(retention: &str) -> Profile {
    profile(&format!("retention = {{ action = \"erase\", {retention} }}"), "")
}

fn end(profile: &Profile, happened: &Happened) -> Option<(u64, String, bool)> {
    let ending = profile.ending(MEMORY, None, happened, AgeBand::Adult)?;
    Some((ending.at.0, ending.by, ending.is_exact))
}

fn of_memory(key: &str) -> String {
    format!("category.memory_summary.retention{key}")
}

#[test]
fn the_earliest_of_what_has_happened_counts() {
    let both = rule("trigger = \"withdraw|user.deleted_item\", after = \"P3D\", max = \"P30D\"");
    let collected = Happened::collected(FRIDAY);
    assert_eq!(end(&both, &collected), Some((FRIDAY.0 + 30 * DAY, of_memory(".max"), true)));
    let deleted = collected.and(Trigger::ItemDeleted, WallTime(FRIDAY.0 + 5 * DAY));
    assert_eq!(end(&both, &deleted), Some((FRIDAY.0 + 8 * DAY, of_memory(""), true)));
    let withdrawn = deleted.and(Trigger::Withdraw, WallTime(FRIDAY.0 + DAY));
    assert_eq!(end(&both, &withdrawn), Some((FRIDAY.0 + 4 * DAY, of_memory(""), true)));
    let only = rule("trigger = \"withdraw\", after = \"P3D\"");
    assert_eq!(end(&only, &Happened::collected(FRIDAY)), None, "nothing that it counts from has happened");
    let words = rule("trigger = \"collected\", after = \"as long as it is needed\"");
    assert_eq!(end(&words, &Happened::collected(FRIDAY)), None, "words set no time");
}

#[test]
fn a_withdrawal_ends_at_once_what_is_to_end_then() {
    let year = rule("trigger = \"collected\", after = \"P1Y\", on_withdraw = \"anonymise\"");
    let at = WallTime(FRIDAY.0 + DAY);
    let happened = Happened::collected(FRIDAY).and(Trigger::Withdraw, at);
    let ending = year.ending(MEMORY, None, &happened, AgeBand::Adult).unwrap();
    assert_eq!((ending.at, ending.action), (at, RetentionAction::Anonymise));
    assert_eq!(ending.by, of_memory(".on_withdraw"));
    assert_eq!(ending.latest.0 - ending.at.0, 3_600_000, "an hour where nothing is said");
}

#[test]
fn a_year_from_a_leap_day_ends_with_february_and_one_across_it_has_a_day_more() {
    let year = rule("trigger = \"collected\", after = \"P1Y\"");
    let from = |at: WallTime| end(&year, &Happened::collected(at)).unwrap().0;
    assert_eq!(from(LEAP_DAY), LEAP_DAY.0 + 365 * DAY, "2025-02-28");
    let before = WallTime(LEAP_DAY.0 - 60 * DAY);
    assert_eq!(from(before), before.0 + 366 * DAY, "2023-12-31 to 2024-12-31");
}

#[test]
fn working_days_are_those_of_the_calendar_and_beyond_it_all_days_are() {
    let days = rule("trigger = \"collected\", after = \"P2WD\"");
    // Saturday the 14th is worked, the festival is the 15th to the 23rd: the 24th is the second, until its midnight
    let (at, _, is_exact) = end(&days, &Happened::collected(FRIDAY)).unwrap();
    assert_eq!((at, is_exact), (FRIDAY.0 + 11 * DAY + 15 * 3_600_000, true));
    let eve = WallTime(1_798_675_200_000); // 2026-12-31
    let (at, _, is_exact) = end(&days, &Happened::collected(eve)).unwrap();
    assert_eq!((at, is_exact), (eve.0 + 2 * DAY, false), "never later than it turns out to be");
}

#[test]
fn a_least_time_counts_where_a_law_demands_it_and_erasure_wins_elsewhere() {
    let logs =
        "trigger = \"collected\", after = \"P6M\", min = \"P6M\", min_basis = \"cn-csl:21\", tolerance = \"PT24H\"";
    let retention = format!("retention = {{ action = \"erase\", {logs}, on_withdraw = \"erase\" }}");
    let by_consent = profile(&retention, "");
    let withdrawn = Happened::collected(FRIDAY).and(Trigger::Withdraw, WallTime(FRIDAY.0 + DAY));
    assert_eq!(end(&by_consent, &withdrawn).unwrap().0, FRIDAY.0 + DAY);
    let text = by_consent.text().replace("purposes = [\"memory\"]", "purposes = [\"memory\", \"notice\"]");
    let by_law = Profile::in_force_before(&text).unwrap();
    let ending = by_law.ending(MEMORY, None, &withdrawn, AgeBand::Adult).unwrap();
    assert_eq!(ending.by, of_memory(".min"));
    let floor: Period = "P6M".parse().unwrap();
    let Period::Iso(months) = floor else { panic!("months") };
    assert_eq!(ending.at, months.after(FRIDAY));
    assert_eq!(ending.latest.0 - ending.at.0, DAY, "in (6 months, 6 months and a day]");
}

#[test]
fn what_is_not_declared_ends_by_the_engines_own_rule_and_not_by_the_rule_for_all() {
    let all = "[retention]\ndefault = { trigger = \"purpose.ended\", after = \"P1D\", action = \"erase\" }\n";
    let profile = Profile::in_force_before(&HOME.replace("[retention]\n", all)).unwrap();
    let evidence: Category = "consent_record".parse().unwrap();
    let own: Retention = toml::from_str("trigger = \"purpose.ended\"\nafter = \"P3Y\"\naction = \"erase\"").unwrap();
    let ended = Happened::default().and(Trigger::PurposeEnded, LEAP_DAY);
    let ending = profile.ending(evidence, Some(&own), &ended, AgeBand::Adult).unwrap();
    assert_eq!(ending.at.0, LEAP_DAY.0 + (366 + 365 + 365) * DAY - DAY, "2027-02-28");
    assert_eq!(profile.ending(evidence, None, &ended, AgeBand::Adult), None);
}

#[test]
fn a_test_platform_is_cleared() {
    let trial = HOME.replace("[profile]\n", "[profile]\ndeployment = \"test_platform\"\n");
    let trial = trial.replace("[retention]\n", "[retention]\ntest_platform_max = \"P7D\"\n");
    let trial = Profile::in_force_before(&trial).unwrap();
    let expected = (FRIDAY.0 + 7 * DAY, "retention.test_platform_max".to_owned(), true);
    assert_eq!(end(&trial, &Happened::collected(FRIDAY)), Some(expected));
}

const PERIODS: [&str; 9] = ["PT0S", "PT10M", "P1D", "P15WD", "P30D", "P1M", "P300WD", "P6M", "P1Y"];
const TRIGGERS: [(Trigger, &str); 5] = [
    (Trigger::Collected, "collected"),
    (Trigger::SessionEnd, "session.end"),
    (Trigger::Withdraw, "withdraw"),
    (Trigger::ItemDeleted, "user.deleted_item"),
    (Trigger::AccountCancelled, "account.cancelled"),
];

/// What is generated of a rule.
#[derive(Clone, Debug)]
struct Said {
    triggers: Vec<(Trigger, &'static str)>,
    after: &'static str,
    min: Option<&'static str>,
    max: Option<&'static str>,
    tolerance: Option<&'static str>,
    on_withdraw: bool,
    of_minors: Option<&'static str>,
}

impl Said {
    fn profile(&self) -> Profile {
        let key = |key: &str, value: Option<&str>| value.map_or_else(String::new, |v| format!(", {key} = \"{v}\""));
        let triggers: Vec<_> = self.triggers.iter().map(|(_, word)| *word).collect();
        let retention = format!(
            "retention = {{ trigger = \"{}\", after = \"{}\", action = \"erase\"{}{}{}{}{} }}",
            triggers.join("|"),
            self.after,
            key("min", self.min),
            key("min_basis", self.min.map(|_| "cn-csl:21")),
            key("max", self.max),
            key("tolerance", self.tolerance),
            key("on_withdraw", self.on_withdraw.then_some("erase")),
        );
        let minors = self
            .of_minors
            .map_or_else(String::new, |after| format!("[minors.overrides.memory_summary]\nafter = \"{after}\"\n"));
        let by_law = "purposes = [\"memory\", \"notice\"]";
        let text = profile(&retention, &minors).text().replace("purposes = [\"memory\"]", by_law);
        Profile::in_force_before(&text).unwrap()
    }
}

prop_compose! {
    fn said()(
        triggers in subsequence(TRIGGERS.to_vec(), 1..=TRIGGERS.len()),
        after in select(PERIODS.to_vec()),
        min in maybe(0.3, select(PERIODS.to_vec())),
        max in maybe(0.5, select(PERIODS.to_vec())),
        tolerance in maybe(0.5, select(vec!["PT0S", "PT24H", "P2WD"])),
        on_withdraw: bool,
        of_minors in maybe(0.5, select(PERIODS.to_vec())),
    ) -> Said {
        Said { triggers, after, min, max, tolerance, on_withdraw, of_minors }
    }
}

/// What happened within two years from the middle of 2025, so on the calendar, before it and after it.
fn happened() -> impl Strategy<Value = Happened> {
    let start = FRIDAY.0 - 200 * DAY;
    let moments = proptest::collection::vec(maybe(0.6, 0..500 * DAY), TRIGGERS.len() - 1);
    (0..500 * DAY, moments).prop_map(move |(collected, moments)| {
        let collected = start + collected;
        let rest = TRIGGERS.iter().skip(1).zip(moments);
        rest.fold(Happened::collected(WallTime(collected)), |happened, ((trigger, _), later)| match later {
            Some(later) => happened.and(*trigger, WallTime(collected + later)),
            None => happened,
        })
    })
}

proptest! {
    #[test]
    fn nothing_ends_before_the_law_lets_it_or_after_its_cap(said in said(), happened in happened()) {
        let profile = said.profile();
        let collected = happened.at(Trigger::Collected).unwrap();
        let ending = profile.ending(MEMORY, None, &happened, AgeBand::Adult);
        let least = said.min.map_or(0, |min| min.parse::<Period>().unwrap().shortest().as_millis() as u64);
        if let Some(ending) = &ending {
            prop_assert!(collected.0 + least <= ending.at.0);
            prop_assert!(ending.at <= ending.latest);
        }
        if let Some(max) = said.max {
            let longest = |said: &str| said.parse::<Period>().unwrap().longest().as_millis() as u64;
            let most = longest(max).max(said.min.map_or(0, longest));
            prop_assert!(ending.is_some_and(|ending| ending.at.0 <= collected.0 + most), "a cap counts whatever happens");
        }
    }

    #[test]
    fn a_minors_data_ends_no_later(said in said(), happened in happened()) {
        let profile = said.profile();
        let ends = |age| profile.ending(MEMORY, None, &happened, age).map_or(u64::MAX, |ending| ending.at.0);
        prop_assert!(ends(AgeBand::Under13) <= ends(AgeBand::Adult));
        prop_assert_eq!(ends(AgeBand::Unknown), ends(AgeBand::Adult), "as the profile of a home counts them");
    }

    #[test]
    fn what_happens_as_well_never_lengthens(said in said(), happened in happened(), which in 1..TRIGGERS.len(), at in 0..500_u64) {
        let profile = said.profile();
        let ends = |happened: &Happened| profile.ending(MEMORY, None, happened, AgeBand::Adult).map_or(u64::MAX, |e| e.at.0);
        let more = happened.clone().and(TRIGGERS[which].0, WallTime(FRIDAY.0 + at * DAY));
        prop_assert!(ends(&more) <= ends(&happened));
    }

    #[test]
    fn another_trigger_in_a_rule_never_lengthens(said in said(), happened in happened(), which in 0..TRIGGERS.len()) {
        let mut more = said.clone();
        if !more.triggers.contains(&TRIGGERS[which]) {
            more.triggers.push(TRIGGERS[which]);
        }
        let ends = |said: &Said| said.profile().ending(MEMORY, None, &happened, AgeBand::Adult).map_or(u64::MAX, |e| e.at.0);
        prop_assert!(ends(&more) <= ends(&said));
    }
}

#[test]
fn what_is_minors_ends_by_their_rule_and_nobody_elses_does() {
    let ends = |rule: &str, age: AgeBand| {
        let profile = profile(
            "retention = { action = \"erase\", trigger = \"withdraw\", after = \"PT0S\" }",
            &format!("[minors.overrides.memory_summary]\n{rule}"),
        );
        let ending = profile.ending(MEMORY, None, &Happened::collected(FRIDAY), age)?;
        assert_eq!(ending.by, "minors.overrides.memory_summary");
        Some((ending.at.0 - FRIDAY.0) / DAY)
    };
    for (rule, days) in [("forbidden = true", 0), ("no_store = true", 0), ("after = \"P3D\"", 3)] {
        assert_eq!(ends(rule, AgeBand::Under14), Some(days), "{rule}");
        assert_eq!(ends(rule, AgeBand::Adult), None, "{rule}");
    }
    assert_eq!(ends("forbidden = false", AgeBand::Under14), None, "it says nothing else of them");
    let grown = HOME.replace("[minors]\n", "[minors]\nspecial_regime_below = 18\n");
    let grown = format!("{grown}\n[minors.overrides.memory_summary]\nforbidden = true\n");
    let grown = Profile::in_force_before(&grown).unwrap();
    let ends = |age| grown.ending(MEMORY, None, &Happened::collected(FRIDAY), age).is_some();
    assert_eq!((ends(AgeBand::Adult), ends(AgeBand::Under14)), (false, true), "who is eighteen is grown up");
}

/// What a home keeps for so many days, and for as many at the least because a law demands it, in revision `rev`.
fn kept(rev: u32, days: u64) -> Profile {
    let retention = format!(
        "retention = {{ trigger = \"collected\", after = \"P{days}D\", action = \"erase\", min = \"P{days}D\", min_basis = \"cn-csl:21\" }}"
    );
    let text = profile(&retention, "").text().replace("rev = 1", &format!("rev = {rev}"));
    Profile::in_force_before(&text.replace("purposes = [\"memory\"]", "purposes = [\"memory\", \"notice\"]")).unwrap()
}

/// That of a person who agreed to be remembered under revision 1.
fn agreed() -> ConsentState {
    let consent = PurposeConsent {
        status: ConsentStatus::Given,
        consent_type: ConsentType::Expressed,
        separate: false,
        written: false,
        given_at: ConsentVersion(1),
        profile_rev: 1,
        expires_at: None,
    };
    ConsentState { consents: [(Purpose::MEMORY, consent)].into(), ..ConsentState::new() }
}

#[test]
fn of_two_revisions_the_earlier_end_and_the_lesser_demand_count() {
    for (before, after) in [(10, 30), (30, 10), (10, 10)] {
        let first = Revisions::new(InForce::new(Arc::new(kept(1, before))));
        let both = first.publish(Arc::new(kept(2, after)), FRIDAY).unwrap().0;
        let (memory, collected) = ((MEMORY, Purpose::MEMORY), Happened::collected(FRIDAY));
        for (state, days) in [(agreed(), before.min(after)), (ConsentState::new(), after)] {
            let ending = both.ending(memory, &collected, &state).unwrap();
            assert_eq!((ending.at.0 - FRIDAY.0) / DAY, days, "{before} {after}");
            let floor = both.floor(memory, FRIDAY, &state).unwrap();
            assert_eq!(((floor.at.0 - FRIDAY.0) / DAY, floor.law.as_str()), (days, "cn-csl:21"), "{before} {after}");
        }
    }
}
