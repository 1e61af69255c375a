//! [`Remote`]: the store of a node in another process.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sayso_store::{Batch, Error, Key, Page, Prefix, Range, Store, Version, Versioned, Watch, Watchers, limits};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;

use super::messages::{Answer, Ask, batch_into, bytes_of, held_from, page_from};

/// Asks a node. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    socket: PathBuf,
    /// Whether it was closed from here.
    pub(super) is_closed: Arc<AtomicBool>,
    /// Where watches are asked for, once one was.
    watching: Arc<tokio::sync::Mutex<Option<OwnedWriteHalf>>>,
    watches: Arc<Watches>,
}

/// The watches of a node, by their number. All have one connection, so that their changes come in one order.
#[derive(Debug, Default)]
struct Watches(Mutex<Vec<(Watchers, Option<oneshot::Sender<Answer>>)>>);

impl Watches {
    fn held(&self) -> MutexGuard<'_, Vec<(Watchers, Option<oneshot::Sender<Answer>>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the node says, until it says no more.
    async fn take(self: Arc<Self>, read: OwnedReadHalf) {
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line).expect("an answer") {
                Answer::Changed(number, Some(changed)) => changed.publish(&self.held()[number].0),
                Answer::Changed(number, None) => self.held()[number].0.close(),
                answer => {
                    let asked = self.held().iter_mut().find_map(|(_, asked)| asked.take());
                    let _ = asked.expect("it was asked").send(answer);
                }
            }
        }
        for (watchers, asked) in self.held().iter_mut() {
            watchers.close();
            // who asked is not answered any more
            asked.take();
        }
    }
}

impl Remote {
    pub(super) fn new(socket: PathBuf) -> Self {
        Self { socket, is_closed: Arc::default(), watching: Arc::default(), watches: Arc::default() }
    }

    /// What the node says to `ask`. One that is killed says nothing more.
    pub(crate) async fn ask(&self, ask: &Ask) -> io::Result<Answer> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        stream.write_all(&line(ask)?).await?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).await?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// The same, as an outcome of the store.
    async fn outcome(&self, ask: &Ask) -> Result<Answer, Error> {
        let answer = self.ask(ask).await;
        self.outcome_of(answer)
    }

    fn outcome_of(&self, answer: io::Result<Answer>) -> Result<Answer, Error> {
        match answer {
            _ if self.is_closed.load(Ordering::Relaxed) => Err(Error::Closed),
            Ok(Answer::Conflict(key)) => Err(Error::Conflict { key: Key::from_bytes(key) }),
            Ok(Answer::Closed) => Err(Error::Closed),
            Ok(Answer::Failed { reason, retryable: true }) => Err(Error::Unavailable { reason }),
            Ok(Answer::Failed { reason, .. }) => panic!("{}: {reason}", self.socket.display()),
            Ok(answer) => Ok(answer),
            Err(gone) => Err(Error::Unavailable { reason: gone.to_string() }),
        }
    }

    async fn ask_to_watch(&self, prefix: &Prefix) -> io::Result<(Watch, Answer)> {
        let mut watching = self.watching.lock().await;
        if watching.is_none() {
            let (read, write) = UnixStream::connect(&self.socket).await?.into_split();
            #[expect(clippy::disallowed_methods, reason = "it is in no node")]
            tokio::spawn(Arc::clone(&self.watches).take(read));
            *watching = Some(write);
        }
        let (watchers, (asked, answer)) = (Watchers::default(), oneshot::channel());
        let watch = watchers.watch(prefix.clone()).expect("it is the first");
        self.watches.held().push((watchers, Some(asked)));
        let write = watching.as_mut().expect("it was put there");
        write.write_all(&line(&Ask::Watch(prefix.as_bytes().to_vec()))?).await?;
        let answer = answer.await.map_err(io::Error::other)?;
        Ok((watch, answer))
    }
}

fn line(ask: &Ask) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(ask)?;
    line.push(b'\n');
    Ok(line)
}

#[async_trait]
impl Store for Remote {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        limits::check_read(keys)?;
        match self.outcome(&Ask::Read(keys.iter().map(bytes_of).collect())).await? {
            Answer::Read(held) => Ok(held_from(held)),
            other => panic!("{other:?}"),
        }
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        limits::check_scan(&range, limit)?;
        let ask = Ask::Scan { start: bytes_of(&range.start), end: bytes_of(&range.end), limit };
        match self.outcome(&ask).await? {
            Answer::Page { entries, rest } => Ok(page_from(entries, rest)),
            other => panic!("{other:?}"),
        }
    }

    async fn commit(&self, batch: Batch) -> Result<Version, Error> {
        batch.check()?;
        match self.outcome(&batch_into(&batch)).await? {
            Answer::Committed(version) => Ok(Version::from_bytes(version)),
            other => panic!("{other:?}"),
        }
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        let asked = self.ask_to_watch(&prefix).await;
        let (watch, answer) = asked.map_or_else(|gone| (None, Err(gone)), |(watch, answer)| (Some(watch), Ok(answer)));
        self.outcome_of(answer)?;
        Ok(watch.expect("it was answered"))
    }
}
