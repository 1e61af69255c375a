//! [`Processors`]: who can be reached through the door.

use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_policy::Profile;
use sayso_provider::{Forgetter, Responder, Synthesizer, Transcriber, Viewer};
use sayso_types::{ProcessorId, ProcessorKind};

/// The processors of one kind, in the order of the configuration.
#[derive(Debug)]
pub struct Kind<P: ?Sized> {
    kind: ProcessorKind,
    registered: Vec<(ProcessorId, Arc<P>)>,
}

impl<P: ?Sized> Kind<P> {
    const fn new(kind: ProcessorKind) -> Self {
        Self { kind, registered: Vec::new() }
    }

    /// What kind they are of.
    pub(crate) const fn kind(&self) -> ProcessorKind {
        self.kind
    }

    /// Adds one under the name that profiles know it by. An earlier one of that name is replaced.
    pub fn register(&mut self, id: ProcessorId, provider: Arc<P>) {
        self.registered.retain(|(other, _)| *other != id);
        self.registered.push((id, provider));
    }

    /// Those that the profile knows as of this kind, by its order of regions and otherwise as they are configured: as
    /// [`route`](sayso_policy::route()) has them. A later one is asked for only when an earlier one is not allowed, so that
    /// nothing travels further than it must.
    pub(crate) fn in_order(&self, profile: &Profile) -> impl Iterator<Item = (ProcessorId, &Arc<P>)> {
        let routing = &profile.document().routing;
        let known = self.registered.iter().filter_map(|(id, provider)| {
            let processor = profile.processor(*id).filter(|processor| processor.kind == self.kind)?;
            Some((routing.place(processor.region_class), *id, provider))
        });
        let mut ordered: Vec<_> = known.collect();
        ordered.sort_by_key(|(place, ..)| *place);
        ordered.into_iter().map(|(_, id, provider)| (id, provider))
    }
}

/// Everyone who can be reached.
#[derive(Debug)]
pub struct Processors {
    /// Speech recognition.
    pub transcribers: Kind<dyn Transcriber>,
    /// Dialogue.
    pub responders: Kind<dyn Responder>,
    /// Speech synthesis.
    pub synthesizers: Kind<dyn Synthesizer>,
    /// Pictures. A conversation goes without.
    pub viewers: Kind<dyn Viewer>,
    /// Those that can be told to delete what they were given.
    pub forgetters: BTreeMap<ProcessorId, Arc<dyn Forgetter>>,
}

impl Processors {
    /// Nobody.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            transcribers: Kind::new(ProcessorKind::Asr),
            responders: Kind::new(ProcessorKind::Llm),
            synthesizers: Kind::new(ProcessorKind::Tts),
            viewers: Kind::new(ProcessorKind::Vision),
            forgetters: BTreeMap::new(),
        }
    }

    /// The kinds that nobody is registered for, of those that every conversation needs.
    pub(crate) fn missing(&self) -> Vec<ProcessorKind> {
        let counts = [
            (self.transcribers.kind, self.transcribers.registered.len()),
            (self.responders.kind, self.responders.registered.len()),
            (self.synthesizers.kind, self.synthesizers.registered.len()),
        ];
        counts.into_iter().filter(|(_, count)| *count == 0).map(|(kind, _)| kind).collect()
    }
}
