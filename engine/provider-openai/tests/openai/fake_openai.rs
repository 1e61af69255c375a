//! [`FakeOpenAi`]: a service on a real socket that answers from a script and records what arrives.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Small, so that an upload is held up soon after the service stops to read.
const RECEIVE_BUFFER_BYTES: u32 = 16 * 1024;
/// What it reads at once.
const READ_BYTES: usize = 4096;

/// What the service hears when nothing is scripted.
pub(crate) const HEARD: &str = "hello there";
/// What it answers when nothing is scripted, in order.
pub(crate) const ANSWER: [&str; 3] = ["You ", "left it ", "at the door — 门口."];
/// What it says when nothing is scripted: enough samples for more than one piece.
pub(crate) fn speech() -> Vec<i16> {
    (0..20_000).map(|i| i as i16).collect()
}

/// What arrived so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// Connections accepted.
    pub accepted: usize,
    /// Connections that ended, by a close or a reset.
    pub ended: usize,
    /// Connections that ended by a reset.
    pub resets: usize,
    /// Requests of which the whole body arrived.
    pub requests: Vec<Request>,
    /// Every byte that arrived, over all connections.
    pub bytes: Vec<u8>,
}

impl Log {
    /// Whether `text` arrived anywhere.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub head: String,
    pub body: Vec<u8>,
}

/// What to do with one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Stop to read the connection after so many bytes, until [`FakeOpenAi::read_on`] is notified.
    pub pause_after: Option<usize>,
    /// Cut the connection after so many bytes.
    pub cut_after: Option<usize>,
    /// Pieces to send, each handed to the kernel on its own.
    pub send: Vec<Vec<u8>>,
    /// What then.
    pub then: Then,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Then {
    /// Wait for the next request.
    #[default]
    KeepOpen,
    /// Close the connection.
    Close,
    /// Close the connection after [`FakeOpenAi::hang_up`].
    CloseWhenTold,
}

impl Plan {
    /// Sends `bytes` as they are.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { send: vec![bytes.into()], ..Self::default() }
    }

    /// Never answers.
    pub(crate) fn silence() -> Self {
        Self::default()
    }

    /// Answers with a status, headers and a body of known length.
    pub(crate) fn status(status: &str, headers: &str, body: &str) -> Self {
        Self::raw(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()))
    }

    /// Answers with `body` in chunks.
    pub(crate) fn chunks<'a>(content_type: &str, body: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n");
        let mut send = vec![head.into_bytes()];
        for piece in body.into_iter().filter(|piece| !piece.is_empty()) {
            send.push([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
        }
        send.push(b"0\r\n\r\n".to_vec());
        Self { send, ..Self::default() }
    }

    /// Leaves out the last piece.
    pub(crate) fn cut_short(mut self) -> Self {
        self.send.pop();
        self.then_close()
    }

    pub(crate) fn then_close(self) -> Self {
        Self { then: Then::Close, ..self }
    }

    pub(crate) fn then_close_when_told(self) -> Self {
        Self { then: Then::CloseWhenTold, ..self }
    }
}

/// The events of an answer in `parts`.
pub(crate) fn events(parts: &[&str]) -> String {
    let mut events = String::from(": keep-alive\n\n");
    for part in parts {
        let delta = serde_json::json!({"choices": [{"index": 0, "delta": {"content": part}, "finish_reason": null}]});
        events += &format!("data: {delta}\n\n");
    }
    events
        + "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[]}\n\ndata: [DONE]\n\n"
}

fn unscripted(head: &str) -> Plan {
    match head.split(' ').nth(1) {
        Some(path) if path.ends_with("/audio/transcriptions") => {
            let body = serde_json::json!({"text": format!(" {HEARD}\n")}).to_string();
            Plan::status("200 OK", "content-type: application/json\r\n", &body)
        }
        Some(path) if path.ends_with("/chat/completions") => {
            Plan::chunks("text/event-stream; charset=utf-8", [events(&ANSWER).as_bytes()])
        }
        Some(path) if path.ends_with("/audio/speech") => {
            let bytes = speech().iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>();
            Plan::chunks("audio/pcm", bytes.chunks(4801))
        }
        _ => Plan::status("404 Not Found", "", ""),
    }
}

/// The service. Dropping it ends it.
pub(crate) struct FakeOpenAi {
    pub address: SocketAddr,
    /// Lets a connection that was paused be read again.
    pub read_on: Arc<Notify>,
    shared: Arc<Shared>,
    _connections: JoinSet<()>,
}

struct Shared {
    log: watch::Sender<Log>,
    plans: Mutex<VecDeque<Plan>>,
    hung_up: watch::Sender<bool>,
    read_on: Arc<Notify>,
    tls: Option<TlsAcceptor>,
}

impl FakeOpenAi {
    /// One that answers everything well.
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// One that does so under TLS.
    pub(crate) fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(16).unwrap();
        let address = listener.local_addr().unwrap();
        let read_on = Arc::new(Notify::new());
        let shared = Arc::new(Shared {
            log: watch::Sender::default(),
            plans: Mutex::default(),
            hung_up: watch::Sender::default(),
            read_on: Arc::clone(&read_on),
            tls,
        });
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, Arc::clone(&shared)));
        Self { address, read_on, shared, _connections: connections }
    }

    /// Does `plan` with the next request that has none.
    pub(crate) fn plan(&self, plan: Plan) {
        self.shared.plans.lock().unwrap().push_back(plan);
    }

    /// Closes the connections that wait to be told so.
    pub(crate) fn hang_up(&self) {
        self.shared.hung_up.send_replace(true);
    }

    /// What arrived so far.
    pub(crate) fn log(&self) -> Log {
        self.shared.log.borrow().clone()
    }

    /// Waits until what arrived satisfies `condition`.
    pub(crate) async fn wait_until(&self, condition: impl FnMut(&Log) -> bool) -> Log {
        self.shared.log.subscribe().wait_for(condition).await.unwrap().clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        tcp.set_nodelay(true).unwrap();
        shared.log.send_modify(|log| log.accepted += 1);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            match &shared.tls {
                None => serve(tcp, &shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(tcp).await {
                        serve(stream, &shared).await;
                    }
                }
            }
            shared.log.send_modify(|log| log.ended += 1);
        });
    }
}

/// Serves a connection until it ends.
async fn serve(mut io: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) {
    let mut received = Vec::new();
    loop {
        let Some(head_len) = read_until(&mut io, shared, &mut received, usize::MAX, |r| find(r, b"\r\n\r\n")).await
        else {
            return;
        };
        let head = String::from_utf8(received[..head_len].to_vec()).unwrap();
        let plan = shared.plans.lock().unwrap().pop_front().unwrap_or_else(|| unscripted(&head));
        let len = head_len + content_length(&head);
        if let Some(pause) = plan.pause_after {
            read_until(&mut io, shared, &mut received, pause, |r| (r.len() >= pause).then_some(())).await;
            shared.read_on.notified().await;
        }
        if let Some(cut) = plan.cut_after {
            read_until(&mut io, shared, &mut received, cut, |r| (r.len() >= cut).then_some(())).await;
            return;
        }
        if read_until(&mut io, shared, &mut received, usize::MAX, |r| (r.len() >= len).then_some(())).await.is_none() {
            return;
        }
        let body = received[head_len..len].to_vec();
        received.drain(..len);
        shared.log.send_modify(|log| log.requests.push(Request { head, body }));
        for piece in &plan.send {
            if io.write_all(piece).await.is_err() {
                return;
            }
        }
        match plan.then {
            Then::KeepOpen => continue,
            Then::Close => (),
            Then::CloseWhenTold => drop(shared.hung_up.subscribe().wait_for(|told| *told).await.unwrap()),
        }
        let _ = io.shutdown().await;
        return;
    }
}

/// Reads, at most `max` bytes in all, until `done` finds what it looks for; `None` when the connection ends before.
async fn read_until<T>(
    io: &mut (impl AsyncRead + Unpin),
    shared: &Shared,
    received: &mut Vec<u8>,
    max: usize,
    done: impl Fn(&[u8]) -> Option<T>,
) -> Option<T> {
    let mut buffer = [0; READ_BYTES];
    loop {
        if let Some(found) = done(received) {
            return Some(found);
        }
        let room = max.saturating_sub(received.len()).min(READ_BYTES);
        match io.read(&mut buffer[..room]).await {
            Ok(0) => return None,
            Err(error) => {
                let reset = error.kind() == ErrorKind::ConnectionReset;
                shared.log.send_modify(|log| log.resets += usize::from(reset));
                return None;
            }
            Ok(n) => {
                received.extend_from_slice(&buffer[..n]);
                shared.log.send_modify(|log| log.bytes.extend_from_slice(&buffer[..n]));
            }
        }
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle).map(|at| at + needle.len())
}

fn content_length(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.expect("a request tells its length").trim().parse().unwrap()
}
