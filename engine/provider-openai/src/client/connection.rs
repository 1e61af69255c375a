//! [`Connection`]: one HTTP/1.1 connection and what drives it.

use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use sayso_policy::Permit;
use sayso_provider::Error;

use super::Upload;
use super::dial::{Dialler, Io};
use super::explain;
use super::gated::Owner;

/// What hyper may hold of a request in front of the socket, and of a response behind it: the head of any response
/// that a service sends, and half a second of speech.
const BUFFER_BYTES: usize = 16 * 1024;

/// A connection, its driver and its owner.
///
/// hyper splits a connection into a handle that requests go into and a future that moves the bytes, and expects the
/// future to be spawned. Here it is polled by the call that owns the connection, inside of every wait, so that the
/// call and its I/O are one future that ends as one. Between calls nobody polls it: an idle HTTP/1.1 connection has
/// nothing to do but to notice that it was closed, which [`revive`](Self::revive) makes up for.
pub(super) struct Connection {
    sender: SendRequest<Upload>,
    driver: Driver,
    owner: Owner,
}

impl Connection {
    /// Opens one for the call of `permit`.
    pub(super) async fn open(dialler: &Dialler, permit: &Permit) -> Result<Self, Error> {
        let owner = Owner::default();
        owner.set(permit);
        let refused = |error| permit.guard(|| ()).map_or_else(Error::from, |()| error);
        let io = TokioIo::new(dialler.dial(&owner).await.map_err(refused)?);
        let mut http = http1::Builder::new();
        http.max_buf_size(BUFFER_BYTES).writev(true);
        let (sender, driver) = http.handshake(io).await.map_err(|error| explain(permit, &error))?;
        Ok(Self { sender, driver: Driver(Some(driver)), owner })
    }

    /// Makes an idle connection work for the call of `permit`, if it is still good.
    pub(super) async fn revive(&mut self, permit: &Permit) -> bool {
        let good = self.is_idle().await;
        if good {
            self.owner.set(permit);
        }
        good
    }

    /// Ends the work for the owner. Returns the connection if it can serve another call; drops it otherwise.
    pub(super) async fn release(mut self) -> Option<Self> {
        let good = self.is_idle().await;
        good.then(|| {
            self.owner.clear();
            self
        })
    }

    /// Sends a request and waits for the head of its response.
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        self.driver.run(self.sender.try_send_request(request)).await
    }

    /// The next piece of the body of a response.
    pub(super) async fn data(&mut self, body: &mut Incoming) -> Option<hyper::Result<Bytes>> {
        let next = poll_fn(|cx| {
            loop {
                match core::task::ready!(Pin::new(&mut *body).poll_frame(cx)) {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) => return Poll::Ready(Some(Ok(data))),
                        Err(_trailers) => (),
                    },
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(None),
                }
            }
        });
        self.driver.run(next).await
    }

    /// Whether a request could be sent: one look at the socket tells whether the other side closed it.
    async fn is_idle(&mut self) -> bool {
        self.driver.run(async {}).await;
        self.sender.is_ready()
    }
}

/// hyper's half that moves the bytes; `None` once it has ended.
struct Driver(Option<http1::Connection<TokioIo<Box<dyn Io>>, Upload>>);

impl Driver {
    /// Waits for `work` while moving bytes. How the connection ends is told by what `work` returns.
    async fn run<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.poll(cx);
            work.as_mut().poll(cx)
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.0
            && let Poll::Ready(ended) = Pin::new(connection).poll(cx)
        {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            }
            self.0 = None;
        }
    }
}
