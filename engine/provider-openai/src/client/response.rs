//! [`Response`]: a successful answer, piece by piece.

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;
use sayso_policy::Permit;
use sayso_provider::Error;

use super::{Client, Connection, explain};

/// The longest wait that a busy service may ask for; more is as good as a failure, and cut to this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

pub(crate) struct Response {
    client: Arc<Client>,
    permit: Permit,
    /// `None` once the body is complete and the connection given back.
    connection: Option<Connection>,
    body: Incoming,
    content_type: String,
}

impl Response {
    /// Takes an answer if it is a success. The connection of any other is dropped with its body unread, because that
    /// may repeat what the person said.
    pub(super) fn accept(
        client: Arc<Client>,
        permit: Permit,
        connection: Connection,
        answer: http::Response<Incoming>,
    ) -> Result<Self, Error> {
        let (head, body) = answer.into_parts();
        match failure(head.status, &head.headers) {
            Some(error) => Err(error),
            None => Ok(Self {
                client,
                permit,
                connection: Some(connection),
                body,
                content_type: content_type(&head.headers),
            }),
        }
    }

    /// The media type, lower case without parameters; empty when the service does not say.
    pub(crate) fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The next piece of the body; `None` when it is complete, for which the connection goes back to the pool.
    ///
    /// # Errors
    /// [`Error::Incomplete`] when the connection ends before the body does.
    pub(crate) async fn data(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(connection) = &mut self.connection else {
            return Ok(None);
        };
        match connection.data(&mut self.body).await {
            Some(Ok(bytes)) => Ok(Some(bytes)),
            Some(Err(error)) => Err(explain(&self.permit, &error)),
            None => {
                if let Some(done) = self.connection.take()
                    && let Some(idle) = done.release().await
                {
                    self.client.pool.put(idle);
                }
                Ok(None)
            }
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is longer than `max` bytes, or what [`data`](Self::data) fails with.
    pub(crate) async fn collect(mut self, max: usize) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        while let Some(bytes) = self.data().await? {
            if all.len() + bytes.len() > max {
                metrics::counter!("sayso_provider_openai_limits_total", "limit" => "body").increment(1);
                return Err(Error::Malformed(format!("more than {max} bytes")));
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }
}

/// What a status code means; `None` for success.
pub(crate) fn failure(status: StatusCode, headers: &HeaderMap) -> Option<Error> {
    let said = || format!("HTTP {}", status.as_u16());
    Some(match status {
        _ if status.is_success() => return None,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Error::Busy { retry_after: retry_after(headers) }
        }
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge(said()),
        _ if status.is_redirection() => {
            Error::Rejected(format!("{}; redirections are not followed, correct the base URL", said()))
        }
        _ if status.is_server_error() => Error::Failed(said()),
        _ => Error::Rejected(said()),
    })
}

/// Seconds in `retry-after`; its other form, a date, is not used by these services.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn says(status: u16, retry_after: Option<&'static str>) -> Option<Error> {
        let mut headers = HeaderMap::new();
        headers.extend(retry_after.map(|wait| (RETRY_AFTER, HeaderValue::from_static(wait))));
        failure(StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn statuses_become_errors_by_what_the_caller_can_do() {
        let busy = |retry_after| Some(Error::Busy { retry_after });
        assert_eq!(says(200, None), None);
        assert_eq!(says(401, None), Some(Error::Unauthorized));
        assert_eq!(says(403, None), Some(Error::Unauthorized));
        assert_eq!(says(429, None), busy(None));
        assert_eq!(says(429, Some("7")), busy(Some(Duration::from_secs(7))));
        assert_eq!(says(503, Some("99999999")), busy(Some(RETRY_AFTER_MAX)));
        assert_eq!(says(503, Some("Wed, 21 Oct 2015 07:28:00 GMT")), busy(None));
        assert_eq!(says(404, None), Some(Error::Rejected("HTTP 404".to_owned())));
        assert_eq!(says(413, None), Some(Error::TooLarge("HTTP 413".to_owned())));
        assert_eq!(says(500, None), Some(Error::Failed("HTTP 500".to_owned())));
        assert!(matches!(says(301, None), Some(Error::Rejected(text)) if text.contains("base URL")));
    }
}
