//! `POST /v1/audio/transcriptions`, over either version of HTTP.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, header::CONTENT_LENGTH};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};

use super::tap::Tap;
use super::{Announced, Service};

/// Serves a connection of HTTP/1.1 until it ends.
pub(super) async fn serve1(io: impl AsyncRead + AsyncWrite + Unpin, service: Service, tap: Arc<Tap>) {
    let answer = service_fn(|request| recognise(request, service.clone(), Arc::clone(&tap)));
    _ = http1::Builder::new().serve_connection(TokioIo::new(io), answer).await;
}

/// Serves a connection of HTTP/2 until it ends.
pub(super) async fn serve2(io: impl AsyncRead + AsyncWrite + Unpin, service: Service, tap: Arc<Tap>) {
    let answer = service_fn(|request| recognise(request, service.clone(), Arc::clone(&tap)));
    _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(io), answer).await;
}

async fn recognise(
    request: Request<Incoming>,
    service: Service,
    tap: Arc<Tap>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let upload = service.watched(&Announced::Length(length.unwrap_or_default()), &tap);
    let (mut body, mut bytes) = (request.into_body(), 0);
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.into_data().map_or(0, |data| data.len() as u64);
    }
    if let Some(upload) = upload {
        if length == Some(bytes) {
            upload.is_whole();
        }
        return std::future::pending().await;
    }
    Ok(Response::new(Full::from(format!("{{\"text\": \"{bytes}\"}}"))))
}
