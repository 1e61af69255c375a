//! [`Manner`]: how a fake goes about its work.

use core::future::pending;
use core::time::Duration;

use futures::{Stream, StreamExt, stream};

use super::desk::Attending;
use crate::Error;

/// How a fake goes about its work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Takes everything and answers at once.
    #[default]
    Prompt,
    /// Takes everything and answers after this long.
    Slow(Duration),
    /// Takes everything and never answers: the call's limit has to end it.
    Hang,
    /// Takes nothing and fails.
    Fail(Error),
    /// Takes everything, gives the first half of its answer and fails with [`Error::Incomplete`].
    HalfAnswer,
    /// Takes everything and answers something that is well formed and makes no sense.
    Nonsense,
}

impl Manner {
    /// Fails if that is the manner.
    pub(super) fn admit(&self) -> Result<(), Error> {
        match self {
            Self::Fail(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Waits as long as it takes to think.
    pub(super) async fn think(&self) {
        match self {
            Self::Slow(delay) => tokio::time::sleep(*delay).await,
            Self::Hang => pending().await,
            _ => (),
        }
    }

    /// Gives `answer` part by part, for as long as the call is attended to.
    pub(super) fn give<T>(self, answer: Vec<T>, attending: Attending) -> impl Stream<Item = Result<T, Error>> {
        stream::once(async move {
            self.think().await;
            let (given, end) = match self {
                Self::HalfAnswer => (answer.len() / 2, Some(Err(broken_off()))),
                _ => (answer.len(), None),
            };
            stream::iter(answer.into_iter().take(given).map(Ok).chain(end))
        })
        .flatten()
        .map(move |part| {
            let _until_the_stream_is_dropped = &attending;
            part
        })
    }
}

/// What a fake that breaks off its answer fails with.
pub(super) fn broken_off() -> Error {
    Error::Incomplete("the fake was told to".to_owned())
}
