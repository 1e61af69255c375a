//! [`Acknowledged`]: which replicas have said of an erasure that they hold nothing of it any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::Reference;
use crate::event::Replica;

/// The replicas that have said so, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Acknowledged(BTreeMap<Reference, (BTreeSet<u64>, u64)>);

impl Acknowledged {
    /// `replica` has said so of `erasure`; [`None`] is a store that is in one place.
    pub(super) fn by(&mut self, erasure: Reference, replica: Option<Replica>) {
        let Replica { node, of } = replica.unwrap_or(Replica { node: 0, of: 1 });
        let (nodes, most) = self.0.entry(erasure).or_default();
        nodes.insert(node);
        *most = of.max(*most);
    }

    /// Whether each of them has, now that `erasure` is certified.
    pub(super) fn is_by_all(&mut self, erasure: Reference) -> bool {
        self.0.remove(&erasure).is_some_and(|(nodes, of)| nodes.len() as u64 >= of)
    }
}
