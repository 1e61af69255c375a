//! The app Chat ai: CA.

use core::time::Duration;

use sayso_consent::Means;
use sayso_policy::AgeBand;

use super::{Gates, OPEN, WENT_ON, going_on_agrees_to_nothing};
use crate::keeping::{CHAT_AI, with_examined};

/// Everything that the policy asks for.
const ALL: &str = "voice_interaction profile_page feedback network_diagnosis crash_report download share publish";

const HOUR: Duration = Duration::from_secs(60 * 60);
const MILLISECOND: Duration = Duration::from_millis(1);

const HEARS: &str = "voice_interaction/voice_audio/whisper-local";

#[tokio::test]
async fn nothing_is_heard_before_somebody_pressed_agree() {
    let gates = Gates::of(CHAT_AI).await;
    let anna = gates.0.stranger().await;
    gates.promise(anna, &[("notice/notice_text/voice-local", OPEN, "CA-7.1"), (HEARS, "no_basis", "CA-0.1")]).await;
    gates.yes(anna, "voice_interaction", WENT_ON).await;
    gates.promise(anna, &[(HEARS, "no_basis", "CA-0.1: to go on is not to press Agree")]).await;
    gates.yes(anna, "voice_interaction", Means::Button).await;
    gates.promise(anna, &[(HEARS, OPEN, "CA-0.1"), ("voice_interaction/transcript/rules-local", OPEN, "CA-0.1")]).await;
}

#[tokio::test]
async fn each_function_takes_its_own_while_it_is_agreed_to_and_costs_no_other() {
    const FUNCTIONS: [(&str, &str, &str); 5] = [
        ("profile_page", "profile_page/profile_page/store-local", "CA-1.1.2"),
        ("feedback", "feedback/feedback/store-local", "CA-1.2.1"),
        ("network_diagnosis", "network_diagnosis/network_data/store-local", "CA-1.3.1"),
        ("crash_report", "crash_report/crash_data/store-local", "CA-1.4.1"),
        ("download", "download/external_storage/store-local", "CA-1.5.1"),
    ];
    let gates = Gates::of(CHAT_AI).await;
    for (function, _, _) in FUNCTIONS {
        let anna = gates.0.stranger().await;
        gates.yes(anna, "voice_interaction", Means::Button).await;
        gates.yes(anna, function, Means::Integrator).await;
        for (other, way, clause) in FUNCTIONS {
            let answer = if other == function { OPEN } else { "no_basis" };
            gates.promise(anna, &[(way, answer, clause)]).await;
        }
        gates.takes_back(anna, function).await;
        for (_, way, clause) in FUNCTIONS {
            gates.promise(anna, &[(way, "no_basis", clause)]).await;
        }
        gates.promise(anna, &[(HEARS, OPEN, "C13"), ("account/account/store-local", OPEN, "C13")]).await;
    }
}

/// A diagnosis is over within the hour, and takes nothing after that.
#[tokio::test]
async fn a_diagnosis_takes_data_while_it_runs_and_another_one_is_agreed_to_anew() {
    const DIAGNOSES: &str = "network_diagnosis/network_data/store-local";
    let gates = Gates::of(CHAT_AI).await;
    let anna = gates.0.stranger().await;
    for _ in 0..2 {
        gates.promise(anna, &[(DIAGNOSES, "no_basis", "CA-1.3.1: none runs")]).await;
        gates.yes(anna, "network_diagnosis", Means::Integrator).await;
        gates.0.clock.advance(HOUR - MILLISECOND);
        gates.promise(anna, &[(DIAGNOSES, OPEN, "CA-1.3.1")]).await;
        gates.0.clock.advance(MILLISECOND);
    }
    gates.promise(anna, &[(DIAGNOSES, "no_basis", "CA-1.3.1: it is over")]).await;
}

#[tokio::test]
async fn a_real_name_that_no_law_demands_is_taken_from_who_agrees_to_that() {
    const BY_LAW: &str = "real_name/real_name/store-local";
    const FREELY: &str = "real_name_voluntary/real_name/store-local";
    let gates = Gates::of(CHAT_AI).await;
    let anna = gates.0.stranger().await;
    gates.promise(anna, &[(BY_LAW, OPEN, "CA-1.1.4"), (FREELY, "no_basis", "CA-1.1.4: she said nothing")]).await;
    gates.yes(anna, "real_name_voluntary", Means::Button).await;
    gates.promise(anna, &[(FREELY, OPEN, "CA-1.1.4: voluntarily")]).await;
    gates.takes_back(anna, "real_name_voluntary").await;
    gates.promise(anna, &[(FREELY, "no_basis", "CA-1.1.4"), (BY_LAW, OPEN, "CA-1.1.4")]).await;
}

#[tokio::test]
async fn numbers_of_a_device_serve_what_lists_them_whatever_is_agreed_to() {
    let gates = Gates::of(CHAT_AI).await;
    let anna = gates.0.stranger().await;
    let listed = ["crash_report/device_identifier/store-local", "network_diagnosis/device_identifier/store-local"];
    for way in listed {
        gates.promise(anna, &[(way, "no_basis", "CA-1.6")]).await;
    }
    gates.yes_to_each(anna, ALL).await;
    let promised = [
        (listed[0], OPEN, "CA-1.4.1"),
        (listed[1], OPEN, "CA-1.3.1"),
        ("account_security/device_identifier/store-local", OPEN, "CA-1.0"),
        ("feedback/device_identifier/store-local", "unknown_cell", "CA-1.0"),
        ("website/device_identifier/store-local", "unknown_cell", "CA-1.0"),
        ("feedback/software_list/store-local", "unknown_cell", "CA-1.0"),
        ("crash_report/transcript/rules-local", "unknown_cell", "CA-1.6"),
        ("memory/transcript/rules-local", "unknown_cell", "CA-1.6"),
    ];
    gates.promise(anna, &promised).await;
}

#[tokio::test]
async fn nobody_has_a_share_of_it_who_is_not_named_and_examined_and_then_by_consent_alone() {
    let gates = Gates::of(CHAT_AI).await;
    let anna = gates.0.stranger().await;
    gates.yes_to_each(anna, ALL).await;
    let reports = "crash_report/crash_data/sdks";
    let promised = [
        ("share/account/store-local", "unknown_cell", "CA-3.1.1, CA-3.2: no receiver is named"),
        ("share/feedback/affiliate", "unknown_cell", "CA-3.1.4"),
        ("publish/profile_page/store-local", "unknown_cell", "CA-3.3"),
        ("account/account/sign-in", "processor_state", "CA-1.1.3"),
        (reports, "processor_state", "CA-3.1.6, CA-9: nobody is listed"),
    ];
    gates.promise(anna, &promised).await;

    let gates = Gates::under(with_examined(CHAT_AI, "sdks")).await;
    let anna = gates.0.stranger().await;
    gates.promise(anna, &[(reports, "no_basis", "CA-3.1.1")]).await;
    gates.yes(anna, "crash_report", Means::Integrator).await;
    let promised = [
        (reports, OPEN, "CA-3.1.1, CA-3.1.2: she agreed to it"),
        ("crash_report/device_identifier/sdks", "processor_state", "CA-3.1.6: what is necessary"),
        ("feedback/crash_data/sdks", "unknown_cell", "CA-3.1.4, CA-3.1.6: for a clear end"),
    ];
    gates.promise(anna, &promised).await;
    gates.takes_back(anna, "crash_report").await;
    gates.promise(anna, &[(reports, "no_basis", "CA-3.1.1")]).await;
}

#[tokio::test]
async fn going_on_after_a_revision_agrees_to_nothing() {
    const REPORTS: &str = "[category.crash_data]\nretention = { trigger = \"withdraw|account.cancelled\", after = \"P15WD\", action = \"erase\", max = \"P90D\" }";
    let change = (REPORTS, &*REPORTS.replace("P90D", "P180D"));
    going_on_agrees_to_nothing(CHAT_AI, change, "crash_report", "crash_report/crash_data/store-local").await;
}

#[tokio::test]
async fn minors_need_a_guardian() {
    let gates = Gates::of(CHAT_AI).await;
    let ways = [HEARS, "feedback/feedback/store-local"];
    gates.need_a_guardian(AgeBand::Under18, "voice_interaction feedback", &ways).await;
}
