//! [`Process`]: a node that can be killed, stopped and cut short.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use tokio::net::UnixStream;

use super::node::{HOME, SOCKET};
use super::remote::Remote;

/// A test of this program that is a node when it is told to.
const TEST: &str = "faults::nothing_acknowledged_is_lost_and_histories_are_linearizable";
/// How often it is looked whether a node is up.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A node that runs. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    home: PathBuf,
}

impl Process {
    /// Starts the node that lives in `home`, and waits until it serves. If it does not: what it said.
    pub(crate) async fn start(home: &Path) -> Result<Self, String> {
        let (said, socket) = (home.join("said"), home.join(SOCKET));
        // there is one of a node that was killed
        let _ = fs::remove_file(&socket);
        // a write that a limit forbids fails, as one to a full disk does, instead of ending the process
        let shell = "trap '' XFSZ; exec \"$0\" --exact \"$1\" --nocapture";
        let child = Command::new("sh")
            .args(["-c".as_ref(), shell.as_ref(), env::current_exe().expect("this program").as_os_str(), TEST.as_ref()])
            .env(HOME, home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&said).expect("creates"))
            .spawn();
        let mut process = Self { child: child.expect("starts"), home: home.to_owned() };
        while UnixStream::connect(&socket).await.is_err() {
            if process.child.try_wait().expect("is a child").is_some() {
                return Err(fs::read_to_string(said).expect("reads"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(process)
    }

    pub(crate) fn remote(&self) -> Remote {
        Remote::new(self.home.join(SOCKET))
    }

    /// `kill -9`.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Has it do nothing at all until it is told to go on.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// Lets its files grow no further than to `bytes`, or, with `None`, as far as they could before.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
        let limit = Rlimit { current: bytes.or(maximum), maximum };
        prlimit(Some(self.pid()), Resource::Fsize, limit).expect("one may limit one's own children");
    }

    /// Waits for its end, after it was asked to end.
    pub(crate) async fn ended(mut self) {
        while self.child.try_wait().expect("is a child").is_none() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // it may have ended
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
