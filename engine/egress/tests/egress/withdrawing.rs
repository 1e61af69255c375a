//! Withdrawals in the middle of things: OK means that the other side gets nothing more, from anywhere.

use core::time::Duration;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};

use futures::StreamExt;
use sayso_consent::{Denied, Lineage, Means};
use sayso_egress::{Context, Error, Processors, Timeouts};
use sayso_policy::{Reason, Refused};
use sayso_provider::fake::{FakeTranscriber, Manner};
use sayso_provider::{Error as ProviderError, Request};
use sayso_types::dialogue::Fact;
use sayso_types::{Category, Part, Purpose, TurnId};
use tokio::sync::Notify;

use crate::providers::{Buffering, Halting, Hesitant, Lingering};
use crate::world::{FRAME, Fakes, World, clock, frame, id, live, request, utterance};

fn is_revoked(error: &Error) -> bool {
    matches!(error, Error::Provider(ProviderError::Refused(Refused::Revoked)))
}

fn is_denied(error: &Error) -> bool {
    matches!(error, Error::Denied(Denied::Policy(Reason::NoBasis)))
}

/// Speaks on and on, until nobody listens.
async fn speak(context: &Context, speaker: tokio::sync::mpsc::Sender<sayso_provider::Frame>) {
    while speaker.send(frame(context)).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_middle_of_an_utterance() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let desk = fakes.transcriber.desk();
    for frames in [1, 2, 7, 40] {
        let (talker, other) = (world.talker().await, world.talker().await);
        let (speaker, audio) = live();
        let (before, others) = (desk.received(), live());
        let transcribing = world.egress.transcribe(&talker, audio);
        let other_transcribing = world.egress.transcribe(&other, others.1);
        let other_speaks = async {
            for _ in 0..50 {
                others.0.send(frame(&other)).await.unwrap();
            }
            drop(others.0);
        };
        let withdrawing = async {
            // of these the other's are 50 at most
            desk.wait_until(|received| received.pieces >= before.pieces + frames + 50).await;
            world.withdraw(&talker).await
        };
        let (result, other_result, withdrawn, (), ()) =
            tokio::join!(transcribing, other_transcribing, withdrawing, speak(&talker, speaker), other_speaks);
        assert!(is_revoked(&result.unwrap_err()));
        assert_eq!(other_result.unwrap().text.reveal(), "what time is it", "nobody else is held up");
        assert!(withdrawn.ok && withdrawn.bytes() >= frames * FRAME);
        let after = desk.wait_until(|received| received.running == 0).await;
        assert_eq!(after.bytes - before.bytes, withdrawn.bytes() + 50 * FRAME, "nothing came in that had not passed");
    }
}

#[tokio::test]
async fn the_provider_has_let_go_when_ok_is_said() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let talker = world.talker().await;
    let (speaker, audio) = live();
    let desk = fakes.transcriber.desk();
    let withdrawing = async {
        desk.wait_until(|received| received.pieces >= 3).await;
        assert!(world.withdraw(&talker).await.ok);
        desk.received()
    };
    let (result, at_ok, ()) =
        tokio::join!(world.egress.transcribe(&talker, audio), withdrawing, speak(&talker, speaker));
    assert!(is_revoked(&result.unwrap_err()));
    assert_eq!(at_ok.running, 0);
    assert_eq!(desk.received(), at_ok, "and hears nothing more");
    assert_eq!(world.ended(1).await, ["withdrawn"]);
}

#[tokio::test]
async fn before_an_utterance_is_complete_for_one_who_wants_it_whole() {
    let whole = Arc::new(FakeTranscriber::new(clock()).wanting_whole_utterances());
    let mut processors = Processors::none();
    processors.transcribers.register(id("whisper-local"), whole.clone());
    let world = World::new(processors).await;
    let talker = world.talker().await;
    let (speaker, audio) = live();
    let withdrawing = async {
        for _ in 0..50 {
            speaker.send(frame(&talker)).await.unwrap();
        }
        let withdrawn = world.withdraw(&talker).await;
        assert_eq!((withdrawn.ok, withdrawn.bytes()), (true, 0), "all of it was in front of the gate");
        speaker.closed().await;
    };
    let (result, ()) = tokio::join!(world.egress.transcribe(&talker, audio), withdrawing);
    assert!(is_revoked(&result.unwrap_err()));
    assert_eq!(whole.desk().received().calls, 0);
}

#[tokio::test]
async fn between_the_words_and_the_answer() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let talker = world.talker().await;
    world.egress.transcribe(&talker, utterance(&talker, 5)).await.unwrap();
    assert!(world.withdraw(&talker).await.ok);
    assert!(is_denied(&world.egress.respond(&talker, request()).await.map(drop).unwrap_err()));
    assert_eq!(fakes.responder.desk().received().calls, 0);
}

#[tokio::test]
async fn in_the_middle_of_the_answer() {
    let (fakes, halting) = (Fakes::new(), Arc::new(Halting::default()));
    let mut processors = fakes.processors();
    processors.responders.register(id("rules-local"), halting.clone());
    let world = World::new(processors).await;
    let talker = world.talker().await;
    let mut reply = Box::pin(world.egress.respond(&talker, request()).await.unwrap());
    reply.next().await.unwrap().unwrap();
    while halting.said.load(SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    assert!(world.withdraw(&talker).await.ok, "though nobody takes what waits in the stream");
    assert!(is_revoked(&reply.next().await.unwrap().unwrap_err()), "what waits is not handed on");
    assert!(reply.next().await.is_none());
    let speech = world.egress.voice(&talker, Category::REPLY_TEXT).await;
    assert!(is_denied(&speech.map(drop).unwrap_err()));
    assert_eq!(fakes.synthesizer.desk().received().calls, 0);
}

#[tokio::test]
async fn in_the_middle_of_the_speech() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let talker = world.talker().await;
    let speech = world.egress.voice(&talker, Category::REPLY_TEXT).await.unwrap().speak("long ".repeat(100));
    let desk = fakes.synthesizer.desk();
    desk.wait_until(|received| received.pieces == 1).await;
    // the queue is full, and nobody takes anything out of it
    assert!(world.withdraw(&talker).await.ok);
    assert_eq!(desk.received().running, 0);
    let parts: Vec<_> = speech.collect().await;
    assert!(matches!(parts.as_slice(), [Err(error)] if is_revoked(error)), "{} parts", parts.len());
}

#[tokio::test]
async fn before_the_voice_has_its_text() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let talker = world.talker().await;
    let voice = world.egress.voice(&talker, Category::REPLY_TEXT).await.unwrap();
    assert!(world.withdraw(&talker).await.ok, "though nobody looks after it");
    let parts: Vec<_> = voice.speak("too late".into()).collect().await;
    assert!(matches!(parts.as_slice(), [Err(error)] if is_revoked(error)), "{} parts", parts.len());
    assert_eq!(fakes.synthesizer.desk().received().calls, 0);
    assert_eq!(world.ended(1).await, ["withdrawn"]);
}

#[tokio::test]
async fn of_everything_a_turn_has_under_way() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let talker = world.talker().await;
    fakes.transcriber.desk().behave(Manner::Hang);
    fakes.responder.desk().behave(Manner::Hang);
    let transcribing = world.egress.transcribe(&talker, utterance(&talker, 5));
    let rest = async {
        let reply = world.egress.respond(&talker, request()).await.unwrap();
        let text = "long ".repeat(100);
        let speech = world.egress.voice(&talker, Category::REPLY_TEXT).await.unwrap().speak(text);
        fakes.transcriber.desk().wait_until(|received| received.pieces == 5).await;
        fakes.responder.desk().wait_until(|received| received.pieces == 1).await;
        fakes.synthesizer.desk().wait_until(|received| received.pieces == 1).await;
        let withdrawn = world.withdraw(&talker).await;
        assert!(withdrawn.ok);
        assert_eq!(withdrawn.holders.len(), 3);
        for desk in [fakes.transcriber.desk(), fakes.responder.desk(), fakes.synthesizer.desk()] {
            assert_eq!(desk.received().running, 0);
        }
        (reply.count().await, speech.count().await)
    };
    let (result, counts) = tokio::join!(transcribing, rest);
    assert!(is_revoked(&result.unwrap_err()));
    assert_eq!(counts, (1, 1));
    assert_eq!(world.ended(3).await, ["withdrawn", "withdrawn", "withdrawn"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_provider_writes_out_of_a_buffer() {
    let buffering = Arc::new(Buffering::default());
    let mut processors = Processors::none();
    processors.transcribers.register(id("whisper-local"), buffering.clone());
    let world = World::new(processors).await;
    for _ in 0..10 {
        let talker = world.talker().await;
        let (speaker, audio) = live();
        let before = buffering.written.load(SeqCst);
        let withdrawing = async {
            while buffering.written.load(SeqCst) < before + FRAME {
                tokio::task::yield_now().await;
            }
            assert!(world.withdraw(&talker).await.ok);
            assert_eq!(Arc::strong_count(&buffering.written), 1, "nobody is left who writes");
        };
        let (result, (), ()) =
            tokio::join!(world.egress.transcribe(&talker, audio), withdrawing, speak(&talker, speaker));
        assert!(is_revoked(&result.unwrap_err()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn from_a_provider_that_takes_its_time_to_clean_up() {
    let (called, cleaning_up) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let is_clean = Arc::new(AtomicBool::new(false));
    let (finish, may_finish) = mpsc::sync_channel(1);
    let lingering = Lingering {
        called: called.clone(),
        cleaning_up: cleaning_up.clone(),
        is_clean: is_clean.clone(),
        may_finish: Arc::new(std::sync::Mutex::new(may_finish)),
    };
    let mut processors = Processors::none();
    processors.transcribers.register(id("whisper-local"), Arc::new(lingering));
    let world = World::with(processors, Timeouts::default(), Duration::from_millis(50)).await;
    let talker = world.talker().await;
    let (speaker, audio) = live();
    let withdrawing = async {
        called.notified().await;
        let first = world.withdraw(&talker).await;
        assert!(!first.ok, "its buffers may still be there");
        cleaning_up.notified().await;
        assert!(!world.withdraw(&talker).await.ok);
        assert!(!is_clean.load(SeqCst));
        finish.send(()).unwrap();
        while !world.withdraw(&talker).await.ok {}
        assert!(is_clean.load(SeqCst), "OK came after");
    };
    let (result, (), ()) = tokio::join!(world.egress.transcribe(&talker, audio), withdrawing, speak(&talker, speaker));
    assert!(is_revoked(&result.unwrap_err()));
}

/// Asserts that what `question` takes along for `purpose` goes out by that consent, of which `bytes` go; that taking it back ends
/// the answer, and that without it nothing goes along.
async fn goes_along(purpose: Purpose, question: Request, bytes: usize) {
    let (fakes, halting) = (Fakes::new(), Arc::new(Halting::default()));
    let mut processors = fakes.processors();
    processors.responders.register(id("rules-local"), halting);
    let world = World::new(processors).await;
    let person = world.agreeing(&[Purpose::VOICE_INTERACTION, purpose]).await;
    let mut answer = Box::pin(world.egress.respond(&person, question.clone()).await.unwrap());
    assert!(matches!(answer.next().await, Some(Ok(_))));
    let withdrawn = world.register.withdraw(person.subject, &[purpose], Means::Button).await.unwrap();
    // the answer's own permit ends with it, by which all of it went
    let gone = bytes + request().text.len() + bytes;
    assert_eq!((withdrawn.ok, withdrawn.bytes()), (true, gone as u64));
    assert!(is_revoked(&answer.next().await.unwrap().unwrap_err()), "nor is what was made of it handed on");
    // without it the conversation goes on, and nothing goes along
    let person = Context { lineage: Lineage::default(), ..person };
    let mut answer = Box::pin(world.egress.respond(&person, question).await.unwrap());
    assert!(matches!(answer.next().await, Some(Ok(_))));
    assert!(world.withdraw(&person).await.bytes() < (request().text.len() + bytes) as u64);
}

#[tokio::test]
async fn what_goes_along_with_a_question_ends_its_answer_when_it_is_taken_back() {
    let passage = "It is under the mat.".to_owned();
    let bytes = passage.len();
    goes_along(Purpose::KNOWLEDGE, Request { passages: vec![passage], ..request() }, bytes).await;
    let fact = Fact { key: "key".to_owned(), value: "under the mat".to_owned() };
    let bytes = fact.key.len() + fact.value.len();
    goes_along(Purpose::MEMORY, Request { facts: vec![fact], remembers: true, ..request() }, bytes).await;
}

#[tokio::test]
async fn what_goes_along_has_not_gone_before_the_provider_takes_it() {
    let (fakes, hesitant) = (Fakes::new(), Arc::new(Hesitant::default()));
    let mut processors = fakes.processors();
    processors.responders.register(id("rules-local"), hesitant.clone());
    let world = World::new(processors).await;
    let person = world.agreeing(&[Purpose::VOICE_INTERACTION, Purpose::MEMORY]).await;
    let fact = Fact { key: "key".to_owned(), value: "under the mat".to_owned() };
    let question = Request { facts: vec![fact], remembers: true, ..request() };
    let mut answer = Box::pin(world.egress.respond(&person, question).await.unwrap());
    hesitant.asked.notified().await;
    let withdrawn = world.register.withdraw(person.subject, &[Purpose::MEMORY], Means::Button).await.unwrap();
    assert_eq!((withdrawn.ok, withdrawn.bytes()), (true, 0), "nothing is on record as gone that has not gone");
    assert!(is_revoked(&answer.next().await.unwrap().unwrap_err()));
}

#[tokio::test]
async fn what_was_made_of_a_part_ends_when_that_is_taken_back() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let talker = world.talker().await;
    // prepared while they speak, before anybody knows what will be said
    let voice = world.egress.voice(&talker, Category::REPLY_TEXT).await.unwrap();
    let other = Context { turn: TurnId(2), lineage: Lineage::default(), ..talker.clone() };
    let typed = world.egress.voice(&other, Category::REPLY_TEXT).await.unwrap();
    world.egress.transcribe(&talker, utterance(&talker, 5)).await.unwrap();
    fakes.responder.desk().behave(Manner::Hang);
    let mut answer = Box::pin(world.egress.respond(&talker, request()).await.unwrap());
    fakes.responder.desk().wait_until(|received| received.pieces == 1).await;

    let sound = [Part { category: Some(Category::VOICE_AUDIO), ..Part::default() }];
    let withdrawn = world.register.withdraw_parts(talker.subject, &sound, Means::Button).await.unwrap();
    assert!(withdrawn.ok);
    let mut closed: Vec<_> = withdrawn.holders.iter().map(|holder| holder.processor_id.as_str()).collect();
    closed.sort_unstable();
    assert_eq!(closed, ["rules-local", "voice-local"], "the answer and the voice of this turn, of no other");
    assert_eq!(fakes.responder.desk().received().running, 0, "it has let go when OK is said");
    assert!(is_revoked(&answer.next().await.unwrap().unwrap_err()));
    let said: Vec<_> = voice.speak("made of it".into()).collect().await;
    assert!(matches!(said.as_slice(), [Err(error)] if is_revoked(error)));
    let again = world.egress.voice(&talker, Category::REPLY_TEXT).await.unwrap_err();
    assert!(matches!(again, Error::Denied(Denied::Policy(Reason::TakenBack))), "nor is it begun again: {again}");
    let said: Vec<_> = typed.speak("made of what was typed".into()).collect().await;
    assert!(!said.is_empty() && said.iter().all(Result::is_ok));
}
