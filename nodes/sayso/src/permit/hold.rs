//! Runs a command for as long as a permit holds.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;
use sayso_proto::admin::v1::hold_permits_response::Response;
use sayso_runtime::{SystemClock, Tasks};
use sayso_types::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use super::child::{Child, code};
use super::stream::{Answer, Stream};
use super::term::{Step, Term};
use super::told;
use crate::cli::PermitForArgs;
use crate::output;

/// What `hold` ends with when the command was stopped: as timeout(1) does.
const STOPPED: u8 = 124;
/// What it ends with when the command may not be started.
const NOT_STARTED: u8 = 125;

/// How often the time of the permit is looked at, by a clock that goes on while the machine sleeps.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) async fn hold(what: &PermitForArgs, command: &[OsString]) -> Result<ExitCode> {
    let clock = SystemClock::of_machine();
    let mut stream = Stream::open(&what.person.node).await?;
    let asked_at = clock.now();
    let given = match stream.ask(what).await? {
        Answer::Given(given) => given,
        Answer::Denied(denied) => {
            output::note(told(&denied));
            return Ok(ExitCode::from(NOT_STARTED));
        }
    };
    let permit = given.permit_id.clone();
    let millis = Duration::from_millis;
    let mut term = Term::new(asked_at, millis(given.lasts_ms), millis(given.renew_within_ms));
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (child, mut ended, mut unwatched) = Child::start(command, &given, term.over(), Tasks::new()).await?;
    let mut is_watched = true;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut why, mut is_lost) = (None, false);
    let status = loop {
        tokio::select! {
            biased;
            status = &mut ended => break status,
            _ = &mut unwatched, if is_watched => {
                is_watched = false;
                why.get_or_insert_with(|| "nothing would end it in time".to_owned());
                term.ends(clock.now());
            }
            said = stream.next(), if !is_lost => match said {
                Ok(Some(Response::Renewed(renewed))) => {
                    term.renewed(millis(renewed.lasts_ms));
                    if child.may_run_until(term.over()).is_err() {
                        term.ends(clock.now());
                    }
                }
                Ok(Some(Response::Revoked(revoked))) => {
                    why.get_or_insert(revoked.reason);
                    term.ends(clock.now());
                }
                // a renewal that is refused ends by itself what it does not renew
                Ok(Some(Response::Refused(_) | Response::Given(_) | Response::Denied(_) | Response::Kept(_))) => {}
                Ok(Some(Response::Ended(_))) | Ok(None) | Err(_) => {
                    // who cannot be told to stop must stop
                    is_lost = true;
                    why.get_or_insert_with(|| "lost".to_owned());
                    term.ends(clock.now());
                }
            },
            _ = interrupt.recv() => term.ends(clock.now()),
            _ = terminate.recv() => term.ends(clock.now()),
            _ = look.tick() => {}
        }
        match term.step(clock.now()) {
            Step::Wait => {}
            // that it could not be sent shows by there being no answer
            Step::Renew => drop(stream.renew(&permit).await),
            Step::Terminate => child.signal(Signal::TERM),
            Step::Kill => child.signal(Signal::KILL),
        }
    };
    child.clear().await;
    if !is_lost && let Err(error) = stream.let_go(&permit, true).await {
        output::note(format_args!("{error:#}; the node waits until the permit has run out"));
    }
    let status = status?;
    // this may have been stopped for longer than the command might run
    if term.is_ending() || clock.now() >= term.over() {
        let why = why.unwrap_or_else(|| "not renewed".to_owned());
        output::note(format_args!("The command was stopped: {why}."));
        return Ok(ExitCode::from(STOPPED));
    }
    Ok(ExitCode::from(code(status)))
}
