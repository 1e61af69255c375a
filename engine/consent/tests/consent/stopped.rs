//! W7: a process that is stopped in the midst of a withdrawal, for longer than its permits live.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};

use rustix::process::{Pid, Signal, kill_process};
use sayso_consent::{Denied, Means, Options, Register};
use sayso_policy::{ConsentStatus, Reason};
use sayso_runtime::{SystemClock, Tasks};
use sayso_vault::testing::vault;

use crate::world::{TTL, VOICE, answer, ask, frame, open_store, profile};

/// Tells the test's own program that it is the one to be stopped, and where it writes.
const CHILD: &str = "SAYSO_CONSENT_STOP_DIR";
const NAME: &str = "stopped::w7_ok_is_not_said_while_stopped_and_nothing_is_sent_after_it";
const ROUNDS: usize = 3;
/// Frames that are sent before the withdrawal.
const FRAMES: usize = 50;
/// Threads that send, each as fast as it can.
const SENDERS: usize = 2;

/// One write, so that lines of several threads come whole and in the order in which they were written.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).expect("the parent listens");
}

/// The next line from whoever started this program.
async fn told(tasks: &Tasks) -> String {
    let line = || std::io::stdin().lines().next().expect("the parent speaks").expect("text");
    tasks.blocking("standard input", line).await.unwrap()
}

/// Sends until it is refused, lets go when it is told to, and says OK when that is what the register says.
async fn send_and_withdraw(dir: &Path) {
    let (store, tasks, clock) = (open_store(dir), Tasks::new(), Arc::new(SystemClock::new()));
    let options = Options { withdraw_wait: core::time::Duration::from_secs(30), ..Options::default() };
    let vault = vault(store.clone()).await.unwrap();
    let register = Register::open(store, vault, Arc::new(profile()), clock, tasks.clone(), options).await.unwrap();
    let subject = register.subject_of(&"acme".parse().unwrap(), &"device".parse().unwrap()).await.unwrap();
    let state = register.record(&answer(subject, &[VOICE], ConsentStatus::Given)).await.unwrap();
    let asked = ask(subject, state.cv);
    let lease = register.acquire(asked).await.unwrap();
    let senders: [_; SENDERS] = core::array::from_fn(|_| {
        let permit = lease.permit().clone();
        // outside of any task, as inference is: nobody can drop it
        std::thread::spawn(move || while permit.pass(frame(&asked), |_| say("frame")).is_ok() {})
    });
    assert_eq!(told(&tasks).await, "withdraw");
    let holder = async {
        lease.revoked().await;
        say("told");
        assert_eq!(told(&tasks).await, "let go");
        drop(lease);
    };
    let (withdrawn, ()) = tokio::join!(register.withdraw(subject, &[], Means::Voice), holder);
    assert!(withdrawn.unwrap().ok);
    say("ok");
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    assert!(matches!(register.acquire(asked).await, Err(Denied::Policy(Reason::NoBasis))));
    say("end");
}

/// The child, and what it says.
struct Stopped {
    child: Child,
    lines: Receiver<String>,
}

impl Stopped {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", NAME, "--nocapture"])
            .env(CHILD, dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let (said, lines) = sync_channel(1_024);
        let stderr = BufReader::new(child.stderr.take().expect("is piped"));
        std::thread::spawn(move || {
            for line in stderr.lines() {
                if said.send(line.expect("text")).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("is piped"), "{line}").expect("it listens");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// What it says up to `line`.
    fn until(&self, line: &str) -> Vec<String> {
        let mut said = Vec::new();
        while said.last().is_none_or(|last| last != line) {
            said.push(self.lines.recv().expect("it says more"));
        }
        said
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // it may have ended
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w7_ok_is_not_said_while_stopped_and_nothing_is_sent_after_it() {
    if let Some(dir) = env::var_os(CHILD) {
        return send_and_withdraw(Path::new(&dir)).await;
    }
    for _ in 0..ROUNDS {
        let dir = tempfile::tempdir().expect("a directory");
        let mut node = Stopped::start(dir.path());
        for _ in 0..FRAMES {
            assert_eq!(node.lines.recv().unwrap(), "frame");
        }
        node.tell("withdraw");
        node.until("told");
        node.signal(Signal::STOP);
        // longer than any permit lives: a withdrawal that counted on that would be through
        let silence = loop {
            match node.lines.recv_timeout(2 * TTL) {
                Ok(line) => assert_eq!(line, "frame", "written before the stop"),
                Err(silence) => break silence,
            }
        };
        assert_eq!(silence, RecvTimeoutError::Timeout, "it is stopped, not gone");
        node.tell("let go");
        assert_eq!(node.lines.recv_timeout(TTL), Err(RecvTimeoutError::Timeout), "nobody was told OK");
        node.signal(Signal::CONT);
        let said = node.until("end");
        let ok = said.iter().position(|line| line == "ok").expect("it says OK in the end");
        assert_eq!(said[ok..], ["ok", "end"], "nothing is sent after OK");
    }
}
