//! [`Node`]: a node in a process of its own.

use std::net::SocketAddr;

use serde_json::Value;

use crate::{Finished, Process};

/// A node that is ready.
#[derive(Debug)]
pub struct Node {
    /// The process.
    pub process: Process,
    /// Where devices connect.
    pub gateway: SocketAddr,
    /// Where operators connect.
    pub admin: SocketAddr,
    /// Where everybody reads its public pages, if it serves them.
    pub pages: Option<SocketAddr>,
}

impl Node {
    /// Waits until the node in `process`, which logs JSON, is ready.
    ///
    /// # Panics
    /// When it ends before.
    pub async fn ready(mut process: Process) -> Self {
        let (gateway, admin, pages) = process.line("a node that is ready", addresses).await;
        Self { process, gateway, admin, pages }
    }

    /// Kills it: no clean-up, no last words.
    pub async fn kill(self) {
        self.process.kill().await;
    }

    /// Has it stop in order.
    pub async fn terminate(self) -> Finished {
        self.process.terminate().await
    }
}

/// The addresses in the log line that says that a node is ready.
fn addresses(line: &str) -> Option<(SocketAddr, SocketAddr, Option<SocketAddr>)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields").filter(|fields| fields["message"] == "ready")?;
    let address = |name: &str| fields[name].as_str()?.parse().ok();
    Some((address("gateway")?, address("admin")?, address("pages")))
}
