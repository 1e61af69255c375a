//! [`NodeServer`]: a node with its front door.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, anyhow};
use futures::{StreamExt, TryStreamExt, stream};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use sayso_gateway::{Gateway, GatewayOptions, Limits, Tls};
use sayso_runtime::TaskKind;
use sayso_session::Stage;
use sayso_session_actor::{ActorSessions, Change};
use tokio::sync::broadcast::error::RecvError;

use super::{LOOPBACK, Spec, Stats};
use crate::lab::{Ground, Latencies, Node};

/// People who agree at the same time: enough to share the store's commits.
const AGREEING_MAX: usize = 64;

/// How long each stage took, by its name.
type Stages = Arc<Mutex<BTreeMap<&'static str, Latencies>>>;

pub(super) struct NodeServer {
    pub(super) addr: SocketAddr,
    node: Node,
    stages: Stages,
}

impl NodeServer {
    pub(super) async fn start(spec: Spec, agreed: usize, hears: &str, follow_stages: bool) -> Result<Self> {
        let ground = Ground::new();
        let node = Node::open(&spec.data, hears, &ground).await?;
        let agree = stream::iter(0..agreed).map(|device| node.agree(device)).buffer_unordered(AGREEING_MAX);
        agree.try_for_each(|_| std::future::ready(Ok(()))).await?;
        let stages = Stages::default();
        if follow_stages {
            let follow = follow(node.sessions.clone(), stages.clone());
            ground.tasks.spawn(TaskKind::Upkeep, "stages", follow).detach();
        }
        let gateway =
            Gateway::bind(options(spec)?, Arc::new(node.sessions.clone()), ground.tasks.clone(), ground.clock.clone())?;
        let addr = gateway.local_addr();
        let serve = gateway.run(ground.tasks.stopping());
        ground.tasks.spawn(TaskKind::Listener, "gateway", serve).detach();
        Ok(Self { addr, node, stages })
    }

    pub(super) fn stats(&self) -> Stats {
        let stages = lock(&self.stages);
        Stats {
            frames: self.node.transcriber.desk().received().pieces,
            stages: stages.iter().map(|(stage, took)| ((*stage).to_owned(), took.quantiles())).collect(),
            commits: self.node.store.take().took.quantiles(),
            ..Stats::default()
        }
    }
}

fn options(spec: Spec) -> Result<GatewayOptions> {
    let mut device_roots = RootCertStore::empty();
    device_roots.add(spec.authority.into())?;
    let key = PrivateKeyDer::try_from(spec.key).map_err(|why| anyhow!("the node's key: {why}"))?;
    let limits = Limits::default();
    Ok(GatewayOptions {
        listen: LOOPBACK,
        tls: Tls { chain: vec![spec.certificate.into()], key, device_roots },
        tokens: None,
        // all devices are on this machine
        limits: Limits { connections_per_source: limits.connections, ..limits },
    })
}

/// Notes the stages of every turn once its answer has begun to sound.
async fn follow(sessions: ActorSessions, stages: Stages) {
    let mut changes = sessions.changes();
    let mut noted = HashMap::new();
    loop {
        let session = match changes.recv().await {
            Ok((session, Change::Updated)) => session,
            Ok(_) | Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let Some(seen) = sessions.get(session) else { continue };
        let complete = seen.stages.iter().any(|(stage, _)| *stage == Stage::Answer);
        let turn = seen.conversation.turn;
        if complete && noted.insert(session, turn) != Some(turn) {
            let mut stages = lock(&stages);
            for (stage, took) in seen.stages {
                stages.entry(stage.name()).or_insert_with(Latencies::new).record(took);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
