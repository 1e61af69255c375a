//! [`OpenAiSynthesizer`].

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream;
use http::HeaderValue;
use sayso_policy::Labelled;
use sayso_provider::{Call, Error, Limit, Speech, SpeechStream, Synthesizer};
use sayso_types::Clock;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::client::{Client, Head, Response, Upload, seal};
use crate::endpoint::name;
use crate::speech::Decoder;
use crate::{Endpoint, Error as EndpointError};

/// How speech comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpeechFormat {
    /// Bare samples at 24 kHz.
    #[default]
    Pcm,
    /// A WAV file at the voice's own rate, for services whose bare samples are at another than 24 kHz.
    Wav,
}

impl SpeechFormat {
    const fn name(self) -> &'static str {
        match self {
            Self::Pcm => "pcm",
            Self::Wav => "wav",
        }
    }

    const fn decoder(self) -> Decoder {
        match self {
            Self::Pcm => Decoder::bare(),
            Self::Wav => Decoder::wav(),
        }
    }

    /// Whether a body of this type may be played: compressed sound taken for samples is noise at full volume. A WAV
    /// file says itself what it is.
    fn takes(self, content_type: &str) -> bool {
        self == Self::Wav
            || matches!(content_type, "" | "audio/pcm" | "audio/l16" | "audio/raw" | "application/octet-stream")
    }
}

/// Speech synthesis at `POST {base}/audio/speech`, played as it is made.
#[derive(Debug)]
pub struct OpenAiSynthesizer {
    client: Arc<Client>,
    voice: String,
    format: SpeechFormat,
}

impl OpenAiSynthesizer {
    /// Speaks with `voice` of the model of `endpoint`. `clock` says how long a connection was idle.
    ///
    /// # Errors
    /// [`EndpointError::Name`] when `voice` cannot be sent.
    pub fn new(
        endpoint: Endpoint,
        voice: &str,
        format: SpeechFormat,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, EndpointError> {
        Ok(Self { client: Client::new(endpoint, clock), voice: name("voice", voice)?, format })
    }

    async fn ask(&self, call: &Call, text: Labelled<String>) -> Result<Response, Error> {
        let body = seal(text, |text| {
            let text = Zeroizing::new(text);
            let order = Order {
                model: self.client.model(),
                input: &text,
                voice: &self.voice,
                response_format: self.format.name(),
            };
            serde_json::to_vec(&order).expect("strings serialize")
        });
        let head = Head {
            path: "/audio/speech",
            content_type: HeaderValue::from_static("application/json"),
            accept: HeaderValue::from_static("audio/*"),
            call: call.id,
        };
        let response = self.client.post(&call.permit, head, Upload::new(call.permit.clone()).sealed(body)).await?;
        if !self.format.takes(response.content_type()) {
            return Err(Error::Malformed("another kind of sound than samples; try wav".to_owned()));
        }
        Ok(response)
    }
}

#[derive(Serialize)]
struct Order<'a> {
    model: &'a str,
    input: &'a str,
    voice: &'a str,
    response_format: &'static str,
}

#[async_trait]
impl Synthesizer for OpenAiSynthesizer {
    async fn synthesize(&self, call: Call, text: Labelled<String>) -> Result<SpeechStream, Error> {
        let mut limit = Limit::start(call.timeout);
        let response = limit.bound(self.ask(&call, text)).await?;
        let pieces = stream::try_unfold((response, self.format.decoder()), |(mut response, mut decoder)| async {
            Ok(next(&mut response, &mut decoder).await?.map(|piece| (piece, (response, decoder))))
        });
        Ok(Box::pin(limit.stream(Box::pin(pieces))))
    }
}

/// The next piece of speech, which is not empty; `None` when it is complete.
async fn next(response: &mut Response, decoder: &mut Decoder) -> Result<Option<Speech>, Error> {
    while let Some(bytes) = response.data().await? {
        if let Some(piece) = decoder.push(&bytes)? {
            return Ok(Some(piece));
        }
    }
    decoder.finish().map(|()| None)
}
