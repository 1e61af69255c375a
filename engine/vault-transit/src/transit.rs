//! [`TransitKek`]: the contract, on a transit engine.

use core::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Uri;
use http::uri::Scheme;
use sayso_vault::{KekError, KeyWrap, SecretKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::OptionError;
use crate::client::Client;

/// What wrapped keys begin with.
const PREFIX: &[u8] = b"vault:";
/// Bytes of SHA-256.
const CONTEXT_BYTES: usize = 32;

/// Where the token is that the service asks for. It is read for every request, so that whoever renews it writes it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// In a file, such as the sink of an agent.
    File(PathBuf),
    /// In an environment variable.
    Variable(String),
}

impl Token {
    fn read(&self) -> Result<Zeroizing<String>, KekError> {
        match self {
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map(Zeroizing::new);
                let text = text.map_err(|source| KekError::File { path: path.clone(), source })?;
                Ok(Zeroizing::new(text.trim().to_owned()))
            }
            Self::Variable(name) => {
                std::env::var(name).map(Zeroizing::new).map_err(|_| KekError::Variable { name: name.clone() })
            }
        }
    }
}

/// Which key, of which service.
#[derive(Clone, Debug)]
pub struct TransitOptions {
    /// Such as `https://vault.example.org:8200`.
    pub address: String,
    /// Where the engine is mounted: `transit`, unless somebody mounted it elsewhere.
    pub mount: String,
    /// The name of the key.
    pub key: String,
    /// What shows that this node may use it.
    pub token: Token,
    /// Certificate authorities to trust besides the public ones, PEM.
    pub ca_file: Option<PathBuf>,
}

/// A KEK in a transit engine.
pub struct TransitKek {
    client: Client,
    token: Token,
    /// The key's path behind that of an operation.
    mount: String,
    key: String,
}

impl TransitKek {
    /// The KEK of these options. Nothing is asked of the service yet.
    ///
    /// # Errors
    /// [`OptionError`] names the option that is wrong.
    pub fn new(options: TransitOptions) -> Result<Self, OptionError> {
        let TransitOptions { address, mount, key, token, ca_file } = options;
        let wrong = || OptionError::Address { address: address.clone() };
        let uri: Uri = address.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let is_http = uri.scheme() == Some(&Scheme::HTTP) || uri.scheme() == Some(&Scheme::HTTPS);
        let is_bare = uri.path() == "/" && uri.query().is_none() && !address.contains(['@', '#']);
        if !is_http || !is_bare || uri.host().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        let mount = name("mount", &mount, true)?;
        let key = name("key", &key, false)?;
        let client = Client::new(address.trim_end_matches('/').to_owned(), ca_file.as_deref())?;
        Ok(Self { client, token, mount, key })
    }

    async fn ask(&self, operation: &str, question: &impl Serialize) -> Result<Answer, KekError> {
        let body = Zeroizing::new(serde_json::to_vec(question).expect("two strings are JSON"));
        let path = format!("/v1/{}/{operation}/{}", self.mount, self.key);
        let answer = self.client.post(&path, self.token.read()?, body).await?;
        // serde_json's text could quote the answer.
        let read: Result<Response, _> = serde_json::from_slice(&answer);
        read.map(|response| response.data).map_err(|_| self.client.unavailable("it answered what is not its protocol"))
    }

    fn ciphertext(&self, answer: &Answer) -> Result<Vec<u8>, KekError> {
        let ciphertext = answer.ciphertext.as_bytes();
        if ciphertext.starts_with(PREFIX) {
            Ok(ciphertext.to_vec())
        } else {
            Err(self.client.unavailable("it answered without a ciphertext"))
        }
    }
}

#[derive(Serialize)]
struct Plaintext {
    plaintext: Zeroizing<String>,
}

#[derive(Serialize)]
struct Ciphertext<'a> {
    ciphertext: &'a str,
}

#[derive(Deserialize)]
struct Response {
    data: Answer,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    ciphertext: String,
    plaintext: Zeroizing<String>,
}

#[async_trait]
impl KeyWrap for TransitKek {
    async fn wrap(&self, key: &SecretKey, context: &[u8]) -> Result<Vec<u8>, KekError> {
        let mut inside = Zeroizing::new(Vec::with_capacity(CONTEXT_BYTES + key.reveal().len()));
        inside.extend_from_slice(&Sha256::digest(context));
        inside.extend_from_slice(key.reveal());
        let question = Plaintext { plaintext: Zeroizing::new(BASE64.encode(&*inside)) };
        self.ciphertext(&self.ask("encrypt", &question).await?)
    }

    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<SecretKey, KekError> {
        let ciphertext = text(wrapped)?;
        let answer = self.ask("decrypt", &Ciphertext { ciphertext }).await?;
        let inside = BASE64.decode(&*answer.plaintext).map(Zeroizing::new).map_err(|_| KekError::Altered)?;
        let (bound_to, key) = inside.split_at_checked(CONTEXT_BYTES).ok_or(KekError::Altered)?;
        if bound_to != Sha256::digest(context).as_slice() {
            return Err(KekError::Altered);
        }
        SecretKey::from_slice(key).ok_or(KekError::Altered)
    }

    async fn rewrap(&self, wrapped: &[u8], _context: &[u8]) -> Result<Vec<u8>, KekError> {
        let ciphertext = text(wrapped)?;
        self.ciphertext(&self.ask("rewrap", &Ciphertext { ciphertext }).await?)
    }

    /// What stands before the last colon, such as `vault:v3`.
    fn version_of<'a>(&self, wrapped: &'a [u8]) -> &'a [u8] {
        wrapped.iter().rposition(|byte| *byte == b':').map_or(wrapped, |end| &wrapped[..end])
    }
}

impl fmt::Debug for TransitKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransitKek({}/{} at {})", self.mount, self.key, self.client.address())
    }
}

/// A wrapped key as what it is: text.
fn text(wrapped: &[u8]) -> Result<&str, KekError> {
    if !wrapped.starts_with(PREFIX) {
        return Err(KekError::Kind { expected: "a key service" });
    }
    core::str::from_utf8(wrapped).map_err(|_| KekError::Altered)
}

/// `value`, if it can stand in a URL as it is.
fn name(option: &'static str, value: &str, is_path: bool) -> Result<String, OptionError> {
    let value = if is_path { value.trim_matches('/') } else { value };
    let may = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c) || (is_path && c == '/');
    if value.is_empty() || !value.chars().all(may) || value.split('/').any(|part| part.trim_matches('.').is_empty()) {
        return Err(OptionError::Name { option, value: value.to_owned() });
    }
    Ok(value.to_owned())
}

/// Reads `path` as certificates of authorities.
pub(crate) fn authorities(path: &Path) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, OptionError> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let wrong = |problem: String| OptionError::CaFile { path: path.to_owned(), problem };
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|e| wrong(e.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("it holds none".to_owned()));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(address: &str) -> TransitOptions {
        TransitOptions {
            address: address.to_owned(),
            mount: "transit".to_owned(),
            key: "sayso".to_owned(),
            token: Token::Variable("VAULT_TOKEN".to_owned()),
            ca_file: None,
        }
    }

    #[test]
    fn what_is_wrong_with_an_option_is_named() {
        for address in ["http://127.0.0.1:8200", "https://vault.example.org", "https://[::1]:8200/"] {
            TransitKek::new(options(address)).unwrap();
        }
        for address in ["", "vault:8200", "ftp://vault", "https://", "https://me:hunter2@vault", "https://vault/v1?x"] {
            let error = TransitKek::new(options(address)).unwrap_err();
            assert!(matches!(error, OptionError::Address { .. }), "{address}: {error}");
        }
        for key in ["", "a/b", "a b", "..", "é"] {
            let error = TransitKek::new(TransitOptions { key: key.to_owned(), ..options("http://v") }).unwrap_err();
            assert!(matches!(error, OptionError::Name { option: "key", .. }), "{key}: {error}");
        }
        for mount in ["", "/", "a//b", "a/../b", "a?b"] {
            let error = TransitKek::new(TransitOptions { mount: mount.to_owned(), ..options("http://v") }).unwrap_err();
            assert!(matches!(error, OptionError::Name { option: "mount", .. }), "{mount}: {error}");
        }
        let ca_file = Some("/no/such/file".into());
        let error = TransitKek::new(TransitOptions { ca_file, ..options("http://v") }).unwrap_err();
        assert!(error.to_string().contains("/no/such/file"), "{error}");
    }
}
