//! [`Recogniser`]: a speech service at the other end of a TCP connection, which counts what arrives.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::io::ioctl_fionread;
use sayso_runtime::TaskKind;
use sayso_types::{Clock, Mono};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::lab::Ground;

/// What the kernel may hold in front of this service: little, so that an upload waits at the sender while it is not read.
const RECEIVE_BUFFER_BYTES: u32 = 16 * 1024;
/// Connections that wait to be accepted: more than there are callers.
const BACKLOG: u32 = 64;
/// What it reads at once.
const READ_BYTES: usize = 16 * 1024;
/// How long it pauses between two reads of a watched upload, so that there is time to withdraw in the midst of it.
const PACE: Duration = Duration::from_millis(1);

/// Recognises nothing, and answers with how many bytes it was sent. A [watched](Self::watch) upload it never answers.
pub(crate) struct Recogniser {
    pub(crate) addr: SocketAddr,
    next: Next,
}

/// The upload that is to be watched.
type Next = Arc<Mutex<Option<Arc<Upload>>>>;

/// An upload that is watched from its first byte to its end.
pub(crate) struct Upload {
    /// Where in the body there is something to do, in bytes.
    offset: u64,
    /// It stops to read there, until it is told to go on.
    stops: bool,
    clock: Arc<dyn Clock>,
    arrived: Mutex<Arrived>,
    reached: Notify,
    read_on: Notify,
    ended: watch::Sender<bool>,
}

/// What is known of an upload at one moment.
#[derive(Default)]
struct Arrived {
    stream: Option<Arc<TcpStream>>,
    /// Bytes of the body that were read.
    bytes: u64,
    /// Bytes that the body has by its head.
    length: u64,
    /// When the last of them was read.
    last: Option<Mono>,
}

/// How an upload ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// Bytes of the body that came, whenever.
    pub(crate) bytes: u64,
    /// Bytes that the body was to have.
    pub(crate) length: u64,
    /// When the last of them was read.
    pub(crate) last: Option<Mono>,
}

impl Recogniser {
    /// Starts one on this machine. It watches uploads of `watches_from` bytes or more.
    pub(crate) fn start(watches_from: u64, ground: &Ground) -> Result<Self> {
        let socket = TcpSocket::new_v4().context("cannot open a TCP socket")?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let listener = socket.listen(BACKLOG)?;
        let (addr, next) = (listener.local_addr()?, Next::default());
        let accept = accept(listener, watches_from, Arc::clone(&next), ground.clone());
        ground.tasks.spawn(TaskKind::Client, "recogniser", accept).detach();
        Ok(Self { addr, next })
    }

    /// Watches the next upload that is long enough: something is to be done at its `offset`, where it `stops` or not.
    pub(crate) fn watch(&self, offset: u64, stops: bool, ground: &Ground) -> Arc<Upload> {
        let upload = Arc::new(Upload {
            offset,
            stops,
            clock: Arc::clone(&ground.clock),
            arrived: Mutex::default(),
            reached: Notify::new(),
            read_on: Notify::new(),
            ended: watch::Sender::default(),
        });
        *lock(&self.next) = Some(Arc::clone(&upload));
        upload
    }

    /// Watches no further upload.
    pub(crate) fn watch_nothing(&self) {
        *lock(&self.next) = None;
    }
}

impl Upload {
    /// Waits until its offset has been read.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Has it read on where it stopped.
    pub(crate) fn read_on(&self) {
        self.read_on.notify_one();
    }

    /// Bytes of the body that are here, read or waiting to be.
    pub(crate) fn arrived(&self) -> Result<u64> {
        let arrived = lock(&self.arrived);
        let waiting = arrived.stream.as_ref().map_or(Ok(0), ioctl_fionread).context("cannot look into a socket")?;
        Ok(arrived.bytes + waiting)
    }

    /// Waits for its end, by whatever.
    pub(crate) async fn ended(&self) -> Result<Ended> {
        self.ended.subscribe().wait_for(|ended| *ended).await.context("the recogniser has ended")?;
        let Arrived { bytes, length, last, .. } = *lock(&self.arrived);
        Ok(Ended { bytes, length, last })
    }

    /// Reads the body of `length` of which `begun` came with the head, and what comes then, until the connection ends.
    async fn read(&self, stream: Arc<TcpStream>, length: u64, begun: usize) {
        *lock(&self.arrived) = Arrived {
            stream: Some(Arc::clone(&stream)),
            bytes: begun as u64,
            length,
            last: (begun > 0).then(|| self.clock.now()),
        };
        let mut is_reached = false;
        loop {
            if !is_reached && lock(&self.arrived).bytes >= self.offset {
                is_reached = true;
                self.reached.notify_one();
                if self.stops {
                    self.read_on.notified().await;
                }
            }
            if stream.readable().await.is_err() || !self.read_some(&stream) {
                break;
            }
            sleep(PACE).await;
        }
        self.ended.send_replace(true);
    }

    /// Reads what is there; whether more may come.
    fn read_some(&self, stream: &TcpStream) -> bool {
        let mut arrived = lock(&self.arrived);
        match stream.try_read(&mut [0; READ_BYTES]) {
            Ok(0) => false,
            Ok(read) => {
                arrived.bytes += read as u64;
                arrived.last = Some(self.clock.now());
                true
            }
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

async fn accept(listener: TcpListener, watches_from: u64, next: Next, ground: Ground) {
    while let Ok((stream, _)) = listener.accept().await {
        let serve = serve(stream, watches_from, Arc::clone(&next));
        ground.tasks.spawn(TaskKind::Client, "recogniser's connection", serve).detach();
    }
}

/// Serves one connection until it ends.
async fn serve(mut stream: TcpStream, watches_from: u64, next: Next) {
    let mut received = Vec::new();
    while let Some((length, begun)) = head(&mut stream, &mut received).await {
        let watched = lock(&next).take_if(|_| length >= watches_from);
        if let Some(upload) = watched {
            return upload.read(Arc::new(stream), length, begun).await;
        }
        let mut body = begun as u64;
        while body < length {
            let mut chunk = vec![0; READ_BYTES.min((length - body) as usize)];
            match stream.read(&mut chunk).await {
                Ok(read) if read > 0 => body += read as u64,
                _ => return,
            }
        }
        let text = format!("{{\"text\": \"{body}\"}}");
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The length of the body that the next head tells, and how much of it came along; [`None`] at the connection's end.
async fn head(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<(u64, usize)> {
    received.clear();
    loop {
        let end = received.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
            return Some((length.trim().parse().ok()?, received.len() - end - 4));
        }
        if stream.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
