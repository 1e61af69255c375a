//! [`Operator`]: who a caller has proved to be, by a client certificate or by a token.

use std::collections::BTreeSet;
use std::str::FromStr;

use rustls::pki_types::CertificateDer;
use sayso_audit::{Actor, ActorKind, AuditKey};
use sayso_types::{Name, ProcessorId, TenantId, WallTime};
use sayso_wire::token::{self, TokenVerifier};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::x509::AttributeTypeAndValue;

use crate::refusal::Refusal;

/// What the names of tenants' callers start with, so that none is a device's. It is not a name by itself.
const PREFIX: &str = "admin:";

/// What the names of services outside of the node start with.
const SERVICE: &str = "service:";

/// How a service's certificate names a processor that it is: a URI among its alternative names.
const PROCESSOR: &str = "sayso:processor:";

/// How the certificate of somebody who works for another company names that company, in the same way.
const EMPLOYER: &str = "sayso:employer:";

/// How it names the agreement by which they keep to themselves what they see. It ends no later than that does.
const NDA: &str = "sayso:nda:";

/// A caller who has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    /// `admin:NAME` for a tenant's caller, any for the operator of the node.
    name: String,
    /// Whose sessions and consents they may see; all tenants' without it.
    tenant: Option<TenantId>,
    /// The processors that a service outside of the node is; empty for everybody else.
    processors: BTreeSet<ProcessorId>,
    /// When their certificate or token expires.
    pub(crate) until: WallTime,
}

/// Why a caller has not proved who they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unproved {
    #[error("show a client certificate, or a token as authorization: Bearer TOKEN")]
    Nothing,
    #[error("authorization: it is not Bearer and a token")]
    NotBearer,
    #[error("authorization: this node takes no tokens; connect with a client certificate, or configure a token key")]
    NoTokens,
    #[error("authorization: {0}")]
    Token(#[from] token::Error),
    #[error("the certificate's subject has no {0}; issue one with a CN and, for a tenant's caller, the tenant as O")]
    Subject(&'static str),
    #[error("this is a device's certificate or token; use one whose CN or device is admin:NAME")]
    Device,
    #[error(
        "a service's certificate has {PROCESSOR}ID among its alternative names, for each processor that it is; this has none, or one that is no id"
    )]
    Processors,
    #[error(
        "who works for another company ({EMPLOYER}NAME) has signed to keep what they see to themselves ({NDA}REFERENCE among the alternative names); issue one with both"
    )]
    Confidentiality,
    #[error("the certificate or token has expired; connect with a new one")]
    Expired,
}

impl Operator {
    /// Whom `token` was issued for.
    pub(crate) fn by_token(token: &str, verifier: &TokenVerifier, now: WallTime) -> Result<Self, Unproved> {
        let claims = verifier.verify(token, now)?;
        let until = WallTime(claims.expires.saturating_mul(1_000));
        Self::of_tenant(claims.device.into(), claims.tenant, until)
    }

    /// Whom `certificate`, which TLS has verified, was issued for. TLS looked at its time when the connection began;
    /// connections live long.
    pub(crate) fn by_certificate(certificate: &CertificateDer<'_>, now: WallTime) -> Result<Self, Unproved> {
        let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| Unproved::Subject("name"))?;
        let subject = certificate.subject();
        let name = only(subject.iter_common_name()).ok().flatten().ok_or(Unproved::Subject("single CN"))?.to_owned();
        let tenant = only(subject.iter_organization()).map_err(|()| Unproved::Subject("single O"))?;
        let tenant = tenant.map(str::parse).transpose().map_err(|_| Unproved::Subject("O that is an identifier"))?;
        let seconds = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
        let until = WallTime(seconds.saturating_mul(1_000));
        if now >= until {
            return Err(Unproved::Expired);
        }
        let is_bound = || named::<Name>(&certificate, NDA).is_some_and(|agreements| !agreements.is_empty());
        if named::<Name>(&certificate, EMPLOYER).is_none_or(|employers| !employers.is_empty()) && !is_bound() {
            return Err(Unproved::Confidentiality);
        }
        if name.strip_prefix(SERVICE).is_some_and(|rest| !rest.is_empty()) {
            let processors = named(&certificate, PROCESSOR).filter(|processors| !processors.is_empty());
            return Ok(Self { name, tenant, processors: processors.ok_or(Unproved::Processors)?, until });
        }
        match tenant {
            Some(tenant) => Self::of_tenant(name, tenant, until),
            // A device's certificate always has an O.
            None => Ok(Self { name, tenant: None, processors: BTreeSet::new(), until }),
        }
    }

    fn of_tenant(name: String, tenant: TenantId, until: WallTime) -> Result<Self, Unproved> {
        match name.strip_prefix(PREFIX) {
            Some(rest) if !rest.is_empty() => {
                Ok(Self { name, tenant: Some(tenant), processors: BTreeSet::new(), until })
            }
            _ => Err(Unproved::Device),
        }
    }

    /// What they are called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Somebody who may call until then.
    #[cfg(test)]
    pub(crate) fn test(until: u64) -> Self {
        Self { name: "test".to_owned(), tenant: None, processors: BTreeSet::new(), until: WallTime(until) }
    }

    /// Which of the operator's or a tenant's people made `request`. The doorman lets none in without.
    pub(crate) fn of<T>(request: &tonic::Request<T>) -> Result<Self, Refusal> {
        let caller = request.extensions().get::<Self>().cloned().ok_or(Unproved::Nothing)?;
        if caller.processors.is_empty() { Ok(caller) } else { Err(Refusal::NotForServices) }
    }

    /// Which service outside of the node made `request`.
    pub(crate) fn service_of<T>(request: &tonic::Request<T>) -> Result<Self, Refusal> {
        let caller = request.extensions().get::<Self>().cloned().ok_or(Unproved::Nothing)?;
        if caller.processors.is_empty() { Err(Refusal::ServiceOnly) } else { Ok(caller) }
    }

    /// The processors that a service is.
    pub(crate) const fn processors(&self) -> &BTreeSet<ProcessorId> {
        &self.processors
    }

    /// Refuses a service what is for another processor than it is.
    pub(crate) fn must_be(&self, processor: ProcessorId) -> Result<(), Refusal> {
        if self.processors.contains(&processor) { Ok(()) } else { Err(Refusal::OtherProcessor(processor)) }
    }

    /// Whose sessions a request is about that names `tenant`; [`None`] is everybody's.
    pub(crate) fn scope(&self, field: &'static str, tenant: &str) -> Result<Option<TenantId>, Refusal> {
        if tenant.is_empty() {
            return Ok(self.tenant.clone());
        }
        let named: TenantId = tenant.parse().map_err(|e| Refusal::invalid(field, e))?;
        match &self.tenant {
            Some(own) if *own != named => Err(Refusal::OtherTenant { field, own: own.clone() }),
            _ => Ok(Some(named)),
        }
    }

    /// Whether they may see what belongs to `tenant`.
    pub(crate) fn sees(&self, tenant: &TenantId) -> bool {
        self.tenant.as_ref().is_none_or(|own| own == tenant)
    }

    /// Whether they may see what belongs to anybody.
    pub(crate) const fn sees_all(&self) -> bool {
        self.tenant.is_none()
    }

    /// Refuses a tenant's caller what is for the operator of the node.
    pub(crate) const fn must_see_all(&self) -> Result<(), Refusal> {
        if self.sees_all() { Ok(()) } else { Err(Refusal::OperatorOnly) }
    }

    /// What stands for them in the audit log: the tag of `TENANT/NAME`, where the tenant may be empty.
    pub(crate) fn actor(&self, key: &AuditKey) -> Actor {
        let tenant = self.tenant.as_ref().map_or("", TenantId::as_str);
        let kind = if self.tenant.is_some() { ActorKind::Tenant } else { ActorKind::Operator };
        Actor { kind, tag: Some(key.actor(&format!("{tenant}/{}", self.name))) }
    }
}

/// What a certificate names by URIs that start with `prefix`; [`None`] when one of them is no id.
fn named<T: FromStr + Ord>(certificate: &X509Certificate<'_>, prefix: &str) -> Option<BTreeSet<T>> {
    let Some(names) = certificate.subject_alternative_name().ok()? else { return Some(BTreeSet::new()) };
    let uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => uri.strip_prefix(prefix),
        _ => None,
    });
    uris.map(|id| id.parse().ok()).collect()
}

/// The text of an attribute that occurs at most once: of two, each side could take another for the name.
fn only<'a>(mut attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Result<Option<&'a str>, ()> {
    let first = attributes.next().map(|attribute| attribute.as_str().map_err(|_| ())).transpose();
    if attributes.next().is_some() { Err(()) } else { first }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType, date_time_ymd};
    use sayso_wire::token::{Claims, TokenSigner};

    use super::*;

    /// 2026-01-01.
    const NOW: WallTime = WallTime(1_767_225_600_000);

    fn by_certificate(subject: &[(DnType, &str)]) -> Result<Operator, Unproved> {
        let mut params = CertificateParams::default();
        params.not_after = date_time_ymd(2027, 1, 1);
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in subject {
            params.distinguished_name.push(kind.clone(), *value);
        }
        Operator::by_certificate(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der(), NOW)
    }

    fn anna(tenant: Option<&str>) -> Operator {
        Operator {
            name: "admin:anna".to_owned(),
            tenant: tenant.map(|t| t.parse().unwrap()),
            processors: BTreeSet::new(),
            until: WallTime(1_798_761_600_000),
        }
    }

    #[test]
    fn a_certificate_names_its_caller() {
        let (cn, o) = (DnType::CommonName, DnType::OrganizationName);
        assert_eq!(by_certificate(&[(cn.clone(), "admin:anna")]), Ok(anna(None)));
        let ben = Operator { name: "Ben, on call".to_owned(), ..anna(None) };
        assert_eq!(by_certificate(&[(cn.clone(), "Ben, on call")]), Ok(ben));
        assert_eq!(by_certificate(&[(o.clone(), "acme"), (cn.clone(), "admin:anna")]), Ok(anna(Some("acme"))));
        for device in ["speaker-1", "admin:", "xadmin:anna"] {
            assert_eq!(by_certificate(&[(o.clone(), "acme"), (cn.clone(), device)]), Err(Unproved::Device));
        }
        assert_eq!(by_certificate(&[]), Err(Unproved::Subject("single CN")));
        assert_eq!(by_certificate(&[(o.clone(), "acme")]), Err(Unproved::Subject("single CN")));
        assert_eq!(
            by_certificate(&[(o, "two words"), (cn, "admin:anna")]),
            Err(Unproved::Subject("O that is an identifier")),
            "a tenant that cannot be read is not the operator of the node"
        );
        let garbage = Operator::by_certificate(&CertificateDer::from(vec![1, 2, 3]), NOW);
        assert_eq!(garbage, Err(Unproved::Subject("name")));
    }

    fn service(name: &str, uris: &[&str]) -> Result<Operator, Unproved> {
        let mut params = CertificateParams::default();
        params.not_after = date_time_ymd(2027, 1, 1);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let uri = |uri: &&str| SanType::URI((*uri).try_into().unwrap());
        params.subject_alt_names = uris.iter().map(uri).collect();
        Operator::by_certificate(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der(), NOW)
    }

    #[test]
    fn a_services_certificate_names_the_processors_that_it_is() {
        let sms = service("service:campaign", &["sayso:processor:sms", "https://example.org", "sayso:processor:crm"]);
        let sms = sms.unwrap();
        assert!(sms.must_be("sms".parse().unwrap()).is_ok() && sms.must_be("crm".parse().unwrap()).is_ok());
        assert!(matches!(sms.must_be("store-local".parse().unwrap()), Err(Refusal::OtherProcessor(_))));
        let mut request = tonic::Request::new(());
        request.extensions_mut().insert(sms.clone());
        assert!(matches!(Operator::of(&request), Err(Refusal::NotForServices)));
        assert_eq!(Operator::service_of(&request).unwrap(), sms);
        request.extensions_mut().insert(anna(None));
        assert!(matches!(Operator::service_of(&request), Err(Refusal::ServiceOnly)));
        for none in [&[][..], &["https://example.org"], &["sayso:processor:"], &["sayso:processor:A B"]] {
            assert_eq!(service("service:campaign", none), Err(Unproved::Processors));
        }
        let anna = service("admin:anna", &["sayso:processor:sms"]).unwrap();
        assert!(anna.processors.is_empty(), "only a service is one");
    }

    #[test]
    fn who_works_for_another_company_has_signed_to_keep_what_they_see() {
        let signed = ["sayso:employer:call-centre", "sayso:nda:2026-17"];
        assert_eq!(service("admin:anna", &signed), Ok(anna(None)));
        assert_eq!(
            service("admin:anna", &signed[1..]),
            Ok(anna(None)),
            "the operator's own people may have signed, too"
        );
        for unsigned in [&signed[..1], &["sayso:employer:", "sayso:nda:1"][..1], &["sayso:employer:x", "sayso:nda:"]] {
            assert_eq!(service("admin:anna", unsigned), Err(Unproved::Confidentiality), "{unsigned:?}");
        }
    }

    #[test]
    fn a_certificate_of_a_living_connection_expires() {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "admin:anna");
        params.not_after = date_time_ymd(2025, 12, 31);
        let expired = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(Operator::by_certificate(expired.der(), NOW), Err(Unproved::Expired));
    }

    #[test]
    fn a_token_is_for_admins_only() {
        let (id, key) = (Name::constant("k1"), SigningKey::from_bytes(&[1; 32]));
        let verifier = TokenVerifier::new([(id, key.verifying_key())]);
        let signer = TokenSigner::new(id, key);
        let token = |device: &str, expires| {
            let claims =
                Claims { tenant: "acme".parse().unwrap(), device: device.parse().unwrap(), not_before: 0, expires };
            signer.sign(&claims).into_inner()
        };
        let later = NOW.0 / 1_000 + 60;
        let proved = Operator::by_token(&token("admin:anna", later), &verifier, NOW).unwrap();
        assert_eq!(proved, Operator { until: WallTime(later * 1_000), ..anna(Some("acme")) });
        assert_eq!(Operator::by_token(&token("speaker-1", later), &verifier, NOW), Err(Unproved::Device));
        let expired = Operator::by_token(&token("admin:anna", 1), &verifier, NOW);
        assert_eq!(expired, Err(Unproved::Token(token::Error::Expired { at: 1 })));
    }

    #[test]
    fn a_tenants_caller_stays_within_it() {
        let (node, tenant) = (anna(None), anna(Some("acme")));
        let scope = |who: &Operator, named| who.scope("tenant_id", named).ok().flatten().map(String::from);
        assert_eq!(scope(&node, ""), None);
        assert_eq!(scope(&node, "acme").as_deref(), Some("acme"));
        assert_eq!(scope(&tenant, "").as_deref(), Some("acme"));
        assert_eq!(scope(&tenant, "acme").as_deref(), Some("acme"));
        assert!(matches!(tenant.scope("tenant_id", "other"), Err(Refusal::OtherTenant { .. })));
        assert!(matches!(node.scope("tenant_id", "a b"), Err(Refusal::Invalid { field: "tenant_id", .. })));
        assert!(node.sees(&"other".parse().unwrap()) && !tenant.sees(&"other".parse().unwrap()));
    }

    #[test]
    fn tags_tell_callers_apart_and_name_none() {
        let key = AuditKey::new([7; 32]);
        let (node, tenant) = (anna(None).actor(&key), anna(Some("acme")).actor(&key));
        assert_eq!((node.kind, tenant.kind), (ActorKind::Operator, ActorKind::Tenant));
        assert_ne!(node.tag, tenant.tag);
        assert_eq!(node, anna(None).actor(&key));
    }
}
