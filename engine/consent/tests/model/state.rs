//! [`State`]: everything that there is at one moment.

use std::collections::BTreeSet;

use crate::message::Message;

/// One of the two processes that have the store open.
pub(crate) type Id = usize;

/// A process from a start to its end: which, and the how manyth life of it.
pub(crate) type Life = (Id, u8);

/// A consent version.
pub(crate) type Cv = u8;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// True time in ticks; nobody reads it.
    pub(crate) now: u8,
    pub(crate) store: Store,
    pub(crate) processes: [Process; 2],
    pub(crate) network: BTreeSet<Message>,
    /// Withdrawals up to this version were answered with OK.
    pub(crate) okayed: Cv,
    /// Something of a withdrawn scope left after its OK.
    pub(crate) is_late: bool,
}

/// The one store, linearizable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Store {
    /// The version of the record of who owns the register.
    pub(crate) record: u8,
    /// Who owns it; nobody when it was given back.
    pub(crate) owner: Option<Id>,
    /// How often the log was opened: whoever opened it before writes no more.
    pub(crate) log: u8,
    /// Consent to the one scope that there is.
    pub(crate) consent: Consent,
}

/// How consent to a scope stands, and under which version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Consent {
    Given(Cv),
    Withdrawing(Cv),
    Withdrawn(Cv),
}

impl Consent {
    /// What it must be for a change to this to apply.
    pub(crate) const fn before(self) -> Self {
        match self {
            Self::Given(cv) => Self::Withdrawn(cv - 1),
            Self::Withdrawing(cv) => Self::Given(cv - 1),
            Self::Withdrawn(cv) => Self::Withdrawing(cv),
        }
    }

    /// The newest version that is withdrawn: data of this one and older must not leave.
    pub(crate) const fn fence(self) -> Cv {
        match self {
            Self::Given(cv) => cv - 1,
            Self::Withdrawing(cv) | Self::Withdrawn(cv) => cv,
        }
    }
}

/// A process. One that takes no step is one that is stopped or slow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    pub(crate) is_dead: bool,
    pub(crate) life: u8,
    /// Ticks that its clock is behind.
    pub(crate) lag: u8,
    /// What it saw of somebody else's record, and since when by its own clock.
    pub(crate) seen: Option<(u8, u8)>,
    /// Until when it owns the register, by its own clock.
    pub(crate) tenure: Option<u8>,
    /// The record's version that its tenure rests on.
    pub(crate) record: u8,
    /// The opening of the log that was its own.
    pub(crate) log: Option<u8>,
    /// A piece of speech in front of the gate, by the consent version it came in under.
    pub(crate) front: Option<Cv>,
    /// The permit, and the work that holds it.
    pub(crate) lease: Lease,
    /// Only where check and write are apart: checked, and not yet handed over.
    pub(crate) checked: Option<Cv>,
    /// Handed to the last buffer that the work has (a socket's), and not yet sent.
    pub(crate) buffered: Option<Cv>,
    /// Sent, and kept by the connection until the receiver has acknowledged it.
    pub(crate) unacknowledged: Option<Cv>,
    /// The withdrawal that it is at, in the subject's turn.
    pub(crate) withdrawal: Option<Withdrawal>,
}

/// A permit and its holder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Lease {
    #[default]
    None,
    /// Consent was read, and the permit is not yet issued.
    Asked(Cv),
    Held {
        cv: Cv,
        until: u8,
        is_revoked: bool,
        /// The work that held it is gone with its buffers.
        is_dropped: bool,
    },
}

/// How far a withdrawal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Withdrawal {
    pub(crate) cv: Cv,
    /// What is known to be on record of it.
    pub(crate) recorded: Recorded,
    /// The gates were closed.
    pub(crate) is_closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Recorded {
    Nothing,
    Requested,
    Effective,
}

impl State {
    /// Process 0 owns the register, process 1 stands by, and the person has agreed.
    pub(crate) fn first(lasts: u8) -> Self {
        let owner = Process { tenure: Some(lasts), record: 1, log: Some(1), ..Process::default() };
        Self {
            now: 0,
            store: Store { record: 1, owner: Some(0), log: 1, consent: Consent::Given(1) },
            processes: [owner, Process::default()],
            network: BTreeSet::new(),
            okayed: 0,
            is_late: false,
        }
    }

    /// What process `id` reads on its clock.
    pub(crate) fn clock(&self, id: Id) -> u8 {
        self.now - self.processes[id].lag
    }

    /// Process `id` in its present life.
    pub(crate) fn life(&self, id: Id) -> Life {
        (id, self.processes[id].life)
    }

    /// Data that came in under version `cv` leaves now.
    pub(crate) fn leaves(&mut self, cv: Cv) {
        self.is_late |= cv <= self.okayed;
    }

    /// Forgets messages that can have no effect any more, so that states that go on alike are one.
    pub(crate) fn tidy(&mut self) {
        let Self { store, processes, network, .. } = self;
        let of = |(id, life): Life| Some(&processes[id]).filter(|process| !process.is_dead && process.life == life);
        network.retain(|message| match *message {
            Message::Keep { read, .. } | Message::Leave { read, .. } => store.record == read,
            Message::Kept { by, read, .. } => {
                of(by).is_some_and(|process| process.record <= read && process.tenure != Some(0))
            }
            Message::Open { read, .. } => store.log == read,
            Message::Opened { by, .. } => of(by).is_some_and(|process| process.log.is_none()),
            Message::Change { log, to, .. } => store.log == log && store.consent == to.before(),
            Message::Changed { by, to } => of(by).and_then(|p| p.withdrawal).is_some_and(|at| match to {
                Consent::Given(_) => false,
                Consent::Withdrawing(cv) => at.cv == cv && at.recorded == Recorded::Nothing,
                Consent::Withdrawn(cv) => at.cv == cv && at.recorded != Recorded::Effective,
            }),
        });
    }
}
