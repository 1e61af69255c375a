//! A tenant instructs less than the policy gives, and is served no more; and consent that was not valid is found by an incident.

use sayso_tests::{Installation, TENANT};
use serde_json::Value;

use crate::reload::PROFILE;
use crate::sayso;

#[tokio::test]
async fn a_tenant_is_served_as_it_instructs_and_erased_when_it_says_so() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let operator = installation.operator(&node).await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.hears("What is twelve times seven?", "84").await;

    let (certs, at, evidence) = (installation.file("admin"), node.admin.to_string(), installation.file(PROFILE));
    let add = ["operator", "add", "dev", "--tenant", TENANT, "--node", &installation.file("")];
    let own = installation.file("dev");
    let _ = sayso().run(add.into_iter().chain(["--out", &own])).await.success();
    let run = async |certs: &str, noun: &str, command: &str, args: &[&str]| {
        let call = [noun, command, "--admin", &at, "--certs", certs];
        sayso().run(call.into_iter().chain(args.iter().copied())).await
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();

    // who agreed was somebody else: what rested on that is found, and they are asked anew
    let ended = ["--tenant", TENANT, "--reason", "wrong_person", "--json"];
    let ended = json(&run(&certs, "consent", "invalidate", &ended).await.success().stdout);
    assert_eq!(ended["state"], "ok");
    let opened =
        json(&run(&certs, "incident", "open", &["--report", "somebody else agreed", "--json"]).await.success().stdout);
    let (incident, record) = (opened["incident"].as_str().unwrap(), ended["records"][0].as_str().unwrap());
    let scope = [incident, "--consent", record, "--from", "2020-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z"];
    let _ = run(&certs, "incident", "assess", &scope).await.success();

    let given = ["--tenant", TENANT, "--purpose", "voice_interaction", "--notice", &evidence, "--evidence", &evidence];
    let given = [&given[..], &["--kind", "signed"]].concat();
    let _ = run(&certs, "consent", "give", &given).await.success();

    let set = [TENANT, "--reference", "DPA 7", "--purpose", "voice_interaction", "--category", "transcript"];
    let set = [&set[..], &["--attestation", "statement 3, version 2", "--json"]].concat();
    let set = json(&run(&certs, "tenant", "set", &set).await.success().stdout);
    assert_eq!((&set["state"], &set["reference"]), (&"live".into(), &"DPA 7".into()));
    assert_eq!(set["attestation"], "statement 3, version 2");
    let demand = [TENANT, "--what", "where the data comes from", "--due", "2100-01-01T00:00:00Z", "--json"];
    let demanded = json(&run(&certs, "tenant", "demand", &demand).await.success().stdout);
    assert_eq!(demanded["demand"]["due"], "2100-01-01T00:00:00Z");
    let told = run(&own, "tenant", "show", &[TENANT]).await.success().stdout;
    assert!(told.contains("it has to show by 2100-01-01T00:00:00Z: where the data comes from"), "{told}");
    let accept = [TENANT, "--evidence", &evidence, "--json"];
    let accepted = json(&run(&certs, "tenant", "accept", &accept).await.success().stdout);
    assert_eq!(accepted["demand"], Value::Null);
    run(&own, "tenant", "list", &[]).await.failure(&["for the operator of the node"]);
    let erased = json(&run(&own, "tenant", "erase", &[TENANT, "--json"]).await.success().stdout);
    assert_eq!(erased["ended_for"], "instructed");
    operator.until_leaf("the erasure", |leaf| leaf.fact.event.name() == "tenant.erased").await;
    let shown = json(&run(&own, "tenant", "show", &[TENANT, "--json"]).await.success().stdout);
    assert_eq!((&shown["state"], &shown["people"]), (&"erased".into(), &1.into()));
    let report = operator.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}
