//! `kill -9` before each write of the end of a visit: the guest is there or erased, and never forgotten.

use std::sync::{Arc, OnceLock};

use sayso_audit::Event;
use sayso_consent::erasure::Certificate;
use sayso_consent::visits::Visit;
use sayso_policy::{ConsentStatus, Profile};
use sayso_types::{DeviceId, TenantId};
use sayso_vault::testing::{Adversary, FakeKek};

use crate::erasing::{facts, row, sealed_at};
use crate::killed::{Node, Story, whenever};
use crate::world::{MEMORY, VOICE, answer, profile};

/// A guest has something remembered, and leaves.
#[derive(Default)]
struct Leaving(OnceLock<(Visit, Vec<u8>)>);

fn device() -> (TenantId, DeviceId) {
    ("acme".parse().unwrap(), "device".parse().unwrap())
}

impl Story for Leaving {
    fn policy(&self) -> Arc<Profile> {
        Arc::new(profile())
    }

    async fn prepare(&self, node: &Node) {
        node.person("device", &[VOICE]).await;
        let (tenant, device) = device();
        let visit = node.register.begin_visit(&tenant, &device).await.unwrap();
        let agrees = answer(visit.subject, &[VOICE, MEMORY], ConsentStatus::Given);
        node.register.record(&agrees).await.unwrap();
        assert!(node.register.save_facts(visit.subject, &facts()).await.unwrap());
        let sealed = node.sealed(row(visit.subject)).await;
        assert!(self.0.set((visit, sealed)).is_ok(), "one story, one guest");
    }

    async fn goes(&self, node: &Node) {
        let (tenant, device) = device();
        let visit = node.register.end_visit(&tenant, &device).await.unwrap();
        node.register.until_certified(visit.subject, visit.id).await.unwrap();
    }

    async fn ends(&self, node: &Node) -> bool {
        let (visit, sealed) = self.0.get().expect("was prepared");
        let ((tenant, device), register) = (device(), &node.register);
        let (subject, owner) = (visit.subject, node.subject("device").await);
        assert_eq!(register.state(owner).await.unwrap().status(VOICE), ConsentStatus::Given);
        if let Some(open) = register.visit(&tenant, &device) {
            assert_eq!((&open, register.facts(subject).await.unwrap()), (visit, facts()), "nobody was told otherwise");
            return false;
        }
        let json = register.until_certified(subject, visit.id).await.unwrap();
        assert_eq!(Certificate::parse(&json).unwrap().keys.len(), 1, "it knows the key");
        assert_eq!((node.rows("visit").await, register.speaker_of(&tenant, &device).await.unwrap()), (0, owner));
        assert_eq!(register.state(subject).await.unwrap().status(MEMORY), ConsentStatus::Withdrawn);
        let adversary = Adversary::new(&[&node.dir], FakeKek::KEY, node.vault.id()).unwrap();
        let at = row(subject);
        assert!(adversary.read(&sealed_at(&at, subject), sealed).is_none(), "no file has the key");
        assert!(!adversary.sees(sealed), "no file has the ciphertext");
        let certified = node.count(|event| matches!(event, Event::EraseCertified { .. })).await;
        assert_eq!(certified, 1, "it is told once");
        true
    }
}

#[tokio::test]
async fn a_guest_is_there_or_erased_whenever_the_node_is_killed() {
    whenever("visiting_killed::a_guest_is_there_or_erased_whenever_the_node_is_killed", Leaving::default()).await;
}
