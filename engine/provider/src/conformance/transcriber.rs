//! What every [`Transcriber`] must do.

use core::future::pending;
use core::time::Duration;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, stream};
use sayso_policy::Refused;
use sayso_policy::permit::Passed;
use tokio::sync::oneshot;

use super::{Bench, Refusal};
use crate::{Error, Frame, Transcriber, Transcript};

/// Half a second of 20 ms frames.
const FRAMES: usize = 25;
/// Frames before the one at which consent is withdrawn.
const FRAMES_BEFORE_REVOCATION: usize = 10;
/// Bytes of a 20 ms frame at 16 kHz and 16 bits.
const FRAME_BYTES: u64 = 640;

/// Runs every check of this module that needs no preparation.
pub async fn all(transcriber: Arc<dyn Transcriber>) {
    takes_every_frame_once(Arc::clone(&transcriber)).await;
    hears_nothing_in_silence_of_no_length(Arc::clone(&transcriber)).await;
    refuses_what_the_permit_does_not_cover(Arc::clone(&transcriber)).await;
    takes_nothing_after_a_revocation(Arc::clone(&transcriber)).await;
    stops_when_dropped(transcriber).await;
}

/// Every frame passes the gate, once.
pub async fn takes_every_frame_once(transcriber: Arc<dyn Transcriber>) -> Passed {
    let bench = Bench::for_transcriber();
    let (permit, revoker) = bench.permit();
    let done = transcriber.transcribe(bench.call(&permit), bench.utterance(bench.label(), FRAMES)).await;
    assert!(done.is_ok(), "an utterance under an open permit failed: {done:?}");
    let passed = revoker.revoke();
    assert_eq!(passed.bytes, FRAMES as u64 * FRAME_BYTES, "not every frame passed the gate, or one passed twice");
    passed
}

/// No audio gives no words, and no error.
pub async fn hears_nothing_in_silence_of_no_length(transcriber: Arc<dyn Transcriber>) {
    let bench = Bench::for_transcriber();
    let (permit, revoker) = bench.permit();
    let heard = transcriber.transcribe(bench.call(&permit), bench.utterance(bench.label(), 0)).await;
    let Ok(Transcript { text, .. }) = heard else { panic!("empty audio gave {heard:?}") };
    assert!(text.reveal().is_empty(), "empty audio gave words");
    assert_eq!(revoker.revoke().bytes, 0, "something was passed that nobody said");
}

/// A permit that is revoked, has run out or is for something else lets nothing through.
pub async fn refuses_what_the_permit_does_not_cover(transcriber: Arc<dyn Transcriber>) {
    let bench = Bench::for_transcriber();
    for Refusal { permit, revoker, label, reason } in bench.refusals() {
        let done = transcriber.transcribe(bench.call(&permit), bench.utterance(label, FRAMES)).await;
        assert_eq!(done, Err(Error::Refused(reason)));
        assert_eq!(revoker.revoke().bytes, 0, "passed in spite of {reason:?}");
    }
}

/// A withdrawal in the middle of an utterance ends the call; no frame is taken after the one that was refused.
/// Returns what had passed when the revocation returned.
pub async fn takes_nothing_after_a_revocation(transcriber: Arc<dyn Transcriber>) -> Passed {
    let bench = Bench::for_transcriber();
    let (permit, revoker) = bench.permit();
    let taken = Arc::new(AtomicUsize::new(0));
    let at_revocation = Arc::new(Mutex::new(Passed::default()));

    let audio = stream::iter(vec![bench.frame(bench.label()); FRAMES]).inspect({
        let (taken, at_revocation) = (Arc::clone(&taken), Arc::clone(&at_revocation));
        move |_: &Frame| {
            if taken.fetch_add(1, Ordering::SeqCst) == FRAMES_BEFORE_REVOCATION {
                *at_revocation.lock().unwrap_or_else(PoisonError::into_inner) = revoker.revoke();
            }
        }
    });
    let done = transcriber.transcribe(bench.call(&permit), Box::pin(audio)).await;

    assert_eq!(done, Err(Error::Refused(Refused::Revoked)));
    let passed = at_revocation.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if transcriber.streams() {
        assert_eq!(taken.load(Ordering::SeqCst), FRAMES_BEFORE_REVOCATION + 1, "went on after a refusal");
        let before = FRAMES_BEFORE_REVOCATION as u64 * FRAME_BYTES;
        assert_eq!(passed.bytes, before, "a frame was taken before the one in front of it had passed");
    } else {
        assert_eq!(passed.bytes, 0, "passed a part of an utterance that it wants whole");
    }
    passed
}

/// Dropping the future lets go of the audio, and the next call finds the provider in order.
pub async fn stops_when_dropped(transcriber: Arc<dyn Transcriber>) {
    let bench = Bench::for_transcriber();
    let (permit, _revoker) = bench.permit();
    let (reached_the_end, waiting) = oneshot::channel();
    let (held, released) = oneshot::channel::<()>();
    let endless = stream::once(async move {
        let _held = held;
        reached_the_end.send(()).expect("the check waits for this");
        pending::<Frame>().await
    });
    let audio = bench.utterance(bench.label(), FRAMES).chain(endless);
    tokio::select! {
        done = transcriber.transcribe(bench.call(&permit), Box::pin(audio)) => {
            panic!("answered before the utterance was over: {done:?}");
        }
        reached = waiting => reached.expect("the audio is dropped with the call"),
    }
    released.await.expect_err("nothing is sent, the sender is dropped");
    takes_every_frame_once(transcriber).await;
}

/// A provider that was prepared not to answer in time is given up.
pub async fn ends_at_its_limit(hanging: Arc<dyn Transcriber>, timeout: Duration) {
    let bench = Bench::for_transcriber();
    let (permit, _revoker) = bench.permit();
    let call = crate::Call { timeout, ..bench.call(&permit) };
    let done = hanging.transcribe(call, bench.utterance(bench.label(), FRAMES)).await;
    assert_eq!(done, Err(Error::TimedOut(timeout)));
}
