//! [`Child`]: a command that runs under a permit, with all that it starts in its process group.

use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, getpid, kill_process_group, test_kill_process_group};
use sayso_proto::admin::v1::PermitGiven;
use sayso_runtime::Tasks;

/// How long processes that were killed may take to be gone; what is left then is dead and waits for somebody else to notice.
const GONE_WITHIN: Duration = Duration::from_secs(1);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A command that runs.
pub(super) struct Child {
    group: Pid,
}

impl Child {
    /// Starts `command` in a process group of its own. It dies with this process. The second part waits until it has ended.
    pub(super) fn start(
        command: &[OsString],
        given: &PermitGiven,
        tasks: Tasks,
    ) -> Result<(Self, impl Future<Output = Result<ExitStatus>> + use<>)> {
        let duties = given.obligations.clone().unwrap_or_default();
        let fields = duties.only_fields.join(",");
        let program = std::env::current_exe().context("the path of this program is not known")?;
        let mut started = Command::new(program);
        started.args(["permit", "bound", "--parent", &getpid().as_raw_pid().to_string(), "--"]).args(command);
        started.env("SAYSO_PERMIT", hex::encode(&given.permit_id)).env("SAYSO_SUBJECT", &given.subject_id);
        if !fields.is_empty() {
            started.env("SAYSO_FIELDS", fields);
        }
        if let Some(most) = duties.bytes_max {
            started.env("SAYSO_BYTES_MAX", most.to_string());
        }
        let mut started = started.process_group(0).spawn().context("the command cannot be started")?;
        let group = Pid::from_child(&started);
        let ended = async move {
            let waited = tasks.blocking("command under a permit", move || started.wait()).await;
            waited.context("the command was lost")?.context("the command cannot be waited for")
        };
        Ok((Self { group }, ended))
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
