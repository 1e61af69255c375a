//! [`Settings`]: which service, and in whose name, from the environment variables that its other clients read.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rustls::{ClientConfig, RootCertStore};
use rusty_s3::{Credentials, UrlStyle};

use crate::certs;

/// The region when none is said: Amazon's first, and what services without regions call theirs.
const REGION: &str = "us-east-1";

/// Which service, and in whose name.
pub(crate) struct Settings {
    /// `AWS_ENDPOINT_URL`: another service than Amazon's.
    address: Option<String>,
    /// `AWS_REGION`.
    region: String,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    credentials: Credentials,
    /// `AWS_CA_BUNDLE`: who vouches for the service, instead of those that browsers trust.
    authority: Option<PathBuf>,
}

impl Settings {
    /// Those of the environment.
    pub(crate) fn from_env() -> Result<Self> {
        let Some(credentials) = Credentials::from_env() else {
            bail!("an object store is asked in somebody's name: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
        };
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Ok(Self {
            address: variable("AWS_ENDPOINT_URL"),
            region: variable("AWS_REGION").unwrap_or_else(|| REGION.to_owned()),
            credentials,
            authority: variable("AWS_CA_BUNDLE").map(PathBuf::from),
        })
    }

    /// Those of a service at `address`.
    #[cfg(test)]
    pub(crate) fn of(address: &str) -> Self {
        let credentials = Credentials::new("key", "secret");
        Self { address: Some(address.to_owned()), region: REGION.to_owned(), credentials, authority: None }
    }

    /// Where the service is.
    pub(super) fn address(&self) -> String {
        self.address.clone().unwrap_or_else(|| format!("https://s3.{}.amazonaws.com", self.region))
    }

    /// The same, if it is one that data may be sent to: over TLS, or to this machine.
    pub(super) fn endpoint<U: FromStr>(&self) -> Result<U> {
        let address = self.address();
        let is_private = address.strip_prefix("https://").is_some()
            || address.strip_prefix("http://").is_some_and(|rest| is_loopback(host(rest)));
        if !is_private {
            bail!("AWS_ENDPOINT_URL is {address}: over anything but https:// a backup could be read on its way");
        }
        address.parse().ok().with_context(|| format!("AWS_ENDPOINT_URL is {address}: write https://HOST[:PORT]"))
    }

    /// Amazon has a name for each bucket; others may not.
    pub(super) const fn style(&self) -> UrlStyle {
        if self.address.is_some() { UrlStyle::Path } else { UrlStyle::VirtualHost }
    }

    pub(super) fn region(&self) -> String {
        self.region.clone()
    }

    pub(super) const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Whom to believe that they are the service.
    pub(super) fn tls(&self) -> Result<ClientConfig> {
        let roots = match &self.authority {
            Some(file) => certs::read_roots(file).context("AWS_CA_BUNDLE")?,
            None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
    }
}

/// The host of an address without its scheme.
fn host(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_travels_over_tls_or_not_at_all() {
        let endpoint = |address: &str| Settings::of(address).endpoint::<String>();
        for good in ["https://s3.example.org", "http://127.0.0.1:9000", "http://[::1]:9000/", "http://localhost"] {
            assert_eq!(endpoint(good).unwrap(), good);
        }
        for bad in
            ["http://s3.example.org", "http://127.0.0.1.example.org", "http://localhost@example.org", "s3.example.org"]
        {
            assert!(endpoint(bad).unwrap_err().to_string().contains("https://"), "{bad}");
        }
    }
}
