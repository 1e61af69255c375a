//! [`Incident`]: what happened to data, and how far it is dealt with.
//!
//! ```text
//! Detected ── assess ──▶ Assessed ─┬─ tell the authority ─┬─ close ──▶ Closed
//!     │                            └─ tell the people ────┘
//!     └── contain, throw switches: at any time ──── close, as unfounded ──▶ Closed
//! ```

use std::collections::BTreeMap;

use sayso_audit::Reference;
use sayso_policy::law::Audience;
use sayso_policy::profile::IncidentField;
use sayso_policy::{Due, Profile};
use sayso_types::{Name, NoticeId, TenantId, WallTime};
use serde::{Deserialize, Serialize};

use super::affected::Scope;
use crate::switch::{Position, Switch, Target};

/// Bytes of a text: a page. What needs more is a document of its own, which the text can name.
pub const TEXT_BYTES_MAX: usize = 4_000;

/// Switches that may be listed in an incident.
pub const SWITCHES_MAX: usize = 256;

/// Something that happened to data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Which.
    pub id: Reference,
    /// Whose integrator it is about; [`None`] is everybody's.
    pub tenant: Option<TenantId>,
    /// What whoever opened it says.
    pub report: String,
    /// When it was found: from here on the clocks run.
    pub detected: WallTime,
    /// When it was opened here.
    pub opened: WallTime,
    /// What it concerns, once that is known.
    pub assessment: Option<Assessment>,
    /// When it spread no further.
    pub contained: Option<WallTime>,
    /// The switches that were thrown for it, oldest first.
    pub switches: Vec<ThrownFor>,
    /// Those whom the policy or a law has told, and whoever was told besides.
    pub tellings: BTreeMap<Audience, Telling>,
    /// What the people concerned are told, by language; empty until they are.
    pub notices: BTreeMap<Name, Notice>,
    /// The notice that tells them so; [`None`] before, and where nobody was left to be told.
    pub notice: Option<NoticeId>,
    /// When nothing was left to do, and how it ended.
    pub closed: Option<(WallTime, Ending)>,
    /// The revision of the policy under which it was opened.
    pub profile_rev: u32,
}

/// What an incident concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Which data.
    pub scope: Scope,
    /// How many people's it is, as far as the log shows.
    pub people: u64,
    /// When it was assessed.
    pub at: WallTime,
}

/// A switch that was thrown for an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrownFor {
    /// What it turns off.
    pub target: Target,
    /// How it stood from then on.
    pub to: Position,
    /// When.
    pub at: WallTime,
}

/// Telling somebody of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// By when; [`None`] when only words say so, or nobody does.
    pub due: Option<Due>,
    /// When they were told.
    pub told: Option<WallTime>,
    /// Where that is written down, such as the authority's file number.
    pub reference: String,
    /// Whether its day has passed before they were told, and that is on record.
    pub is_overdue: bool,
}

/// What the people concerned are told, in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What their devices say of it, within [`SPOKEN_MAX`](sayso_policy::profile::SPOKEN_MAX): what happened, and what they
    /// can do. The rest is for whoever reads.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub spoken: String,
    /// What happened.
    pub situation: String,
    /// What it may lead to.
    pub impact: String,
    /// What was and will be done.
    pub measures: String,
    /// What people can do themselves.
    pub self_protection: String,
    /// What is done to make up for it; empty where the policy does not promise to say so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedies: String,
    /// Whom to ask.
    pub contact: String,
}

/// How an incident ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All that was to be done is done.
    Handled,
    /// There was none.
    Unfounded,
}

impl Ending {
    /// What the log calls it.
    #[must_use]
    pub const fn name(self) -> Name {
        match self {
            Self::Handled => Name::constant("handled"),
            Self::Unfounded => Name::constant("unfounded"),
        }
    }
}

/// What happens to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is known what it concerns. May be said again until the people are told.
    Assess(Assessment),
    /// It spreads no further.
    Contain,
    /// The authority was told; its file number, or how.
    TellRegulator(String),
    /// The people concerned are told this, by language.
    TellSubjects(BTreeMap<Name, Notice>),
    /// Nothing is left to do.
    Close(Ending),
}

/// Why a step cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// It is closed.
    #[error("the incident is closed; open another one")]
    Closed,
    /// That was done before.
    #[error("that was done before")]
    Done,
    /// Nobody knows yet what it concerns.
    #[error("nobody has said what the incident concerns; assess it first")]
    NotAssessed,
    /// The people were told by what was known.
    #[error("the people were told by the assessment before; open another incident for what it left out")]
    PeopleTold,
    /// A time that is not one.
    #[error("from and until: give a span of time that is over or under way")]
    Window,
    /// The notice lacks something, or has too much of it.
    #[error("the notice lacks {}; every language of the policy needs a text of 1 to {TEXT_BYTES_MAX} bytes for it", .0.join(", "))]
    Missing(Vec<String>),
    /// Nothing says where it is written down that the authority was told.
    #[error("reference: give the authority's file number or how it was told, in 1 to {TEXT_BYTES_MAX} bytes")]
    Reference,
    /// It may still spread.
    #[error("the incident is not contained; contain it first, or close it as unfounded")]
    NotContained,
    /// Somebody who is owed a word has none.
    #[error("{} to be told; that is what the policy or a law says", match .0 { Audience::Regulator => "the authority has", Audience::Subjects => "the people concerned have" })]
    Untold(Audience),
    /// Too many switches.
    #[error("{SWITCHES_MAX} switches are listed in an incident; open another one")]
    TooManySwitches,
}

impl Incident {
    /// An incident that was found at `detected` and is opened at `now`, under `profile`.
    #[must_use]
    pub fn opened(
        id: Reference,
        tenant: Option<TenantId>,
        report: String,
        profile: &Profile,
        (detected, now): (WallTime, WallTime),
    ) -> Self {
        let owed = [Audience::Regulator, Audience::Subjects].into_iter();
        let owed = owed.filter(|tell| profile.has_told_of_incidents(*tell));
        let tellings =
            owed.map(|tell| (tell, Telling { due: profile.incident_due(tell, detected), ..Telling::default() }));
        Self {
            id,
            tenant,
            report,
            detected,
            opened: now,
            assessment: None,
            contained: None,
            switches: Vec::new(),
            tellings: tellings.collect(),
            notices: BTreeMap::new(),
            notice: None,
            closed: None,
            profile_rev: profile.rev(),
        }
    }

    /// The incident after `step`, taken at `now` under `profile`.
    ///
    /// # Errors
    /// [`NotNow`]; the incident is as it was.
    pub fn after(&self, step: Step, profile: &Profile, now: WallTime) -> Result<Self, NotNow> {
        if self.closed.is_some() {
            return Err(NotNow::Closed);
        }
        let mut next = self.clone();
        match step {
            Step::Assess(assessment) => {
                if self.is_told(Audience::Subjects) {
                    return Err(NotNow::PeopleTold);
                }
                if assessment.scope.from >= assessment.scope.until || now < assessment.scope.from {
                    return Err(NotNow::Window);
                }
                next.assessment = Some(assessment);
            }
            Step::Contain => {
                if next.contained.replace(now).is_some() {
                    return Err(NotNow::Done);
                }
            }
            Step::TellRegulator(reference) => {
                if reference.trim().is_empty() || reference.len() > TEXT_BYTES_MAX {
                    return Err(NotNow::Reference);
                }
                next.tell(Audience::Regulator, reference, now)?;
            }
            Step::TellSubjects(notices) => {
                if self.assessment.is_none() {
                    return Err(NotNow::NotAssessed);
                }
                let missing = missing(&notices, profile);
                if !missing.is_empty() {
                    return Err(NotNow::Missing(missing));
                }
                next.tell(Audience::Subjects, String::new(), now)?;
                next.notices = notices;
            }
            Step::Close(ending) => {
                if ending == Ending::Handled {
                    self.require_handled()?;
                }
                next.closed = Some((now, ending));
            }
        }
        Ok(next)
    }

    /// The incident with `switch` in its list, thrown for it at `now`.
    ///
    /// # Errors
    /// [`NotNow::Closed`], [`NotNow::TooManySwitches`]; the incident is as it was.
    pub fn with_switch(&self, target: Target, to: Position, now: WallTime) -> Result<Self, NotNow> {
        if self.closed.is_some() {
            return Err(NotNow::Closed);
        }
        if self.switches.len() >= SWITCHES_MAX {
            return Err(NotNow::TooManySwitches);
        }
        let mut next = self.clone();
        next.switches.push(ThrownFor { target, to, at: now });
        Ok(next)
    }

    /// Whom somebody should have told by `now`, and of whom that is not on record.
    pub fn late(&self, now: WallTime) -> impl Iterator<Item = Audience> {
        let open = self.tellings.iter().filter(move |(_, telling)| {
            let is_late = telling.due.as_ref().is_some_and(|due| due.at < now);
            self.closed.is_none() && is_late && telling.told.is_none() && !telling.is_overdue
        });
        open.map(|(tell, _)| *tell)
    }

    /// The incident with it on record that somebody was not told in time.
    #[must_use]
    pub fn overdue(&self, tell: Audience) -> Self {
        let mut next = self.clone();
        next.tellings.entry(tell).or_default().is_overdue = true;
        next
    }

    /// Whether `tell` was told.
    #[must_use]
    pub fn is_told(&self, tell: Audience) -> bool {
        self.tellings.get(&tell).is_some_and(|telling| telling.told.is_some())
    }

    /// Whether one of `switches` is off that was thrown for this incident.
    #[must_use]
    pub fn is_held_by<'a>(&self, switches: impl IntoIterator<Item = &'a Switch>) -> bool {
        switches.into_iter().any(|switch| switch.incident == Some(self.id) && switch.position != Position::On)
    }

    fn tell(&mut self, tell: Audience, reference: String, now: WallTime) -> Result<(), NotNow> {
        let telling = self.tellings.entry(tell).or_default();
        if telling.told.replace(now).is_some() {
            return Err(NotNow::Done);
        }
        telling.reference = reference;
        Ok(())
    }

    fn require_handled(&self) -> Result<(), NotNow> {
        let assessment = self.assessment.as_ref().ok_or(NotNow::NotAssessed)?;
        self.contained.ok_or(NotNow::NotContained)?;
        let untold = self.tellings.iter().find(|(tell, telling)| {
            // where it is nobody's data, nobody is told
            let is_owed = **tell == Audience::Regulator || assessment.people > 0;
            is_owed && telling.told.is_none()
        });
        untold.map_or(Ok(()), |(tell, _)| Err(NotNow::Untold(*tell)))
    }
}

/// What people must be told and `notices` do not say: `LANGUAGE.FIELD`, or `LANGUAGE` where there is no text at all.
fn missing(notices: &BTreeMap<Name, Notice>, profile: &Profile) -> Vec<String> {
    let promised = profile.document().incident.subjects.as_ref();
    let has_remedies = promised.is_some_and(|notice| notice.fields.contains(&IncidentField::Remedies));
    let mut missing = Vec::new();
    for language in &profile.header().languages {
        let Some(notice) = notices.get(language) else {
            missing.push(language.to_string());
            continue;
        };
        let fields = [
            ("spoken", &notice.spoken, true),
            ("situation", &notice.situation, true),
            ("impact", &notice.impact, true),
            ("measures", &notice.measures, true),
            ("self_protection", &notice.self_protection, true),
            ("remedies", &notice.remedies, has_remedies),
            ("contact", &notice.contact, true),
        ];
        let wrong = fields
            .into_iter()
            .filter(|(_, text, is_owed)| text.len() > TEXT_BYTES_MAX || *is_owed && text.trim().is_empty());
        missing.extend(wrong.map(|(field, ..)| format!("{language}.{field}")));
    }
    missing
}
