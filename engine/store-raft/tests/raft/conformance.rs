//! The contract's conformance suite: on one node, on three, and on three that are processes of their own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sayso_store::Store;
use sayso_store::testing::Backend;

use crate::cluster::Cluster;
use crate::processes::Processes;

/// A cluster of which the suite uses one node: on three, one that follows, so that everything goes over the network.
pub(crate) struct Nodes(Cluster);

impl Nodes {
    pub(crate) fn new(count: u64) -> Self {
        Self(Cluster::new(count))
    }
}

#[async_trait]
impl Backend for Nodes {
    async fn open(&mut self) -> Arc<dyn Store> {
        self.0.open_all().await;
        match self.0.founders.len() {
            1 => Arc::clone(self.0.nodes.values().next().expect("it is open")) as Arc<dyn Store>,
            _ => self.0.follower().await,
        }
    }

    async fn close(&mut self, _store: Arc<dyn Store>) {
        self.0.close_all().await;
    }
}

/// Three nodes that are processes of their own. The suite uses one that follows, from this process.
#[derive(Default)]
struct Apart(Option<Processes>);

#[async_trait]
impl Backend for Apart {
    async fn open(&mut self) -> Arc<dyn Store> {
        /// Long enough for the greatest batch on a busy machine.
        const ANSWER_WITHIN: Duration = Duration::from_secs(30);
        match &mut self.0 {
            Some(processes) => processes.open_all().await,
            None => self.0 = Some(Processes::start(3, ANSWER_WITHIN).await),
        }
        let processes = self.0.as_ref().expect("it was started");
        let leader = processes.leader().await;
        let mut nodes = processes.nodes.all().into_iter();
        let follower = nodes.find(|(node, _)| *node != leader);
        Arc::new(follower.expect("more than one node").1)
    }

    async fn close(&mut self, _store: Arc<dyn Store>) {
        self.0.as_mut().expect("it was started").close_all().await;
    }
}

mod one_node {
    use super::Nodes;

    sayso_store::conformance!(Nodes::new(1));
}

mod three_nodes {
    use super::Nodes;

    sayso_store::conformance!(Nodes::new(3));
}

mod three_processes {
    use super::Apart;

    sayso_store::conformance!(Apart::default());
}
