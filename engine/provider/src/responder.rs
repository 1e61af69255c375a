//! Dialogue.

use core::fmt;
use core::pin::Pin;

use async_trait::async_trait;
use futures::Stream;
use sayso_policy::{Labelled, Weigh};

use crate::{Call, Error};

/// A question and what the person heard as its answer.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Exchange {
    /// What the person said.
    pub said: String,
    /// The part of the answer that was played to them.
    pub heard: String,
}

/// Something that the person asked to have remembered, such as `name` = `Anna`.
#[derive(Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about, lower case.
    pub key: String,
    /// What to remember.
    pub value: String,
}

/// Everything that a responder is told.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// What the person said.
    pub text: String,
    /// The conversation so far, oldest first.
    pub history: Vec<Exchange>,
    /// What the person asked to have remembered.
    pub facts: Vec<Fact>,
    /// The agent's role and manner, as its integrator wrote it.
    pub role: String,
}

macro_rules! hidden_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )*};
}
hidden_debug!(Exchange, Fact, Request);

impl Weigh for Request {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        for exchange in &self.history {
            visit(exchange.said.as_bytes());
            visit(exchange.heard.as_bytes());
        }
        for fact in &self.facts {
            visit(fact.key.as_bytes());
            visit(fact.value.as_bytes());
        }
        visit(self.role.as_bytes());
        visit(self.text.as_bytes());
    }
}

/// Something that the person asked of the engine itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Keep this in mind.
    Remember(Fact),
    /// Forget everything remembered about this key, or all of it.
    Forget(Option<String>),
    /// Stop listening: withdraw consent to the conversation.
    Withdraw,
    /// The person agrees to what they were asked.
    Agree,
    /// The person does not agree to what they were asked.
    Refuse,
    /// End the conversation.
    Stop,
}

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
