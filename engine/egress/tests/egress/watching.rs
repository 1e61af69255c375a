//! More than the policy declares does not pass the door, and what comes back that is no answer is counted.

use std::sync::Arc;

use futures::StreamExt;
use sayso_consent::volume::Went;
use sayso_consent::{Denied, Options};
use sayso_egress::{Error, Timeouts};
use sayso_policy::{Profile, Refused};
use sayso_provider::fake::{FakeTranscriber, Manner};
use sayso_provider::{Error as ProviderError, Request};

use crate::world::{FRAME, Fakes, World, clock, id, request, utterance};

/// A door where the recogniser may have three frames in a call and five in a day, and the dialogue a question and no more.
async fn world(fakes: &Fakes, processors: impl FnOnce(&mut sayso_egress::Processors)) -> World {
    let plain = include_str!("../profile.toml");
    let declares = |text: &str, id: &str, volume: String| {
        let here = format!("{{ id = \"{id}\",");
        assert!(text.contains(&here), "{id}");
        text.replacen(&here, &format!("{here} volume = {{ {volume} }},"), 1)
    };
    let (call, day) = (3 * FRAME, 5 * FRAME);
    let text = declares(plain, "whisper-local", format!("voice_audio = {{ per_call = {call}, per_day = {day} }}"));
    let text = declares(&text, "rules-local", format!("transcript = {{ per_call = {} }}", request().text.len()));
    let mut all = fakes.processors();
    processors(&mut all);
    World::under(Profile::parse(&text).unwrap(), all, Timeouts::default(), Options::default()).await
}

fn went(world: &World, processor: &str) -> Went {
    world.register.volumes().into_iter().find(|to| to.processor == id(processor)).unwrap().went
}

#[tokio::test]
async fn more_than_may_go_is_stopped_at_the_door_and_leads_nowhere_else() {
    let (fakes, further) = (Fakes::new(), Arc::new(FakeTranscriber::new(clock())));
    let world = world(&fakes, |all| all.transcribers.register(id("asr-overseas"), further.clone())).await;
    let talker = world.talker().await;
    let error = world.egress.transcribe(&talker, utterance(&talker, 4)).await.unwrap_err();
    assert!(matches!(error, Error::Provider(ProviderError::Refused(Refused::TooMuch))), "{error:?}");
    assert_eq!(error.code(), "too_much");
    assert_eq!(fakes.transcriber.desk().received().bytes, 3 * FRAME, "the fourth did not go");
    assert_eq!(world.ended(1).await, ["too_much"]);
    let error = world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap_err();
    assert!(
        matches!(error, Error::Denied(Denied::TooMuch { .. })),
        "a call may have three, and two are left: {error:?}"
    );
    assert_eq!((error.code(), further.desk().received().calls), ("too_much", 0));
    let told = Went { calls: 1, bytes: 3 * FRAME, over: 2, malformed: 0 };
    assert_eq!(went(&world, "whisper-local"), told);

    // a question as long as may be goes; with what was said before it would be more
    let answer: Vec<_> = world.egress.respond(&talker, request()).await.unwrap().collect().await;
    assert!(answer.iter().all(Result::is_ok));
    let longer = Request { text: request().text + "?", ..request() };
    let refused: Vec<_> = world.egress.respond(&talker, longer).await.unwrap().collect().await;
    assert_eq!(refused.last().unwrap().as_ref().unwrap_err().code(), "too_much");
    assert_eq!(fakes.responder.desk().received().pieces, 1);
}

#[tokio::test]
async fn what_is_no_answer_fails_by_that_name_and_is_counted() {
    let fakes = Fakes::new();
    let world = world(&fakes, |_| ()).await;
    let talker = world.talker().await;
    let nonsense = ProviderError::Malformed("not a transcript".to_owned());
    fakes.transcriber.desk().behave(Manner::Fail(nonsense));
    let error = world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap_err();
    assert_eq!(error.code(), "malformed");
    assert_eq!(world.ended(1).await, ["malformed"]);
    assert_eq!(went(&world, "whisper-local").malformed, 1);
}
