//! [`Ending`]: when data that is stored ends, and by which rule.

use std::collections::BTreeMap;

use sayso_types::{Category, Purpose, WallTime};

use crate::profile::{CategoryRule, Deployment, LegalBasis, MinorRule, Retention, RetentionAction, Trigger};
use crate::{AgeBand, ConsentState, Deadline, Period, Profile, Revisions};

/// How late an action may come where the rule does not say: an hour. Whoever looks once a minute has then looked sixty
/// times.
pub const TOLERANCE: core::time::Duration = core::time::Duration::from_secs(60 * 60);

/// What has happened in the life of stored data, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Happened(BTreeMap<Trigger, WallTime>);

impl Happened {
    /// It was collected at `at`, and nothing has happened to it since.
    #[must_use]
    pub fn collected(at: WallTime) -> Self {
        Self::default().and(Trigger::Collected, at)
    }

    /// `trigger` happened as well, at `at`. Of two moments the earlier counts.
    #[must_use]
    pub fn and(mut self, trigger: Trigger, at: WallTime) -> Self {
        let first = self.0.entry(trigger).or_insert(at);
        *first = at.min(*first);
        self
    }

    /// When `trigger` happened, if it did.
    #[must_use]
    pub fn at(&self, trigger: Trigger) -> Option<WallTime> {
        self.0.get(&trigger).copied()
    }
}

/// When data ends, and what is done then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// From then on it is to be done.
    pub at: WallTime,
    /// By then it is done.
    pub latest: WallTime,
    /// What is done.
    pub action: RetentionAction,
    /// What sets the moment: a key of the profile such as `category.memory_summary.retention.max`.
    pub by: String,
    /// Whether the calendar of working days reaches that far. Beyond it every day counts as worked, so that nothing is kept
    /// for longer than it turns out to be allowed; a least time that a law demands is then counted at its longest.
    pub is_exact: bool,
}

/// Until when a law demands that data is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// From then on it may end.
    pub at: WallTime,
    /// The law, as `min_basis` names it.
    pub law: String,
    /// Whether the calendar of working days reaches that far. Where it does not, the time is counted at its longest.
    pub is_exact: bool,
}

impl Profile {
    /// When data of `category` ends to which that `happened`, of somebody of `age`: the earliest moment that any rule sets,
    /// and never before the least time that a law demands. `unsaid` is the rule of categories of which the profile says
    /// nothing. [`None`] while nothing that a rule counts from has happened, or where there are only words.
    ///
    /// The rules are those of the category (`after` from each of its triggers, `max` from collection, `on_withdraw` at a
    /// withdrawal), of minors, and of a test platform; of the last two, what the profile does not declare
    /// knows nothing. A least time counts only where a purpose of the category rests on
    /// `LegalObligation`: otherwise erasure wins.
    #[must_use]
    pub fn ending(
        &self,
        category: Category,
        unsaid: Option<&Retention>,
        happened: &Happened,
        age: AgeBand,
    ) -> Option<Ending> {
        let document = self.document();
        let declared = self.category(category);
        let (rule, key) = match declared {
            Some(CategoryRule { retention: Some(rule), .. }) => (rule, format!("category.{category}.retention")),
            Some(_) => (document.retention.default.as_ref()?, "retention.default".to_owned()),
            None => (unsaid?, "the engine's own rule".to_owned()),
        };
        let end = |period: Period, from: WallTime, action: RetentionAction, by: String| {
            let due = self.end_of(period, from, by);
            let latest = self.tolerated(Some(rule), due.at);
            Ending { at: due.at, latest, action, by: due.by, is_exact: due.is_exact }
        };
        let after = rule.after.period();
        let triggers = rule.trigger.iter().filter_map(|trigger| happened.at(trigger));
        let by_trigger = triggers.filter_map(|from| Some(end(after?, from, rule.action, key.clone())));
        let withdrawn = rule.on_withdraw.zip(happened.at(Trigger::Withdraw));
        let on_withdraw = withdrawn.map(|(action, from)| end(Period::NONE, from, action, format!("{key}.on_withdraw")));
        let collected = happened.at(Trigger::Collected);
        let cap = |period: Option<Period>, by: String| Some(end(period?, collected?, rule.action, by));
        let max = cap(rule.max, format!("{key}.max"));
        let minor = self.is_protected(age).then(|| document.minors.overrides.get(&category)).flatten();
        let minor = cap(minor.and_then(kept_of_minors), format!("minors.overrides.{category}"));
        let is_trial = declared.is_some() && self.header().deployment == Deployment::TestPlatform;
        let trial = document.retention.test_platform_max.as_ref().filter(|_| is_trial).and_then(Deadline::period);
        let trial = cap(trial, "retention.test_platform_max".to_owned());
        let endings = by_trigger.chain(on_withdraw).chain(max).chain(minor).chain(trial);
        let mut ending = endings.min_by_key(|ending| ending.at)?;
        if let Some(Floor { at, is_exact, .. }) =
            self.floor_under(declared, rule, collected).filter(|floor| ending.at < floor.at)
        {
            let latest = WallTime(at.0.saturating_add(ending.latest.0 - ending.at.0));
            ending = Ending { at, latest, by: format!("{key}.min"), is_exact, ..ending };
        }
        Some(ending)
    }

    /// Until when a law demands that data of `category` is kept that was `collected` then, whoever wants it erased; [`None`]
    /// where none does.
    #[must_use]
    pub fn floor(&self, category: Category, collected: WallTime) -> Option<Floor> {
        let declared = self.category(category)?;
        self.floor_under(Some(declared), self.document().retention_of(declared)?, Some(collected))
    }

    /// By when what is due at `at` under `rule` has ended.
    #[must_use]
    pub fn tolerated(&self, rule: Option<&Retention>, at: WallTime) -> WallTime {
        match rule.and_then(|rule| rule.tolerance) {
            Some(tolerance) => self.end_of(tolerance, at, String::new()).at,
            None => WallTime(at.0.saturating_add(u64::try_from(TOLERANCE.as_millis()).unwrap_or(u64::MAX))),
        }
    }

    fn floor_under(
        &self,
        declared: Option<&CategoryRule>,
        rule: &Retention,
        collected: Option<WallTime>,
    ) -> Option<Floor> {
        let (min, from) = rule.min.zip(collected)?;
        let mut purposes = declared?.purposes.iter().filter_map(|purpose| self.purpose(*purpose));
        let law = rule.min_basis.as_ref()?;
        if !purposes.any(|purpose| purpose.basis == LegalBasis::LegalObligation) {
            return None;
        }
        let due = self.end_of(min, from, String::new());
        let longest = u64::try_from(min.longest().as_millis()).unwrap_or(u64::MAX);
        let at = if due.is_exact { due.at } else { WallTime(from.0.saturating_add(longest)) };
        Some(Floor { at, law: law.clone(), is_exact: due.is_exact })
    }

    /// Whether the rules for minors hold for somebody of `age`.
    fn is_protected(&self, age: AgeBand) -> bool {
        self.youngest(age) < self.protected_below()
    }
}

impl Revisions {
    /// When data of `category` that serves `purpose` ends for a person whose register is `state`: as the newest revision
    /// says, or as the one says that the person agreed to, whichever is earlier. Nobody is kept for longer than they agreed
    /// to, and nobody for longer than everybody else.
    #[must_use]
    pub fn ending(
        &self,
        (category, purpose): (Category, Purpose),
        happened: &Happened,
        state: &ConsentState,
    ) -> Option<Ending> {
        let ends = |profile: &Profile| profile.ending(category, None, happened, state.age);
        [self.newest(), self.governing(purpose, state)].into_iter().filter_map(|p| ends(p)).min_by_key(|end| end.at)
    }

    /// Until when a law demands that data of `category` is kept that serves `purpose` and was `collected` then, of a person
    /// whose register is `state`: only where both revisions of [`ending`](Self::ending) say so, the earlier of them.
    #[must_use]
    pub fn floor(
        &self,
        (category, purpose): (Category, Purpose),
        collected: WallTime,
        state: &ConsentState,
    ) -> Option<Floor> {
        let [newest, governing] = [self.newest(), self.governing(purpose, state)].map(|p| p.floor(category, collected));
        newest.zip(governing).map(|(one, other)| if other.at < one.at { other } else { one })
    }
}

/// How long data of a minor is kept, where that is less.
const fn kept_of_minors(rule: &MinorRule) -> Option<Period> {
    if rule.forbidden || rule.no_store { Some(Period::NONE) } else { rule.after }
}

#[cfg(test)]
mod tests;
