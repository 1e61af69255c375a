//! [`Goodbye`]: why a connection ends.

use core::time::Duration;

use sayso_proto::device::v1 as proto;

use crate::Error;
use crate::field::closed_list;

closed_list! {
    /// Why a side leaves.
    GoodbyeReason {
        /// The conversation is over.
        Done,
        /// The node stops; another one, or the same one later, takes over.
        ShuttingDown,
        /// The same device connected again; the newer connection wins.
        Replaced,
        /// Nothing was said for too long.
        Idle,
        /// The device did not prove who it is.
        Unauthenticated,
        /// The node has no room.
        OverLimit,
        /// The other side did not keep to the protocol.
        Protocol,
        /// Something broke.
        Internal,
        /// There is no protocol version that both sides speak.
        Version,
    }
}

impl GoodbyeReason {
    /// The application error code with which the QUIC connection is closed, for a side that did not get the message.
    #[must_use]
    pub const fn close_code(self) -> u32 {
        self.to_proto().cast_unsigned()
    }

    /// The reason behind an application error code; `None` when the code is not of this protocol.
    #[must_use]
    pub fn from_close_code(code: u64) -> Option<Self> {
        Self::from_proto("close_code", i32::try_from(code).ok()?).ok()
    }
}

/// The last message of a side that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goodbye {
    /// Why.
    pub reason: GoodbyeReason,
    /// The same for people; may be empty.
    pub text: String,
    /// How long to wait before connecting again, in whole milliseconds from 1 to `u32::MAX`; `None` means do not.
    pub reconnect_in: Option<Duration>,
}

impl TryFrom<proto::Goodbye> for Goodbye {
    type Error = Error;

    fn try_from(p: proto::Goodbye) -> Result<Self, Error> {
        Ok(Self {
            reason: GoodbyeReason::from_proto("goodbye.reason", p.reason)?,
            text: p.text,
            reconnect_in: (p.reconnect_in_ms > 0).then(|| Duration::from_millis(p.reconnect_in_ms.into())),
        })
    }
}

impl From<&Goodbye> for proto::Goodbye {
    fn from(goodbye: &Goodbye) -> Self {
        let ms = |wait: Duration| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1);
        Self {
            reason: goodbye.reason.to_proto(),
            text: goodbye.text.clone(),
            reconnect_in_ms: goodbye.reconnect_in.map_or(0, ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_are_fixed() {
        assert_eq!(GoodbyeReason::Done.close_code(), 1);
        assert_eq!(GoodbyeReason::Version.close_code(), 9);
        assert_eq!(GoodbyeReason::from_close_code(3), Some(GoodbyeReason::Replaced));
        assert_eq!(GoodbyeReason::from_close_code(0), None);
        assert_eq!(GoodbyeReason::from_close_code(u64::MAX), None);
    }
}
