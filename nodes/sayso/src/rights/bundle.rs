//! A copy to be taken elsewhere, as a directory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path};

use anyhow::{Context, Result, bail, ensure};
use sayso_audit::VerifierKey;
use sayso_consent::rights::bundle::{Bundle, COPY_BYTES_MAX, FILES_MAX, MANIFEST};
use sayso_proto::admin::v1::PortCaseResponse;

/// Writes the files into `dir`, which is made.
pub(super) fn write(dir: &Path, ported: &PortCaseResponse) -> Result<()> {
    fs::create_dir(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    let files = ported.files.iter().map(|file| (file.name.as_str(), file.content.as_slice()));
    for (name, content) in files.chain([(MANIFEST, ported.manifest.as_bytes())]) {
        let is_plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        ensure!(is_plain, "the node gives a file {name:?} that is not in the directory");
        let path = dir.join(name);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).with_context(|| format!("cannot make the directory {}", parent.display()))?;
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Reads the bundle in `dir`, for every file of which the key in `trust` vouches.
pub(super) fn read(dir: &Path, trust: &Path) -> Result<(Bundle, VerifierKey)> {
    let key = fs::read_to_string(trust).with_context(|| format!("cannot read {}", trust.display()))?;
    let key: VerifierKey = key.trim().parse().with_context(|| format!("{} is no public key", trust.display()))?;
    let mut files = BTreeMap::new();
    collect(dir, "", &mut files)?;
    let manifest = files.remove(MANIFEST).with_context(|| format!("{} has no manifest", dir.display()))?;
    let manifest = String::from_utf8(manifest).context("the manifest is not UTF-8")?;
    let bundle = Bundle { files, manifest };
    bundle.check(&key).with_context(|| format!("{} is not what was signed", dir.display()))?;
    Ok((bundle, key))
}

/// Reads what is below `dir`, by its path from there.
fn collect(dir: &Path, under: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let unread = || format!("cannot read {}", dir.display());
    for entry in fs::read_dir(dir).with_context(unread)? {
        let entry = entry.with_context(unread)?;
        let Ok(name) = entry.file_name().into_string() else {
            bail!("{} has a file that is none of a copy", dir.display())
        };
        let name = format!("{under}{name}");
        if entry.file_type().with_context(unread)?.is_dir() {
            ensure!(under.is_empty(), "{}: a copy has no directories in directories", entry.path().display());
            collect(&entry.path(), &format!("{name}/"), files)?;
            continue;
        }
        ensure!(files.len() <= FILES_MAX, "{}: a copy has at most {FILES_MAX} files", dir.display());
        let (mut content, path) = (Vec::new(), entry.path());
        let opened = File::open(&path).and_then(|file| file.take(COPY_BYTES_MAX as u64 + 1).read_to_end(&mut content));
        opened.with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(content.len() <= COPY_BYTES_MAX, "{} is longer than any file of a copy", path.display());
        files.insert(name, content);
    }
    Ok(())
}
