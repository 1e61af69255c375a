//! `kill -9` before each write of an erasure: what was asked for, durably, is carried out by the next process, once.

use std::sync::{Arc, OnceLock};

use sayso_audit::{Actor, Event};
use sayso_consent::erasure::Certificate;
use sayso_consent::rights::{Desk, Standing, Step};
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Profile};
use sayso_types::SubjectId;
use sayso_vault::testing::{Adversary, FakeKek};

use crate::erasing::{facts, row, sealed_at};
use crate::killed::{Node, Story, whenever};
use crate::world::{MEMORY, VERIFIED, VOICE, profile};

/// What was there before: whose, and what was sealed.
pub(crate) type Before = OnceLock<(SubjectId, Vec<u8>)>;

/// Somebody who has something remembered asks for what `kind` says, and is who they say.
pub(crate) async fn asked(node: &Node, kind: RightKind, before: &Before) {
    let subject = node.person("device", &[VOICE, MEMORY]).await;
    assert!(node.register.save_facts(subject, &facts()).await.unwrap());
    let sealed = node.sealed(row(subject)).await;
    assert!(before.set((subject, sealed)).is_ok(), "one story, one person");
    let desk = Desk::open(node.register.clone());
    let case = desk.receive(subject, kind, Actor::SYSTEM).await.unwrap().id;
    desk.step(subject, case, VERIFIED, Actor::SYSTEM).await.unwrap();
}

/// Somebody who has something remembered asks to be erased.
#[derive(Default)]
struct Erasure(Before);

impl Story for Erasure {
    fn policy(&self) -> Arc<Profile> {
        Arc::new(profile())
    }

    async fn prepare(&self, node: &Node) {
        asked(node, RightKind::Erase, &self.0).await;
    }

    async fn goes(&self, node: &Node) {
        let (desk, subject) = (Desk::open(node.register.clone()), node.subject("device").await);
        let case = desk.of(subject).await.unwrap()[0].id;
        desk.step(subject, case, Step::Accept, Actor::SYSTEM).await.unwrap();
        node.register.until_certified(subject, case).await.unwrap();
    }

    async fn ends(&self, node: &Node) -> bool {
        let (register, (subject, sealed)) = (&node.register, self.0.get().expect("was prepared"));
        let (desk, subject) = (Desk::open(register.clone()), *subject);
        let case = desk.of(subject).await.unwrap().remove(0);
        if case.standing == Standing::Verified {
            assert_eq!(register.facts(subject).await.unwrap(), facts(), "nobody was told otherwise");
            return false;
        }
        let json = register.until_certified(subject, case.id).await.unwrap();
        assert_eq!(Certificate::parse(&json).unwrap().keys.len(), 1, "it knows the key");
        assert_eq!(desk.of(subject).await.unwrap()[0].standing, Standing::Fulfilled);
        assert_eq!(register.state(subject).await.unwrap().status(MEMORY), ConsentStatus::Withdrawn);
        let adversary = Adversary::new(&[&node.dir], FakeKek::KEY, node.vault.id()).unwrap();
        let at = row(subject);
        assert!(adversary.read(&sealed_at(&at, subject), sealed).is_none(), "no file has the key");
        assert!(!adversary.sees(sealed), "no file has the ciphertext");
        let counts = [
            node.count(|event| matches!(event, Event::EraseCommitted { .. })).await,
            node.count(|event| matches!(event, Event::KeyDestroyed { .. })).await,
            node.count(|event| matches!(event, Event::EraseCertified { .. })).await,
        ];
        assert_eq!(counts, [1, 1, 1], "each is told once");
        true
    }
}

#[tokio::test]
async fn an_erasure_is_carried_out_whenever_the_node_is_killed() {
    whenever("erasing_killed::an_erasure_is_carried_out_whenever_the_node_is_killed", Erasure::default()).await;
}
