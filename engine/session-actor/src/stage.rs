//! Stages of a turn: tasks whose results come back as events.

use core::panic::AssertUnwindSafe;

use futures::FutureExt;
use ractor::ActorRef;
use sayso_runtime::{TaskHandle, TaskKind, Tasks};
use sayso_session::Event;

use crate::actor::Message;

/// Starts a stage. What comes of it is posted to `actor` as `event` says, also when it panics: nobody else would end
/// the turn.
pub(crate) fn start<T: Send + 'static>(
    tasks: &Tasks,
    actor: &ActorRef<Message>,
    name: &'static str,
    work: impl Future<Output = Result<T, &'static str>> + Send + 'static,
    event: impl FnOnce(Result<T, &'static str>) -> Event + Send + 'static,
) -> TaskHandle {
    let actor = actor.clone();
    tasks.spawn(TaskKind::Call, name, async move {
        let result = AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err("panicked"));
        if let Err(code) = &result {
            tracing::debug!(stage = name, code, "a stage failed");
        }
        post(&actor, event(result));
    })
}

/// Posts a result to its session; one that is gone needs it no more.
pub(crate) fn post(actor: &ActorRef<Message>, event: Event) {
    let _ = actor.cast(Message::Event(event));
}
