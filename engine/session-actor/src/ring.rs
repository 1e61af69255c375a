//! [`Ring`]: packets that wait for a session, the newest few.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_queue::ArrayQueue;
use sayso_wire::AudioPacket;

use crate::options::PACKETS_WAITING_MAX;

/// A bounded queue that drops its oldest. Its memory is taken with the first packet, not with the connection.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    packets: std::sync::OnceLock<ArrayQueue<AudioPacket>>,
    told: AtomicBool,
    received: AtomicU64,
    dropped: AtomicU64,
}

impl Ring {
    /// Adds a packet. `true` when the session must be told that there are some.
    pub(crate) fn push(&self, packet: AudioPacket) -> bool {
        let packets = self.packets.get_or_init(|| ArrayQueue::new(PACKETS_WAITING_MAX));
        self.received.fetch_add(1, Ordering::Relaxed);
        if packets.force_push(packet).is_some() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("sayso_session_packets_dropped_total").increment(1);
        }
        !self.told.swap(true, Ordering::AcqRel)
    }

    /// To be called before taking packets: later ones will be told of again.
    pub(crate) fn heard(&self) {
        self.told.store(false, Ordering::Release);
    }

    /// Takes the oldest.
    pub(crate) fn pop(&self) -> Option<AudioPacket> {
        self.packets.get()?.pop()
    }

    /// Packets that came, and packets that were dropped because the session lagged.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed))
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
        ring.heard();
        assert_eq!(ring.pop().map(|p| p.sequence), Some(extra));
        assert_eq!(ring.counts(), (PACKETS_WAITING_MAX as u64 + u64::from(extra), u64::from(extra)));
        assert!(ring.push(packet(99)), "told again after it was heard");
    }
}
