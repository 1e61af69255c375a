//! `kill -9` before each write of putting something right and of closing an account: what was asked for, durably, is carried
//! out by the next process, once.

use std::sync::Arc;

use sayso_audit::{Actor, Event};
use sayso_consent::Error;
use sayso_consent::rights::{Desk, Standing, Step};
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Profile};
use sayso_types::SubjectId;

use crate::answering::shows;
use crate::erasing::facts;
use crate::erasing_killed::{Before, asked};
use crate::killed::{Node, Story, whenever};
use crate::world::{VOICE, answer, profile};

/// Puts the word right that is remembered.
fn changed() -> Vec<(String, String)> {
    vec![("word".to_owned(), "another".to_owned())]
}

async fn until_fulfilled(desk: &Desk, subject: SubjectId) {
    while desk.of(subject).await.unwrap()[0].standing != Standing::Fulfilled {
        tokio::task::yield_now().await;
    }
}

/// Asserts that nothing of what was sealed before is in any file.
fn shows_no_more(node: &Node, sealed: &[u8]) {
    assert!(!shows(&node.dir, sealed), "no file has what was there before");
}

/// What is remembered of somebody is put right.
#[derive(Default)]
struct Rectification(Before);

impl Story for Rectification {
    fn policy(&self) -> Arc<Profile> {
        Arc::new(profile())
    }

    async fn prepare(&self, node: &Node) {
        asked(node, RightKind::Rectify, &self.0).await;
        let (desk, subject) = (Desk::open(node.register.clone()), self.0.get().expect("was asked").0);
        let case = desk.of(subject).await.unwrap()[0].id;
        desk.step(subject, case, Step::Accept, Actor::SYSTEM).await.unwrap();
    }

    async fn goes(&self, node: &Node) {
        let (desk, subject) = (Desk::open(node.register.clone()), node.subject("device").await);
        let case = desk.of(subject).await.unwrap()[0].id;
        desk.correct(subject, case, &changed(), Actor::SYSTEM).await.unwrap();
        until_fulfilled(&desk, subject).await;
    }

    async fn ends(&self, node: &Node) -> bool {
        let (subject, sealed) = self.0.get().expect("was prepared");
        let applied = |event: &Event| matches!(event, Event::RectifyApplied { .. });
        if node.count(applied).await == 0 {
            assert_eq!(node.register.facts(*subject).await.unwrap(), facts(), "nobody was told otherwise");
            return false;
        }
        until_fulfilled(&Desk::open(node.register.clone()), *subject).await;
        shows_no_more(node, sealed);
        assert_eq!(node.register.facts(*subject).await.unwrap(), changed());
        assert_eq!(node.count(applied).await, 1);
        true
    }
}

/// Somebody's account is closed.
#[derive(Default)]
struct Cancellation(Before);

impl Story for Cancellation {
    fn policy(&self) -> Arc<Profile> {
        Arc::new(profile())
    }

    async fn prepare(&self, node: &Node) {
        asked(node, RightKind::Cancel, &self.0).await;
    }

    async fn goes(&self, node: &Node) {
        let (desk, subject) = (Desk::open(node.register.clone()), node.subject("device").await);
        let case = desk.of(subject).await.unwrap()[0].id;
        desk.step(subject, case, Step::Accept, Actor::SYSTEM).await.unwrap();
        until_fulfilled(&desk, subject).await;
    }

    async fn ends(&self, node: &Node) -> bool {
        let (register, (subject, sealed)) = (&node.register, self.0.get().expect("was prepared"));
        let (desk, subject) = (Desk::open(register.clone()), *subject);
        if desk.of(subject).await.unwrap()[0].standing == Standing::Verified {
            assert_eq!(register.facts(subject).await.unwrap(), facts(), "nobody was told otherwise");
            return false;
        }
        until_fulfilled(&desk, subject).await;
        shows_no_more(node, sealed);
        let late = register.record(&answer(subject, &[VOICE], ConsentStatus::Given)).await;
        assert!(matches!(late, Err(Error::Closed)));
        assert_ne!(node.subject("device").await, subject, "who connects the device now is somebody else");
        assert_eq!(node.count(|event| matches!(event, Event::AccountCancelled { .. })).await, 1);
        true
    }
}

#[tokio::test]
async fn what_is_put_right_is_so_whenever_the_node_is_killed() {
    let name = "answering_killed::what_is_put_right_is_so_whenever_the_node_is_killed";
    whenever(name, Rectification::default()).await;
}

#[tokio::test]
async fn an_account_is_closed_whenever_the_node_is_killed() {
    whenever("answering_killed::an_account_is_closed_whenever_the_node_is_killed", Cancellation::default()).await;
}
