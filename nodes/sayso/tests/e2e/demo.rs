//! `sayso demo`, and the proof that it leaves.

use std::fs;

use sayso_tests::recordings;
use serde_json::Value;

use crate::sayso;

#[tokio::test]
async fn every_promise_holds_and_a_changed_proof_does_not() {
    let sayso = sayso();
    sayso.fetch_models().await;
    // whoever has no recordings is told what to install before the story begins
    let _ = recordings::path(recordings::LONG);
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).into_os_string().into_string().unwrap();
    let (answers, log) = (path("answers"), path("log"));
    let told = sayso.run(["demo", "--json", "--save", &answers, "--export", &log]).await.success().stdout;

    let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    let withdrawal = of("withdrawal")[0];
    assert_eq!((&withdrawal["state"], &withdrawal["bytes_after_ok"]), (&"OK".into(), &0.into()), "{withdrawal}");
    assert!(withdrawal["bytes_before"].as_u64() > Some(0), "it was withdrawn in mid-utterance: {withdrawal}");
    assert!(of("check").iter().all(|check| check["held"] == true), "{told}");
    assert_eq!(of("summary")[0]["ok"], true);

    let _ = sayso.run(["verify", &log]).await.success();
    let entries = format!("{log}/tile/entries");
    let tile = fs::read_dir(&entries).unwrap().next().unwrap().unwrap();
    let mut bytes = fs::read(tile.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(tile.path(), bytes).unwrap();
    sayso.run(["verify", &log]).await.failure(&[&log, "does not hold"]);
}
