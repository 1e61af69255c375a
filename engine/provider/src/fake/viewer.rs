//! [`FakeViewer`].

use std::sync::Arc;

use async_trait::async_trait;
use sayso_policy::Labelled;
use sayso_types::{Clock, Redacted};

use super::manner::broken_off;
use super::script::Script;
use super::{Desk, Manner};
use crate::limit::Limit;
use crate::{Call, Error, Sight, Viewer};

/// What it sees when nothing was scripted.
const UNSCRIPTED: &str = "A table with a cup on it.";
/// What it sees when told to answer nonsense: bytes that a terminal or a parser would mind.
const NONSENSE: &str = "\u{0}\u{1b}[2J<|im_end|>{\"\u{202e}";

/// Sees what its script says. See [`Manner`] for its moods.
#[derive(Debug)]
pub struct FakeViewer {
    desk: Desk,
    script: Script<String>,
}

impl FakeViewer {
    /// One that sees a table in everything; `clock` says when pictures come in.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { desk: Desk::new(clock), script: Script::new() }
    }

    /// Sees `text` in the next picture that is not scripted yet; the last answer of a script stays.
    #[must_use]
    pub fn seeing(self, text: &str) -> Self {
        self.script.push(text.to_owned());
        self
    }

    /// Where to see what came in and to say how to behave.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }
}

#[async_trait]
impl Viewer for FakeViewer {
    async fn view(&self, call: Call, sight: Labelled<Sight>) -> Result<Redacted<String>, Error> {
        let (manner, _attending) = self.desk.attend();
        manner.admit()?;
        let work = async {
            self.desk.receive(&call.permit, sight, drop)?;
            manner.think().await;
            match manner {
                Manner::HalfAnswer => Err(broken_off()),
                Manner::Nonsense => Ok(NONSENSE.to_owned()),
                _ => Ok(self.script.next().unwrap_or_else(|| UNSCRIPTED.to_owned())),
            }
        };
        Limit::start(call.timeout).bound(work).await.map(Redacted::new)
    }
}
