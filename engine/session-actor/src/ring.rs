//! [`Ring`]: packets that wait for a session, the newest few. They are wiped when nobody listens to them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sayso_wire::AudioPacket;
use zeroize::Zeroize;

use crate::options::PACKETS_WAITING_MAX;

/// A bounded queue that drops its oldest. Until the first packet comes it takes no memory.
#[derive(Debug, Default)]
pub(crate) struct Ring(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    packets: VecDeque<AudioPacket>,
    /// Whether the session knows that there are some.
    told: bool,
    received: u64,
    dropped: u64,
}

impl Ring {
    /// Adds a packet. `true` when the session must be told that there are some.
    pub(crate) fn push(&self, packet: AudioPacket) -> bool {
        let mut inner = self.lock();
        inner.received += 1;
        if inner.packets.len() == PACKETS_WAITING_MAX {
            inner.packets.pop_front().into_iter().for_each(wipe);
            inner.dropped += 1;
            metrics::counter!("sayso_session_packets_dropped_total").increment(1);
        }
        inner.packets.push_back(packet);
        !core::mem::replace(&mut inner.told, true)
    }

    /// Takes all that wait, into `packets`, whose room is left in exchange. Whoever pushes the next tells of it again.
    pub(crate) fn take(&self, packets: &mut VecDeque<AudioPacket>) {
        packets.drain(..).for_each(wipe);
        let mut inner = self.lock();
        inner.told = false;
        core::mem::swap(&mut inner.packets, packets);
    }

    /// Drops all that wait, and their room.
    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        inner.told = false;
        core::mem::take(&mut inner.packets).into_iter().for_each(wipe);
    }

    /// Packets that came, and packets that were dropped because the session lagged.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.received, inner.dropped)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.packets.drain(..).for_each(wipe);
    }
}

/// Overwrites what somebody said, where nobody else has it: a connection may still hold what it received as one piece.
pub(crate) fn wipe(packet: AudioPacket) {
    if let Ok(mut opus) = packet.opus.try_into_mut() {
        opus.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use sayso_types::TurnId;

    use super::*;

    fn packet(sequence: u32) -> AudioPacket {
        AudioPacket { turn: TurnId(1), sequence, timestamp_ms: 0, opus: bytes::Bytes::from_static(&[1]) }
    }

    #[test]
    fn tells_once_and_keeps_the_newest() {
        let ring = Ring::default();
        assert!(ring.push(packet(0)));
        let extra = 10;
        for sequence in 1..PACKETS_WAITING_MAX as u32 + extra {
            assert!(!ring.push(packet(sequence)));
        }
        let mut taken = VecDeque::new();
        ring.take(&mut taken);
        assert_eq!((taken.len(), taken.front().map(|p| p.sequence)), (PACKETS_WAITING_MAX, Some(extra)));
        assert_eq!(ring.counts(), (PACKETS_WAITING_MAX as u64 + u64::from(extra), u64::from(extra)));
        assert!(ring.push(packet(99)), "told again after they were taken");
        ring.clear();
        assert!(ring.push(packet(100)), "and after they were dropped");
        ring.take(&mut taken);
        assert_eq!(taken.len(), 1);
    }
}
