//! [`Heard`]: what the service says, as far as it matters.

use sayso_provider::Error;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Longest code of an error that is repeated; whatever is longer is no code.
const CODE_LEN_MAX: usize = 64;

pub(super) enum Heard {
    /// The words of the utterance.
    Transcript(String),
    /// That something is going on.
    Progress,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    transcript: Option<String>,
    error: Option<Problem>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Problem {
    Coded {
        code: String,
    },
    /// Its text may repeat what the person said.
    Told(IgnoredAny),
}

impl Heard {
    /// # Errors
    /// What the service says has gone wrong, by its code alone.
    pub(super) fn parse(event: &str) -> Result<Self, Error> {
        let Event { kind, transcript, error } =
            serde_json::from_str(event).map_err(|_| Error::Malformed("not the JSON of an event".to_owned()))?;
        match kind.as_str() {
            "conversation.item.input_audio_transcription.completed" => transcript
                .map(Self::Transcript)
                .ok_or_else(|| Error::Malformed("a completed transcription without a transcript".to_owned())),
            "conversation.item.input_audio_transcription.failed" => Err(Error::Failed(code(error))),
            "error" => match code(error).as_str() {
                // less than a tenth of a second: there are no words in it
                "input_audio_buffer_commit_empty" => Ok(Self::Transcript(String::new())),
                "invalid_api_key" => Err(Error::Unauthorized),
                "rate_limit_exceeded" => Err(Error::Busy { retry_after: None }),
                other => Err(Error::Rejected(other.to_owned())),
            },
            _ => Ok(Self::Progress),
        }
    }
}

/// The code of an error, if it is one: a word of the protocol.
fn code(error: Option<Problem>) -> String {
    let is_word = |code: &String| {
        (1..=CODE_LEN_MAX).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    match error {
        Some(Problem::Coded { code }) if is_word(&code) => code,
        Some(Problem::Coded { .. } | Problem::Told(_)) | None => "an error without a code".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(event: &str) -> Result<Option<String>, Error> {
        Heard::parse(event).map(|heard| match heard {
            Heard::Transcript(words) => Some(words),
            Heard::Progress => None,
        })
    }

    #[test]
    fn only_a_transcript_is_an_answer() {
        assert_eq!(told(r#"{"type": "session.created", "session": {"id": 1}}"#), Ok(None));
        assert_eq!(told(r#"{"type": "conversation.item.input_audio_transcription.delta", "delta": "a"}"#), Ok(None));
        let done = r#"{"type": "conversation.item.input_audio_transcription.completed", "transcript": "你好"}"#;
        assert_eq!(told(done), Ok(Some("你好".to_owned())));
        let empty = r#"{"type": "error", "error": {"code": "input_audio_buffer_commit_empty", "message": "x"}}"#;
        assert_eq!(told(empty), Ok(Some(String::new())));
    }

    #[test]
    fn errors_are_told_by_their_codes_alone() {
        let error = |error: &str| told(&format!(r#"{{"type": "error", "error": {error}}}"#)).unwrap_err();
        assert_eq!(error(r#"{"code": "invalid_api_key"}"#), Error::Unauthorized);
        assert_eq!(error(r#"{"code": "rate_limit_exceeded"}"#), Error::Busy { retry_after: None });
        assert_eq!(
            error(r#"{"code": "invalid_value", "message": "my secret"}"#),
            Error::Rejected("invalid_value".into())
        );
        let uncoded = Error::Rejected("an error without a code".into());
        for text in [r#""my secret""#, r#"{"code": "My Secret"}"#, r#"{"code": null, "message": "my secret"}"#] {
            assert_eq!(error(text), uncoded, "{text}");
        }
        let failed = r#"{"type": "conversation.item.input_audio_transcription.failed", "error": {"code": "audio_unintelligible"}}"#;
        assert_eq!(told(failed), Err(Error::Failed("audio_unintelligible".into())));
        for text in ["", "[]", r#"{"type": "conversation.item.input_audio_transcription.completed"}"#] {
            assert!(matches!(told(text), Err(Error::Malformed(_))), "{text:?}");
        }
    }
}
