//! A node in a process of its own: this program again, told by its environment where it lives.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_all;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sayso_runtime::{CancellationToken, TaskKind, Tasks};
use sayso_store::{Change, Key, Lagged, Prefix, Store, Version, Watch};
use sayso_store_local::testing::slow_syncs;
use sayso_store_raft::{Address, NodeId, RaftOptions, RaftStore, Tls};
use sayso_types::{Clock, Name};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::task::TaskTracker;

use super::messages::{Answer, Ask, Changed, batch_from, held_into, page_into, range_of};
use crate::set_clock::SetClock;

/// Tells this program that it is a node, and where it lives.
pub(super) const HOME: &str = "SAYSO_RAFT_NODE_HOME";
/// Names of what is in its home.
pub(super) const SPEC: &str = "spec.json";
pub(super) const SOCKET: &str = "socket";
pub(super) const DISK: &str = "disk";
const AHEAD: &str = "ahead";
/// Few entries, so that nodes come back to find that they need a snapshot.
const LOG_ENTRIES: u64 = 40;
/// Small enough that tables merge.
const MEMTABLE_BYTES: u64 = 256 << 10;

/// Which node it is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) cluster: String,
    pub(super) node: u64,
    pub(super) listen: String,
    pub(super) address: String,
    pub(super) founders: BTreeMap<u64, String>,
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) authority: Vec<u8>,
    pub(super) answer_within_ms: u64,
}

impl Spec {
    fn options(self, clock: Arc<dyn Clock>) -> RaftOptions {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.authority)).expect("an authority");
        let tls = Tls {
            chain: vec![CertificateDer::from(self.certificate)],
            key: PrivatePkcs8KeyDer::from(self.key).into(),
            roots,
        };
        let founders = self.founders.into_iter().map(|(node, address)| (NodeId(node), Address(address))).collect();
        let (cluster, listen) = (Name::parse(&self.cluster).expect("a name"), self.listen.parse().expect("an address"));
        let options = RaftOptions::new(NodeId(self.node), cluster, listen, founders, tls, clock);
        RaftOptions {
            address: Address(self.address),
            answer_within: Duration::from_millis(self.answer_within_ms),
            log_entries: LOG_ENTRIES,
            memtable_bytes: MEMTABLE_BYTES,
            ..options
        }
    }
}

/// Is a node, if this process was started as one, and does not return then.
pub(crate) fn be_a_node_if_told() {
    let Some(home) = env::var_os(HOME).map(PathBuf::from) else { return };
    // whoever started it holds the other end of this pipe: it ends with the test, however that ends
    std::thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(1);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let served = runtime.expect("a runtime").block_on(serve(&home));
    // what it says on standard error is kept by whoever started it
    if let Err(refused) = served {
        let _ = writeln!(io::stderr(), "{refused}");
        process::exit(1);
    }
    process::exit(0);
}

async fn serve(home: &Path) -> Result<(), sayso_store_raft::Error> {
    let spec: Spec = serde_json::from_slice(&fs::read(home.join(SPEC)).expect("a spec")).expect("a spec");
    // a clock that was set wrong is so after a restart, too
    let clock = Arc::new(SetClock::default());
    clock.set(fs::read_to_string(home.join(AHEAD)).map_or(0, |ahead| ahead.parse().expect("a number")));
    let tasks = Tasks::new();
    let store = RaftStore::open(&home.join(DISK), spec.options(clock.clone()), tasks.clone()).await?;
    let listener = UnixListener::bind(home.join(SOCKET)).expect("nobody else is this node");
    let (home, watched, closed) = (home.to_owned(), TaskTracker::new(), CancellationToken::new());
    let node = Arc::new(Node { home, store, clock, watched, closed });
    loop {
        let accepted = tokio::select! {
            () = node.closed.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let (stream, _) = accepted.expect("accepts");
        let node = Arc::clone(&node);
        tasks.spawn(TaskKind::Client, "answers", async move { node.answer_all(stream).await }).detach();
    }
}

struct Node {
    home: PathBuf,
    store: Arc<RaftStore>,
    clock: Arc<SetClock>,
    /// Those who are told changes.
    watched: TaskTracker,
    closed: CancellationToken,
}

impl Node {
    /// Answers until whoever asks is gone.
    async fn answer_all(&self, stream: UnixStream) {
        let (read, write) = stream.into_split();
        let (mut lines, mut write) = (BufReader::new(read).lines(), write);
        while let Ok(Some(line)) = lines.next_line().await {
            let ask: Ask = serde_json::from_str(&line).expect("a question");
            if let Ask::Watch(prefix) = ask {
                return self.watched.track_future(self.tell_changes(prefix, lines, write)).await;
            }
            let closes = matches!(ask, Ask::Close);
            let is_told = tell(&mut write, &self.answer(ask).await).await;
            if closes {
                self.closed.cancel();
            }
            if !is_told {
                return;
            }
        }
    }

    /// Tells the changes of all watches that are asked for over one connection, in the order in which they happen, until all
    /// have ended.
    async fn tell_changes(
        &self,
        prefix: Vec<u8>,
        mut lines: Lines<BufReader<OwnedReadHalf>>,
        mut write: OwnedWriteHalf,
    ) {
        let mut watches = Vec::new();
        let mut asked = Some(prefix);
        loop {
            if let Some(prefix) = asked.take() {
                let watch = self.store.watch(Prefix::from_bytes(prefix)).await;
                let answer = watch.map_or_else(Answer::refused, |watch| {
                    watches.push(Some(watch));
                    Answer::Done
                });
                if !tell(&mut write, &answer).await || watches.is_empty() {
                    return;
                }
            }
            tokio::select! {
                line = lines.next_line() => {
                    let Ok(Some(line)) = line else { return };
                    let Ok(Ask::Watch(prefix)) = serde_json::from_str(&line) else { panic!("{line}") };
                    asked = Some(prefix);
                }
                (number, next) = next_of_any(&mut watches) => {
                    let mut given = Vec::new();
                    note(&mut given, &mut watches[number], number, next);
                    while let Some(upto) = given.iter().map(|told: &Given| told.version).max() {
                        // what any of them has of an earlier commit is there by now
                        for (number, watch) in watches.iter_mut().enumerate() {
                            while let Some(next) = watch.as_mut().and_then(|watch| watch.next().now_or_never()) {
                                note(&mut given, watch, number, next);
                            }
                        }
                        given.sort_by_key(|told| told.version);
                        let later = given.split_off(given.partition_point(|told| told.version <= upto));
                        for Given { number, next, .. } in core::mem::replace(&mut given, later) {
                            tell(&mut write, &Answer::Changed(number, next.map(Changed::of))).await;
                        }
                    }
                    if watches.iter().all(Option::is_none) {
                        return;
                    }
                }
            }
        }
    }

    async fn answer(&self, ask: Ask) -> Answer {
        let done = |outcome: Result<(), sayso_store_raft::Error>| match outcome {
            Ok(()) => Answer::Done,
            Err(error) => Answer::failed(&error),
        };
        match ask {
            Ask::Read(keys) => {
                let keys: Vec<_> = keys.into_iter().map(Key::from_bytes).collect();
                self.store.read(&keys).await.map_or_else(Answer::refused, held_into)
            }
            Ask::Scan { start, end, limit } => {
                self.store.scan(range_of((start, end)), limit).await.map_or_else(Answer::refused, page_into)
            }
            Ask::Commit { token, require, ops } => {
                let committed = self.store.commit(batch_from(token, require, ops)).await;
                committed.map_or_else(Answer::refused, |version| Answer::Committed(version.to_bytes()))
            }
            Ask::Status => {
                let status = self.store.status();
                Answer::Status { leader: status.leader.map(|leader| leader.0), term: status.term }
            }
            Ask::SetClock(ahead_ms) => {
                fs::write(self.home.join(AHEAD), ahead_ms.to_string()).expect("writes");
                self.clock.set(ahead_ms);
                Answer::Done
            }
            Ask::SlowSyncs(ms) => {
                slow_syncs(Duration::from_millis(ms));
                Answer::Done
            }
            Ask::Remove(node) => done(self.store.remove(NodeId(node)).await),
            Ask::Join => done(self.store.join().await),
            Ask::Close => {
                self.store.close().await;
                // watches end with the store
                self.watched.close();
                self.watched.wait().await;
                Answer::Done
            }
            Ask::Watch(_) => unreachable!("it has a connection of its own"),
        }
    }
}

/// What a watch gives next; nothing when it has ended.
type Next = Option<Result<Change, Lagged>>;

/// What the first of them gives that gives anything.
async fn next_of_any(watches: &mut [Option<Watch>]) -> (usize, Next) {
    let next = watches.iter_mut().enumerate().filter_map(|(number, watch)| {
        let watch = watch.as_mut()?;
        Some(async move { (number, watch.next().await) }.boxed())
    });
    select_all(next).await.0
}

/// What a watch gave that was not told yet.
struct Given {
    /// After which commit it is to be told.
    version: Version,
    number: usize,
    next: Next,
}

fn note(given: &mut Vec<Given>, watch: &mut Option<Watch>, number: usize, next: Next) {
    let version = match &next {
        Some(Ok(change)) => change.version,
        // after what it gave before
        Some(Err(Lagged)) => {
            let before = given.iter().filter(|given| given.number == number).map(|given| given.version);
            before.max().unwrap_or_default()
        }
        None => {
            *watch = None;
            Version::from_bytes([0xff; 10])
        }
    };
    given.push(Given { version, number, next });
}

/// Whether somebody was there to be told.
async fn tell(write: &mut OwnedWriteHalf, answer: &Answer) -> bool {
    let mut line = serde_json::to_vec(answer).expect("an answer");
    line.push(b'\n');
    write.write_all(&line).await.is_ok()
}
