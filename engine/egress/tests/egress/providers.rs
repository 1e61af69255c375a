//! Providers that do what the named fakes do not.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, mpsc};

use async_trait::async_trait;
use futures::StreamExt;
use sayso_audit::Leaf;
use sayso_consent::Journal;
use sayso_policy::Labelled;
use sayso_provider::{AudioStream, Call, Error, Reply, ReplyStream, Request, Responder, Transcriber, Transcript};
use tokio::sync::Notify;

/// Remembers what was on record when it was called, before it was handed anything.
#[derive(Debug)]
pub(crate) struct Witness {
    pub(crate) journal: Journal,
    pub(crate) on_record: std::sync::Mutex<Vec<Leaf>>,
}

#[async_trait]
impl Transcriber for Witness {
    async fn transcribe(&self, call: Call, mut audio: AudioStream) -> Result<Transcript, Error> {
        let first = audio.next().await.expect("a frame");
        let entries = self.journal.read(0, 1_000).await.expect("reads");
        *self.on_record.lock().unwrap() = entries.iter().map(|entry| Leaf::decode(entry).unwrap()).collect();
        call.permit.pass(first, drop)?;
        Ok(Transcript::default())
    }
}

/// Takes what it is given into a buffer, and writes it out of there bit by bit, as a client with a queue would, also when it is
/// given nothing more. It ends by being dropped only.
#[derive(Debug, Default)]
pub(crate) struct Buffering {
    /// Bytes. Whoever writes has a share in it.
    pub(crate) written: Arc<AtomicU64>,
}

#[async_trait]
impl Transcriber for Buffering {
    async fn transcribe(&self, call: Call, mut audio: AudioStream) -> Result<Transcript, Error> {
        let (written, mut buffer, mut is_open) = (Arc::clone(&self.written), VecDeque::new(), true);
        loop {
            tokio::select! {
                Some(frame) = audio.next(), if is_open && buffer.len() < 10_000 => {
                    is_open = call.permit.pass(frame, |samples| buffer.extend(samples)).is_ok();
                }
                () = tokio::task::yield_now(), if !buffer.is_empty() => {
                    buffer.pop_front();
                    written.fetch_add(2, SeqCst);
                }
                else => core::future::pending().await,
            }
        }
    }
}

/// Cleans up in no hurry when it is dropped.
#[derive(Debug)]
pub(crate) struct Lingering {
    pub(crate) called: Arc<Notify>,
    pub(crate) cleaning_up: Arc<Notify>,
    pub(crate) is_clean: Arc<AtomicBool>,
    pub(crate) may_finish: Arc<std::sync::Mutex<mpsc::Receiver<()>>>,
}

struct Cleaner(Arc<Notify>, Arc<AtomicBool>, Arc<std::sync::Mutex<mpsc::Receiver<()>>>);

impl Drop for Cleaner {
    fn drop(&mut self) {
        self.0.notify_one();
        // what is queued behind it on this thread is not held up
        tokio::task::block_in_place(|| self.2.lock().unwrap().recv().expect("the test says when"));
        self.1.store(true, SeqCst);
    }
}

#[async_trait]
impl Transcriber for Lingering {
    async fn transcribe(&self, call: Call, mut audio: AudioStream) -> Result<Transcript, Error> {
        self.called.notify_one();
        let _cleaner = Cleaner(self.cleaning_up.clone(), self.is_clean.clone(), self.may_finish.clone());
        while let Some(frame) = audio.next().await {
            if call.permit.pass(frame, drop).is_err() {
                break;
            }
        }
        // it ends by being dropped only
        core::future::pending().await
    }
}

/// Breaks.
#[derive(Debug)]
pub(crate) struct Panicking;

#[async_trait]
impl Transcriber for Panicking {
    async fn transcribe(&self, _: Call, _: AudioStream) -> Result<Transcript, Error> {
        panic!("on purpose")
    }
}

/// Says three words and falls silent.
#[derive(Debug, Default)]
pub(crate) struct Halting {
    pub(crate) said: Arc<AtomicU64>,
}

#[async_trait]
impl Responder for Halting {
    async fn respond(&self, call: Call, request: Labelled<Request>) -> Result<ReplyStream, Error> {
        call.permit.pass(request, drop)?;
        let said = Arc::clone(&self.said);
        let words = futures::stream::iter(["one", "two", "three"]).map(move |word| {
            said.fetch_add(1, SeqCst);
            Ok(Reply::Text(word.to_owned()))
        });
        Ok(Box::pin(words.chain(futures::stream::pending())))
    }
}

/// Is asked, and never takes the question.
#[derive(Debug, Default)]
pub(crate) struct Hesitant {
    pub(crate) asked: Notify,
}

#[async_trait]
impl Responder for Hesitant {
    async fn respond(&self, _: Call, _question: Labelled<Request>) -> Result<ReplyStream, Error> {
        self.asked.notify_one();
        core::future::pending().await
    }
}

/// Keeps what it is asked.
#[derive(Debug, Default)]
pub(crate) struct Listening {
    pub(crate) asked: std::sync::Mutex<Vec<String>>,
}

#[async_trait]
impl Responder for Listening {
    async fn respond(&self, call: Call, request: Labelled<Request>) -> Result<ReplyStream, Error> {
        let request = call.permit.pass(request, |request| request)?;
        let mut asked = self.asked.lock().unwrap();
        asked.push(request.text);
        asked.extend(request.history.into_iter().flat_map(|exchange| [exchange.said, exchange.heard]));
        asked.extend(request.facts.into_iter().flat_map(|fact| [fact.key, fact.value]));
        Ok(Box::pin(futures::stream::empty()))
    }
}
