//! [`State`]: everything that there is at one moment.

use std::collections::{BTreeMap, BTreeSet};

use super::message::Message;
use crate::state::{Consent, Cv};

/// One of two scopes of consent.
pub(crate) type Scope = usize;

/// A permit's name, which no other one has.
pub(crate) type Permit = u8;

/// Up to which version data of each scope is refused.
pub(crate) type Fences = [Cv; 2];

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// True time in ticks; nobody reads it.
    pub(crate) now: u8,
    /// In the store.
    pub(crate) consent: [Consent; 2],
    /// In the store: those permits that somebody may still be using.
    pub(crate) loans: BTreeMap<Permit, Loan>,
    /// Permits that were ever given.
    pub(crate) lent: u8,
    pub(crate) register: Register,
    pub(crate) service: Service,
    pub(crate) gateway: Gateway,
    pub(crate) network: BTreeSet<Message>,
    /// Withdrawals of each scope up to this version were answered with OK.
    pub(crate) okayed: Fences,
    /// Something of a withdrawn scope left after its OK.
    pub(crate) is_late: bool,
    /// Something was refused of a scope that nobody had withdrawn.
    pub(crate) is_overblocked: bool,
}

/// A permit as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Loan {
    pub(crate) scope: Scope,
    pub(crate) cv: Cv,
    /// The life of the service to which it was given.
    pub(crate) life: u8,
}

/// The process that owns the register. What it knows is lost with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Register {
    pub(crate) is_dead: bool,
    pub(crate) life: u8,
    /// Ticks that its clock is behind.
    pub(crate) lag: u8,
    pub(crate) holders: BTreeMap<Permit, Holder>,
    /// The withdrawal that it is at.
    pub(crate) turn: Option<Turn>,
    /// Up to where the gateway said that it refuses.
    pub(crate) fenced: Fences,
}

/// Whom the register knows to have a permit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Holder {
    /// When the permit is over for certain, by the register's clock.
    pub(crate) until: u8,
    pub(crate) is_revoked: bool,
}

/// A withdrawal, in the subject's turn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Turn {
    /// Which scopes it is of.
    pub(crate) scopes: [bool; 2],
    /// All holders were told.
    pub(crate) is_closed: bool,
}

/// The service outside of the node. One that takes no step is one that is stopped or slow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Service {
    pub(crate) is_dead: bool,
    pub(crate) life: u8,
    /// Ticks that its clock is behind.
    pub(crate) lag: u8,
    /// How often it has asked in this life.
    pub(crate) asks: u8,
    /// What it does with data of each scope.
    pub(crate) work: [Work; 2],
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Work {
    /// The question for a permit that it has no answer to.
    pub(crate) asked: Option<u8>,
    pub(crate) held: Option<Held>,
    /// Only where check and write are apart: checked, and not yet handed over.
    pub(crate) checked: Option<Cv>,
    /// Handed to the last buffer that the work has (a socket's), and not yet sent.
    pub(crate) buffered: Option<Cv>,
    /// Sent, and kept by the connection until it is acknowledged.
    pub(crate) unacknowledged: Option<Cv>,
}

/// A permit in use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) permit: Permit,
    pub(crate) cv: Cv,
    /// By the service's clock.
    pub(crate) until: u8,
    pub(crate) is_revoked: bool,
    /// The work is gone with its buffers.
    pub(crate) is_dropped: bool,
}

/// Who is the last to check, where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Gateway {
    pub(crate) life: u8,
    /// Lets data through.
    pub(crate) is_open: bool,
    pub(crate) fences: Fences,
    /// Has let something through in this life.
    pub(crate) has_sent: bool,
}

impl State {
    /// The person has agreed to both scopes, nobody has a permit, and the gateway has to read how things stand.
    pub(crate) fn first() -> Self {
        Self {
            now: 0,
            consent: [Consent::Given(1); 2],
            loans: BTreeMap::new(),
            lent: 0,
            register: Register::default(),
            service: Service::default(),
            gateway: Gateway::default(),
            network: BTreeSet::new(),
            okayed: [0; 2],
            is_late: false,
            is_overblocked: false,
        }
    }

    /// What the service reads on its clock.
    pub(crate) const fn service_clock(&self) -> u8 {
        self.now - self.service.lag
    }

    /// What the register reads on its clock.
    pub(crate) const fn register_clock(&self) -> u8 {
        self.now - self.register.lag
    }

    /// Whether the register waits for a holder of `scope`.
    pub(crate) fn waits(&self, scope: Scope) -> bool {
        self.register.holders.keys().any(|permit| self.loans.get(permit).is_some_and(|loan| loan.scope == scope))
    }

    /// Data of `scope` that came in under version `cv` leaves now.
    pub(crate) fn leaves(&mut self, scope: Scope, cv: Cv) {
        self.is_late |= cv <= self.okayed[scope];
    }
}
