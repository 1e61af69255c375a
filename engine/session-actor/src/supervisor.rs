//! [`Supervisor`]: the parent of every session's actor.

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

/// Lets its children fail: what that means for a place is done by the [`Awake`](crate::place::Awake) that the actor
/// drops, which also happens where no supervisor is told, as when it fails to start.
pub(crate) struct Supervisor;

/// Messages to the supervisor: there are none.
pub(crate) enum Nothing {}

impl Actor for Supervisor {
    type Msg = Nothing;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Nothing>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    /// ractor's own would end the parent, and with it every session, when one child fails.
    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Nothing>,
        _: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}
