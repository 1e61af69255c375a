//! [`Registry`]: what has become of processors since the profile was written.

use std::collections::BTreeMap;

use sayso_types::ProcessorId;

/// The processors that may have less than the profile says, as of one revision. A processor that is not in it has what
/// the profile gives it: the registry takes away and never gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    rev: u64,
    narrowed: BTreeMap<ProcessorId, Narrowed>,
}

/// What a processor may no longer have, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Narrowed {
    /// As many people's sensitive data went there this year as may without an assessment by the authority: nothing
    /// about anybody goes there.
    TransferLimitReached,
    /// Its due diligence has run out, whatever date the profile has: nothing goes there.
    DueDiligenceExpired,
    /// Suspended: nothing goes there for the time being.
    Suspended,
    /// Terminated: nothing goes there again.
    Terminated,
}

impl Narrowed {
    /// Whether nothing at all may go there.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        !matches!(self, Self::TransferLimitReached)
    }
}

impl Registry {
    /// The registry at revision `rev`. What is said twice of a processor holds at its strictest.
    pub fn new(rev: u64, narrowed: impl IntoIterator<Item = (ProcessorId, Narrowed)>) -> Self {
        let mut registry = Self { rev, narrowed: BTreeMap::new() };
        for (processor, narrowed) in narrowed {
            let held = registry.narrowed.entry(processor).or_insert(narrowed);
            *held = narrowed.max(*held);
        }
        registry
    }

    /// The revision: goes up with every change.
    #[must_use]
    pub const fn rev(&self) -> u64 {
        self.rev
    }

    /// What `processor` may no longer have, if anything.
    #[must_use]
    pub fn narrowed(&self, processor: ProcessorId) -> Option<Narrowed> {
        self.narrowed.get(&processor).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_holds() {
        let asr: ProcessorId = "asr".parse().unwrap();
        let both = [(asr, Narrowed::Suspended), (asr, Narrowed::TransferLimitReached)];
        let registry = Registry::new(3, both);
        assert_eq!((registry.rev(), registry.narrowed(asr)), (3, Some(Narrowed::Suspended)));
        assert_eq!(Registry::new(3, both.into_iter().rev()), registry);
        assert_eq!(registry.narrowed("llm".parse().unwrap()), None);
        assert_eq!(Registry::default().rev(), 0);
    }

    #[test]
    fn only_the_limit_leaves_a_way_for_what_is_about_nobody() {
        use Narrowed::*;
        for (narrowed, closed) in
            [(TransferLimitReached, false), (DueDiligenceExpired, true), (Suspended, true), (Terminated, true)]
        {
            assert_eq!(narrowed.is_closed(), closed, "{narrowed:?}");
        }
    }
}
