//! What every [`Responder`] must do.

use core::time::Duration;
use std::sync::Arc;

use futures::StreamExt;
use sayso_policy::Labelled;

use super::{Bench, Refusal};
use crate::{Call, Error, Exchange, Fact, Reply, Request, Responder};

/// Runs every check of this module that needs no preparation.
pub async fn all(responder: Arc<dyn Responder>) {
    answers(Arc::clone(&responder)).await;
    refuses_what_the_permit_does_not_cover(Arc::clone(&responder)).await;
    asks_each_permit_of_what_goes_along(Arc::clone(&responder)).await;
    stops_when_dropped(responder).await;
}

/// Answers a question with something to say, for which the question passed the gate. Returns the text in the order
/// in which it came.
pub async fn answers(responder: Arc<dyn Responder>) -> String {
    let bench = Bench::for_responder();
    let (permit, revoker) = bench.permit();
    let request = Labelled::new(bench.label(), question());
    let parts = ask(&*responder, bench.call(&permit), request).await.expect("a question under an open permit");
    let passed = revoker.revoke();
    assert_eq!(passed.pieces, 1, "the question must pass the gate once");
    assert!(passed.bytes >= question().text.len() as u64, "the question passed the gate in part");
    let text: String = parts
        .into_iter()
        .filter_map(|part| match part {
            Reply::Text(text) => Some(text),
            Reply::Act(_) => None,
        })
        .collect();
    assert!(!text.is_empty(), "answered nothing");
    text
}

/// A permit that is revoked, has run out or is for something else lets nothing through.
pub async fn refuses_what_the_permit_does_not_cover(responder: Arc<dyn Responder>) {
    let bench = Bench::for_responder();
    for Refusal { permit, revoker, label, reason } in bench.refusals() {
        let done = ask(&*responder, bench.call(&permit), Labelled::new(label, question())).await;
        assert_eq!(done, Err(Error::Refused(reason)));
        assert_eq!(revoker.revoke().bytes, 0, "passed in spite of {reason:?}");
    }
}

/// What goes along with a question has a permit of its own. With that, both are counted when they go; once it has ended, or where
/// it is for something else, nothing goes of either.
pub async fn asks_each_permit_of_what_goes_along(responder: Arc<dyn Responder>) {
    let (bench, other) = (Bench::for_responder(), Bench::for_history());
    let earlier = || vec![Exchange { said: "Good night.".to_owned(), heard: "Sleep well.".to_owned() }];
    let laden = |label| {
        let mut request = Labelled::new(bench.label(), Request { earlier: Vec::new(), ..question() });
        request.take_along(Labelled::new(label, earlier()), |request, earlier| request.earlier = earlier);
        request
    };
    let ((own, revoker), (permit, others)) = (bench.permit(), other.permit());
    let call = bench.call(&own.with(&[permit]));
    ask(&*responder, call, laden(other.label())).await.expect("a question under open permits");
    let (asked, along) = (revoker.revoke(), others.revoke());
    assert_eq!((asked.pieces, along.pieces), (1, 1), "each must pass the gate once");
    assert_eq!(along.bytes, "Good night.Sleep well.".len() as u64);
    assert!(asked.bytes > along.bytes, "the question is counted with what goes along");

    for Refusal { permit, revoker: others, label, reason } in other.refusals() {
        let (own, revoker) = bench.permit();
        let done = ask(&*responder, bench.call(&own.with(&[permit])), laden(label)).await;
        assert_eq!(done, Err(Error::Refused(reason)));
        let passed = revoker.revoke().bytes + others.revoke().bytes;
        assert_eq!(passed, 0, "passed although what goes along is refused with {reason:?}");
    }
}

/// Dropping an answer that has begun leaves the provider in order for the next question.
pub async fn stops_when_dropped(responder: Arc<dyn Responder>) {
    let bench = Bench::for_responder();
    let (permit, _revoker) = bench.permit();
    let request = Labelled::new(bench.label(), question());
    let mut begun = responder.respond(bench.call(&permit), request).await.expect("a question under an open permit");
    let first = begun.next().await;
    assert!(matches!(first, Some(Ok(_))), "the answer began with {first:?}");
    drop(begun);
    answers(responder).await;
}

/// A provider that was prepared not to answer in time is given up.
pub async fn ends_at_its_limit(hanging: Arc<dyn Responder>, timeout: Duration) {
    let bench = Bench::for_responder();
    let (permit, _revoker) = bench.permit();
    let call = Call { timeout, ..bench.call(&permit) };
    let done = ask(&*hanging, call, Labelled::new(bench.label(), question())).await;
    assert_eq!(done, Err(Error::TimedOut(timeout)));
}

/// A question with everything that a request can carry.
fn question() -> Request {
    Request {
        text: "What is two plus two?".to_owned(),
        history: vec![Exchange { said: "Hello.".to_owned(), heard: "Hello, Anna.".to_owned() }],
        earlier: vec![Exchange { said: "Good night.".to_owned(), heard: "Sleep well.".to_owned() }],
        facts: vec![Fact { key: "name".to_owned(), value: "Anna".to_owned() }],
        remembers: true,
        passages: vec!["Two and two are four.".to_owned()],
        role: "You are a friendly speaker in a kitchen.".to_owned(),
    }
}

async fn ask(responder: &dyn Responder, call: Call, request: Labelled<Request>) -> Result<Vec<Reply>, Error> {
    let mut parts = responder.respond(call, request).await?;
    let mut answer = Vec::new();
    while let Some(part) = parts.next().await {
        answer.push(part?);
    }
    Ok(answer)
}
