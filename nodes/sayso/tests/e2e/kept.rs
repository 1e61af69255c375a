//! An integrator has something kept of a person, by the command line, until it is deleted or the node is asked why not.

use std::fs;

use sayso_tests::{Installation, TENANT};
use serde_json::Value;

use crate::place::stands_in;
use crate::sayso;

pub(crate) const WRITTEN: &str = include_str!("../../../../deploy/profiles/aiwellflow.toml");
pub(crate) const LAWFUL: &str = include_str!("../../../../deploy/profiles/aiwellflow-lawful.toml");

#[tokio::test]
async fn settings_of_an_agent_are_kept_shown_and_deleted_and_a_password_is_refused() {
    let installation = Installation::new(&sayso()).await;
    fs::write(installation.path("aiwellflow.toml"), WRITTEN).unwrap();
    installation.set_profile(LAWFUL);
    stands_in(&installation, "CN");
    let node = installation.start().await;
    drop(installation.first_device(&node).await);
    let (at, certs) = (node.admin.to_string(), installation.person("tess", Some(TENANT)).await);
    let kept = async |command: &str, args: &[&str]| {
        let call = ["kept", command, "--admin", &at, "--certs", &certs, "--tenant", TENANT, "--device-id", "speaker-1"];
        sayso().run([&call, args].concat()).await
    };
    let (settings, account, out) =
        (installation.file("settings.json"), installation.file("account.json"), installation.file("out.json"));
    fs::write(&settings, r#"{"prompt":"You are a teacher."}"#).unwrap();
    fs::write(&account, r#"{"account":"anna","password":"hunter2"}"#).unwrap();
    let put = kept("put", &["agent_config", &settings, "--purpose", "agent_building", "--json"]).await.success().stdout;
    let put: Value = serde_json::from_str(&put).unwrap();
    let item = put["item"].as_str().unwrap();
    let refused = ["category account declares no such attribute"];
    kept("put", &["account", &account, "--purpose", "operate"]).await.failure(&refused);
    let listed: Value = serde_json::from_str(&kept("list", &["--json"]).await.success().stdout).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), listed[0]["item"].as_str()), (1, Some(item)));
    let text = kept("list", &[]).await.success().stdout;
    assert!(text.contains("agent_config for agent_building, application/json, 31 B"), "{text}");
    let _ = kept("get", &[item, "--out", &out]).await.success();
    assert_eq!(fs::read(&out).unwrap(), fs::read(&settings).unwrap());
    assert_eq!(kept("get", &[item]).await.success().stdout.trim_end(), r#"{"prompt":"You are a teacher."}"#);
    let _ = kept("delete", &[item]).await.success();
    kept("get", &[item]).await.failure(&["no such item is kept of the person"]);
    assert_eq!(kept("list", &[]).await.success().stdout, "nothing is kept of the person");
}
