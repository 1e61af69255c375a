//! Something is done without consent: proposed by one, approved by two others, used on record, and taken back.

use sayso_audit::Event;
use sayso_tests::Installation;
use serde_json::Value;

use crate::reload::PROFILE;
use crate::sayso;

/// Words to the model need a clearer consent than a spoken yes, and the policy keeps a ground for itself.
fn keep_a_ground(profile: &mut toml::Table) {
    let kept = r#"kept = [{ code = "X04", scope = ["collect_use"], approvers = 2, max = "P1D" }]"#;
    let mut kept: toml::Table = kept.parse().unwrap();
    profile.insert("exemption".to_owned(), kept.remove("kept").unwrap());
    let transcript = profile["category"]["transcript"].as_table_mut().unwrap();
    transcript.insert("min_consent_type".to_owned(), "ExplicitlyExpressedConsent".into());
}

#[tokio::test]
async fn two_others_approve_an_exemption_and_every_use_is_on_record() {
    let installation = Installation::new(&sayso()).await;
    installation.edit(PROFILE, keep_a_ground);
    let node = installation.start().await;
    let operator = installation.operator(&node).await;
    let (at, evidence) = (node.admin.to_string(), installation.file("order.txt"));
    std::fs::write(&evidence, "A child is missing.").unwrap();
    for name in ["ben", "carl"] {
        let add = ["operator", "add", name, "--node", &installation.file(""), "--out", &installation.file(name)];
        let _ = sayso().run(add).await.success();
    }
    let exemption = async |who: &str, command: &str, args: &[&str]| {
        let certs = installation.file(who);
        let call = ["exemption", command, "--admin", &at, "--certs", &certs];
        sayso().run(call.into_iter().chain(args.iter().copied())).await
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();

    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.device.say_text("What is twelve times seven?").unwrap();
    assert_eq!(device.until_error().await, "not_allowed");

    let terms = ["X04", "--purpose", "voice_interaction", "--category", "transcript", "--processor", "rules-local"];
    let terms = [&terms[..], &["--for", "PT1H", "--evidence", &evidence]].concat();
    let proposed = json(&exemption("admin", "propose", &terms).await.success().stdout);
    let id = proposed["exemption"].as_str().unwrap().to_owned();
    assert_eq!((&proposed["state"], &proposed["approvals_needed"]), (&"proposed".into(), &2.into()));
    exemption("admin", "approve", &[&id]).await.failure(&["who proposed it cannot approve it"]);
    for (who, state) in [("ben", "proposed"), ("carl", "live")] {
        let approved = json(&exemption(who, "approve", &[&id]).await.success().stdout);
        assert_eq!(approved["state"], state);
    }
    device.hears("What is twelve times seven?", "84").await;
    let listed = json(&exemption("ben", "list", &[]).await.success().stdout);
    assert_eq!((&listed[0]["state"], &listed[0]["people"]), (&"live".into(), &1.into()));

    let revoked = json(&exemption("ben", "revoke", &[&id]).await.success().stdout);
    assert_eq!(revoked["state"], "revoked");
    device.device.say_text("What is two times three?").unwrap();
    assert_eq!(device.until_error().await, "not_allowed");

    let leaves = operator.leaves().await;
    let names: Vec<_> = leaves.iter().map(|leaf| leaf.fact.event.name()).collect();
    let count = |name: &str| names.iter().filter(|other| **other == name).count();
    let told = ["exemption.granted", "exemption.used", "gate.permitted_by_exemption", "exemption.revoked"];
    assert_eq!(told.map(count), [1; 4], "{names:?}");
    let granted = leaves.iter().find_map(|leaf| match &leaf.fact.event {
        Event::ExemptionGranted { grant, approvers, .. } => Some((grant.to_string(), approvers.len())),
        _ => None,
    });
    assert_eq!(granted, Some((id, 2)));
    let (log, profile, key) = (installation.file("log"), installation.file(PROFILE), installation.file("log.pub"));
    let certs = installation.file("admin");
    let _ = sayso().run(["audit", "export", "--admin", &at, "--certs", &certs, &log]).await.success();
    let _ = sayso().run(["verify", &log, "--trust", &key, "--profile", &profile]).await.success();
}
