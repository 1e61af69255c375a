//! The wish that a node moves its store, left in the store's directory by a command, and what the node says to it.
//!
//! ```text
//!   sayso store migrate ── DIR/move, locked for as long as it is wished ──▶ the node that serves DIR
//!                       ◀── DIR/moving: how far it is, or why it is not done ──
//! ```
//!
//! Whoever may write to the directory could as well take the store itself, so there is nobody else to ask who that is. The
//! lock ends with the command, however that ends, and with it the wish.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sayso_types::SubjectId;
use serde::{Deserialize, Serialize};

/// The file with a wish.
const WISH: &str = "move";
/// The file with what is said to it, and what that is called while it is written.
const ANSWER: &str = "moving";
const ANSWER_DRAFT: &str = "moving.new";

/// What is wished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// Tells it from others.
    pub(super) id: String,
    /// The configuration of the store that everything is to be in.
    pub(super) config: PathBuf,
}

/// What is said to a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    /// To which.
    id: String,
    /// How it stands.
    state: State,
}

/// How a move stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// The new store is opened.
    Opening,
    /// Somebody else uses the new store, and is waited for.
    StandingBy(String),
    /// A step goes on, so many bytes far.
    Step {
        /// Which, for people.
        step: String,
        /// Bytes that it goes through; 0 when unknown.
        of: u64,
        /// Bytes so far.
        bytes: u64,
    },
    /// The node stops serving, so that nothing more is written to the old store.
    Stopping,
    /// Everything is in the new store, and nothing is taken by the old one any more.
    Moved,
    /// It is not done, or not to its end.
    NotMoved(String),
}

/// A wish that is alive: dropping it takes it back.
pub(super) struct Wished {
    id: String,
    dir: PathBuf,
    _lock: File,
}

impl Wished {
    /// Wishes that whoever uses the store in `dir` moves it to that of `config`.
    pub(super) fn make(dir: &Path, config: &Path) -> Result<Self> {
        let config = fs::canonicalize(config).with_context(|| cannot("find", config))?;
        let path = dir.join(WISH);
        // what a killed command left there is written over, once the lock is had
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let mut file = opened.with_context(|| cannot("write", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another command moves this store already: wait for it"),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| cannot("lock", &path)),
        }
        let id = SubjectId::random().to_string();
        let wish = serde_json::to_vec(&Wish { id: id.clone(), config })?;
        let written = file.set_len(0).and_then(|()| file.write_all(&wish));
        written.with_context(|| cannot("write", &path))?;
        Ok(Self { id, dir: dir.to_owned(), _lock: file })
    }

    /// What was said to it last.
    pub(super) fn answer(&self) -> Result<Option<State>> {
        let answer = read::<Answer>(&self.dir.join(ANSWER))?;
        Ok(answer.filter(|answer| answer.id == self.id).map(|answer| answer.state))
    }
}

impl Drop for Wished {
    fn drop(&mut self) {
        // one that cannot be deleted loses its lock, and so is nobody's
        for name in [WISH, ANSWER] {
            let _ = fs::remove_file(self.dir.join(name));
        }
    }
}

/// What is wished of whoever uses the store in `dir`.
pub(super) fn found(dir: &Path) -> Result<Option<Wish>> {
    let path = dir.join(WISH);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| cannot("read", &path)),
    };
    match file.try_lock_shared() {
        // empty, or in part, while it is written
        Err(TryLockError::WouldBlock) => Ok(fs::read(&path).ok().and_then(|wish| serde_json::from_slice(&wish).ok())),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| cannot("lock", &path)),
        Ok(()) => Ok(None),
    }
}

/// Says how the wish `id` in `dir` stands.
pub(super) fn say(dir: &Path, id: &str, state: State) -> Result<()> {
    let draft = dir.join(ANSWER_DRAFT);
    fs::write(&draft, serde_json::to_vec(&Answer { id: id.to_owned(), state })?)
        .and_then(|()| fs::rename(&draft, dir.join(ANSWER)))
        .with_context(|| cannot("write", &draft))
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| cannot("read", path)).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| cannot("read", path)),
    }
}

fn cannot(action: &str, path: &Path) -> String {
    format!("cannot {action} {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_alive_for_as_long_as_whoever_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("sayso.toml");
        fs::write(&config, "").unwrap();
        assert_eq!(found(dir.path()).unwrap(), None);
        let wished = Wished::make(dir.path(), &config).unwrap();
        assert_eq!(found(dir.path()).unwrap().unwrap().id, wished.id);
        assert!(Wished::make(dir.path(), &config).is_err(), "one at a time");
        assert_eq!(wished.answer().unwrap(), None);
        say(dir.path(), "another", State::Moved).unwrap();
        assert_eq!(wished.answer().unwrap(), None, "what is said to others is not said to this one");
        let step = State::Step { step: "copying".to_owned(), of: 9, bytes: 7 };
        say(dir.path(), &wished.id, step.clone()).unwrap();
        assert_eq!(wished.answer().unwrap(), Some(step));
        drop(wished);
        assert_eq!(found(dir.path()).unwrap(), None);
        let mut left = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!((left.next(), left.next()), (Some("sayso.toml".into()), None));
    }

    #[test]
    fn what_a_killed_command_leaves_behind_wishes_nothing_and_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("sayso.toml");
        fs::write(&config, "").unwrap();
        fs::write(dir.path().join(WISH), format!("{{\"id\":\"a\",\"config\":{config:?}}} and more").repeat(9)).unwrap();
        assert_eq!(found(dir.path()).unwrap(), None);
        let wished = Wished::make(dir.path(), &config).unwrap();
        assert_eq!(found(dir.path()).unwrap().unwrap().id, wished.id);
    }
}
