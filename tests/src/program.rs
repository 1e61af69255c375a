//! [`Sayso`]: the program under test.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::{Finished, Process};

/// What the names of settings in the environment start with.
const SETTINGS: &str = "SAYSO_";
/// Where models are is the one setting that tests share with whoever runs them.
const MODELS: &str = "SAYSO_MODELS";

/// The program under test.
#[derive(Clone, Debug)]
pub struct Sayso {
    program: PathBuf,
}

impl Sayso {
    /// The program at `program`: `env!("CARGO_BIN_EXE_sayso")` in the tests of the package that has it.
    #[must_use]
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// A command line of it, without the settings of whoever runs the tests.
    #[must_use]
    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(&self.program);
        let foreign = |name: &OsStr| name.to_string_lossy().starts_with(SETTINGS) && name != MODELS;
        for (name, _) in env::vars_os().filter(|(name, _)| foreign(name)) {
            command.env_remove(name);
        }
        command.args(args);
        command
    }

    /// Runs it to its end.
    pub async fn run(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Finished {
        Process::start(self.command(args)).finished().await
    }

    /// Makes sure that the speech models are there; offline when they are.
    pub async fn fetch_models(&self) {
        let _ = self.run(["models", "fetch"]).await.success();
    }
}
