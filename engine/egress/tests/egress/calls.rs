//! Who is called, with what, and how calls end.

use core::time::Duration;
use std::sync::Arc;

use futures::StreamExt;
use sayso_audit::Event;
use sayso_consent::{Denied, Options};
use sayso_egress::{Error, Processors, Timeouts};
use sayso_policy::{Profile, Reason};
use sayso_provider::Error as ProviderError;
use sayso_provider::fake::{Desk, FakeTranscriber, Manner};
use sayso_types::{Category, ProcessorKind, Purpose};

use crate::providers::{Panicking, Witness};
use crate::world::{FRAME, Fakes, PATIENCE, World, clock, frame, id, live, request, utterance};

fn recogniser() -> Arc<FakeTranscriber> {
    Arc::new(FakeTranscriber::new(clock()).hearing("hello"))
}

#[tokio::test]
async fn a_turn_goes_through_the_door_three_times() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    assert_eq!(world.egress.missing(), []);
    let talker = world.talker().await;
    let heard = world.egress.transcribe(&talker, utterance(&talker, 5)).await.unwrap();
    assert_eq!(heard.text.reveal(), "what time is it");
    let reply = world.egress.respond(&talker, request()).await.unwrap().collect::<Vec<_>>().await;
    assert!(reply.iter().all(Result::is_ok) && reply.len() == 1);
    let speech = world.egress.voice(&talker, Category::REPLY_TEXT).await.unwrap().speak("Ten.".into());
    let speech = speech.collect::<Vec<_>>().await;
    assert!(speech.iter().all(Result::is_ok) && !speech.is_empty());

    assert_eq!(fakes.transcriber.desk().received().bytes, 5 * FRAME);
    let label = talker.label(Category::TRANSCRIPT);
    assert_eq!(fakes.responder.desk().received().labels, [label]);
    assert_eq!(world.ended(3).await, ["done", "done", "done"]);
}

#[tokio::test]
async fn the_nearest_is_called_whatever_the_order() {
    let (near, domestic, overseas) = (recogniser(), recogniser(), recogniser());
    let mut processors = Processors::none();
    processors.transcribers.register(id("asr-overseas"), overseas.clone());
    processors.transcribers.register(id("asr-domestic"), domestic.clone());
    processors.transcribers.register(id("whisper-local"), near.clone());
    let world = World::new(processors).await;
    let talker = world.talker().await;
    world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap();
    let calls = [near, domestic, overseas].map(|of| of.desk().received().calls);
    assert_eq!(calls, [1, 0, 0]);
}

#[tokio::test]
async fn the_policy_says_which_region_is_tried_first() {
    let (near, domestic) = (recogniser(), recogniser());
    let mut processors = Processors::none();
    processors.transcribers.register(id("whisper-local"), near.clone());
    processors.transcribers.register(id("asr-domestic"), domestic.clone());
    let text = format!("{}\n[routing]\nprefer = [\"domestic\"]\n", include_str!("../profile.toml"));
    let profile = Profile::parse(&text).unwrap();
    let world = World::under(profile, processors, Timeouts::default(), Options::default()).await;
    let talker = world.talker().await;
    world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap();
    assert_eq!([near, domestic].map(|of| of.desk().received().calls), [0, 1]);
}

/// Who looks into it is led to what is missing, not to the receiver that happened to be asked last.
#[tokio::test]
async fn of_several_that_may_not_the_reason_is_that_of_the_closest() {
    let mut processors = Processors::none();
    for id in [id("whisper-local"), id("asr-suspended")] {
        processors.transcribers.register(id, recogniser());
    }
    let world = World::new(processors).await;
    let talker = sayso_egress::Context { subject: world.stranger().await, ..world.talker().await };
    let denied = world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap_err();
    assert!(matches!(denied, Error::Denied(Denied::Policy(Reason::NoBasis))), "{denied}");
}

#[tokio::test]
async fn who_may_not_is_passed_over_for_the_next_nearest() {
    let (suspended, domestic, overseas) = (recogniser(), recogniser(), recogniser());
    let mut processors = Processors::none();
    processors.transcribers.register(id("asr-overseas"), overseas.clone());
    processors.transcribers.register(id("asr-suspended"), suspended.clone());
    processors.transcribers.register(id("asr-domestic"), domestic.clone());
    let world = World::new(processors).await;
    let talker = world.talker().await;
    world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap();
    let calls = [suspended, domestic, overseas].map(|of| of.desk().received().calls);
    assert_eq!(calls, [0, 1, 0]);
}

#[tokio::test]
async fn a_failure_never_leads_further_away() {
    let (near, overseas) = (recogniser(), recogniser());
    let mut processors = Processors::none();
    processors.transcribers.register(id("whisper-local"), near.clone());
    processors.transcribers.register(id("asr-overseas"), overseas.clone());
    let world = World::new(processors).await;
    let talker = world.talker().await;
    near.desk().behave(Manner::Fail(ProviderError::Unreachable("cable pulled".into())));
    let failed = world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap_err();
    assert_eq!(failed.code(), "unreachable");
    // nor does it that an intent cannot be recorded, or decided on
    world.store.close();
    let failed = world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap_err();
    assert!(matches!(failed, Error::Denied(Denied::Register(_))), "{failed}");
    assert_eq!(failed.code(), "store_unavailable");
    assert_eq!((near.desk().received().calls, overseas.desk().received().calls), (1, 0));
}

#[tokio::test]
async fn without_a_processor_there_is_an_error_that_says_so() {
    let fakes = Fakes::new();
    let mut processors = Processors::none();
    // nobody knows that one, and the other is no recogniser
    processors.transcribers.register(id("nobody-knows"), fakes.transcriber.clone());
    processors.transcribers.register(id("rules-local"), fakes.transcriber.clone());
    let world = World::new(processors).await;
    assert_eq!(world.egress.missing(), [ProcessorKind::Llm, ProcessorKind::Tts]);
    let talker = world.talker().await;
    let failed = world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap_err();
    assert!(matches!(failed, Error::NoProcessor(ProcessorKind::Asr)) && failed.code() == "no_processor");
    let failed = world.egress.respond(&talker, request()).await.map(drop).unwrap_err();
    assert!(matches!(failed, Error::NoProcessor(ProcessorKind::Llm)));
    assert_eq!(fakes.transcriber.desk().received().calls, 0);
}

#[tokio::test]
async fn without_consent_nobody_is_called() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let talker = sayso_egress::Context { subject: world.stranger().await, ..world.talker().await };
    let denied = world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap_err();
    assert!(matches!(denied, Error::Denied(Denied::Policy(Reason::NoBasis))) && denied.code() == "not_allowed");
    assert!(world.egress.respond(&talker, request()).await.is_err());
    let speech = world.egress.voice(&talker, Category::REPLY_TEXT).await;
    assert!(speech.is_err());
    let calls = [fakes.transcriber.desk(), fakes.responder.desk(), fakes.synthesizer.desk()];
    assert!(calls.iter().all(|desk| desk.received().calls == 0));
    // to read a notice to somebody needs none
    let notice = sayso_egress::Context { purpose: Purpose::NOTICE, ..talker };
    let speech = world.egress.voice(&notice, Category::NOTICE_TEXT).await.unwrap().speak("May I?".into());
    assert!(speech.collect::<Vec<_>>().await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn the_intent_is_durable_before_the_first_byte() {
    let mut processors = Processors::none();
    let world = World::new(Processors::none()).await;
    let journal = world.register.journal().clone();
    let witness = Arc::new(Witness { journal, on_record: std::sync::Mutex::default() });
    processors.transcribers.register(id("whisper-local"), witness.clone());
    let egress =
        sayso_egress::Egress::new(Arc::clone(&world.register), processors, Timeouts::default(), world.tasks.clone());
    let talker = world.talker().await;
    let (before, _) = world.register.journal().head().await.unwrap();
    egress.transcribe(&talker, utterance(&talker, 3)).await.unwrap();
    let seen = witness.on_record.lock().unwrap().clone();
    assert_eq!(seen.len() as u64, before + 1);
    let Event::SegmentOpened { segment, cell, processor, turn } = seen.last().unwrap().fact.event else {
        panic!("{seen:?}")
    };
    assert_eq!((cell.category, processor, turn), (Category::VOICE_AUDIO, id("whisper-local"), talker.turn));
    world.ended(1).await;
    let closed = world.register.journal().read(before + 1, 10).await.unwrap();
    let closed = sayso_audit::Leaf::decode(&closed[0]).unwrap().fact.event;
    assert!(matches!(closed, Event::SegmentClosed { segment: s, bytes: FRAME, .. } if s == segment), "{closed:?}");
}

#[tokio::test]
async fn what_a_provider_fails_with_is_told_and_on_record() {
    let fakes = Fakes::new();
    let timeouts = Timeouts { transcribe: Duration::ZERO, respond: Duration::ZERO, ..Timeouts::default() };
    let world = World::with(fakes.processors(), timeouts, PATIENCE).await;
    let talker = world.talker().await;
    let failures = [
        (Manner::Fail(ProviderError::Unauthorized), "unauthorized"),
        (Manner::Fail(ProviderError::Busy { retry_after: None }), "busy"),
        (Manner::Fail(ProviderError::Rejected("no".into())), "rejected"),
        (Manner::Fail(ProviderError::Malformed("?".into())), "malformed"),
        (Manner::Fail(ProviderError::TooLarge("!".into())), "too_large"),
        (Manner::Fail(ProviderError::Failed("ouch".into())), "failed"),
        (Manner::HalfAnswer, "incomplete"),
        (Manner::Hang, "timed_out"),
    ];
    let (asr, llm): (&Desk, &Desk) = (fakes.transcriber.desk(), fakes.responder.desk());
    for (n, (manner, code)) in failures.into_iter().enumerate() {
        asr.behave(manner.clone());
        llm.behave(manner);
        let failed = world.egress.transcribe(&talker, utterance(&talker, 2)).await.unwrap_err();
        assert_eq!(failed.code(), code);
        let parts: Vec<_> = world.egress.respond(&talker, request()).await.unwrap().collect().await;
        let codes: Vec<_> = parts.iter().filter_map(|part| part.as_ref().err().map(Error::code)).collect();
        assert_eq!(codes, [code], "once, and as the last");
        assert!(parts.last().unwrap().is_err());
        let reasons = world.ended(2 * (n + 1)).await;
        assert!(reasons[2 * n..].iter().all(|reason| reason == code), "{reasons:?}");
    }
    assert_eq!((asr.received().running, llm.received().running), (0, 0));
}

#[tokio::test]
async fn a_provider_that_panics_has_failed_and_lets_go() {
    let mut processors = Processors::none();
    processors.transcribers.register(id("whisper-local"), Arc::new(Panicking));
    let world = World::new(processors).await;
    let talker = world.talker().await;
    let failed = world.egress.transcribe(&talker, utterance(&talker, 1)).await.unwrap_err();
    assert_eq!(failed.code(), "failed", "which is not that consent was withdrawn");
    assert!(world.withdraw(&talker).await.ok);
}

#[tokio::test]
async fn the_way_to_a_voice_is_opened_before_there_is_a_text() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let talker = world.talker().await;
    let unused = world.egress.voice(&talker, Category::REPLY_TEXT).await.unwrap();
    let used = world.egress.voice(&talker, Category::REPLY_TEXT).await.unwrap();
    assert_eq!(fakes.synthesizer.desk().received().calls, 0, "on record, and not called");
    drop(unused);
    assert_eq!(world.ended(1).await, ["dropped"]);
    let speech: Vec<_> = used.speak("Ten.".into()).collect().await;
    assert!(speech.iter().all(Result::is_ok) && !speech.is_empty());
    assert_eq!(world.ended(2).await[1], "done");
    assert_eq!(fakes.synthesizer.desk().received().calls, 1);
}

#[tokio::test]
async fn a_caller_who_leaves_ends_the_call() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let talker = world.talker().await;
    let desk = fakes.transcriber.desk();
    let (speaker, audio) = live();
    let mut transcribing = Box::pin(world.egress.transcribe(&talker, audio));
    tokio::select! {
        _ = &mut transcribing => panic!("nobody has finished speaking"),
        _ = async {
            speaker.send(frame(&talker)).await.unwrap();
            desk.wait_until(|received| received.pieces == 1).await
        } => {}
    }
    drop(transcribing);
    desk.wait_until(|received| received.running == 0).await;
    speaker.closed().await;

    let desk = fakes.responder.desk();
    desk.behave(Manner::Hang);
    let reply = world.egress.respond(&talker, request()).await.unwrap();
    desk.wait_until(|received| received.running == 1 && received.pieces == 1).await;
    drop(reply);
    desk.wait_until(|received| received.running == 0).await;

    // a stream that nobody takes from holds what fits its queue, and ends with its holder
    let desk = fakes.synthesizer.desk();
    let speech = world.egress.voice(&talker, Category::REPLY_TEXT).await.unwrap().speak("long ".repeat(100));
    desk.wait_until(|received| received.pieces == 1).await;
    drop(speech);
    desk.wait_until(|received| received.running == 0).await;
    assert_eq!(world.ended(3).await, ["dropped", "dropped", "dropped"]);
}
