//! Words of a conversation: what is said, heard, remembered and asked for.

use core::fmt;

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
    /// What was said in earlier conversations, oldest first, as far as it is kept.
    pub earlier: Vec<Exchange>,
    /// What the person asked to have remembered.
    pub facts: Vec<Fact>,
    /// Whether `facts` are remembered beyond this conversation, by a consent of its own; else they are part of what was said
    /// in it.
    pub remembers: bool,
    /// What stands about it in the person's own documents, the best first.
    pub passages: Vec<String>,
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

/// Something that the person asked of the engine itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Keep this in mind.
    Remember(Fact),
    /// Forget everything remembered about this key, or all of it.
    Forget(Option<String>),
    /// The person agrees to what they were asked.
    Agree,
    /// The person does not agree to what they were asked.
    Refuse,
    /// End the conversation.
    Stop,
}
