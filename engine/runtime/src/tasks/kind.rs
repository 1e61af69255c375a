//! [`TaskKind`]: what a task is for, and so what happens when it is cancelled or fails.

use std::fmt;

/// What sort of task it is. The kind, not the caller, decides how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskKind {
    /// Accepts connections on an address (QUIC, gRPC, metrics). It closes its socket when asked; without it the
    /// process serves nobody, so its failure ends the process.
    Listener,
    /// Serves one connection. It says goodbye when asked; its failure is that connection's only.
    Connection,
    /// One call of a turn: recognition, dialogue, synthesis. Nobody needs its result once the session is gone, so it
    /// is aborted; its failure was told to the session.
    Call,
    /// Writes what others were or will be told is durable. It finishes what it has; its failure ends the process,
    /// because nothing may be acknowledged any more.
    Storage,
    /// Looks after something at intervals: retention, passivation, samples for metrics. It is aborted anywhere;
    /// a failure is logged and the process lives.
    Upkeep,
    /// Part of a client in this process, such as a device's microphone. It is aborted; its failure is that client's.
    Client,
}

/// What shutdown does to a running task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCancel {
    /// Waits, within the deadline, until it has ended by itself.
    Wait,
    /// Drops it at its next await point.
    Abort,
}

/// What follows when a task returns an error or panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// It is logged and counted.
    Log,
    /// It is logged and counted, and the process is asked to shut down.
    Shutdown,
}

impl TaskKind {
    /// What shutdown does to it.
    #[must_use]
    pub const fn on_cancel(self) -> OnCancel {
        match self {
            Self::Listener | Self::Connection | Self::Storage => OnCancel::Wait,
            Self::Call | Self::Upkeep | Self::Client => OnCancel::Abort,
        }
    }

    /// What its failure means.
    #[must_use]
    pub const fn on_failure(self) -> OnFailure {
        match self {
            Self::Listener | Self::Storage => OnFailure::Shutdown,
            Self::Connection | Self::Call | Self::Upkeep | Self::Client => OnFailure::Log,
        }
    }

    /// Its name in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Connection => "connection",
            Self::Call => "call",
            Self::Storage => "storage",
            Self::Upkeep => "upkeep",
            Self::Client => "client",
        }
    }
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
