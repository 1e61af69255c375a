//! `kill -9` before and after each write of an erasure: what was asked for, durably, is carried out by the next process,
//! once.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::env;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use sayso_audit::{Actor, Event};
use sayso_consent::erasure::Certificate;
use sayso_consent::rights::{Desk, Standing, Step};
use sayso_consent::{Options, Register};
use sayso_policy::ConsentStatus;
use sayso_policy::profile::RightKind;
use sayso_runtime::{SystemClock, Tasks};
use sayso_store::{Batch, Error, Key, Page, Prefix, Range, Store, Version, Versioned, Watch};
use sayso_store_local::LocalStore;
use sayso_types::SubjectId;
use sayso_vault::testing::{Adversary, FakeKek, vault};
use sayso_vault::{Vault, VaultId};

use crate::erasing::{facts, row, sealed_at};
use crate::faults::die;
use crate::world::{MEMORY, VOICE, answer, leaves_of, open_store, profile, verify};

/// Tells the test's own program after how many writes it dies, and where it writes.
const CHILD: &str = "SAYSO_ERASURE_WRITES";
const DIR: &str = "SAYSO_ERASURE_DIR";
const NAME: &str = "erasing_killed::an_erasure_is_carried_out_whenever_the_node_is_killed";

/// More writes than an erasure takes, twice: before and after each.
const MOMENTS_MAX: usize = 60;

/// Writes that are left until the process dies; [`usize::MAX`] for ever.
pub(crate) static LEFT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Counts down, and dies with the last.
fn moment() {
    let left = LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
        usize::MAX => None,
        left => left.checked_sub(1),
    });
    if left == Ok(1) {
        die();
    }
}

/// A store that counts the moments before and after each write.
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
        moment();
        let version = Store::commit(self.0.as_ref(), batch).await;
        moment();
        version
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        Store::watch(self.0.as_ref(), prefix).await
    }

    async fn purge(&self) -> Result<(), Error> {
        moment();
        let purged = Store::purge(self.0.as_ref()).await;
        moment();
        purged
    }
}

pub(crate) struct Opened {
    pub(crate) register: Arc<Register>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) data: Arc<LocalStore>,
    pub(crate) tasks: Tasks,
    pub(crate) subject: SubjectId,
}

pub(crate) async fn open(dir: &Path) -> Opened {
    let (data, keys) = (open_store(&dir.join("data")), open_store(&dir.join("keys")));
    let vault = vault(Arc::new(Counting(keys))).await.unwrap();
    let (tasks, clock) = (Tasks::new(), Arc::new(SystemClock::new()));
    let store = Arc::new(Counting(data.clone()));
    let opened =
        Register::open(store, vault.clone(), Arc::new(profile()), clock, tasks.clone(), Options::default()).await;
    let register = opened.unwrap();
    let subject = register.subject_of(&"acme".parse().unwrap(), &"device".parse().unwrap()).await.unwrap();
    Opened { register, vault, data, tasks, subject }
}

/// Somebody who has something remembered asks to be erased; the process dies after so many moments. Says so if all is
/// done before.
async fn erase_until(moments: usize, dir: &Path) {
    let Opened { register, subject, .. } = &open(dir).await;
    let desk = Desk::open(register.clone());
    let case = desk.of(*subject).await.unwrap()[0].id;
    LEFT.store(moments + 1, Ordering::SeqCst);
    desk.step(*subject, case, Step::Accept, Actor::SYSTEM).await.unwrap();
    register.until_certified(*subject, case).await.unwrap();
    std::io::stderr().write_all(b"certified").expect("the parent listens");
    die();
}

/// What was there before: the vault's id, and what was sealed.
async fn prepare(dir: &Path) -> (VaultId, Vec<u8>) {
    let Opened { register, vault, data, tasks, subject } = open(dir).await;
    register.record(&answer(subject, &[VOICE, MEMORY], ConsentStatus::Given)).await.unwrap();
    assert!(register.save_facts(subject, &facts()).await.unwrap());
    let sealed = data.read(&[row(subject)]).await.unwrap().remove(0).unwrap().value[2..].to_vec();
    let desk = Desk::open(register.clone());
    let case = desk.receive(subject, RightKind::Erase, Actor::SYSTEM).await.unwrap().id;
    desk.step(subject, case, Step::Verify, Actor::SYSTEM).await.unwrap();
    assert_eq!(tasks.shutdown(Duration::from_secs(30)).await, 0);
    (vault.id(), sealed)
}

/// Goes on where the child died, and looks at what came of it. Whether anything had been asked for.
async fn check(moments: usize, dir: &Path, (id, sealed): &(VaultId, Vec<u8>)) -> bool {
    let Opened { register, data: _data, tasks, subject, .. } = open(dir).await;
    let desk = Desk::open(register.clone());
    let case = desk.of(subject).await.unwrap().remove(0);
    let is_asked = case.standing != Standing::Verified;
    if is_asked {
        let json = register.until_certified(subject, case.id).await.unwrap();
        assert_eq!(Certificate::parse(&json).unwrap().keys.len(), 1, "{moments}: it knows the key");
        assert_eq!(desk.of(subject).await.unwrap()[0].standing, Standing::Fulfilled, "{moments}");
        let state = register.state(subject).await.unwrap();
        assert_eq!(state.status(MEMORY), ConsentStatus::Withdrawn, "{moments}");
        let adversary = Adversary::new(&[dir], FakeKek::KEY, *id).unwrap();
        let at = row(subject);
        assert!(adversary.read(&sealed_at(&at, subject), sealed).is_none(), "{moments}: no file has the key");
        assert!(!adversary.sees(sealed), "{moments}: no file has the ciphertext");
        let leaves = leaves_of(register.journal()).await;
        let count = |is: fn(&Event) -> bool| leaves.iter().filter(|leaf| is(&leaf.fact.event)).count();
        let counts = [
            count(|event| matches!(event, Event::EraseCommitted { .. })),
            count(|event| matches!(event, Event::KeyDestroyed { .. })),
            count(|event| matches!(event, Event::EraseCertified { .. })),
        ];
        assert_eq!(counts, [1, 1, 1], "{moments}: each is told once");
    } else {
        assert_eq!(register.facts(subject).await.unwrap(), facts(), "{moments}: nobody was told otherwise");
    }
    let report = verify(register.journal()).await;
    assert!(report.is_clean(), "{moments}: {:#?}", report.findings);
    assert_eq!(tasks.shutdown(Duration::from_secs(30)).await, 0);
    is_asked
}

#[tokio::test]
async fn an_erasure_is_carried_out_whenever_the_node_is_killed() {
    if let (Some(moments), Some(dir)) = (env::var_os(CHILD), env::var_os(DIR)) {
        return erase_until(moments.to_str().unwrap().parse().unwrap(), Path::new(&dir)).await;
    }
    let mut asked = 0;
    for moments in 0..MOMENTS_MAX {
        let dir = tempfile::tempdir().expect("a directory");
        let before = prepare(dir.path()).await;
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", NAME, "--nocapture"])
            .envs([(CHILD, moments.to_string().as_ref()), (DIR, dir.path().as_os_str())])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut said = String::new();
        child.stderr.take().expect("is piped").read_to_string(&mut said).expect("text");
        assert!(!child.wait().expect("ends").success(), "{moments}: it dies");
        assert!(said.is_empty() || said == "certified", "{moments}: {said}");
        asked += usize::from(check(moments, dir.path(), &before).await);
        if said == "certified" {
            assert!(asked > 10, "it died at {asked} moments of an erasure");
            return;
        }
    }
    panic!("an erasure takes more than {MOMENTS_MAX} moments");
}
