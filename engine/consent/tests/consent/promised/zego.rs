//! The ZEGO digital human service: ZG.

use sayso_consent::Means;
use sayso_policy::AgeBand;

use super::{APART, Gates, OPEN, WENT_ON, answers_within_fifteen_working_days, changed, going_on_agrees_to_nothing};
use crate::keeping::ZEGO;

/// What has to come before anything goes to ZEGO, and each function.
const FIRST: &str = "app_policy hand_over";
const FUNCTIONS: [(&str, &str, &str); 4] = [
    ("image_avatar", "image_avatar/face_image/zego-avatar", "ZG-1.2a"),
    ("video_avatar", "video_avatar/voice_audio/zego-avatar", "ZG-1.3a"),
    ("material", "material/material/zego-avatar", "ZG-1.3b"),
    ("custom_avatar", "custom_avatar/avatar_source/zego-training", "ZG-1.3c"),
];

#[tokio::test]
async fn going_on_to_use_the_service_opens_nothing() {
    let gates = Gates::of(ZEGO).await;
    let anna = gates.0.stranger().await;
    for purpose in FIRST.split_whitespace().chain(FUNCTIONS.map(|(function, _, _)| function)) {
        gates.yes(anna, purpose, WENT_ON).await;
    }
    for (_, way, _) in FUNCTIONS {
        gates.promise(anna, &[(way, "no_basis", "ZG-0.1, C1")]).await;
    }
}

#[tokio::test]
async fn nothing_goes_to_zego_before_both_consents_and_nothing_once_one_is_taken_back() {
    let gates = Gates::of(ZEGO).await;
    for (function, way, _) in FUNCTIONS {
        let (shares, agrees, both) = (gates.0.stranger().await, gates.0.stranger().await, gates.0.stranger().await);
        gates.yes_to_each(shares, &format!("hand_over {function}")).await;
        gates.yes_to_each(agrees, &format!("app_policy {function}")).await;
        gates.yes_to_each(both, &format!("{FIRST} {function}")).await;
        gates.promise(shares, &[(way, "no_basis", "ZG-0.2: the app's own policy comes first")]).await;
        gates.promise(agrees, &[(way, "no_basis", "ZG-0.2: sharing was not agreed to")]).await;
        gates.promise(both, &[(way, OPEN, "ZG-0.2")]).await;
        gates.takes_back(both, "app_policy").await;
        gates.promise(both, &[(way, "no_basis", "ZG-R2")]).await;
    }
}

#[tokio::test]
async fn each_function_is_agreed_to_by_itself_and_brings_no_other_with_it() {
    let gates = Gates::of(ZEGO).await;
    for (function, _, _) in FUNCTIONS {
        let anna = gates.0.stranger().await;
        gates.yes_to_each(anna, &format!("{FIRST} {function}")).await;
        for (other, way, clause) in FUNCTIONS {
            let answer = if other == function { OPEN } else { "no_basis" };
            gates.promise(anna, &[(way, answer, clause)]).await;
        }
        gates.takes_back(anna, function).await;
        for (_, way, _) in FUNCTIONS {
            gates.promise(anna, &[(way, "no_basis", "ZG-R2: the service for it ends")]).await;
        }
    }
}

#[tokio::test]
async fn an_avatar_is_given_sound_or_text_by_its_own_consent() {
    let gates = Gates::of(ZEGO).await;
    for (avatar, other) in [("image_avatar", "video_avatar"), ("video_avatar", "image_avatar")] {
        let anna = gates.0.stranger().await;
        gates.yes_to_each(anna, &format!("{FIRST} {avatar}")).await;
        for what in ["voice_audio/zego-avatar", "transcript/zego-voice"] {
            gates.promise(anna, &[(&format!("{avatar}/{what}"), OPEN, "ZG-1.2b, ZG-1.3a")]).await;
            gates.promise(anna, &[(&format!("{other}/{what}"), "no_basis", "ZG-1.3a")]).await;
        }
        let to_the_voice = format!("{avatar}/voice_audio/zego-voice");
        gates.promise(anna, &[(&to_the_voice, "processor_state", "ZG-1.2b: a voice reads text")]).await;
    }
}

/// Also of somebody who has agreed to nothing, and for each avatar apart, though the text speaks of pictures twice (D6).
#[tokio::test]
async fn moderation_sees_content_and_nobody_else_does() {
    let gates = Gates::of(ZEGO).await;
    let stranger = gates.0.stranger().await;
    for (purpose, clause) in [("moderation_image", "ZG-1.2e"), ("moderation_video", "ZG-1.3f")] {
        for content in ["voice_audio", "transcript"] {
            gates.promise(stranger, &[(&format!("{purpose}/{content}/zego-moderation"), OPEN, clause)]).await;
            let elsewhere = format!("{purpose}/{content}/zego-avatar");
            assert_ne!(gates.answer(stranger, &elsewhere).await, OPEN, "{elsewhere}");
        }
    }
    for (_, way, clause) in FUNCTIONS {
        gates.promise(stranger, &[(way, "no_basis", clause)]).await;
    }
}

#[tokio::test]
async fn logs_serve_safety_and_hold_no_words() {
    let gates = Gates::of(ZEGO).await;
    let anna = gates.0.stranger().await;
    gates.promise(anna, &[("security/log_info/zego-logs", OPEN, "ZG-1.2d, ZG-1.3e, ZG-2")]).await;
    gates.yes_to_each(anna, &format!("{FIRST} video_avatar improve customer_visit")).await;
    let promised = [
        ("security/transcript/zego-voice", "unknown_cell", "ZG-2"),
        ("improve/log_info/zego-logs", "unknown_cell", "ZG-2, ZG-S1"),
        ("improve/voice_audio/zego-avatar", "unknown_cell", "ZG-S1: no data is declared for it"),
        ("research/log_info/zego-logs", "unknown_cell", "ZG-S1"),
        ("video_avatar/voice_audio/contractor", "processor_state", "ZG-D1.2: nobody is named yet"),
    ];
    gates.promise(anna, &promised).await;
}

/// An operator who adds portraits and offers to the policy, and waives that it promised otherwise.
const OFFERS: &str = r#"processor = [{ id = "mailer", kind = "sms", party = "operator", region = "CN", region_class = "domestic", accepts = ["number"], purposes = ["campaigns", "advertising", "recommendations", "portraits"], state = "active", trains_on_data = false, src = ["ZG-4.1"] }]
purpose = [
  { id = "campaigns", dpv = "Marketing", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, title = { en = "Offers", zh = "推广" }, src = ["ZG-4.1"] },
  { id = "advertising", dpv = "Advertising", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, title = { en = "Advertising", zh = "广告" }, src = ["ZG-4.1"] },
  { id = "recommendations", dpv = "Personalisation", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, title = { en = "Recommendations", zh = "推荐" }, src = ["ZG-4.1"] },
  { id = "portraits", dpv = "ServicePersonalisation", basis = "Consent", basis_code = "cn-pipl:13-1", separate = true, processing = ["Profiling"], impact_assessment = { reference = "PIA portraits", at = 2024-08-01 }, title = { en = "Portraits", zh = "画像" }, src = ["ZG-4.1"] },
"#;
const NUMBER: &str = r#"[[lint.waive]]
rule = "PROHIBITION_CONTRADICTED"
why = "to see that it holds all the same"

[category.number]
dpv = ["pd:TelephoneNumber"]
title = { en = "Telephone number", zh = "手机号" }
attrs = ["phone"]
sensitivity = "normal"
provenance = "Provided"
purposes = ["campaigns", "advertising", "recommendations", "portraits"]
necessity = "Optional"
at_rest = "allowed"
retention = { trigger = "withdraw", after = "PT0S", action = "erase", max = "P1Y" }
src = ["ZG-4.1"]

[category.shared_info]
"#;
const OPT_OUT: &str = "[rights.offers]\nmarketing_opt_out = { channel = [\"console\"], src = [\"cn-pipl:24\"] }\n";

#[tokio::test]
async fn nobody_is_profiled_or_advertised_to_though_they_agree() {
    let changes = [("purpose = [\n", OFFERS), ("[category.shared_info]\n", NUMBER), ("[rights.offers]\n", OPT_OUT)];
    let gates = Gates::under(changed(ZEGO, &changes)).await;
    let anna = gates.0.stranger().await;
    for purpose in ["campaigns", "advertising", "recommendations", "portraits"] {
        gates.yes(anna, purpose, APART).await;
        gates.promise(anna, &[(&format!("{purpose}/number/mailer"), "prohibited", "ZG-4.1")]).await;
    }
}

#[tokio::test]
async fn passing_on_and_publishing_take_a_receiver_who_was_examined_and_a_consent_apart() {
    const RECEIVER: &str = r#"processor = [{ id = "third-party", state = "active", party = "Example Media Co., Ltd.", contact = "privacy@example.cn", privacy_url = "https://example.cn/privacy", contract = "2026-01", trains_on_data = false, declared_retention = "P30D", deletion_api = true, due_diligence = { at = 2025-12-31, by = "privacy officer", valid = "P1Y" }, accepts = ["shared_info", "published_info"], purposes = ["share", "publish"] }]

[profile]"#;
    const WAYS: [(&str, &str, &str); 2] = [
        ("share", "share/shared_info/third-party", "ZG-D1.1"),
        ("publish", "publish/published_info/third-party", "ZG-D2"),
    ];
    let gates = Gates::of(ZEGO).await;
    let anna = gates.0.stranger().await;
    gates.yes_to_each(anna, &format!("{FIRST} share publish")).await;
    for (_, way, clause) in WAYS {
        gates.promise(anna, &[(way, "processor_state", clause)]).await;
    }

    let gates = Gates::under(changed(ZEGO, &[("[profile]", RECEIVER)])).await;
    for (purpose, way, clause) in WAYS {
        let anna = gates.0.stranger().await;
        gates.yes_to_each(anna, FIRST).await;
        gates.promise(anna, &[(way, "no_basis", "C9: de-identified is not anonymous")]).await;
        gates.yes(anna, "share publish", Means::Integrator).await;
        gates.promise(anna, &[(way, "no_basis", "asked separately and by its name")]).await;
        gates.yes(anna, purpose, APART).await;
        let promised = [
            (way, OPEN, clause),
            ("share/face_image/third-party", "unknown_cell", "ZG-D1.1"),
            ("publish/generated_video/third-party", "unknown_cell", "ZG-D2: not what was kept for the person"),
        ];
        gates.promise(anna, &promised).await;
        gates.takes_back(anna, purpose).await;
        gates.promise(anna, &[(way, "no_basis", clause)]).await;
    }
}

#[tokio::test]
async fn going_on_after_a_revision_agrees_to_nothing() {
    const MATERIAL: &str = "[category.material]\nretention = { trigger = \"withdraw|user.deleted_item|account.cancelled\", after = \"PT0S\", action = \"erase\", max = \"P1Y\" }";
    let change = (MATERIAL, &*MATERIAL.replace("P1Y", "P2Y"));
    going_on_agrees_to_nothing(ZEGO, change, "material", "material/material/zego-avatar").await;
}

#[tokio::test]
async fn minors_need_a_guardian() {
    let gates = Gates::of(ZEGO).await;
    let ways = ["account/account_phone/zego-store", "video_avatar/voice_audio/zego-avatar"];
    gates.need_a_guardian(AgeBand::Under18, &format!("{FIRST} video_avatar"), &ways).await;
}

#[tokio::test]
async fn questions_are_answered_within_fifteen_working_days_or_that_is_on_record() {
    answers_within_fifteen_working_days(ZEGO).await;
}
