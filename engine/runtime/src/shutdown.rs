//! The end of a process: who asks for it, and in which order things stop.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// Exit status of a process that a second signal ended at once.
const EXIT_FORCED: i32 = 130;

/// Waits for the signals that ask a process to end.
#[derive(Debug)]
pub struct Signals {
    terminate: Stream,
    interrupt: Stream,
}

/// A signal that asks a process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: a service manager.
    Terminate,
    /// SIGINT: a person at the terminal.
    Interrupt,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        })
    }
}

impl Signals {
    /// Catches SIGTERM and SIGINT from now on: they no longer end the process by themselves.
    ///
    /// # Errors
    /// When the system refuses to install the handlers.
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.interrupt.recv() => Signal::Interrupt,
        }
    }
}

/// Waits for SIGHUP, which asks a process to read its files again.
#[derive(Debug)]
pub struct Reload(Stream);

impl Reload {
    /// Catches SIGHUP from now on: it no longer ends the process.
    ///
    /// # Errors
    /// When the system refuses to install the handler.
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self(signal(SignalKind::hangup())?))
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        // it ends only with the process
        let _ = self.0.recv().await;
    }
}

/// What to do at the end of a process, in order: each phase has a deadline, after which the next begins.
#[derive(Default)]
pub struct Phases {
    phases: Vec<Phase>,
}

struct Phase {
    name: &'static str,
    deadline: Duration,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl fmt::Debug for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.phases.iter().map(|p| (p.name, p.deadline))).finish()
    }
}

impl Phases {
    /// No phases.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a phase after those before. Its work is dropped when `deadline` has passed.
    #[must_use]
    pub fn then(
        mut self,
        name: &'static str,
        deadline: Duration,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        self.phases.push(Phase { name, deadline, work: Box::pin(work) });
        self
    }

    /// Runs the phases and returns the names of those that did not end in time. A signal during it ends the process
    /// at once: whoever sends a second one does not want to wait.
    pub async fn run(self, signals: &mut Signals) -> Vec<&'static str> {
        tokio::select! {
            overdue = self.run_all() => overdue,
            signal = signals.next() => {
                tracing::warn!(%signal, "second signal: leaving at once");
                std::process::exit(EXIT_FORCED)
            }
        }
    }

    async fn run_all(self) -> Vec<&'static str> {
        let mut overdue = Vec::new();
        for Phase { name, deadline, work } in self.phases {
            tracing::info!(phase = name, "shutting down");
            if tokio::time::timeout(deadline, work).await.is_err() {
                tracing::warn!(phase = name, ?deadline, "shutdown phase did not end in time");
                overdue.push(name);
            }
        }
        overdue
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn phases_run_in_order_and_none_holds_up_the_rest() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = |name| {
            let seen = seen.clone();
            async move { seen.lock().unwrap().push(name) }
        };
        let second = Duration::from_secs(1);
        let overdue = Phases::new()
            .then("accept", second, note("accept"))
            .then("drain", second, pending())
            .then("store", second, note("store"))
            .run_all()
            .await;
        assert_eq!(overdue, ["drain"]);
        assert_eq!(*seen.lock().unwrap(), ["accept", "store"]);
    }

    #[tokio::test]
    async fn a_signal_is_caught() {
        let mut signals = Signals::catch().unwrap();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
        assert_eq!(signals.next().await, Signal::Terminate);
    }
}
