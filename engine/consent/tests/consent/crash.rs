//! `kill -9` at any instant: what was acknowledged is there, no OK is undone, and what was begun is completed.

use core::time::Duration;
use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use sayso_audit::Event;
use sayso_consent::{Means, Options, Register};
use sayso_policy::ConsentStatus;
use sayso_runtime::{SystemClock, TaskKind, Tasks};
use sayso_types::SubjectId;
use sayso_vault::testing::vault;

use crate::world::{MEMORY, VOICE, answer, ask, frame, leaves_of, open_store, profile, verify};

/// Tells the test's own program that it is the one to be killed, and where it writes.
const CHILD: &str = "SAYSO_CONSENT_KILL_DIR";
const ROUNDS: u64 = 15;
const PEOPLE: usize = 6;

async fn open(dir: &Path) -> (Arc<Register>, Tasks) {
    let (store, tasks) = (open_store(dir), Tasks::new());
    let options = Options { withdraw_wait: Duration::from_secs(30), ..Options::default() };
    let clock = Arc::new(SystemClock::new());
    let vault = vault(store.clone()).await.expect("a vault that was killed is unlocked");
    let register = Register::open(store, vault, Arc::new(profile()), clock, tasks.clone(), options).await;
    (register.expect("a register that was killed opens"), tasks)
}

async fn person(register: &Register, n: usize) -> SubjectId {
    register.subject_of(&"acme".parse().unwrap(), &format!("device-{n}").parse().unwrap()).await.unwrap()
}

/// Says what was acknowledged. One write of less than a pipe's atomic size: a line is there or not.
fn say(n: usize, what: &str, cv: u64) {
    std::io::stderr().write_all(format!("{n} {what} {cv}\n").as_bytes()).expect("the parent listens");
}

/// One person's life: says yes, speaks, remembers, withdraws, and again.
async fn live(register: Arc<Register>, n: usize) {
    let subject = person(&register, n).await;
    if register.state(subject).await.unwrap().status(VOICE).is_valid() {
        // the life before ended here
        let withdrawn = register.withdraw(subject, &[], Means::Voice).await.unwrap();
        say(n, "withdrawn", withdrawn.state.cv.0);
    }
    for round in 0_u64.. {
        let state = register.record(&answer(subject, &[VOICE, MEMORY], ConsentStatus::Given)).await.unwrap();
        say(n, "given", state.cv.0);
        let facts = [("round".to_owned(), state.cv.0.to_string())];
        assert!(register.save_facts(subject, &facts).await.unwrap());
        say(n, "saved", state.cv.0);
        let asked = ask(subject, state.cv);
        let lease = register.acquire(asked).await.unwrap();
        let talk = async {
            while lease.permit().pass(frame(&asked), drop).is_ok() {
                tokio::task::yield_now().await;
            }
            drop(lease);
        };
        let scope = if round % 2 == 0 { &[][..] } else { &[VOICE, MEMORY] };
        let (withdrawn, ()) = tokio::join!(register.withdraw(subject, scope, Means::Voice), talk);
        let withdrawn = withdrawn.unwrap();
        assert!(withdrawn.ok);
        say(n, "withdrawn", withdrawn.state.cv.0);
    }
}

/// Says when a withdrawal is on record and not yet in effect.
async fn watch(register: Arc<Register>) {
    let mut changes = register.changes();
    while let Ok((_, state)) = changes.recv().await {
        if state.status(VOICE) == ConsentStatus::Withdrawing {
            say(PEOPLE, "withdrawing", state.cv.0);
        }
    }
}

async fn live_until_killed(dir: &Path) {
    let (register, tasks) = open(dir).await;
    tasks.spawn(TaskKind::Client, "watch", watch(Arc::clone(&register))).detach();
    for n in 0..PEOPLE {
        tasks.spawn(TaskKind::Client, "person", live(Arc::clone(&register), n)).detach();
    }
    panic!("{}", tasks.failure().await);
}

/// Whether a person who was last told `what` at version `told` may now stand as they do.
async fn check(register: &Register, n: usize, what: &str, told: u64) {
    let subject = person(register, n).await;
    let (state, records) = register.records(subject).await.unwrap();
    let (cv, voice, memory) = (state.cv.0, state.status(VOICE), state.status(MEMORY));
    assert_eq!(voice, memory, "both in one batch");
    let is_next = match what {
        "given" | "saved" => cv == told + 1 && voice == ConsentStatus::Withdrawn,
        "withdrawn" => cv == told + 1 && voice == ConsentStatus::Given,
        other => panic!("the child says: {other}"),
    };
    let expected = if what == "withdrawn" { ConsentStatus::Withdrawn } else { ConsentStatus::Given };
    assert!(is_next || (cv, voice) == (told, expected), "{n}: {what} {told}, found {voice:?} {cv}");
    // every second version is a grant, and each left a record a purpose
    assert_eq!(records.len() as u64, cv.div_ceil(2) * 2, "{n}");
    let facts = register.facts(subject).await.unwrap();
    match (what, voice) {
        ("saved", ConsentStatus::Given) => assert_eq!(facts, [("round".to_owned(), told.to_string())]),
        (_, ConsentStatus::Withdrawn) => assert_eq!(facts, [], "{n}: erased"),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    if let Some(dir) = env::var_os(CHILD) {
        return live_until_killed(Path::new(&dir)).await;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let mut told = BTreeMap::new();
    let mut completed_at_open = 0;
    for seed in 0..ROUNDS {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "crash::what_was_acknowledged_survives_kill_9", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut rng = fastrand::Rng::with_seed(seed);
        let (until, spin) = (rng.usize(1..200), rng.u32(0..200_000));
        let mut lines = BufReader::new(child.stderr.take().expect("is piped")).lines();
        let mut take = |line: std::io::Result<String>| {
            let line = line.expect("text");
            let [n, what, cv] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("the child says: {line}") };
            let (n, cv) = (n.parse::<usize>(), cv.parse::<u64>());
            let (Ok(n), Ok(cv)) = (n, cv) else { panic!("the child says: {line}") };
            if n < PEOPLE {
                told.insert(n, (what.to_owned(), cv));
            }
            what == "withdrawing"
        };
        lines.by_ref().take(until).for_each(|line| {
            take(line);
        });
        if seed % 2 == 0 {
            // between request and effect, as well as can be
            while !take(lines.next().expect("the child lives")) {}
        } else {
            // not only right after an acknowledgement
            (0..spin).for_each(|_| core::hint::spin_loop());
        }
        child.kill().expect("is running");
        child.wait().expect("ends");
        lines.for_each(|line| {
            take(line);
        });

        let (register, tasks) = open(dir.path()).await;
        for (n, (what, cv)) in &told {
            check(&register, *n, what, *cv).await;
        }
        let leaves = leaves_of(register.journal()).await;
        let opened = leaves.iter().rposition(|l| matches!(l.fact.event, Event::SelfcheckPassed { .. })).unwrap();
        completed_at_open += leaves[opened..].iter().filter(|l| l.fact.event.name() == "withdraw.effective").count();
        let report = verify(register.journal()).await;
        assert!(report.is_clean(), "seed {seed}: {:#?}", report.findings);
        assert_eq!(report.events["withdraw.requested"], report.events["withdraw.effective"], "seed {seed}");
        // who stands somewhere else than was last told is told so, for the next round
        for n in 0..PEOPLE {
            let state = register.state(person(&register, n).await).await.unwrap();
            let what = if state.status(VOICE) == ConsentStatus::Withdrawn { "withdrawn" } else { "given" };
            told.insert(n, (what.to_owned(), state.cv.0));
        }
        assert_eq!(tasks.shutdown(Duration::from_secs(30)).await, 0);
        drop(register);
    }
    assert!(completed_at_open > 0, "no round was killed in the midst of a withdrawal");
}
