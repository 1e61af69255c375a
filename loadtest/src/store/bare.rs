//! [`BareLog`]: the least that a durable commit can be.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};
use tokio::sync::{mpsc, oneshot};

/// Appends that wait: more than there are clients.
const WAITING_MAX: usize = 1_024;

/// A file to which what comes together is appended with one `fdatasync`.
pub(crate) struct BareLog {
    /// Taken when this is dropped, which ends the thread.
    queue: Option<mpsc::Sender<Append>>,
    writer: Option<JoinHandle<()>>,
}

struct Append {
    bytes: Vec<u8>,
    done: oneshot::Sender<std::io::Result<()>>,
}

impl BareLog {
    /// A new one at `path`.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file = File::create_new(path).with_context(|| format!("cannot write {}", path.display()))?;
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let writer = thread::Builder::new().name("bare-log".to_owned()).spawn(move || write(file, receiver))?;
        Ok(Self { queue: Some(sender), writer: Some(writer) })
    }

    /// Appends `bytes`; they are durable when this returns.
    pub(crate) async fn append(&self, bytes: Vec<u8>) -> Result<()> {
        let (done, outcome) = oneshot::channel();
        let queue = self.queue.as_ref().context("the log is closed")?;
        queue.send(Append { bytes, done }).await.ok().context("the log's writer has ended")?;
        outcome.await.context("the log's writer has ended")?.context("cannot append to the bare log")
    }
}

impl Drop for BareLog {
    fn drop(&mut self) {
        self.queue.take();
        if let Some(writer) = self.writer.take() {
            // a panic in it was reported by its hook
            let _ = writer.join();
        }
    }
}

fn write(mut file: File, mut queue: mpsc::Receiver<Append>) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while let Ok(next) = queue.try_recv() {
            group.push(next);
        }
        let bytes: Vec<u8> = group.iter().flat_map(|append| append.bytes.iter().copied()).collect();
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        for Append { done, .. } in group {
            let _ = done.send(written.as_ref().copied().map_err(|error| error.kind().into()));
        }
    }
}
