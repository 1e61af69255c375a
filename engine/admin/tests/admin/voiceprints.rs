//! A voice print service outside of the node tells speakers apart by the prints of those who agreed to it, each for themselves,
//! and has none of anybody who took that back.

use std::collections::{BTreeMap, BTreeSet};

use sayso_consent::deletion::{DeletionAnswer, DeletionOrder};
use sayso_consent::erasure::Certificate;
use sayso_proto::admin::v1::hold_permits_request::Request;
use sayso_proto::admin::v1::hold_permits_response::Response;
use sayso_proto::admin::v1::{
    EvidenceKind, GetKeptRequest, GiveConsentRequest, KeptUnderPermit, Principal, PutKeptRequest, ReadKeptUnderPermit,
};
use sayso_proto::consent::v1::{NoticeForm, WithdrawalState};
use tonic::Code;

use crate::node::{Client, Node, TENANT};
use crate::promises::{XIAOZHI, lawful};
use crate::service::Service;
use crate::soon;

/// The account's owner, and somebody else who speaks to their device.
const OWNER: &str = "speaker-1";
const GUEST: &str = "speaker-2";

const WHAT: &str = "speaker_identity/voiceprint/voiceprint";

fn person(device: &str) -> Option<Principal> {
    Some(Principal { tenant_id: TENANT.to_owned(), device_id: device.to_owned(), ..Principal::default() })
}

/// Has the person of `device` agree in a document of their own that names the voice print and nothing else.
async fn signs(integrator: &Client, device: &str) {
    let request = GiveConsentRequest {
        principal: person(device),
        purposes: vec!["speaker_identity".to_owned()],
        notice_sha256: vec![1; 32],
        notice_language: "zh".to_owned(),
        notice_form: NoticeForm::Screen.into(),
        evidence_sha256: device.bytes().cycle().take(32).collect(),
        evidence_kind: EvidenceKind::Signed.into(),
        ..GiveConsentRequest::default()
    };
    soon(integrator.consent().give(request)).await.unwrap();
}

/// What keeps a print of the person of `device` with the owner's account.
fn print(device: &str, content: &[u8]) -> PutKeptRequest {
    PutKeptRequest {
        principal: person(OWNER),
        of: person(device),
        category: "voiceprint".to_owned(),
        purpose: "speaker_identity".to_owned(),
        media_type: "application/octet-stream".to_owned(),
        attribute: "print".to_owned(),
        content: content.to_vec(),
        ..PutKeptRequest::default()
    }
}

/// A fake voice print service: it has the prints that it was let have, each under the permit that let it, and takes whose print is
/// most like a voice for whoever speaks.
struct FakeVoiceprints {
    stream: Service,
    /// By permit: whose, and their prints.
    enrolled: BTreeMap<Vec<u8>, (&'static str, Vec<Vec<u8>>)>,
    /// What it still has of permits that it has let go of, until it is told to delete that: a copy on its disk.
    copies: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
}

impl FakeVoiceprints {
    async fn start(node: &Node) -> Self {
        let stream = Service::start(node, &["voiceprint"]).await;
        Self { stream, enrolled: BTreeMap::new(), copies: BTreeMap::new() }
    }

    async fn read(&self, permit_id: &[u8], item_id: Vec<u8>) {
        let read = ReadKeptUnderPermit { permit_id: permit_id.to_vec(), item_id };
        self.stream.send(Request::ReadKept(read)).await;
    }

    async fn kept(&mut self, permit_id: &[u8], item_id: Vec<u8>) -> KeptUnderPermit {
        self.read(permit_id, item_id).await;
        match self.stream.next().await {
            Response::Kept(kept) => kept,
            other => panic!("nothing was read: {other:?}"),
        }
    }

    /// Takes in what is kept of the person of `device`: the permit that it has for that.
    async fn enrols(&mut self, device: &'static str) -> Vec<u8> {
        let permit = self.stream.given(device, WHAT).await.permit_id;
        let listed = self.kept(&permit, Vec::new()).await;
        assert!(listed.content.is_empty());
        let mut prints = Vec::new();
        for item in listed.items {
            prints.push(self.kept(&permit, item.item_id).await.content);
        }
        self.copies.insert(permit.clone(), prints.clone());
        self.enrolled.insert(permit.clone(), (device, prints));
        permit
    }

    /// Who speaks like that.
    fn tells(&self, voice: &[u8]) -> Option<&'static str> {
        let is_like = |print: &Vec<u8>| print.iter().zip(voice).filter(|(a, b)| a == b).count() * 2 > voice.len();
        self.enrolled.values().find(|(_, prints)| prints.iter().any(is_like)).map(|(device, _)| *device)
    }

    /// Deletes what it had by those permits; its answer.
    fn deletes(&mut self, order: &DeletionOrder) -> DeletionAnswer {
        for segment in &order.segments {
            self.copies.remove(segment.0.as_slice());
        }
        DeletionAnswer([9; 32])
    }
}

#[tokio::test]
async fn speakers_are_told_apart_while_each_agrees_and_not_a_print_is_left_of_who_does_not() {
    let node = Node::telling(lawful(XIAOZHI), &["voiceprint"]).await;
    node.person(OWNER).await;
    node.person(GUEST).await;
    let (integrator, mut service) = (node.integrator(TENANT).await, FakeVoiceprints::start(&node).await);
    // going on, saying yes to everything, or the owner's word opens nothing of a speaker's
    signs(&integrator, OWNER).await;
    integrator.agree(GUEST, &["speaker_identity", "voice_interaction"]).await;
    assert_eq!(service.stream.denied(GUEST, WHAT).await, "no_basis");
    let refused = soon(integrator.kept().put(print(GUEST, &[2; 64]))).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    signs(&integrator, GUEST).await;
    let mut items = Vec::new();
    for (device, content) in [(OWNER, [1; 64]), (GUEST, [2; 64])] {
        items.push(soon(integrator.kept().put(print(device, &content))).await.unwrap().into_inner().item_id);
    }

    let (owner, guest) = (service.enrols(OWNER).await, service.enrols(GUEST).await);
    assert_eq!([[1; 60], [2; 60], [3; 60]].map(|voice| service.tells(&voice)), [Some(OWNER), Some(GUEST), None]);
    // each permit is for one speaker's
    service.read(&owner, items[1].clone()).await;
    assert_eq!(service.stream.refused().await, (Code::NotFound, "item_id".to_owned()));
    let reads = node.leaves().await.into_iter().filter(|leaf| leaf.fact.event.name() == "operator.access").count();
    assert!(reads >= 4, "who had a print is on record: {reads}");

    // the guest takes it back: OK waits for the service
    let pending = integrator.take_back(GUEST, "speaker_identity", 1).await;
    assert_eq!(pending.state(), WithdrawalState::Pending);
    service.read(&guest, items[1].clone()).await;
    assert_eq!(service.stream.revoked(&guest).await, "withdrawn");
    assert_eq!(service.stream.refused().await.0, Code::FailedPrecondition, "not even before it has let go");
    service.enrolled.remove(&guest);
    service.stream.ends(&guest).await;
    assert_eq!(integrator.take_back(GUEST, "speaker_identity", 5_000).await.state(), WithdrawalState::Ok);
    assert_eq!((service.tells(&[2; 60]), service.tells(&[1; 60])), (None, Some(OWNER)), "the other goes on");
    assert_eq!(service.stream.denied(GUEST, WHAT).await, "no_basis");
    let get = GetKeptRequest { principal: person(OWNER), item_id: items[1].clone() };
    assert_eq!(soon(integrator.kept().get(get)).await.unwrap_err().code(), Code::NotFound, "erased here");

    // and erased there, with a receipt
    let (tenant, device) = (TENANT.parse().unwrap(), GUEST.parse().unwrap());
    let subject = node.register.find_subject(&tenant, &device).await.unwrap().unwrap();
    let order = soon(async {
        loop {
            let mut due = node.register.due_deletions(&BTreeSet::new()).await.unwrap();
            if let Some(order) = due.pop() {
                return order;
            }
            tokio::task::yield_now().await;
        }
    });
    let order = order.await;
    let permits: Vec<_> = order.segments.iter().map(|segment| segment.0.to_vec()).collect();
    assert_eq!(
        (order.subject, permits),
        (subject, vec![guest.clone()]),
        "what it had of the guest, and nothing of the owner"
    );
    assert!(service.copies.contains_key(&guest));
    assert!(node.register.deletion_requested(&order).await.unwrap());
    let answer = service.deletes(&order);
    node.register.deletion_confirmed(&order, answer).await.unwrap();
    assert_eq!(service.copies.into_keys().collect::<Vec<_>>(), [owner]);
    let looks = async {
        loop {
            node.register.due_deletions(&BTreeSet::new()).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let json = tokio::select! {
        json = soon(node.register.until_certified(subject, order.of)) => json.unwrap(),
        () = looks => unreachable!(),
    };
    let certificate = Certificate::parse(&json).unwrap();
    let [deleted] = certificate.deleted.as_slice() else { panic!("one: {:?}", certificate.deleted) };
    assert_eq!((deleted.id.to_string(), deleted.answer), ("voiceprint".to_owned(), answer.0));
    assert!(!certificate.is_partial(), "{:?}", certificate.residuals);
}
