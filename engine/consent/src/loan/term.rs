//! [`Term`]: when a loan is over whatever its holder does, as this node sees it.

use core::time::Duration;

use sayso_types::Mono;

/// How much longer a node waits than a holder may use what it has, as a part of that time. No clock is compared with
/// another's; their rates would have to differ by a seventh, as for a [`Tenure`](crate::Tenure), and those of machines
/// differ by less than a thousandth.
const MARGIN: u32 = 6;

/// When a loan is over.
///
/// Its holder counts the time that it was given from before it asked; the node from when it had been asked, and a part
/// longer. So the node takes it to be over after its holder has to, however long the question and the answer travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    over: Mono,
}

impl Term {
    /// That of a loan which was asked for at `asked_at` and given for `lasts`.
    pub(crate) fn new(asked_at: Mono, lasts: Duration) -> Self {
        Self { over: asked_at.after(lasts).after(lasts / MARGIN) }
    }

    /// That with a renewal besides: the later of the two, because the holder may have heard of either.
    pub(crate) fn renewed(self, asked_at: Mono, lasts: Duration) -> Self {
        Self { over: self.over.max(Self::new(asked_at, lasts).over) }
    }

    /// How long until nobody can be using it any more.
    pub(crate) fn left(self, now: Mono) -> Duration {
        self.over.since(now)
    }

    /// Whether nobody can be using it any more.
    pub(crate) fn is_over(self, now: Mono) -> bool {
        now >= self.over
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    proptest! {
        /// A holder whose clock runs slow by as much as is allowed for, and whose messages take any time at all, has stopped
        /// when the node takes its loan to be over.
        #[test]
        fn a_node_never_takes_a_loan_to_be_over_before_its_holder_does(
            sent in 0..1_000 * SECOND,
            travelled in 0..100 * SECOND,
            lasts in SECOND / 1_000..60 * SECOND,
            slow_per_thousand in 0..=142_u64,
            again in proptest::option::of((0..100 * SECOND, 0..100 * SECOND)),
        ) {
            let given = Duration::from_nanos(lasts);
            let mut term = Term::new(Mono(sent + travelled), given);
            // in real time, which the node's clock is taken to show, a slow clock counts `lasts` later
            let counted = |from: u64| from + (u128::from(lasts) * 1_000 / u128::from(1_000 - slow_per_thousand)) as u64;
            let mut stops = counted(sent);
            if let Some((later, travelled)) = again {
                term = term.renewed(Mono(sent + later + travelled), given);
                stops = stops.max(counted(sent + later));
            }
            prop_assert!(!term.is_over(Mono(stops - 1)));
        }
    }

    #[test]
    fn a_term_ends_and_a_renewal_never_shortens_it() {
        let term = Term::new(Mono(0), Duration::from_secs(6));
        assert!(!term.is_over(Mono(7 * SECOND - 1)) && term.is_over(Mono(7 * SECOND)));
        assert_eq!(term.renewed(Mono(0), Duration::from_secs(1)), term);
        assert!(!term.renewed(Mono(6 * SECOND), Duration::from_secs(6)).is_over(Mono(13 * SECOND - 1)));
    }
}
