//! The first stream of a connection: who is there, and whether the two belong together.

use sayso_proto::peer::v1::{Hello, Refusal};

use super::frame::{self, Budget, FrameError};
use super::tls;
use crate::cluster::{Cluster, peer_name};
use crate::{Error, NodeId};

/// The newest version that this program speaks.
const VERSION: u32 = 1;
/// The oldest. Programs that are a step apart have one in common, so that nodes can be upgraded one after the other.
const OLDEST: u32 = 1;

/// What is wrong with a founder that does not know which cluster it founds.
const NOT_FOUNDED: &str = "the first founder has not told all others yet which cluster it is; it has to run";

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) node: NodeId,
    pub(super) incarnation: u64,
}

fn ours(cluster: &Cluster, refusal: Refusal) -> Hello {
    Hello {
        version: VERSION,
        cluster: cluster.name.as_str().to_owned(),
        cluster_id: cluster.id().map(|id| id.to_vec()).unwrap_or_default().into(),
        node: cluster.node.0,
        incarnation: cluster.incarnation,
        refusal: refusal.into(),
        oldest: OLDEST,
    }
}

/// Whether there is a version that both speak.
fn is_understood(theirs: &Hello) -> bool {
    let oldest = if theirs.oldest == 0 { theirs.version } else { theirs.oldest };
    oldest <= VERSION && theirs.version >= OLDEST
}

/// Says hello to `node` on a connection to it.
pub(super) async fn greet(connection: &quinn::Connection, cluster: &Cluster, node: NodeId) -> Result<Greeted, Error> {
    let lost = |error: FrameError| Error::unreachable(node, error);
    let opened = connection.open_bi().await;
    let (mut send, mut receive) = opened.map_err(|error| not_trusted(node, &error))?;
    frame::write(&mut send, &ours(cluster, Refusal::Unspecified)).await.map_err(|error| {
        // With client certificates the server's verdict comes after ours: as the end of the connection.
        connection.close_reason().map_or_else(|| lost(error), |reason| not_trusted(node, &reason))
    })?;
    let (answer, _): (Hello, _) = frame::read(&mut receive, &Budget::new())
        .await
        .map_err(|error| connection.close_reason().map_or_else(|| lost(error), |reason| not_trusted(node, &reason)))?;
    match Refusal::try_from(answer.refusal) {
        Ok(Refusal::Unspecified) => {}
        Ok(Refusal::Duplicate) => return Ok(Greeted::Duplicate),
        Ok(Refusal::Cluster) => return Err(Error::ForeignCluster { node }),
        Ok(Refusal::Identity) => {
            let reason = "ours is for another node".to_owned();
            return Err(Error::ForeignCertificate { node, reason, for_good: true });
        }
        Ok(Refusal::NotFounded) => return Err(Error::unreachable(node, NOT_FOUNDED)),
        Ok(Refusal::Removed) => {
            cluster.part().await;
            return Err(cluster.goodbye());
        }
        // A reason that this program does not know is one of a newer program, and a refusal all the same.
        Ok(Refusal::Version) | Err(_) => return Err(Error::Version { node }),
    }
    if !is_understood(&answer) {
        return Err(Error::Version { node });
    }
    if answer.cluster != cluster.name.as_str() || answer.node != node.0 {
        return Err(Error::ForeignCluster { node });
    }
    if cluster.removed().borrow().contains(&node) {
        return Err(Error::unreachable(node, "it was removed from the cluster"));
    }
    if cluster.waits_for_another(node) {
        return Err(Error::unreachable(node, NOT_FOUNDED));
    }
    if let Ok(id) = answer.cluster_id[..].try_into()
        && !cluster.agrees(id).await?
    {
        return Err(Error::ForeignCluster { node });
    }
    Ok(Greeted::Welcome(Peer { node, incarnation: answer.incarnation }))
}

/// How a hello was answered.
pub(super) enum Greeted {
    Welcome(Peer),
    /// The two are connected already.
    Duplicate,
}

/// What the end of a connection says about trust.
fn not_trusted(node: NodeId, reason: &quinn::ConnectionError) -> Error {
    super::connection_error(node, reason)
}

/// Receives a peer's hello. `admit` says whether there is room for a connection to it.
pub(super) async fn receive(
    connection: &quinn::Connection,
    cluster: &Cluster,
    admit: impl FnOnce(Peer) -> bool,
) -> Result<Option<Peer>, FrameError> {
    let Ok((mut send, mut receive)) = connection.accept_bi().await else { return Ok(None) };
    let (hello, _): (Hello, _) = frame::read(&mut receive, &Budget::new()).await?;
    let peer = Peer { node: NodeId(hello.node), incarnation: hello.incarnation };
    let refusal = check(connection, cluster, &hello).await;
    let refusal = refusal.or_else(|| (!admit(peer)).then_some(Refusal::Duplicate));
    frame::write(&mut send, &ours(cluster, refusal.unwrap_or(Refusal::Unspecified))).await?;
    // Before anything else is done with the connection, the answer has to be there.
    let _ = send.finish();
    if cluster.is_news(peer.node, refusal)
        && let Some(refusal) = refusal
    {
        tracing::warn!(node = %peer.node, ?refusal, "refused a peer");
    }
    if refusal.is_some() {
        let _ = send.stopped().await;
        return Ok(None);
    }
    Ok(Some(peer))
}

async fn check(connection: &quinn::Connection, cluster: &Cluster, hello: &Hello) -> Option<Refusal> {
    if !is_understood(hello) {
        return Some(Refusal::Version);
    }
    if hello.cluster != cluster.name.as_str() {
        return Some(Refusal::Cluster);
    }
    if !tls::is_named(connection, &peer_name(&cluster.name, NodeId(hello.node))) {
        return Some(Refusal::Identity);
    }
    if cluster.waits_for_another(NodeId(hello.node)) {
        return Some(Refusal::NotFounded);
    }
    if hello.cluster_id.is_empty() {
        return None;
    }
    let agrees = match hello.cluster_id[..].try_into() {
        Ok(id) => cluster.agrees(id).await.unwrap_or(false),
        Err(_) => false,
    };
    if !agrees {
        return Some(Refusal::Cluster);
    }
    // of this very cluster: another one may have a living node of that number
    cluster.removed().borrow().contains(&NodeId(hello.node)).then_some(Refusal::Removed)
}
