//! [`Process`]: a running program whose output is watched.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use serde_json::Value;
use tokio::sync::watch;

use crate::within;

/// A running program. Dropping it kills it; when the test is failing, what it said is then shown.
#[derive(Debug)]
pub struct Process {
    child: Child,
    said: watch::Receiver<Said>,
}

/// What a program has said so far.
#[derive(Clone, Debug, Default)]
struct Said {
    stdout: Vec<String>,
    stderr: Vec<String>,
    /// Which of the two have ended.
    ended: usize,
}

/// A program that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How.
    pub status: ExitStatus,
    /// What it was asked for.
    pub stdout: String,
    /// What else it said.
    pub stderr: String,
}

impl Process {
    /// Starts `command`.
    ///
    /// # Panics
    /// When it cannot be run.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let (sender, said) = watch::channel(Said::default());
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        listen(stdout, sender.clone(), |said, line| said.stdout.push(line));
        listen(stderr, sender, |said, line| said.stderr.push(line));
        Self { child, said }
    }

    /// Waits for a line on standard error that `wanted` makes something of, or has made since the program started.
    ///
    /// # Panics
    /// When the program ends without it, or it does not come.
    pub async fn line<T>(&mut self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let find = |said: &Said| said.stderr.iter().find_map(|line| wanted(line));
        let found = within(what, self.said.wait_for(|said| find(said).is_some() || said.ended == 2)).await;
        let found = found.ok().and_then(|said| find(&said));
        found.unwrap_or_else(|| panic!("the program ended without {what}"))
    }

    /// Waits for the first line of what it was asked for.
    ///
    /// # Panics
    /// When the program ends without one, or it does not come.
    pub async fn answer(&mut self) -> String {
        let wait = self.said.wait_for(|said| !said.stdout.is_empty() || said.ended == 2);
        let said = within("an answer", wait).await;
        let answer = said.ok().and_then(|said| said.stdout.first().cloned());
        answer.unwrap_or_else(|| panic!("the program ended without an answer"))
    }

    /// Waits until its log, in JSON, has an entry with this message.
    ///
    /// # Panics
    /// When it ends before.
    pub async fn logs(&mut self, message: &str) {
        let is_it = |line: &str| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["fields"]["message"] == message).then_some(())
        };
        self.line(message, is_it).await;
    }

    /// What it has said on standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.said.borrow().stderr.join("\n")
    }

    /// The number under which the system knows it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub async fn finished(mut self) -> Finished {
        let ended = within("the end of a program", self.said.wait_for(|said| said.ended == 2)).await;
        let Said { stdout, stderr, .. } = ended.expect("its output is heard to the end").clone();
        let status = self.child.wait().expect("a child can be waited for");
        Finished { status, stdout: stdout.join("\n"), stderr: stderr.join("\n") }
    }

    /// Asks it to read its files again.
    ///
    /// # Panics
    /// When it has ended.
    pub fn reload(&self) {
        kill_process(self.pid(), Signal::HUP).expect("the program runs");
    }

    /// Asks it to end, and waits until it has.
    pub async fn terminate(self) -> Finished {
        kill_process(self.pid(), Signal::TERM).expect("the program runs");
        self.finished().await
    }

    /// Ends it as a power cut would: it gets no say in it.
    pub async fn kill(mut self) {
        self.child.kill().expect("the program runs");
        self.finished().await;
    }

    /// Lets its files grow no further than to `bytes`, or, with `None`, as far as they could before.
    ///
    /// # Panics
    /// When the system does not let us.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
        let limit = Rlimit { current: bytes.or(maximum), maximum };
        prlimit(Some(self.pid()), Resource::Fsize, limit).expect("one may limit one's own children");
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended: then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let Said { stdout, stderr, .. } = &*self.said.borrow();
            let _ = writeln!(io::stderr(), "── a program said:\n{}\n{}\n──", stdout.join("\n"), stderr.join("\n"));
        }
    }
}

impl Finished {
    /// Expects that it did what it was asked to.
    ///
    /// # Panics
    /// When it did not.
    #[must_use]
    pub fn success(self) -> Self {
        assert!(self.status.success(), "{}: {}\n{}", self.status, self.stdout, self.stderr);
        self
    }

    /// Expects that it failed and said all of `words`: what is wrong, and what to do.
    ///
    /// # Panics
    /// When it did not fail, or did not say so.
    pub fn failure(&self, words: &[&str]) {
        assert_eq!(self.status.code(), Some(1), "{}\n{}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in: {}", self.stderr);
        }
    }
}

/// Passes on what comes from `stream`, line by line, from a thread that ends with it.
fn listen(stream: impl Read + Send + 'static, said: watch::Sender<Said>, take: fn(&mut Said, String)) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            said.send_modify(|said| take(said, String::from_utf8_lossy(&line).into_owned()));
        }
        said.send_modify(|said| said.ended += 1);
    });
}
