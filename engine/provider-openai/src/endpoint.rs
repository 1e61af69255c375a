//! [`Endpoint`]: one model of one service, and how to get there.

use core::time::Duration;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::{ApiKey, BaseUrl, Error};

/// Most bytes of a model or voice name: several times the longest that services use.
const NAME_LEN_MAX: usize = 200;
/// How long a connection may take, TLS included: three transmissions of a lost SYN (1, 2 and 4 s) do not fit, two do.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// One model of one service: where it is, how to authenticate and whom to trust.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub(crate) base_url: BaseUrl,
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) model: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) extra_roots: Vec<CertificateDer<'static>>,
}

impl Endpoint {
    /// The model `model` at `base_url`, without a key, trusting the public certificate authorities.
    ///
    /// # Errors
    /// [`Error::Name`] when `model` cannot be sent.
    pub fn new(base_url: BaseUrl, model: &str) -> Result<Self, Error> {
        Ok(Self {
            base_url,
            api_key: None,
            model: name("model", model)?,
            connect_timeout: CONNECT_TIMEOUT,
            extra_roots: Vec::new(),
        })
    }

    /// What is at `base_url` and is no model.
    #[must_use]
    pub fn without_model(base_url: BaseUrl) -> Self {
        let (model, extra_roots) = (String::new(), Vec::new());
        Self { base_url, api_key: None, model, connect_timeout: CONNECT_TIMEOUT, extra_roots }
    }

    /// Authenticates with `key`.
    #[must_use]
    pub fn with_api_key(self, key: ApiKey) -> Self {
        Self { api_key: Some(key), ..self }
    }

    /// Gives up a connection that takes longer than this to come about, TLS included. 5 s unless told.
    #[must_use]
    pub fn with_connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// Trusts the certificate authorities in `path` (PEM) as well, for services inside one's own network.
    ///
    /// # Errors
    /// [`Error::CaFile`] when the file cannot be read or holds no certificate.
    pub fn with_ca_file(mut self, path: &Path) -> Result<Self, Error> {
        let wrong = |problem: String| Error::CaFile { path: path.to_owned(), problem };
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| wrong(e.to_string()))?;
        if certificates.is_empty() {
            return Err(wrong("it holds no certificate".to_owned()));
        }
        self.extra_roots.extend(certificates);
        Ok(self)
    }
}

/// A name that can be sent in JSON and in a form.
pub(crate) fn name(what: &'static str, text: &str) -> Result<String, Error> {
    if text.is_empty() || text.len() > NAME_LEN_MAX || text.chars().any(char::is_control) {
        return Err(Error::Name { what, max: NAME_LEN_MAX });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint::new("http://localhost/v1".parse().unwrap(), "whisper-1").unwrap()
    }

    #[test]
    fn a_model_that_could_break_a_form_is_refused() {
        for bad in ["", "a\r\nb", &"x".repeat(NAME_LEN_MAX + 1)] {
            assert!(matches!(name("model", bad), Err(Error::Name { what: "model", .. })), "{bad:?}");
        }
    }

    #[test]
    fn a_key_does_not_show() {
        let shown = format!("{:?}", endpoint().with_api_key(ApiKey::new("sk-secret".into()).unwrap()));
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_file_of_authorities_must_exist_and_hold_some() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        assert!(matches!(endpoint().with_ca_file(&path), Err(Error::CaFile { .. })));
        std::fs::write(&path, "not a certificate").unwrap();
        let error = endpoint().with_ca_file(&path).unwrap_err();
        assert!(error.to_string().ends_with("it holds no certificate"), "{error}");
    }
}
