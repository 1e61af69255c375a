//! [`Pages`]: answers whoever reads the public pages.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
    LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, StatusCode};
use sayso_consent::Register;
use sayso_consent::notices::{Error, Notices};
use sayso_http::{Answer, BindError, HttpServer, Request, text};
use sayso_policy::Tongue;
use sayso_policy::pages::{PrivacyNotice, processor_page};
use sayso_runtime::{CancellationToken, Tasks};
use sha2::{Digest, Sha256};

use crate::html;
use crate::path::{Found, Page, preferred};

/// What a page may do: look as the style sheet says, and nothing else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages, at an address.
#[derive(Debug)]
pub struct Pages {
    http: HttpServer,
    register: Arc<Register>,
}

impl Pages {
    /// Takes the TCP address `listen`. The pages of `register` are there once they [run](Self::run).
    ///
    /// # Errors
    /// [`BindError`] when the address cannot be had.
    pub async fn bind(listen: SocketAddr, register: Arc<Register>, tasks: Tasks) -> Result<Self, BindError> {
        Ok(Self { http: HttpServer::bind(listen, tasks).await?, register })
    }

    /// Where they are.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.http.local_addr()
    }

    /// Serves them until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { http, register } = self;
        let answer = move |request: Request| {
            let register = Arc::clone(&register);
            async move {
                let answer = answer(&register, &request).await;
                let status = answer.status().as_u16().to_string();
                metrics::counter!("sayso_pages_requests_total", "status" => status).increment(1);
                answer
            }
        };
        http.run(shutdown, answer).await;
    }
}

async fn answer(register: &Arc<Register>, request: &Request) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "these pages are to be read: GET\n");
    }
    match Found::at(request.uri().path()) {
        Found::Page(page, tongue) => match written(register, page, tongue).await {
            Ok(html) => shown(request.headers(), "text/html; charset=utf-8", html),
            Err(error) => {
                tracing::warn!(%error, page = page.name(), "a public page could not be written");
                text(StatusCode::SERVICE_UNAVAILABLE, "not now; try again in a minute\n")
            }
        },
        Found::Front => {
            let accept = request.headers().get(ACCEPT_LANGUAGE).and_then(|accept| accept.to_str().ok());
            let mut answer = text(StatusCode::FOUND, "");
            let path = Page::Privacy.path(preferred(accept));
            answer.headers_mut().insert(LOCATION, HeaderValue::try_from(path).expect("a path is ASCII"));
            answer.headers_mut().insert(VARY, HeaderValue::from_static("accept-language"));
            answer
        }
        Found::Style => shown(request.headers(), "text/css; charset=utf-8", html::STYLE.to_owned()),
        Found::Nothing => text(StatusCode::NOT_FOUND, "there is no such page; begin at /\n"),
    }
}

/// What `page` says now.
async fn written(register: &Arc<Register>, page: Page, tongue: Tongue) -> Result<String, Error> {
    let revisions = register.revisions();
    let document = revisions.newest().document();
    Ok(match page {
        Page::Privacy => html::page(page, tongue, html::markdown(&PrivacyNotice::of(document, tongue).markdown())),
        Page::Processors => {
            let markdown = processor_page(document, revisions.registry(), tongue);
            html::page(page, tongue, html::markdown(&markdown))
        }
        Page::Announcements => {
            let announced = Notices::new(Arc::clone(register)).announced().await?;
            html::page(page, tongue, html::announcements(&announced, tongue).into_iter())
        }
    })
}

/// `body`, by its hash: whoever has it already is told so (RFC 9110, 13.1.2).
fn shown(asked: &HeaderMap, content_type: &'static str, body: String) -> Answer {
    let tag = format!("\"{}\"", hex::encode(Sha256::digest(&body)));
    let has_it = asked.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut answer = if has_it { text(StatusCode::NOT_MODIFIED, "") } else { text(StatusCode::OK, body) };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(ETAG, HeaderValue::try_from(tag).expect("hexadecimal digits are ASCII"));
    // it may change at any moment, with a switch
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
