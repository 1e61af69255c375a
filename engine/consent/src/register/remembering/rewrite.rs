//! [`Rewrite`]: what puts facts in the place of others.

use sayso_policy::Reason;
use sayso_store::{Condition, Key, Op};

use crate::Entry;
use crate::journal::Noted;

/// A new row of facts in the place of the one before, when it is looked at, and the leaf of what was not there before.
pub(super) struct Rewrite {
    pub(super) require: (Key, Condition),
    pub(super) ops: Vec<Op>,
    pub(super) event: Option<Noted>,
}

impl Rewrite {
    /// Has `entry` do it.
    pub(super) fn within(self, mut entry: Entry) -> Entry {
        entry.require.push(self.require);
        entry.ops.extend(self.ops);
        entry.events.extend(self.event);
        entry
    }
}

/// Why facts are not put in the place of others.
pub(super) enum NotRewritten {
    /// A legal hold keeps too much of what is dropped.
    Held,
    /// Nothing may be stored that was not there before.
    Denied(Reason),
}
