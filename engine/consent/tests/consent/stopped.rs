//! W7: a process that is stopped in the midst of a withdrawal and of a write, for longer than its permits live.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use sayso_consent::{Ask, Denied, Lease, Means, Options, Register};
use sayso_policy::{ConsentStatus, Reason};
use sayso_runtime::{SystemClock, Tasks};
use sayso_vault::testing::vault;

use crate::world::{TTL, VOICE, answer, ask, frame, open_store, profile};

/// Tells the test's own program that it is the one to be stopped, and where it writes.
const CHILD: &str = "SAYSO_CONSENT_STOP_DIR";
const NAME: &str = "stopped::w7_ok_is_not_said_while_stopped_and_nothing_is_sent_after_it";
/// That the holder lets go, and that the write that is under way ends.
const LET_GO: &str = "let go";
const END_THE_WRITE: &str = "end the write";
/// What the node is told when it goes on, in each order.
const ORDERS: [[&str; 2]; 2] = [[LET_GO, END_THE_WRITE], [END_THE_WRITE, LET_GO]];
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

/// A write under `lease` that begins now, and ends when it is told to.
fn write_slowly(lease: &Lease, asked: Ask) -> (SyncSender<()>, JoinHandle<()>) {
    let (permit, (end, ends)) = (lease.permit().clone(), sync_channel(1));
    let write = move |_| {
        say("writing");
        ends.recv().expect("it is told to end");
        say("written");
    };
    // outside of any task, as inference is: nobody can drop it
    (end, std::thread::spawn(move || permit.pass(frame(&asked), write).expect("it was allowed when it began")))
}

/// Sends until it is refused, has a write under way that takes long, lets go when it is told to, and says OK when that is what
/// the register says.
async fn send_and_withdraw(dir: &Path) {
    let (store, tasks, clock) = (open_store(dir), Tasks::new(), Arc::new(SystemClock::new()));
    let options = Options { withdraw_wait: core::time::Duration::from_secs(30), ..Options::default() };
    let vault = vault(store.clone()).await.unwrap();
    let register = Register::open(store, vault, Arc::new(profile()), clock, tasks.clone(), options).await.unwrap();
    let subject = register.subject_of(&"acme".parse().unwrap(), &"device".parse().unwrap()).await.unwrap();
    let state = register.record(&answer(subject, &[VOICE], ConsentStatus::Given)).await.unwrap();
    let asked = ask(subject, state.cv);
    let (lease, slow) = (register.acquire(asked).await.unwrap(), register.acquire(asked).await.unwrap());
    let (end, slow_writer) = write_slowly(&slow, asked);
    let senders: [_; SENDERS] = core::array::from_fn(|_| {
        let permit = lease.permit().clone();
        std::thread::spawn(move || while permit.pass(frame(&asked), |_| say("frame")).is_ok() {})
    });
    assert_eq!(told(&tasks).await, "withdraw");
    let withdrawing = async {
        assert!(register.withdraw(subject, &[], Means::Voice).await.unwrap().ok);
        say("ok");
    };
    let holder = async {
        lease.revoked().await;
        slow.revoked().await;
        say("told");
        let (mut leases, mut dropping) = (Some((lease, slow)), None);
        for _ in ORDERS[0] {
            match told(&tasks).await.as_str() {
                // on a thread: it waits for the write
                LET_GO => dropping = leases.take().map(|leases| std::thread::spawn(move || drop(leases))),
                END_THE_WRITE => end.send(()).expect("it waits for that"),
                other => panic!("nobody says {other:?}"),
            }
        }
        dropping.expect("it was told to let go").join().unwrap();
    };
    tokio::join!(withdrawing, holder);
    slow_writer.join().unwrap();
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

    /// Waits for `line`, before which it says nothing but `others`.
    fn until(&self, line: &str, others: &[&str]) {
        loop {
            let said = self.lines.recv().expect("it says more");
            if said == line {
                return;
            }
            assert!(others.contains(&said.as_str()), "it says {said:?} before {line:?}");
        }
    }

    /// Waits until it has said nothing for longer than any permit lives; before that it says nothing but `others`.
    fn until_silent(&self, others: &[&str]) {
        loop {
            match self.lines.recv_timeout(2 * TTL) {
                Ok(said) => assert!(others.contains(&said.as_str()), "it says {said:?}"),
                Err(silence) => return assert_eq!(silence, RecvTimeoutError::Timeout, "it is there, and waits"),
            }
        }
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
    for [first, second] in ORDERS {
        let dir = tempfile::tempdir().expect("a directory");
        let mut node = Stopped::start(dir.path());
        node.until("writing", &["frame"]);
        for _ in 0..FRAMES {
            node.until("frame", &[]);
        }
        node.tell("withdraw");
        node.until("told", &["frame"]);
        node.signal(Signal::STOP);
        // what was written before the stop comes yet
        node.until_silent(&["frame"]);
        node.signal(Signal::CONT);
        // a withdrawal that counted on the end of permits would be through
        node.until_silent(&["frame"]);
        node.tell(first);
        // and so would one that waited for the holder alone, or for the write
        node.until_silent(&["written"]);
        node.tell(second);
        node.until("ok", &["written"]);
        node.until("end", &[]);
    }
}
