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

    /// Hands every frame that `samples` completes to `each`, in order. An error ends the piece: its remaining samples
    /// are dropped.
    pub(crate) fn push<E>(
        &mut self,
        mut samples: &[i16],
        mut each: impl FnMut(&[i16]) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.rest.is_empty() {
            let (head, tail) = samples.split_at(samples.len().min(self.len - self.rest.len()));
            self.rest.extend_from_slice(head);
            samples = tail;
            if self.rest.len() < self.len {
                return Ok(());
            }
            let outcome = each(&self.rest);
            self.rest.clear();
            outcome?;
        }
        let mut frames = samples.chunks_exact(self.len);
        frames.by_ref().try_for_each(each)?;
        self.rest.extend_from_slice(frames.remainder());
        Ok(())
    }

    /// Hands what is left to `each`, padded with silence to a whole frame; nothing when nothing is left.
    pub(crate) fn flush<E>(&mut self, each: impl FnOnce(&[i16]) -> Result<(), E>) -> Result<(), E> {
        if self.rest.is_empty() {
            return Ok(());
        }
        self.rest.resize(self.len, 0);
        let outcome = each(&self.rest);
        self.rest.clear();
        outcome
    }
}

impl core::fmt::Debug for Framer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Framer({} of {} samples)", self.rest.len(), self.len)
    }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn frames(pieces: &[Vec<i16>], len: usize) -> Vec<Vec<i16>> {
        let mut framer = Framer::new(len);
        let mut frames = Vec::new();
        let mut keep = |frame: &[i16]| {
            frames.push(frame.to_vec());
            Ok::<(), Infallible>(())
        };
        for piece in pieces {
            let Ok(()) = framer.push(piece, &mut keep);
        }
        let Ok(()) = framer.flush(&mut keep);
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

    #[test]
    fn an_error_reaches_the_caller_and_ends_the_piece() {
        let mut framer = Framer::new(2);
        let mut seen = 0;
        let outcome = framer.push(&[1, 2, 3, 4, 5], |_| {
            seen += 1;
            Err("no")
        });
        assert_eq!((outcome, seen), (Err("no"), 1));
        assert_eq!(framer.flush(|_| Err("nothing is left to flush")), Ok(()));
    }
}
