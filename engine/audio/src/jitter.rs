//! [`JitterBuffer`]: packets in the order they were sent.

use zeroize::Zeroizing;

use crate::Packet;

/// Bytes that a slot has room for from the start: 60 ms at 64 kb/s. A larger packet makes its slot grow, once.
const SLOT_BYTES: usize = 480;

/// Most lost packets that are reported one by one for one gap: after 100 ms of 20 ms frames concealment has faded
/// out anyway, and a device that skips numbers must not make the engine work for each. All are counted.
const LOST_RUN_MAX: u32 = 5;

/// What the buffer hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival<'a> {
    /// The next packet.
    Packet(Packet<'a>),
    /// The next packet did not come in time.
    Lost {
        /// The packet right after the lost one, if it is here: it may carry the lost one's sound (FEC).
        next: Option<&'a [u8]>,
    },
}

/// What happened to packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterStats {
    /// Handed on.
    pub received: u64,
    /// Given up on. Some of them may be counted as `late` when they come after all.
    pub lost: u64,
    /// Came after they were given up on, or before the first packet of the stream; dropped.
    pub late: u64,
    /// Came again; dropped.
    pub duplicate: u64,
    /// Came after a packet that was sent later, but in time.
    pub reordered: u64,
}

/// Puts packets back into the order they were sent in.
///
/// A recogniser does not need play-out timing, so nothing is delayed to smooth arrival: a packet that is next in
/// order is handed on as it comes, without a copy. Only behind a gap do packets wait, until the missing one comes or
/// `depth` packets wait, whichever is first. With 20 ms frames and a depth of 3, a loss costs 40 ms once.
///
/// The first packet to come is the first of the stream. Sequence numbers wrap.
pub struct JitterBuffer {
    slots: Vec<Slot>,
    /// The sequence number that is next in order; `None` before the first packet.
    next: Option<u32>,
    /// The 64 packets before `next`, the latest in bit 0: whether each was handed on (or else given up on).
    past: u64,
    stats: JitterStats,
}

#[derive(Default)]
struct Slot {
    used: bool,
    sequence: u32,
    timestamp_ms: u32,
    opus: Zeroizing<Vec<u8>>,
}

impl JitterBuffer {
    /// A buffer in which up to `depth` packets (at least 1, which means no waiting) wait behind a gap.
    #[must_use]
    pub fn new(depth: usize) -> Self {
        let slots = core::iter::repeat_with(Slot::default).take(depth.max(1)).collect();
        Self { slots, next: None, past: 0, stats: JitterStats::default() }
    }

    /// Takes a packet and hands on what is now in order.
    pub fn push(&mut self, packet: Packet<'_>, mut deliver: impl FnMut(Arrival<'_>)) {
        let next = *self.next.get_or_insert(packet.sequence);
        // a distance of half the number space or more is behind, as in RFC 1982
        let ahead = packet.sequence.wrapping_sub(next);
        if ahead > i32::MAX as u32 {
            self.drop_old(next.wrapping_sub(packet.sequence) - 1);
        } else if ahead == 0 {
            self.stats.reordered += u64::from(self.is_waiting());
            self.advance(packet.sequence);
            deliver(Arrival::Packet(packet));
            self.release(&mut deliver);
        } else if self.slots.iter().any(|s| s.used && s.sequence == packet.sequence) {
            self.stats.duplicate += 1;
        } else {
            let later = |s: &Slot| s.used && s.sequence.wrapping_sub(next) > ahead;
            self.stats.reordered += u64::from(self.slots.iter().any(later));
            self.keep(packet);
            if self.slots.iter().all(|s| s.used) {
                self.give_up(&mut deliver);
            }
        }
    }

    /// Gives up on everything missing and hands on all that waits: the stream is over, or stands still.
    pub fn flush(&mut self, mut deliver: impl FnMut(Arrival<'_>)) {
        while self.is_waiting() {
            self.give_up(&mut deliver);
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> JitterStats {
        self.stats
    }

    fn is_waiting(&self) -> bool {
        self.slots.iter().any(|s| s.used)
    }

    fn keep(&mut self, packet: Packet<'_>) {
        let slot = self.slots.iter_mut().find(|s| !s.used).expect("a full buffer gives up before it takes more");
        slot.used = true;
        slot.sequence = packet.sequence;
        slot.timestamp_ms = packet.timestamp_ms;
        slot.opus.clear();
        slot.opus.reserve(SLOT_BYTES);
        slot.opus.extend_from_slice(packet.opus);
    }

    /// Reports the packets before the first that waits as lost, and hands on from there.
    fn give_up(&mut self, deliver: &mut impl FnMut(Arrival<'_>)) {
        let Some(next) = self.next else { return };
        let waiting = self.slots.iter().filter(|s| s.used);
        let Some(first) = waiting.min_by_key(|s| s.sequence.wrapping_sub(next)) else { return };
        let lost = first.sequence.wrapping_sub(next);
        for left in (0..lost.min(LOST_RUN_MAX)).rev() {
            deliver(Arrival::Lost { next: (left == 0).then_some(&first.opus) });
        }
        self.stats.lost += u64::from(lost);
        self.past = self.past.checked_shl(lost).unwrap_or(0);
        self.next = Some(first.sequence);
        self.release(deliver);
    }

    /// Hands on what waits and is next in order.
    fn release(&mut self, deliver: &mut impl FnMut(Arrival<'_>)) {
        while let Some(at) = self.slots.iter().position(|s| s.used && Some(s.sequence) == self.next) {
            let Slot { sequence, timestamp_ms, ref opus, .. } = self.slots[at];
            deliver(Arrival::Packet(Packet { sequence, timestamp_ms, opus }));
            self.slots[at].used = false;
            self.advance(sequence);
        }
    }

    fn advance(&mut self, sequence: u32) {
        self.stats.received += 1;
        self.past = self.past << 1 | 1;
        self.next = Some(sequence.wrapping_add(1));
    }

    /// Counts a packet that comes `age` packets behind the last one handed on or given up on.
    fn drop_old(&mut self, age: u32) {
        if self.past.checked_shr(age).unwrap_or(0) & 1 == 1 {
            self.stats.duplicate += 1;
        } else {
            self.stats.late += 1;
        }
    }
}

impl core::fmt::Debug for JitterBuffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("JitterBuffer").field("next", &self.next).field("stats", &self.stats).finish_non_exhaustive()
    }
}
