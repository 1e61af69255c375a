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
    let backups = certificate["residuals"].as_array().unwrap().iter().find(|one| one["what"] == "key_backups").unwrap();
    let gone_after = backups["until"].as_u64().unwrap() - certificate["destroyed_at"].as_u64().unwrap();
    assert_eq!(gone_after, BACKUPS_MS, "as the profile says: {certificate}");
    assert!(of("check").iter().all(|check| check["held"] == true), "{told}");
    assert_eq!(of("summary")[0]["ok"], true);

    // each command that it ends with does what it says
    let commands: Vec<Vec<String>> =
        of("command").iter().map(|told| serde_json::from_value(told["args"].clone()).unwrap()).collect();
    let mut shown = String::new();
    for command in &commands {
        shown += &sayso.run(command).await.success().stdout;
    }
    for promise in [
        "0 under other profiles",
        "shows no broken promise",
        "consent.given voice_interaction",
        "consent.given memory",
        "withdraw.effective everything",
        "erase.certified",
        "the certificate that you gave, to the letter",
    ] {
        assert!(shown.contains(promise), "{promise}: {shown}");
    }

    // and refuses what is not that to the bit
    let [as_auditor, papers @ ..] = commands.as_slice() else { panic!("nothing to check by hand: {told}") };
    assert_eq!(papers.len(), 4, "two consents, a withdrawal and an erasure: {papers:?}");
    for command in papers {
        for option in ["--receipt", "--certificate"] {
            let Some(at) = command.iter().position(|word| word == option) else { continue };
            let file = Path::new(&command[at + 1]);
            assert_eq!(file.parent(), Some(Path::new(&log)), "the papers are in the export");
            let (mut tampered, changed) = (command.clone(), path("changed"));
            for place in Place::EACH {
                fs::write(&changed, place.flip(&fs::read(file).unwrap())).unwrap();
                tampered[at + 1].clone_from(&changed);
                sayso.run(&tampered).await.failure(&[&changed]);
            }
        }
    }
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

/// How long backups of keys are kept, by the profile of a home: seven days.
const BACKUPS_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

/// Where a bit of a file is flipped.
#[derive(Clone, Copy)]
enum Place {
    First,
    Middle,
    /// Before the end of the last line, which may be left out.
    Last,
}

impl Place {
    const EACH: [Self; 3] = [Self::First, Self::Middle, Self::Last];

    fn flip(self, sound: &[u8]) -> Vec<u8> {
        let mut changed = sound.to_vec();
        let last = sound.trim_ascii_end().len() - 1;
        changed[match self {
            Self::First => 0,
            Self::Middle => last / 2,
            Self::Last => last,
        }] ^= 1;
        changed
    }
}

/// The first file below `dir`.
fn first_file(dir: &Path) -> PathBuf {
    let entry = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    if entry.is_dir() { first_file(&entry) } else { entry }
}
