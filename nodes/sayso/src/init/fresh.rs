//! [`Fresh`]: a directory that is being filled for the first time.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Only its owner reads a file with a key.
const SECRET: u32 = 0o600;
/// The same for directories.
const PRIVATE: u32 = 0o700;
/// Anybody may read the rest, as far as the umask lets them.
const PUBLIC: u32 = 0o644;

/// A directory that was empty. What was written into it is removed when this is dropped before [`keep`](Self::keep):
/// whatever fails, nothing of it is left.
pub(super) struct Fresh {
    root: PathBuf,
    /// What there was not before, in the order in which it was made.
    made: Vec<PathBuf>,
}

impl Fresh {
    /// Makes the directory, with those above it, unless it is there and empty.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let mut fresh = Self { root: root.to_owned(), made: Vec::new() };
        if root.exists() {
            let entries =
                fs::read_dir(root).with_context(|| format!("cannot read the directory {}", root.display()))?;
            let found: std::io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
            if let Some(found) = found?.into_iter().min() {
                bail!("{} is there already: give a new or empty directory", found.display());
            }
            return Ok(fresh);
        }
        if let Some(parent) = root.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make the directory {}", parent.display()))?;
        }
        fresh.dir("")?;
        Ok(fresh)
    }

    /// Makes the directory `name` in it.
    pub(super) fn dir(&mut self, name: &str) -> Result<()> {
        let path = self.root.join(name);
        let made = DirBuilder::new().mode(PRIVATE).create(&path);
        made.with_context(|| format!("cannot make the directory {}", path.display()))?;
        self.made.push(path);
        Ok(())
    }

    /// Writes a file for everybody.
    pub(super) fn public(&mut self, name: &str, text: &str) -> Result<()> {
        self.file(name, text, PUBLIC)
    }

    /// Writes a file that holds a key.
    pub(super) fn secret(&mut self, name: &str, text: &str) -> Result<()> {
        self.file(name, text, SECRET)
    }

    /// It is complete.
    pub(super) fn keep(mut self) {
        self.made.clear();
    }

    fn file(&mut self, name: &str, text: &str, mode: u32) -> Result<()> {
        let path = self.root.join(name);
        let cannot = || format!("cannot write {}", path.display());
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).with_context(cannot)?;
        self.made.push(path.clone());
        file.write_all(text.as_bytes()).with_context(cannot)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        for path in self.made.drain(..).rev() {
            // What cannot be removed is named by the next attempt.
            let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_directory_that_holds_something_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b", "a"] {
            fs::write(dir.path().join(name), "mine").unwrap();
        }
        let error = Fresh::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains(dir.path().join("a").to_str().unwrap()), "{error}");
        assert_eq!(names(dir.path()), ["a", "b"]);
    }

    #[test]
    fn what_is_not_completed_is_removed() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("x");
        let mut fresh = Fresh::open(&root).unwrap();
        fresh.dir("ca").unwrap();
        fresh.secret("ca/key.pem", "key").unwrap();
        assert!(fresh.secret("ca/key.pem", "key").is_err(), "never overwritten");
        drop(fresh);
        assert_eq!(names(outer.path()), [""; 0]);

        fs::create_dir(&root).unwrap();
        let mut fresh = Fresh::open(&root).unwrap();
        fresh.public("sayso.toml", "").unwrap();
        drop(fresh);
        assert_eq!(names(&root), [""; 0], "the directory was there before");
    }

    #[test]
    fn keys_and_directories_are_the_owners_alone() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("deep/er");
        let mut fresh = Fresh::open(&root).unwrap();
        fresh.dir("ca").unwrap();
        fresh.secret("ca/key.pem", "key").unwrap();
        fresh.keep();
        let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(""), mode("ca"), mode("ca/key.pem")], [0o700, 0o700, 0o600]);
        assert_eq!(fs::read_to_string(root.join("ca/key.pem")).unwrap(), "key");
    }
}
