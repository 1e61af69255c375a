//! Writes the audit log as files that an auditor can check without us: C2SP tlog-tiles, a signed checkpoint.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sayso_audit::{Checkpoint, Export, Hash, Signer, tile};
use sayso_consent::Journal;

/// Leaves read at once.
const LEAVES_AT_ONCE: usize = 4_096;

/// Exports the log as it stands to `dir`, with the public keys that it is signed with.
pub(crate) async fn log(journal: &Journal, signer: &Signer, dir: &Path) -> Result<u64> {
    // before the head, so that it is of a part of what is written
    let witnessed = journal.witnessed().await?;
    let (size, root) = journal.head().await?;
    let mut exporter = Exporter::begin(dir)?;
    while exporter.size() < size {
        let room = usize::try_from(size - exporter.size()).unwrap_or(usize::MAX);
        for leaf in journal.read(exporter.size(), LEAVES_AT_ONCE.min(room)).await? {
            exporter.append(&leaf)?;
        }
    }
    exporter.finish(Checkpoint::sign(size, root, signer), witnessed)?;
    let keys = [Some(signer.verifier()), signer.former_verifier()];
    let keys: String = keys.into_iter().flatten().map(|key| format!("{key}\n")).collect();
    write(dir, "trust.keys", keys.as_bytes())?;
    Ok(size)
}

/// An export while it is written.
pub(crate) struct Exporter<'a> {
    dir: &'a Path,
    export: Export,
}

impl<'a> Exporter<'a> {
    /// Begins one in `dir`, in which there must be nothing.
    pub(crate) fn begin(dir: &'a Path) -> Result<Self> {
        require_empty(dir)?;
        Ok(Self { dir, export: Export::new() })
    }

    /// Leaves so far.
    pub(crate) const fn size(&self) -> u64 {
        self.export.size()
    }

    /// The root over them.
    pub(crate) fn root(&self) -> Hash {
        self.export.root()
    }

    /// Goes on by `leaf`.
    pub(crate) fn append(&mut self, leaf: &[u8]) -> Result<()> {
        self.export.append(leaf)?.iter().try_for_each(|file| write(self.dir, &file.tile.to_string(), &file.bytes))
    }

    /// Ends it with the checkpoint of its leaves, and one of at most as many that is witnessed, if there is one.
    pub(crate) fn finish(self, checkpoint: String, witnessed: Option<String>) -> Result<()> {
        for file in self.export.partial() {
            write(self.dir, &file.tile.to_string(), &file.bytes)?;
        }
        let mut newest = checkpoint;
        if let Some(note) = witnessed {
            if Checkpoint::unverified(&note)?.size == self.size() {
                newest = note;
            } else {
                write(self.dir, tile::WITNESSED_PATH, note.as_bytes())?;
            }
        }
        write(self.dir, tile::CHECKPOINT_PATH, newest.as_bytes())
    }
}

/// Refuses a directory with something in it: files of another log would be taken for parts of this one.
pub(crate) fn require_empty(dir: &Path) -> Result<()> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => bail!("{} is not empty: give another directory", dir.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", dir.display())),
    }
}

fn write(dir: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let file = dir.join(path);
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make the directory {}", parent.display()))?;
    }
    fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
