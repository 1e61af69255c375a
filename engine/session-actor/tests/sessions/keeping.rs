//! What is kept of conversations: with the consent to that, and with no other.

use sayso_audit::{Actor, ActorKind, Event, Reference};
use sayso_consent::Means;
use sayso_consent::guardian::{Said, Step};
use sayso_consent::keep::NewItem;
use sayso_consent::rights::{self, Desk, Identity};
use sayso_policy::AgeBand;
use sayso_policy::profile::RightKind;
use sayso_types::{Category, ConsentVersion, Name, Purpose, SubjectId};
use sayso_wire::{ListenMode, SessionState, ToDevice, ToNode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::device::Device;
use crate::node::{Node, Setup, patient_profile};
use crate::{soon, sound};

const VOICE: Purpose = Purpose::VOICE_INTERACTION;
const BY: Actor = Actor { kind: ActorKind::Tenant, tag: None };

async fn count(node: &Node, subject: SubjectId, category: Category) -> usize {
    node.register.list_kept(subject, Some(category)).await.unwrap().len()
}

/// Waits until so much of `category` is kept.
async fn until_kept(node: &Node, subject: SubjectId, category: Category, expected: usize) {
    let waiting = async {
        while count(node, subject, category).await != expected {
            tokio::task::yield_now().await;
        }
    };
    soon(waiting).await;
}

/// Types something, and hears the answer out.
async fn converse(node: &Node, device: &mut Device, text: &str, turns: u64) {
    device.write(text);
    soon(device.hear_out()).await;
    soon(node.until_session("speaker", |s| s.turns.answered == turns)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_is_kept_with_its_time_and_place_and_a_later_conversation_goes_on_from_it() {
    let node = Node::start().await;
    let subject = node.agreed("speaker", &[VOICE, Purpose::HISTORY]).await;
    let mut device = Device::connect(&node, "speaker").await;
    converse(&node, &mut device, "my cat is called Mia", 1).await;
    until_kept(&node, subject, Category::CHAT_HISTORY, 1).await;
    let [listed] = &node.register.list_kept(subject, None).await.unwrap()[..] else { panic!("one thing is kept") };
    let kept = node.register.kept(subject, listed.id).await.unwrap().unwrap();
    let read: Value = serde_json::from_slice(&kept.content).unwrap();
    assert_eq!(read["text"], serde_json::json!({"said": "my cat is called Mia", "heard": "All right."}));
    let session = node.session("speaker").unwrap().session;
    assert_eq!(read["context"], serde_json::json!({"session": session.to_string(), "turn": 1}));
    assert!(read["time"].as_u64().is_some_and(|at| at >= kept.collected_at.0 - 60_000));

    // another conversation of theirs
    let mut device = Device::connect(&node, "speaker").await;
    let before = node.responder.desk().received().bytes;
    device.write("what is my cat called");
    soon(device.hear_out()).await;
    let told = node.responder.desk().received();
    let words = ["my cat is called Mia", "All right.", "what is my cat called"].concat().len() as u64;
    assert!(told.bytes - before >= words, "the dialogue is told what was said before");
    until_kept(&node, subject, Category::CHAT_HISTORY, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_consent_to_history_nothing_is_kept_of_twenty_turns() {
    let node = Node::start().await;
    let everything_else = [VOICE, Purpose::MEMORY, Purpose::KNOWLEDGE];
    let subject = node.agreed("speaker", &everything_else).await;
    let mut device = Device::connect(&node, "speaker").await;
    for turn in 1..=20 {
        converse(&node, &mut device, "tell me something", turn).await;
    }
    // what would be kept is kept in order, so that this one would come after
    assert_eq!(node.register.list_kept(subject, None).await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_that_is_taken_back_is_gone_and_nothing_more_is_kept() {
    let node = Node::start().await;
    let subject = node.agreed("speaker", &[VOICE, Purpose::HISTORY]).await;
    let mut device = Device::connect(&node, "speaker").await;
    converse(&node, &mut device, "hello", 1).await;
    until_kept(&node, subject, Category::CHAT_HISTORY, 1).await;
    assert!(soon(node.register.withdraw(subject, &[Purpose::HISTORY], Means::Integrator)).await.unwrap().ok);
    until_kept(&node, subject, Category::CHAT_HISTORY, 0).await;
    converse(&node, &mut device, "hello again", 2).await;
    assert_eq!(count(&node, subject, Category::CHAT_HISTORY).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_before_there_was_consent_to_keep_it_is_not_kept_with_it() {
    let node = Node::start().await;
    let subject = node.agreed("speaker", &[VOICE]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("before");
    let end = |m: &ToDevice| match m {
        ToDevice::SpeechEnd { turn, total_ms } => Some((*turn, *total_ms)),
        _ => None,
    };
    let (turn, played_ms) = soon(device.told(end)).await;
    // they agree while they hear the answer
    node.agreed("speaker", &[Purpose::HISTORY]).await;
    soon(node.until_session("speaker", |s| s.conversation.consent.cv == ConsentVersion(2))).await;
    device.send(ToNode::PlayoutPosition { turn, played_ms, finished: true });
    soon(node.until_session("speaker", |s| s.turns.answered == 1)).await;
    converse(&node, &mut device, "after", 2).await;
    // what is kept is kept in order, so that the first would be there before the second
    let is_there = async {
        while said(&node, subject).await.last().is_none_or(|said| said != "after") {
            tokio::task::yield_now().await;
        }
    };
    soon(is_there).await;
    assert_eq!(said(&node, subject).await, ["after"]);
}

/// What the person said, as far as it is kept.
async fn said(node: &Node, subject: SubjectId) -> Vec<String> {
    let mut said = Vec::new();
    for listed in node.register.list_kept(subject, Some(Category::CHAT_HISTORY)).await.unwrap() {
        let Some(kept) = node.register.kept(subject, listed.id).await.unwrap() else { continue };
        let read: Value = serde_json::from_slice(&kept.content).unwrap();
        said.push(read["text"]["said"].as_str().unwrap().to_owned());
    }
    said
}

/// Says something aloud, and hears the answer out.
async fn say(node: &Node, device: &mut Device, turns: u64) {
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(device.welcome.uplink));
    soon(device.hear_out()).await;
    soon(node.until_session("speaker", |s| s.turns.answered == turns)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_it_was_said_is_kept_as_a_file_that_plays_only_with_the_consent_to_that() {
    let node = Node::hearing(&["what time is it"]).await;
    let subject = node.agreed("speaker", &[VOICE, Purpose::HISTORY]).await;
    let mut device = Device::connect(&node, "speaker").await;
    say(&node, &mut device, 1).await;
    until_kept(&node, subject, Category::CHAT_HISTORY, 1).await;
    assert_eq!(count(&node, subject, Category::CONVERSATION_AUDIO).await, 0, "to process is not to keep");

    node.agreed("speaker", &[Purpose::IMPROVE_VOICE]).await;
    soon(node.until_session("speaker", |s| s.conversation.consent.cv == ConsentVersion(2))).await;
    say(&node, &mut device, 2).await;
    until_kept(&node, subject, Category::CONVERSATION_AUDIO, 1).await;
    let recordings = node.register.list_kept(subject, Some(Category::CONVERSATION_AUDIO)).await.unwrap();
    let recording = node.register.kept(subject, recordings[0].id).await.unwrap().unwrap();
    assert_eq!((recording.media_type.as_str(), recording.purpose), ("audio/ogg", Purpose::IMPROVE_VOICE));
    assert!(recording.content.starts_with(b"OggS") && recording.content[28..].starts_with(b"OpusHead\x01\x01"));

    assert!(soon(node.register.withdraw(subject, &[Purpose::IMPROVE_VOICE], Means::Button)).await.unwrap().ok);
    until_kept(&node, subject, Category::CONVERSATION_AUDIO, 0).await;
    // what was said is kept apart from how
    until_kept(&node, subject, Category::CHAT_HISTORY, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_draw_on_the_persons_own_documents_and_nobody_elses() {
    let node = Node::start().await;
    let subject = node.agreed("speaker", &[VOICE, Purpose::KNOWLEDGE]).await;
    let other = node.agreed("other", &[VOICE, Purpose::KNOWLEDGE]).await;
    let given = async |whose: SubjectId, text: &str| {
        let document =
            NewItem::new(Category::KNOWLEDGE_BASE, Purpose::KNOWLEDGE, "text/plain", text.as_bytes().to_vec());
        node.register.keep(whose, ConsentVersion(u64::MAX), document).await.unwrap()
    };
    let mine = "The umbrella is in the cellar.\n\nThe bread is in the kitchen.";
    let document = given(subject, mine).await;
    given(other, "The umbrella of somebody else is in the attic, said the umbrella.").await;
    let mut device = Device::connect(&node, "speaker").await;
    let question = "where is the umbrella";
    // what the dialogue is told besides the question and what was said before
    let mut said = 0;
    let mut told = async |turns: u64| {
        let before = node.responder.desk().received();
        converse(&node, &mut device, question, turns).await;
        let after = node.responder.desk().received();
        let more = (after.bytes - before.bytes) as usize - question.len() - said;
        said += question.len() + "All right.".len();
        (more, after.labels)
    };
    let (more, labels) = told(1).await;
    assert!((1..=mine.len()).contains(&more), "{more} bytes of {}: of one's own document alone", mine.len());
    assert!(labels.iter().all(|label| label.subject == subject));

    assert!(node.register.drop_kept(subject, document).await.unwrap());
    assert_eq!(told(2).await.0, 0, "what was deleted is not found");

    given(subject, mine).await;
    assert!(told(3).await.0 > 0);
    assert!(soon(node.register.withdraw(subject, &[Purpose::KNOWLEDGE], Means::Button)).await.unwrap().ok);
    assert_eq!(told(4).await.0, 0, "nor what may not be searched any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_what_shows_somebody_else_nor_what_is_kept_for_something_else_is_told() {
    let node = Node::start().await;
    let everything = [VOICE, Purpose::HISTORY, Purpose::KNOWLEDGE, Purpose::IMPROVE_VOICE];
    let other = node.agreed("other", &everything).await;
    let said = br#"{"text":{"said":"where is the umbrella","heard":"in the cellar"}}"#;
    let items = [
        (Category::KNOWLEDGE_BASE, Purpose::KNOWLEDGE, "text/plain", &b"The umbrella is in the cellar."[..]),
        (Category::CHAT_HISTORY, Purpose::HISTORY, "application/json", said),
    ];
    let question = "where is the umbrella";
    // what the dialogue is told besides the question when somebody of whom this is kept asks for the first time
    let more = async |device: &str, item: NewItem| {
        let subject = node.agreed(device, &everything).await;
        node.register.keep(subject, ConsentVersion(u64::MAX), item).await.unwrap();
        let before = node.responder.desk().received().bytes;
        let mut device = Device::connect(&node, device).await;
        device.write(question);
        soon(device.hear_out()).await;
        node.responder.desk().received().bytes - before - question.len() as u64
    };
    for (category, purpose, media_type, content) in items {
        let item = || NewItem::new(category, purpose, media_type, content.to_vec());
        assert!(more(&format!("{category}-1"), item()).await > 0, "{category} of their own is told");
        assert_eq!(more(&format!("{category}-2"), item().of(other)).await, 0, "{category} shows somebody else");
        let elsewhere = NewItem { purpose: Purpose::IMPROVE_VOICE, ..item() };
        assert_eq!(more(&format!("{category}-3"), elsewhere).await, 0, "{category} is kept for something else");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_child_neither_words_nor_sound_are_kept_whatever_their_guardian_agrees_to() {
    let node = Node::hearing(&["what time is it"]).await;
    let subject = node.subject("speaker").await;
    let by = Actor { kind: ActorKind::Tenant, tag: None };
    let said = Said { band: AgeBand::Under13, until: None, evidence_sha256: [9; 32] };
    node.register.set_age(subject, said, by).await.unwrap();
    for step in [Step::Request("in_person".parse().unwrap()), Step::Verify([7; 32])] {
        node.register.guardian_step(subject, step, by).await.unwrap();
    }
    node.agreed_by("speaker", &[VOICE, Purpose::HISTORY, Purpose::IMPROVE_VOICE], Means::Guardian).await;
    let mut device = Device::connect(&node, "speaker").await;
    say(&node, &mut device, 1).await;
    // what was said and how are each refused where they would be written down, and that is on record
    let refused = |event| match event {
        Event::GateDenied { cell, reason, .. } => Some((cell.category, reason)),
        _ => None,
    };
    let mut refused = soon(node.logged(2, refused)).await;
    refused.sort();
    assert_eq!(
        refused.iter().map(|(category, _)| *category).collect::<Vec<_>>(),
        [Category::CHAT_HISTORY, Category::CONVERSATION_AUDIO]
    );
    assert_eq!(node.register.list_kept(subject, None).await.unwrap().len(), 0);
}

const EVIDENCE: Category = Category(Name::constant("consent_evidence"));

/// The sound of answers is kept for three years.
fn keep_answers(policy: String) -> String {
    let category = r#"
[category.consent_evidence]
dpv = ["pd:VoiceCommunicationRecording"]
sensitivity = "high"
subject = "speaker"
purposes = ["proof"]
necessity = "Required"
at_rest = "allowed"
retention = { trigger = "collected", after = "P3Y", action = "erase" }

[asks]
evidence = "consent_evidence"
"#;
    let proof = "purpose = [\n{ id = \"proof\", dpv = \"LegalCompliance\", basis = \"LegalObligation\" },";
    let shelf = |line: &str| {
        if !line.contains("shelf-local") {
            return line.to_owned();
        }
        let accepts = line.replace("accepts = [", "accepts = [\"consent_evidence\", ");
        accepts.replace("purposes = [", "purposes = [\"proof\", ")
    };
    let policy = policy.lines().map(shelf).collect::<Vec<_>>().join("\n");
    policy.replacen("purpose = [", proof, 1).replacen("\n[asks]\n", category, 1)
}

/// Is asked, and answers aloud.
async fn answer_aloud(device: &mut Device) {
    device.listen(ListenMode::Auto);
    soon(device.hear_out()).await;
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(device.welcome.uplink));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sound_of_a_spoken_yes_or_no_is_kept_sealed_where_the_policy_says_so_and_its_record_has_the_hash() {
    for (words, given) in [("Yes, I agree.", true), ("No.", false)] {
        let setup = Setup { hears: vec![words], profile: keep_answers(patient_profile()), ..Setup::default() };
        let node = Node::with(setup).await;
        let mut device = Device::connect(&node, "speaker").await;
        answer_aloud(&mut device).await;
        let subject = node.subject("speaker").await;
        until_kept(&node, subject, EVIDENCE, 1).await;
        let [listed] = &node.register.list_kept(subject, None).await.unwrap()[..] else { panic!("one thing is kept") };
        let kept = node.register.kept(subject, listed.id).await.unwrap().unwrap();
        assert_eq!((kept.media_type.as_str(), kept.purpose), ("audio/ogg", Purpose(Name::constant("proof"))));
        assert!(kept.content.starts_with(b"OggS") && kept.content[28..].starts_with(b"OpusHead"));
        let (state, records) = node.register.records(subject).await.unwrap();
        assert_eq!(state.status(VOICE).is_valid(), given, "{words}");
        let sha256: [u8; 32] = Sha256::digest(&kept.content).into();
        assert!(
            records.iter().all(|record| record.events.last().unwrap().evidence_sha256 == sha256),
            "it shows which sound it was"
        );

        // it is in the copy that the person is given, and goes with everything of theirs
        let desk = Desk::open(node.register.clone());
        let copy = accepted(&desk, subject, RightKind::Copy).await;
        let copy = desk.copy(subject, copy, BY).await.unwrap();
        assert_eq!(copy.kept.iter().map(|item| item.category).collect::<Vec<_>>(), [EVIDENCE]);
        accepted(&desk, subject, RightKind::Erase).await;
        until_kept(&node, subject, EVIDENCE, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_answer_is_not_kept_as_one() {
    let setup = Setup {
        hears: vec!["what a day", "Yes.", "what time is it"],
        profile: keep_answers(patient_profile()),
        ..Setup::default()
    };
    let node = Node::with(setup).await;
    let mut device = Device::connect(&node, "speaker").await;
    answer_aloud(&mut device).await;
    soon(device.hear_out()).await;
    soon(device.told_state(SessionState::Listening)).await;
    let subject = node.subject("speaker").await;
    assert_eq!(count(&node, subject, EVIDENCE).await, 0, "it was not understood");
    device.say(&sound::utterance(device.welcome.uplink));
    until_kept(&node, subject, EVIDENCE, 1).await;
    soon(device.hear_out()).await;
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(device.welcome.uplink));
    soon(device.hear_out()).await;
    soon(node.until_session("speaker", |s| s.turns.answered == 1)).await;
    assert_eq!(node.register.list_kept(subject, None).await.unwrap().len(), 1, "nothing of the conversation");
}

/// A request of `subject` that was accepted.
async fn accepted(desk: &Desk, subject: SubjectId, right: RightKind) -> Reference {
    let id = desk.receive(subject, right, BY).await.unwrap().id;
    let identity = Identity { method: Name::constant("signed_in"), evidence: None };
    for step in [rights::Step::Verify(identity), rights::Step::Accept] {
        desk.step(subject, id, step, BY).await.unwrap();
    }
    id
}
