//! [`Timers`]: the timers that a session has armed.

use core::time::Duration;
use std::collections::HashMap;

use ractor::ActorRef;
use sayso_runtime::{TaskHandle, TaskKind, Tasks};
use sayso_session::Timer;

use crate::actor::Message;

/// Armed timers; arming one again, disarming it or dropping this ends it.
#[derive(Default)]
pub(crate) struct Timers {
    armed: HashMap<Timer, (u64, TaskHandle)>,
    armings: u64,
}

impl Timers {
    /// Posts [`Message::Timer`] to `actor` after `after`.
    pub(crate) fn arm(&mut self, tasks: &Tasks, actor: &ActorRef<Message>, timer: Timer, after: Duration) {
        self.armings += 1;
        let (arming, actor) = (self.armings, actor.clone());
        let task = tasks.spawn(TaskKind::Call, "session timer", async move {
            tokio::time::sleep(after).await;
            let _ = actor.cast(Message::Timer(timer, arming));
        });
        self.armed.insert(timer, (arming, task));
    }

    /// Forgets the timer.
    pub(crate) fn disarm(&mut self, timer: Timer) {
        self.armed.remove(&timer);
    }

    /// Whether the timer that ran out is the one that is armed: one that was moved in the meantime is not.
    pub(crate) fn ran_out(&mut self, timer: Timer, arming: u64) -> bool {
        let current = self.armed.get(&timer).is_some_and(|(armed, _)| *armed == arming);
        if current {
            self.armed.remove(&timer);
        }
        current
    }
}
