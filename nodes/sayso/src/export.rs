//! Writes the audit log as files that an auditor can check without us: C2SP tlog-tiles, a signed checkpoint, the key.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sayso_audit::{Checkpoint, Export, Signer, tile};
use sayso_consent::Journal;

/// Leaves read at once.
const LEAVES_AT_ONCE: usize = 4_096;

/// Exports the log as it stands to `dir`.
pub(crate) async fn log(journal: &Journal, signer: &Signer, dir: &Path) -> Result<u64> {
    // before the head, so that it is of a part of what is written
    let witnessed = journal.witnessed().await?;
    let (size, root) = journal.head().await?;
    let mut export = Export::new();
    while export.size() < size {
        let room = usize::try_from(size - export.size()).unwrap_or(usize::MAX);
        for leaf in journal.read(export.size(), LEAVES_AT_ONCE.min(room)).await? {
            for file in export.append(&leaf)? {
                write(dir, &file.tile.to_string(), &file.bytes)?;
            }
        }
    }
    for file in export.partial() {
        write(dir, &file.tile.to_string(), &file.bytes)?;
    }
    let mut checkpoint = Checkpoint::sign(size, root, signer);
    if let Some(note) = witnessed {
        if Checkpoint::unverified(&note)?.size == size {
            checkpoint = note;
        } else {
            write(dir, tile::WITNESSED_PATH, note.as_bytes())?;
        }
    }
    write(dir, tile::CHECKPOINT_PATH, checkpoint.as_bytes())?;
    let keys = [Some(signer.verifier()), signer.former_verifier()];
    let keys: String = keys.into_iter().flatten().map(|key| format!("{key}\n")).collect();
    write(dir, "trust.keys", keys.as_bytes())?;
    Ok(size)
}

fn write(dir: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let file = dir.join(path);
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make the directory {}", parent.display()))?;
    }
    fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
