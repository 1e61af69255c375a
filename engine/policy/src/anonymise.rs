//! Registered [`Transformation`]s: how data whose time is over becomes data that leads to nobody (PIPL 73), and the
//! [`Report`] of the test that shows it.
//!
//! ```text
//! what ended of a person ──class──▶ one more in its class ──the month is over──▶ release(k) ──▶ AnonymisedData, Report
//!                                                                               └─▶ nothing: too few were alike
//! ```
//!
//! There is no other way to an [`AnonymisedData`] than through a passed test, and none back: what is kept of a person is that
//! the number of their class is higher by one. What this does not protect from is whoever knows that of everybody else.

mod month;
#[cfg(test)]
mod tests;

use core::cmp::Reverse;
use core::fmt;
use core::num::NonZeroU64;
use std::collections::BTreeMap;

use sayso_types::{Category, Purpose, TenantId, WallTime};
use serde::{Deserialize, Serialize};

pub use self::month::Month;
use crate::profile::{Retention, RetentionAction};
use crate::{ConsentState, Revisions};

/// A registered way to make data of people into data that leads to nobody.
#[derive(Debug, PartialEq, Eq)]
pub struct Transformation {
    id: &'static str,
    version: u32,
    /// How many people a class has at the least, whatever a profile says.
    least: u64,
}

/// How many people's data ended in each month: by tenant, category, purpose, and how much of it there was. A person counts
/// once.
pub static MONTHLY_COUNTS: Transformation = Transformation { id: "monthly_counts", version: 1, least: 10 };

impl Transformation {
    /// Every one that is registered.
    pub const ALL: [&'static Self; 1] = [&MONTHLY_COUNTS];

    /// The one of this name, such as `monthly_counts@1`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|transformation| transformation.to_string() == name)
    }

    /// How many people are alike at the least in what it releases, where a profile asks for `k`.
    #[must_use]
    pub fn k(&self, k: Option<u32>) -> u64 {
        self.least.max(k.map_or(0, u64::from))
    }

    /// Makes `counted`, the people of each class, into data that leads to nobody: the classes of at least `k` people, and none
    /// by which fewer are found out who are not in it, if the test of what would be released is passed. [`None`] when nothing
    /// can be released.
    #[must_use]
    pub fn release(&self, k: u64, counted: &BTreeMap<Class, u64>) -> Option<AnonymisedData> {
        let k = k.max(self.least);
        let mut classes = Vec::new();
        for mut alike in groups(counted) {
            // the largest first: the smallest go with those who are too few, until those are enough
            alike.sort_by_key(|counted| (Reverse(counted.people), counted.class.clone()));
            let enough = alike.iter().take_while(|counted| counted.people >= k).count();
            let left_out = |released: usize| alike.iter().skip(released).map(|counted| counted.people).sum::<u64>();
            let released = (0..=enough).rev().find(|released| is_hidden(left_out(*released), k)).unwrap_or(0);
            classes.extend(alike.into_iter().take(released));
        }
        classes.sort_by(|a, b| a.class.cmp(&b.class));
        let report = Report::of(self, k, &classes, counted)?;
        report.is_passed().then_some(AnonymisedData { classes, report })
    }
}

/// The classes of those who are alike in everything but how much there was of them. How many they are together is on record:
/// the log has an entry for each.
fn groups(counted: &BTreeMap<Class, u64>) -> Vec<Vec<Counted>> {
    let mut groups = BTreeMap::<Class, Vec<Counted>>::new();
    for (class, people) in counted {
        let group = Class { entries: Entries::One, ..class.clone() };
        groups.entry(group).or_default().push(Counted { class: class.clone(), people: *people });
    }
    groups.into_values().collect()
}

/// Whether nobody is found among fewer than `k` when so many are `left` out of a group.
const fn is_hidden(left: u64, k: u64) -> bool {
    left == 0 || left >= k
}

impl fmt::Display for Transformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.version)
    }
}

/// In what people are alike who are counted together: all that is kept of what ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Class {
    /// When it ended.
    pub month: Month,
    /// Whose devices they spoke to.
    pub tenant: TenantId,
    /// What it was.
    pub category: Category,
    /// What it had been used for.
    pub purpose: Purpose,
    /// How much of it there was.
    pub entries: Entries,
}

/// How many entries somebody had, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entries {
    /// One.
    One,
    /// Two to nine.
    Few,
    /// Ten or more.
    Many,
}

impl Entries {
    /// Every size.
    pub const ALL: [Self; 3] = [Self::One, Self::Few, Self::Many];

    /// What `count` entries are.
    #[must_use]
    pub const fn of(count: usize) -> Self {
        match count {
            0 | 1 => Self::One,
            2..=9 => Self::Few,
            _ => Self::Many,
        }
    }

    /// How it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Few => "few",
            Self::Many => "many",
        }
    }
}

/// How many people there are in a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// In what they are alike.
    #[serde(flatten)]
    pub class: Class,
    /// How many they are.
    pub people: u64,
}

/// What came of trying to find people again in what is to be released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// By which transformation it was made.
    pub transformation: String,
    /// How many people have to be alike.
    pub k: u64,
    /// How many people are in it.
    pub people: u64,
    /// Equivalence classes: how many different rows there are.
    pub classes: u64,
    /// People in the smallest of them.
    pub smallest: u64,
    /// People who are alone in theirs.
    pub unique: u64,
    /// The linkage attack, by somebody who knows of each person all that is kept of them, but not whether they are in it: among
    /// how many they are left at the best. One over this is how sure the attacker can be.
    pub linked_among: NonZeroU64,
    /// The subtraction attack, by somebody who knows from the log how many people were counted, and takes away those who are in
    /// it: how many are left at the least of those who are alike in all else. [`None`] where nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<NonZeroU64>,
}

impl Report {
    /// Tests `released` with everybody who was `counted`, those in it and those who are not; [`None`] where nobody is in it.
    fn of(by: &Transformation, k: u64, released: &[Counted], counted: &BTreeMap<Class, u64>) -> Option<Self> {
        let people = || released.iter().map(|counted| counted.people);
        let among = |record: &Class| {
            let alike = released.iter().filter(|counted| counted.class == *record);
            NonZeroU64::new(alike.map(|counted| counted.people).sum())
        };
        let told = |of: &Counted| released.iter().filter(|is| is.class == of.class).map(|is| is.people).sum::<u64>();
        let is_told = |group: &[Counted]| group.iter().any(|of| told(of) > 0);
        let left_out = |group: Vec<Counted>| {
            let left = group.iter().map(|of| of.people.saturating_sub(told(of))).sum();
            NonZeroU64::new(left).filter(|_| is_told(&group))
        };
        Some(Self {
            transformation: by.to_string(),
            k,
            people: people().sum(),
            classes: released.len() as u64,
            smallest: people().min()?,
            unique: people().filter(|people| *people == 1).count() as u64,
            linked_among: counted.keys().filter_map(among).min()?,
            left_out: groups(counted).into_iter().filter_map(left_out).min(),
        })
    }

    /// Whether nobody can be found again in it, or in what is left when it is taken away: nobody is alone, and everybody is one
    /// of at least `k`.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        let left_out = self.left_out.map_or(0, NonZeroU64::get);
        self.unique == 0 && self.smallest >= self.k && self.linked_among.get() >= self.k && is_hidden(left_out, self.k)
    }
}

/// Data that leads to nobody: it was made by a registered transformation and has passed the test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unproved")]
pub struct AnonymisedData {
    classes: Vec<Counted>,
    report: Report,
}

impl AnonymisedData {
    /// How many people there are of each class.
    #[must_use]
    pub fn classes(&self) -> &[Counted] {
        &self.classes
    }

    /// What its test came to.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }
}

/// What may be [`AnonymisedData`], if it passes the test.
#[derive(Deserialize)]
struct Unproved {
    classes: Vec<Counted>,
    report: Report,
}

impl TryFrom<Unproved> for AnonymisedData {
    type Error = &'static str;

    fn try_from(unproved: Unproved) -> Result<Self, Self::Error> {
        let Unproved { classes, report } = unproved;
        let by = Transformation::named(&report.transformation).ok_or("nobody registered what it was made by")?;
        let counted = classes.iter().map(|counted| (counted.class.clone(), counted.people)).collect();
        // of those who were left out nothing is kept but how many they were
        let again = by.release(report.k, &counted).map(|again| {
            let report = Report { left_out: report.left_out, ..again.report };
            Self { report, ..again }
        });
        let again = again.filter(|again| again.classes == classes && again.report == report && report.is_passed());
        again.ok_or("it does not pass the test that its report tells of")
    }
}

impl Retention {
    /// By what its data is anonymised, and how many people are alike then at the least. [`None`] where it is erased.
    #[must_use]
    pub fn transformation(&self) -> Option<(&'static Transformation, u64)> {
        let transformation = Transformation::named(self.by.as_deref()?)?;
        (self.action == RetentionAction::Anonymise).then(|| (transformation, transformation.k(self.k)))
    }
}

impl Revisions {
    /// By what data of `category` that serves `purpose` is anonymised when its time is over, and how many people are alike then
    /// at the least, for a person whose register is `state`: where both the newest revision and the one that they agreed to say
    /// so. [`None`] where it is erased.
    #[must_use]
    pub fn transformation(
        &self,
        (category, purpose): (Category, Purpose),
        state: &ConsentState,
    ) -> Option<(&'static Transformation, u64)> {
        let by = |profile: &crate::Profile| {
            let document = profile.document();
            document.retention_of(profile.category(category)?)?.transformation()
        };
        let ((newest, k), (agreed, or)) = (by(self.newest())?, by(self.governing(purpose, state))?);
        (newest == agreed).then_some((newest, k.max(or)))
    }
}

/// The class of somebody of `tenant` of whom `entries` ended at `at`.
#[must_use]
pub fn class(tenant: TenantId, category: Category, purpose: Purpose, entries: usize, at: WallTime) -> Class {
    Class { month: Month::of(at), tenant, category, purpose, entries: Entries::of(entries) }
}
