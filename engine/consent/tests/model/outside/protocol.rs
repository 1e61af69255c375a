//! [`Protocol`]: the steps that there are, as the code takes them, and as broken codes would.

mod delivered;
mod possible;
mod served;
mod taken;
mod tidied;
mod withdrawn;

use stateright::{Model, Property};

use super::state::State;
use super::step::Step;

/// Ticks that a permit lasts after it was asked for.
const LASTS: u8 = 1;

/// Ticks that clocks drift apart at most within the modelled time, and so how much longer than [`LASTS`] the register waits.
const DRIFT: u8 = 1;

/// What is left out or done wrong. The first seven are those of the [processes' model](crate::protocol::Mutant), where
/// messages are lost on the way between register and holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// M1: a withdrawal takes no permit back and waits for nobody.
    NothingTakenBack,
    /// M2: permits are taken back, and OK does not wait until their holders have let go.
    NoWait,
    /// M3: a holder says that it has let go before its buffers are gone.
    ReleaseBeforeDrop,
    /// M4: a permit counts as over as soon as its time is by the register's clock.
    NoMargin,
    /// M5: a register that is started again waits for no holder of before.
    NoFencing,
    /// M6: what was sent and not acknowledged is kept behind the gate, and sent again from there.
    ReplayBehindGate,
    /// M7: the check and the handing over are two steps.
    CheckApartFromWrite,
    /// Who has let go of one permit counts as having let go of whichever there is of the scope.
    NamelessLetGo,
    /// Withdrawing one scope takes back the permits of both.
    ClosesBoth,
    /// A gateway that was started again knows of what it knew at first, and opens.
    OpensUnread,
    /// A gateway takes the answer to a question of an earlier life of its own.
    TakesOldAnswers,
}

/// What ends a permit of whose holder nothing is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// An operator alone, who made sure that the holder is gone.
    Strict,
    /// That its time is over.
    Expiry,
    /// The same, where something that does not depend on the holder has ended the work by then.
    Watchdog,
}

/// The protocol, whole or broken.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    pub(crate) mutant: Option<Mutant>,
    pub(crate) silence: Silence,
    /// Another process stands between the service and the receiver, and checks the consent version again. OK waits for it, and
    /// not for the service.
    pub(crate) has_gateway: bool,
    pub(crate) bounds: Bounds,
}

/// How much of it is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// Ticks.
    pub(crate) time: u8,
    /// Permits that are given.
    pub(crate) permits: u8,
    /// Times that register, service and gateway are killed and started again, each.
    pub(crate) restarts: u8,
    /// The last consent version of each scope.
    pub(crate) cv: [u8; 2],
    /// Connections break, and what was not acknowledged is sent again.
    pub(crate) resends: bool,
}

impl Bounds {
    /// Both scopes are withdrawn, apart or together, and everything is started again.
    pub(crate) const SCOPES: Self = Self { time: 0, permits: 2, restarts: 1, cv: [2, 2], resends: false };

    /// One scope is withdrawn, agreed to again and permitted again, while the other one goes on.
    pub(crate) const AGAIN: Self = Self { cv: [3, 1], restarts: 0, resends: true, ..Self::SCOPES };

    /// One scope is withdrawn, and the other one's data goes on through the gateway.
    pub(crate) const GATEWAY: Self = Self { permits: 1, cv: [2, 1], ..Self::SCOPES };

    /// Permits run out.
    pub(crate) const TERMS: Self = Self { time: 4, ..Self::GATEWAY };
}

impl Protocol {
    /// The protocol as it is.
    pub(crate) const fn whole(bounds: Bounds) -> Self {
        Self { mutant: None, silence: Silence::Strict, has_gateway: false, bounds }
    }

    /// The same, where a gateway is the last to check.
    pub(crate) const fn with_gateway(bounds: Bounds) -> Self {
        Self { has_gateway: true, ..Self::whole(bounds) }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::first()]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        self.possible(state, steps);
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = last.clone();
        self.take(&mut next, step)?;
        self.tidy(&mut next);
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        super::properties::all()
    }
}
