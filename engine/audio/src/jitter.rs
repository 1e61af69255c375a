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
/// `depth` packets wait, whichever is first. With 20 ms frames and a depth of 3, a loss delays what follows it by
/// 40 ms, once.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What came out: a packet's number from the start of the stream, or a loss and whether the next one was at hand.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Out {
        Packet(u32),
        Lost { next: Option<u32> },
    }

    /// Pushes packets numbered from `first`, with their own number as content.
    fn run(depth: usize, first: u32, order: &[u32]) -> (Vec<Out>, JitterStats) {
        let mut buffer = JitterBuffer::new(depth);
        let mut out = Vec::new();
        let number = |opus: &[u8]| u32::from_le_bytes(opus.try_into().unwrap());
        let mut tell = |arrival: Arrival<'_>| {
            out.push(match arrival {
                Arrival::Packet(packet) => {
                    assert_eq!(packet.sequence, first.wrapping_add(number(packet.opus)));
                    assert_eq!(packet.timestamp_ms, number(packet.opus) * 20);
                    Out::Packet(number(packet.opus))
                }
                Arrival::Lost { next } => Out::Lost { next: next.map(number) },
            });
        };
        for &n in order {
            let packet = Packet { sequence: first.wrapping_add(n), timestamp_ms: n * 20, opus: &n.to_le_bytes() };
            buffer.push(packet, &mut tell);
        }
        buffer.flush(&mut tell);
        (out, buffer.stats())
    }

    #[test]
    fn tables() {
        use Out::{Lost, Packet as P};
        let lost = |next| Lost { next: Some(next) };
        for (order, expected) in [
            (&[0, 1, 2, 3][..], &[P(0), P(1), P(2), P(3)][..]),
            (&[0, 2, 1, 3], &[P(0), P(1), P(2), P(3)]),
            (&[0, 3, 2, 1], &[P(0), P(1), P(2), P(3)]),
            // given up on when three wait
            (&[0, 2, 3, 4], &[P(0), lost(2), P(2), P(3), P(4)]),
            (&[0, 2, 3, 4, 1], &[P(0), lost(2), P(2), P(3), P(4)]),
            // two gaps: the first is given up on, the second still waits
            (&[0, 2, 3, 5, 6, 7], &[P(0), lost(2), P(2), P(3), lost(5), P(5), P(6), P(7)]),
            // only the last of a run can be restored from its successor
            (&[0, 3, 4, 5], &[P(0), Lost { next: None }, lost(3), P(3), P(4), P(5)]),
            // the rest is used at the end of the stream
            (&[0, 2], &[P(0), lost(2), P(2)]),
            (&[0, 0, 2, 2, 1, 1], &[P(0), P(1), P(2)]),
            // what came before the first packet to come is late
            (&[1, 0, 2], &[P(1), P(2)]),
        ] {
            for first in [0, 7, u32::MAX, u32::MAX - 2, i32::MAX as u32] {
                assert_eq!(run(3, first, order).0, expected, "{order:?} from {first}");
            }
        }
    }

    #[test]
    fn every_packet_is_counted_for_what_happened_to_it() {
        let (_, stats) = run(3, u32::MAX - 3, &[0, 2, 1, 1, 4, 5, 6, 3, 3, 7, 7, 7]);
        let expected = JitterStats { received: 7, lost: 1, late: 2, duplicate: 3, reordered: 1 };
        assert_eq!(stats, expected);
    }

    #[test]
    fn a_leap_is_counted_in_full_and_reported_in_part() {
        let (out, stats) = run(1, 0, &[0, 1_000_000]);
        assert_eq!(out.len(), 2 + LOST_RUN_MAX as usize);
        assert_eq!(stats.lost, 999_999);
        // and what is behind it is late, not taken for a leap by four thousand million
        assert_eq!(run(1, 0, &[0, 1_000_000, 1, 2]).1.late, 2);
    }

    /// The same rules, written for clarity: everything that waits is sorted before every look at it.
    fn model(depth: usize, order: &[u32]) -> Vec<Out> {
        let mut out = Vec::new();
        let mut waiting: Vec<u32> = Vec::new();
        let mut next = order.first().copied().unwrap_or_default();
        for step in order.iter().map(Some).chain(core::iter::repeat_n(None, order.len())) {
            if let Some(&n) = step
                && n >= next
                && !waiting.contains(&n)
            {
                waiting.push(n);
                waiting.sort_unstable();
            }
            if waiting.first().is_some_and(|&first| first > next) && (waiting.len() >= depth || step.is_none()) {
                let lost = (waiting[0] - next).min(LOST_RUN_MAX);
                out.extend((1..lost).map(|_| Out::Lost { next: None }));
                out.push(Out::Lost { next: Some(waiting[0]) });
                next = waiting[0];
            }
            while waiting.first() == Some(&next) {
                out.push(Out::Packet(waiting.remove(0)));
                next += 1;
            }
        }
        out
    }

    /// A stream of which some packets are lost, some come twice, and all come up to `spread` places late.
    fn streams() -> impl Strategy<Value = (usize, u32, Vec<u32>)> {
        let packet = (0..10_u32, 0..4_u32);
        (1..6_usize, any::<u32>(), 0..8_u32, prop::collection::vec(packet, 1..80)).prop_map(
            |(depth, first, spread, packets)| {
                let mut timed = Vec::new();
                for (n, (luck, delay)) in (0_u32..).zip(packets) {
                    let copies = match luck {
                        0 => 0,
                        1 => 2,
                        _ => 1,
                    };
                    timed.extend((0..copies).map(|copy| (n + (delay + copy) * spread / 4, n)));
                }
                timed.sort_by_key(|&(time, _)| time);
                (depth, first, timed.into_iter().map(|(_, n)| n).collect())
            },
        )
    }

    proptest! {
        #[test]
        fn it_does_as_the_model((depth, first, order) in streams()) {
            let (out, stats) = run(depth, first, &order);
            prop_assert_eq!(&out, &model(depth, &order));

            let numbers: Vec<u32> = out.iter().filter_map(|o| match o {
                Out::Packet(n) => Some(*n),
                Out::Lost { .. } => None,
            }).collect();
            prop_assert!(numbers.is_sorted_by(|a, b| a < b), "in order, each once");
            prop_assert_eq!(stats.received, numbers.len() as u64);
            prop_assert_eq!(stats.received + stats.late + stats.duplicate, order.len() as u64);
        }
    }
}
