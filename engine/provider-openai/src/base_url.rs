//! [`BaseUrl`].

use core::fmt;
use core::str::FromStr;

use http::Uri;
use http::uri::PathAndQuery;
use rustls::pki_types::ServerName;

use crate::Error;

/// Where a service is: `http://` or `https://`, host, optional port, optional path in front of every request.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    tls: bool,
    host: String,
    port: u16,
    prefix: String,
}

impl BaseUrl {
    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn tls(&self) -> bool {
        self.tls
    }

    /// The host: a name or an address, IPv6 without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `host` header: with the port only if it is not the scheme's own.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == default_port(self.tls) { host } else { format!("{host}:{}", self.port) }
    }

    /// The request target of `path`, which begins with a slash.
    pub(crate) fn target(&self, path: &str) -> PathAndQuery {
        format!("{}{path}", self.prefix).parse().expect("a parsed prefix and a constant path make a path")
    }
}

const fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

impl FromStr for BaseUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let wrong = |problem| Error::BaseUrl { url: without_userinfo(url), problem };
        let uri = url.parse::<Uri>().map_err(|_| wrong("is not a URL"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("does not begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("holds a user name or password, which belongs into the API key"));
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(wrong("holds a query or a fragment"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("names no host"));
        }
        if tls && ServerName::try_from(host.as_str()).is_err() {
            return Err(wrong("names a host that no certificate can be made out to"));
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => default_port(tls),
            _ => authority.port_u16().filter(|port| *port > 0).ok_or_else(|| wrong("has a port that is not one"))?,
        };
        Ok(Self { tls, host, port, prefix: uri.path().trim_end_matches('/').to_owned() })
    }
}

/// `url` fit for an error message.
fn without_userinfo(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, rest)) => format!("[redacted]@{rest}"),
        None => url.to_owned(),
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.prefix)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ones_are_understood() {
        for (url, host, port, authority, target) in [
            ("https://api.openai.com/v1", "api.openai.com", 443, "api.openai.com", "/v1/audio/speech"),
            ("https://api.groq.com/openai/v1/", "api.groq.com", 443, "api.groq.com", "/openai/v1/audio/speech"),
            ("http://localhost:11434/v1", "localhost", 11434, "localhost:11434", "/v1/audio/speech"),
            ("http://127.0.0.1", "127.0.0.1", 80, "127.0.0.1", "/audio/speech"),
            ("http://[::1]:8080", "::1", 8080, "[::1]:8080", "/audio/speech"),
        ] {
            let base = url.parse::<BaseUrl>().unwrap();
            assert_eq!((base.host(), base.port(), base.authority().as_str()), (host, port, authority), "{url}");
            assert_eq!(base.target("/audio/speech"), target);
            assert_eq!(base.tls(), url.starts_with("https"));
            assert_eq!(base.to_string(), url.trim_end_matches('/'));
        }
    }

    #[test]
    fn the_others_are_refused_without_telling_a_password() {
        for url in [
            "",
            "api.openai.com/v1",
            "ftp://host/",
            "https://",
            "https://host:port",
            "https://host:0",
            "https://host:65536",
            "https://me:hunter2@host/v1",
            "https://host/v1?key=1",
            "https://host/v1#x",
            "https://ho st/",
        ] {
            let error = url.parse::<BaseUrl>().expect_err(url);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
