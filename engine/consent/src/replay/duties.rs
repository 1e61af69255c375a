//! [`Duties`]: whether complaints were answered, and people and authorities told of incidents, by their day, as far as the log
//! and a profile say.

use std::collections::BTreeMap;

use sayso_audit::{ComplaintStep, DeskEvent, Event, IncidentStep, Reference};
use sayso_policy::Profile;
use sayso_policy::law::Audience;
use sayso_types::{Name, WallTime};

use crate::complaints::complaint::due;
use crate::incidents::desk::audience_name;

/// What is owed under a profile, and was not done.
#[derive(Debug, Default)]
pub(super) struct Duties {
    complaints: BTreeMap<Reference, Owed>,
    incidents: BTreeMap<(Reference, Name), Owed>,
    /// The leaves that show a complaint to be late of which the log does not say so.
    late_complaints: Vec<u64>,
    /// The same of incidents.
    late_incidents: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    /// What began it.
    leaf: u64,
    due: WallTime,
}

impl Duties {
    /// Goes on by the leaf `index` of the log, written `at` that time; under `profile`, unless another one was in force.
    pub(super) fn leaf(&mut self, (index, at): (u64, WallTime), event: &Event, profile: Option<&Profile>) {
        match event {
            Event::Desk(DeskEvent::Complaint { complaint, step, .. }) => match (step, profile) {
                (ComplaintStep::Received, Some(profile)) => {
                    // said again it comes in no later
                    let owed = Owed { leaf: index, due: due(profile, at).at };
                    self.complaints.entry(*complaint).or_insert(owed);
                }
                (ComplaintStep::Received, None) => {}
                (ComplaintStep::Answered, _) => {
                    let done = self.complaints.remove(complaint);
                    self.late_complaints.extend(done.filter(|owed| owed.due < at).map(|_| index));
                }
                // told as it is
                (ComplaintStep::Overdue, _) => drop(self.complaints.remove(complaint)),
            },
            Event::Incident { incident, step, detail, detected, .. } => match step {
                IncidentStep::Opened => {
                    for tell in [Audience::Regulator, Audience::Subjects] {
                        // what an earlier program wrote does not say when it was found
                        let due = profile.and_then(|profile| profile.incident_due(tell, detected.unwrap_or(at)));
                        if let Some(due) = due {
                            let owed = Owed { leaf: index, due: due.at };
                            self.incidents.entry((*incident, audience_name(tell))).or_insert(owed);
                        }
                    }
                }
                IncidentStep::RegulatorNotified => self.told((index, at), *incident, Audience::Regulator),
                IncidentStep::SubjectsNotified => self.told((index, at), *incident, Audience::Subjects),
                IncidentStep::Closed => {
                    self.told((index, at), *incident, Audience::Regulator);
                    self.told((index, at), *incident, Audience::Subjects);
                }
                // told as it is
                IncidentStep::Overdue => drop(self.incidents.remove(&(*incident, *detail))),
                IncidentStep::Assessed | IncidentStep::Contained => {}
            },
            _ => {}
        }
    }

    /// Whoever was to be told of an incident is, or need not be any more.
    fn told(&mut self, (index, at): (u64, WallTime), incident: Reference, tell: Audience) {
        let done = self.incidents.remove(&(incident, audience_name(tell)));
        self.late_incidents.extend(done.filter(|owed| owed.due < at).map(|_| index));
    }

    /// The leaves that show a complaint to be late, and those that show it of an incident: what should have ended it in time, or
    /// where it began if nothing has by `now`.
    pub(super) fn finish(mut self, now: WallTime) -> (Vec<u64>, Vec<u64>) {
        let is_late = |owed: &&Owed| owed.due < now;
        self.late_complaints.extend(self.complaints.values().filter(is_late).map(|owed| owed.leaf));
        self.late_incidents.extend(self.incidents.values().filter(is_late).map(|owed| owed.leaf));
        for late in [&mut self.late_complaints, &mut self.late_incidents] {
            late.sort_unstable();
            late.dedup();
        }
        (self.late_complaints, self.late_incidents)
    }
}
