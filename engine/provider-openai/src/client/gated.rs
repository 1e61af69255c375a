//! [`GatedIo`]: the socket behind the gate.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::net::sockopt::set_socket_linger;
use sayso_policy::Permit;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Whose call a connection works for. Clones are the same connection's.
#[derive(Clone, Default)]
pub(crate) struct Owner(Arc<Mutex<Option<Permit>>>);

impl Owner {
    /// From here on the connection works for the call of `permit`.
    pub(crate) fn set(&self, permit: &Permit) {
        *self.lock() = Some(permit.clone());
    }

    /// From here on the connection is idle: nothing may be written.
    pub(crate) fn clear(&self) {
        *self.lock() = None;
    }

    fn get(&self) -> Option<Permit> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Permit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A TCP stream, below TLS, whose every write runs inside the gate of the call that owns the connection.
///
/// Whenever it ends while a call owns it, it is reset, not closed: what the kernel has not sent yet never leaves. That is so
/// from the beginning, since a process that is killed drops nothing.
pub(crate) struct GatedIo {
    tcp: TcpStream,
    owner: Owner,
}

impl GatedIo {
    pub(crate) fn new(tcp: TcpStream, owner: Owner) -> io::Result<Self> {
        tcp.set_zero_linger()?;
        Ok(Self { tcp, owner })
    }

    fn guarded(
        &mut self,
        write: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Some(permit) = self.owner.get() else {
            return Poll::Ready(Err(io::Error::other("no call owns this connection")));
        };
        permit
            .guard(|| write(Pin::new(&mut self.tcp)))
            .unwrap_or_else(|refused| Poll::Ready(Err(io::Error::new(io::ErrorKind::PermissionDenied, refused))))
    }
}

impl AsyncRead for GatedIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for GatedIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.guarded(|tcp| tcp.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.guarded(|tcp| tcp.poll_write_vectored(cx, bufs))
    }

    /// Vectored, so that hyper queues pieces instead of copying them into a buffer of its own.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl Drop for GatedIo {
    fn drop(&mut self) {
        if self.owner.get().is_none()
            && let Err(error) = set_socket_linger(&self.tcp, None)
        {
            tracing::debug!(%error, "cannot close a connection, resetting it instead");
        }
    }
}

#[cfg(test)]
mod tests {
    use sayso_provider::conformance::Bench;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair(owner: &Owner) -> (GatedIo, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (GatedIo::new(near, owner.clone()).unwrap(), listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn without_an_owner_nothing_is_written_and_the_end_is_a_clean_one() {
        let (mut near, mut far) = pair(&Owner::default()).await;
        assert_eq!(near.write_all(b"x").await.unwrap_err().kind(), io::ErrorKind::Other);
        drop(near);
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn an_owner_writes_until_the_revocation_and_then_the_connection_is_reset() {
        let (owner, bench) = (Owner::default(), Bench::for_transcriber());
        let (permit, revoker) = bench.permit();
        let (mut near, mut far) = pair(&owner).await;
        owner.set(&permit);
        near.write_all(b"before").await.unwrap();
        let mut read = [0; 6];
        far.read_exact(&mut read).await.unwrap();
        revoker.revoke();
        assert_eq!(near.write_all(b"after").await.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        drop(near);
        assert_eq!(far.read(&mut read).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}
