//! A policy passes a request to the tenant first: the tenant answers it, and nobody answers in its place.

use sayso_tests::{Installation, TENANT};
use serde_json::Value;

use crate::reload::PROFILE;
use crate::sayso;

/// The tenant is asked first for a copy.
fn ask_the_tenant_first(profile: &mut toml::Table) {
    let offers = profile["rights"]["offers"].as_table_mut().unwrap();
    let copy = offers.get_mut("copy").and_then(|copy| copy.as_table_mut()).unwrap();
    copy.insert("tenant_first".to_owned(), "P5D".into());
}

#[tokio::test]
async fn a_tenant_answers_what_is_its_to_answer_first() {
    let installation = Installation::new(&sayso()).await;
    installation.edit(PROFILE, ask_the_tenant_first);
    let node = installation.start().await;
    drop(installation.first_device(&node).await);
    let out = installation.file("tess");
    let add = ["operator", "add", "tess", "--tenant", TENANT, "--node", &installation.file(""), "--out", &out];
    let _ = sayso().run(add).await.success();
    let at = node.admin.to_string();
    let run = async |who: &str, command: [&str; 2], args: &[&str]| {
        let certs = installation.file(who);
        let call = [&command[..], &["--json", "--admin", &at, "--certs", &certs, "--tenant", TENANT], args].concat();
        sayso().run(call).await
    };
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();

    let mut cases = Vec::new();
    for _ in 0..2 {
        let opened = parsed(&run("admin", ["rights", "open"], &["copy"]).await.success().stdout);
        cases.push(opened["case"].as_str().unwrap().to_owned());
    }
    let [done, back] = [&cases[0], &cases[1]];
    run("admin", ["rights", "advance"], &[done, "verify", "--method", "signed_in"])
        .await
        .failure(&["the tenant is asked first"]);
    run("admin", ["referral", "answer"], &[done, "done"]).await.failure(&["this is for the tenant whose person asked"]);
    let listed = parsed(&run("tess", ["referral", "list"], &[]).await.success().stdout);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(listed[0]["tenant_until"].is_string(), "{listed}");
    let list = ["referral", "list", "--admin", &at, "--certs", &out, "--tenant", TENANT];
    let told = sayso().run(list).await.success().stdout;
    assert!(
        told.lines().count() == 2 && told.contains("  copy, received ") && told.contains("; the tenant's until "),
        "{told}"
    );
    let answered = parsed(&run("tess", ["referral", "answer"], &[done, "done"]).await.success().stdout);
    assert_eq!(answered["state"], "fulfilled");
    let cannot = parsed(&run("tess", ["referral", "answer"], &[back, "cannot"]).await.success().stdout);
    let listed = listed.as_array().unwrap().iter().find(|one| one["case"] == back.as_str()).unwrap();
    assert_eq!((&cannot["state"], &cannot["due"]), (&"unverified".into(), &listed["due"]), "the day stays");
    let verified =
        parsed(&run("admin", ["rights", "advance"], &[back, "verify", "--method", "signed_in"]).await.success().stdout);
    assert_eq!(verified["state"], "verified");
    assert_eq!(parsed(&run("tess", ["referral", "list"], &[]).await.success().stdout).as_array().unwrap().len(), 0);
}
