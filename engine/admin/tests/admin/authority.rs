//! Certificates for the occasion.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
    date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tonic::transport::Identity;

/// Signs the certificates of a node and of those who call it.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        roots
    }

    pub(crate) fn node(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.der().clone()], key.into())
    }

    /// A client certificate: CN, and O where there is a tenant.
    pub(crate) fn caller(&self, name: &str, tenant: Option<&str>) -> Identity {
        self.sign(caller(name, tenant))
    }

    pub(crate) fn expired_caller(&self, name: &str) -> Identity {
        let mut params = caller(name, None);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(params)
    }

    /// The certificate of a service that is these processors.
    pub(crate) fn service(&self, name: &str, tenant: Option<&str>, processors: &[&str]) -> Identity {
        let mut params = caller(&format!("service:{name}"), tenant);
        let uri = |id: &&str| SanType::URI(format!("sayso:processor:{id}").try_into().unwrap());
        params.subject_alt_names = processors.iter().map(uri).collect();
        self.sign(params)
    }

    /// Somebody of another company's, whose certificate says what `uris` say, until that `year`.
    pub(crate) fn contractor(&self, name: &str, uris: &[&str], year: i32) -> Identity {
        let mut params = caller(name, None);
        params.subject_alt_names = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
        params.not_after = date_time_ymd(year, 1, 1);
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        Identity::from_pem(params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

fn caller(name: &str, tenant: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    if let Some(tenant) = tenant {
        params.distinguished_name.push(DnType::OrganizationName, tenant);
    }
    params
}
