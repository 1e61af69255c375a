//! [`Tap`]: a TCP connection, whose every byte is counted before anybody makes sense of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::io::ioctl_fionread;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{Upload, lock};

/// What it reads at once, and what waits for whoever makes sense of it.
const READ_BYTES: usize = 16 * 1024;
/// How long it pauses between two reads of a watched upload, so that there is time to withdraw in the midst of it.
const PACE: Duration = Duration::from_millis(1);

/// A connection.
pub(crate) struct Tap {
    stream: TcpStream,
    /// Bytes that were read.
    read: Mutex<u64>,
    watched: Mutex<Option<Arc<Upload>>>,
}

/// The two ends of what runs between a tap and its service.
pub(super) struct Ends {
    /// For the tap.
    pub(super) behind: DuplexStream,
    /// For the service.
    pub(super) front: DuplexStream,
}

impl Tap {
    pub(super) fn new(stream: TcpStream) -> (Arc<Self>, Ends) {
        let (behind, front) = duplex(READ_BYTES);
        let tap = Self { stream, read: Mutex::default(), watched: Mutex::default() };
        (Arc::new(tap), Ends { behind, front })
    }

    /// Watches `upload` from here on; how many bytes were read before.
    pub(super) fn watch(&self, upload: Arc<Upload>) -> u64 {
        let read = lock(&self.read);
        *lock(&self.watched) = Some(upload);
        *read
    }

    /// Bytes that are here, read or waiting to be.
    pub(super) fn arrived(&self) -> Result<u64> {
        let read = lock(&self.read);
        Ok(*read + ioctl_fionread(&self.stream).context("cannot look into a socket")?)
    }

    /// Carries bytes to the service and back until the connection ends.
    pub(super) async fn pump(self: Arc<Self>, service: DuplexStream) {
        let (from_service, to_service) = split(service);
        tokio::select! {
            () = self.carry_in(to_service) => {}
            () = self.carry_out(from_service) => {}
        }
        if let Some(upload) = lock(&self.watched).take() {
            upload.end();
        }
    }

    async fn carry_in(&self, mut to_service: WriteHalf<DuplexStream>) {
        let mut bytes = [0; READ_BYTES];
        while self.stream.readable().await.is_ok() {
            let Some(read) = self.read_some(&mut bytes) else { return };
            // one that is no longer there is sent to all the same
            _ = to_service.write_all(&bytes[..read]).await;
            let watched = lock(&self.watched).clone();
            if let Some(upload) = watched {
                upload.has_come().await;
                sleep(PACE).await;
            }
        }
    }

    /// Reads what is there; [`None`] when nothing more will come.
    fn read_some(&self, bytes: &mut [u8]) -> Option<usize> {
        let mut count = lock(&self.read);
        match self.stream.try_read(bytes) {
            Ok(0) => None,
            Ok(read) => {
                *count += read as u64;
                if let Some(upload) = &*lock(&self.watched) {
                    upload.count(*count);
                }
                Some(read)
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Some(0),
            Err(_) => None,
        }
    }

    /// What the service says goes out; when it says no more, the sender may still go on.
    async fn carry_out(&self, mut from_service: ReadHalf<DuplexStream>) {
        let mut bytes = [0; READ_BYTES];
        loop {
            let mut said = match from_service.read(&mut bytes).await {
                Ok(0) | Err(_) => return std::future::pending().await,
                Ok(read) => &bytes[..read],
            };
            while !said.is_empty() {
                if self.stream.writable().await.is_err() {
                    return std::future::pending().await;
                }
                match self.stream.try_write(said) {
                    Ok(written) => said = &said[written..],
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(_) => return std::future::pending().await,
                }
            }
        }
    }
}
