//! [`Etcd`]: three members of etcd on this machine, asked over gRPC. They sync their log before they answer, as they do by
//! default; their peers and clients go without TLS.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{sleep, timeout};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{IntoRequest, Status};
use tonic_prost::ProstCodec;

/// The program, and what Debian has it in.
pub(super) const PROGRAM: &str = "etcd";
pub(super) const PACKAGE: &str = "etcd-server";
const MEMBERS: usize = 3;
/// Connections to the leader, which share the clients: one alone would be the limit, not etcd.
const CONNECTIONS: usize = 16;
/// How often it is looked whether there is a leader.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long there may be none.
const LEADER_WITHIN: Duration = Duration::from_secs(30);

const PUT: &str = "/etcdserverpb.KV/Put";
const STATUS: &str = "/etcdserverpb.Maintenance/Status";

/// `etcdserverpb.PutRequest`, as far as it is used here.
#[derive(Clone, PartialEq, prost::Message)]
struct Put {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `etcdserverpb.ResponseHeader`, as far as it is used here.
#[derive(Clone, PartialEq, prost::Message)]
struct Header {
    #[prost(uint64, tag = "2")]
    member_id: u64,
}

/// `etcdserverpb.StatusResponse`, as far as it is used here.
#[derive(Clone, PartialEq, prost::Message)]
struct Stands {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
    #[prost(uint64, tag = "4")]
    leader: u64,
}

/// A message without fields, or one whose fields do not matter.
#[derive(Clone, PartialEq, prost::Message)]
struct Nothing {}

/// A cluster, with connections to its leader. Dropping it ends its processes.
pub(super) struct Etcd {
    leader: Vec<Channel>,
    _members: Vec<Member>,
}

/// The process of a member.
struct Member(Child);

impl Drop for Member {
    fn drop(&mut self) {
        // it holds nothing that anybody needs; one that is gone already needs no end
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Etcd {
    /// Founds one in `dir`, and waits for its leader.
    pub(super) async fn start(dir: &Path) -> Result<Self> {
        let ports = (0..2 * MEMBERS).map(|_| free_port()).collect::<Result<Vec<_>>>()?;
        let url = |port: &u16| format!("http://127.0.0.1:{port}");
        let (peers, clients): (Vec<_>, Vec<_>) = ports.chunks(2).map(|both| (url(&both[0]), url(&both[1]))).unzip();
        let cluster: Vec<_> = peers.iter().enumerate().map(|(n, peer)| format!("member-{n}={peer}")).collect();
        let mut members = Vec::new();
        for (n, (peer, client)) in peers.iter().zip(&clients).enumerate() {
            let mut member = Command::new(PROGRAM);
            member.args(["--name", &format!("member-{n}"), "--logger", "zap", "--log-level", "error"]);
            member.arg("--data-dir").arg(dir.join(n.to_string()));
            member.args(["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]);
            member.args(["--listen-client-urls", client, "--advertise-client-urls", client]);
            member.args(["--initial-cluster", &cluster.join(","), "--initial-cluster-state", "new"]);
            let started = member.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
            members.push(Member(started.context("cannot start a member of etcd")?));
        }
        let leader =
            timeout(LEADER_WITHIN, leader(&clients)).await.context("the members of etcd elect no leader")??;
        let leader = (0..CONNECTIONS).map(|_| channel(&leader)).collect::<Result<_>>()?;
        Ok(Self { leader, _members: members })
    }

    /// Puts `value` under `key` for a client; it is durable on a majority when this returns.
    pub(super) async fn put(&self, client: usize, key: &str, value: &[u8]) -> Result<()> {
        let put = Put { key: key.as_bytes().to_vec(), value: value.to_vec() };
        let answered = ask::<_, Nothing>(&self.leader[client % CONNECTIONS], PUT, put).await;
        answered.map(drop).context("etcd did not take a commit")
    }
}

/// Which of the members at `clients` leads.
async fn leader(clients: &[String]) -> Result<String> {
    let members = clients.iter().map(|client| Ok((client, channel(client)?))).collect::<Result<Vec<_>>>()?;
    loop {
        for (client, channel) in &members {
            // one that does not listen yet is asked again
            if let Ok(Stands { header: Some(Header { member_id }), leader }) = ask(channel, STATUS, Nothing {}).await
                && member_id == leader
            {
                return Ok((*client).clone());
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn ask<Q, A>(channel: &Channel, method: &'static str, question: Q) -> Result<A, Status>
where
    Q: prost::Message + 'static,
    A: prost::Message + Default + 'static,
{
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let (method, codec) = (PathAndQuery::from_static(method), ProstCodec::default());
    grpc.unary(question.into_request(), method, codec).await.map(tonic::Response::into_inner)
}

fn channel(url: &str) -> Result<Channel> {
    Ok(Endpoint::from_shared(url.to_owned())?.connect_lazy())
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no TCP port is free")?;
    Ok(listener.local_addr()?.port())
}
