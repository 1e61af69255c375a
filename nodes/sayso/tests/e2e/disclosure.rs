//! An authority demands data: two approve, what was demanded is given encrypted, and nothing else is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpke::kem::X25519HkdfSha256;
use hpke::{Kem, Serializable};
use sayso_tests::{Installation, TENANT};
use serde_json::{Value, json};

use crate::reload::PROFILE;
use crate::sayso;

/// The policy keeps a ground on which data is given to others.
fn keep_a_ground(profile: &mut toml::Table) {
    let kept = r#"kept = [{ code = "X08", scope = ["share_publish"], approvers = 2, max = "P7D" }]"#;
    let mut kept: toml::Table = kept.parse().unwrap();
    profile.insert("exemption".to_owned(), kept.remove("kept").unwrap());
}

/// Writes `key` in PEM as `file`, as OpenSSL does: `prefix` is how it begins in DER (RFC 8410).
fn write_key(file: &str, label: &str, prefix: &str, key: &[u8]) {
    let der = [hex::decode(prefix).unwrap().as_slice(), key].concat();
    std::fs::write(file, format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der)))
        .unwrap();
}

#[tokio::test]
async fn an_authority_is_given_what_it_demands_and_nothing_else() {
    let installation = Installation::new(&sayso()).await;
    installation.edit(PROFILE, keep_a_ground);
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    let at = node.admin.to_string();
    let run = async |who: &str, command: &[&str], args: &[&str]| {
        let certs = installation.file(who);
        let call = [command, &["--admin", &at, "--certs", &certs], args].concat();
        sayso().run(call).await
    };
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    // carl works for another company, and has signed to keep what he sees to himself
    let signed = ["--employer", "call-centre", "--nda", "2026-17", "--nda-until", "2126-01-01T00:00:00Z"];
    for (name, signed) in [("ben", &[][..]), ("carl", &signed)] {
        let add = ["operator", "add", name, "--node", &installation.file(""), "--out", &installation.file(name)];
        let _ = sayso().run([&add, signed].concat()).await.success();
    }
    let rights = async |command: &str, args: &[&str]| {
        let args = [&["--tenant", TENANT], args].concat();
        parsed(&run("admin", &["rights", command, "--json"], &args).await.success().stdout)
    };
    let facts = installation.file("facts.json");
    std::fs::write(&facts, json!({"pet": "a cat called Schroedinger"}).to_string()).unwrap();
    let case = rights("open", &["supplement"]).await["case"].as_str().unwrap().to_owned();
    for step in [&["verify", "--method", "signed_in"][..], &["accept"]] {
        rights("advance", &[&[case.as_str()], step].concat()).await;
    }
    rights("correct", &[&case, &facts]).await;

    let (private, public) = X25519HkdfSha256::derive_keypair(&[7; 32]);
    let [key, recipient, document, out] =
        ["key.pem", "recipient.pem", "order.txt", "disclosure.json"].map(|name| installation.file(name));
    write_key(&key, "PRIVATE KEY", "302e020100300506032b656e04220420", &private.to_bytes());
    write_key(&recipient, "PUBLIC KEY", "302a300506032b656e032100", &public.to_bytes());
    std::fs::write(&document, "We need to know of the pet.").unwrap();
    let who = ["--device-id", "speaker-1", "--tenant", TENANT, "--authority", "The court", "--reference", "7 K 12/26"];
    let what = ["--law", "cn-cpl:136", "--category", "memory_summary", "--document", &document];
    let how = ["--recipient", &recipient, "--for", "P7D", "--tell-after", "P30D"];
    let demand = [&["X08"], &who[..], &what[..], &how[..]].concat();
    let proposed = parsed(&run("admin", &["disclosure", "propose", "--json"], &demand).await.success().stdout);
    let grant = proposed["exemption"].as_str().unwrap().to_owned();

    let make = async |out: &str, more: &[&str]| {
        let args = [&[grant.as_str(), out], more].concat();
        run("admin", &["disclosure", "make", "--json"], &args).await
    };
    run("admin", &["exemption", "approve"], &[&grant]).await.failure(&["who proposed it cannot approve it"]);
    let _ = run("ben", &["exemption", "approve"], &[&grant]).await.success();
    make(&out, &[]).await.failure(&["the grant is not in force"]);
    assert!(!std::path::Path::new(&out).exists());
    let approved = parsed(&run("carl", &["exemption", "approve"], &[&grant]).await.success().stdout);
    assert_eq!(approved["state"], "live");
    make(&out, &["--category", "consent_record"]).await.failure(&["`consent_record` is not in the grant"]);
    let made = parsed(&make(&out, &[]).await.success().stdout);
    assert_eq!((&made["rows"], &made["exemption"]), (&json!(1), &json!(grant)));

    let file = std::fs::read_to_string(&out).unwrap();
    assert!(!file.contains("Schroedinger") && !file.contains("speaker-1"), "{file}");
    let opened = parsed(&sayso().run(["disclosure", "open", &out, "--key", &key]).await.success().stdout);
    let people = opened["people"].as_array().unwrap();
    let data = people[0]["data"].as_object().unwrap();
    let given: Vec<_> = data.keys().map(String::as_str).collect();
    assert_eq!((people.len(), given), (1, vec!["memory_summary"]));
    assert_eq!(data["memory_summary"][0]["value"], "a cat called Schroedinger");
    sayso().run(["disclosure", "open", &out, "--key", &recipient]).await.failure(&["is no private key"]);
    make(&out, &[]).await.failure(&["give a file that is not there"]);

    let listed = parsed(&run("carl", &["disclosure", "list", "--json"], &[]).await.success().stdout);
    assert_eq!((&listed["demands"][0]["authority"], &listed["demands"][0]["people"]), (&json!("The court"), &json!(1)));
    assert_eq!(listed["disclosures"][0]["file_sha256"], made["file_sha256"]);
    let told = run("carl", &["disclosure", "list"], &[]).await.success().stdout;
    let (demand, given) = told.split_once('\n').unwrap();
    assert!(demand.starts_with(&grant) && demand.contains("demanded by The court, 7 K 12/26 (cn-cpl:136)"), "{told}");
    assert!(given.contains("memory_summary, 1 records of 1 people (to be told at "), "{told}");
    let leaves = installation.operator(&node).await.leaves().await;
    let count = |name: &str| leaves.iter().filter(|leaf| leaf.fact.event.name() == name).count();
    let told = ["operator.denied", "exemption.granted", "gate.permitted_by_exemption", "export.created"].map(count);
    assert_eq!(told, [2, 1, 1, 1]);
    let (log, profile, trust) = (installation.file("log"), installation.file(PROFILE), installation.file("log.pub"));
    let certs = installation.file("admin");
    let _ = sayso().run(["audit", "export", "--admin", &at, "--certs", &certs, &log]).await.success();
    let _ = sayso().run(["verify", &log, "--trust", &trust, "--profile", &profile]).await.success();
}
