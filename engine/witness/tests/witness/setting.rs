//! A witness on loopback, and logs to show it.

use core::time::Duration;
use std::path::Path;
use std::sync::Arc;

use sayso_audit::merkle::{Tree, consistency, leaf_hash};
use sayso_audit::witness::AddCheckpoint;
use sayso_audit::{Checkpoint, Cosigner, Signer};
use sayso_runtime::{CancellationToken, SystemClock, TaskHandle, TaskKind, Tasks};
use sayso_witness::{Error, Options, WitnessClient, WitnessServer};

pub(crate) const LOG: &str = "home.example/sayso";

/// More than anything here takes: a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn signer() -> Signer {
    Signer::new(LOG, &[7; 32]).unwrap()
}

pub(crate) fn cosigner() -> Cosigner {
    Cosigner::new("witness.example/w1", &[8; 32]).unwrap()
}

/// A witness that runs until this is dropped.
pub(crate) struct Running {
    pub(crate) addr: std::net::SocketAddr,
    stop: CancellationToken,
    serving: TaskHandle,
    tasks: Tasks,
}

impl Running {
    pub(crate) async fn new(dir: &Path) -> Self {
        Self::start(dir).await.unwrap()
    }

    pub(crate) async fn start(dir: &Path) -> Result<Self, Error> {
        let tasks = Tasks::new();
        let options = Options {
            listen: (std::net::Ipv4Addr::LOCALHOST, 0).into(),
            dir: dir.to_owned(),
            cosigner: cosigner(),
            logs: vec![signer().verifier().clone()],
        };
        let server = WitnessServer::bind(options, Arc::new(SystemClock::new()), tasks.clone()).await?;
        let (addr, stop) = (server.local_addr(), CancellationToken::new());
        let serving = tasks.spawn(TaskKind::Listener, "witness", server.run(stop.clone()));
        Ok(Self { addr, stop, serving, tasks })
    }

    pub(crate) fn client(&self) -> WitnessClient {
        WitnessClient::new(format!("http://{}", self.addr).parse().unwrap(), &[])
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let _ = self.serving.join().await;
        assert_eq!(self.tasks.shutdown(PATIENCE).await, 0, "every connection ends");
    }
}

/// The tree whose leaf `n` is the number `n`, but for those from `other` on.
pub(crate) fn tree(size: u64, other: u64) -> Tree {
    let mut tree = Tree::new();
    (0..size).for_each(|n| tree.append(leaf_hash(&[u8::from(n >= other), n as u8])));
    tree
}

pub(crate) fn honest(size: u64) -> Tree {
    tree(size, u64::MAX)
}

pub(crate) fn request(old: u64, tree: &Tree) -> AddCheckpoint {
    let proof = consistency(tree, old, tree.size()).unwrap().unwrap_or_default();
    AddCheckpoint { old, proof, note: Checkpoint::sign(tree.size(), tree.root(), &signer()) }
}
