//! [`Connection`]: one HTTP connection and what drives it.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::Poll;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use sayso_policy::Permit;
use sayso_provider::Error;

use super::dial::{Dialler, Protocol};
use super::driver::{Driver, Errands};
use super::gated::Owner;
use super::{Upload, explain};

/// What hyper may hold of a request in front of the socket, and of a response behind it: the head of any response
/// that a service sends, and half a second of speech.
const BUFFER_BYTES: usize = 16 * 1024;

/// A connection, its driver and its owner.
///
/// hyper splits a connection into a handle that requests go into and a future that moves the bytes, and expects the
/// future to be spawned. Here it is polled by the call that owns the connection, inside of every wait, so that the
/// call and its I/O are one future that ends as one. Between calls nobody polls it: an idle connection has nothing to do
/// but to notice that it was closed or asked something, which [`revive`](Self::revive) makes up for.
///
/// HTTP/2 could carry many calls. Here a connection works for one at a time, as in HTTP/1.1, because a call that is cut
/// short is cut at the socket.
pub(super) struct Connection {
    sender: Sender,
    driver: Driver,
    owner: Owner,
}

enum Sender {
    Http1(http1::SendRequest<Upload>),
    Http2(http2::SendRequest<Upload>),
}

impl Connection {
    /// Opens one for the call of `permit`.
    pub(super) async fn open(dialler: &Dialler, permit: &Permit) -> Result<Self, Error> {
        let owner = Owner::default();
        owner.set(permit);
        let refused = |error| permit.guard(|| ()).map_or_else(Error::from, |()| error);
        let (io, protocol) = dialler.dial(&owner).await.map_err(refused)?;
        let (io, broken) = (TokioIo::new(io), |error| explain(permit, &error));
        let (sender, driver) = match protocol {
            Protocol::Http1 => {
                let mut http = http1::Builder::new();
                http.max_buf_size(BUFFER_BYTES).writev(true);
                let (sender, connection) = http.handshake(io).await.map_err(broken)?;
                (Sender::Http1(sender), Driver::new(connection, Errands::default()))
            }
            Protocol::Http2 => {
                let errands = Errands::default();
                let mut http = http2::Builder::new(errands.clone());
                http.max_send_buf_size(BUFFER_BYTES);
                let (sender, connection) = http.handshake(io).await.map_err(broken)?;
                (Sender::Http2(sender), Driver::new(connection, errands))
            }
        };
        Ok(Self { sender, driver, owner })
    }

    /// What is spoken over it.
    pub(super) const fn protocol(&self) -> Protocol {
        match self.sender {
            Sender::Http1(_) => Protocol::Http1,
            Sender::Http2(_) => Protocol::Http2,
        }
    }

    /// Makes an idle connection work for the call of `permit`, if it is still good.
    pub(super) async fn revive(&mut self, permit: &Permit) -> bool {
        // before the look: what the service asked meanwhile is answered for this call
        self.owner.set(permit);
        let good = self.is_idle().await;
        if !good {
            self.owner.clear();
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
        match &mut self.sender {
            Sender::Http1(sender) => self.driver.run(sender.try_send_request(request)).await,
            Sender::Http2(sender) => self.driver.run(sender.try_send_request(request)).await,
        }
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
        match &self.sender {
            Sender::Http1(sender) => sender.is_ready(),
            Sender::Http2(sender) => sender.is_ready(),
        }
    }
}
