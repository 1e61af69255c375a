//! [`Selfchecks`]: whether the log that processes say they have checked is this one.

use crate::Event;
use crate::export::Export;
use crate::leaf::Leaf;
use crate::merkle::Hash;

/// What a process that starts says of the log before it.
#[derive(Debug, Default)]
pub(super) struct Selfchecks {
    /// The log before its process said that the clock was set back, which it may say first.
    before: Option<(u64, Hash)>,
}

impl Selfchecks {
    /// Goes on by `leaf`, which is the next one of `log`; whether what it says of the log is so, if it says anything.
    pub(super) fn leaf(&mut self, leaf: &Leaf, log: &Export) -> bool {
        let is_so = match leaf.fact.event {
            Event::ClockAnomaly { .. } => {
                self.before.get_or_insert_with(|| (log.size(), log.root()));
                return true;
            }
            Event::SelfcheckPassed { size, root } => {
                (size == log.size() && root == log.root()) || self.before == Some((size, root))
            }
            _ => true,
        };
        self.before = None;
        is_so
    }
}
