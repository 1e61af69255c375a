//! Dialogue.

use core::fmt;
use core::pin::Pin;

use async_trait::async_trait;
use futures::Stream;
use sayso_policy::Labelled;
use sayso_types::dialogue::{Action, Request};

use crate::{Call, Error};

/// A part of an answer, in order.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// More text of the answer; parts join without a separator.
    Text(String),
    /// Something to do, besides what is said.
    Act(Action),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text([redacted])"),
            Self::Act(_) => f.write_str("Act"),
        }
    }
}

/// An answer as it comes. It ends with `None` when it is complete; an error ends it as well.
pub type ReplyStream = Pin<Box<dyn Stream<Item = Result<Reply, Error>> + Send>>;

/// Answers what a person said.
#[async_trait]
pub trait Responder: Send + Sync + fmt::Debug {
    /// Answers `request`. The limit of the call counts from here to the end of the stream.
    ///
    /// # Errors
    /// As [`Error`] says, here or as the last item of the stream.
    async fn respond(&self, call: Call, request: Labelled<Request>) -> Result<ReplyStream, Error>;
}
