//! [`Cache`]: keys of people as they are used, so that a record does not cost a reading of the key store.

use core::fmt;
use std::sync::Arc;

use quick_cache::unsync;
use sayso_types::SubjectId;

use crate::subject::SubjectKeys;

/// People whose keys are held at once: about those who talk at the same time, at a few hundred bytes each.
const SUBJECTS_MAX: usize = 10_000;

/// Bounded; what falls out is wiped as soon as nobody uses it.
pub(super) struct Cache {
    keys: unsync::Cache<SubjectId, Arc<SubjectKeys>>,
    /// Counts what was forgotten.
    epoch: u64,
}

impl Cache {
    /// The keys of `subject`, if they are held.
    pub(super) fn get(&mut self, subject: SubjectId) -> Option<Arc<SubjectKeys>> {
        self.keys.get(&subject).cloned()
    }

    /// To be asked before keys are read that are to be [held](Self::insert).
    pub(super) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Holds `keys`, unless something was forgotten since `epoch`: they may be what was. Then it holds none of `subject`, because
    /// what it held may be older than they are, and not know of a key that was made just now.
    pub(super) fn insert(&mut self, subject: SubjectId, keys: &Arc<SubjectKeys>, epoch: u64) {
        if epoch == self.epoch {
            self.keys.insert(subject, Arc::clone(keys));
        } else {
            self.keys.remove(&subject);
        }
    }

    /// Wipes the keys of `subject`, also those that somebody is about to insert.
    pub(super) fn forget(&mut self, subject: SubjectId) {
        self.epoch += 1;
        self.keys.remove(&subject);
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self { keys: unsync::Cache::new(SUBJECTS_MAX), epoch: 0 }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({} of {SUBJECTS_MAX})", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_were_read_before_something_was_forgotten_are_not_held() {
        let (mut cache, anna) = (Cache::default(), SubjectId([1; 16]));
        let keys = Arc::new(SubjectKeys::new(1));
        let epoch = cache.epoch();
        cache.forget(anna);
        cache.insert(anna, &keys, epoch);
        assert!(cache.get(anna).is_none());
        cache.insert(anna, &keys, cache.epoch());
        assert!(cache.get(anna).is_some());
        cache.forget(anna);
        assert!(cache.get(anna).is_none());
        assert_eq!(Arc::strong_count(&keys), 1, "it holds no other");
    }

    #[test]
    fn keys_that_are_older_than_what_was_made_meanwhile_are_not_held() {
        let (mut cache, anna, ben) = (Cache::default(), SubjectId([1; 16]), SubjectId([2; 16]));
        cache.insert(anna, &Arc::new(SubjectKeys::new(1)), cache.epoch());
        // a key is made for anna while somebody else is forgotten
        let epoch = cache.epoch();
        cache.forget(ben);
        cache.insert(anna, &Arc::new(SubjectKeys::new(1)), epoch);
        assert!(cache.get(anna).is_none(), "they are read anew");
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let mut cache = Cache::default();
        for n in 0..2 * SUBJECTS_MAX as u128 {
            let epoch = cache.epoch();
            cache.insert(SubjectId(n.to_be_bytes()), &Arc::new(SubjectKeys::new(1)), epoch);
        }
        assert!(cache.keys.len() <= SUBJECTS_MAX);
    }
}
