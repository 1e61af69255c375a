//! Receivers are told to delete what they were given, each by itself.

use std::sync::Arc;

use async_trait::async_trait;
use sayso_audit::Actor;
use sayso_consent::rights::{Desk, Identity, Step};
use sayso_consent::{Ask, Options};
use sayso_egress::{Context, Processors, Timeouts};
use sayso_policy::profile::RightKind;
use sayso_policy::{Gate, Labelled, Profile};
use sayso_provider::{Error, Forget, Forgetter, Forgotten};
use sayso_types::{Category, Name, Purpose};
use tokio::sync::watch;

use crate::world::{PATIENCE, World, id};

const RECEIVERS: [&str; 2] = ["cloud-one", "cloud-two"];

/// One that is told to delete.
#[derive(Debug)]
struct Receiver {
    /// What becomes of what it is told.
    manner: Manner,
    /// What it was told.
    told: watch::Sender<Vec<[u8; 16]>>,
}

#[derive(Clone, Copy, Debug)]
enum Manner {
    Deletes,
    Hangs,
    Fails,
}

impl Receiver {
    fn new(manner: Manner) -> Arc<Self> {
        Arc::new(Self { manner, told: watch::Sender::new(Vec::new()) })
    }

    async fn until_told(&self, count: usize) {
        let mut told = self.told.subscribe();
        let wait = told.wait_for(|told| told.len() >= count);
        tokio::time::timeout(PATIENCE, wait).await.expect("it is told").unwrap();
    }
}

#[async_trait]
impl Forgetter for Receiver {
    async fn forget(&self, order: &Forget) -> Result<Forgotten, Error> {
        self.told.send_modify(|told| told.push(order.id));
        match self.manner {
            Manner::Deletes => Ok(Forgotten::Everything { answer: [7; 32] }),
            Manner::Hangs => core::future::pending().await,
            Manner::Fails => Err(Error::Unreachable("it is off".to_owned())),
        }
    }
}

/// A profile with receivers that keep what they are given and can be told.
fn profile() -> Profile {
    let receiver = |id: &str| {
        format!(
            "  {{ id = \"{id}\", kind = \"llm\", party = \"Somebody Else\", contact = \"privacy@else.example\", region = \"CN\", \
             region_class = \"domestic\", accepts = [\"memory_summary\"], purposes = [\"memory\"], state = \"active\", \
             contract = \"No. 7\", trains_on_data = false, declared_retention = \"P30D\", deletion_api = true }},\n"
        )
    };
    let receivers = RECEIVERS.map(receiver).concat();
    let text = include_str!("../profile.toml").replacen("]\n\n[profile]", &format!("{receivers}]\n\n[profile]"), 1);
    Profile::in_force_before(&text).unwrap()
}

/// A door in front of these receivers.
async fn world(receivers: [&Arc<Receiver>; 2]) -> World {
    let mut processors = Processors::none();
    for (name, receiver) in RECEIVERS.iter().zip(receivers) {
        processors.forgetters.insert(id(name), receiver.clone());
    }
    let options = Options { deletes: RECEIVERS.map(id).into(), ..Options::default() };
    World::under(profile(), processors, Timeouts::default(), options).await
}

/// Somebody who gives each receiver something, and is then erased.
async fn erased(world: &World) {
    let context = world.agreeing(&[Purpose::MEMORY]).await;
    assert!(world.register.save_facts(context.subject, &[("word".into(), "yes".into())]).await.unwrap());
    let Context { subject, turn, purpose, cv, .. } = context;
    for receiver in RECEIVERS {
        let category = Category::MEMORY_SUMMARY;
        let ask = Ask { subject, turn, purpose, category, cv, gate: Gate::Dialogue, processor: id(receiver) };
        let lease = world.register.acquire(ask).await.unwrap();
        lease.permit().pass(Labelled::new(context.label(category), vec![7_i16; 8]), drop).unwrap();
    }
    world.ended(RECEIVERS.len()).await;
    let desk = Desk::open(world.register.clone());
    let case = desk.receive(subject, RightKind::Erase, Actor::SYSTEM).await.unwrap().id;
    let identity = Identity { method: Name::constant("signed_in"), evidence: None };
    for step in [Step::Verify(identity), Step::Accept] {
        desk.step(subject, case, step, Actor::SYSTEM).await.unwrap();
    }
}

#[tokio::test]
async fn one_that_does_not_answer_holds_up_no_other() {
    let (silent, good) = (Receiver::new(Manner::Hangs), Receiver::new(Manner::Deletes));
    let world = world([&silent, &good]).await;
    world.egress.start_forgetting();
    erased(&world).await;
    silent.until_told(1).await;
    // somebody else goes while the first order is still not answered
    erased(&world).await;
    good.until_told(2).await;
    assert_eq!(silent.told.borrow().len(), 1, "it is told nothing more until it has answered");
}

#[tokio::test]
async fn what_is_left_for_one_that_failed_is_not_on_record_as_requested() {
    let (broken, good) = (Receiver::new(Manner::Fails), Receiver::new(Manner::Deletes));
    let world = world([&broken, &good]).await;
    world.egress.start_forgetting();
    erased(&world).await;
    broken.until_told(1).await;
    erased(&world).await;
    good.until_told(2).await;
    let requested = world.requested().await;
    let of = |receiver: &str| requested.iter().filter(|processor| **processor == id(receiver)).count();
    assert_eq!((of(RECEIVERS[0]), of(RECEIVERS[1])), (broken.told.borrow().len(), 2));
}
