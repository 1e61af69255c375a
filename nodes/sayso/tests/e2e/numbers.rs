//! What a policy takes out of what people say, and what it makes of data whose time is over, at a real node.

use sayso_tests::{Installation, TENANT};
use serde_json::Value;

use crate::reload::PROFILE;
use crate::sayso;

#[tokio::test]
async fn a_card_number_gets_no_further_than_the_gate() {
    let installation = Installation::new(&sayso()).await;
    installation.edit(PROFILE, |profile| {
        let transcript = profile["category"]["transcript"].as_table_mut().unwrap();
        transcript.insert("redact".to_owned(), vec!["bank_card"].into());
    });
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    // the dialogue repeats what it was told
    device.hears("Remember that my card is 4111 1111 1111 1111.", "bank").await;
    device.hears("What is twelve times seven?", "84").await;

    let at = node.admin.to_string();
    let (admin, tess) = (installation.file("admin"), installation.person("tess", Some(TENANT)).await);
    let run = async |noun: &str, command: &str, args: &[&str]| {
        let certs = if noun == "rights" { &tess } else { &admin };
        let node = [noun, command, "--admin", &at, "--certs", certs];
        sayso().run(node.into_iter().chain(args.iter().copied())).await.success().stdout
    };
    let tenant = ["--tenant", TENANT];
    let opened: Value =
        serde_json::from_str(&run("rights", "open", &[&tenant[..], &["copy", "--json"]].concat()).await).unwrap();
    let case = opened["case"].as_str().unwrap().to_owned();
    for step in [&["verify", "--method", "signed_in"][..], &["accept"]] {
        let _ = run("rights", "advance", &[&tenant[..], &[&case], step].concat()).await;
    }
    let copy = run("rights", "copy", &[&tenant[..], &[&case]].concat()).await;
    assert!(copy.contains("bank") && !copy.contains("4111"), "nor is it remembered: {copy}");

    let nothing = "nothing was released: no month is over in which data was anonymised";
    assert_eq!(run("statistic", "show", &[]).await, nothing);
    assert_eq!(run("statistic", "report", &["--json"]).await, "[]");
}
