//! [`OpenAiViewer`].

use std::sync::Arc;

use async_trait::async_trait;
use sayso_policy::Labelled;
use sayso_provider::{Call, Error, Limit, Sight, Viewer};
use sayso_types::{Clock, Redacted};
use zeroize::Zeroizing;

use crate::Endpoint;
use crate::chat;
use crate::client::{Client, seal};
use crate::responder::Answer;

/// Pictures at `POST {base}/chat/completions`: one message, with the picture as a data URL.
#[derive(Debug)]
pub struct OpenAiViewer {
    client: Arc<Client>,
}

impl OpenAiViewer {
    /// Looks with the model of `endpoint`. `clock` says how long a connection was idle.
    #[must_use]
    pub fn new(endpoint: Endpoint, clock: Arc<dyn Clock>) -> Self {
        Self { client: Client::new(endpoint, clock) }
    }

    async fn look(&self, call: &Call, sight: Labelled<Sight>) -> Result<Redacted<String>, Error> {
        let body = seal(sight, |sight| chat::render_sight(self.client.model(), &call.language, sight));
        let mut answer = Answer::ask(&self.client, call, body).await?;
        // wiped when the answer breaks off; it is bounded by what an answer may have
        let mut text = Zeroizing::new(String::new());
        while let Some(part) = answer.next().await? {
            text.push_str(&Zeroizing::new(part));
        }
        Ok(Redacted::new(core::mem::take(&mut *text)))
    }
}

#[async_trait]
impl Viewer for OpenAiViewer {
    async fn view(&self, call: Call, sight: Labelled<Sight>) -> Result<Redacted<String>, Error> {
        Limit::start(call.timeout).bound(self.look(&call, sight)).await
    }
}
