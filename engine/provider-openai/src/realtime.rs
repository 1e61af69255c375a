//! [`OpenAiRealtimeTranscriber`].

mod event;
mod sound;

use core::pin::pin;

use async_trait::async_trait;
use futures::future::{Either, select};
use futures::stream::{self, SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use http::Request;
use http::header::{AUTHORIZATION, CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT};
use sayso_policy::Permit;
use sayso_provider::{AudioStream, Call, Error, Frame, Limit, Transcriber, Transcript};
use sayso_types::Redacted;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use self::event::Heard;
use self::sound::{Sound, WIRE_RATE};
use crate::Endpoint;
use crate::client::{Backoff, CALL_ID, Dialler, Io, Owner, Protocol, call_id, failure, user_agent};
use crate::transcriber::primary_subtag;

/// The longest event that is read: more than anybody says in the longest utterance.
const EVENT_BYTES_MAX: usize = 256 * 1024;
/// Most that waits to be written at once: an event with a second of sound. Events are written one by one.
const WRITE_BYTES_MAX: usize = 128 * 1024;

type Socket = WebSocketStream<Box<dyn Io>>;

/// Speech recognition over a WebSocket at `{base}/realtime?intent=transcription`: sound is sent while the person speaks,
/// and the words come soon after the last of it. The protocol is that of OpenAI's Realtime API (guide "Realtime
/// transcription", session type `transcription`).
///
/// A connection serves one utterance: what a service keeps of a session is over with it.
#[derive(Debug)]
pub struct OpenAiRealtimeTranscriber {
    endpoint: Endpoint,
    dialler: Dialler,
}

impl OpenAiRealtimeTranscriber {
    /// Recognises with the model of `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { dialler: Dialler::new(&endpoint, &[Protocol::Http1]), endpoint }
    }

    async fn recognise(&self, call: &Call, first: Frame, audio: AudioStream) -> Result<String, Error> {
        let (socket, owner) = self.open(call).await?;
        let (mut sink, mut events) = socket.split();
        let heard = {
            let mut answer = pin!(answer(&call.permit, &mut events));
            let upload = pin!(upload(&call.permit, &mut sink, first, audio));
            match select(upload, &mut answer).await {
                Either::Left((sent, answer)) => {
                    sent?;
                    Limit::start(call.timeout).bound(answer).await?
                }
                // the end was not told yet
                Either::Right((early, _)) => {
                    early?;
                    return Err(Error::Malformed("a transcript before the end of the utterance".to_owned()));
                }
            }
        };
        // a service that does not hear of the end loses nothing
        let _ = sink.send(Message::Close(None)).await;
        owner.clear();
        Ok(heard)
    }

    /// A session for `call`, and whose its connection is. Tried again while there is nothing of the person's in it.
    async fn open(&self, call: &Call) -> Result<(Socket, Owner), Error> {
        let mut backoff = Backoff::default();
        loop {
            call.permit.guard(|| ())?;
            let failed = match self.attempt(call).await {
                Err(error @ Error::Unreachable(_)) => error,
                opened => return opened,
            };
            let Some(pause) = backoff.next() else { return Err(failed) };
            metrics::counter!("sayso_provider_openai_retries_total").increment(1);
            tracing::debug!(code = failed.code(), ?pause, "trying again");
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&self, call: &Call) -> Result<(Socket, Owner), Error> {
        let (permit, owner) = (&call.permit, Owner::default());
        owner.set(permit);
        metrics::counter!("sayso_provider_openai_connections_opened_total").increment(1);
        let (io, _) = self.dialler.dial(&owner).await.map_err(|error| refused(permit).unwrap_or(error))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(EVENT_BYTES_MAX))
            .max_frame_size(Some(EVENT_BYTES_MAX))
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BYTES_MAX);
        let opening = client_async_with_config(self.request(call.id), io, Some(config));
        let patience = self.endpoint.connect_timeout;
        let late = || Error::Unreachable(format!("no WebSocket within {patience:?}"));
        let opened = timeout(patience, opening).await.map_err(|_| late())?;
        let (mut socket, _) = opened.map_err(|error| explain(permit, error))?;
        let session = Message::text(self.session(&call.language).to_string());
        socket.send(session).await.map_err(|error| explain(permit, error))?;
        Ok((socket, owner))
    }

    fn request(&self, call: [u8; 16]) -> Request<()> {
        let base_url = &self.endpoint.base_url;
        let (scheme, authority) = (if base_url.tls() { "wss" } else { "ws" }, base_url.authority());
        let target = base_url.target("/realtime?intent=transcription");
        let mut request = Request::builder()
            .uri(format!("{scheme}://{authority}{target}"))
            .header(HOST, authority)
            .header(USER_AGENT, user_agent())
            .header(CALL_ID, call_id(call))
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, generate_key());
        if let Some(key) = &self.endpoint.api_key {
            request = request.header(AUTHORIZATION, key.authorization());
        }
        request.body(()).expect("a parsed base URL and constant headers make a request")
    }

    /// What to do with the sound: recognise it, when told that the utterance has ended.
    fn session(&self, language: &str) -> serde_json::Value {
        let mut transcription = json!({ "model": self.endpoint.model });
        if let Some(language) = primary_subtag(language) {
            transcription["language"] = language.into();
        }
        json!({
            "type": "session.update",
            "session": {
                "type": "transcription",
                "audio": { "input": {
                    "format": { "type": "audio/pcm", "rate": WIRE_RATE.0 },
                    "transcription": transcription,
                    "turn_detection": null,
                } },
            },
        })
    }
}

#[async_trait]
impl Transcriber for OpenAiRealtimeTranscriber {
    async fn transcribe(&self, call: Call, mut audio: AudioStream) -> Result<Transcript, Error> {
        let Some(first) = audio.next().await else { return Ok(Transcript::default()) };
        let text = self.recognise(&call, first, audio).await?;
        Ok(Transcript { text: Redacted::new(text.trim().to_owned()), language: call.language })
    }
}

/// Sends the utterance, and that it has ended.
async fn upload(
    permit: &Permit,
    sink: &mut SplitSink<Socket, Message>,
    first: Frame,
    audio: AudioStream,
) -> Result<(), Error> {
    let mut sound = Sound::new();
    let mut frames = stream::iter([first]).chain(audio);
    while let Some(frame) = frames.next().await {
        let event = permit.pass(frame, |samples| sound.push(samples))?;
        send(permit, sink, event).await?;
    }
    send(permit, sink, sound.flush()).await?;
    let end = Message::text(r#"{"type":"input_audio_buffer.commit"}"#);
    sink.send(end).await.map_err(|error| explain(permit, error))
}

/// Sends an event with sound, if there is one.
async fn send(permit: &Permit, sink: &mut SplitSink<Socket, Message>, event: Option<Utf8Bytes>) -> Result<(), Error> {
    let Some(event) = event else { return Ok(()) };
    sink.send(Message::Text(event)).await.map_err(|error| explain(permit, error))
}

/// The transcript of the utterance.
async fn answer(permit: &Permit, events: &mut SplitStream<Socket>) -> Result<String, Error> {
    while let Some(message) = events.next().await {
        if let Message::Text(text) = message.map_err(|error| explain(permit, error))?
            && let Heard::Transcript(words) = Heard::parse(&text)?
        {
            return Ok(words);
        }
    }
    Err(refused(permit).unwrap_or_else(|| Error::Incomplete("the connection ended before the transcript".to_owned())))
}

fn refused(permit: &Permit) -> Option<Error> {
    permit.guard(|| ()).err().map(Error::from)
}

/// What went wrong on a connection. A refusal comes first: it is why the rest broke.
fn explain(permit: &Permit, error: WebSocketError) -> Error {
    if let Some(refused) = refused(permit) {
        return refused;
    }
    match error {
        WebSocketError::Http(answer) => failure(answer.status(), answer.headers())
            .unwrap_or_else(|| Error::Rejected("HTTP without a WebSocket; correct the base URL".to_owned())),
        WebSocketError::Capacity(_) => Error::Malformed(format!("an event of more than {EVENT_BYTES_MAX} bytes")),
        WebSocketError::Protocol(_) | WebSocketError::Utf8(_) => Error::Malformed("not a WebSocket".to_owned()),
        _ => Error::Incomplete("the connection broke".to_owned()),
    }
}
