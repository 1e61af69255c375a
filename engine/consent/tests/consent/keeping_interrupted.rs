//! What is kept ends in the midst of something else: of a withdrawal, of a hold, of being written.

use core::time::Duration;
use std::sync::atomic::Ordering::SeqCst;

use sayso_audit::{Actor, ActorKind, Event, Reference, RequestStep};
use sayso_consent::keep::NotKept;
use sayso_consent::keep::item::ITEMS_MAX;
use sayso_consent::retention::{Hold, HoldOrder};
use sayso_consent::rights::{Desk, Standing};
use sayso_consent::switch::{Position, Target, Throw};
use sayso_consent::{Lease, Means, Options};
use sayso_policy::ConsentStatus;
use sayso_policy::profile::RightKind;
use sayso_store::{Batch, Entry, Key, Op, Prefix, Store};
use sayso_types::{Category, Name, SubjectId};

use crate::answering::accepted;
use crate::erasing::facts;
use crate::keeping::*;
use crate::world::*;

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };

/// A law wants that category of the person's.
async fn held(world: &World, person: SubjectId, of: &str) -> Hold {
    let (subject, category) = (Some(person), Some(category(of)));
    let order = HoldOrder { subject, category, law: "an order".into(), by: "a court".into(), until: None };
    world.register.set_hold(order, Actor::SYSTEM).await.unwrap()
}

/// The categories whose keys are destroyed by now.
async fn destroyed(world: &World) -> Vec<Category> {
    let leaves = world.leaves().await.into_iter();
    let destroyed = leaves.filter_map(|leaf| match leaf.fact.event {
        Event::KeyDestroyed { category, .. } => Some(category),
        _ => None,
    });
    destroyed.collect()
}

async fn until_destroyed(world: &World, of: &str) {
    world
        .until_told(|event| matches!(event, Event::KeyDestroyed { category: of_key, .. } if *of_key == category(of)))
        .await;
}

/// Asks for the erasure of everything of the person; how the case stands once it is answered.
async fn erase(world: &World, person: SubjectId) -> Standing {
    let case = accepted(&Desk::open(world.register.clone()), person, RightKind::Erase).await;
    answered(world, person, case).await
}

/// How the person's case stands once it is answered.
async fn answered(world: &World, person: SubjectId, case: Reference) -> Standing {
    let desk = Desk::open(world.register.clone());
    let is_answer = |event: &Event| {
        let Event::Request { request, step, .. } = event else { return false };
        *request == case && *step == RequestStep::Fulfilled
    };
    world.until_told(is_answer).await;
    desk.of(person).await.unwrap().into_iter().find(|found| found.id == case).unwrap().standing
}

async fn agrees(world: &World, person: SubjectId, to: &[&str]) {
    for name in to {
        world.answers(person, &[purpose(name)], ConsentStatus::Given).await;
    }
}

fn exchange() -> sayso_consent::keep::NewItem {
    json("chat_history", "history", r#"{"text":"hello","time":1}"#)
}

#[tokio::test]
async fn what_a_law_wants_kept_can_be_read_by_whoever_it_names_also_when_everything_is_to_be_erased() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    agrees(&world, person, &["memory", "history"]).await;
    assert!(world.register.save_facts(person, &facts()).await.unwrap());
    keep(&world, person, exchange()).await.unwrap();
    let hold = held(&world, person, "chat_history").await;
    assert_eq!(erase(&world, person).await, Standing::PartlyFulfilled);
    until_destroyed(&world, "memory_summary").await;
    assert_eq!(destroyed(&world).await, [Category::MEMORY_SUMMARY], "of nothing that is held");
    assert_eq!(rows(&world, "kept_part").await, 2);
    world.register.release_hold(hold.id, Actor::SYSTEM).await.unwrap();
    until_destroyed(&world, "chat_history").await;
    assert_eq!(rows(&world, "kept").await, 0);
}

#[tokio::test]
async fn what_no_hold_keeps_is_erased_with_its_keys_while_something_else_is_held() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    agrees(&world, person, &["knowledge", "history"]).await;
    keep(&world, person, exchange()).await.unwrap();
    keep(&world, person, bytes("knowledge_base", "knowledge", b"a")).await.unwrap();
    held(&world, person, "chat_history").await;
    assert_eq!(erase(&world, person).await, Standing::PartlyFulfilled);
    until_destroyed(&world, "knowledge_base").await;
    assert_eq!(destroyed(&world).await, [category("knowledge_base")]);
    assert_eq!(rows(&world, "kept").await, 1);
}

/// Waits until a commit has come that the store does not take yet.
async fn until_it_waits(world: &World, before: u64) {
    until(|| world.store.came.load(SeqCst) > before).await;
}

/// Gives everything that can go on now the time to.
async fn others_go_on() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nothing_is_handed_out_once_it_is_taken_back() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    agrees(&world, person, &["knowledge"]).await;
    let id = keep(&world, person, bytes("knowledge_base", "knowledge", b"a")).await.unwrap();
    let (stalled, came) = (world.store.stall.write().await, world.store.came.load(SeqCst));
    // whoever is at it, then whoever reads, then whoever takes it back: each waits for the one before
    let writes = keep(&world, person, bytes("knowledge_base", "knowledge", b"b"));
    let reads = async {
        until_it_waits(&world, came).await;
        (kept(&world, person, id).await, world.state(person).await.status(purpose("knowledge")))
    };
    let withdraws = async {
        until_it_waits(&world, came).await;
        others_go_on().await;
        assert!(world.register.withdraw(person, &[purpose("knowledge")], Means::Voice).await.unwrap().ok);
    };
    let goes_on = async {
        until_it_waits(&world, came).await;
        others_go_on().await;
        others_go_on().await;
        drop(stalled);
    };
    let (written, (read, stands), (), ()) = tokio::join!(writes, reads, withdraws, goes_on);
    written.unwrap();
    assert!(stands.is_valid() || !matches!(read, Ok(Some(_))), "it was taken back: {stands:?} {read:?}");
}

#[tokio::test]
async fn what_is_being_written_when_its_category_is_turned_off_is_not_kept() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    agrees(&world, person, &["knowledge"]).await;
    let (stalled, came) = (world.store.stall.write().await, world.store.came.load(SeqCst));
    let long = vec![1; 300_000];
    let writes = keep(&world, person, bytes("knowledge_base", "knowledge", &long));
    let target = Target::Category(category("knowledge_base"));
    let off = Throw { target, to: Position::Off, reason: Name::constant("test"), incident: None };
    let throws = async {
        until_it_waits(&world, came).await;
        world.register.throw(off, OPERATOR).await.unwrap();
        rows(&world, "kept").await
    };
    let goes_on = async {
        until_it_waits(&world, came + 1).await;
        drop(stalled);
    };
    let (written, _, ()) = tokio::join!(writes, throws, goes_on);
    assert!(matches!(written, Err(NotKept::Policy(_))), "{written:?}");
    assert_eq!(listed(&world, person).await, [Reference([0; 16]); 0]);
    assert_eq!(replayed(&world).await.1, [0; 0], "an auditor finds nothing that was not allowed");
    world.register.end_what_is_due().await.unwrap();
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_part").await), (0, 0), "and nothing of it is left");
}

#[tokio::test]
async fn nobody_is_asked_to_make_room_for_what_would_not_be_kept_all_the_same() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    agrees(&world, person, &["knowledge"]).await;
    let document = || bytes("knowledge_base", "knowledge", b"a");
    // the same head many times over, under ids that are written as they are
    let mut heads = Vec::new();
    let is_plain = |key: &Key| !key.as_bytes()[key.as_bytes().len() - 16..key.as_bytes().len() - 2].contains(&0);
    while !heads.iter().any(|head: &Entry| is_plain(&head.key)) {
        keep(&world, person, document()).await.unwrap();
        heads = world.local.scan((&Prefix::table("kept")).into(), 100).await.unwrap().entries;
    }
    let head = heads.iter().find(|head| is_plain(&head.key)).unwrap();
    let mut batch = Batch::new();
    for copy in 0..ITEMS_MAX - heads.len() {
        let mut key = head.key.as_bytes().to_vec();
        let at = key.len() - 10;
        key[at..at + 3].copy_from_slice(&[1, 1 + (copy / 200) as u8, 1 + (copy % 200) as u8]);
        batch.ops.push(Op::Put(Key::from_bytes(key), head.value.clone()));
    }
    world.local.commit(batch).await.unwrap();
    assert!(matches!(keep(&world, person, document()).await, Err(NotKept::TooMany)));
    let hold = held(&world, person, "knowledge_base").await;
    assert!(matches!(keep(&world, person, document()).await, Err(NotKept::Held)), "what is deleted stays");
    world.register.release_hold(hold.id, Actor::SYSTEM).await.unwrap();
    let target = Target::Category(category("knowledge_base"));
    let off = Throw { target, to: Position::Off, reason: Name::constant("test"), incident: None };
    world.register.throw(off, OPERATOR).await.unwrap();
    assert!(matches!(keep(&world, person, document()).await, Err(NotKept::Policy(_))));
}

#[tokio::test]
async fn a_second_ending_leaves_no_key_of_the_first() {
    let world = World::under(lawful(XIAOZHI)).await;
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    for person in [anna, ben] {
        agrees(&world, person, &["history", "improve_voice"]).await;
    }
    keep(&world, anna, bytes("conversation_audio", "history", &[1; 64]).of(anna)).await.unwrap();
    keep(&world, anna, bytes("conversation_audio", "improve_voice", &[2; 64]).of(ben)).await.unwrap();
    let first = world.register.withdraw(anna, &[purpose("history")], Means::Voice).await.unwrap();
    assert!(world.register.withdraw(anna, &[purpose("improve_voice")], Means::Voice).await.unwrap().ok);
    let certificate = certified(&world, anna, Reference(first.id)).await;
    assert!(!certificate.shares_keys && certificate.keys.len() == 1, "{certificate:?}");
}

/// Somebody of whom something is remembered and who asks to be erased while a holder does not let go.
async fn erased_while_somebody_holds(world: &World) -> (SubjectId, Reference, Lease) {
    let person = world.stranger().await;
    agrees(world, person, &["voice_interaction", "memory"]).await;
    assert!(world.register.save_facts(person, &facts()).await.unwrap());
    let lease = world.listen(person).await.unwrap();
    let case = accepted(&Desk::open(world.register.clone()), person, RightKind::Erase).await;
    (person, case, lease)
}

/// One whose withdrawals do not wait for holders.
async fn impatient() -> World {
    let options = Options { withdraw_wait: Duration::ZERO, ..Options::default() };
    World::under(lawful(XIAOZHI)).await.restarted(lawful(XIAOZHI), options).await
}

async fn until_pending(world: &World, person: SubjectId) {
    world.until_told(|event| matches!(event, Event::WithdrawPending { .. })).await;
    assert_eq!(world.state(person).await.status(VOICE), ConsentStatus::Withdrawing);
}

fn account() -> sayso_consent::keep::NewItem {
    json("account", "provide_service", r#"{"username":"anna"}"#)
}

/// The categories of the keys that the erasure for `case` destroyed.
async fn sealed_by(world: &World, person: SubjectId, case: Reference) -> Vec<Category> {
    let certificate = certified(world, person, case).await;
    let mut sealed: Vec<_> = certificate.keys.iter().map(|key| key.category).collect();
    sealed.sort_unstable();
    sealed
}

#[tokio::test]
async fn what_comes_in_while_a_holder_does_not_let_go_is_erased_with_its_key() {
    let world = impatient().await;
    let (person, case, lease) = erased_while_somebody_holds(&world).await;
    until_pending(&world, person).await;
    keep(&world, person, account()).await.unwrap();
    assert!(!world.register.save_facts(person, &facts()).await.unwrap(), "nothing is remembered meanwhile");
    assert_eq!(destroyed(&world).await, [], "no key is destroyed under which something new lies");
    drop(lease);
    assert_eq!(sealed_by(&world, person, case).await, [category("account"), Category::MEMORY_SUMMARY]);
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_part").await), (0, 0));
}

#[tokio::test]
async fn what_came_in_before_a_restart_is_erased_with_its_key_after_it() {
    let world = impatient().await;
    let (person, case, lease) = erased_while_somebody_holds(&world).await;
    until_pending(&world, person).await;
    keep(&world, person, account()).await.unwrap();
    drop(lease);
    // whether or not it went on before it was stopped
    let world = world.again_under(lawful(XIAOZHI)).await;
    assert_eq!(sealed_by(&world, person, case).await, [category("account"), Category::MEMORY_SUMMARY]);
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_part").await), (0, 0));
}

#[tokio::test]
async fn a_hold_that_is_set_while_a_holder_does_not_let_go_keeps_what_is_there() {
    let world = impatient().await;
    let (person, case, lease) = erased_while_somebody_holds(&world).await;
    until_pending(&world, person).await;
    let hold = held(&world, person, "account").await;
    keep(&world, person, account()).await.unwrap();
    drop(lease);
    assert_eq!(answered(&world, person, case).await, Standing::PartlyFulfilled);
    assert_eq!((destroyed(&world).await, rows(&world, "kept_part").await), (Vec::new(), 2));
    world.register.release_hold(hold.id, Actor::SYSTEM).await.unwrap();
    assert_eq!(sealed_by(&world, person, case).await, [category("account"), Category::MEMORY_SUMMARY]);
    assert_eq!(rows(&world, "kept").await, 0);
}

#[tokio::test]
async fn who_asks_to_be_erased_is_answered_in_part_also_when_a_holder_did_not_let_go() {
    let world = impatient().await;
    let person = world.stranger().await;
    held(&world, person, "memory_summary").await;
    agrees(&world, person, &["voice_interaction", "memory"]).await;
    assert!(world.register.save_facts(person, &facts()).await.unwrap());
    let lease = world.listen(person).await.unwrap();
    let case = accepted(&Desk::open(world.register.clone()), person, RightKind::Erase).await;
    until_pending(&world, person).await;
    drop(lease);
    assert_eq!(answered(&world, person, case).await, Standing::PartlyFulfilled);
    assert_eq!(world.state(person).await.status(MEMORY), ConsentStatus::Withdrawn);
}
