//! [`Intake`]: where the picture comes in that a session waits for.

use std::sync::Mutex;

use sayso_runtime::queue;
use sayso_types::TurnId;
use sayso_wire::{PICTURE_PART_BYTES_MAX, PictureOffer};
use zeroize::Zeroizing;

use super::lock;

/// The parts of a picture, in front of the gate, wiped when nobody takes them.
pub(crate) type Parts = queue::Receiver<Zeroizing<Vec<u8>>>;

/// Closed, but while somebody who may look at a picture waits for it: what comes then is dropped before it is anywhere.
#[derive(Debug, Default)]
pub(crate) struct Intake(Mutex<Option<Open>>);

#[derive(Debug)]
struct Open {
    /// As the device counts.
    turn: TurnId,
    parts: queue::Sender<Zeroizing<Vec<u8>>>,
    /// Bytes that are still to come.
    left: usize,
}

impl Intake {
    /// Opens for the picture of `offer`, in the place of any other. There is room for all of it.
    pub(crate) fn open(&self, offer: &PictureOffer) -> Parts {
        // a device that sends smaller parts than it might has room for as many again
        let parts = 2 * offer.bytes.div_ceil(PICTURE_PART_BYTES_MAX) + 1;
        let (sender, receiver) = queue::bounded("session_picture", parts);
        *lock(&self.0) = Some(Open { turn: offer.turn, parts: sender, left: offer.bytes });
        receiver
    }

    /// Takes a part in. What nobody waits for, or what is more than was announced, is dropped, and closes it.
    pub(crate) fn take(&self, turn: TurnId, part: &[u8]) {
        let mut intake = lock(&self.0);
        if let Some(open) = intake.as_mut().filter(|open| open.turn == turn)
            && part.len() <= open.left
            && open.parts.try_send(Zeroizing::new(part.to_vec())).is_ok()
        {
            open.left -= part.len();
            if open.left == 0 {
                *intake = None;
            }
            return;
        }
        metrics::counter!("sayso_session_picture_parts_dropped_total").increment(1);
        if intake.as_ref().is_some_and(|open| open.turn == turn) {
            *intake = None;
        }
    }

    /// Closes it.
    pub(crate) fn close(&self) {
        *lock(&self.0) = None;
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};
    use sayso_types::{PictureFormat, Redacted};

    use super::*;

    fn offer(turn: u32, bytes: usize) -> PictureOffer {
        PictureOffer { turn: TurnId(turn), format: PictureFormat::Png, bytes, question: Redacted::default() }
    }

    /// What came, and whether nothing more will.
    fn came(parts: &mut Parts) -> (Vec<u8>, bool) {
        let came = core::iter::from_fn(|| parts.try_recv()).flat_map(|part| part.to_vec()).collect();
        (came, parts.next().now_or_never() == Some(None))
    }

    #[test]
    fn what_nobody_waits_for_is_dropped_and_what_is_waited_for_comes_in_once() {
        let intake = Intake::default();
        intake.take(TurnId(1), b"nobody");
        let mut parts = intake.open(&offer(2, 6));
        intake.take(TurnId(1), b"older");
        intake.take(TurnId(2), b"abc");
        intake.take(TurnId(2), b"def");
        intake.take(TurnId(2), b"more");
        assert_eq!(came(&mut parts), (b"abcdef".to_vec(), true));
    }

    #[test]
    fn more_than_was_announced_closes_it_and_so_does_the_next_one() {
        let intake = Intake::default();
        let mut parts = intake.open(&offer(1, 4));
        intake.take(TurnId(1), b"abcde");
        intake.take(TurnId(1), b"abcd");
        assert_eq!(came(&mut parts), (Vec::new(), true));
        let mut first = intake.open(&offer(2, 4));
        let mut second = intake.open(&offer(3, 4));
        intake.take(TurnId(3), b"abcd");
        assert_eq!((came(&mut first).0, came(&mut second).0), (Vec::new(), b"abcd".to_vec()));
        let mut parts = intake.open(&offer(4, 4));
        assert_eq!(came(&mut parts), (Vec::new(), false));
        intake.close();
        assert_eq!(came(&mut parts), (Vec::new(), true));
    }
}
