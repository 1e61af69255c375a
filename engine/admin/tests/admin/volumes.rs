//! How much goes to each processor, from the door for operators.

use sayso_consent::{Answer, Ask, Means, Question};
use sayso_policy::{ConsentStatus, Gate, Labelled, Profile, Refused};
use sayso_proto::admin::v1::hold_permits_response::Response;
use sayso_proto::admin::v1::{CountVolumesRequest, VolumeTo};
use sayso_types::{Category, Label, Purpose, TurnId};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::node::{Client, HOME, Node, TENANT};
use crate::service::{Service, shown};
use crate::{refused, soon};

/// The policy of a home that says how much goes to `processor`.
fn declaring(processor: &str, volume: &str) -> Profile {
    let here = format!("{{ id = \"{processor}\",");
    assert!(HOME.contains(&here), "{processor}");
    Profile::parse(&HOME.replacen(&here, &format!("{here} volume = {{ {volume} }},"), 1)).unwrap()
}

/// Somebody who agreed to talking: what is asked for what they say.
async fn talker(node: &Node) -> Ask {
    let (tenant, purpose) = (TENANT.parse().unwrap(), Purpose::VOICE_INTERACTION);
    let subject = node.register.subject_of(&tenant, &"speaker-1".parse().unwrap()).await.unwrap();
    let answer = Answer {
        tenant,
        subject,
        status: ConsentStatus::Given,
        question: Question::of(&[purpose]),
        means: Means::Voice,
        notice_sha256: [1; 32],
        language: "en".into(),
        spoken: true,
        evidence_sha256: [2; 32],
    };
    let cv = node.register.record(&answer).await.unwrap().cv;
    let (category, processor) = (Category::VOICE_AUDIO, "whisper-local".parse().unwrap());
    Ask { subject, turn: TurnId(1), purpose, category, cv, gate: Gate::Recognition, processor }
}

async fn counted(operator: &Client) -> Vec<VolumeTo> {
    soon(operator.switches().count_volumes(CountVolumesRequest {})).await.unwrap().into_inner().to
}

#[tokio::test]
async fn the_operator_is_told_how_much_went_where_and_when_it_would_have_been_too_much() {
    let node = Node::under(declaring("whisper-local", "voice_audio = { per_call = 20, per_day = 50 }")).await;
    let (acme, operator) = (node.integrator(TENANT).await, node.operator().await);
    assert_eq!(refused(acme.switches().count_volumes(CountVolumesRequest {})).await.0, Code::PermissionDenied);
    let nothing = VolumeTo {
        processor_id: "whisper-local".to_owned(),
        category: "voice_audio".to_owned(),
        bytes_per_call_max: Some(20),
        bytes_per_day_max: Some(50),
        bytes_left: Some(50),
        ..VolumeTo::default()
    };
    assert_eq!(
        counted(&operator).await,
        core::slice::from_ref(&nothing),
        "what is declared is told before anything goes"
    );

    let request = HealthCheckRequest { service: sayso_admin::EGRESS_HEALTH.to_owned() };
    let mut health = soon(HealthClient::new(operator.channel.clone()).watch(request)).await.unwrap().into_inner();
    assert_eq!(soon(health.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    let ask = talker(&node).await;
    let lease = node.register.acquire(ask).await.unwrap();
    let said = |text: &str| {
        let Ask { subject, turn, purpose, category, cv, .. } = ask;
        let label = Label { subject, category, purpose, turn, cv };
        lease.permit().pass(Labelled::new(label, text.to_owned()), drop)
    };
    assert_eq!((said("twelve bytes"), said("twelve bytes")), (Ok(()), Err(Refused::TooMuch)));
    drop(lease);
    assert_eq!(soon(health.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    let told = VolumeTo { calls: 1, bytes: 12, over: 1, bytes_left: Some(38), ..nothing };
    assert_eq!(counted(&operator).await, [told]);
}

#[tokio::test]
async fn a_service_outside_is_told_how_much_may_go_and_what_it_says_it_sent_counts() {
    let (device, memory) = ("speaker-1", "memory/memory_summary/store-local");
    let node = Node::under(declaring("store-local", "memory_summary = { per_call = 60, per_day = 120 }")).await;
    node.person(device).await;
    node.integrator(TENANT).await.agree(device, &["memory"]).await;
    let mut service = Service::start(&node, &["store-local"]).await;
    let given = service.given(device, memory).await;
    assert_eq!(given.obligations.unwrap().bytes_max, Some(60));
    // of 70 bytes, of which nobody here could stop the last
    service.ends(&given.permit_id).await;
    let told = &counted(&node.operator().await).await[0];
    assert_eq!((told.bytes, told.over, told.bytes_left()), (70, 1, 50));
    let Response::Refused(refused) = service.ask(device, memory).await else {
        panic!("less is left than one may have")
    };
    assert_eq!(shown(&refused).0, Code::ResourceExhausted);
    service.finish().await;
}
