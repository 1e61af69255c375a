//! [`Hold`]: what a law demands to be kept, whatever else ends it.

use sayso_audit::{Hash, Reference};
use sayso_types::{Category, SubjectId, WallTime};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;

/// Holds at once. Each is looked at before anything ends; an order names people and cases, and what concerns everybody for
/// long is a rule of the profile.
pub const HOLDS_MAX: usize = 256;

/// Bytes of the words that name a law, and of the name of whoever set a hold.
pub const WORDS_MAX: usize = 200;

/// Nothing in its scope ends or is erased for as long as it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Which.
    pub id: Reference,
    /// What was ordered.
    pub order: HoldOrder,
    /// Since when.
    pub set_at: WallTime,
}

/// What somebody orders to be kept. The stored form, schema version 1, is JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldOrder {
    /// Whose data; [`None`] is everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectId>,
    /// Which data; [`None`] is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The law that demands it, and the order that says so.
    pub law: String,
    /// Who set it.
    pub by: String,
    /// Until when; [`None`] is until it is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<WallTime>,
}

/// Why a hold was not set, or not released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// No law, or too many words.
    #[error("law: name the law that demands the hold, and the order that says so, in at most {WORDS_MAX} bytes")]
    Law,
    /// The name of whoever sets it is too long.
    #[error("by: name who sets the hold in at most {WORDS_MAX} bytes")]
    By,
    /// Its time is over.
    #[error("until: that moment is past; give a later one, or none")]
    Until,
    /// Too many.
    #[error("{HOLDS_MAX} holds are set; release one first")]
    TooMany,
    /// No such hold.
    #[error("there is no such hold; list those that are set")]
    Unknown,
}

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(flatten)]
    order: HoldOrder,
    set_at: WallTime,
}

impl HoldOrder {
    /// Whether it may be set at `now`.
    ///
    /// # Errors
    /// [`HoldError`] says what is wrong with it.
    pub fn check(&self, now: WallTime) -> Result<(), HoldError> {
        if self.law.trim().is_empty() || self.law.len() > WORDS_MAX {
            return Err(HoldError::Law);
        }
        if self.by.len() > WORDS_MAX {
            return Err(HoldError::By);
        }
        if self.until.is_some_and(|until| until <= now) { Err(HoldError::Until) } else { Ok(()) }
    }

    /// What the leaf `legal_hold.set` holds of the law: SHA-256 of its words.
    #[must_use]
    pub fn law_hash(&self) -> Hash {
        Hash(Sha256::digest(&self.law).into())
    }
}

impl Hold {
    /// Whether it keeps anything of `category` ([`None`]: of any) of `subject` at `now`.
    #[must_use]
    pub fn keeps(&self, subject: SubjectId, category: Option<Category>, now: WallTime) -> bool {
        let Self { order, .. } = self;
        let is_theirs = order.subject.is_none_or(|one| one == subject);
        let is_it = order.category.is_none_or(|one| category.is_none_or(|other| one == other));
        is_theirs && is_it && !self.is_over(now)
    }

    /// Whether its time is over at `now`.
    #[must_use]
    pub fn is_over(&self, now: WallTime) -> bool {
        self.order.until.is_some_and(|until| until <= now)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let body = Body { order: self.order.clone(), set_at: self.set_at };
        serde_json::to_vec(&body).expect("plain values are JSON")
    }

    /// The hold `id` that is stored as `body`.
    pub(crate) fn decode(id: &[u8], body: &[u8]) -> Result<Self, Error> {
        let damaged = |found: String| Error::Damaged { what: "legal hold", found };
        let id = id.try_into().map_err(|_| damaged(format!("an id of {} bytes", id.len())))?;
        let Body { order, set_at } = serde_json::from_slice(body)
            .map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
        Ok(Self { id: Reference(id), order, set_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: SubjectId = SubjectId([1; 16]);
    const BEN: SubjectId = SubjectId([2; 16]);
    const NOW: WallTime = WallTime(1_000);

    fn order() -> HoldOrder {
        let law = "cn-cpl:67, order 2026/17".to_owned();
        HoldOrder { subject: None, category: None, law, by: "admin:legal".to_owned(), until: None }
    }

    fn keeps(order: HoldOrder, subject: SubjectId, category: Option<Category>) -> bool {
        Hold { id: Reference([3; 16]), order, set_at: NOW }.keeps(subject, category, NOW)
    }

    #[test]
    fn keeps_what_is_in_its_scope_for_its_time() {
        let (memory, voice) = (Some(Category::MEMORY_SUMMARY), Some(Category::VOICE_AUDIO));
        assert!(keeps(order(), ANNA, memory) && keeps(order(), BEN, None));
        let annas = HoldOrder { subject: Some(ANNA), ..order() };
        assert!(keeps(annas.clone(), ANNA, memory) && !keeps(annas, BEN, memory));
        let of_memory = HoldOrder { category: memory, ..order() };
        assert!(keeps(of_memory.clone(), ANNA, memory) && keeps(of_memory.clone(), ANNA, None));
        assert!(!keeps(of_memory, ANNA, voice));
        assert!(!keeps(HoldOrder { until: Some(NOW), ..order() }, ANNA, memory));
        assert!(keeps(HoldOrder { until: Some(WallTime(NOW.0 + 1)), ..order() }, ANNA, memory));
    }

    #[test]
    fn says_what_is_wrong_with_an_order() {
        assert_eq!(order().check(NOW), Ok(()));
        let long = "x".repeat(WORDS_MAX + 1);
        for (wrong, why) in [
            (HoldOrder { law: " ".to_owned(), ..order() }, HoldError::Law),
            (HoldOrder { law: long.clone(), ..order() }, HoldError::Law),
            (HoldOrder { by: long, ..order() }, HoldError::By),
            (HoldOrder { until: Some(NOW), ..order() }, HoldError::Until),
        ] {
            assert_eq!(wrong.check(NOW), Err(why));
        }
    }
}
