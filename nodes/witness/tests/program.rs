//! The program as it is run: a key is made, a log is cosigned, and a restart forgets nothing.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

use core::time::Duration;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use sayso_audit::merkle::leaf_hash;
use sayso_audit::note::Note;
use sayso_audit::witness::{AddCheckpoint, Answer, Witness};
use sayso_audit::{Checkpoint, Frontier, Signer, WitnessKey};
use sayso_witness::WitnessClient;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_witness"))
}

/// A program that is killed when this is dropped.
struct Running {
    child: Child,
    /// Its log: held open, because what cannot be written would end it.
    _log: BufReader<ChildStderr>,
}

impl Running {
    /// Starts it and reads from its log where it listens.
    fn start(dir: &Path) -> (Self, String) {
        let config = dir.join("witness.toml");
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("ready") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended before it was ready");
        }
        let (_, rest) = line.split_once("listen=").unwrap();
        let addr = rest.split_whitespace().next().unwrap().to_owned();
        (Self { child, _log: log }, addr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client(addr: &str) -> WitnessClient {
    WitnessClient::new(format!("http://{addr}").parse().unwrap(), &[]).answers_within(Duration::from_secs(30))
}

#[tokio::test]
async fn a_witness_survives_being_killed() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("witness.key");
    let made = program().args(["key", "witness.example/w1", "--out"]).arg(&key).output().unwrap();
    assert!(made.status.success());
    let public: WitnessKey = String::from_utf8(made.stdout).unwrap().trim().parse().unwrap();
    let again = program().args(["key", "witness.example/w1", "--out"]).arg(&key).output().unwrap();
    assert_eq!(again.status.code(), Some(1), "a key is never overwritten");

    let log = Signer::new("home.example/sayso", &[7; 32]).unwrap();
    let config = format!("name = \"witness.example/w1\"\nlogs = [\"{}\"]\n", log.verifier());
    std::fs::write(dir.path().join("witness.toml"), config).unwrap();

    let mut frontier = Frontier::new();
    frontier.append(leaf_hash(b"first"));
    let request = AddCheckpoint { old: 0, proof: Vec::new(), note: Checkpoint::sign(1, frontier.root(), &log) };
    let (running, addr) = Running::start(dir.path());
    let Ok(Answer::Cosigned(line)) = client(&addr).add_checkpoint(&request).await else { panic!("not cosigned") };
    let note = format!("{}{line}", request.note);
    assert!(Note::parse(&note).unwrap().cosigned_by(&public).unwrap().is_some());
    drop(running); // kill -9

    let (_running, addr) = Running::start(dir.path());
    let forked = AddCheckpoint { note: Checkpoint::sign(1, leaf_hash(b"another"), &log), ..request };
    assert_eq!(client(&addr).add_checkpoint(&forked).await, Ok(Answer::OtherSize(1)));
}

#[test]
fn a_configuration_with_a_mistake_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("witness.toml");
    let refused = |text: &str| {
        std::fs::write(&config, text).unwrap();
        let output = program().args(["serve", "--config"]).arg(&config).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused("").contains("name: missing"));
    assert!(refused("name = \"w\"").contains("logs: empty"));
    assert!(refused("name = \"w\"\nlogs = [\"x\"]").contains("cannot read the key"));
    std::fs::write(dir.path().join("witness.key"), "00".repeat(32)).unwrap();
    assert!(refused("name = \"w\"\nlogs = [\"x\"]").contains("logs.0"));
    assert!(refused("nmae = \"w\"").contains("nmae"));
}
