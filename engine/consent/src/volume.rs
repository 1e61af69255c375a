//! How much goes to each processor, of each category, in a day of UTC, against what the policy declares
//! ([`Volume`]).
//!
//! ```text
//! a segment is to be opened ──▶ as much as one call may have is set aside of the day ── is it not there? ──▶ denied, alarm
//!                                  │ more is set aside than is stored? stored first
//!                                  ▼
//!                                a permit for so many bytes ── more are to go? ──▶ ended before they do, alarm
//!                                  │
//!                                  ▼
//!                                over: what went is counted, the rest is given back
//! ```
//!
//! So what goes in a day is within it whatever runs at the same time, and nothing is counted in common while data moves.
//! Whoever is started again, or takes over, takes all that was stored as gone: the day is not had a second time, and at worst a
//! 64th of it is lost, with what was set aside for calls that were cut off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sayso_policy::Profile;
use sayso_policy::profile::Volume;
use sayso_store::{Error as StoreError, Op, Store, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Category, Name, ProcessorId, WallTime};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::Error;
use crate::tables::{VOLUME, VolumeKey};

/// Why a call was ended or never begun, as the log says it: more would have gone than the policy declares.
pub(crate) const TOO_MUCH: &str = "too_much";

/// What part of a day is stored as set aside beyond what is: so many times a day somebody waits for that.
const AHEAD: u64 = 64;

pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// To whom, and what.
pub(crate) type To = (ProcessorId, Category);

/// What has gone to a processor today, of one category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeTo {
    /// To whom.
    pub processor: ProcessorId,
    /// What.
    pub category: Category,
    /// How much.
    pub went: Went,
    /// The most that may, as the policy declares.
    pub most: Volume,
    /// Bytes of the day that are not set aside; [`None`] where there is no limit.
    pub left: Option<u64>,
}

/// What has gone by some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Went {
    /// Calls that were begun.
    pub calls: u64,
    /// Bytes, of those that are over.
    pub bytes: u64,
    /// How often more would have gone than the policy declares, or has where nobody here could stop it.
    pub over: u64,
    /// Calls that were answered by something that is no answer.
    pub malformed: u64,
}

/// What is known of a day: in memory, and in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    went: Went,
    /// Bytes that went, or that running calls may yet have.
    taken: u64,
}

/// A row of the store, schema version 1: JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    day: u64,
    went: Went,
    taken: u64,
}

/// What goes where, today.
#[derive(Debug)]
pub(crate) struct Volumes {
    today: Mutex<Today>,
    is_over: watch::Sender<bool>,
    /// Held by whoever stores some of it.
    pub(crate) storing: AsyncMutex<()>,
}

#[derive(Debug)]
struct Today {
    /// Since 1970.
    day: u64,
    /// What it is, and what of it is stored.
    to: BTreeMap<To, (Count, Count)>,
}

/// Something that is to be stored.
pub(crate) struct Unstored {
    day: u64,
    to: To,
    count: Count,
}

impl Unstored {
    pub(crate) fn put(&self) -> Op {
        let (processor, category) = self.to;
        let key = VolumeKey { processor: processor.to_string(), category: category.to_string() };
        Op::Put(key.key(), VOLUME.encode(&encode(self.day, self.count.went, self.count.taken)))
    }
}

pub(crate) fn encode(day: u64, went: Went, taken: u64) -> Vec<u8> {
    serde_json::to_vec(&Stored { day, went, taken }).expect("plain values are JSON")
}

/// The most that may go there by each of `profiles`.
pub(crate) fn most<'a>(profiles: impl IntoIterator<Item = &'a Profile>, (processor, category): To) -> Volume {
    let declared = profiles.into_iter().map(|profile| {
        profile.processor(processor).and_then(|receiver| receiver.volume.get(&category)).copied().unwrap_or_default()
    });
    let least = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
    declared.fold(Volume::default(), |a, b| Volume {
        per_call: least(a.per_call, b.per_call),
        per_day: least(a.per_day, b.per_day),
    })
}

impl Volumes {
    /// What `store` says of the day that it is at `now`.
    pub(crate) async fn stored(store: &dyn Store, now: WallTime) -> Result<Self, Error> {
        let mut today = Today { day: now.0 / DAY_MS, to: BTreeMap::new() };
        let mut range = VolumeKey::table().into();
        loop {
            let page = store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let damaged = |found: String| Error::Damaged { what: "volume", found };
                let VolumeKey { processor, category } = VolumeKey::parse(&entry.key).map_err(StoreError::from)?;
                let named = |name: &str| Name::parse(name).map_err(|e| damaged(e.to_string()));
                let to = (ProcessorId(named(&processor)?), Category(named(&category)?));
                let (_, body) = VOLUME.decode(&entry.value).map_err(StoreError::from)?;
                let Stored { day, went, taken } =
                    serde_json::from_slice(body).map_err(|e| damaged(format!("column {}", e.column())))?;
                // a clock that was set back makes no day begin again
                today.turn_to(day);
                if day == today.day {
                    let count = Count { went, taken };
                    today.to.insert(to, (count, count));
                }
            }
            let Some(rest) = page.rest else { break };
            range = rest;
        }
        let is_over = watch::Sender::new(today.is_over());
        Ok(Self { today: Mutex::new(today), is_over, storing: AsyncMutex::default() })
    }

    /// Sets aside what one more call may have at most; [`None`] when that is more than is left of the day.
    pub(crate) fn set_aside(self: &Arc<Self>, to: To, most: Volume, now: WallTime) -> Option<Allowance> {
        let mut today = self.at(now);
        let (count, _) = today.to.entry(to).or_default();
        // the linter sees to it that whatever has a day's limit has a call's
        let bytes = most.per_day.and(most.per_call).unwrap_or_default();
        if most.per_day.is_some_and(|day| count.taken.saturating_add(bytes) > day) {
            return None;
        }
        count.taken += bytes;
        count.went.calls += 1;
        Some(Allowance { volumes: Arc::clone(self), to, day: today.day, bytes, is_used: false })
    }

    /// As much as is set aside already for what was begun before this process.
    pub(crate) fn resumed(self: &Arc<Self>, to: To, now: WallTime) -> Allowance {
        Allowance { volumes: Arc::clone(self), to, day: self.at(now).day, bytes: 0, is_used: true }
    }

    /// What has to be stored before anything of what is set aside is used, with what will be set aside next.
    pub(crate) fn ahead(&self, to: To, most: Volume) -> Option<Unstored> {
        let day = most.per_day?;
        let today = self.lock();
        let (count, stored) = today.to.get(&to)?;
        let ahead = Count { taken: count.taken.saturating_add(day / AHEAD).min(day), ..*count };
        (count.taken > stored.taken).then_some(Unstored { day: today.day, to, count: ahead })
    }

    /// What is not stored as it is. Where less is taken than is stored that stays so.
    pub(crate) fn unstored(&self, now: WallTime) -> Vec<Unstored> {
        let today = self.at(now);
        let changed = today.to.iter().filter_map(|(to, (count, stored))| {
            let count = Count { taken: count.taken.max(stored.taken), ..*count };
            (count != *stored).then_some(Unstored { day: today.day, to: *to, count })
        });
        changed.collect()
    }

    /// Goes on by what is stored now.
    pub(crate) fn are_stored(&self, rows: &[Unstored]) {
        let mut today = self.lock();
        for Unstored { day, to, count } in rows {
            if *day == today.day {
                today.to.entry(*to).or_default().1 = *count;
            }
        }
    }

    /// More would have gone, or has; whether that is the first time on the day that it is.
    pub(crate) fn overran(&self, to: To) -> bool {
        let mut today = self.lock();
        let (count, _) = today.to.entry(to).or_default();
        count.went.over += 1;
        let is_first = count.went.over == 1;
        drop(today);
        self.is_over.send_replace(true);
        is_first
    }

    /// What has gone today, and what may.
    pub(crate) fn counted(&self, profile: &Profile, now: WallTime) -> Vec<VolumeTo> {
        let today = self.at(now);
        let declared = profile.processors().flat_map(|one| one.volume.keys().map(move |category| (one.id, *category)));
        let mut all: BTreeMap<To, Count> = declared.map(|to| (to, Count::default())).collect();
        all.extend(today.to.iter().map(|(to, (count, _))| (*to, *count)));
        drop(today);
        let told = all.into_iter().map(|((processor, category), Count { went, taken })| {
            let most = most([profile], (processor, category));
            VolumeTo { processor, category, went, most, left: most.per_day.map(|day| day.saturating_sub(taken)) }
        });
        told.collect()
    }

    /// Whether more than may would have gone somewhere today.
    pub(crate) fn over(&self) -> watch::Receiver<bool> {
        self.is_over.subscribe()
    }

    /// The day that it is at `now`.
    fn at(&self, now: WallTime) -> MutexGuard<'_, Today> {
        let mut today = self.lock();
        if today.turn_to(now.0 / DAY_MS) {
            self.is_over.send_replace(false);
        }
        today
    }

    fn lock(&self) -> MutexGuard<'_, Today> {
        // nothing panics while it is held
        self.today.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Today {
    /// Begins `day`, if it is a later one: nothing has gone on it yet. Whether it is.
    fn turn_to(&mut self, day: u64) -> bool {
        let is_later = day > self.day;
        if is_later {
            *self = Self { day, to: BTreeMap::new() };
        }
        is_later
    }

    fn is_over(&self) -> bool {
        self.to.values().any(|(count, _)| count.went.over > 0)
    }
}

/// What is set aside of a day for one call, which counts for that day however long it takes. Whoever drops it unused gives it
/// back.
#[derive(Debug)]
pub(crate) struct Allowance {
    volumes: Arc<Volumes>,
    to: To,
    day: u64,
    bytes: u64,
    is_used: bool,
}

impl Allowance {
    /// How much it is.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// More would have gone by it, or has; whether that is the first time today.
    pub(crate) fn overran(&self) -> bool {
        self.volumes.overran(self.to)
    }

    /// The call is over, by which `bytes` went.
    pub(crate) fn used(mut self, bytes: u64, is_malformed: bool) {
        self.is_used = true;
        let volumes = Arc::clone(&self.volumes);
        let mut today = volumes.lock();
        if today.day == self.day {
            let (count, _) = today.to.entry(self.to).or_default();
            count.went.bytes += bytes;
            count.went.malformed += u64::from(is_malformed);
            count.taken = count.taken.saturating_add(bytes);
        }
        // given back without the lock
        drop(today);
    }
}

impl Drop for Allowance {
    fn drop(&mut self) {
        let mut today = self.volumes.lock();
        if today.day != self.day {
            return;
        }
        if let Some((count, _)) = today.to.get_mut(&self.to) {
            count.taken = count.taken.saturating_sub(self.bytes);
            count.went.calls -= u64::from(!self.is_used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to() -> To {
        ("cloud".parse().unwrap(), Category::TRANSCRIPT)
    }

    fn volumes() -> Arc<Volumes> {
        let today = Mutex::new(Today { day: 1, to: BTreeMap::new() });
        Arc::new(Volumes { today, is_over: watch::Sender::new(false), storing: AsyncMutex::default() })
    }

    const NOW: WallTime = WallTime(DAY_MS + 5);
    const MOST: Volume = Volume { per_call: Some(100), per_day: Some(640) };

    #[test]
    fn a_day_is_never_exceeded_whatever_runs_at_the_same_time() {
        let volumes = volumes();
        let mut running: Vec<_> = (0..6).map(|_| volumes.set_aside(to(), MOST, NOW).unwrap()).collect();
        assert!(volumes.set_aside(to(), MOST, NOW).is_none(), "the rest of the day is less than a call");
        running.pop().unwrap().used(40, false);
        drop(running.pop());
        let count = volumes.lock().to[&to()].0;
        assert_eq!((count.taken, count.went.bytes, count.went.calls), (440, 40, 5), "who gives it back has not called");
        assert!(volumes.set_aside(to(), MOST, NOW).is_some());
        let unlimited = volumes.set_aside(to(), Volume::default(), NOW).unwrap();
        unlimited.used(1_000, true);
        assert!(volumes.set_aside(to(), MOST, NOW).is_none(), "what went counts by whatever limit");
        running.into_iter().for_each(|allowance| allowance.used(100, false));
        assert_eq!(volumes.lock().to[&to()].0.went, Went { calls: 6, bytes: 1_440, over: 0, malformed: 1 });
    }

    #[test]
    fn what_is_stored_is_never_less_than_what_is_taken() {
        let volumes = volumes();
        assert!(volumes.ahead(to(), MOST).is_none(), "nothing is taken");
        let first = volumes.set_aside(to(), MOST, NOW).unwrap();
        let rows = [volumes.ahead(to(), MOST).unwrap()];
        assert_eq!(rows[0].count.taken, 110, "and a 64th of the day");
        volumes.are_stored(&rows);
        first.used(5, false);
        let second = volumes.set_aside(to(), MOST, NOW).unwrap();
        assert!(volumes.ahead(to(), MOST).is_none(), "there is enough: nobody waits");
        second.used(10, false);
        let third = volumes.set_aside(to(), MOST, NOW).unwrap();
        assert_eq!(volumes.ahead(to(), MOST).unwrap().count.taken, 125);
        drop(third);
        let rows = volumes.unstored(NOW);
        assert_eq!((rows[0].count.taken, rows[0].count.went.bytes), (110, 15));
        volumes.are_stored(&rows);
        assert!(volumes.unstored(NOW).is_empty());
        let all: Vec<_> = (0..6).map(|_| volumes.set_aside(to(), MOST, NOW).unwrap()).collect();
        assert_eq!(volumes.ahead(to(), MOST).unwrap().count.taken, 625);
        drop(all);
    }

    #[test]
    fn a_day_begins_with_nothing_and_none_begins_again() {
        let volumes = volumes();
        let yesterday = volumes.set_aside(to(), MOST, NOW).unwrap();
        assert!(volumes.overran(to()) && !volumes.overran(to()));
        assert!(*volumes.over().borrow());
        let tomorrow = WallTime(NOW.0 + DAY_MS);
        let today = volumes.set_aside(to(), MOST, tomorrow).unwrap();
        assert!(!*volumes.over().borrow());
        yesterday.used(90, false);
        today.used(7, false);
        let set_back = volumes.set_aside(to(), MOST, NOW).unwrap();
        let count = volumes.lock().to[&to()].0;
        assert_eq!((count.taken, count.went.bytes, count.went.calls), (107, 7, 2));
        drop(set_back);
    }

    #[test]
    fn of_two_revisions_the_one_that_declares_less_holds() {
        let text = |volume: &str| {
            let plain = include_str!("../tests/profile.toml");
            let (here, with) = ("{ id = \"whisper-local\",", format!("{{ id = \"whisper-local\", {volume}"));
            Profile::parse(&plain.replacen(here, &with, 1)).unwrap()
        };
        let one = text("volume = { voice_audio = { per_call = 10, per_day = 1_000 } },");
        let two = text("volume = { voice_audio = { per_call = 20 } },");
        let to = ("whisper-local".parse().unwrap(), Category::VOICE_AUDIO);
        assert_eq!(most([&two, &one, &text("")], to), Volume { per_call: Some(10), per_day: Some(1_000) });
        assert_eq!(most([&two, &text("")], to), Volume { per_call: Some(20), per_day: None });
    }
}
