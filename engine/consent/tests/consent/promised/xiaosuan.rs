//! The XiaoSuan cloud phone: XS.

use sayso_consent::Means;
use sayso_policy::AgeBand;

use super::{APART, Gates, OPEN, answers_within_fifteen_working_days, changed, going_on_agrees_to_nothing};
use crate::keeping::{XIAOSUAN, with_examined};

/// What the cloud phone needs.
const BASIC: [&str; 3] = ["device_info", "ip_address", "app_info"];

/// Each switch, and what it lets through.
const SWITCHES: [(&str, &str); 10] = [
    ("accelerometer", "accelerometer"),
    ("magnetometer", "magnetometer"),
    ("gyroscope", "gyroscope"),
    ("gravity", "gravity"),
    ("wifi_name", "wifi_name"),
    ("position", "coordinates"),
    ("camera", "image"),
    ("microphone", "voice_audio"),
    ("clipboard", "clipboard"),
    ("storage", "external_storage"),
];

/// Asserts that the gates let through what these switches do, and nothing of the others.
async fn lets_through(gates: &Gates, person: sayso_types::SubjectId, on: &[&str]) {
    for (switch, category) in SWITCHES {
        let answer = if on.contains(&switch) { OPEN } else { "no_basis" };
        gates.promise(person, &[(&format!("{switch}/{category}/cloud-phone"), answer, "XS-I.1o, XS-V.3")]).await;
        gates.promise(person, &[(&format!("data_flow/{category}/cloud-phone"), "unknown_cell", "XS-I.1o")]).await;
    }
}

#[tokio::test]
async fn the_basics_open_the_cloud_phone_and_each_switch_its_own_stream() {
    let gates = Gates::of(XIAOSUAN).await;
    let anna = gates.0.stranger().await;
    for category in BASIC {
        gates.promise(anna, &[(&format!("data_flow/{category}/cloud-phone"), "no_basis", "XS-I.1n")]).await;
    }
    gates.yes(anna, "data_flow service_analysis", Means::Integrator).await;
    for category in BASIC {
        gates.promise(anna, &[(&format!("data_flow/{category}/cloud-phone"), OPEN, "XS-I.1n")]).await;
        gates.promise(anna, &[(&format!("service_analysis/{category}/operations"), OPEN, "XS-I.1n")]).await;
    }
    lets_through(&gates, anna, &[]).await;
    // on one by one, and off again by a permission of the phone
    let switches: Vec<_> = SWITCHES.iter().map(|(switch, _)| *switch).collect();
    for at in 0..switches.len() {
        gates.yes(anna, switches[at], Means::Permission).await;
        lets_through(&gates, anna, &switches[..=at]).await;
    }
    for at in 0..switches.len() {
        gates.takes_back(anna, switches[at]).await;
        lets_through(&gates, anna, &switches[at + 1..]).await;
    }
    gates.promise(anna, &[("data_flow/device_info/cloud-phone", OPEN, "XS-V.3: the basics stay")]).await;
}

#[tokio::test]
async fn what_serves_xiaosuan_itself_is_not_what_people_said_showed_or_wrote() {
    let gates = Gates::of(XIAOSUAN).await;
    let anna = gates.0.stranger().await;
    let promised = [
        ("security/log_info/operations", OPEN, "XS-I.2"),
        ("security/device_info/operations", OPEN, "XS-I.2"),
        ("improve/usage_info/operations", "no_basis", "XS-I.2: safe and better are two things"),
        ("security_position/coordinates/operations", "no_basis", "XS-I.2"),
    ];
    gates.promise(anna, &promised).await;
    gates.yes_to_each(anna, "data_flow position microphone camera clipboard improve share publish").await;
    let promised = [
        ("improve/usage_info/operations", OPEN, "XS-I.2"),
        ("security_position/coordinates/operations", "no_basis", "XS-I.2: to show a position is not that"),
        ("security/coordinates/operations", "unknown_cell", "XS-I.2"),
        ("improve/voice_audio/cloud-phone", "unknown_cell", "XS-I.2"),
        ("improve/image/cloud-phone", "unknown_cell", "XS-I.2"),
        ("security/clipboard/cloud-phone", "unknown_cell", "XS-I.2"),
        ("statistics/usage_info/operations", "unknown_cell", "XS-I.3: only what is anonymised"),
        ("publish/device_info/operations", "unknown_cell", "XS-II.3"),
        ("transfer/device_info/operations", "unknown_cell", "XS-II.2"),
        ("advertising/device_info/operations", "unknown_cell", "XS-I.4"),
    ];
    gates.promise(anna, &promised).await;
}

#[tokio::test]
async fn a_partner_who_was_examined_gets_what_its_service_needs_once_somebody_agreed_apart() {
    const SHARES: &str = "share/partner_info/partner-system";
    let gates = Gates::of(XIAOSUAN).await;
    let anna = gates.0.stranger().await;
    gates.yes_to_each(anna, "data_flow share").await;
    gates.promise(anna, &[(SHARES, "processor_state", "XS-II.1: nobody is examined and bound yet")]).await;

    let gates = Gates::under(with_examined(XIAOSUAN, "partner-system")).await;
    let anna = gates.0.stranger().await;
    gates.yes(anna, "data_flow share", Means::Integrator).await;
    gates.promise(anna, &[(SHARES, "no_basis", "XS-II.1: agreed separately")]).await;
    gates.yes(anna, "share", APART).await;
    let promised = [
        (SHARES, OPEN, "XS-II.1.1"),
        ("share/usage_info/partner-system", "unknown_cell", "XS-II.1.1: what its service needs"),
        ("share/image/partner-system", "unknown_cell", "XS-II.1.1"),
        ("data_flow/device_info/partner-system", "processor_state", "XS-II.1.1: for nothing else"),
    ];
    gates.promise(anna, &promised).await;
    gates.takes_back(anna, "share").await;
    gates.promise(anna, &[(SHARES, "no_basis", "XS-II.1")]).await;
}

#[tokio::test]
async fn a_partner_with_a_policy_of_its_own_gets_nothing_before_people_were_told_of_it() {
    const NAMED: &str = r#"processor = [
  { id = "partner-service", state = "active", party = "Example Cloud Games Co., Ltd.", contact = "privacy@example.cn", privacy_url = "https://example.cn/privacy", contract = "2026-01", trains_on_data = false, declared_retention = "P30D", deletion_api = true, due_diligence = { at = 2025-12-31, by = "privacy officer", valid = "P1Y" } },
]

[profile]"#;
    let gates = Gates::under(changed(XIAOSUAN, &[("[profile]", NAMED)])).await;
    let anna = gates.0.stranger().await;
    gates.yes_to_each(anna, "data_flow share").await;
    gates.promise(anna, &[("share/partner_info/partner-service", "not_told", "XS-III.3.6")]).await;
}

#[tokio::test]
async fn going_on_after_a_revision_agrees_to_nothing() {
    let change = (
        "retention = { trigger = \"collected\", after = \"P6M\", action = \"erase\", on_withdraw = \"erase\" }",
        "retention = { trigger = \"collected\", after = \"P1Y\", action = \"erase\", on_withdraw = \"erase\" }",
    );
    going_on_agrees_to_nothing(XIAOSUAN, change, "position", "position/coordinates/cloud-phone").await;
}

#[tokio::test]
async fn below_14_nothing_moves_without_a_guardian() {
    let gates = Gates::of(XIAOSUAN).await;
    let ways = ["data_flow/device_info/cloud-phone", "camera/image/cloud-phone", "security/log_info/operations"];
    gates.need_a_guardian(AgeBand::Under14, "data_flow camera", &ways).await;
}

#[tokio::test]
async fn questions_are_answered_within_fifteen_working_days_or_that_is_on_record() {
    answers_within_fifteen_working_days(XIAOSUAN).await;
}
