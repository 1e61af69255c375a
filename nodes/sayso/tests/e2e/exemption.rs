//! Something is done without consent: proposed by one, approved by two others, used on record, and taken back.

use sayso_audit::Event;
use sayso_tests::{Installation, TENANT};
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
        installation.person(name, None).await;
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

/// The policy keeps a ground on which its operator's people help those who ask for it.
fn help(profile: &mut toml::Table) {
    let kept = r#"kept = [{ code = "X07", scope = ["collect_use"], max = "P1D", categories = ["memory_summary"] }]"#;
    let mut kept: toml::Table = kept.parse().unwrap();
    profile.insert("exemption".to_owned(), kept.remove("kept").unwrap());
}

#[tokio::test]
async fn what_is_remembered_of_a_person_is_read_by_a_grant_that_somebody_else_approved_and_not_otherwise() {
    let installation = Installation::new(&sayso()).await;
    installation.edit(PROFILE, help);
    let node = installation.start().await;
    let (at, evidence) = (node.admin.to_string(), installation.file("ticket.txt"));
    std::fs::write(&evidence, "It does not know my cat any more.").unwrap();
    let ben = installation.person("ben", None).await;
    let tess = installation.person("tess", Some(TENANT)).await;
    let admin = installation.file("admin");
    let run = async |certs: &str, command: [&str; 2], args: &[&str]| {
        sayso().run([&command[..], &["--admin", &at, "--certs", certs], args].concat()).await
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.hears("Remember that my cat is called Tom.", "Tom").await;

    let person = ["--tenant", TENANT, "--device-id", "speaker-1"];
    let opened = run(&admin, ["rights", "open"], &[&person[..], &["--json", "copy"]].concat()).await.success();
    let case = json(&opened.stdout)["case"].as_str().unwrap().to_owned();
    for step in [&["verify", "--method", "signed_in"][..], &["accept"]] {
        let _ = run(&admin, ["rights", "advance"], &[&person[..], &[&case], step].concat()).await.success();
    }
    let copy = async |certs: &str| run(certs, ["rights", "copy"], &[&person[..], &[&case]].concat()).await;
    copy(&admin).await.failure(&["by grant only", "--ticket"]);
    assert!(copy(&tess).await.success().stdout.contains("Tom"), "an integrator answers its own people");

    let terms = ["X07", "--category", "memory_summary", "--ticket", "T-17", "--for", "PT1H", "--evidence", &evidence];
    let proposed = run(&admin, ["exemption", "propose"], &[&person[..], &terms].concat()).await.success();
    let proposed = json(&proposed.stdout);
    assert_eq!((&proposed["ticket"], &proposed["state"]), (&"T-17".into(), &"proposed".into()));
    let id = proposed["exemption"].as_str().unwrap().to_owned();
    run(&admin, ["exemption", "approve"], &[&id]).await.failure(&["who proposed it cannot approve it"]);
    copy(&admin).await.failure(&["by grant only"]);
    let _ = run(&ben, ["exemption", "approve"], &[&id]).await.success();
    assert!(copy(&admin).await.success().stdout.contains("Tom"));
    copy(&ben).await.failure(&["by grant only"]);
    let _ = run(&ben, ["exemption", "revoke"], &[&id]).await.success();
    copy(&admin).await.failure(&["by grant only"]);

    drop(device);
    let (log, profile, key) = (installation.file("log"), installation.file(PROFILE), installation.file("log.pub"));
    let _ = run(&admin, ["audit", "export"], &[&log]).await.success();
    let verified = sayso().run(["verify", &log, "--trust", &key, "--profile", &profile]).await.success();
    assert!(verified.stdout.contains("operator.denied"), "{}", verified.stdout);
}
