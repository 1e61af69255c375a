//! [`View`]: what happens to the device, a line each, for people or for machines.

use core::fmt::Debug;
use std::net::SocketAddr;

use anyhow::Result;
use sayso_device::{DeviceEvent, Played};
use sayso_wire::{ToDevice, Welcome};
use serde_json::{Value, json};

use crate::output;

/// How it is shown.
#[derive(Clone, Copy)]
pub(super) enum View {
    /// A word for the event and a text, for people.
    Lines,
    /// An object with `event` and what belongs to it.
    Json,
}

/// One line.
pub(crate) struct Line {
    /// A word for what happened.
    pub(crate) event: &'static str,
    /// What there is to say of it, for people.
    pub(crate) text: String,
    /// The same for machines, as an object.
    pub(crate) details: Value,
}

impl View {
    pub(super) fn connected(self, server: SocketAddr, welcome: &Welcome) -> Result<()> {
        let Welcome { version, session_id, .. } = welcome;
        let text = format!("to {server}, protocol version {version}");
        self.line("connected", text, json!({"server": server, "version": version, "session": session_id.to_string()}))
    }

    /// The person begins to say a recording.
    pub(super) fn says(self, title: &str, ms: u32) -> Result<()> {
        self.line("says", format!("{title} ({ms} ms)"), json!({"recording": title, "ms": ms}))
    }

    pub(super) fn types(self, text: &str) -> Result<()> {
        self.line("types", text.to_owned(), json!({"text": text}))
    }

    /// The person shows a picture.
    pub(super) fn shows(self, title: &str, question: &str) -> Result<()> {
        let asked = if question.is_empty() { String::new() } else { format!(": {question}") };
        self.line("shows", format!("{title}{asked}"), json!({"picture": title, "question": question}))
    }

    /// It is over.
    pub(super) fn goodbye(self, ok: bool) -> Result<()> {
        self.line("goodbye", String::new(), json!({"ok": ok}))
    }

    pub(super) fn show(self, event: &DeviceEvent) -> Result<()> {
        match describe(event) {
            Some(Line { event, text, details }) => self.line(event, text, details),
            None => Ok(()),
        }
    }

    fn line(self, event: &'static str, text: String, mut details: Value) -> Result<()> {
        match self {
            Self::Lines => output::line(format!("{event:<12} {text}").trim_end()),
            Self::Json => {
                details["event"] = event.into();
                output::line(details)
            }
        }
    }
}

/// What there is to say of an event; nothing of those that other events tell already.
pub(crate) fn describe(event: &DeviceEvent) -> Option<Line> {
    let line = |event, text, details| Some(Line { event, text, details });
    match event {
        DeviceEvent::Node(message) => describe_message(message),
        DeviceEvent::AudioStarted { turn } => line("sound", format!("of turn {turn}"), json!({"turn": turn.0})),
        DeviceEvent::Played(Played { turn, played_ms, lost, late, file }) => {
            let saved = file.as_ref().map(|file| format!(", saved as {}", file.display())).unwrap_or_default();
            let gaps = if lost + late > 0 { format!(", packets lost: {lost}, late: {late}") } else { String::new() };
            let details = json!({"turn": turn.0, "played_ms": played_ms, "lost": lost, "late": late, "file": file});
            line("played", format!("{played_ms} ms of turn {turn}{saved}{gaps}"), details)
        }
        DeviceEvent::Ended(_) => None,
    }
}

fn describe_message(message: &ToDevice) -> Option<Line> {
    let line = |event, text, details| Some(Line { event, text, details });
    match message {
        ToDevice::StateChanged { state, turn } => {
            line("state", word(state), json!({"state": word(state), "turn": turn.0}))
        }
        ToDevice::VoiceActivity { turn, speaking } => {
            let text = if *speaking { "begins" } else { "ends" };
            line("voice", text.to_owned(), json!({"turn": turn.0, "speaking": speaking}))
        }
        ToDevice::PictureWanted { turn } => line("wanted", "the picture".to_owned(), json!({"offer": turn.0})),
        ToDevice::Transcript { turn, text } => {
            line("understood", text.reveal().clone(), json!({"turn": turn.0, "text": text.reveal()}))
        }
        ToDevice::Sentence { turn, text, at_ms } => {
            line("answer", text.reveal().clone(), json!({"turn": turn.0, "text": text.reveal(), "at_ms": at_ms}))
        }
        ToDevice::SpeechStop { turn, reason } => line("cut", reason.clone(), json!({"turn": turn.0, "reason": reason})),
        ToDevice::ConsentPrompt { prompt_id, purposes, .. } => {
            let names: Vec<_> = purposes.iter().map(ToString::to_string).collect();
            line(
                "asks",
                format!("for consent to {}", names.join(", ")),
                json!({"prompt": prompt_id, "purposes": names}),
            )
        }
        ToDevice::ConsentChanged { purpose, status, consent_version } => {
            let details = json!({"purpose": purpose.to_string(), "status": word(status), "cv": consent_version.0});
            line("consent", format!("to {purpose} is {}", word(status)), details)
        }
        ToDevice::Notice { code, text } => line("notice", text.clone(), json!({"code": code, "text": text})),
        ToDevice::Error { code, text, remedy, turn } => {
            let details = json!({"code": code, "text": text, "remedy": remedy, "turn": turn.0});
            line("error", format!("{code}: {text}; {remedy}"), details)
        }
        ToDevice::Welcome(_)
        | ToDevice::SpeechStart { .. }
        | ToDevice::SpeechEnd { .. }
        | ToDevice::Audio(_)
        | ToDevice::Goodbye(_) => None,
    }
}

/// The name of a variant as the protocol writes it: `shutting_down`.
pub(crate) fn word(variant: impl Debug) -> String {
    let mut word = String::new();
    for c in format!("{variant:?}").chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use sayso_types::{Redacted, TurnId};

    use super::*;

    #[test]
    fn an_answer_is_told_with_its_length_and_its_file() {
        let played = Played { turn: TurnId(3), played_ms: 2_340, lost: 1, late: 0, file: Some("out/a.wav".into()) };
        let line = describe(&DeviceEvent::Played(played)).unwrap();
        assert_eq!(line.text, "2340 ms of turn 3, saved as out/a.wav, packets lost: 1, late: 0");
        assert_eq!(line.details["file"], "out/a.wav");
    }

    #[test]
    fn what_was_said_is_shown_to_who_said_it() {
        let text = Redacted::new("go forward".to_owned());
        let line = describe_message(&ToDevice::Transcript { turn: TurnId(1), text }).unwrap();
        assert_eq!((line.text.as_str(), &line.details["text"]), ("go forward", &json!("go forward")));
    }
}
