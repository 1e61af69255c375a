//! How fast a log is verified, from the files of its export: by its own rules, and recomputed with the profile as well.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use anyhow::{Result, ensure};
use sayso_audit::verify::read_log;
use sayso_audit::{Checkpoint, Export, LogSource, Signer, Trust, verify_log};
use sayso_consent::{Register, Replay};

use crate::figure::Figure;
use crate::lab::usage;

/// Leaves that are read at once.
const PAGE: usize = 1_000;

/// An export, by path.
struct Files(BTreeMap<String, Vec<u8>>);

impl LogSource for Files {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

pub(super) async fn verified(register: &Register) -> Result<[Figure; 4]> {
    let journal = register.journal();
    let signer = Signer::new("loadtest.example/sayso", &[7; 32])?;
    let (mut export, mut files) = (Export::new(), BTreeMap::new());
    let (size, _) = journal.head().await?;
    while export.size() < size {
        let left = usize::try_from(size - export.size())?.min(PAGE);
        for entry in journal.read(export.size(), left).await? {
            files.extend(export.append(&entry)?.into_iter().map(|file| (file.tile.to_string(), file.bytes)));
        }
    }
    files.extend(export.partial().into_iter().map(|file| (file.tile.to_string(), file.bytes)));
    files.insert("checkpoint".into(), Checkpoint::sign(export.size(), export.root(), &signer).into_bytes());
    let bytes: usize = files.values().map(Vec::len).sum();
    let (files, trust) = (Files(files), Trust::new(vec![signer.verifier().clone()]));

    let before = usage::thread_cpu();
    let report = verify_log(&files, &trust)?;
    let plain = since(before);
    let violations: Vec<_> = report.violations().collect();
    ensure!(violations.is_empty(), "the log does not verify: {violations:?}");

    let before = usage::thread_cpu();
    let mut replay = Replay::new(register.profile());
    read_log(&files, &trust, |index, leaf| replay.leaf(index, leaf))?;
    let replayed = replay.finish();
    let recomputed = since(before);
    ensure!(replayed.checked > 0 && replayed.denied.is_empty(), "what was decided is not what the profile says");

    let (events, megabytes) = (export.size() as f64, bytes as f64 / 1e6);
    let a_second = |what: f64, took: Duration| what / took.as_secs_f64();
    Ok([
        Figure::new("log verified, events", "/s", a_second(events, plain)),
        Figure::new("log verified, bytes", "MB/s", a_second(megabytes, plain)),
        Figure::new("log verified with its profile, events", "/s", a_second(events, recomputed)),
        Figure::new("log verified with its profile, bytes", "MB/s", a_second(megabytes, recomputed)),
    ])
}

fn since(before: Duration) -> Duration {
    usage::thread_cpu().saturating_sub(before)
}
