//! What every [`Synthesizer`] must do.

use core::time::Duration;
use std::sync::Arc;

use futures::StreamExt;
use sayso_policy::Labelled;
use sayso_types::Pcm;

use super::{Bench, Refusal};
use crate::{Call, Error, Synthesizer};

const TEXT: &str = "Two plus two is four.";

/// Runs every check of this module that needs no preparation.
pub async fn all(synthesizer: Arc<dyn Synthesizer>) {
    speaks(Arc::clone(&synthesizer)).await;
    refuses_what_the_permit_does_not_cover(Arc::clone(&synthesizer)).await;
    stops_when_dropped(synthesizer).await;
}

/// Speaks a sentence, for which it passed the gate, at one rate throughout. Returns the sound in the order in which
/// it came.
pub async fn speaks(synthesizer: Arc<dyn Synthesizer>) -> Pcm {
    let bench = Bench::for_synthesizer();
    let (permit, revoker) = bench.permit();
    let text = Labelled::new(bench.label(), TEXT.to_owned());
    let pieces = speak(&*synthesizer, bench.call(&permit), text).await.expect("a sentence under an open permit");
    let passed = revoker.revoke();
    assert_eq!(passed.pieces, 1, "the sentence must pass the gate once");
    assert!(passed.bytes >= TEXT.len() as u64, "the sentence passed the gate in part");
    let rate = pieces.first().expect("speech has a first piece").rate;
    assert!(pieces.iter().all(|piece| piece.rate == rate), "the rate changed within a stream");
    let samples = pieces.into_iter().flat_map(|piece| piece.samples).collect::<Vec<_>>();
    assert!(!samples.is_empty(), "spoke nothing");
    Pcm::new(rate, samples)
}

/// A permit that is revoked, has run out or is for something else lets nothing through.
pub async fn refuses_what_the_permit_does_not_cover(synthesizer: Arc<dyn Synthesizer>) {
    let bench = Bench::for_synthesizer();
    for Refusal { permit, revoker, label, reason } in bench.refusals() {
        let done = speak(&*synthesizer, bench.call(&permit), Labelled::new(label, TEXT.to_owned())).await;
        assert_eq!(done, Err(Error::Refused(reason)));
        assert_eq!(revoker.revoke().bytes, 0, "passed in spite of {reason:?}");
    }
}

/// Dropping speech that has begun leaves the provider in order for the next sentence.
pub async fn stops_when_dropped(synthesizer: Arc<dyn Synthesizer>) {
    let bench = Bench::for_synthesizer();
    let (permit, _revoker) = bench.permit();
    let text = Labelled::new(bench.label(), TEXT.to_owned());
    let mut begun = synthesizer.synthesize(bench.call(&permit), text).await.expect("a sentence under an open permit");
    let first = begun.next().await;
    assert!(matches!(first, Some(Ok(_))), "the speech began with {first:?}");
    drop(begun);
    speaks(synthesizer).await;
}

/// A provider that was prepared not to answer in time is given up.
pub async fn ends_at_its_limit(hanging: Arc<dyn Synthesizer>, timeout: Duration) {
    let bench = Bench::for_synthesizer();
    let (permit, _revoker) = bench.permit();
    let call = Call { timeout, ..bench.call(&permit) };
    let done = speak(&*hanging, call, Labelled::new(bench.label(), TEXT.to_owned())).await;
    assert_eq!(done, Err(Error::TimedOut(timeout)));
}

async fn speak(synthesizer: &dyn Synthesizer, call: Call, text: Labelled<String>) -> Result<Vec<Pcm>, Error> {
    let mut pieces = synthesizer.synthesize(call, text).await?;
    let mut speech = Vec::new();
    while let Some(piece) = pieces.next().await {
        speech.push(piece?);
    }
    Ok(speech)
}
