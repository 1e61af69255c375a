//! What every [`Viewer`] must do.

use core::time::Duration;
use std::sync::Arc;

use futures::FutureExt;
use sayso_policy::Labelled;
use sayso_types::{Picture, PictureFormat};

use super::{Bench, Refusal};
use crate::{Call, Error, Sight, Viewer};

/// Runs every check of this module that needs no preparation.
pub async fn all(viewer: Arc<dyn Viewer>) {
    answers(Arc::clone(&viewer)).await;
    refuses_what_the_permit_does_not_cover(Arc::clone(&viewer)).await;
    stops_when_dropped(viewer).await;
}

/// Says something about a picture, for which the picture and the question passed the gate. Returns what it said.
pub async fn answers(viewer: Arc<dyn Viewer>) -> String {
    let bench = Bench::for_viewer();
    let (permit, revoker) = bench.permit();
    let answer = viewer.view(bench.call(&permit), Labelled::new(bench.label(), sight())).await;
    let passed = revoker.revoke();
    assert_eq!(passed.pieces, 1, "the picture must pass the gate once");
    assert!(passed.bytes >= sight().picture.bytes().len() as u64, "the picture passed the gate in part");
    let text = answer.expect("a picture under an open permit").into_inner();
    assert!(!text.is_empty(), "answered nothing");
    text
}

/// A permit that is revoked, has run out or is for something else lets nothing through.
pub async fn refuses_what_the_permit_does_not_cover(viewer: Arc<dyn Viewer>) {
    let bench = Bench::for_viewer();
    for Refusal { permit, revoker, label, reason } in bench.refusals() {
        let done = viewer.view(bench.call(&permit), Labelled::new(label, sight())).await;
        assert_eq!(done.map(|_| ()), Err(Error::Refused(reason)));
        assert_eq!(revoker.revoke().bytes, 0, "passed in spite of {reason:?}");
    }
}

/// Dropping a call that has begun leaves the provider in order for the next picture.
pub async fn stops_when_dropped(viewer: Arc<dyn Viewer>) {
    let bench = Bench::for_viewer();
    let (permit, _revoker) = bench.permit();
    let begun = viewer.view(bench.call(&permit), Labelled::new(bench.label(), sight()));
    // as far as it gets without waiting
    let _ = begun.now_or_never();
    answers(viewer).await;
}

/// A provider that was prepared not to answer in time is given up.
pub async fn ends_at_its_limit(hanging: Arc<dyn Viewer>, timeout: Duration) {
    let bench = Bench::for_viewer();
    let (permit, _revoker) = bench.permit();
    let call = Call { timeout, ..bench.call(&permit) };
    let done = hanging.view(call, Labelled::new(bench.label(), sight())).await;
    assert_eq!(done.map(|_| ()), Err(Error::TimedOut(timeout)));
}

/// What begins like a JPEG file, and a question about it.
#[must_use]
pub fn sight() -> Sight {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
    bytes.extend((0..4_000_u32).map(|i| i as u8));
    let picture = Picture::new(PictureFormat::Jpeg, bytes.into()).expect("it begins like one");
    Sight { picture, question: "Where is the cup?".to_owned() }
}
