//! [`Step`]: what can happen next.

use super::message::Message;
use super::state::{Permit, Scope};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Time passes; this clock, if one, does not notice.
    Tick(Option<Clock>),
    /// A message comes to whoever it is for.
    Deliver(Message),
    KillRegister,
    RestartRegister,
    KillService,
    RestartService,
    RestartGateway,
    /// The gateway asks the store what is withdrawn.
    ReadFences,
    /// The service asks for a permit.
    Ask(Scope),
    /// It asks to have it for longer.
    Renew(Scope),
    /// A piece goes through the service's gate.
    Pass(Scope),
    HandOver(Scope),
    Send(Scope),
    Acknowledge(Scope),
    /// The connection breaks, and what was not acknowledged is to be sent again.
    Break(Scope),
    /// The work is dropped with its buffers, and its connection is reset.
    Drop(Scope),
    /// The service lets go.
    LetGo(Scope),
    /// Somebody asks to withdraw these scopes, for the first time or again.
    Withdraw([bool; 2]),
    /// All holders are told.
    Close,
    /// Whoever asked is told that a holder has yet to let go.
    Pending,
    /// The time of a permit is over by the register's clock.
    RunOut(Permit),
    /// An operator has made sure that who has it can do nothing any more.
    Fence(Permit),
    /// All holders have let go: that is on record.
    Effect(Scope),
    Ok,
    /// The person agrees again.
    Agree(Scope),
}

/// Whose clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    Register,
    Service,
}
