//! [`Authority`]: certificates for the occasion.

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sayso_store_raft::{NodeId, peer_name};
use sayso_types::{DeviceId, Name, TenantId};

/// The cluster that nodes are of.
pub(crate) const CLUSTER: Name = Name::constant("bench");

/// Vouches for the node and its devices.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// All devices have the same: making one takes longer than using it.
    device_key: KeyPair,
}

/// A certificate and its key.
pub(crate) struct Credential {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer, device_key: KeyPair::generate()? })
    }

    /// Its own certificate.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        self.issuer.der()
    }

    /// The same as text.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// For those who trust it.
    pub(crate) fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate().clone())?;
        Ok(roots)
    }

    /// For a node at `localhost`.
    pub(crate) fn node(&self) -> Result<Credential> {
        let mut params = CertificateParams::new(["localhost".to_owned()])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params, &KeyPair::generate()?)
    }

    /// For a node of a cluster, among its peers.
    pub(crate) fn peer(&self, node: NodeId) -> Result<Credential> {
        let mut params = CertificateParams::new([peer_name(&CLUSTER, node)])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params, &KeyPair::generate()?)
    }

    /// For a device: the subject has its id as CN and the tenant as O.
    pub(crate) fn device(&self, tenant: &TenantId, device: &DeviceId) -> Result<Credential> {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.distinguished_name.push(DnType::OrganizationName, tenant.as_str());
        params.distinguished_name.push(DnType::CommonName, device.as_str());
        self.sign(params, &self.device_key)
    }

    fn sign(&self, params: CertificateParams, key: &KeyPair) -> Result<Credential> {
        let certificate = params.signed_by(key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        Ok(Credential { certificate: certificate.der().clone(), key })
    }
}
