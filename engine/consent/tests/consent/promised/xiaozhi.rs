//! The XiaoZhi backend service: XZ.

use sayso_consent::Means;
use sayso_policy::AgeBand;

use super::{APART, Gates, OPEN, WENT_ON, changed, going_on_agrees_to_nothing};
use crate::keeping::{XIAOZHI, with_examined};

/// Everything that the policy asks for.
const ALL: &str = "voice_interaction vision memory knowledge speaker_identity history improve_voice share";

const HEARS: &str = "voice_interaction/voice_audio/whisper-local";

/// What each function sends on its way, with the clause that has it.
const FUNCTIONS: [(&str, &str, &str); 6] = [
    ("voice_interaction", HEARS, "XZ-1.4"),
    ("memory", "memory/memory_summary/store-local", "XZ-1.6"),
    ("knowledge", "knowledge/knowledge_base/knowledge-search", "XZ-1.7"),
    ("speaker_identity", "speaker_identity/voiceprint/voiceprint", "XZ-1.8"),
    ("history", "history/chat_history/store-local", "XZ-1.9"),
    ("improve_voice", "improve_voice/conversation_audio/store-local", "XZ-1.10"),
];

#[tokio::test]
async fn beginning_to_use_it_opens_nothing_that_a_person_said_or_showed() {
    let gates = Gates::of(XIAOZHI).await;
    let anna = gates.0.stranger().await;
    for purpose in ALL.split_whitespace() {
        gates.yes(anna, purpose, WENT_ON).await;
    }
    for (_, way, clause) in FUNCTIONS {
        gates.promise(anna, &[(way, "no_basis", clause)]).await;
    }
    let promised = [
        ("notice/notice_text/voice-local", OPEN, "XZ-0.2: who is to agree must be told"),
        ("provide_service/account/store-local", OPEN, "XZ-0.2: what it may open"),
    ];
    gates.promise(anna, &promised).await;
}

#[tokio::test]
async fn each_function_is_on_while_it_is_agreed_to_and_brings_no_other_with_it() {
    let gates = Gates::of(XIAOZHI).await;
    for (function, _, _) in FUNCTIONS {
        let anna = gates.0.stranger().await;
        gates.yes(anna, function, APART).await;
        for (other, way, clause) in FUNCTIONS {
            let answer = if other == function { OPEN } else { "no_basis" };
            gates.promise(anna, &[(way, answer, clause)]).await;
        }
        gates.takes_back(anna, function).await;
        for (_, way, clause) in FUNCTIONS {
            gates.promise(anna, &[(way, "no_basis", clause)]).await;
        }
    }
}

#[tokio::test]
async fn what_is_not_one_of_the_purposes_goes_nowhere_whatever_is_agreed_to() {
    let gates = Gates::of(XIAOZHI).await;
    let anna = gates.0.stranger().await;
    gates.yes_to_each(anna, ALL).await;
    let promised = [
        ("provide_service/account/store-local", OPEN, "XZ-4.1"),
        ("device_update/firmware_data/store-local", OPEN, "XZ-2.1(1)"),
        ("security/log_info/store-local", OPEN, "XZ-2.1(6)"),
        ("security/transcript/store-local", "prohibited", "XZ-1.13: logs hold no words"),
        ("voice_interaction/voice_audio/store-local", "prohibited", "XZ-4.1: speech as it is spoken"),
        ("improve_voice/memory_summary/store-local", "unknown_cell", "XZ-2.1"),
        ("training/transcript/rules-local", "unknown_cell", "XZ-2.2"),
        ("share/transcript/rules-local", "unknown_cell", "XZ-3.4: no receiver is named"),
    ];
    gates.promise(anna, &promised).await;
}

#[tokio::test]
async fn nothing_goes_where_nobody_vouches_for_it_or_overseas_without_a_legal_means() {
    let gates = Gates::of(XIAOZHI).await;
    let anna = gates.0.stranger().await;
    gates.yes_to_each(anna, ALL).await;
    let closed = "processor_state";
    let promised = [
        ("voice_interaction/voice_audio/openai-asr", closed, "XZ-4.6a"),
        ("voice_interaction/voice_audio/groq-asr", closed, "XZ-4.6a"),
        ("voice_interaction/transcript/anthropic-llm", closed, "XZ-4.6a"),
        ("voice_interaction/reply_text/edge-tts", closed, "XZ-4.6a"),
        ("voice_interaction/transcript/zhipu-llm", closed, "XZ-3.1"),
        ("vision/image/vision", closed, "XZ-7.1: nobody is announced yet"),
        ("voice_interaction/transcript/somebody-else", closed, "XZ-7.1"),
        ("voice_interaction/transcript/whisper-local", closed, "XZ-7.1: not what it is for"),
    ];
    gates.promise(anna, &promised).await;

    let gates = Gates::under(with_examined(XIAOZHI, "sms")).await;
    let anna = gates.0.stranger().await;
    let code = "identity_check/verification/sms";
    gates.promise(anna, &[(code, OPEN, "XZ-3.1: once somebody examined it")]).await;
    gates.promise(anna, &[("identity_check/account/sms", closed, "XZ-7.1: what it is for, and no more")]).await;
}

/// An operator who adds a market for data to the policy, and waives that it promised otherwise.
const MARKET: &str = r#"purpose = [
  { id = "campaigns", dpv = "Marketing", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, src = ["XZ-6.4"] },
  { id = "targeting", dpv = "TargetedAdvertising", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, src = ["XZ-6.4"] },
  { id = "portraits", dpv = "ServicePersonalisation", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, processing = ["Profiling"], impact_assessment = { reference = "PIA portraits", at = 2026-02-02 }, src = ["XZ-6.4"] },
  { id = "sales", dpv = "SellDataToThirdParties", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, src = ["XZ-3.0"] },
"#;
const MAILER: &str = r#"processor = [
  { id = "mailer", kind = "sms", party = "operator", region = "the operator's servers", region_class = "local", accepts = ["address_book"], purposes = ["campaigns", "targeting", "portraits", "sales"], state = "active", trains_on_data = false, declared_retention = "PT0S", src = ["XZ-6.4"] },
"#;
const ADDRESSES: &str = r#"[[lint.waive]]
rule = "PROHIBITION_CONTRADICTED"
why = "to see that it holds all the same"

[category.address_book]
dpv = ["pd:TelephoneNumber"]
title = { en = "Telephone number", zh = "手机号" }
attrs = ["phone"]
sensitivity = "normal"
provenance = "Provided"
purposes = ["campaigns", "targeting", "portraits", "sales"]
necessity = "Optional"
at_rest = "allowed"
retention = { trigger = "withdraw", after = "PT0S", action = "erase", max = "P1Y" }
src = ["XZ-6.4"]

# The notices say what this file does"#;

#[tokio::test]
async fn data_is_not_sold_and_children_get_no_advertising_though_everybody_agrees() {
    let changes =
        [("purpose = [\n", MARKET), ("processor = [\n", MAILER), ("# The notices say what this file does", ADDRESSES)];
    let gates = Gates::under(changed(XIAOZHI, &changes)).await;
    let purposes = ["campaigns", "targeting", "portraits", "sales"];
    let (child, youth) = (gates.aged(AgeBand::Under14).await, gates.aged(AgeBand::Under16).await);
    for person in [child, youth] {
        gates.guarded(person).await;
        for purpose in purposes {
            gates.yes(person, purpose, Means::Document { is_signed: false, is_guardians: true }).await;
        }
    }
    for purpose in purposes {
        let way = format!("{purpose}/address_book/mailer");
        gates.promise(child, &[(&way, "prohibited", "XZ-6.4, XZ-3.0")]).await;
        let older = if purpose == "sales" { "prohibited" } else { OPEN };
        gates.promise(youth, &[(&way, older, "XZ-6.4 ends at 14")]).await;
    }
}

#[tokio::test]
async fn going_on_after_a_revision_agrees_to_nothing() {
    let change = (
        "retention = { trigger = \"collected\", after = \"P30D\", action = \"erase\", on_withdraw = \"erase\" }",
        "retention = { trigger = \"collected\", after = \"P60D\", action = \"erase\", on_withdraw = \"erase\" }",
    );
    let way = "improve_voice/conversation_audio/store-local";
    going_on_agrees_to_nothing(XIAOZHI, change, "improve_voice", way).await;
}

#[tokio::test]
async fn minors_need_a_guardian() {
    let gates = Gates::of(XIAOZHI).await;
    let ways = [HEARS, "provide_service/account/store-local"];
    gates.need_a_guardian(AgeBand::Under18, "voice_interaction", &ways).await;
}
