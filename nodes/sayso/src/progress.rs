//! How far something is, on standard error.

use std::io::{IsTerminal, Write};

use indicatif::DecimalBytes;
use sayso_models::{Bars, Progress};

/// Bars for a person, lines for a log.
pub(crate) fn progress() -> Box<dyn Progress> {
    if std::io::stderr().is_terminal() { Box::new(Bars::new()) } else { Box::new(Lines) }
}

/// A line a step on standard error.
struct Lines;

impl Progress for Lines {
    fn begin(&mut self, step: &str, bytes: u64) {
        // Progress that cannot be shown is no reason to stop.
        let _ = match bytes {
            0 => writeln!(std::io::stderr(), "{step}"),
            bytes => writeln!(std::io::stderr(), "{step} ({})", DecimalBytes(bytes)),
        };
    }

    fn reach(&mut self, _bytes: u64) {}

    fn end(&mut self) {}
}
