//! Getting, giving and withdrawing consent.

use sayso_audit::{Event, Hash};
use sayso_consent::{Ask, Lease};
use sayso_policy::{ConsentStatus, Gate, Labelled};
use sayso_proto::admin::v1::{GetConsentRequest, GiveConsentRequest, Principal, WithdrawConsentRequest};
use sayso_proto::consent::v1 as record;
use sayso_proto::consent::v1::{HolderState, NoticeForm, Part, WithdrawalState};
use sayso_session::Attached;
use sayso_types::{Category, Label, ProcessorId, Purpose, SubjectId, TurnId};
use tonic::Code;

use crate::device::attach;
use crate::node::{Client, Node, TENANT};
use crate::{refused, soon};

fn principal() -> Option<Principal> {
    Some(Principal { tenant_id: TENANT.to_owned(), device_id: "speaker-1".to_owned(), ..Principal::default() })
}

fn give(purposes: &[&str]) -> GiveConsentRequest {
    GiveConsentRequest {
        principal: principal(),
        purposes: purposes.iter().map(|&p| p.to_owned()).collect(),
        notice_sha256: vec![1; 32],
        notice_language: "en".to_owned(),
        notice_form: NoticeForm::Screen.into(),
        evidence_sha256: vec![2; 32],
        by_guardian: false,
        ..Default::default()
    }
}

fn withdraw(purposes: &[&str], wait_ms: u32) -> WithdrawConsentRequest {
    WithdrawConsentRequest {
        principal: principal(),
        purposes: purposes.iter().map(|&p| p.to_owned()).collect(),
        wait_ms,
        ..Default::default()
    }
}

/// A node whose speaker-1 was once connected, its operator, and the person.
async fn node() -> (Node, Client, Attached, SubjectId) {
    let node = Node::start().await;
    let attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let found = node.register.find_subject(&TENANT.parse().unwrap(), &"speaker-1".parse().unwrap()).await;
    let (client, subject) = (node.operator().await, found.unwrap().unwrap());
    (node, client, attached, subject)
}

/// A permit to hand the person's voice to the recogniser, in use.
async fn hold(node: &Node, subject: SubjectId) -> Lease {
    let ask = Ask {
        subject,
        turn: TurnId(1),
        purpose: Purpose::VOICE_INTERACTION,
        category: Category::VOICE_AUDIO,
        cv: node.register.state(subject).await.unwrap().cv,
        gate: Gate::Recognition,
        processor: "whisper-local".parse::<ProcessorId>().unwrap(),
    };
    let lease = node.register.acquire(ask).await.unwrap();
    let label = Label { subject, category: ask.category, purpose: ask.purpose, turn: ask.turn, cv: ask.cv };
    lease.permit().pass(Labelled::new(label, "twelve bytes".to_owned()), |_| ()).unwrap();
    lease
}

fn names(node_events: &[sayso_audit::Leaf]) -> Vec<String> {
    let name = |event: &Event| match event {
        Event::OperatorAccess { reason, .. } => reason.to_string(),
        event => event.name().to_owned(),
    };
    node_events.iter().map(|leaf| name(&leaf.fact.event)).collect()
}

#[tokio::test]
async fn what_is_given_can_be_read() {
    let (node, client, _attached, subject) = node().await;
    let given = soon(client.consent().give(give(&["memory", "voice_interaction"]))).await.unwrap().into_inner();
    assert_eq!((given.subject_id.as_str(), given.consent_version), (subject.to_string().as_str(), 1));
    let purpose = |record: &record::ConsentRecord| record.purpose.clone().unwrap().purpose;
    assert_eq!(given.records.iter().map(purpose).collect::<Vec<_>>(), ["memory", "voice_interaction"]);
    let first = &given.records[0];
    let notice = &first.purpose.as_ref().unwrap().privacy_notices[0];
    assert_eq!((notice.rendered_sha256.as_slice(), notice.form()), ([1; 32].as_slice(), NoticeForm::Screen));
    assert_eq!(first.events[0].actor(), record::ActorKind::Tenant);
    assert_eq!(first.events[0].indication_method(), record::IndicationMethod::Integrator);
    assert_eq!(first.events[0].evidence_sha256, [2; 32]);
    assert!(node.register.state(subject).await.unwrap().status(Purpose::MEMORY).is_valid());

    let get = GetConsentRequest { principal: principal(), page_size: 1, ..Default::default() };
    let newest = soon(client.consent().get(get.clone())).await.unwrap().into_inner();
    assert_eq!(newest.records.iter().map(purpose).collect::<Vec<_>>(), ["voice_interaction"]);
    let get = GetConsentRequest { page_token: newest.next_page_token, ..get };
    let oldest = soon(client.consent().get(get)).await.unwrap().into_inner();
    assert_eq!(oldest.records.iter().map(purpose).collect::<Vec<_>>(), ["memory"]);
    assert!(oldest.next_page_token.is_empty() && oldest.withdrawing.is_empty());

    let log = names(&node.leaves().await);
    let begun = log.iter().position(|name| name == "consent.give").unwrap();
    assert_eq!(log[begun..], ["consent.give", "consent.given", "consent.given", "consent.get", "consent.get"]);
}

#[tokio::test]
async fn withdrawn_means_that_every_holder_has_let_go() {
    let (node, client, _attached, subject) = node().await;
    soon(client.consent().give(give(&["voice_interaction"]))).await.unwrap();
    let lease = hold(&node, subject).await;

    let pending = soon(client.consent().withdraw(withdraw(&[], 1))).await.unwrap().into_inner();
    assert_eq!(pending.state(), WithdrawalState::Pending);
    assert_eq!((pending.consent_version, pending.bytes_passed), (2, 12));
    assert_eq!(pending.holders[0].state(), HolderState::Outstanding);
    assert!(!lease.permit().is_open(), "nothing passes, whatever the answer");
    let get = GetConsentRequest { principal: principal(), ..Default::default() };
    let standing = soon(client.consent().get(get)).await.unwrap().into_inner();
    assert_eq!(standing.withdrawing, ["voice_interaction"]);

    let asking = client.consent();
    let waiting = async { soon(asking.clone().withdraw(withdraw(&[], 20_000))).await.unwrap().into_inner() };
    let (done, ()) = tokio::join!(waiting, async { drop(lease) });
    assert_eq!(done.state(), WithdrawalState::Ok);
    let after = node.register.state(subject).await.unwrap();
    assert_eq!(after.status(Purpose::VOICE_INTERACTION), ConsentStatus::Withdrawn);

    let again = soon(client.consent().withdraw(withdraw(&[], 1))).await.unwrap().into_inner();
    assert_eq!((again.state(), again.bytes_passed), (WithdrawalState::Ok, 0), "nothing is left to withdraw");
}

#[tokio::test]
async fn what_holders_passed_is_told_when_they_have_let_go() {
    let (node, client, _attached, subject) = node().await;
    soon(client.consent().give(give(&["voice_interaction"]))).await.unwrap();
    let lease = hold(&node, subject).await;
    let asking = client.consent();
    let waiting = async { soon(asking.clone().withdraw(withdraw(&[], 20_000))).await.unwrap().into_inner() };
    let letting_go = async {
        lease.revoked().await;
        drop(lease);
    };
    let (done, ()) = tokio::join!(waiting, letting_go);
    assert_eq!((done.state(), done.bytes_passed), (WithdrawalState::Ok, 12));
    assert_eq!(done.holders[0].processor_id, "whisper-local");
    assert_eq!(done.holders[0].state(), HolderState::Acknowledged);
    let requested = node.leaves().await.into_iter().find_map(|leaf| match leaf.fact.event {
        Event::WithdrawRequested { withdrawal, .. } => Some(withdrawal),
        _ => None,
    });
    assert_eq!(done.withdrawal_id, requested.unwrap().0);
}

#[tokio::test]
async fn a_part_is_taken_back_shown_and_given_again_by_name() {
    let (node, client, _attached, subject) = node().await;
    soon(client.consent().give(give(&["voice_interaction"]))).await.unwrap();
    let whisper = Part { processor_id: "whisper-local".to_owned(), ..Part::default() };
    let part = WithdrawConsentRequest { parts: vec![whisper.clone()], ..withdraw(&[], 1) };
    let lease = hold(&node, subject).await;
    let pending = soon(client.consent().withdraw(part.clone())).await.unwrap().into_inner();
    assert_eq!((pending.state(), lease.permit().is_open()), (WithdrawalState::Pending, false));
    let get = || GetConsentRequest { principal: principal(), ..Default::default() };
    let standing = soon(client.consent().get(get())).await.unwrap().into_inner();
    let only_whisper = [whisper.clone()];
    assert_eq!(standing.taken_back, only_whisper);
    assert!(standing.withdrawing.is_empty());
    let [withdrawal] = standing.withdrawals.as_slice() else { panic!("{:?}", standing.withdrawals) };
    assert_eq!((withdrawal.state(), withdrawal.part.as_ref()), (WithdrawalState::Pending, Some(&whisper)));
    drop(lease);
    let done = soon(client.consent().withdraw(part.clone())).await.unwrap().into_inner();
    assert_eq!((done.state(), done.withdrawal_id), (WithdrawalState::Ok, pending.withdrawal_id));

    soon(client.consent().give(give(&["voice_interaction"]))).await.unwrap();
    let standing = soon(client.consent().get(get())).await.unwrap().into_inner();
    assert_eq!(standing.taken_back, only_whisper, "a yes gives nothing back by itself");
    assert_eq!(standing.withdrawals[0].state(), WithdrawalState::Ok);
    assert_eq!(standing.records[0].events[0].taken_back, only_whisper);
    let again = GiveConsentRequest { parts: vec![whisper.clone()], ..give(&["voice_interaction"]) };
    soon(client.consent().give(again.clone())).await.unwrap();
    assert!(soon(client.consent().get(get())).await.unwrap().into_inner().taken_back.is_empty());
    let (code, refusal) = refused(client.consent().give(again)).await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(refusal.contains("nothing in */*/whisper-local/*/* was taken back"), "{refusal}");

    let both = WithdrawConsentRequest { parts: vec![whisper], ..withdraw(&["memory"], 1) };
    assert!(refused(client.consent().withdraw(both)).await.1.contains("parts: a part is less than a purpose"));
    let unknown = Part { processor_id: "nobody".to_owned(), ..Part::default() };
    let unknown = WithdrawConsentRequest { parts: vec![unknown], ..withdraw(&[], 1) };
    assert!(refused(client.consent().withdraw(unknown)).await.1.contains("has the processor nobody"));
}

#[tokio::test]
async fn a_withdrawal_goes_on_when_its_caller_leaves() {
    let (node, client, _attached, subject) = node().await;
    soon(client.consent().give(give(&["voice_interaction"]))).await.unwrap();
    let lease = hold(&node, subject).await;
    let mut changes = node.register.changes();
    let mut asking = client.consent();
    tokio::select! {
        answer = asking.withdraw(withdraw(&[], 30_000)) => panic!("nobody has let go: {answer:?}"),
        () = lease.revoked() => {}
    }
    drop((asking, client, lease));
    let withdrawn = async {
        while changes.recv().await.unwrap().1.status(Purpose::VOICE_INTERACTION) != ConsentStatus::Withdrawn {}
    };
    soon(withdrawn).await;
}

/// The SHA-256 of an empty file.
fn nothing() -> Vec<u8> {
    Hash::of(&[]).0.to_vec()
}

#[tokio::test]
async fn mistakes_are_named() {
    let (node, client, _attached, subject) = node().await;
    let invalid = |purposes: &[&str], change: fn(&mut GiveConsentRequest)| {
        let mut request = give(purposes);
        change(&mut request);
        let mut consent = client.consent();
        async move { refused(consent.give(request)).await }
    };
    for (answer, field) in [
        (invalid(&["memory"], |r| r.principal = None).await, "principal: missing"),
        (invalid(&["memory"], |r| principal_of(r).tenant_id.clear()).await, "principal.tenant_id: missing"),
        (invalid(&["memory"], |r| principal_of(r).device_id.clear()).await, "principal.device_id: must have 1 to 64"),
        (invalid(&[], |_| ()).await, "purposes: missing"),
        (invalid(&["Memory"], |_| ()).await, "purposes: a name is made of"),
        (invalid(&["memory", "memory"], |_| ()).await, "purposes: memory is there twice"),
        (invalid(&["notice"], |_| ()).await, "purposes: the profile asks no consent for notice"),
        (invalid(&["memory"], |r| r.notice_sha256.clear()).await, "notice_sha256: a SHA-256 has 32 bytes"),
        (invalid(&["memory"], |r| r.notice_language.clear()).await, "notice_language: not a BCP 47"),
        (invalid(&["memory"], |r| r.notice_form = 0).await, "notice_form: give SCREEN or ORAL"),
        (invalid(&["memory"], |r| r.evidence_sha256.clear()).await, "evidence_sha256: a SHA-256 has 32 bytes"),
        (
            invalid(&["memory"], |r| r.evidence_sha256 = nothing()).await,
            "evidence_sha256: this is the SHA-256 of nothing",
        ),
        (invalid(&["memory"], |r| r.notice_sha256 = nothing()).await, "notice_sha256: this is the SHA-256 of nothing"),
    ] {
        assert_eq!(answer.0, Code::InvalidArgument, "{}", answer.1);
        assert!(answer.1.starts_with(field), "{}", answer.1);
    }
    let too_long = refused(client.consent().withdraw(withdraw(&[], 30_001))).await;
    assert_eq!(too_long.1, "wait_ms: at most 30000; ask again to wait longer");
    let misspelt = refused(client.consent().withdraw(withdraw(&["voice_interation"], 1))).await;
    assert_eq!(misspelt.1, "purposes: the profile asks no consent for voice_interation; check its name");
    assert_eq!(node.register.state(subject).await.unwrap().cv.0, 0, "nothing was recorded");
}

fn principal_of(request: &mut GiveConsentRequest) -> &mut Principal {
    request.principal.as_mut().unwrap()
}

#[tokio::test]
async fn strangers_and_the_people_of_others_are_not_found() {
    let (node, _client, _attached, _) = node().await;
    let other = node.integrator("other").await;
    let unknown = |tenant: &str, device: &str| GetConsentRequest {
        principal: Some(Principal {
            tenant_id: tenant.to_owned(),
            device_id: device.to_owned(),
            ..Principal::default()
        }),
        ..Default::default()
    };
    assert_eq!(refused(other.consent().get(unknown("", "speaker-1"))).await.0, Code::NotFound);
    assert_eq!(refused(other.consent().get(unknown(TENANT, "speaker-1"))).await.0, Code::PermissionDenied);
    let ours = node.integrator(TENANT).await;
    let (code, message) = refused(ours.consent().get(unknown("", "speaker-9"))).await;
    assert_eq!(code, Code::NotFound);
    assert!(message.starts_with("principal.device_id: no such device"), "{message}");
    soon(ours.consent().get(unknown("", "speaker-1"))).await.unwrap();
}
