//! [`Identity`]: who a device has proved to be, by its certificate or by a token.

use quinn::Connection;
use rustls::pki_types::CertificateDer;
use sayso_types::{DeviceId, TenantId, WallTime};
use sayso_wire::Hello;
use sayso_wire::token::{self, TokenVerifier};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::AttributeTypeAndValue;

/// A device that has proved who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) tenant: TenantId,
    pub(crate) device: DeviceId,
}

/// Why a device has not proved who it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unproved {
    #[error("the device shows neither a client certificate nor a token")]
    Nothing,
    #[error("this node takes no device tokens")]
    NoTokens,
    #[error("the subject of the device's certificate has no {0} that is an identifier")]
    Subject(&'static str),
    #[error("hello.auth_token: {0}")]
    Token(#[from] token::Error),
    #[error("the hello names another device than the certificate or token does")]
    AnotherDevice,
}

impl Unproved {
    /// What the device's maker, or the integrator, can do.
    pub(crate) const fn remedy(&self) -> &'static str {
        match self {
            Self::Nothing => "connect with a client certificate, or put a token into the hello",
            Self::NoTokens => "connect with a client certificate, or configure a token key at the node",
            Self::Subject(_) => "issue a certificate with the device id as CN and the tenant as O",
            Self::Token(_) => "issue a new token for this device",
            Self::AnotherDevice => "give each device its own certificate or token, and its own id in the hello",
        }
    }
}

/// Who is on `connection` and said `hello`. A certificate, which TLS has verified, goes before a token.
pub(crate) fn prove(
    connection: &Connection,
    hello: &Hello,
    tokens: Option<&TokenVerifier>,
    now: WallTime,
) -> Result<Identity, Unproved> {
    let chain = connection.peer_identity().and_then(|chain| chain.downcast::<Vec<CertificateDer<'static>>>().ok());
    let identity = match (chain.as_deref().and_then(|chain| chain.first()), &hello.auth_token) {
        (Some(certificate), _) => named_by(certificate)?,
        (None, Some(token)) => {
            let claims = tokens.ok_or(Unproved::NoTokens)?.verify(token.reveal(), now)?;
            Identity { tenant: claims.tenant, device: claims.device }
        }
        (None, None) => return Err(Unproved::Nothing),
    };
    if identity.device == hello.device_id { Ok(identity) } else { Err(Unproved::AnotherDevice) }
}

/// The device that a certificate is for: its subject's CN, of the tenant that is its O.
fn named_by(certificate: &CertificateDer<'_>) -> Result<Identity, Unproved> {
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| Unproved::Subject("name"))?;
    let subject = certificate.subject();
    let device = only(subject.iter_common_name()).ok_or(Unproved::Subject("CN"))?;
    let tenant = only(subject.iter_organization()).ok_or(Unproved::Subject("O"))?;
    Ok(Identity {
        device: device.parse().map_err(|_| Unproved::Subject("CN"))?,
        tenant: tenant.parse().map_err(|_| Unproved::Subject("O"))?,
    })
}

/// The text of an attribute that occurs once: of two, each side could take another for the name.
fn only<'a>(mut attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Option<&'a str> {
    let first = attributes.next()?;
    if attributes.next().is_some() { None } else { first.as_str().ok() }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn certificate(subject: &[(DnType, &str)]) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in subject {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn a_certificate_names_a_device_and_its_tenant() {
        let named = certificate(&[(DnType::OrganizationName, "acme"), (DnType::CommonName, "speaker-1")]);
        let identity = named_by(&named).unwrap();
        assert_eq!((identity.tenant.as_str(), identity.device.as_str()), ("acme", "speaker-1"));
    }

    #[test]
    fn a_token_that_is_not_accepted_is_said_to_be_that_of_the_hello() {
        let expired = Unproved::from(token::Error::Expired { at: 1 }).to_string();
        assert_eq!(expired, "hello.auth_token: the token expired at 1 (Unix seconds); issue a new one");
    }

    #[test]
    fn a_certificate_without_a_name_proves_nothing() {
        let name = |subject: &[_]| named_by(&certificate(subject)).unwrap_err();
        assert_eq!(name(&[(DnType::OrganizationName, "acme")]), Unproved::Subject("CN"));
        assert_eq!(name(&[(DnType::CommonName, "speaker-1")]), Unproved::Subject("O"));
        let split = [(DnType::OrganizationName, "acme"), (DnType::CommonName, "speaker 1")];
        assert_eq!(name(&split), Unproved::Subject("CN"));
        assert_eq!(named_by(&CertificateDer::from(vec![1, 2, 3])), Err(Unproved::Subject("name")));
    }
}
