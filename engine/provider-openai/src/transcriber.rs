//! [`OpenAiTranscriber`].

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use http::HeaderValue;
use sayso_provider::{AudioStream, Call, Error, Limit, Transcriber, Transcript};
use sayso_types::{Clock, Redacted, SampleRate};
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use crate::client::{Client, Head, Sealed, Upload, seal};
use crate::multipart::Form;
use crate::{Endpoint, wav};

/// The longest utterance that is sent: what services take (25 MB), less the form around it. 13 minutes at 16 kHz.
const AUDIO_BYTES_MAX: u32 = 25_000_000 - 4096;
/// The longest answer: more than anybody says in the longest utterance.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The rate of an utterance, by the contract.
const RATE: SampleRate = SampleRate::HZ_16K;

/// Speech recognition at `POST {base}/audio/transcriptions`. It wants whole utterances, because a request tells its
/// length before its contents.
#[derive(Debug)]
pub struct OpenAiTranscriber {
    client: Arc<Client>,
}

impl OpenAiTranscriber {
    /// Recognises with the model of `endpoint`. `clock` says how long a connection was idle.
    #[must_use]
    pub fn new(endpoint: Endpoint, clock: Arc<dyn Clock>) -> Self {
        Self { client: Client::new(endpoint, clock) }
    }

    async fn recognise(&self, call: &Call, utterance: Utterance) -> Result<String, Error> {
        let language = primary_subtag(&call.language);
        let mut fields = vec![("model", self.client.model()), ("response_format", "json")];
        fields.extend(language.map(|language| ("language", language)));
        let form = Form::around_wav(&fields);
        let mut upload =
            Upload::new(call.permit.clone()).plain(form.before).plain(wav::header(RATE, utterance.bytes).to_vec());
        for frame in utterance.frames {
            upload = upload.sealed(frame);
        }
        let head = Head {
            path: "/audio/transcriptions",
            content_type: form.content_type,
            accept: HeaderValue::from_static("application/json"),
            call: call.id,
        };
        let response = self.client.post(&call.permit, head, upload.plain(form.after)).await?;
        let body = Zeroizing::new(response.collect(ANSWER_BYTES_MAX).await?);
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| Error::Malformed("not the JSON of a transcription".to_owned()))?;
        Ok(answer.text)
    }
}

#[async_trait]
impl Transcriber for OpenAiTranscriber {
    async fn transcribe(&self, call: Call, audio: AudioStream) -> Result<Transcript, Error> {
        let utterance = Utterance::collect(&call, audio).await?;
        if utterance.bytes == 0 {
            return Ok(Transcript::default());
        }
        let text = Limit::start(call.timeout).bound(self.recognise(&call, utterance)).await?;
        Ok(Transcript { text: Redacted::new(text.trim().to_owned()), language: call.language })
    }

    fn streams(&self) -> bool {
        false
    }
}

/// A whole utterance, sealed, in front of the gate.
struct Utterance {
    frames: Vec<Sealed>,
    bytes: u32,
}

impl Utterance {
    async fn collect(call: &Call, mut audio: AudioStream) -> Result<Self, Error> {
        let mut utterance = Self { frames: Vec::new(), bytes: 0 };
        while let Some(frame) = audio.next().await {
            // nothing is passed yet, but there is no use in waiting for the rest
            call.permit.guard(|| ())?;
            let sealed = seal(frame, little_endian);
            utterance.bytes = u32::try_from(sealed.len())
                .ok()
                .and_then(|len| utterance.bytes.checked_add(len))
                .filter(|bytes| *bytes <= AUDIO_BYTES_MAX)
                .ok_or_else(|| {
                    metrics::counter!("sayso_provider_openai_limits_total", "limit" => "utterance").increment(1);
                    Error::TooLarge(format!("an utterance may have {AUDIO_BYTES_MAX} bytes"))
                })?;
            utterance.frames.push(sealed);
        }
        Ok(utterance)
    }
}

/// The bytes of `samples` in a WAV file. The samples are wiped.
fn little_endian(mut samples: Vec<i16>) -> Vec<u8> {
    let bytes = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    samples.zeroize();
    bytes
}

/// The language of a BCP 47 tag, which is what services take: `zh` of `zh-CN`.
pub(crate) fn primary_subtag(tag: &str) -> Option<&str> {
    let language = tag.split(['-', '_']).next()?;
    (matches!(language.len(), 2 | 3) && language.bytes().all(|b| b.is_ascii_alphabetic())).then_some(language)
}

#[derive(Deserialize)]
struct Answer {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_language_is_sent_as_one() {
        assert_eq!(primary_subtag("zh-CN"), Some("zh"));
        assert_eq!(primary_subtag("yue"), Some("yue"));
        for none in ["", "english", "e\r", "-"] {
            assert_eq!(primary_subtag(none), None, "{none:?}");
        }
    }

    #[test]
    fn samples_are_little_endian() {
        assert_eq!(little_endian(vec![1, -2, 256]), [1, 0, 0xFE, 0xFF, 0, 1]);
    }
}
