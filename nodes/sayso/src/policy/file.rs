//! [`ProfileFile`]: a profile as it lies on disk, with the file that it extends.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sayso_policy::error::{Part, Place};
use sayso_policy::profile::{Draft, Header};
use sayso_policy::{Error, Profile, TomlText, WorkingCalendar};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::output;

/// A profile that could be read, and the names of its files.
pub(crate) struct ProfileFile {
    names: Names,
    pub(super) draft: Draft,
}

/// The file that was named, and the one that it extends.
struct Names {
    own: PathBuf,
    base: Option<PathBuf>,
}

/// What is wrong, and where.
#[derive(Debug, Serialize, thiserror::Error)]
#[error("{file}:{line}: {}{message}", key_and_colon(.key))]
pub(super) struct Located {
    file: String,
    line: usize,
    key: String,
    message: String,
}

fn key_and_colon(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}: ") }
}

impl Located {
    fn of(file: &Path, error: &Error) -> Self {
        Self::at(file, error.place.clone(), error.problem.to_string())
    }

    fn at(file: &Path, Place { line, key, .. }: Place, message: String) -> Self {
        Self { file: file.display().to_string(), line, key, message }
    }
}

/// A TOML file beside a profile: what it says, and where.
pub(super) struct TomlFile<T> {
    path: PathBuf,
    text: TomlText,
    pub(super) said: T,
}

impl<T: DeserializeOwned> TomlFile<T> {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Names the file, the line and the key.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let located = |error: Error| Located::of(path, &error);
        let text = TomlText::parse(&read(path)?).map_err(located)?;
        let said = text.read().map_err(located)?;
        Ok(Self { path: path.to_owned(), text, said })
    }
}

impl<T> TomlFile<T> {
    /// What is wrong with the value at `key`.
    pub(super) fn wrong(&self, key: &str, message: String) -> anyhow::Error {
        Located::at(&self.path, self.text.place(key), message).into()
    }
}

impl ProfileFile {
    /// Reads the profile at `path`, the one beside it that it extends, and the calendar `calendars/NAME.toml` beside it
    /// that it names, if there is one.
    ///
    /// # Errors
    /// Names the file, the line and the key.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut names = Names { own: path.to_owned(), base: None };
        let text = read(path)?;
        let extends = Draft::extends(&text).map_err(|error| names.located(&error))?;
        names.base = extends.map(|base| path.parent().unwrap_or_else(|| Path::new("")).join(base));
        let base = match &names.base {
            None => None,
            Some(base) => Some(read(base).with_context(|| format!("{} extends another file", path.display()))?),
        };
        let draft = Draft::parse(&text, base.as_deref()).map_err(|error| names.located(&error))?;
        let draft = match calendar(path, &draft)? {
            Some((file, text)) => draft.with_calendar(&text).map_err(|error| Located::of(&file, &error))?,
            None => draft,
        };
        Ok(Self { names, draft })
    }

    /// The profile, if it may be put in force.
    ///
    /// # Errors
    /// Names the first thing that is against it.
    pub(crate) fn profile(&self) -> Result<Profile> {
        Ok(self.draft.clone().accept().map_err(|error| self.names.located(&error))?)
    }

    /// What the file is called.
    pub(super) fn name(&self) -> String {
        self.names.own.display().to_string()
    }

    /// What is wrong with the value at `key`.
    pub(super) fn wrong(&self, key: &str, message: String) -> Located {
        let place = self.draft.place(key);
        Located { file: self.file_of(&place), line: place.line, key: place.key, message }
    }

    /// The file that `place` is in.
    pub(super) fn file_of(&self, place: &Place) -> String {
        self.names.file_of(place)
    }
}

impl Names {
    fn file_of(&self, place: &Place) -> String {
        let base = self.base.as_ref().filter(|_| place.part == Part::Base);
        base.unwrap_or(&self.own).display().to_string()
    }

    fn located(&self, error: &Error) -> Located {
        let Place { line, key, .. } = error.place.clone();
        Located { file: self.file_of(&error.place), line, key, message: error.problem.to_string() }
    }
}

/// Where an operator's own calendar lies that the profile at `path` names; there is none when Sayso's is meant.
pub(crate) fn own_calendar(path: &Path, header: &Header) -> Option<PathBuf> {
    let name = header.working_days.as_ref()?;
    Some(path.with_file_name("calendars").join(format!("{name}.toml")))
}

/// The calendar that the profile at `path` names, where the operator has put one of their own beside it.
fn calendar(path: &Path, draft: &Draft) -> Result<Option<(PathBuf, String)>> {
    let header = &draft.document().profile;
    let Some((name, file)) = header.working_days.as_ref().zip(own_calendar(path, header)) else { return Ok(None) };
    if !file.exists() {
        return Ok(None);
    }
    let text = read(&file)?;
    let calendar = WorkingCalendar::parse(&text).map_err(|error| {
        Located::at(&file, error.place(&text), format!("no calendar of working days: {}", error.problem()))
    })?;
    if calendar.name() != name.as_str() {
        let place = TomlText::parse(&text).map_err(|error| Located::of(&file, &error))?.place("name");
        return Err(Located::at(&file, place, format!("must be `{name}`, as the file is called")).into());
    }
    Ok(Some((file, text)))
}

/// The longest text that is read, in bytes: some thirty times the longest of the profiles that ship.
const TEXT_MAX: u64 = 1 << 20;

/// The file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", .0.display())]
struct Unread(PathBuf);

fn read(path: &Path) -> Result<String> {
    text(path).with_context(|| Unread(path.to_owned()))
}

/// Only what is a file, and of a length that a profile may have: a device or a pipe would go on for ever.
fn text(path: &Path) -> Result<String> {
    if !fs::metadata(path)?.is_file() {
        bail!("it is no file");
    }
    let mut text = String::new();
    fs::File::open(path)?.take(TEXT_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > TEXT_MAX {
        bail!("it is longer than {TEXT_MAX} bytes; split the profile");
    }
    Ok(text)
}

/// Says why nothing could be done: with `path`, where one of several files is meant.
pub(super) fn refuse(path: Option<&Path>, error: &anyhow::Error, json: bool) -> Result<()> {
    if !json {
        return output::line(format_args!("{error:#}"));
    }
    let error = match error.downcast_ref::<Located>() {
        Some(located) => serde_json::to_value(located)?,
        None => {
            let file = error.downcast_ref::<Unread>().map(|unread| unread.0.as_path()).or(path);
            json!({ "file": file.map(|file| file.display().to_string()), "message": format!("{error:#}") })
        }
    };
    output::line(json!({ "error": error }))
}
