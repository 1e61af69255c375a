//! [`PreRoll`]: the sound from just before somebody speaks.

use zeroize::Zeroizing;

use crate::Frame;

/// Keeps the last few frames in a ring. What it holds is wiped when it is dropped.
pub(super) struct PreRoll {
    frames: Zeroizing<Vec<Frame>>,
    /// Where the oldest frame is, once the ring is full.
    oldest: usize,
    limit: usize,
}

impl PreRoll {
    /// Keeps the last `limit` frames.
    pub(super) fn new(limit: usize) -> Self {
        Self { frames: Zeroizing::new(Vec::with_capacity(limit)), oldest: 0, limit }
    }

    /// Keeps `frame`, in the place of the oldest when full.
    pub(super) fn push(&mut self, frame: &Frame) {
        if self.frames.len() < self.limit {
            self.frames.push(*frame);
        } else if let Some(slot) = self.frames.get_mut(self.oldest) {
            *slot = *frame;
            self.oldest = (self.oldest + 1) % self.limit;
        }
    }

    /// Hands every frame over, oldest first, and is empty then.
    pub(super) fn drain(&mut self, each: impl FnMut(&Frame)) {
        let (newer, older) = self.frames.split_at(self.oldest);
        older.iter().chain(newer).for_each(each);
        self.frames.clear();
        self.oldest = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FRAME_SAMPLES;

    #[test]
    fn it_keeps_the_last_frames_in_order_whatever_its_size() {
        for limit in 0..5 {
            for pushed in 0..12_i16 {
                let mut pre_roll = PreRoll::new(limit);
                for round in 0..2 {
                    (0..pushed).for_each(|i| pre_roll.push(&[i; FRAME_SAMPLES]));
                    let mut kept = Vec::new();
                    pre_roll.drain(|frame| kept.push(frame[0]));
                    let expected: Vec<i16> = (0..pushed).skip((pushed as usize).saturating_sub(limit)).collect();
                    assert_eq!(kept, expected, "limit {limit}, {pushed} pushed, round {round}");
                }
            }
        }
    }
}
