//! [`Framer`]: cuts a stream of samples into frames of one length.

use zeroize::Zeroizing;

/// Cuts pieces of any length into frames of exactly `len` samples; what is left waits for the next piece.
pub(crate) struct Framer {
    len: usize,
    /// Fewer than `len` samples.
    rest: Zeroizing<Vec<i16>>,
}

impl Framer {
    /// Cuts frames of `len` samples, which is not zero.
    pub(crate) fn new(len: usize) -> Self {
        Self { len, rest: Zeroizing::new(Vec::with_capacity(len)) }
    }

    /// Hands every frame that `samples` completes to `each`, in order.
    pub(crate) fn push(&mut self, mut samples: &[i16], mut each: impl FnMut(&[i16])) {
        if !self.rest.is_empty() {
            let (head, tail) = samples.split_at(samples.len().min(self.len - self.rest.len()));
            self.rest.extend_from_slice(head);
            samples = tail;
            if self.rest.len() < self.len {
                return;
            }
            each(&self.rest);
            self.rest.clear();
        }
        let mut frames = samples.chunks_exact(self.len);
        frames.by_ref().for_each(each);
        self.rest.extend_from_slice(frames.remainder());
    }

    /// Hands what is left to `each`, padded with silence to a whole frame; nothing when nothing is left.
    pub(crate) fn flush(&mut self, each: impl FnOnce(&[i16])) {
        if !self.rest.is_empty() {
            self.rest.resize(self.len, 0);
            each(&self.rest);
            self.rest.clear();
        }
    }
}

impl core::fmt::Debug for Framer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Framer({} of {} samples)", self.rest.len(), self.len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(pieces: &[Vec<i16>], len: usize) -> Vec<Vec<i16>> {
        let mut framer = Framer::new(len);
        let mut frames = Vec::new();
        for piece in pieces {
            framer.push(piece, |frame| frames.push(frame.to_vec()));
        }
        framer.flush(|frame| frames.push(frame.to_vec()));
        frames
    }

    proptest! {
        #[test]
        fn pieces_make_the_same_frames_however_they_are_cut(
            pieces in prop::collection::vec(prop::collection::vec(any::<i16>(), 0..50), 0..20),
            len in 1..40_usize,
        ) {
            let mut whole = pieces.concat();
            whole.resize(whole.len().next_multiple_of(len), 0);
            let expected: Vec<Vec<i16>> = whole.chunks(len).map(<[i16]>::to_vec).collect();
            prop_assert_eq!(frames(&pieces, len), expected);
        }
    }
}
