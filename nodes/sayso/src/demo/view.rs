//! What the person at the terminal sees: lines as things happen, with the state of things below them on a terminal;
//! one JSON object a line for machines.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossterm::style::{Color, Stylize};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

/// Who says it.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    /// The story itself.
    Story,
    /// The person.
    Person,
    /// The device.
    Device,
    /// The audit log.
    Audit,
    /// A check of what was promised.
    Check,
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Story => "story",
            Self::Person => "person",
            Self::Device => "device",
            Self::Audit => "audit",
            Self::Check => "check",
        }
    }

    const fn color(self) -> Color {
        match self {
            Self::Story => Color::White,
            Self::Person => Color::Cyan,
            Self::Device => Color::Green,
            Self::Audit => Color::DarkGrey,
            Self::Check => Color::Yellow,
        }
    }
}

/// The state of things, shown below the lines.
#[derive(Clone, Default)]
struct Status {
    state: String,
    voice: bool,
    consent: String,
    leaves: u64,
}

enum Output {
    Json,
    Plain,
    Live(ProgressBar),
}

/// Where it is shown. Clones show in the same place.
#[derive(Clone)]
pub(crate) struct View(Arc<(Output, Mutex<Status>)>);

impl View {
    pub(crate) fn new(as_json: bool) -> Self {
        let output = if as_json {
            Output::Json
        } else if std::io::stdout().is_terminal() {
            let bar = ProgressBar::new_spinner();
            bar.set_style(ProgressStyle::with_template("{spinner} {msg}").expect("the template is well formed"));
            bar.enable_steady_tick(Duration::from_millis(120));
            Output::Live(bar)
        } else {
            Output::Plain
        };
        let status = Status { state: "starting".into(), consent: "none".into(), ..Status::default() };
        Self(Arc::new((output, Mutex::new(status))))
    }

    /// A line, with what machines want to know of it.
    pub(crate) fn line(&self, who: Who, event: &str, text: &str, details: Value) {
        match &self.0.0 {
            Output::Json => {
                let mut object = json!({"who": who.name(), "event": event, "text": text});
                if let (Some(object), Value::Object(details)) = (object.as_object_mut(), details) {
                    object.extend(details);
                }
                print(&object.to_string());
            }
            Output::Plain => print(&format!("{:>7} {text}", who.name())),
            Output::Live(bar) => {
                let name = format!("{:>7}", who.name());
                bar.println(format!("{} {text}", name.with(who.color())));
            }
        }
    }

    /// A new part of the story.
    pub(crate) fn act(&self, number: u32, title: &str) {
        let text = format!("── {number}. {title}");
        self.line(Who::Story, "act", &text, json!({"act": number}));
    }

    pub(crate) fn state(&self, state: &str) {
        self.status(|status| state.clone_into(&mut status.state));
    }

    pub(crate) fn voice(&self, active: bool) {
        self.status(|status| status.voice = active);
    }

    pub(crate) fn consent(&self, consent: &str) {
        self.status(|status| consent.clone_into(&mut status.consent));
    }

    pub(crate) fn leaves(&self, count: u64) {
        self.status(|status| status.leaves = count);
    }

    /// Takes the state line away.
    pub(crate) fn finish(&self) {
        if let Output::Live(bar) = &self.0.0 {
            bar.finish_and_clear();
        }
    }

    fn status(&self, change: impl FnOnce(&mut Status)) {
        let mut status = self.0.1.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut status);
        if let Output::Live(bar) = &self.0.0 {
            let Status { state, voice, consent, leaves } = &*status;
            let voice = if *voice { "● voice" } else { "○ quiet" };
            bar.set_message(format!("{state:<9} │ {voice} │ consent: {consent} │ audit leaves: {leaves}"));
        }
    }
}

fn print(line: &str) {
    // Whoever closed the pipe has seen enough; the story goes on to its exit code.
    let _ = writeln!(std::io::stdout(), "{line}");
}
