//! [`Protocol`]: the steps that there are, as the code takes them, and as seven broken codes would.

mod possible;
mod taken;

use stateright::{Model, Property};

use crate::state::State;
use crate::step::Step;

/// Ticks that a tenure lasts after it was asked for.
const LASTS: u8 = 2;

/// Ticks that clocks drift apart at most within the modelled time, and so how much longer than [`LASTS`] a standby waits.
const DRIFT: u8 = 1;

/// What a mutant leaves out or does wrong: the numbers are those of the cargo features of the implementation's mutants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// M1: a withdrawal takes no permit back and waits for nobody.
    NothingTakenBack,
    /// M2: permits are taken back, and OK does not wait until their holders have let go.
    NoWait,
    /// M3: a holder says that it has let go before its buffers are gone.
    ReleaseBeforeDrop,
    /// M4: a standby takes over as soon as the tenure is over by its own clock.
    NoMargin,
    /// M5: a standby takes over without waiting for the tenure's end.
    NoFencing,
    /// M6: what was sent and not acknowledged is kept behind the gate, and sent again from there.
    ReplayBehindGate,
    /// M7: the check and the handing over are two steps.
    CheckApartFromWrite,
}

/// When a standby may take over from an owner that has not given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takeover {
    /// When its tenure has run out: a process that was stopped in the midst of a write is not waited for.
    Expired,
    /// Only when its process is known to have ended.
    Confirmed,
}

/// The protocol, whole or broken.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    pub(crate) mutant: Option<Mutant>,
    pub(crate) takeover: Takeover,
    /// A killed process's connections are reset: what the kernel has not sent yet never leaves.
    pub(crate) resets_when_killed: bool,
    pub(crate) bounds: Bounds,
}

/// How much of it is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// Ticks.
    pub(crate) time: u8,
    /// Times that the record of the owner is written.
    pub(crate) record: u8,
    /// Times that each process is killed and started again.
    pub(crate) restarts: u8,
    /// The last consent version.
    pub(crate) cv: u8,
    /// Connections break, and what was not acknowledged is sent again.
    pub(crate) resends: bool,
}

impl Bounds {
    /// A takeover, with a tick for the margin, and an agreement after the withdrawal.
    pub(crate) const TAKEOVER: Self = Self { time: 3, record: 2, restarts: 0, cv: 3, resends: true };

    /// Restarts and what is given back, at one moment: whoever starts again waits for nobody's end.
    pub(crate) const RESTART: Self = Self { time: 0, record: 3, restarts: 1, ..Self::TAKEOVER };

    /// A takeover, and one withdrawal: enough for what is broken to show.
    pub(crate) const BRIEF: Self = Self { cv: 2, ..Self::TAKEOVER };

    /// One process and one withdrawal: where it takes no other for something to be broken.
    pub(crate) const ALONE: Self = Self { time: 0, record: 1, ..Self::BRIEF };

    /// Both, and one withdrawal.
    pub(crate) const BOTH: Self = Self { restarts: 1, cv: 2, resends: false, ..Self::TAKEOVER };
}

impl Protocol {
    /// The protocol as it is.
    pub(crate) const fn whole(bounds: Bounds) -> Self {
        let takeover = Takeover::Expired;
        Self { mutant: None, takeover, resets_when_killed: true, bounds }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(LASTS)]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        self.possible(state, steps);
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = last.clone();
        self.take(&mut next, step)?;
        next.tidy();
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        crate::properties::all()
    }
}
