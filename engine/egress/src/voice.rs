//! [`Voice`]: the way to a voice that has been opened, and has not been given its text.

use core::fmt;

use futures::Stream;
use futures::stream::BoxStream;
use sayso_policy::Labelled;
use sayso_provider::Speech;
use sayso_types::Label;
use tokio::sync::oneshot;

use crate::Error;

/// An open way to a voice. A withdrawal closes it as it closes a call; dropping it closes it with nothing said.
pub struct Voice {
    pub(crate) label: Label,
    pub(crate) text: oneshot::Sender<Labelled<String>>,
    pub(crate) speech: BoxStream<'static, Result<Speech, Error>>,
}

impl Voice {
    /// Speaks `text`. [`Error`] is the last item of the stream if that fails, also when consent is taken back.
    pub fn speak(self, text: String) -> impl Stream<Item = Result<Speech, Error>> + Send + use<> {
        let Self { label, text: give, speech } = self;
        // Nobody takes it when the permit was taken back, which is what the stream says then.
        let _ = give.send(Labelled::new(label, text));
        speech
    }
}

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voice").field("label", &self.label).finish_non_exhaustive()
    }
}
