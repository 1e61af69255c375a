//! [`Step`]: what can happen next.

use crate::message::Message;
use crate::state::Id;

/// A step. The number is the process that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Time passes; this process's clock, if one, does not notice.
    Tick(Option<Id>),
    /// The store takes a message that was sent to it, or a process takes an answer.
    Deliver(Message),
    /// A standby looks at the record.
    Look(Id),
    Take(Id),
    Renew(Id),
    GiveBack(Id),
    Open(Id),
    Kill(Id),
    Restart(Id),
    /// The person speaks.
    Speak(Id),
    /// The work asks for a permit: consent is read.
    Ask(Id),
    /// The permit is issued.
    Issue(Id),
    RenewPermit(Id),
    /// A piece goes through the gate.
    Pass(Id),
    HandOver(Id),
    Send(Id),
    Acknowledge(Id),
    /// The connection breaks, and what was not acknowledged is to be sent again.
    Break(Id),
    /// The work is dropped with its buffers, and its connection is reset.
    Drop(Id),
    /// The holder lets go.
    Release(Id),
    /// Somebody asks to withdraw, for the first time or again.
    Withdraw(Id),
    /// The gates close, whether or not the request is on record yet.
    Close(Id),
    /// Whoever asked is told that a holder has yet to let go.
    Pending(Id),
    /// All have let go: the effect is to be put on record.
    Effect(Id),
    Ok(Id),
    /// The person agrees again.
    Agree(Id),
}
