//! The watchdog of what runs under a permit.
//!
//! Whoever holds the permit is a process like any other: it can be stopped (SIGSTOP), killed, or starved for as long as it takes,
//! and then nobody would end the command when the permit is over. So this process does nothing else. It leads the process group
//! of the command, is told until when that may run, and ends all of it then, or when there is nobody left to tell it.

use std::io::stdin;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Signal, kill_current_process_group};
use sayso_runtime::SystemClock;
use sayso_types::{Clock, Mono};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use crate::output;

/// How often the time is looked at, by a clock that goes on while the machine sleeps.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What it says once it watches.
pub(super) const WATCHES: &str = "watches";

/// Watches, until the moments that standard input says, a line each, in nanoseconds of the machine's clock.
pub(super) async fn watch() -> Result<ExitCode> {
    // what tells the command to end is not meant for this
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let told = stdin().as_fd().try_clone_to_owned().context("standard input cannot be read")?;
    let told = Receiver::from_owned_fd(told).context("standard input is no pipe of whoever holds the permit")?;
    let mut told = BufReader::new(told).lines();
    let clock = SystemClock::of_machine();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut until: Option<Mono> = None;
    while until.is_none_or(|until| clock.now() < until) {
        tokio::select! {
            biased;
            line = told.next_line() => {
                let Some(moment) = line.ok().flatten().and_then(|line| line.parse().ok()) else { break };
                if until.replace(Mono(moment)).is_none() {
                    output::line(WATCHES)?;
                }
            }
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = look.tick() => {}
        }
    }
    kill_current_process_group(Signal::KILL).context("the group cannot be ended")?;
    unreachable!("it was in the group");
}
