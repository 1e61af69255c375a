//! How a fetch tells how far it is.

use core::fmt;
use core::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Is told of the steps of a fetch, one after the other.
pub trait Progress {
    /// A step begins, such as `downloading hibari-tts`, that goes through `bytes` bytes (0 when unknown).
    fn begin(&mut self, step: &str, bytes: u64);
    /// The step has gone through `bytes` of its bytes.
    fn reach(&mut self, bytes: u64);
    /// The step is complete. A step that fails does not end.
    fn end(&mut self);
}

/// Tells nobody.
impl Progress for () {
    fn begin(&mut self, _step: &str, _bytes: u64) {}
    fn reach(&mut self, _bytes: u64) {}
    fn end(&mut self) {}
}

/// A bar a step on standard error; draws nothing when that is not a terminal.
#[derive(Default)]
pub struct Bars {
    bar: Option<ProgressBar>,
}

impl Bars {
    /// Bars on standard error.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bars").finish_non_exhaustive()
    }
}

impl Progress for Bars {
    fn begin(&mut self, step: &str, bytes: u64) {
        let (bar, template) = if bytes == 0 {
            (ProgressBar::new_spinner(), "{spinner} {msg}")
        } else {
            (ProgressBar::new(bytes), "{msg:44} {bar:24} {bytes:>11} of {total_bytes:11} {bytes_per_sec}")
        };
        let style = ProgressStyle::with_template(template).expect("the template is a constant that parses");
        let bar = bar.with_style(style).with_message(step.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        self.bar = Some(bar);
    }

    fn reach(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}
