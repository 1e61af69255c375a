//! Pictures.

use core::fmt;

use async_trait::async_trait;
use sayso_policy::{Labelled, Weigh};
use sayso_types::{Picture, Redacted};

use crate::{Call, Error};

/// A picture, and what is asked about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sight {
    /// What was taken.
    pub picture: Picture,
    /// What is asked about it; when it is empty, what the picture shows.
    pub question: String,
}

impl fmt::Debug for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sight([redacted])")
    }
}

impl Weigh for Sight {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        visit(self.picture.bytes());
        visit(self.question.as_bytes());
    }
}

/// Says what a picture shows.
#[async_trait]
pub trait Viewer: Send + Sync + fmt::Debug {
    /// Answers what is asked about a picture, all of it at once: what has to be taken out of an answer may lie across any
    /// two parts of it. The limit of the call counts from here.
    ///
    /// # Errors
    /// As [`Error`] says; in particular [`Error::Refused`] when the gate refuses the picture.
    async fn view(&self, call: Call, sight: Labelled<Sight>) -> Result<Redacted<String>, Error>;
}
