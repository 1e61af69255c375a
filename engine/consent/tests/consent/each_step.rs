//! W6: `kill -9` at each step of a withdrawal. What was acknowledged stands; what was asked for, durably, is completed.

use core::time::Duration;
use std::env;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use sayso_consent::{Denied, Means, Options, Register};
use sayso_policy::{ConsentState, ConsentStatus, Reason};
use sayso_runtime::{SystemClock, Tasks};
use sayso_types::SubjectId;
use sayso_vault::testing::vault;

use crate::faults::{Fault, Faulty, die};
use crate::killed::last_words;
use crate::world::{MEMORY, VOICE, answer, ask, frame, leaves_of, open_store, profile, verify};

/// Tells the test's own program at which step it dies, and where it writes.
const CHILD: &str = "SAYSO_CONSENT_STEP";
const DIR: &str = "SAYSO_CONSENT_STEP_DIR";
const NAME: &str = "each_step::w6_killed_at_each_step_of_a_withdrawal";

/// The steps of a withdrawal, in order.
const STEPS: [&str; 7] =
    ["request sent", "request on record", "gates closed", "let go", "effect sent", "effect on record", "ok said"];

async fn open(dir: &Path) -> (Arc<Register>, Arc<Faulty<sayso_store_local::LocalStore>>, Tasks) {
    let (local, tasks) = (open_store(dir), Tasks::new());
    let (store, vault) = (Faulty::new(local.clone()), vault(local).await.unwrap());
    let options = Options { withdraw_wait: Duration::from_secs(30), ..Options::default() };
    let clock = Arc::new(SystemClock::new());
    let profile = Arc::new(profile());
    let register = Register::open(store.clone(), vault, profile, clock, tasks.clone(), options).await.unwrap();
    (register, store, tasks)
}

async fn person(register: &Register) -> SubjectId {
    register.subject_of(&"acme".parse().unwrap(), &"device".parse().unwrap()).await.unwrap()
}

/// Agrees, speaks, withdraws, and dies at `step`. Says OK if it comes to that.
async fn withdraw_until(step: &str, dir: &Path) {
    let (register, store, _tasks) = open(dir).await;
    let subject = person(&register).await;
    let state = register.record(&answer(subject, &[VOICE, MEMORY], ConsentStatus::Given)).await.unwrap();
    assert!(register.save_facts(subject, &[("name".into(), "Anna".into())]).await.unwrap());
    let asked = ask(subject, state.cv);
    let lease = register.acquire(asked).await.unwrap();
    lease.permit().pass(frame(&asked), drop).unwrap();

    match step {
        "request sent" => store.fail(Fault::DieBefore),
        "request on record" => store.fail(Fault::DieAfter),
        _ => {}
    }
    let holder = async {
        lease.revoked().await;
        match step {
            "gates closed" => die(),
            "effect sent" => store.fail(Fault::DieBefore),
            "effect on record" => store.fail(Fault::DieAfter),
            _ => {}
        }
        drop(lease);
        if step == "let go" {
            die();
        }
    };
    let (withdrawn, ()) = tokio::join!(register.withdraw(subject, &[], Means::Voice), holder);
    assert!(withdrawn.unwrap().ok);
    std::io::stderr().write_all(b"ok").expect("the parent listens");
    die();
}

fn is(state: &ConsentState, status: ConsentStatus) -> bool {
    (state.status(VOICE), state.status(MEMORY)) == (status, status)
}

#[tokio::test]
async fn w6_killed_at_each_step_of_a_withdrawal() {
    if let (Some(step), Some(dir)) = (env::var_os(CHILD), env::var_os(DIR)) {
        return withdraw_until(step.to_str().unwrap(), Path::new(&dir)).await;
    }
    for (n, step) in STEPS.into_iter().enumerate() {
        let dir = tempfile::tempdir().expect("a directory");
        let said = last_words(NAME, [(CHILD, step.as_ref()), (DIR, dir.path().as_os_str())]);
        assert_eq!(said, if step == "ok said" { "ok" } else { "" }, "{step}");

        let (register, _store, tasks) = open(dir.path()).await;
        let subject = person(&register).await;
        let state = register.state(subject).await.unwrap();
        let told: Vec<_> = leaves_of(register.journal()).await.iter().map(|leaf| leaf.fact.event.name()).collect();
        let count = |name| told.iter().filter(|told| **told == name).count();
        let is_requested = n > 0;
        let requested = usize::from(is_requested);
        assert_eq!(
            (count("withdraw.requested"), count("withdraw.effective")),
            (requested, requested),
            "{step}: {told:?}"
        );
        let opened = told.iter().rposition(|name| *name == "audit.selfcheck_passed").unwrap();
        let completed_at_open = told[opened..].contains(&"withdraw.effective");
        assert_eq!(completed_at_open, is_requested && n < 5, "{step}: {told:?}");
        if is_requested {
            assert!(is(&state, ConsentStatus::Withdrawn), "{step}: {state:?}");
            let denied = register.acquire(ask(subject, state.cv)).await;
            assert!(matches!(denied, Err(Denied::Policy(Reason::NoBasis))), "{step}");
            assert_eq!(register.facts(subject).await.unwrap(), [], "{step}: erased");
        } else {
            assert!(is(&state, ConsentStatus::Given), "{step}: nobody was told otherwise, {state:?}");
        }
        let report = verify(register.journal()).await;
        assert!(report.is_clean(), "{step}: {:#?}", report.findings);
        assert_eq!(tasks.shutdown(Duration::from_secs(30)).await, 0);
    }
}
