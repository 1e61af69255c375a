//! The AiWellFlow agent platform: AW.

use sayso_audit::{Actor, ActorKind};
use sayso_consent::Means;
use sayso_consent::tenants::Order;
use sayso_policy::AgeBand;

use super::{Gates, OPEN, WENT_ON, going_on_agrees_to_nothing, next};
use crate::keeping::{AIWELLFLOW, with_examined};

/// Everything that the policy asks for.
const ALL: &str = "voice_interaction diagnostics survey marketing from_partners transfer publish";

const HEARS: &str = "voice_interaction/voice_audio/whisper-local";

/// Has the developer attest where the data of its users comes from, and instruct all that the policy has.
async fn attested(gates: &Gates) {
    let profile = gates.0.register.profile();
    let order = Order {
        tenant: "acme".parse().unwrap(),
        reference: "DPA 2026-7".into(),
        purposes: profile.purposes().map(|rule| rule.id).collect(),
        categories: profile.categories().map(|(id, _)| id).collect(),
        until: None,
        attestation: Some("statement 3, version 2".into()),
    };
    gates.0.register.instruct(order, Actor { kind: ActorKind::Operator, tag: None }).await.unwrap();
}

#[tokio::test]
async fn what_is_optional_is_off_until_it_is_agreed_to_and_closes_nothing_else() {
    let gates = Gates::of(AIWELLFLOW).await;
    let anna = gates.0.stranger().await;
    let (logs, account) = ("diagnostics/usage_log/store-local", "operate/account/store-local");
    gates.promise(anna, &[(logs, "no_basis", "AW-1.2.3"), (account, OPEN, "AW-0.1")]).await;
    gates.yes(anna, "diagnostics", WENT_ON).await;
    gates.promise(anna, &[(logs, "no_basis", "AW-0.1, C1: to use it is not to agree")]).await;
    gates.yes_to_each(anna, "diagnostics").await;
    gates.promise(anna, &[(logs, OPEN, "AW-1.2.3")]).await;
    gates.takes_back(anna, "diagnostics").await;
    gates.promise(anna, &[(logs, "no_basis", "AW-1.2.3"), (account, OPEN, "AW-0.1")]).await;
}

#[tokio::test]
async fn what_is_taken_for_one_purpose_serves_no_other_whatever_is_agreed_to() {
    let gates = Gates::of(AIWELLFLOW).await;
    attested(&gates).await;
    let anna = gates.0.stranger().await;
    let taken = [
        ("operate/account/store-local", OPEN, "AW-1.1"),
        ("security/security_telemetry/store-local", OPEN, "AW-1.2.1"),
        ("security/device_info/store-local", OPEN, "AW-1.2.2"),
        ("security/browsing_history/store-local", OPEN, "AW-1.2.2"),
        ("agent_building/agent_config/store-local", OPEN, "AW-1.2.4"),
    ];
    gates.promise(anna, &taken).await;
    gates.yes_to_each(anna, ALL).await;
    let others = [
        ("marketing/security_telemetry/store-local", "unknown_cell", "AW-1.2.1"),
        ("diagnostics/device_info/store-local", "unknown_cell", "AW-1.2.2"),
        ("research/browsing_history/store-local", "unknown_cell", "AW-1.2.2"),
        ("marketing/cookie/store-local", "unknown_cell", "AW-2"),
        ("advertising/account/store-local", "unknown_cell", "AW-1.2.7b"),
        ("research/agent_config/store-local", "unknown_cell", "AW-1.2.7a"),
        ("transfer/account/store-local", "unknown_cell", "AW-4.2b: no receiver is named"),
        ("publish/account/store-local", "unknown_cell", "AW-4.3"),
    ];
    gates.promise(anna, &others).await;
}

#[tokio::test]
async fn what_belongs_to_a_developers_users_moves_for_them_alone_once_each_agreed_apart() {
    let gates = Gates::of(AIWELLFLOW).await;
    let (together, apart) = (gates.0.stranger().await, gates.0.stranger().await);
    gates.yes_to_each(apart, ALL).await;
    gates.promise(apart, &[(HEARS, "not_instructed", "AW-1.5.3: the developer answers for nothing yet")]).await;
    attested(&gates).await;
    gates.yes(together, ALL, Means::Integrator).await;
    gates.promise(together, &[(HEARS, "no_basis", "AW-1.5.4a: asked apart")]).await;
    let promised = [
        (HEARS, OPEN, "AW-1.5.1"),
        ("voice_interaction/developer_data/store-local", OPEN, "AW-1.5.2: as the developer instructs"),
        ("diagnostics/transcript/rules-local", "unknown_cell", "AW-1.5.2"),
        ("research/transcript/rules-local", "unknown_cell", "AW-1.5.2"),
        ("security/developer_data/store-local", "unknown_cell", "AW-1.5.2"),
        // what is the developer's own is theirs as somebody who is registered
        ("operate/account/store-local", OPEN, "AW-0.2"),
    ];
    gates.promise(apart, &promised).await;
}

#[tokio::test]
async fn partners_get_what_they_need_once_they_were_examined() {
    let (notice, survey) = ("service_notice/contact_phone/partner-sms", "survey/contact_phone/partner-sms");
    let gates = Gates::of(AIWELLFLOW).await;
    let anna = gates.0.stranger().await;
    gates.yes_to_each(anna, ALL).await;
    gates.promise(anna, &[(notice, "processor_state", "AW-4.1"), (survey, "processor_state", "AW-4.1")]).await;

    let gates = Gates::under(with_examined(AIWELLFLOW, "partner-sms")).await;
    let anna = gates.0.stranger().await;
    gates.promise(anna, &[(notice, OPEN, "AW-4.1"), (survey, "no_basis", "AW-1.2.6a")]).await;
    gates.yes_to_each(anna, ALL).await;
    let promised = [
        (survey, OPEN, "AW-1.2.6a"),
        ("survey/account/partner-sms", "unknown_cell", "AW-4.1: no more than it needs"),
        ("diagnostics/usage_log/partner-sms", "processor_state", "AW-4.1"),
    ];
    gates.promise(anna, &promised).await;
}

#[tokio::test]
async fn a_purpose_that_is_new_is_announced_and_asked_for_and_opens_with_no_older_yes() {
    let purpose = r#"processor = [
  { id = "store-local", purposes = ["diagnostics", "benchmarks"] },
]

purpose = [
  { id = "benchmarks", dpv = "ImproveExistingProductsAndServices", title = { en = "Comparing agents", zh = "比较智能体" }, basis = "Consent", basis_code = "cn-pipl:13-1", src = ["AW-1.4"] },"#;
    let logs = "[category.usage_log]\npurposes = [\"diagnostics\", \"benchmarks\"]";
    let changes = [("purpose = [", purpose), ("[category.usage_log]", logs)];
    let gates = Gates::of(AIWELLFLOW).await;
    let anna = gates.0.stranger().await;
    gates.yes_to_each(anna, ALL).await;
    let (new, old) = ("benchmarks/usage_log/store-local", "diagnostics/usage_log/store-local");
    gates.promise(anna, &[(new, "unknown_cell", "AW-1.2.7b"), (old, OPEN, "AW-1.2.3")]).await;
    gates.revise(next(AIWELLFLOW, &changes)).await;
    gates.promise(anna, &[(new, "no_basis", "AW-1.4"), (old, OPEN, "AW-1.2.3")]).await;
    gates.yes(anna, "benchmarks", Means::Integrator).await;
    gates.promise(anna, &[(new, OPEN, "AW-1.4")]).await;
}

#[tokio::test]
async fn going_on_after_a_revision_agrees_to_nothing() {
    let kept = |days: u32| {
        format!(
            "[category.usage_log]\nrefusal_effect = {{ zh = \"不影响任何功能。\", en = \"Nothing stops working.\" }}\n\
             retention = {{ trigger = \"withdraw|account.cancelled\", after = \"P15WD\", action = \"erase\", max = \"P{days}D\" }}"
        )
    };
    let change = (&*kept(90), &*kept(180));
    let way = "diagnostics/usage_log/store-local";
    going_on_agrees_to_nothing(AIWELLFLOW, change, "diagnostics", way).await;
}

#[tokio::test]
async fn minors_need_a_guardian() {
    let gates = Gates::of(AIWELLFLOW).await;
    attested(&gates).await;
    let ways = ["operate/account/store-local", HEARS];
    gates.need_a_guardian(AgeBand::Under18, "voice_interaction", &ways).await;
}
