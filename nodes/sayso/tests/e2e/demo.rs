//! `sayso demo`, and the proof that it leaves.

use std::fs;
use std::path::{Path, PathBuf};

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
    let certificate = of("certificate")[0];
    assert_eq!(certificate["format"], "sayso/erasure-certificate/v1", "{certificate}");
    assert!(of("check").iter().all(|check| check["held"] == true), "{told}");
    assert_eq!(of("summary")[0]["ok"], true);

    let kept = |name: &str| format!("{answers}/{name}");
    let (receipt, trust, profile) = (kept("withdrawal.tlog-proof"), kept("log.pub"), kept("profile.toml"));
    let as_auditor = ["verify", &log, "--trust", &trust, "--profile", &profile];
    let verdict = sayso.run(as_auditor).await.success().stdout;
    assert!(verdict.contains("0 under other profiles") && verdict.contains("shows no broken promise"), "{verdict}");
    let shown = sayso.run(["verify", "--receipt", &receipt, "--trust", &trust]).await.success().stdout;
    assert!(shown.contains("withdraw.effective everything"), "{shown}");
    let sound = fs::read_to_string(&receipt).unwrap();
    fs::write(&receipt, sound.replacen("index ", "index 1", 1)).unwrap();
    sayso.run(["verify", "--receipt", &receipt, "--trust", &trust]).await.failure(&[&receipt, "proves nothing"]);
    for row in ["tile/0", "tile/entries"] {
        let tile = first_file(&Path::new(&log).join(row));
        let sound = fs::read(&tile).unwrap();
        let mut changed = sound.clone();
        changed[sound.len() / 2] ^= 1;
        let cut_off = sound[..sound.len() / 2].to_vec();
        for damaged in [changed, cut_off] {
            fs::write(&tile, damaged).unwrap();
            let finished = sayso.run(as_auditor).await;
            finished.failure(&[&log, "does not hold"]);
            let name = tile.strip_prefix(&log).unwrap().to_str().unwrap();
            assert!(row != "tile/0" || finished.stderr.contains(name), "{name} was changed: {}", finished.stderr);
        }
        fs::write(&tile, sound).unwrap();
    }
    sayso.run(["demo", "--export", &log]).await.failure(&[&log, "is not empty"]);
}

/// The first file below `dir`.
fn first_file(dir: &Path) -> PathBuf {
    let entry = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    if entry.is_dir() { first_file(&entry) } else { entry }
}
