//! A copy as files. They are there whole or not at all, nobody but their owner may read them, and they take the place of nothing.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path};

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use sayso_audit::VerifierKey;
use sayso_consent::rights::bundle::{Bundle, COPY_BYTES_MAX, FILES_MAX, MANIFEST};
use sayso_proto::admin::v1::PortCaseResponse;

/// Bytes of everything that is held of a person: a copy, in three forms, with what is kept and its proofs.
const BUNDLE_BYTES_MAX: usize = 64 << 20;

/// The files of a bundle, of which parts come one after the other.
#[derive(Debug, Default)]
pub(super) struct Parts {
    files: BTreeMap<String, Vec<u8>>,
    bytes: usize,
    manifest: Option<String>,
}

impl Parts {
    /// Takes what the node gives next.
    pub(super) fn take(&mut self, given: PortCaseResponse) -> Result<()> {
        ensure!(self.manifest.is_none(), "the node gives more after the manifest of a copy, which comes last");
        let Some(part) = given.part else {
            self.manifest = Some(given.manifest);
            return Ok(());
        };
        let is_plain = Path::new(&part.name).components().all(|part| matches!(part, Component::Normal(_)));
        let is_one = is_plain && !part.name.is_empty() && part.name != MANIFEST;
        ensure!(is_one, "the node gives a file {:?} that is none of a copy", part.name);
        // a part of the file that it is at, or the next file
        let last = self.files.last_key_value().map(|(name, _)| name);
        ensure!(last.is_none_or(|last| *last <= part.name), "the node gives the files of a copy in no order");
        self.bytes += part.content.len();
        ensure!(self.bytes <= BUNDLE_BYTES_MAX, "the node gives a copy of more than {BUNDLE_BYTES_MAX} bytes");
        self.files.entry(part.name).or_default().extend(part.content);
        ensure!(self.files.len() <= FILES_MAX, "the node gives a copy of more than {FILES_MAX} files");
        Ok(())
    }

    /// The bundle, if all of it has come.
    pub(super) fn whole(self) -> Result<Bundle> {
        let manifest = self.manifest.context("the node broke off in the middle of the copy; ask again")?;
        Ok(Bundle { files: self.files, manifest })
    }
}

/// Refuses a place where there is something: what is there may be of somebody else.
pub(super) fn require_free(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => bail!("{} is there already: nothing was written; give another name", path.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot look at {}", path.display())),
    }
}

/// Writes the files of `bundle` into the directory `dir`, which is made.
pub(super) fn write(dir: &Path, bundle: &Bundle) -> Result<()> {
    require_free(dir)?;
    let cannot = || format!("cannot write {}", dir.display());
    let owner_alone = Permissions::from_mode(0o700);
    let mut draft = tempfile::Builder::new();
    let draft = draft.prefix(".sayso-copy").permissions(owner_alone).tempdir_in(beside(dir)).with_context(cannot)?;
    let files = bundle.files.iter().map(|(name, content)| (name.as_str(), content.as_slice()));
    for (name, content) in files.chain([(MANIFEST, bundle.manifest.as_bytes())]) {
        let path = draft.path().join(name);
        let parent = path.parent().unwrap_or_else(|| draft.path());
        DirBuilder::new().recursive(true).mode(0o700).create(parent).with_context(cannot)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all())).with_context(cannot)?;
    }
    renameat_with(CWD, draft.path(), CWD, dir, RenameFlags::NOREPLACE).with_context(cannot)?;
    // there is nothing in its place any more that could be taken away
    let _ = draft.keep();
    File::open(beside(dir)).and_then(|parent| parent.sync_all()).with_context(cannot)
}

/// Writes `content` into `file`, which is made.
pub(super) fn write_one(file: &Path, content: &[u8]) -> Result<()> {
    require_free(file)?;
    let cannot = || format!("cannot write {}", file.display());
    // of its owner alone
    let mut draft = tempfile::NamedTempFile::new_in(beside(file)).with_context(cannot)?;
    draft.write_all(content).and_then(|()| draft.as_file().sync_all()).with_context(cannot)?;
    draft.persist_noclobber(file).with_context(cannot)?;
    File::open(beside(file)).and_then(|parent| parent.sync_all()).with_context(cannot)
}

/// The directory that `path` is in.
fn beside(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
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

#[cfg(test)]
mod tests {
    use sayso_proto::admin::v1::BundleFile;

    use super::*;

    fn part(name: &str, content: &[u8]) -> PortCaseResponse {
        let part = Some(BundleFile { name: name.to_owned(), content: content.to_vec() });
        PortCaseResponse { part, manifest: String::new() }
    }

    fn end() -> PortCaseResponse {
        PortCaseResponse { part: None, manifest: "signed".to_owned() }
    }

    fn taken(given: impl IntoIterator<Item = PortCaseResponse>) -> Result<Bundle> {
        let mut parts = Parts::default();
        given.into_iter().try_for_each(|given| parts.take(given))?;
        parts.whole()
    }

    #[test]
    fn parts_become_files_and_nothing_that_is_none_of_a_copy() {
        let whole =
            taken([part("copy.json", b"ab"), part("copy.json", b"c"), part("kept/1.opus", b""), end()]).unwrap();
        let files = [("copy.json", &b"abc"[..]), ("kept/1.opus", b"")];
        let files = files.map(|(name, content)| (name.to_owned(), content.to_vec()));
        assert_eq!(whole, Bundle { files: files.into(), manifest: "signed".to_owned() });

        let fails = |given: Vec<PortCaseResponse>| format!("{:#}", taken(given).unwrap_err());
        assert!(fails(vec![part("a", b"")]).contains("broke off"));
        assert!(fails(vec![end(), part("a", b"")]).contains("comes last"));
        assert!(fails(vec![part("b", b""), part("a", b"")]).contains("in no order"));
        for name in ["../a", "/a", "", "a/../../b", MANIFEST] {
            assert!(fails(vec![part(name, b""), end()]).contains("none of a copy"), "{name}");
        }
        let long = vec![0; BUNDLE_BYTES_MAX / 2 + 1];
        assert!(fails(vec![part("a", &long), part("b", &long)]).contains("more than"));
        let many = (0..=FILES_MAX).map(|n| part(&format!("{n:04}"), b"")).collect();
        assert!(fails(many).contains("more than"));
    }

    #[test]
    fn what_is_there_stays_as_it_is() {
        let (dir, bundle) = (tempfile::tempdir().unwrap(), taken([part("a/b", b"new"), end()]).unwrap());
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "old").unwrap();
        fs::create_dir(at("empty")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("link")).unwrap();
        for name in ["file", "empty", "link"] {
            assert!(format!("{:#}", write(&at(name), &bundle).unwrap_err()).contains("is there already"), "{name}");
            assert!(format!("{:#}", write_one(&at(name), b"new").unwrap_err()).contains("is there already"), "{name}");
        }
        write(&at("new"), &bundle).unwrap();
        write_one(&at("one"), b"new").unwrap();
        assert_eq!(fs::read(at("new/a/b")).unwrap(), b"new");
        let left = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!((fs::read(at("file")).unwrap(), left), (b"old".to_vec(), 5), "and nothing is left beside them");
    }
}
