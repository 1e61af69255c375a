//! [`Server`]: a server in a process of its own, as seen from outside.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};
use sayso_store_raft::NodeId;
use serde::de::DeserializeOwned;

use crate::lab::{Authority, Lab};
use crate::server::{Ask, Kind, Spec, Stats};

/// A running server. Dropping it ends its process.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    process: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Server {
    /// Starts one and waits until it listens. `name` is that of its directory in the lab.
    pub(crate) fn start(lab: &Lab, name: &str, authority: &Authority, kind: Kind) -> Result<Self> {
        let credential = match &kind {
            Kind::Replica(replica) => authority.peer(NodeId(replica.node))?,
            Kind::Bare | Kind::Node { .. } => authority.node()?,
        };
        let spec = Spec {
            kind,
            certificate: credential.certificate.to_vec(),
            key: credential.key.secret_der().to_vec(),
            authority: authority.certificate().to_vec(),
            data: lab.dir(name),
        };
        let program = std::env::current_exe().context("cannot find this program to run it again")?;
        let mut process = Command::new(program)
            .arg("server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a server")?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (mut asked, answers) = pipes.expect("both were asked for");
        let mut answers = BufReader::new(answers);
        writeln!(asked, "{}", serde_json::to_string(&spec)?)?;
        let addr = read(&mut answers)?;
        Ok(Self { addr, process, asked, answers })
    }

    /// How it stands. It answers within a millisecond, so this blocks.
    pub(crate) fn stats(&mut self) -> Result<Stats> {
        self.ask(&Ask::Stats)
    }

    /// Has it do what it is asked, and says how it stands then. Blocks until that is done.
    pub(crate) fn ask(&mut self, ask: &Ask) -> Result<Stats> {
        writeln!(self.asked, "{}", serde_json::to_string(ask)?)?;
        read(&mut self.answers)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // it holds nothing that anybody needs; one that is gone already needs no end
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read<T: DeserializeOwned>(answers: &mut impl BufRead) -> Result<T> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    serde_json::from_str(&line).context("the server ended; what it said is above")
}
