//! Certificates: making them for a first node, and reading them for a running one.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, DnsName, PrivateKeyDer};
use sayso_store_raft::{NodeId, peer_name};
use sayso_types::{DeviceId, Name, ProcessorId, TenantId};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

/// An authority lives as long as the devices that were given its certificate at the factory.
const AUTHORITY_DAYS: i64 = 3_650;
/// Certificates of nodes, devices and operators are replaced every year.
const ISSUED_DAYS: i64 = 365;

/// A certificate authority of one's own.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    key_pem: String,
}

/// A certificate with its private key.
pub(crate) struct Issued {
    /// The certificate, then the authority's.
    pub(crate) chain_pem: String,
    /// PKCS #8.
    pub(crate) key_pem: String,
}

/// What somebody signed to keep to themselves what they see.
pub(crate) struct Nda {
    /// The company that they work for, when it is not the operator's own.
    pub(crate) employer: Option<Name>,
    /// Which agreement.
    pub(crate) reference: Name,
    /// The first moment at which it binds them no more.
    pub(crate) until: OffsetDateTime,
}

impl Authority {
    /// A new one.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = params(name, AUTHORITY_DAYS);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        let (pem, key_pem) = (certificate.pem(), key.serialize_pem());
        Ok(Self { issuer: Issuer::new(params, key), certificate: certificate.der().clone(), pem, key_pem })
    }

    /// One that was made before, from its PEM files.
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self> {
        let read = |file: &Path| {
            std::fs::read_to_string(file).with_context(|| format!("cannot read the authority's {}", file.display()))
        };
        let (pem, key_pem) = (read(certificate)?, read(key)?);
        let unusable = || format!("{} and {} are no authority's", certificate.display(), key.display());
        let issuer = Issuer::from_ca_cert_pem(&pem, KeyPair::from_pem(&key_pem).with_context(unusable)?);
        let issuer = issuer.with_context(unusable)?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).with_context(unusable)?;
        Ok(Self { issuer, certificate: der, pem, key_pem })
    }

    /// SHA-256 of the certificate.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.certificate).into()
    }

    /// The certificate that vouches for all others.
    pub(crate) fn cert_pem(&self) -> &str {
        &self.pem
    }

    /// Its private key.
    pub(crate) fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// For those who trust this authority.
    pub(crate) fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        Ok(roots)
    }

    /// For a node that is reached under `names`: host names or IP addresses.
    pub(crate) fn node(&self, names: &[String]) -> Result<Issued> {
        self.issue(node_params(names)?, &[ExtendedKeyUsagePurpose::ServerAuth])
    }

    /// The same for a node that keeps its private key to itself; the chain.
    pub(crate) fn node_of(&self, names: &[String], request: &Request) -> Result<String> {
        self.sign(node_params(names)?, &[ExtendedKeyUsagePurpose::ServerAuth], &request.0.public_key)
    }

    /// For a node of a cluster that replicates its store: it is both a server and a client to its peers.
    pub(crate) fn peer(&self, cluster: &Name, node: NodeId) -> Result<Issued> {
        self.issue(peer_params(cluster, node)?, &PEER_USAGES)
    }

    /// The same for a node that keeps its private key to itself; the chain.
    pub(crate) fn peer_of(&self, cluster: &Name, node: NodeId, request: &Request) -> Result<String> {
        self.sign(peer_params(cluster, node)?, &PEER_USAGES, &request.0.public_key)
    }

    /// For a device: its subject has the device id as CN and the tenant as O.
    pub(crate) fn device(&self, tenant: &TenantId, device: &DeviceId) -> Result<Issued> {
        let mut params = params(device.as_str(), ISSUED_DAYS);
        params.distinguished_name.push(DnType::OrganizationName, tenant.as_str());
        self.issue(params, &[ExtendedKeyUsagePurpose::ClientAuth])
    }

    /// For somebody of the operator's who uses the admin API: CN is `admin:` and their name.
    pub(crate) fn operator(&self, name: &str) -> Result<Issued> {
        self.person(name, None, None)
    }

    /// For somebody who uses the admin API: one of a tenant's has the tenant as O, and what they signed is among the alternative
    /// names. The certificate ends when that does.
    pub(crate) fn person(&self, name: &str, tenant: Option<&TenantId>, signed: Option<&Nda>) -> Result<Issued> {
        let mut params = params(&format!("admin:{name}"), ISSUED_DAYS);
        if let Some(tenant) = tenant {
            params.distinguished_name.push(DnType::OrganizationName, tenant.as_str());
        }
        if let Some(Nda { employer, reference, until }) = signed {
            let employer = employer.map(|employer| format!("sayso:employer:{employer}"));
            for uri in employer.into_iter().chain([format!("sayso:nda:{reference}")]) {
                params.subject_alt_names.push(SanType::URI(uri.try_into()?));
            }
            params.not_after = params.not_after.min(*until);
        }
        self.issue(params, &[ExtendedKeyUsagePurpose::ClientAuth])
    }

    /// For a service outside of the node that is some of the processors: CN is `service:` and its name, the tenant whose
    /// people it asks about is O, and each processor a URI among the alternative names.
    pub(crate) fn service(&self, name: &str, processors: &[ProcessorId], tenant: Option<&TenantId>) -> Result<Issued> {
        let mut params = params(&format!("service:{name}"), ISSUED_DAYS);
        if let Some(tenant) = tenant {
            params.distinguished_name.push(DnType::OrganizationName, tenant.as_str());
        }
        for processor in processors {
            params.subject_alt_names.push(SanType::URI(format!("sayso:processor:{processor}").try_into()?));
        }
        self.issue(params, &[ExtendedKeyUsagePurpose::ClientAuth])
    }

    fn issue(&self, params: CertificateParams, usages: &[ExtendedKeyUsagePurpose]) -> Result<Issued> {
        let key = KeyPair::generate()?;
        Ok(Issued { chain_pem: self.sign(params, usages, &key)?, key_pem: key.serialize_pem() })
    }

    /// Signs a certificate for `key`; gives the chain.
    fn sign(
        &self,
        mut params: CertificateParams,
        usages: &[ExtendedKeyUsagePurpose],
        key: &impl PublicKeyData,
    ) -> Result<String> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages.to_vec();
        let certificate = params.signed_by(key, &self.issuer)?;
        Ok(format!("{}{}", certificate.pem(), self.pem))
    }
}

/// What a node may do with its certificate among its peers.
const PEER_USAGES: [ExtendedKeyUsagePurpose; 2] =
    [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];

/// A request of somebody who made a key, and shows that it is theirs. What else it asks for is not looked at.
pub(crate) struct Request(CertificateSigningRequestParams);

impl Request {
    /// A new private key, PKCS #8 in PEM, and the request to sign its public part, PEM.
    pub(crate) fn make() -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let request = CertificateParams::default().serialize_request(&key)?.pem()?;
        Ok((key.serialize_pem(), request))
    }

    /// Reads a request, and checks that whoever made it has the private key.
    pub(crate) fn read(pem: &str) -> Result<Self> {
        Ok(Self(CertificateSigningRequestParams::from_pem(pem).context("the certificate request cannot be used")?))
    }
}

fn node_params(names: &[String]) -> Result<CertificateParams> {
    let mut params = params("sayso node", ISSUED_DAYS);
    for name in names {
        params.subject_alt_names.push(subject_alt_name(name)?);
    }
    Ok(params)
}

fn peer_params(cluster: &Name, node: NodeId) -> Result<CertificateParams> {
    let mut params = params(&format!("sayso node {node} of {cluster}"), ISSUED_DAYS);
    params.subject_alt_names.push(subject_alt_name(&peer_name(cluster, node))?);
    Ok(params)
}

fn subject_alt_name(name: &str) -> Result<SanType> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    // rcgen takes any ASCII text for a name.
    DnsName::try_from(name).with_context(|| format!("{name:?} is not a host name or IP address"))?;
    Ok(SanType::DnsName(name.try_into()?))
}

fn params(name: &str, days: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    // Devices' clocks are often a little behind.
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(days);
    params
}

/// A certificate chain with its private key, as rustls takes it.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads both from PEM files.
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self> {
        let chain = read_certificates(certificate)?;
        let key = PrivateKeyDer::from_pem_file(key)
            .with_context(|| format!("cannot read a private key in PEM from {}", key.display()))?;
        Ok(Self { chain, key })
    }

    /// From what was just issued.
    pub(crate) fn of(issued: &Issued) -> Result<Self> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(issued.chain_pem.as_bytes()).collect();
        Ok(Self { chain: chain?, key: PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes())? })
    }

    /// The chain and the key.
    pub(crate) fn into_parts(self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain, self.key)
    }

    /// For the gateway, which takes devices that `authority` vouches for.
    pub(crate) fn gateway_tls(self, authority: Option<&Path>) -> Result<sayso_gateway::Tls> {
        let device_roots = authority.map_or_else(|| Ok(RootCertStore::empty()), read_roots)?;
        Ok(sayso_gateway::Tls { chain: self.chain, key: self.key, device_roots })
    }

    /// For the admin API, which takes operators that `authority` vouches for.
    pub(crate) fn admin_tls(self, authority: Option<&Path>) -> Result<sayso_admin::Tls> {
        let client_roots = authority.map_or_else(|| Ok(RootCertStore::empty()), read_roots)?;
        Ok(sayso_admin::Tls { chain: self.chain, key: self.key, client_roots })
    }

    /// For a node's peers, whom `roots` vouch for.
    pub(crate) fn peer_tls(self, roots: RootCertStore) -> sayso_store_raft::Tls {
        sayso_store_raft::Tls { chain: self.chain, key: self.key, roots }
    }

    /// For a device.
    pub(crate) fn device(self) -> sayso_device::Identity {
        sayso_device::Identity::Certificate { chain: self.chain, key: self.key }
    }
}

/// Reads the authorities in a PEM file.
pub(crate) fn read_roots(file: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(file)? {
        roots
            .add(certificate)
            .with_context(|| format!("{} holds a certificate that cannot be used", file.display()))?;
    }
    Ok(roots)
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file).and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>());
    let certificates = read.with_context(|| format!("cannot read certificates in PEM from {}", file.display()))?;
    if certificates.is_empty() {
        bail!("{} holds no certificate in PEM", file.display());
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{ServerName, UnixTime};

    use super::*;

    #[test]
    fn a_node_is_known_by_its_names_and_by_no_other_authority() {
        let authority = Authority::new("test").unwrap();
        let issued = authority.node(&["localhost".into(), "127.0.0.1".into()]).unwrap();
        let identity = Identity::of(&issued).unwrap();
        let check = |roots, name: &'static str| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            let name = ServerName::try_from(name).unwrap();
            verifier.verify_server_cert(&identity.chain[0], &identity.chain[1..], &name, &[], UnixTime::now()).is_ok()
        };
        assert!(check(authority.roots().unwrap(), "localhost"));
        assert!(check(authority.roots().unwrap(), "127.0.0.1"));
        assert!(!check(authority.roots().unwrap(), "example.org"));
        assert!(!check(Authority::new("other").unwrap().roots().unwrap(), "localhost"));
    }

    #[test]
    fn a_certificate_ends_with_what_was_signed_or_after_a_year() {
        use x509_parser::prelude::{FromDer, X509Certificate};

        let authority = Authority::new("test").unwrap();
        let ends = |until| {
            let signed =
                Nda { employer: Some(Name::constant("call-centre")), reference: Name::constant("2026-17"), until };
            let issued = authority.person("ben", None, Some(&signed)).unwrap();
            let certificate = CertificateDer::from_pem_slice(issued.chain_pem.as_bytes()).unwrap();
            X509Certificate::from_der(&certificate).unwrap().1.validity().not_after.timestamp()
        };
        let now = OffsetDateTime::now_utc();
        let soon = now + Duration::days(30);
        assert_eq!(ends(soon), soon.unix_timestamp());
        assert!(ends(now + Duration::days(3_000)) <= (now + Duration::days(ISSUED_DAYS + 1)).unix_timestamp());
    }

    #[test]
    fn files_that_are_not_certificates_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cert.pem");
        let error = |file: &Path| format!("{:#}", read_roots(file).unwrap_err());
        assert!(error(&file).contains("cert.pem"));
        std::fs::write(&file, "hello").unwrap();
        assert!(error(&file).contains("cert.pem"));
        assert!(Authority::new("x").unwrap().node(&["not a name".into()]).is_err());
    }
}
