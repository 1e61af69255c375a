//! Somebody complains, and can ask what became of it.

use sayso_tests::Installation;
use serde_json::{Value, json};

use crate::sayso;

#[tokio::test]
async fn a_complaint_has_an_id_a_day_and_one_answer() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let device = installation.first_device(&node).await;
    drop(device);
    let (at, certs) = (node.admin.to_string(), installation.file("admin"));
    let complaint = async |command: &str, args: &[&str]| {
        let call = [&["complaint", command, "--json", "--admin", &at, "--certs", &certs], args].concat();
        sayso().run(call).await
    };
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let [text, evidence, answer] = ["complaint.txt", "recording.wav", "answer.txt"].map(|name| installation.file(name));
    for (file, words) in [(&text, "It listened when I had said no."), (&evidence, "RIFF"), (&answer, "It had not.")] {
        std::fs::write(file, words).unwrap();
    }
    let args = [text.as_str(), "--evidence", &evidence, "--device-id", "speaker-1"];
    let filed = parsed(&complaint("file", &args).await.success().stdout);
    let id = filed["complaint"].as_str().unwrap().to_owned();
    assert_eq!((&filed["answer"], &filed["overdue"]), (&Value::Null, &json!(false)));
    assert!(filed["due"]["at"].is_string() && filed["subject"].is_string(), "{filed}");
    let own = parsed(&complaint("file", &[&text]).await.success().stdout);
    assert_eq!(own["subject"], Value::Null);

    let answered = parsed(&complaint("answer", &[&id, "not-upheld", &answer]).await.success().stdout);
    assert_eq!(answered["answer"]["outcome"], "not_upheld");
    complaint("answer", &[&id, "upheld", &answer]).await.failure(&["the complaint was answered before"]);
    assert_eq!(parsed(&complaint("show", &[&id]).await.success().stdout), answered);
    let listed = parsed(&complaint("list", &[]).await.success().stdout);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let told = sayso().run(["complaint", "show", "--admin", &at, "--certs", &certs, &id]).await.success().stdout;
    assert!(told.starts_with(&format!("{id}  by ")) && told.contains(": not_upheld at "), "{told}");
    let leaves = installation.operator(&node).await.leaves().await;
    let names: Vec<_> = leaves.iter().map(|leaf| leaf.fact.event.name()).collect();
    let told: Vec<_> = names.iter().filter(|name| name.starts_with("complaint.")).collect();
    assert_eq!(told, [&"complaint.received", &"complaint.received", &"complaint.answered"]);
}
