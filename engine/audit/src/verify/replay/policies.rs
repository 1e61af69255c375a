//! [`Policies`]: which revisions of the policy were in force, and whether what rests on one of them may.

use std::collections::{BTreeMap, BTreeSet};

use super::people::Standing;
use crate::merkle::Hash;
use crate::verify::Rule;

/// The revisions that came into force so far.
#[derive(Debug, Default)]
pub(super) struct Policies(BTreeMap<u32, Hash>);

impl Policies {
    /// Goes on by a profile that comes into force as revision `rev`; whether it is the one of that number, and none came into
    /// force that is newer.
    pub(super) fn effective(&mut self, rev: u32, profile: Hash) -> bool {
        let is_newest = self.newest().is_none_or(|newest| newest <= rev);
        *self.0.entry(rev).or_insert(profile) == profile && is_newest
    }

    /// The newest revision; [`None`] while the log tells of none.
    pub(super) fn newest(&self) -> Option<u32> {
        self.0.last_key_value().map(|(rev, _)| *rev)
    }

    /// Whether revision `rev` is the newest, as far as the log tells of any.
    pub(super) fn is_newest(&self, rev: u32) -> bool {
        self.newest().is_none_or(|newest| newest <= rev)
    }

    /// What is wrong with opening a segment under revision `rev`, for a purpose that stands so with the person: the newest
    /// governs everybody but those who agreed to an older one.
    pub(super) fn broken_by(&self, rev: u32, standing: Option<Standing>) -> Option<Rule> {
        if self.0.is_empty() {
            return None;
        }
        if !self.0.contains_key(&rev) {
            return Some(Rule::UnderNoRevision);
        }
        let is_agreed = matches!(standing, Some(Standing::Given { rev: agreed, .. }) if agreed == rev);
        (!self.is_newest(rev) && !is_agreed).then_some(Rule::UnderOtherRevision)
    }

    /// The hashes of the profiles, in hexadecimal.
    pub(super) fn hashes(&self) -> BTreeSet<String> {
        self.0.values().map(Hash::to_string).collect()
    }
}
