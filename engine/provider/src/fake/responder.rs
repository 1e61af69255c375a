//! [`FakeResponder`].

use std::sync::Arc;

use async_trait::async_trait;
use sayso_policy::Labelled;
use sayso_types::Clock;

use super::script::Script;
use super::{Desk, Manner};
use crate::limit::Limit;
use crate::{Call, Error, Reply, ReplyStream, Request, Responder};

/// What it answers when nothing was scripted.
const UNSCRIPTED: &str = "All right.";
/// What it answers when told to answer nonsense: nothing to speak, and bytes that a terminal or a parser would mind.
const NONSENSE: [&str; 3] = ["", "\u{0}\u{1b}[2J", "<|im_end|>{\"\u{202e}"];

/// Answers from a script. See [`Manner`] for its moods.
#[derive(Debug)]
pub struct FakeResponder {
    desk: Desk,
    script: Script<Vec<Reply>>,
}

impl FakeResponder {
    /// One that answers "All right." to everything; `clock` says when requests come in.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { desk: Desk::new(clock), script: Script::new() }
    }

    /// Answers the next request that is not scripted yet with `parts`; the last answer of a script stays.
    #[must_use]
    pub fn answering(self, parts: impl IntoIterator<Item = Reply>) -> Self {
        self.script.push(parts.into_iter().collect());
        self
    }

    /// Where to see what came in and to say how to behave.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }
}

#[async_trait]
impl Responder for FakeResponder {
    async fn respond(&self, call: Call, request: Labelled<Request>) -> Result<ReplyStream, Error> {
        let (manner, attending) = self.desk.attend();
        manner.admit()?;
        self.desk.receive(&call.permit, request, drop)?;
        let parts = match manner {
            Manner::Nonsense => NONSENSE.map(|part| Reply::Text(part.to_owned())).into(),
            _ => self.script.next().unwrap_or_else(|| vec![Reply::Text(UNSCRIPTED.to_owned())]),
        };
        Ok(Box::pin(Limit::start(call.timeout).stream(Box::pin(manner.give(parts, attending)))))
    }
}
