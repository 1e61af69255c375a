//! [`Upload`]: a request's body, which opens piece by piece as it is sent.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use sayso_policy::{Labelled, Permit, Refused, Weigh};
use zeroize::Zeroizing;

/// A body of known length. Its sealed parts pass the permit at the moment in which hyper takes them.
pub(crate) struct Upload {
    permit: Permit,
    parts: VecDeque<Part>,
    /// Bytes in `parts`.
    len: u64,
    refusal: Refusal,
}

/// Why a body was not let through. What the connection says of it depends on the version of HTTP.
#[derive(Clone, Default)]
pub(crate) struct Refusal(Arc<OnceLock<Refused>>);

impl Refusal {
    pub(super) fn get(&self) -> Option<Refused> {
        self.0.get().copied()
    }
}

enum Part {
    Plain(Bytes),
    Sealed(Sealed),
}

impl Upload {
    pub(crate) fn new(permit: Permit) -> Self {
        Self { permit, parts: VecDeque::new(), len: 0, refusal: Refusal::default() }
    }

    /// Adds bytes that are about nobody.
    #[must_use]
    pub(crate) fn plain(mut self, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        self.len += bytes.len() as u64;
        self.parts.push_back(Part::Plain(bytes));
        self
    }

    /// Adds bytes that are about a person.
    #[must_use]
    pub(crate) fn sealed(mut self, sealed: Sealed) -> Self {
        self.len += sealed.len;
        self.parts.push_back(Part::Sealed(sealed));
        self
    }

    /// Why it was not let through, once it was not.
    pub(super) fn refusal(&self) -> Refusal {
        self.refusal.clone()
    }

    fn open(&self, part: Part) -> Result<Bytes, Refused> {
        match part {
            Part::Plain(bytes) => Ok(bytes),
            Part::Sealed(Sealed { piece, .. }) => {
                let passed = self.permit.pass(piece, Bytes::from_owner);
                #[cfg(feature = "mutant-m6")]
                passed.iter().for_each(crate::mutant::keep);
                passed
            }
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Refused;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Refused>>> {
        let Some(part) = self.parts.pop_front() else {
            return Poll::Ready(None);
        };
        let opened = self.open(part);
        match &opened {
            Ok(bytes) => self.len -= bytes.len() as u64,
            // the first is why the call ends
            Err(refused) => _ = self.refusal.0.set(*refused),
        }
        Poll::Ready(Some(opened.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len)
    }
}

/// Bytes about a person in front of the gate, ready for the wire, of known length.
pub(crate) struct Sealed {
    len: u64,
    piece: Labelled<Piece>,
}

impl Sealed {
    /// Bytes that it will be on the wire.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }
}

/// Renders `item` for the wire without opening it. Only its length is learned, which the head of a request must tell.
pub(crate) fn seal<T>(item: Labelled<T>, render: impl FnOnce(T) -> Vec<u8>) -> Sealed {
    let category = item.label().category;
    let mut len = 0;
    let piece = item.derive(category, |data| {
        let bytes = render(data);
        len = bytes.len() as u64;
        Piece(Zeroizing::new(bytes))
    });
    Sealed { len, piece }
}

/// Bytes about a person: wiped when the last hand on them is gone.
struct Piece(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Weigh for Piece {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        visit(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use core::task::Waker;

    use sayso_provider::conformance::Bench;

    use super::*;

    fn next(upload: &mut Upload) -> Option<Result<Bytes, Refused>> {
        match Pin::new(upload).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(frame) => frame.map(|frame| frame.map(|f| f.into_data().expect("data"))),
            Poll::Pending => panic!("an upload never waits"),
        }
    }

    #[test]
    fn parts_come_in_order_with_their_length_known_before() {
        let bench = Bench::for_responder();
        let (permit, revoker) = bench.permit();
        let secret = seal(Labelled::new(bench.label(), "hello".to_owned()), String::into_bytes);
        let mut upload = Upload::new(permit).plain("<").sealed(secret).plain(">");
        assert_eq!(upload.size_hint().exact(), Some(7));
        assert_eq!(next(&mut upload), Some(Ok("<".into())));
        assert_eq!(next(&mut upload), Some(Ok("hello".into())));
        assert_eq!(upload.size_hint().exact(), Some(1));
        assert_eq!(next(&mut upload), Some(Ok(">".into())));
        assert!(upload.is_end_stream());
        assert_eq!(next(&mut upload), None);
        assert_eq!(revoker.revoke().bytes, 5, "what is about nobody is not counted");
    }

    #[test]
    fn a_sealed_part_does_not_open_after_a_revocation() {
        let bench = Bench::for_responder();
        let (permit, revoker) = bench.permit();
        let secret = seal(Labelled::new(bench.label(), "hello".to_owned()), String::into_bytes);
        let mut upload = Upload::new(permit).sealed(secret);
        revoker.revoke();
        assert_eq!(next(&mut upload), Some(Err(Refused::Revoked)));
    }
}
