//! Counting people whose data is to be anonymised when it ends, and releasing the counts. See
//! [`anonymised`](crate::anonymised) for how.

use std::collections::BTreeMap;

use sayso_audit::{Anonymised, AnonymisedStep, Event, Hash, Reference};
use sayso_policy::anonymise::{Class, Month, class};
use sayso_policy::profile::RetentionAction;
use sayso_policy::{Gate, Reason, Transformation};
use sayso_store::{Condition, Error as StoreError, Key, Op, TypedKey};
use sayso_types::{Name, ProcessorId, ProcessorKind, Purpose, SubjectId, TurnId, WallTime};
use sha2::{Digest, Sha256};
use tokio::sync::MutexGuard;

use super::permits::Refused;
use super::{Register, Subject};
use crate::anonymised::{Statistic, Tally};
use crate::journal::About;
use crate::tables::{ANONYMISED, ANONYMISED_COUNT, AnonymisedCountKey, AnonymisedKey, FACTS_CATEGORY};
use crate::{Ask, Entry, Error, Remembered};

/// That a person is counted by the entry: nobody else is before it is written.
pub(super) type HandedOn<'a> = MutexGuard<'a, ()>;

/// What is counted together, and where.
#[derive(Default)]
struct Tallied {
    classes: BTreeMap<Class, u64>,
    rows: Vec<Key>,
    k: u64,
}

impl Register {
    /// What was released of people's data that had been anonymised, and where too few were alike; oldest first.
    ///
    /// # Errors
    /// As the store says; [`Error::Damaged`] for what does not pass its test any more.
    pub async fn anonymised(&self) -> Result<Vec<Statistic>, Error> {
        let rows = self.scan(AnonymisedKey::table(), ANONYMISED, |body| Ok(body.to_vec())).await?;
        rows.iter().map(|(key, body)| Statistic::decode(key, body)).collect()
    }

    /// Has `entry` count the person whose facts `over` end at `now`, the last that they have, for the `ending`; [`None`] when
    /// they are to be erased and no more.
    pub(super) async fn hand_on(
        &self,
        turn: &Subject,
        over: &[Remembered],
        (ending, now): (Reference, WallTime),
        entry: &mut Entry,
    ) -> Result<Option<HandedOn<'_>>, Error> {
        let consent = &turn.state.consent;
        let of_memory = (FACTS_CATEGORY, Purpose::MEMORY);
        let Some((by, k)) = self.revisions().transformation(of_memory, consent) else { return Ok(None) };
        let is_anonymised = |fact: &Remembered| {
            let ending = self.ending_of(fact, consent);
            fact.dropped_at.is_none() && ending.is_some_and(|ending| ending.action == RetentionAction::Anonymise)
        };
        let first = |keys: Vec<sayso_vault::KeyRef>| {
            keys.iter().any(|key| key.category == FACTS_CATEGORY && key.generation == 1)
        };
        if !self.remembers(consent) || !over.iter().all(is_anonymised) || !first(self.vault.keys_of(turn.id).await?) {
            return Ok(None);
        }
        if !self.may_be_counted(turn, now) {
            return Ok(None);
        }
        let counting = self.counting.lock().await;
        let class = class(turn.state.tenant.clone(), FACTS_CATEGORY, Purpose::MEMORY, over.len(), now);
        let [row, result] =
            [AnonymisedCountKey::of(&class, by.to_string()).key(), AnonymisedKey::of(&class, by.to_string()).key()];
        let mut found = self.store.read(&[row.clone(), result]).await?;
        if found.pop().flatten().is_some() {
            // the clock was set back: that month is over
            return Ok(None);
        }
        let counted = found.pop().flatten();
        let tally = match &counted {
            Some(stored) => Tally::decode(ANONYMISED_COUNT.decode(&stored.value).map_err(StoreError::from)?.1)?,
            None => Tally::default(),
        };
        let unchanged = counted.map_or(Condition::Absent, |stored| Condition::Version(stored.version));
        let tally = Tally { people: tally.people + 1, k: tally.k.max(k) };
        entry.require.push((row.clone(), unchanged));
        entry.ops.push(Op::Put(row, ANONYMISED_COUNT.encode(&tally.encode())));
        let step = AnonymisedStep::HandedOn;
        let handed_on = Anonymised { ending, category: FACTS_CATEGORY, step, people: 1, report: None };
        entry.events.push(turn.state.about(turn.id).event(Event::Anonymised(handed_on)));
        Ok(Some(counting))
    }

    /// Whether what `class` counts is switched off for the time being: it waits.
    fn is_off(&self, class: &Class) -> bool {
        let revisions = self.revisions();
        let registry = revisions.registry();
        registry.is_category_off(class.category) || registry.is_tenant_off(Some(&class.tenant))
    }

    /// Whether the policy lets what the person has remembered, as it is counted, into statistics: asked as at every gate, for
    /// each place of the node's own that may have it. A denial is on record.
    fn may_be_counted(&self, turn: &Subject, now: WallTime) -> bool {
        let (profile, revisions, state) = (self.profile(), self.revisions(), &turn.state.consent);
        let mut ask = Ask {
            subject: turn.id,
            turn: TurnId(0),
            purpose: Purpose::MEMORY,
            category: FACTS_CATEGORY,
            cv: state.cv,
            gate: Gate::Telemetry,
            processor: ProcessorId(Name::constant("store-local")),
        };
        let revs = (revisions.newest().rev(), revisions.registry().rev());
        let mut refused = Refused { reason: Reason::ProcessorState, revs };
        for place in profile.processors().filter(|one| one.kind == ProcessorKind::Database && one.is_own()) {
            ask.processor = place.id;
            let decision = revisions.decide_anonymised(&ask.question(now), state);
            match decision.answer {
                // what nobody agreed to is handed over on a grant, and not counted
                Ok(grounds) if grounds.exemption().is_none() => return true,
                Ok(_) => refused = Refused::by(&decision, Reason::NoBasis),
                Err(reason) => refused = Refused::by(&decision, reason),
            }
        }
        self.deny(turn, &ask, refused);
        false
    }

    /// Releases what was counted in months that are over, where enough people are alike, and erases the rest.
    pub(super) async fn release_what_is_counted(&self) -> Result<(), Error> {
        let _counting = self.counting.lock().await;
        let now = Month::of(self.clock.wall());
        let mut over = BTreeMap::<Key, (AnonymisedCountKey, Tallied)>::new();
        for (key, tally) in self.scan(AnonymisedCountKey::table(), ANONYMISED_COUNT, Tally::decode).await? {
            let counted = AnonymisedCountKey::parse(&key).map_err(StoreError::from)?;
            let class = counted.class()?;
            if class.month >= now || self.is_off(&class) {
                continue;
            }
            let result = AnonymisedKey::of(&class, counted.by.clone()).key();
            let (_, month) = over.entry(result).or_insert_with(|| (counted, Tallied::default()));
            month.classes.insert(class, tally.people);
            month.rows.push(key);
            month.k = month.k.max(tally.k);
        }
        for (result, (counted, month)) in over {
            self.journal.append(released(result, &counted, month)?).await?;
        }
        Ok(())
    }
}

/// What puts the result of `month` in the place of what was counted.
fn released(result: Key, counted: &AnonymisedCountKey, month: Tallied) -> Result<Entry, Error> {
    let Tallied { classes, rows, k } = month;
    let data = Transformation::named(&counted.by).and_then(|by| by.release(k, &classes));
    let body = Statistic::encode(k, data.as_ref());
    let (ending, category) = (Reference(SubjectId::random().0), counted.class()?.category);
    let mut entry = Entry::default();
    let mut tell = |step, people, report| {
        let told = Anonymised { ending, category, step, people, report };
        entry.events.push(About::default().event(Event::Anonymised(told)));
    };
    if let Some(data) = &data {
        tell(AnonymisedStep::Released, data.report().people, Some(Hash(Sha256::digest(&body).into())));
    }
    if data.as_ref().is_none_or(|data| data.classes().len() < classes.len()) {
        // how few they were is not told
        tell(AnonymisedStep::TooFew, 0, None);
    }
    entry.ops.extend(rows.into_iter().map(Op::Delete));
    entry.ops.push(Op::Put(result, ANONYMISED.encode(&body)));
    Ok(entry)
}
