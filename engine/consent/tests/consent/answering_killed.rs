//! `kill -9` before and after each write of putting something right and of closing an account: what was asked for, durably,
//! is carried out by the next process, once.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::env;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use sayso_audit::{Actor, Event};
use sayso_consent::Error;
use sayso_consent::rights::{Desk, Standing, Step};
use sayso_policy::ConsentStatus;
use sayso_policy::profile::RightKind;
use sayso_store::Store;
use sayso_types::SubjectId;

use crate::answering::shows;
use crate::erasing::{facts, row};
use crate::erasing_killed::{LEFT, Opened, open};
use crate::faults::die;
use crate::world::{MEMORY, VOICE, answer, leaves_of, verify};

/// Tells the test's own program after how many writes it dies, and where it writes.
const CHILD: &str = "SAYSO_ANSWERING_WRITES";
const DIR: &str = "SAYSO_ANSWERING_DIR";

/// More writes than an answer takes, twice: before and after each.
const MOMENTS_MAX: usize = 80;

/// Puts the word right that is remembered.
fn changed() -> Vec<(String, String)> {
    vec![("word".to_owned(), "another".to_owned())]
}

/// What was there before: whose, and what was sealed.
async fn prepare(dir: &Path, kind: RightKind) -> (SubjectId, Vec<u8>) {
    let Opened { register, data, tasks, subject, .. } = open(dir).await;
    register.record(&answer(subject, &[VOICE, MEMORY], ConsentStatus::Given)).await.unwrap();
    assert!(register.save_facts(subject, &facts()).await.unwrap());
    let sealed = data.read(&[row(subject)]).await.unwrap().remove(0).unwrap().value[2..].to_vec();
    let desk = Desk::open(register.clone());
    let case = desk.receive(subject, kind, Actor::SYSTEM).await.unwrap().id;
    desk.step(subject, case, Step::Verify, Actor::SYSTEM).await.unwrap();
    if kind == RightKind::Rectify {
        desk.step(subject, case, Step::Accept, Actor::SYSTEM).await.unwrap();
    }
    assert_eq!(tasks.shutdown(Duration::from_secs(30)).await, 0);
    (subject, sealed)
}

/// Carries the request out; the process dies after so many moments. Says so if all is done before.
async fn answer_until(moments: usize, dir: &Path, kind: RightKind) {
    let Opened { register, subject, .. } = &open(dir).await;
    let (desk, subject) = (Desk::open(register.clone()), *subject);
    let case = desk.of(subject).await.unwrap()[0].id;
    LEFT.store(moments + 1, Ordering::SeqCst);
    if kind == RightKind::Rectify {
        desk.correct(subject, case, &changed(), Actor::SYSTEM).await.unwrap();
    } else {
        desk.step(subject, case, Step::Accept, Actor::SYSTEM).await.unwrap();
    }
    while desk.of(subject).await.unwrap()[0].standing != Standing::Fulfilled {
        tokio::task::yield_now().await;
    }
    std::io::stderr().write_all(b"done").expect("the parent listens");
    die();
}

/// Goes on where the child died, and looks at what came of it. Whether anything had been asked for.
async fn check(moments: usize, dir: &Path, kind: RightKind, (subject, sealed): &(SubjectId, Vec<u8>)) -> bool {
    // whoever connects the device now is somebody else if the account was closed
    let Opened { register, tasks, .. } = open(dir).await;
    let (desk, subject) = (Desk::open(register.clone()), *subject);
    let count = async |is: fn(&Event) -> bool| {
        leaves_of(register.journal()).await.iter().filter(|leaf| is(&leaf.fact.event)).count()
    };
    let is_asked = match kind {
        RightKind::Rectify => count(|event| matches!(event, Event::RectifyApplied { .. })).await > 0,
        _ => desk.of(subject).await.unwrap()[0].standing != Standing::Verified,
    };
    if is_asked {
        while desk.of(subject).await.unwrap()[0].standing != Standing::Fulfilled {
            tokio::task::yield_now().await;
        }
        assert!(!shows(dir, sealed), "{moments}: no file has what was there before");
        if kind == RightKind::Rectify {
            assert_eq!(register.facts(subject).await.unwrap(), changed(), "{moments}");
            assert_eq!(count(|event| matches!(event, Event::RectifyApplied { .. })).await, 1, "{moments}");
        } else {
            let late = register.record(&answer(subject, &[VOICE], ConsentStatus::Given)).await;
            assert!(matches!(late, Err(Error::Closed)), "{moments}");
            let anew = register.subject_of(&"acme".parse().unwrap(), &"device".parse().unwrap()).await.unwrap();
            assert_ne!(anew, subject, "{moments}");
            assert_eq!(count(|event| matches!(event, Event::AccountCancelled { .. })).await, 1, "{moments}");
        }
    } else {
        assert_eq!(register.facts(subject).await.unwrap(), facts(), "{moments}: nobody was told otherwise");
    }
    let report = verify(register.journal()).await;
    assert!(report.is_clean(), "{moments}: {:#?}", report.findings);
    assert_eq!(tasks.shutdown(Duration::from_secs(30)).await, 0);
    is_asked
}

async fn whenever_it_is_killed(name: &str, kind: RightKind) {
    if let (Some(moments), Some(dir)) = (env::var_os(CHILD), env::var_os(DIR)) {
        return answer_until(moments.to_str().unwrap().parse().unwrap(), Path::new(&dir), kind).await;
    }
    let mut asked = 0;
    for moments in 0..MOMENTS_MAX {
        let dir = tempfile::tempdir().expect("a directory");
        let before = prepare(dir.path(), kind).await;
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", name, "--nocapture"])
            .envs([(CHILD, moments.to_string().as_ref()), (DIR, dir.path().as_os_str())])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut said = String::new();
        child.stderr.take().expect("is piped").read_to_string(&mut said).expect("text");
        assert!(!child.wait().expect("ends").success(), "{moments}: it dies");
        assert!(said.is_empty() || said == "done", "{moments}: {said}");
        asked += usize::from(check(moments, dir.path(), kind, &before).await);
        if said == "done" {
            assert!(asked > 3, "it died at {asked} moments of an answer");
            return;
        }
    }
    panic!("an answer takes more than {MOMENTS_MAX} moments");
}

#[tokio::test]
async fn what_is_put_right_is_so_whenever_the_node_is_killed() {
    let name = "answering_killed::what_is_put_right_is_so_whenever_the_node_is_killed";
    whenever_it_is_killed(name, RightKind::Rectify).await;
}

#[tokio::test]
async fn an_account_is_closed_whenever_the_node_is_killed() {
    whenever_it_is_killed("answering_killed::an_account_is_closed_whenever_the_node_is_killed", RightKind::Cancel)
        .await;
}
