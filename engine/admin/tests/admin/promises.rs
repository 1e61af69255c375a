//! What the five policies promise of services that are not the node: text messages, visits, accounts, feedback, diagnoses. Each
//! promise is asked about over gRPC under the profile that is shipped.

use sayso_policy::Profile;
use sayso_policy::profile::Draft;
use sayso_proto::consent::v1::WithdrawalState;
use sayso_runtime::SystemClock;
use sayso_types::Clock;

use crate::node::{Node, TENANT};
use crate::service::Service;

const DEVICE: &str = "speaker-1";

/// The policy as it is written, and its variant that can be run.
pub(crate) type Shipped = (&'static str, &'static str);

macro_rules! shipped {
    ($name:literal) => {
        (
            include_str!(concat!("../../../../deploy/profiles/", $name, ".toml")),
            include_str!(concat!("../../../../deploy/profiles/", $name, "-lawful.toml")),
        )
    };
}

pub(crate) const XIAOZHI: Shipped = shipped!("xiaozhi");
const AIWELLFLOW: Shipped = shipped!("aiwellflow");
const CHAT_AI: Shipped = shipped!("chat-ai");
const ZEGO: Shipped = shipped!("zego");

/// The variant as it is shipped.
pub(crate) fn lawful((written, lawful): Shipped) -> Profile {
    Draft::parse(lawful, Some(written)).unwrap().accept().unwrap()
}

/// The variant in an operator's copy, in which somebody has examined the receiver `id` today.
fn with_examined((written, lawful): Shipped, id: &str) -> Profile {
    let today = jiff::Timestamp::from_millisecond(SystemClock::new().wall().0 as i64).unwrap().strftime("%Y-%m-%d");
    let examined = format!(
        r#"{{ id = "{id}", party = "A company", contact = "privacy@example.cn", privacy_url = "https://example.cn/privacy", contract = "2026-7", instructions_ref = "2026-7, annex 1", trains_on_data = false, declared_retention = "PT24H", deletion_api = true, state = "active", due_diligence = {{ at = {today}, by = "privacy officer", valid = "P1Y" }} }},"#
    );
    // in the list of receivers, or as one before the first table
    let copy = match lawful.split_once("\nprocessor = [\n") {
        Some((before, after)) => format!("{before}\nprocessor = [\n{examined}\n{after}"),
        None => {
            let (before, after) = lawful.split_at(lawful.find("\n[").unwrap());
            format!("{before}\nprocessor = [\n{examined}\n]\n{after}")
        }
    };
    Draft::parse(&copy, Some(written)).unwrap().accept().unwrap()
}

/// A node under `profile`, and a service that is `processor`.
async fn node(profile: Profile, processor: &str) -> (Node, Service) {
    let node = Box::pin(Node::under(profile)).await;
    node.person(DEVICE).await;
    let service = Service::start(&node, &[processor]).await;
    (node, service)
}

/// Nothing is given before the person agreed, it is given then, and it is over when they take that back.
async fn is_by_consent_alone(node: &Node, service: &mut Service, what: &str) {
    let purpose = what.split('/').next().unwrap();
    let integrator = node.integrator(TENANT).await;
    assert_eq!(service.denied(DEVICE, what).await, "no_basis", "{what}");
    integrator.agree(DEVICE, &[purpose]).await;
    let given = service.given(DEVICE, what).await;
    assert_eq!(given.basis, "Consent", "{what}");
    assert_eq!(integrator.take_back(DEVICE, purpose, 1).await.state(), WithdrawalState::Pending, "{what}");
    assert_eq!(service.revoked(&given.permit_id).await, "withdrawn", "{what}");
    service.ends(&given.permit_id).await;
    assert_eq!(integrator.take_back(DEVICE, purpose, 5_000).await.state(), WithdrawalState::Ok, "{what}");
    assert_eq!(service.denied(DEVICE, what).await, "no_basis", "{what}");
}

/// It is given without anybody's consent, because the service that the person wanted takes it.
async fn is_by_contract(service: &mut Service, what: &str) {
    let given = service.given(DEVICE, what).await;
    assert_eq!(given.basis, "ContractPerformance", "{what}");
    service.ends(&given.permit_id).await;
}

#[tokio::test]
async fn a_permit_to_send_a_code_is_no_permit_to_send_offers() {
    let (_node, mut unexamined) = node(lawful(XIAOZHI), "sms").await;
    assert_eq!(unexamined.denied(DEVICE, "identity_check/verification/sms").await, "processor_state");

    let (node, mut sms) = node(with_examined(XIAOZHI, "sms"), "sms").await;
    is_by_contract(&mut sms, "identity_check/verification/sms").await;
    // whatever the person agrees to, the number is for codes
    let integrator = node.integrator(TENANT).await;
    integrator.agree(DEVICE, &["voice_interaction", "memory", "improve_voice", "history"]).await;
    for purpose in ["improve_voice", "history", "memory", "provide_service"] {
        assert_eq!(sms.denied(DEVICE, &format!("{purpose}/verification/sms")).await, "unknown_cell", "{purpose}");
    }
    assert_eq!(sms.denied(DEVICE, "identity_check/account/sms").await, "processor_state", "nothing but the code");
}

#[tokio::test]
async fn a_telephone_number_is_used_for_each_purpose_apart() {
    let (_node, mut unexamined) = node(lawful(AIWELLFLOW), "partner-sms").await;
    assert_eq!(unexamined.denied(DEVICE, "service_notice/contact_phone/partner-sms").await, "processor_state");

    let (node, mut sms) = node(with_examined(AIWELLFLOW, "partner-sms"), "partner-sms").await;
    is_by_contract(&mut sms, "service_notice/contact_phone/partner-sms").await;
    is_by_contract(&mut sms, "identity_check/contact_phone/partner-sms").await;
    is_by_consent_alone(&node, &mut sms, "survey/contact_phone/partner-sms").await;
    is_by_consent_alone(&node, &mut sms, "marketing/contact_phone/partner-sms").await;
    node.integrator(TENANT).await.agree(DEVICE, &["survey"]).await;
    assert_eq!(sms.denied(DEVICE, "marketing/contact_phone/partner-sms").await, "no_basis", "a survey is no offer");
    let survey = sms.given(DEVICE, "survey/contact_phone/partner-sms").await;
    assert_eq!(survey.obligations.unwrap().only_fields, ["phone"]);
}

#[tokio::test]
async fn people_are_told_of_changes_and_visited_only_if_they_like() {
    for (service, category) in [("zego-messages", "account_phone"), ("zego-mail", "account_email")] {
        let (node, mut messages) = node(lawful(ZEGO), service).await;
        is_by_contract(&mut messages, &format!("service_notice/{category}/{service}")).await;
        is_by_consent_alone(&node, &mut messages, &format!("customer_visit/{category}/{service}")).await;
    }
    let (_node, mut messages) = node(lawful(ZEGO), "zego-messages").await;
    assert_eq!(messages.denied(DEVICE, "account/account_phone/zego-messages").await, "processor_state");
    assert_eq!(messages.denied(DEVICE, "service_notice/account_email/zego-messages").await, "processor_state");
    let (_node, mut mail) = node(lawful(ZEGO), "zego-mail").await;
    assert_eq!(mail.denied(DEVICE, "account/account_email/zego-mail").await, "unknown_cell");
}

#[tokio::test]
async fn an_account_takes_a_number_and_perhaps_a_name() {
    let (_node, mut accounts) = node(lawful(ZEGO), "zego-store").await;
    is_by_contract(&mut accounts, "account/account_phone/zego-store").await;
    is_by_contract(&mut accounts, "account/account_username/zego-store").await;
    assert_eq!(accounts.denied(DEVICE, "account/account_email/zego-store").await, "unknown_cell");
    let profile = lawful(ZEGO);
    let necessity = |id: &str| format!("{:?}", profile.category(id.parse().unwrap()).unwrap().necessity);
    assert!(necessity("account_phone").contains("Required"), "{}", necessity("account_phone"));
    assert!(necessity("account_username").contains("Optional"), "{}", necessity("account_username"));
}

#[tokio::test]
async fn feedback_and_diagnoses_take_data_while_somebody_wants_them() {
    let (node, mut desk) = node(lawful(CHAT_AI), "store-local").await;
    is_by_consent_alone(&node, &mut desk, "feedback/feedback/store-local").await;
    is_by_consent_alone(&node, &mut desk, "network_diagnosis/network_data/store-local").await;
    is_by_consent_alone(&node, &mut desk, "network_diagnosis/device_identifier/store-local").await;
    // each takes what it lists, and one of them is not the other
    node.integrator(TENANT).await.agree(DEVICE, &["feedback"]).await;
    assert_eq!(desk.denied(DEVICE, "network_diagnosis/network_data/store-local").await, "no_basis");
    for other in ["network_data", "crash_data", "device_identifier", "real_name"] {
        let what = format!("feedback/{other}/store-local");
        assert_eq!(desk.denied(DEVICE, &what).await, "unknown_cell", "{what}");
    }
}
