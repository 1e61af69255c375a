//! Standard output: what a command was asked for. Everything else goes to standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result};
use serde::Serialize;

/// Writes `text`, with a line end. Whoever closed the pipe, as `head` does, has seen enough: that is no error.
pub(crate) fn line(text: impl Display) -> Result<()> {
    forgive_closed(writeln!(io::stdout(), "{text}")).context("cannot write to standard output")
}

/// Writes `value` as one JSON document over several lines.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    line(serde_json::to_string_pretty(value)?)
}

/// Tells whoever waits how things stand, on standard error. That it cannot be told is no reason to stop.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A moment in UTC, for people; 0 is none.
pub(crate) fn moment(unix_ms: u64) -> Option<String> {
    let unix_ms = i64::try_from(unix_ms).ok().filter(|at| *at > 0)?;
    Some(jiff::Timestamp::from_millisecond(unix_ms).ok()?.to_string())
}

fn forgive_closed(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closed_pipe_is_forgiven() {
        assert!(forgive_closed(Err(ErrorKind::BrokenPipe.into())).is_ok());
        assert!(forgive_closed(Err(ErrorKind::StorageFull.into())).is_err());
    }
}
