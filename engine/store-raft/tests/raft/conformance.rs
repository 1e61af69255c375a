//! The contract's conformance suite, on one node and on three.

use std::sync::Arc;

use async_trait::async_trait;
use sayso_store::Store;
use sayso_store::testing::Backend;

use crate::cluster::Cluster;

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

mod one_node {
    use super::Nodes;

    sayso_store::conformance!(Nodes::new(1));
}

mod three_nodes {
    use super::Nodes;

    sayso_store::conformance!(Nodes::new(3));
}
