//! [`Camera`]: the picture that the device has taken, until the node wants it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sayso_types::{Picture, Redacted, TurnId};
use sayso_wire::{PICTURE_PART_BYTES_MAX, ToNode};

/// Holds one picture: a newer one takes its place. Clones are the same camera.
#[derive(Clone, Debug, Default)]
pub(crate) struct Camera(Arc<Mutex<Option<Shot>>>);

/// A picture, and the turn in which it was offered.
#[derive(Debug)]
pub(crate) struct Shot {
    turn: TurnId,
    left: Redacted<Bytes>,
}

impl Camera {
    /// Keeps `picture` for when the node wants what is offered in `turn`.
    pub(crate) fn keep(&self, turn: TurnId, picture: &Picture) {
        let left = Redacted::new(Bytes::copy_from_slice(picture.bytes()));
        *self.lock() = Some(Shot { turn, left });
    }

    /// The picture that was offered in `turn`, if it is still the latest.
    pub(crate) fn take(&self, turn: TurnId) -> Option<Shot> {
        self.lock().take_if(|shot| shot.turn == turn)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Shot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shot {
    /// The next part of it; `None` when all of it was sent.
    pub(crate) fn next(&mut self) -> Option<ToNode> {
        let mut left = self.left.reveal().clone();
        let part = left.split_to(left.len().min(PICTURE_PART_BYTES_MAX));
        self.left = Redacted::new(left);
        (!part.is_empty()).then(|| ToNode::PicturePart { turn: self.turn, bytes: Redacted::new(part) })
    }
}

#[cfg(test)]
mod tests {
    use sayso_types::PictureFormat;

    use super::*;

    #[test]
    fn a_picture_goes_in_parts_once_and_only_if_it_is_the_latest() {
        let mut bytes = vec![0xff, 0xd8, 0xff];
        bytes.resize(2 * PICTURE_PART_BYTES_MAX + 1, 7);
        let picture = Picture::new(PictureFormat::Jpeg, bytes.clone().into()).unwrap();
        let camera = Camera::default();
        camera.keep(TurnId(1), &picture);
        camera.keep(TurnId(2), &picture);
        assert!(camera.take(TurnId(1)).is_none());
        let mut shot = camera.take(TurnId(2)).unwrap();
        assert!(camera.take(TurnId(2)).is_none());
        let parts: Vec<_> = core::iter::from_fn(|| shot.next())
            .map(|part| match part {
                ToNode::PicturePart { turn: TurnId(2), bytes } => bytes.into_inner(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!((parts.len(), parts.concat()), (3, bytes));
    }
}
