//! [`Message`]: what register, service and gateway say to each other.

use super::state::{Fences, Permit, Scope};
use crate::state::Cv;

/// The network keeps every message for ever and hands over any of them at any time: so each may be lost, late, overtaken and
/// duplicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    /// The service asks for a permit, for the how manyth time of its how manyth life, at a moment of its own clock.
    Ask { life: u8, ask: u8, scope: Scope, sent: u8 },
    /// It has one.
    Lent { permit: Permit, life: u8, ask: u8, scope: Scope, cv: Cv, sent: u8 },
    /// It asks to have it for longer.
    Renew { permit: Permit, sent: u8 },
    /// It has it for longer.
    Renewed { permit: Permit, sent: u8 },
    /// It has to let go.
    Revoke { permit: Permit },
    /// It has let go.
    LetGo { permit: Permit, scope: Scope },
    /// Data on its way from the service to the gateway, by the consent version it was permitted under.
    Piece { scope: Scope, cv: Cv },
    /// The gateway has to refuse data up to this version.
    Fence { scope: Scope, cv: Cv },
    /// It does.
    Fenced { scope: Scope, cv: Cv },
    /// What the gateway asked the store for when its how manyth life began.
    Fences { life: u8, fences: Fences },
}
