//! [`Supervisor`]: a session's failure ends that session, never the node.

use std::sync::Weak;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use crate::sessions::Directory;

/// The parent of every session's actor.
pub(crate) struct Supervisor;

/// Messages to the supervisor: it only listens to its children's ends.
pub(crate) enum Nothing {}

impl Actor for Supervisor {
    type Msg = Nothing;
    type State = Weak<Directory>;
    type Arguments = Weak<Directory>;

    async fn pre_start(&self, _: ActorRef<Nothing>, directory: Weak<Directory>) -> Result<Self::State, ActorProcessingErr> {
        Ok(directory)
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Nothing>,
        event: SupervisionEvent,
        directory: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(child, _) => {
                // The error's text may hold anything; that it happened is what may be logged.
                tracing::error!("a session failed and was ended");
                metrics::counter!("sayso_session_failures_total").increment(1);
                if let Some(directory) = directory.upgrade() {
                    directory.failed(child.get_id());
                }
            }
            SupervisionEvent::ActorTerminated(child, ..) => {
                if let Some(directory) = directory.upgrade() {
                    directory.ended(child.get_id());
                }
            }
            _ => {}
        }
        Ok(())
    }
}
