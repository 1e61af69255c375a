//! Whom an incident is told, and by when.

use sayso_types::WallTime;

use crate::law::Audience;
use crate::words::spelled;
use crate::{Due, Profile};

impl Profile {
    /// Whether the profile, or a law that it names, has `tell` told of an incident.
    #[must_use]
    pub fn has_told_of_incidents(&self, tell: Audience) -> bool {
        self.incident_notice(tell).is_some() || self.law().told_of_incidents(tell).next().is_some()
    }

    /// By when `tell` is told of an incident that was found at `detected`: the earliest end of all clocks that run, those of
    /// the profile and those of the laws that it names. How grave an incident is decides no machine, so the clocks run for
    /// any. [`None`] when none runs: nobody need be told, or only words say when.
    #[must_use]
    pub fn incident_due(&self, tell: Audience, detected: WallTime) -> Option<Due> {
        let promised = self.incident_notice(tell).and_then(|notice| notice.within.period());
        let promised = promised.map(|within| (within, format!("incident.{}.within", spelled(&tell))));
        let laws = self.law().told_of_incidents(tell);
        let by_law = laws.filter_map(|rule| Some((rule.within.period()?, rule.src.article.clone())));
        let clocks = promised.into_iter().chain(by_law);
        clocks.map(|(within, by)| self.end_of(within, detected, by)).min_by_key(|due| due.at)
    }

    fn incident_notice(&self, tell: Audience) -> Option<&crate::profile::IncidentNotice> {
        let incident = &self.document().incident;
        match tell {
            Audience::Regulator => incident.regulator.as_ref(),
            Audience::Subjects => incident.subjects.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = include_str!("../../../deploy/profiles/home.toml");
    const NOW: WallTime = WallTime(1_767_225_600_000);
    const HOUR: u64 = 60 * 60 * 1_000;

    fn profile(incident: &str, laws: &str) -> Profile {
        let home = HOME.replace("[profile]\n", &format!("[profile]\nlaw_floor = [{laws}]\n"));
        Profile::in_force_before(&format!("{home}\n{incident}")).unwrap()
    }

    fn due(profile: &Profile, tell: Audience) -> Option<(u64, String)> {
        profile.incident_due(tell, NOW).map(|due| ((due.at.0 - NOW.0) / HOUR, due.by))
    }

    #[test]
    fn the_earliest_of_all_clocks_governs() {
        let told = "[incident.subjects]\nwithin = \"PT72H\"\n[incident.regulator]\nwithin = \"PT24H\"\n";
        let own = profile(told, "");
        assert_eq!(due(&own, Audience::Subjects), Some((72, "incident.subjects.within".into())));
        assert_eq!(due(&own, Audience::Regulator), Some((24, "incident.regulator.within".into())));
        let law = profile(told, "\"cn-incident@2025-11-01\"");
        assert_eq!(due(&law, Audience::Regulator), Some((4, "Incident reporting measures 4".into())));
    }

    #[test]
    fn words_run_no_clock_but_somebody_is_told() {
        let vague = profile("[incident.subjects]\nwithin = \"promptly\"\n", "");
        assert_eq!(due(&vague, Audience::Subjects), None);
        assert!(vague.has_told_of_incidents(Audience::Subjects));
        assert!(!vague.has_told_of_incidents(Audience::Regulator));
    }
}
