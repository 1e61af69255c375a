//! [`FileKek`]: the KEK in a file.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::{Keks, version_of};
use crate::{KekError, KeyWrap, SecretKey};

/// Permissions of others than the owner.
const OTHERS: u32 = 0o077;

/// Bytes that are read of the file: room for hundreds of versions, and no end of memory for what is no key file.
const FILE_BYTES_MAX: u64 = 1 << 16;

/// A file that holds the KEK. Nobody but its owner may read it.
#[derive(Clone, Debug)]
pub struct FileKek {
    path: PathBuf,
}

impl FileKek {
    /// The KEK in `path`, which is read whenever it is needed.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    fn read(&self) -> Result<Keks, KekError> {
        let failed = |source| KekError::File { path: self.path.clone(), source };
        let file = File::open(&self.path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & OTHERS != 0 {
            return Err(KekError::Mode { path: self.path.clone(), mode });
        }
        // All room at once: what a buffer outgrows is not wiped.
        let length = usize::try_from(metadata.len().min(FILE_BYTES_MAX)).expect("it is at most 64 KB");
        let mut text = Zeroizing::new(Vec::with_capacity(length + 1));
        file.take(length as u64).read_to_end(&mut text).map_err(failed)?;
        Keks::parse(&text, self.path.display().to_string())
    }
}

#[async_trait]
impl KeyWrap for FileKek {
    async fn wrap(&self, key: &SecretKey, context: &[u8]) -> Result<Vec<u8>, KekError> {
        Ok(self.read()?.wrap(key, context))
    }

    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<SecretKey, KekError> {
        self.read()?.unwrap(wrapped, context)
    }

    fn version_of<'a>(&self, wrapped: &'a [u8]) -> &'a [u8] {
        version_of(wrapped)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn kek(text: &[u8], mode: u32) -> (tempfile::TempDir, FileKek) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kek");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let kek = FileKek::new(&path);
        (dir, kek)
    }

    #[tokio::test]
    async fn a_file_that_others_may_read_is_refused() {
        for mode in [0o640, 0o604, 0o622, 0o700 | 0o001] {
            let (_dir, kek) = kek(&[1; 32], mode);
            let Err(KekError::Mode { mode: found, .. }) = kek.wrap(&SecretKey::random(), b"").await else {
                panic!("mode {mode:o} is too wide")
            };
            assert_eq!(found, mode);
        }
        for mode in [0o600, 0o400] {
            let (_dir, kek) = kek(&[1; 32], mode);
            kek.wrap(&SecretKey::random(), b"").await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_line_that_is_added_is_used_at_once() {
        let lines = [1u8, 2].map(|byte| format!("{byte:02x}").repeat(32) + "\n");
        let (_dir, kek) = kek(lines[0].as_bytes(), 0o600);
        let key = SecretKey::random();
        let old = kek.wrap(&key, b"").await.unwrap();
        fs::write(&kek.path, lines.concat()).unwrap();
        let new = kek.rewrap(&old, b"").await.unwrap();
        fs::write(&kek.path, &lines[1]).unwrap();
        assert_eq!(kek.unwrap(&new, b"").await.unwrap().reveal(), key.reveal());
        assert!(matches!(kek.unwrap(&old, b"").await, Err(KekError::Unknown { .. })));
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_named() {
        let kek = FileKek::new(Path::new("/no/such/file"));
        let error = kek.wrap(&SecretKey::random(), b"").await.unwrap_err().to_string();
        assert!(error.contains("/no/such/file"), "{error}");
    }
}
