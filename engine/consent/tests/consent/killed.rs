//! `kill -9` before each write of a [`Story`]: what was begun, durably, is finished by the next process, once. What was not is
//! as if nobody had begun it.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::{env, fs};

use async_trait::async_trait;
use sayso_audit::{Event, SubjectTag};
use sayso_consent::{Options, Register};
use sayso_policy::{ConsentStatus, Profile};
use sayso_runtime::Tasks;
use sayso_store::{Batch, Error, Key, Page, Prefix, Range, Store, Version, Versioned, Watch};
use sayso_store_local::LocalStore;
use sayso_types::{ManualClock, Purpose, SubjectId};
use sayso_vault::Vault;
use sayso_vault::testing::vault;

use crate::faults::die;
use crate::world::{answer, leaves_of, open_store, verify};

/// Tells the test's own program before which write it dies, and where it writes.
const CHILD: &str = "SAYSO_KILLED_WRITE";
const DIR: &str = "SAYSO_KILLED_DIR";

/// More writes than a story has.
const WRITES_MAX: usize = 120;

/// More than any state takes to come about.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes that are left until the process dies; [`usize::MAX`] for ever.
static LEFT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Counts down, and dies with the last. After a write and before the next one the disk is the same.
fn write() {
    let left = LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
        usize::MAX => None,
        left => left.checked_sub(1),
    });
    if left == Ok(1) {
        die();
    }
}

/// A store that counts writes.
#[derive(Debug)]
struct Counting(Arc<LocalStore>);

#[async_trait]
impl Store for Counting {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.0.read(keys).await
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        self.0.scan(range, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Version, Error> {
        write();
        Store::commit(self.0.as_ref(), batch).await
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        Store::watch(self.0.as_ref(), prefix).await
    }

    async fn purge(&self) -> Result<Vec<u64>, Error> {
        write();
        let replicas = Store::purge(self.0.as_ref()).await?;
        write();
        Ok(replicas)
    }
}

/// A node whose data and keys are in stores of their own, in one directory.
pub(crate) struct Node {
    pub(crate) register: Arc<Register>,
    pub(crate) clock: ManualClock,
    pub(crate) vault: Arc<Vault>,
    data: Arc<LocalStore>,
    pub(crate) dir: PathBuf,
    keys: Arc<LocalStore>,
    tasks: Tasks,
}

impl Node {
    async fn open(dir: &Path, policy: Arc<Profile>, passed: Duration) -> Self {
        let (data, keys, clock) = (open_store(&dir.join("data")), open_store(&dir.join("keys")), ManualClock::new());
        clock.advance(passed);
        let vault = vault(Arc::new(Counting(keys.clone()))).await.unwrap();
        let (store, tasks) = (Arc::new(Counting(data.clone())), Tasks::new());
        let times = Arc::new(clock.clone());
        let opened = Register::open(store, vault.clone(), policy, times, tasks.clone(), Options::default()).await;
        Self { register: opened.unwrap(), clock, vault, data, dir: dir.to_owned(), keys, tasks }
    }

    async fn close(self) {
        let Self { register, data, keys, tasks, .. } = self;
        assert_eq!(tasks.shutdown(PATIENCE).await, 0, "everything ends in time");
        drop(register);
        data.close();
        keys.close();
    }

    /// Whoever speaks to `device`.
    pub(crate) async fn subject(&self, device: &str) -> SubjectId {
        self.register.subject_of(&"acme".parse().unwrap(), &device.parse().unwrap()).await.unwrap()
    }

    /// The same, who said yes to `purposes`.
    pub(crate) async fn person(&self, device: &str, purposes: &[Purpose]) -> SubjectId {
        let subject = self.subject(device).await;
        self.register.record(&answer(subject, purposes, ConsentStatus::Given)).await.unwrap();
        subject
    }

    /// Rows of `table`.
    pub(crate) async fn rows(&self, table: &'static str) -> usize {
        self.data.scan((&Prefix::table(table)).into(), 1_000).await.unwrap().entries.len()
    }

    /// What lies sealed at `row`, without the version before it.
    pub(crate) async fn sealed(&self, row: Key) -> Vec<u8> {
        self.data.read(&[row]).await.unwrap().remove(0).unwrap().value[2..].to_vec()
    }

    /// How often an event is on record that is as `is` says.
    pub(crate) async fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        leaves_of(self.register.journal()).await.iter().filter(|leaf| is(&leaf.fact.event)).count()
    }

    /// The same, by an earlier process.
    pub(crate) async fn count_before(&self, is: impl Fn(&Event) -> bool) -> usize {
        let leaves = leaves_of(self.register.journal()).await;
        let epoch = leaves.last().map(|leaf| leaf.fact.epoch);
        leaves.iter().filter(|leaf| Some(leaf.fact.epoch) != epoch && is(&leaf.fact.event)).count()
    }

    /// How often it is on record, of whom.
    pub(crate) async fn tally(&self, is: impl Fn(&Event) -> bool) -> BTreeMap<SubjectTag, usize> {
        let mut tally = BTreeMap::new();
        for leaf in leaves_of(self.register.journal()).await {
            if let Some(subject) = leaf.fact.subject.filter(|_| is(&leaf.fact.event)) {
                *tally.entry(subject).or_default() += 1;
            }
        }
        tally
    }

    /// Waits until `count` of such events are on record.
    pub(crate) async fn until(&self, count: usize, is: impl Fn(&Event) -> bool) {
        let wait = async {
            while self.count(&is).await < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("events that are told");
    }
}

/// Something that takes more than one write.
pub(crate) trait Story {
    /// The policy.
    fn policy(&self) -> Arc<Profile>;

    /// What there is before.
    async fn prepare(&self, node: &Node);

    /// It, in a process that dies before one of its writes, after `prepare` on the same clock.
    async fn goes(&self, node: &Node);

    /// Has the next process finish it, and looks at what came of it: whether it had been begun.
    async fn ends(&self, node: &Node) -> bool;

    /// How much time has passed when it goes, and when the next process ends it.
    fn passed(&self) -> [Duration; 2] {
        [Duration::ZERO; 2]
    }
}

/// Has `story` killed before each of its writes. `name` is the test's.
pub(crate) async fn whenever(name: &str, story: impl Story) {
    let [before, after] = story.passed();
    if let (Some(write), Some(dir)) = (env::var_os(CHILD), env::var_os(DIR)) {
        let node = Node::open(Path::new(&dir), story.policy(), before).await;
        LEFT.store(write.to_str().unwrap().parse::<usize>().unwrap() + 1, Ordering::SeqCst);
        story.goes(&node).await;
        std::io::stderr().write_all(b"done").expect("the parent listens");
        die();
    }
    let first = tempfile::tempdir().expect("a directory");
    let node = Node::open(first.path(), story.policy(), Duration::ZERO).await;
    story.prepare(&node).await;
    node.close().await;
    let mut begun = 0;
    for write in 0..WRITES_MAX {
        let dir = tempfile::tempdir().expect("a directory");
        copy(first.path(), dir.path());
        let said = last_words(name, [(CHILD, write.to_string().as_ref()), (DIR, dir.path().as_os_str())]);
        assert!(said.is_empty() || said == "done", "{write}: {said}");
        let node = Node::open(dir.path(), story.policy(), after).await;
        begun += usize::from(story.ends(&node).await);
        let report = verify(node.register.journal()).await;
        assert!(report.is_clean(), "{write}: {:#?}", report.findings);
        node.close().await;
        if said == "done" {
            assert!(begun > 2, "it died at {begun} writes after it had begun");
            return;
        }
    }
    panic!("it takes more than {WRITES_MAX} writes");
}

/// Runs the test `name` of this program again, as a process that is told by `envs` when to die: what it said until then.
pub(crate) fn last_words(name: &str, envs: [(&str, &OsStr); 2]) -> String {
    let mut child = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .envs(envs)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut said = String::new();
    child.stderr.take().expect("is piped").read_to_string(&mut said).expect("text");
    assert!(!child.wait().expect("ends").success(), "{envs:?}: it dies");
    said
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            fs::create_dir(&to).expect("is made");
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("is copied");
        }
    }
}
