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
