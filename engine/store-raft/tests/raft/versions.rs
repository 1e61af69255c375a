//! Peers of another version of the protocol: without a version in common they are refused, both ways, before anything is
//! written; what was added within a version does no harm.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use prost::Message;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, Endpoint, RecvStream, SendStream, ServerConfig};
use rustls::server::WebPkiClientVerifier;
use sayso_proto::peer::v1::{FailureKind, Hello, ReadIndex, Refusal, Request, Response, request, response};
use sayso_store::{Batch, Key, Store};
use sayso_store_raft::{Error, NodeId, RaftOptions, Tls, peer_name};

use crate::cluster::Cluster;
use crate::trust::contents;

/// The name of this protocol in the handshake.
const ALPN: &[u8] = b"sayso-peer/1";
/// A field that no message of this version has, as a newer program would send it: its number is 31.
const ADDED_FIELD: &[u8] = &[0xf8, 0x01, 0x01];

/// The end of a peer that speaks `alpn`, with certificates that the cluster trusts.
fn endpoint(tls: &Tls, alpn: &[u8]) -> Endpoint {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(tls.roots.clone());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider)).build();
    let versions = &[&rustls::version::TLS13];
    let mut server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .expect("TLS 1.3")
        .with_client_cert_verifier(verifier.expect("a verifier"))
        .with_single_cert(tls.chain.clone(), tls.key.clone_key())
        .expect("a certificate");
    server.alpn_protocols = vec![alpn.to_vec()];
    let mut client = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("TLS 1.3")
        .with_root_certificates(roots)
        .with_client_auth_cert(tls.chain.clone(), tls.key.clone_key())
        .expect("a certificate");
    client.alpn_protocols = vec![alpn.to_vec()];
    let server = QuicServerConfig::try_from(server).expect("a cipher for QUIC");
    let client = QuicClientConfig::try_from(client).expect("a cipher for QUIC");
    let server = ServerConfig::with_crypto(Arc::new(server));
    let mut endpoint = Endpoint::server(server, (Ipv4Addr::LOCALHOST, 0).into()).expect("binds");
    endpoint.set_default_client_config(ClientConfig::new(Arc::new(client)));
    endpoint
}

async fn send(stream: &mut SendStream, message: &impl Message, added: &[u8]) {
    let bytes = [&message.encode_to_vec()[..], added].concat();
    let length = u32::try_from(bytes.len()).expect("a small message").to_be_bytes();
    stream.write_all(&[&length[..], &bytes].concat()).await.expect("sends");
}

async fn receive<M: Message + Default>(stream: &mut RecvStream) -> M {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await.expect("receives");
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut bytes).await.expect("receives");
    M::decode(&bytes[..]).expect("reads")
}

/// What `node` says of itself that speaks the versions from `oldest` to `version`.
fn hello(cluster: &Cluster, node: u64, (oldest, version): (u32, u32)) -> Hello {
    let cluster = cluster.name.as_str().to_owned();
    Hello { version, oldest, cluster, cluster_id: vec![7; 16].into(), node, ..Hello::default() }
}

/// Says hello to `node` at `address`, with what a newer program may add; the connection and the answer.
async fn greet(peer: &Endpoint, cluster: &Cluster, node: u64, at: SocketAddr, hello: &Hello) -> (Connection, Hello) {
    let connecting = peer.connect(at, &peer_name(&cluster.name, NodeId(node))).expect("an address");
    let connection = connecting.await.expect("connects");
    let (mut sender, mut receiver) = connection.open_bi().await.expect("opens");
    send(&mut sender, hello, ADDED_FIELD).await;
    let answer = receive(&mut receiver).await;
    (connection, answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_calls_and_speaks_no_version_in_common_is_refused() {
    let mut cluster = Cluster::new(1);
    // who has not joined yet writes down the id of whoever it believes
    let options = cluster.options(9);
    let node = cluster.try_open(options, 9).await.expect("opens");
    let peer = endpoint(&cluster.authority.tls(&cluster.name, NodeId(2)), ALPN);
    let before = contents(&cluster.dir_of(9));
    for spoken in [(2, 2), (0, 2), (2, u32::MAX), (0, 0)] {
        let hello = hello(&cluster, 2, spoken);
        let (connection, answer) = greet(&peer, &cluster, 9, node.local_addr(), &hello).await;
        assert_eq!(answer.refusal(), Refusal::Version, "{spoken:?}");
        connection.closed().await;
        assert_eq!(contents(&cluster.dir_of(9)), before, "{spoken:?}: nothing is written");
    }
    let hello = hello(&cluster, 2, (1, 2));
    let (_connection, answer) = greet(&peer, &cluster, 9, node.local_addr(), &hello).await;
    assert_eq!((answer.refusal(), answer.version), (Refusal::Unspecified, 1), "one that speaks both is welcome");
    assert_ne!(contents(&cluster.dir_of(9)), before, "and believed");
    node.close().await;
}

/// Answers everybody's hello with `answer`.
async fn answer_all(peer: &Endpoint, answer: &Hello) {
    let mut kept = Vec::new();
    while let Some(incoming) = peer.accept().await {
        let Ok(connection) = incoming.await else { continue };
        let Ok((mut sender, mut receiver)) = connection.accept_bi().await else { continue };
        receive::<Hello>(&mut receiver).await;
        send(&mut sender, answer, ADDED_FIELD).await;
        let _ = sender.finish();
        kept.push((connection, sender, receiver));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_called_and_speaks_no_version_in_common_is_refused() {
    let mut cluster = Cluster::new(1);
    let refuses = |refusal: i32| Hello { refusal, ..hello(&cluster, 1, (1, 1)) };
    let newer = [
        ("it says so", ALPN, refuses(Refusal::Version.into())),
        ("it says something that this program does not know", ALPN, refuses(99)),
        ("it lets us find out", ALPN, hello(&cluster, 1, (2, 2))),
        ("it does not even shake hands", b"sayso-peer/2", hello(&cluster, 1, (2, 2))),
    ];
    for (how, alpn, answer) in newer {
        let peer = endpoint(&cluster.authority.tls(&cluster.name, NodeId(1)), alpn);
        let at = peer.local_addr().expect("has an address").into();
        let options = RaftOptions { founders: [(NodeId(1), at)].into(), ..cluster.options(9) };
        let node = cluster.try_open(options, 9).await.expect("opens");
        let before = contents(&cluster.dir_of(9));
        let joined = tokio::select! {
            joined = node.join() => joined,
            () = answer_all(&peer, &answer) => panic!("the peer has ended"),
        };
        assert!(matches!(joined, Err(Error::Version { node: NodeId(1) })), "{how}: {joined:?}");
        assert_eq!(contents(&cluster.dir_of(9)), before, "{how}: nothing is written");
        node.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_added_within_a_version_is_left_out_of_account_or_said_to_be_unknown() {
    let mut cluster = Cluster::start(1).await;
    let node = Arc::clone(&cluster.nodes[&NodeId(1)]);
    node.commit(Batch::new().put(Key::from_bytes("a"), "1")).await.expect("commits");
    let peer = endpoint(&cluster.authority.tls(&cluster.name, NodeId(2)), ALPN);
    let joining = Hello { cluster_id: Default::default(), ..hello(&cluster, 2, (1, 2)) };
    let (connection, answer) = greet(&peer, &cluster, 1, node.local_addr(), &joining).await;
    assert_eq!(answer.refusal(), Refusal::Unspecified);

    let ask = async |request: Request, added: &[u8]| {
        let (mut sender, mut receiver) = connection.open_bi().await.expect("opens");
        send(&mut sender, &request, added).await;
        receive::<Response>(&mut receiver).await.response.expect("an answer")
    };
    // a request of a type that is numbered 14 there, and does not exist here
    match ask(Request::default(), &[0x72, 0x00]).await {
        response::Response::Failure(failure) => assert_eq!(failure.kind(), FailureKind::Invalid, "{failure:?}"),
        other => panic!("{other:?}"),
    }
    let known = Request { request: Some(request::Request::ReadIndex(ReadIndex {})) };
    match ask(known, ADDED_FIELD).await {
        response::Response::ReadIndex(answer) => assert!(answer.log_id.is_some()),
        other => panic!("{other:?}"),
    }
    drop(node);
    cluster.close_all().await;
}
