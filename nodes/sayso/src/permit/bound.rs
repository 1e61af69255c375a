//! Runs a command that ends when whoever started it ends: a permit that nobody holds any more is used by nobody.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// Has the system kill this process when `parent` ends, and becomes `command`.
pub(super) fn run(parent: i32, command: &[OsString]) -> Result<ExitCode> {
    set_parent_process_death_signal(Some(Signal::KILL)).context("the command cannot be bound to this one")?;
    if getppid() != Pid::from_raw(parent) {
        bail!("whoever holds the permit has ended already");
    }
    let [program, args @ ..] = command else { bail!("there is no command to run") };
    let error = Command::new(program).args(args).exec();
    Err(error).with_context(|| format!("{} cannot be run", program.display()))
}
