//! [`Postgres`]: a PostgreSQL on this machine, driven by its own pgbench. Every commit is synced before it is answered, as
//! by default (`synchronous_commit`, `fsync`); clients connect over a Unix socket.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio::time::{sleep, timeout};

use super::commits::{KEYS, VALUE_BYTES};

/// What Debian has it in.
pub(super) const PACKAGE: &str = "postgresql";
/// Where Debian puts the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The account that Debian's package makes: the server refuses to run as root.
const ACCOUNT: &str = "postgres";
/// More than there are clients.
const CONNECTIONS_MAX: &str = "max_connections=300";
/// Threads of pgbench: as many as a machine has that measures.
const THREADS_MAX: usize = 2;
/// How often it is looked whether it answers.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long it may take to.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// What the superuser and the database are called.
const NAME: &str = "postgres";

/// A running server. Dropping it ends its process.
pub(super) struct Postgres {
    programs: PathBuf,
    dir: PathBuf,
    account: Option<Account>,
    server: Child,
}

/// Whom processes run as, when not as who runs this.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

/// What a run of pgbench measured.
pub(super) struct Run {
    /// Microseconds a commit, all clients together.
    pub(super) each_us: f64,
    /// How long each took.
    pub(super) took: Vec<Duration>,
}

/// Where its programs are, those of the newest version, if it is installed.
pub(super) fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let number = |version: &PathBuf| version.file_name()?.to_str()?.parse::<u32>().ok();
    let installed =
        versions.filter(|version| version.join("bin/initdb").exists() && version.join("bin/pgbench").exists());
    installed.max_by_key(number).map(|version| version.join("bin"))
}

impl Postgres {
    /// Makes one in `dir` with the programs in `programs`, and waits until it answers.
    pub(super) async fn start(programs: PathBuf, dir: &Path) -> Result<Self> {
        let account = if geteuid().is_root() { Some(Account::named(ACCOUNT)?) } else { None };
        fs::create_dir(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        if let Some(Account { user, group }) = account {
            chown(dir, Some(user), Some(group))?;
            // the way there, for somebody else: through, and no more
            let lab = dir.parent().expect("a laboratory has a directory");
            fs::set_permissions(lab, Permissions::from_mode(0o711))?;
        }
        let data = dir.join("data");
        let mut init = command(&programs, "initdb", account);
        init.args(["--auth=trust", "--no-sync", "--username", NAME, "--pgdata"]).arg(&data);
        finish(init)?;
        let mut serve = command(&programs, "postgres", account);
        serve.arg("-D").arg(&data).args([
            "-c",
            "listen_addresses=",
            "-c",
            CONNECTIONS_MAX,
            "-c",
            "log_min_messages=panic",
        ]);
        serve.arg("-c").arg(format!("unix_socket_directories={}", dir.display()));
        let server = serve.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("cannot start PostgreSQL")?;
        let postgres = Self { programs, dir: dir.to_owned(), account, server };
        let ready = timeout(READY_WITHIN, async {
            while finish(postgres.client("pg_isready")).is_err() {
                sleep(LOOK_EVERY).await;
            }
        });
        ready.await.context("PostgreSQL does not answer")?;
        let mut make = postgres.client("psql");
        finish({
            make.args(["--quiet", "--command", "CREATE TABLE kept (key bigint PRIMARY KEY, value bytea NOT NULL)"]);
            make
        })?;
        fs::write(postgres.script(), script())?;
        Ok(postgres)
    }

    /// Has `clients` commit for `length`.
    pub(super) fn run(&self, clients: usize, length: Duration) -> Result<Run> {
        let log = self.dir.join("log");
        let mut bench = self.client("pgbench");
        bench.args(["--no-vacuum", "--protocol=prepared", "--log"]).arg("--file").arg(self.script());
        bench.arg("--log-prefix").arg(&log).args(["--client", &clients.to_string()]);
        bench.args(["--jobs", &clients.min(THREADS_MAX).to_string(), "--time", &length.as_secs().to_string()]);
        let said = finish(bench)?;
        let rate = rate(&said).with_context(|| format!("pgbench says no rate: {said}"))?;
        let mut took = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let file = entry?.path();
            if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log.")) {
                took.extend(fs::read_to_string(&file)?.lines().filter_map(logged));
                fs::remove_file(&file)?;
            }
        }
        ensure!(!took.is_empty(), "pgbench logged nothing");
        Ok(Run { each_us: 1e6 / rate, took })
    }

    /// A program that speaks to the server.
    fn client(&self, program: &str) -> Command {
        let mut command = command(&self.programs, program, self.account);
        command.args(["--username", NAME, "--host"]).arg(&self.dir);
        command
    }

    fn script(&self) -> PathBuf {
        self.dir.join("commit.sql")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT: at once, but taking its processes and its shared memory along; one that is gone already needs no end
        let _ = kill_process(Pid::from_child(&self.server), Signal::QUIT);
        let _ = self.server.wait();
    }
}

impl Account {
    fn named(name: &str) -> Result<Self> {
        let id = |what: &str| -> Result<u32> {
            let mut id = Command::new("id");
            id.args([what, name]);
            Ok(finish(id)?.trim().parse()?)
        };
        Ok(Self { user: id("-u")?, group: id("-g")? })
    }
}

/// One commit of one of the keys of the client that runs it.
fn script() -> String {
    format!(
        "\\set n random(0, {})\nINSERT INTO kept VALUES (:client_id * {KEYS} + :n, decode(repeat('07', {VALUE_BYTES}), \
         'hex')) ON CONFLICT (key) DO UPDATE SET value = excluded.value;\n",
        KEYS - 1
    )
}

fn command(programs: &Path, program: &str, account: Option<Account>) -> Command {
    let mut command = Command::new(programs.join(program));
    command.current_dir("/");
    if let Some(Account { user, group }) = account {
        command.uid(user).gid(group);
    }
    command
}

/// Runs `command` to its end; what it said.
fn finish(mut command: Command) -> Result<String> {
    let ended = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {command:?}"))?;
    if !ended.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&ended.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}

/// Commits a second, from what pgbench says at its end.
fn rate(said: &str) -> Option<f64> {
    said.lines().find_map(|line| line.strip_prefix("tps = "))?.split(' ').next()?.parse().ok()
}

/// How long a commit took, from a line of pgbench's log: client, number, microseconds, and more.
fn logged(line: &str) -> Option<Duration> {
    line.split(' ').nth(2)?.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_read() {
        let said = "number of clients: 16\nlatency average = 3.1 ms\ntps = 5161.29 (without initial connection time)\n";
        assert_eq!(rate(said), Some(5_161.29));
        assert_eq!(rate("pgbench: error"), None);
        assert_eq!(logged("3 17 2941 0 1763809200 123456"), Some(Duration::from_micros(2_941)));
        assert_eq!(logged("3 17 skipped 0 1763809200 123456"), None);
    }
}
