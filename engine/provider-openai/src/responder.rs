//! [`OpenAiResponder`].

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream;
use http::HeaderValue;
use sayso_policy::Labelled;
use sayso_provider::{Call, Error, Limit, Reply, ReplyStream, Request, Responder};
use sayso_types::Clock;
use tokio::time::timeout;

use crate::Endpoint;
use crate::chat::{self, Chunk};
use crate::client::{Client, Head, Response, Sealed, Upload, seal};
use crate::sse;

/// What ends an answer, by the API's definition.
const DONE: &str = "[DONE]";
/// The longest answer: an hour of speech, far beyond what a person listens to.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// How long the end of a body may take after the end of the answer in it. In time, the connection can be kept; else a
/// new one costs more than this, but the answer must not wait for it.
const TAIL_TIMEOUT: Duration = Duration::from_millis(50);

/// Dialogue at `POST {base}/chat/completions`, streamed.
#[derive(Debug)]
pub struct OpenAiResponder {
    client: Arc<Client>,
}

impl OpenAiResponder {
    /// Answers with the model of `endpoint`. `clock` says how long a connection was idle.
    #[must_use]
    pub fn new(endpoint: Endpoint, clock: Arc<dyn Clock>) -> Self {
        Self { client: Client::new(endpoint, clock) }
    }

    async fn ask(&self, call: &Call, request: Labelled<Request>) -> Result<Answer, Error> {
        let body = seal(request, |request| chat::render(self.client.model(), request));
        Answer::ask(&self.client, call, body).await
    }
}

#[async_trait]
impl Responder for OpenAiResponder {
    async fn respond(&self, call: Call, request: Labelled<Request>) -> Result<ReplyStream, Error> {
        let mut limit = Limit::start(call.timeout);
        let answer = limit.bound(self.ask(&call, request)).await?;
        let parts = stream::try_unfold(answer, |mut answer| async {
            Ok(answer.next().await?.map(|text| (Reply::Text(text), answer)))
        });
        Ok(Box::pin(limit.stream(Box::pin(parts))))
    }
}

/// An answer as it comes.
pub(crate) struct Answer {
    response: Response,
    parser: sse::Parser,
    events: VecDeque<String>,
    text_bytes: usize,
    /// Why the text ended early, told once all of it is given.
    cut_off: Option<Error>,
}

impl Answer {
    /// Asks for a completion of `body`.
    pub(crate) async fn ask(client: &Arc<Client>, call: &Call, body: Sealed) -> Result<Self, Error> {
        let head = Head {
            path: "/chat/completions",
            content_type: HeaderValue::from_static("application/json"),
            accept: HeaderValue::from_static("text/event-stream"),
            call: call.id,
        };
        let upload = Upload::new(call.permit.clone()).sealed(body);
        let response = client.post(&call.permit, head, upload).await?;
        if response.content_type() != "text/event-stream" {
            return Err(Error::Malformed("not an event stream; does the service stream answers?".to_owned()));
        }
        Ok(Self { response, parser: sse::Parser::default(), events: VecDeque::new(), text_bytes: 0, cut_off: None })
    }

    /// The next text, which is not empty; `None` when the answer is complete.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, Error> {
        loop {
            if let Some(error) = self.cut_off.take() {
                return Err(error);
            }
            let Some(event) = self.events.pop_front() else {
                self.receive().await?;
                continue;
            };
            if event == DONE {
                return self.end().await.map(|()| None);
            }
            if let Some(text) = self.read(&event)? {
                return Ok(Some(text));
            }
        }
    }

    async fn receive(&mut self) -> Result<(), Error> {
        let Some(bytes) = self.response.data().await? else {
            return Err(Error::Incomplete(format!("the stream ended without {DONE}")));
        };
        let Self { parser, events, .. } = self;
        parser.push(&bytes, |event| events.push_back(event)).map_err(|broken| Error::Malformed(broken.to_string()))
    }

    fn read(&mut self, event: &str) -> Result<Option<String>, Error> {
        let chunk: Chunk = serde_json::from_str(event)
            .map_err(|_| Error::Malformed("an event that is not a piece of an answer".to_owned()))?;
        if chunk.error.is_some() {
            return Err(Error::Failed("reported an error in the middle of its answer".to_owned()));
        }
        let Some(choice) = chunk.choices.into_iter().next() else {
            return Ok(None);
        };
        self.cut_off = choice.finish_reason.as_deref().and_then(early_end);
        let text = choice.delta.content.filter(|text| !text.is_empty());
        self.text_bytes += text.as_ref().map_or(0, String::len);
        if self.text_bytes > TEXT_BYTES_MAX {
            metrics::counter!("sayso_provider_openai_limits_total", "limit" => "text").increment(1);
            return Err(Error::Malformed(format!("an answer of more than {TEXT_BYTES_MAX} bytes")));
        }
        Ok(text)
    }

    /// Reads on to the end of the body, so that the connection can serve the next call.
    async fn end(&mut self) -> Result<(), Error> {
        if self.text_bytes == 0 {
            return Err(Error::Incomplete("an answer without text".to_owned()));
        }
        let tail = async { while let Ok(Some(_)) = self.response.data().await {} };
        if timeout(TAIL_TIMEOUT, tail).await.is_err() {
            tracing::debug!("the body goes on after the answer, dropping the connection");
        }
        Ok(())
    }
}

/// Why an answer that ends for `reason` is not a whole one.
fn early_end(reason: &str) -> Option<Error> {
    match reason {
        "length" => Some(Error::Incomplete("reached its length limit; raise the service's token limit".to_owned())),
        "content_filter" => Some(Error::Rejected("its content filter ended the answer".to_owned())),
        // "stop", and what services that are nearly compatible say in its place
        _ => None,
    }
}
