//! [`Address`]: where a witness takes checkpoints.

use core::fmt;
use core::str::FromStr;

use http::Uri;
use rustls::pki_types::ServerName;

/// The submission prefix of a witness: `http://` or `https://`, host, optional port, optional path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub(super) tls: bool,
    /// A name or an address, IPv6 without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) prefix: String,
}

/// Why a text is not the address of a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a witness's address {0}; give one such as https://witness.example/prefix")]
pub struct AddressError(&'static str);

impl Address {
    /// The value of the `host` header: with the port only if it is not the scheme's own.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == usual_port(self.tls) { host } else { format!("{host}:{}", self.port) }
    }
}

const fn usual_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = |problem| AddressError(problem);
        let uri = text.parse::<Uri>().map_err(|_| wrong("is not a URL"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("begins with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("names a host"))?;
        if authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
            return Err(wrong("holds neither a user, nor a query, nor a fragment"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || tls && ServerName::try_from(host.as_str()).is_err() {
            return Err(wrong("names a host"));
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => usual_port(tls),
            _ => authority.port_u16().filter(|port| *port > 0).ok_or_else(|| wrong("has a port from 1 to 65535"))?,
        };
        Ok(Self { tls, host, port, prefix: uri.path().trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ones_are_understood() {
        for (text, host, port, prefix) in [
            ("https://witness.example", "witness.example", 443, ""),
            ("https://witness.example:8443/w1/", "witness.example", 8443, "/w1"),
            ("http://127.0.0.1:7080", "127.0.0.1", 7080, ""),
            ("http://[::1]:7080/a/b", "::1", 7080, "/a/b"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host.as_str(), address.port, address.prefix.as_str()), (host, port, prefix));
            assert_eq!(address.to_string(), text.trim_end_matches('/'));
        }
    }

    #[test]
    fn the_others_are_refused() {
        for text in
            ["", "witness.example", "ftp://a/", "https://", "http://a:0", "http://a:x", "http://u:p@a", "http://a?b"]
        {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
