//! [`exchange`]: asks one thing over a connection.

use core::pin::pin;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// A request that was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// What speaks HTTP at the other end broke off, or does not speak it.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    /// The answer's body.
    #[error("its answer broke off, or is longer than {max} bytes")]
    Body {
        /// Most bytes that were taken.
        max: usize,
    },
}

/// Sends `request` over `stream`, which is open, and takes an answer with a body of at most `max` bytes; the connection ends
/// with it. Whoever drops it ends it; how long it may take says whoever calls.
///
/// # Errors
///
/// [`ExchangeError`].
pub async fn exchange<S>(stream: S, request: Request<Full<Bytes>>, max: usize) -> Result<Response<Bytes>, ExchangeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answer = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, max).collect().await.map_err(|_| ExchangeError::Body { max })?;
        Ok(Response::from_parts(head, body.to_bytes()))
    };
    let (mut answer, mut connection) = (pin!(answer), pin!(connection));
    let mut is_open = true;
    // hyper moves bytes only while its connection is polled
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            _ = &mut connection, if is_open => is_open = false,
        }
    }
}
