//! [`Child`]: a command that runs under a permit, with all that it starts in its process group, and its watchdog.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::{BoxFuture, FutureExt};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use sayso_proto::admin::v1::PermitGiven;
use sayso_runtime::Tasks;
use sayso_types::Mono;
use tokio::net::unix::pipe::Sender;

use super::watch::WATCHES;

/// How long processes that were killed may take to be gone; what is left then is dead and waits for somebody else to notice.
const GONE_WITHIN: Duration = Duration::from_secs(1);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until a process has ended.
pub(super) type Ending = BoxFuture<'static, Result<ExitStatus>>;

/// A command that runs.
pub(super) struct Child {
    group: Pid,
    /// To its watchdog.
    told: Sender,
    tasks: Tasks,
}

impl Child {
    /// Starts a watchdog that ends all of its process group when it is `over`, and then, in that group, `command`. The group
    /// dies with this process. The other parts wait until the command has ended, and until the watchdog has.
    pub(super) async fn start(
        command: &[OsString],
        given: &PermitGiven,
        over: Mono,
        tasks: Tasks,
    ) -> Result<(Self, Ending, Ending)> {
        let program = std::env::current_exe().context("the path of this program is not known")?;
        let mut watchdog = Command::new(&program);
        watchdog.args(["permit", "watch"]).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut watchdog = watchdog.spawn().context("the command's watchdog cannot be started")?;
        let group = Pid::from_child(&watchdog);
        let (stdin, stdout) = (watchdog.stdin.take(), watchdog.stdout.take());
        let (stdin, stdout) = stdin.zip(stdout).context("the command's watchdog has no pipes")?;
        let told = Sender::from_owned_fd(OwnedFd::from(stdin)).context("the command's watchdog cannot be told")?;
        let child = Self { group, told, tasks: tasks.clone() };
        child.told.writable().await.context("the command's watchdog cannot be told")?;
        child.may_run_until(over)?;
        let says = tasks.blocking("command's watchdog", move || BufReader::new(stdout).lines().next());
        let Some(Ok(line)) = says.await? else { bail!("the command's watchdog has ended before it watched") };
        if line != WATCHES {
            bail!("the command's watchdog does not watch");
        }
        let mut started = Command::new(program);
        started.args(["permit", "bound", "--until", &over.0.to_string(), "--"]).args(command);
        started.env("SAYSO_PERMIT", hex::encode(&given.permit_id)).env("SAYSO_SUBJECT", &given.subject_id);
        let duties = given.obligations.clone().unwrap_or_default();
        let fields = duties.only_fields.join(",");
        if !fields.is_empty() {
            started.env("SAYSO_FIELDS", fields);
        }
        if let Some(most) = duties.bytes_max {
            started.env("SAYSO_BYTES_MAX", most.to_string());
        }
        // it is in the group before it is anything
        let started = started.process_group(group.as_raw_pid());
        let started = started.spawn().context("the command cannot be started")?;
        let (ended, unwatched) = (child.ended(started), child.ended(watchdog));
        Ok((child, ended, unwatched))
    }

    /// Waits until `process` has ended. Dropping this ends that no sooner.
    fn ended(&self, mut process: process::Child) -> Ending {
        let tasks = self.tasks.clone();
        let waited = async move {
            let waited = tasks.blocking("command under a permit", move || process.wait()).await;
            waited.context("the command was lost")?.context("the command cannot be waited for")
        };
        waited.boxed()
    }

    /// Tells its watchdog that it may run until it is `over`. Fails when that has not listened for long, or is gone.
    pub(super) fn may_run_until(&self, over: Mono) -> Result<()> {
        let line = format!("{}\n", over.0);
        // a line is far shorter than what a pipe takes at once or not at all
        let told = self.told.try_write(line.as_bytes()).context("the command's watchdog does not listen")?;
        if told == line.len() { Ok(()) } else { bail!("the command's watchdog was told half a line") }
    }

    /// Sends `signal` to the command and whatever it started. Whoever has ended already needs none.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.group, signal);
    }

    /// Ends what the command left behind, and waits until that is gone.
    pub(super) async fn clear(&self) {
        self.signal(Signal::KILL);
        let gone = async {
            while test_kill_process_group(self.group).is_ok() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        // Later than that there is nothing left but what nobody has waited for, and that sends nothing.
        let _ = tokio::time::timeout(GONE_WITHIN, gone).await;
    }
}

/// What a shell makes of how a command ended.
pub(super) fn code(status: ExitStatus) -> u8 {
    let signalled = || status.signal().map(|signal| 128 + signal);
    status.code().or_else(signalled).and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
