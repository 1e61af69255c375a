//! What is in a store, read by a command while a node uses it: the node gives it, as it is at one moment.
//!
//! ```text
//!   sayso store inspect, check, backup ── a socket named after DIR: which version, how many passes ──▶ the node that uses DIR
//!                               ◀── what it knows of its cluster, if any; keys and values in order, all of them; a second time
//! ```
//!
//! The socket is no file, so that copies of the directory have nothing of it. Each of the two sees who the other is: the node
//! answers the user that it runs as, and root, who could take the disk as well; the command believes nobody but these and whoever
//! the directory belongs to. A node of a cluster reads its own disk, and so loads neither the one that leads nor the one that
//! serves, unless it is that.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::geteuid;
use sayso_runtime::{TaskKind, Tasks};
use sayso_store::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use sayso_store::{Key, Value};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::told::ClusterTold;
use crate::backend::{self, Backend, Pass, Reader};
use crate::config::Config;

/// The version of what is said: command and node are the same program, except after an upgrade.
const VERSION: u8 = 2;
/// Commands that a node answers at once: each keeps the files of its moment, and what was deleted since stays in them.
const READERS_MAX: usize = 2;
/// How long a command may take to take some of it. One that is stopped would keep the files for ever.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// Bytes of the first answer, at most: some lines a node.
const HEAD_BYTES_MAX: u32 = 64 << 10;
/// Stands where the length of a key does, after the last one of a pass.
const END: u32 = u32::MAX;
const _: () = assert!(KEY_BYTES_MAX < END as usize);
/// Entries that a command takes at once.
const PAGE_ENTRIES: usize = 1_000;

/// The first answer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Head {
    /// Entries follow; of a cluster, if it is one.
    Begins(Option<ClusterTold>),
    /// Nothing does, and why.
    Refused(String),
}

/// Answers commands in the node of `config`, if its store is on disks of our own, for as long as `tasks` run.
pub(crate) fn answer(config: &Config, backend: &Backend, tasks: &Tasks) {
    let (Some(dir), Some(reader)) = (backend::dir(config), backend.reader()) else { return };
    match listen(&dir) {
        Ok(listener) => {
            let run = run(listener, reader, tasks.clone());
            tasks.spawn(TaskKind::Upkeep, "commands that read the store", run).detach();
        }
        // it serves all the same
        Err(error) => tracing::warn!(
            error = format!("{error:#}"),
            "`sayso store inspect`, `check` and `backup` cannot read the store while this node runs"
        ),
    }
}

/// Where the node that uses the store in `dir` answers. A directory has one such node at a time; what names it here is what it is
/// on its disk, because the same path may be another directory in another container.
fn socket(dir: &Path) -> Result<net::SocketAddr> {
    let directory = fs::metadata(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let name = format!("sayso-live-{:x}-{:x}", directory.dev(), directory.ino());
    Ok(net::SocketAddr::from_abstract_name(name)?)
}

fn listen(dir: &Path) -> Result<UnixListener> {
    let listener = net::UnixListener::bind_addr(&socket(dir)?)?;
    listener.set_nonblocking(true)?;
    Ok(UnixListener::from_std(listener)?)
}

fn connect(dir: &Path) -> Result<UnixStream> {
    let stream = net::UnixStream::connect_addr(&socket(dir)?)?;
    stream.set_nonblocking(true)?;
    let stream = UnixStream::from_std(stream)?;
    let (who, owner) = (stream.peer_cred()?.uid(), fs::metadata(dir)?.uid());
    ensure!(
        [geteuid().as_raw(), 0, owner].contains(&who),
        "user {who}, whose {} is not, pretends to use it",
        dir.display()
    );
    Ok(stream)
}

async fn run(listener: UnixListener, reader: Reader, tasks: Tasks) {
    let turns = Arc::new(Semaphore::new(READERS_MAX));
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (reader, turns) = (reader.clone(), Arc::clone(&turns));
        let give = async move {
            if let Err(error) = give(stream, &reader, &turns).await {
                tracing::warn!(error = format!("{error:#}"), "a command did not read the store to its end");
            }
        };
        tasks.spawn(TaskKind::Upkeep, "command that reads the store", give).detach();
    }
}

/// Gives all that is in the store to whoever is at the other end.
async fn give(mut stream: UnixStream, reader: &Reader, turns: &Semaphore) -> Result<()> {
    let who = stream.peer_cred()?.uid();
    if ![geteuid().as_raw(), 0].contains(&who) {
        return refuse(&mut stream, "only the user that the node runs as may read it, and root".to_owned()).await;
    }
    let mut asked = [0; 2];
    timeout(TAKEN_WITHIN, stream.read_exact(&mut asked)).await.context("nothing was asked")??;
    let [version, passes] = asked;
    let Ok(_turn) = turns.try_acquire() else {
        return refuse(&mut stream, format!("{READERS_MAX} commands read it already: wait for one")).await;
    };
    if version != VERSION {
        return refuse(&mut stream, "the node is of another version than this command: use its own".to_owned()).await;
    }
    let cut = match reader.sweep_twice().await {
        Ok(cut) => cut,
        Err(error) => return refuse(&mut stream, error.to_string()).await,
    };
    say(&mut stream, &Head::Begins(reader.status().map(Into::into))).await?;
    for pass in cut.into_iter().take(passes.into()) {
        give_pass(&mut stream, pass).await?;
    }
    Ok(())
}

async fn give_pass(stream: &mut UnixStream, mut pass: Pass) -> Result<()> {
    loop {
        let page = pass.next_page()?;
        let mut bytes = Vec::new();
        for entry in &page {
            let key = entry.key.as_bytes();
            for part in
                [&(key.len() as u32).to_be_bytes(), &(entry.value.len() as u32).to_be_bytes(), key, &entry.value]
            {
                bytes.extend_from_slice(part);
            }
        }
        if page.is_empty() {
            bytes.extend_from_slice(&END.to_be_bytes());
        }
        timeout(TAKEN_WITHIN, stream.write_all(&bytes)).await.context("the command does not take it")??;
        if page.is_empty() {
            return Ok(());
        }
    }
}

async fn refuse(stream: &mut UnixStream, reason: String) -> Result<()> {
    say(stream, &Head::Refused(reason)).await
}

async fn say(stream: &mut UnixStream, head: &Head) -> Result<()> {
    let head = serde_json::to_vec(head)?;
    let bytes = [&(head.len() as u32).to_be_bytes()[..], &head].concat();
    Ok(timeout(TAKEN_WITHIN, stream.write_all(&bytes)).await.context("the command does not take it")??)
}

/// What a node gives.
pub(super) struct Live {
    stream: BufReader<UnixStream>,
    dir: PathBuf,
    /// The cluster, as the node knows it, if there is one.
    pub(super) cluster: Option<ClusterTold>,
    /// Whether the pass is at its end.
    is_over: bool,
}

impl Live {
    /// Asks the node that uses the store in `dir` for `passes` over all that is there.
    pub(super) async fn ask(dir: &Path, passes: u8) -> Result<Self> {
        let unanswered = || {
            format!(
                "whoever uses {} does not answer: a node that only begins to run, or one of an earlier version, or another \
                 command. Wait for it or stop it, and run this again",
                dir.display()
            )
        };
        let mut stream = BufReader::new(connect(dir).with_context(unanswered)?);
        stream.write_all(&[VERSION, passes]).await.with_context(unanswered)?;
        let length = stream.read_u32().await.with_context(unanswered)?;
        ensure!(length <= HEAD_BYTES_MAX, "whoever uses {} answers nonsense", dir.display());
        let mut head = vec![0; length as usize];
        stream.read_exact(&mut head).await.with_context(unanswered)?;
        match serde_json::from_slice(&head).with_context(unanswered)? {
            Head::Begins(cluster) => Ok(Self { stream, dir: dir.to_owned(), cluster, is_over: false }),
            Head::Refused(reason) => bail!("the node does not give what is in its store: {reason}"),
        }
    }

    /// The next entries of a pass; `None` at its end, after which the next one begins.
    pub(super) async fn next_page(&mut self) -> Result<Option<Vec<(Key, Value)>>> {
        let mut page = Vec::new();
        while !self.is_over && page.len() < PAGE_ENTRIES {
            match self.entry().await.context("the node ended before all was read: run this again")? {
                Some(entry) => page.push(entry),
                None => self.is_over = true,
            }
        }
        if page.is_empty() {
            self.is_over = false;
            return Ok(None);
        }
        Ok(Some(page))
    }

    async fn entry(&mut self) -> Result<Option<(Key, Value)>> {
        let key = self.stream.read_u32().await?;
        if key == END {
            return Ok(None);
        }
        let value = self.stream.read_u32().await?;
        let fits = key as usize <= KEY_BYTES_MAX && value as usize <= VALUE_BYTES_MAX;
        ensure!(fits, "whoever uses {} gives an entry of more bytes than a store takes", self.dir.display());
        let (mut key, mut held) = (vec![0; key as usize], vec![0; value as usize]);
        self.stream.read_exact(&mut key).await?;
        self.stream.read_exact(&mut held).await?;
        Ok(Some((Key::from_bytes(key), held.into())))
    }
}
