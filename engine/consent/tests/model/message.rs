//! [`Message`]: what processes and the store say to each other.

use crate::state::{Consent, Life};

/// A commit on its way to the store, or the store's answer on its way back.
///
/// The network keeps every message for ever and hands over any of them at any time: so each may be lost, late,
/// overtaken and duplicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    /// Takes or renews the record of who owns the register, if it is still as it was `read`.
    Keep { by: Life, read: u8, sent: u8 },
    /// The record is kept.
    Kept { by: Life, read: u8, sent: u8 },
    /// Gives the record back, if it is still as it was `read`.
    Leave { by: Life, read: u8 },
    /// The first entry of an owner's log, if the log is still as it was `read`.
    Open { by: Life, read: u8 },
    /// The log is open.
    Opened { by: Life, read: u8 },
    /// Changes consent, if nobody else has opened the log since.
    Change { by: Life, log: u8, to: Consent },
    /// It is changed.
    Changed { by: Life, to: Consent },
}
