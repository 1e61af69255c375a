//! How fast a log is verified, from the files of its export.

use std::collections::BTreeMap;
use std::io;

use anyhow::{Result, ensure};
use sayso_audit::{Checkpoint, Export, LogSource, Signer, Trust, verify_log};
use sayso_consent::Journal;

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

pub(super) async fn verified(journal: &Journal) -> Result<[Figure; 2]> {
    let signer = Signer::new("loadtest.example/sayso", &[7; 32])?;
    let (mut export, mut files) = (Export::new(), BTreeMap::new());
    let (size, _) = journal.head().await?;
    let mut from = 0;
    while from < size {
        let entries = journal.read(from, PAGE).await?;
        from += entries.len() as u64;
        for entry in entries {
            files.extend(export.append(&entry)?.into_iter().map(|file| (file.tile.to_string(), file.bytes)));
        }
    }
    files.extend(export.partial().into_iter().map(|file| (file.tile.to_string(), file.bytes)));
    files.insert("checkpoint".into(), Checkpoint::sign(export.size(), export.root(), &signer).into_bytes());
    let bytes: usize = files.values().map(Vec::len).sum();
    let events = export.size() as f64;

    let before = usage::thread_cpu();
    let report = verify_log(&Files(files), &Trust::new(vec![signer.verifier().clone()]))?;
    let took = usage::thread_cpu().saturating_sub(before).as_secs_f64();
    ensure!(report.findings.is_empty(), "the log does not verify: {:?}", report.findings);
    Ok([
        Figure::new("log verified, events", "/s", events / took),
        Figure::new("log verified, bytes", "MB/s", bytes as f64 / 1e6 / took),
    ])
}
