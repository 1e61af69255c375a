//! Begins a command under a permit, unless that is over.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use sayso_runtime::SystemClock;
use sayso_types::{Clock, Mono};

/// Becomes `command`, if it is not `until` then. It is in the group of its watchdog by now, which lives until then at least:
/// however long this is stopped between looking and becoming, the watchdog ends it.
pub(super) fn run(until: u64, command: &[OsString]) -> Result<ExitCode> {
    if SystemClock::of_machine().now() >= Mono(until) {
        bail!("the permit was over before the command could begin");
    }
    let [program, args @ ..] = command else { bail!("there is no command to run") };
    let error = Command::new(program).args(args).exec();
    Err(error).with_context(|| format!("{} cannot be run", program.display()))
}
