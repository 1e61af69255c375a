//! Standard output: what a command was asked for. Everything else goes to standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

/// Writes `text`, with a line end. Whoever closed the pipe, as `head` does, has seen enough: that is no error.
pub(crate) fn line(text: impl Display) -> Result<()> {
    forgive_closed(writeln!(io::stdout(), "{text}")).context("cannot write to standard output")
}

/// Writes `value` as one JSON document over several lines.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    line(serde_json::to_string_pretty(value)?)
}

/// Writes `value` as JSON, or for people: a line for each that it lists, by `told`, or `none`.
pub(crate) fn shown(value: &Value, json: bool, none: &str, told: impl Fn(&Value) -> String) -> Result<()> {
    match value.as_array() {
        _ if json => self::json(value),
        Some(listed) if listed.is_empty() => line(none),
        Some(listed) => listed.iter().try_for_each(|one| line(told(one))),
        None => line(told(value)),
    }
}

/// What `value` has under `name`, for people; nothing where it is not text.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The day by which something is done, as its JSON has it, for people.
pub(crate) fn due(due: &Value) -> String {
    let about = if due["is_exact"] == true { "" } else { "about " };
    if due.is_null() { String::new() } else { format!(", due {about}{} ({})", text(due, "at"), text(due, "by")) }
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
