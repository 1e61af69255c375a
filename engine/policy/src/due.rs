//! [`Due`]: by when a person's request is answered.

use sayso_types::{Purpose, WallTime};

use crate::profile::{ClockStart, RightKind};
use crate::words::spelled;
use crate::{Period, Profile};

/// The moments that start the clocks of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// When it came in.
    pub received: WallTime,
    /// When the person had proved who they are, if they have.
    pub identity_verified: Option<WallTime>,
}

/// By when something must be done, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last moment.
    pub at: WallTime,
    /// What sets it: a key of the profile such as `rights.respond_within`, or a provision such as `gdpr:12-3`.
    pub by: String,
    /// Whether the calendar of working days reaches that far. Beyond it every day counts as worked: what is due then is
    /// never due later than it turns out to be.
    pub is_exact: bool,
}

impl Profile {
    /// By when a request of this `kind` is answered: the earliest end of all clocks that run, those of the profile and
    /// those of the laws that it names, which start when the request comes in. [`None`] when no clock runs: the profile
    /// gives no time, or only words, or its clock waits for the person's identity.
    #[must_use]
    pub fn answer_due(&self, kind: RightKind, clocks: Clocks) -> Option<Due> {
        let rights = &self.document().rights;
        let own = rights.offers.get(&kind).and_then(|right| right.within.as_ref());
        let (promised, by) = match own {
            Some(within) => (Some(within), format!("rights.offers.{}.within", spelled(&kind))),
            None => (rights.respond_within.as_ref(), "rights.respond_within".to_owned()),
        };
        let promised = promised.and_then(|within| within.period());
        // where the profile does not say what starts its clock, receiving does
        let unsaid = rights.clock_start.is_empty().then_some(clocks.received);
        let starts = rights.clock_start.iter().filter_map(|start| match start {
            ClockStart::Received => Some(clocks.received),
            ClockStart::IdentityVerified => clocks.identity_verified,
        });
        let promised = unsaid.into_iter().chain(starts).zip(core::iter::repeat((promised, by)));
        let promised = promised.filter_map(|(start, (period, by))| Some(self.end_of(period?, start, by)));
        let laws = self.law().answers().iter();
        let by_law = laws.map(|rule| self.end_of(rule.within, clocks.received, rule.src.article.clone()));
        promised.chain(by_law).min_by_key(|due| due.at)
    }

    /// By when somebody who asks at `asked` has proved who they are, or is refused; [`None`] where the profile gives no time.
    #[must_use]
    pub fn identity_due(&self, asked: WallTime) -> Option<Due> {
        let within = self.document().rights.identity_within?;
        Some(self.end_of(within, asked, "rights.identity_within".to_owned()))
    }

    /// When consent to `purpose` that is given at `given` is over; [`None`] when it lasts until it is taken back.
    #[must_use]
    pub fn consent_end(&self, purpose: Purpose, given: WallTime) -> Option<WallTime> {
        let lasts = self.purpose(purpose)?.consent_lasts?;
        Some(self.end_of(lasts, given, String::new()).at)
    }

    /// Until when the tenant, who is asked first, may answer a request of this `kind` that came in at `received`, as far as
    /// the profile has them asked; never later than the person is answered.
    #[must_use]
    pub fn tenant_until(&self, kind: RightKind, received: WallTime) -> Option<WallTime> {
        let period = self.document().rights.offers.get(&kind)?.tenant_first?;
        let until = self.end_of(period, received, String::new()).at;
        // a clock that waits for the person's identity is not waited for: the tenant knows them, or can ask
        let clocks = Clocks { received, identity_verified: Some(received) };
        Some(self.answer_due(kind, clocks).map_or(until, |due| due.at.min(until)))
    }

    /// The end of `period` from `start` on, which `by` sets, on the calendar of working days that the profile names.
    #[must_use]
    pub fn end_of(&self, period: Period, start: WallTime, by: String) -> Due {
        let counted = match (period, self.calendar()) {
            (period, _) if period.is_zero() => Some(start),
            (Period::Iso(period), _) => Some(period.after(start)),
            (Period::WorkingDays(_), calendar) => calendar.and_then(|days| period.after_in(start, days).ok()),
        };
        let shortest = u64::try_from(period.shortest().as_millis()).unwrap_or(u64::MAX);
        let at = counted.unwrap_or_else(|| WallTime(start.0.saturating_add(shortest)));
        Due { at, by, is_exact: counted.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = include_str!("../../../deploy/profiles/home.toml");

    /// 2026-02-13, a Friday, 01:00 UTC: the last working day before the Spring Festival.
    const FRIDAY: WallTime = WallTime(1_770_944_400_000);
    const DAY: u64 = 24 * 60 * 60 * 1_000;

    fn profile(rights: &str) -> Profile {
        let home = HOME.replace("[profile]\n", "[profile]\nworking_days = \"cn-2026\"\n");
        let (before, after) = (home.split_once("[rights]").unwrap().0, home.split_once("[notice.en]").unwrap().1);
        Profile::in_force_before(&format!("{before}{rights}\n[notice.en]{after}")).unwrap()
    }

    fn due(profile: &Profile, verified: Option<WallTime>) -> Option<(u64, String, bool)> {
        let clocks = Clocks { received: FRIDAY, identity_verified: verified };
        let due = profile.answer_due(RightKind::Copy, clocks)?;
        Some(((due.at.0 - FRIDAY.0) / DAY, due.by, due.is_exact))
    }

    #[test]
    fn what_is_said_of_a_right_goes_before_what_is_said_of_all() {
        let all = "[rights]\nrespond_within = \"P15D\"\n";
        assert_eq!(due(&profile(all), None), Some((15, "rights.respond_within".into(), true)));
        let own = profile(&format!("{all}[rights.offers.copy]\nwithin = \"P20D\"\nsrc = []\n"));
        assert_eq!(due(&own, None), Some((20, "rights.offers.copy.within".into(), true)));
    }

    #[test]
    fn of_two_clocks_the_earlier_end_governs_and_one_that_waits_does_not_run() {
        let only = profile("[rights]\nrespond_within = \"P15D\"\nclock_start = [\"identity_verified\"]\n");
        assert_eq!(due(&only, None), None);
        let verified = Some(WallTime(FRIDAY.0 + 3 * DAY));
        assert_eq!(due(&only, verified), Some((18, "rights.respond_within".into(), true)));
        let both =
            profile("[rights]\nrespond_within = \"P15D\"\nclock_start = [\"received\", \"identity_verified\"]\n");
        assert_eq!(due(&both, verified), Some((15, "rights.respond_within".into(), true)));
    }

    #[test]
    fn working_days_are_those_of_the_calendar() {
        // Saturday the 14th is worked, the festival is the 15th to the 23rd: the second working day is the 24th
        let counted = profile("[rights]\nrespond_within = \"P2WD\"\n");
        assert_eq!(due(&counted, None), Some((11, "rights.respond_within".into(), true)));
    }

    #[test]
    fn beyond_the_calendar_every_day_counts_as_worked() {
        let beyond = profile("[rights]\nrespond_within = \"P300WD\"\n");
        assert_eq!(due(&beyond, None), Some((300, "rights.respond_within".into(), false)));
    }

    #[test]
    fn the_tenant_has_no_longer_than_the_person_waits() {
        let first = |within: &str, tenant: &str| {
            let offers = format!("[rights.offers.copy]\ntenant_first = \"{tenant}\"\nsrc = []\n");
            let text =
                format!("[rights]\nrespond_within = \"{within}\"\nclock_start = [\"identity_verified\"]\n{offers}");
            let until = profile(&text).tenant_until(RightKind::Copy, FRIDAY)?;
            Some((until.0 - FRIDAY.0) / DAY)
        };
        assert_eq!((first("P15D", "P5D"), first("P15D", "P2WD"), first("P3D", "P5D")), (Some(5), Some(11), Some(3)));
        assert_eq!(profile("[rights]\nrespond_within = \"P15D\"\n").tenant_until(RightKind::Copy, FRIDAY), None);
    }

    #[test]
    fn no_working_days_are_over_at_once_even_beyond_the_calendar() {
        let beyond = WallTime(FRIDAY.0 + 1_000 * DAY);
        let none: Period = "P0WD".parse().unwrap();
        let due = Due { at: beyond, by: String::new(), is_exact: true };
        assert_eq!(profile("[rights]\n").end_of(none, beyond, String::new()), due);
    }

    #[test]
    fn whoever_has_to_prove_who_they_are_has_the_time_that_is_given() {
        let five = profile("[rights]\nidentity_within = \"P5D\"\n").identity_due(FRIDAY).unwrap();
        assert_eq!((five.at.0, five.by.as_str()), (FRIDAY.0 + 5 * DAY, "rights.identity_within"));
        assert_eq!(profile("[rights]\n").identity_due(FRIDAY), None);
    }

    #[test]
    fn consent_lasts_as_long_as_its_purpose_says() {
        let lasting = HOME.replace("id = \"memory\",", "id = \"memory\", consent_lasts = \"P30D\",");
        let lasting = Profile::in_force_before(&lasting).unwrap();
        let end = |purpose| lasting.consent_end(purpose, FRIDAY);
        assert_eq!(end(Purpose::MEMORY), Some(WallTime(FRIDAY.0 + 30 * DAY)));
        assert_eq!(end(Purpose::VOICE_INTERACTION), None, "until it is taken back");
    }

    #[test]
    fn words_set_no_time() {
        assert_eq!(due(&profile("[rights]\nrespond_within = \"promptly\"\n"), None), None);
    }
}
