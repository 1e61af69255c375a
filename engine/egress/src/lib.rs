//! The only door to processors.
//!
//! ```text
//!  session ── frames, in front of the gate ──┐
//!                                            ▼
//!   Egress::transcribe ─ route ─ acquire ─▶ task { provider ◀─ Permit::pass ─ frame } ──▶ Transcript
//!                               (segment      │                                            (through a bounded queue)
//!                                opened)      └─ revoked? drop the provider's work, then the lease
//! ```
//!
//! Every call runs in a task of its own that holds the [`Lease`]: when the permit is taken back, the task drops the
//! provider's future (which resets its connection and wipes its buffers) and only then the lease, which is what a
//! withdrawal waits for. When the caller loses interest, dropping what it holds does the same.

pub mod call;
pub mod error;
pub mod exposure;
mod forgetting;
mod introducing;
mod listening;
#[cfg(any(feature = "mutant-m3", feature = "mutant-m6"))]
mod mutant;
pub mod processors;
mod voice;

use core::future::pending;
use core::time::Duration;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use sayso_consent::{Ask, Denied, Lease, Lineage, Register};
use sayso_policy::{Gate, Labelled, Weigh};
use sayso_provider::{AudioStream, Call, Reply, Request, Sight, Transcript};
use sayso_runtime::Tasks;
use sayso_types::dialogue::Exchange;
use sayso_types::{Category, ConsentVersion, Label, ProcessorId, ProcessorKind, Purpose, Redacted, SubjectId, TurnId};
use tokio::sync::oneshot;

pub use call::Outcome;
pub use error::Error;
pub use exposure::Exposure;
pub use listening::DETECTOR;
pub use processors::Processors;
pub use voice::Voice;

/// Whose turn it is, and under which version of their consent.
#[derive(Clone, Debug)]
pub struct Context {
    /// Whose data.
    pub subject: SubjectId,
    /// Which turn.
    pub turn: TurnId,
    /// The consent version that the data is labelled with.
    pub cv: ConsentVersion,
    /// What for.
    pub purpose: Purpose,
    /// Language of the conversation, BCP 47; empty when unknown.
    pub language: String,
    /// What the data of the turn was made of so far: every call that its result goes on from is added to it.
    pub lineage: Lineage,
}

impl Context {
    /// The label of data of `category` in this turn.
    #[must_use]
    pub const fn label(&self, category: Category) -> Label {
        Label { subject: self.subject, category, purpose: self.purpose, turn: self.turn, cv: self.cv }
    }
}

impl Context {
    const fn ask(&self, category: Category, gate: Gate, processor: ProcessorId) -> Ask {
        let Self { subject, turn, cv, purpose, .. } = *self;
        Ask { subject, turn, purpose, category, cv, gate, processor }
    }
}

/// What is asked, with what goes along, and by what right that does.
struct Laden {
    request: Labelled<Request>,
    leases: Vec<Lease>,
}

/// How long each stage may take.
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// From the end of an utterance to its text.
    pub transcribe: Duration,
    /// From a request to the end of its answer.
    pub respond: Duration,
    /// From a sentence to the end of its sound.
    pub synthesize: Duration,
    /// From a picture to the end of what is said about it.
    pub view: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            transcribe: Duration::from_secs(10),
            respond: Duration::from_secs(30),
            synthesize: Duration::from_secs(20),
            view: Duration::from_secs(30),
        }
    }
}

/// The door.
#[derive(Debug)]
pub struct Egress {
    register: Arc<Register>,
    processors: Processors,
    timeouts: Timeouts,
    tasks: Tasks,
}

/// Parts of a result that wait for the caller. A caller that does not take them stops the call, not the node.
const PARTS_WAITING_MAX: usize = 64;

impl Egress {
    /// A door to `processors`, guarded by `register`.
    #[must_use]
    pub const fn new(register: Arc<Register>, processors: Processors, timeouts: Timeouts, tasks: Tasks) -> Self {
        Self { register, processors, timeouts, tasks }
    }

    /// Recognises the utterance that `audio` delivers.
    ///
    /// # Errors
    /// [`Error`] says why not; in particular when consent is taken back, at that moment.
    pub async fn transcribe(&self, context: &Context, audio: AudioStream) -> Result<Transcript, Error> {
        let (_, provider, lease) = self.open(context, Category::VOICE_AUDIO, &self.processors.transcribers).await?;
        context.lineage.grows_from(&lease);
        let call = self.call(context, &lease, self.timeouts.transcribe);
        call::result(&self.tasks, "transcribe", lease, async move {
            // What needs its length first is held in front of the gate until it is complete.
            let audio: AudioStream = if provider.streams() {
                audio
            } else {
                Box::pin(futures::stream::iter(audio.collect::<Vec<_>>().await))
            };
            provider.transcribe(call, audio).await
        })
        .await
    }

    /// Answers `request`, of which goes out what the policy does not have taken out.
    ///
    /// # Errors
    /// [`Error`], here or as the last item of the stream.
    pub async fn respond(
        &self,
        context: &Context,
        request: Request,
    ) -> Result<impl Stream<Item = Result<Reply, Error>> + Send + use<>, Error> {
        let responders = &self.processors.responders;
        let (processor, provider, lease) = self.open(context, Category::TRANSCRIPT, responders).await?;
        context.lineage.grows_from(&lease);
        let mut request = self.without_what_stays(request);
        let earlier = core::mem::take(&mut request.earlier);
        let passages = core::mem::take(&mut request.passages);
        let facts = if request.remembers { core::mem::take(&mut request.facts) } else { Vec::new() };
        let request = Labelled::new(context.label(Category::TRANSCRIPT), request);
        let mut laden = Laden { request, leases: Vec::new() };
        let by = |purpose, category| (processor, purpose, category);
        let history = by(Purpose::HISTORY, Category::CHAT_HISTORY);
        self.along(&mut laden, context, history, earlier, |request, earlier| request.earlier = earlier).await?;
        let knowledge = by(Purpose::KNOWLEDGE, Category::KNOWLEDGE_BASE);
        self.along(&mut laden, context, knowledge, passages, |request, passages| request.passages = passages).await?;
        let memory = by(Purpose::MEMORY, Category::MEMORY_SUMMARY);
        self.along(&mut laden, context, memory, facts, |request, facts| request.facts = facts).await?;
        let Laden { request, leases } = laden;
        let others: Vec<_> = leases.iter().map(|lease| lease.permit().clone()).collect();
        let mut call = self.call(context, &lease, self.timeouts.respond);
        call.permit = call.permit.with(&others);
        Ok(call::stream(&self.tasks, "respond", lease, leases, PARTS_WAITING_MAX, async move {
            provider.respond(call, request).await
        }))
    }

    /// Has `data`, of a category and kept for a purpose, go along to a processor with what is said now, if the processor may
    /// have it for that; else it stays, which is no failure.
    async fn along<T>(
        &self,
        laden: &mut Laden,
        context: &Context,
        (processor, purpose, category): (ProcessorId, Purpose, Category),
        data: Vec<T>,
        put: impl FnOnce(&mut Request, Vec<T>),
    ) -> Result<(), Error>
    where
        Vec<T>: Weigh,
    {
        if data.is_empty() {
            return Ok(());
        }
        let context = Context { purpose, ..context.clone() };
        match self.acquire(&context, context.ask(category, Gate::of(ProcessorKind::Llm), processor)).await {
            Ok(lease) => {
                context.lineage.grows_from(&lease);
                laden.request.take_along(Labelled::new(context.label(category), data), put);
                laden.leases.push(lease);
                Ok(())
            }
            Err(Denied::Policy(_) | Denied::TooMuch { .. }) => Ok(()),
            Err(failed) => Err(Error::Denied(failed)),
        }
    }

    /// `request` without the numbers that the policy has taken out of what was said, and of what is remembered or kept: also out
    /// of what was there before it said so.
    fn without_what_stays(&self, mut request: Request) -> Request {
        let takes_out = |category| self.register.takes_out(category);
        let said = takes_out(Category::TRANSCRIPT);
        let [remembered, kept, documents] =
            [Category::MEMORY_SUMMARY, Category::CHAT_HISTORY, Category::KNOWLEDGE_BASE].map(takes_out);
        let texts = |exchanges: &mut Vec<Exchange>, of: &dyn Fn(&mut String)| {
            exchanges.iter_mut().flat_map(|exchange| [&mut exchange.said, &mut exchange.heard]).for_each(of);
        };
        texts(&mut request.history, &|text| said.of(text));
        texts(&mut request.earlier, &|text| [&said, &kept].iter().for_each(|takes_out| takes_out.of(text)));
        said.of(&mut request.text);
        for text in &mut request.passages {
            [&said, &documents].iter().for_each(|takes_out| takes_out.of(text));
        }
        let facts = request.facts.iter_mut().flat_map(|fact| [&mut fact.key, &mut fact.value]);
        facts.for_each(|text| [&said, &remembered].iter().for_each(|takes_out| takes_out.of(text)));
        request
    }

    /// Has a picture looked at, of whose question and answer goes on what the policy does not have taken out. `take_in` is
    /// asked for the picture once its permit is issued and on record: of what nobody may look at, not a byte is taken in.
    ///
    /// # Errors
    /// [`Error`] says why not; in particular when consent is taken back, at that moment.
    pub async fn view(
        &self,
        context: &Context,
        question: String,
        take_in: impl FnOnce() -> Exposure,
    ) -> Result<Redacted<String>, Error> {
        let (_, provider, lease) = self.open(context, Category::IMAGE, &self.processors.viewers).await?;
        context.lineage.grows_from(&lease);
        let call = self.call(context, &lease, self.timeouts.view);
        let takes_out = [Category::IMAGE, Category::TRANSCRIPT].map(|of| self.register.takes_out(of));
        let (exposure, label, mut question) = (take_in(), context.label(Category::IMAGE), question);
        takes_out.iter().for_each(|takes_out| takes_out.of(&mut question));
        let seen = call::result(&self.tasks, "view", lease, async move {
            let picture = match exposure.develop().await {
                Ok(picture) => picture,
                Err(error) => return Ok(Err(error)),
            };
            let seen = provider.view(call, Labelled::new(label, Sight { picture, question })).await?;
            let mut seen = seen.into_inner();
            takes_out.iter().for_each(|takes_out| takes_out.of(&mut seen));
            Ok(Ok(Redacted::new(seen)))
        });
        Ok(seen.await??)
    }

    /// Opens the way to a voice that will be given text of `category`. Its intent is on record when this returns, so that
    /// whoever knows that something will be said can have that written before they know what.
    ///
    /// # Errors
    /// [`Error`] says why not.
    pub async fn voice(&self, context: &Context, category: Category) -> Result<Voice, Error> {
        let (_, provider, lease) = self.open(context, category, &self.processors.synthesizers).await?;
        let call = self.call(context, &lease, self.timeouts.synthesize);
        let (text, given) = oneshot::channel();
        let speech = call::stream(&self.tasks, "synthesize", lease, Vec::new(), PARTS_WAITING_MAX, async move {
            match given.await {
                Ok(text) => provider.synthesize(call, text).await,
                // Whoever drops the text unsaid drops the stream with it, which ends this.
                Err(_) => pending().await,
            }
        });
        Ok(Voice { label: context.label(category), text, speech: speech.boxed() })
    }

    /// Finds the first processor, in the policy's order of regions, that may have data of `category`, and opens the way to
    /// it. Only that an earlier one *may not* have it leads to a later one, never that something failed. Where none may, the
    /// reason is that of the one that came closest to it.
    async fn open<P: ?Sized>(
        &self,
        context: &Context,
        category: Category,
        processors: &processors::Kind<P>,
    ) -> Result<(ProcessorId, Arc<P>, Lease), Error> {
        let mut closest = None;
        for (processor, provider) in processors.in_order(&self.register.profile()) {
            let ask = context.ask(category, Gate::of(processors.kind()), processor);
            match self.acquire(context, ask).await {
                Ok(lease) => return Ok((processor, Arc::clone(provider), lease)),
                Err(Denied::Policy(reason)) => closest = closest.max(Some(reason)),
                Err(failed) => return Err(Error::Denied(failed)),
            }
        }
        Err(closest.map_or(Error::NoProcessor(processors.kind()), |reason| Error::Denied(Denied::Policy(reason))))
    }

    async fn acquire(&self, context: &Context, ask: Ask) -> Result<Lease, Denied> {
        self.register.acquire_of(ask, &context.lineage).await
    }

    fn call(&self, context: &Context, lease: &Lease, timeout: Duration) -> Call {
        let (permit, language) = (lease.permit().clone(), context.language.clone());
        Call { id: lease.segment(), permit, timeout, turn: context.turn, language }
    }

    /// The kinds of processors that none is registered for: an engine without them cannot hold a conversation.
    #[must_use]
    pub fn missing(&self) -> Vec<ProcessorKind> {
        self.processors.missing()
    }
}
