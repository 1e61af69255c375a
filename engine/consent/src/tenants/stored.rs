//! Tenants as they are stored, schema version 3: JSON, because instructions outlive the program that wrote them. Version 1 had
//! nothing of how people are told of the end of one, and its program would erase before they are. Version 2 had nothing of what
//! a tenant attests and is to show, and its program would serve one that has not.

use std::collections::BTreeSet;

use sayso_audit::Reference;
use sayso_store::{Error as StoreError, Key, Op, Store, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Category, Purpose, TenantId, WallTime};
use serde::{Deserialize, Serialize};

use super::{Demand, Ending, Order, Tenant};
use crate::Error;
use crate::tables::{TENANT, TenantKey};

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(with = "hex")]
    id: [u8; 16],
    reference: String,
    purposes: BTreeSet<Purpose>,
    categories: BTreeSet<Category>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<WallTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attestation: Option<String>,
    since: WallTime,
    rev: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    demand: Option<Demand>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ending: Option<Ending>,
}

/// Where it is stored.
pub(crate) fn key(tenant: &TenantId) -> Key {
    TenantKey { tenant: tenant.to_string() }.key()
}

/// What stores `tenant`.
pub(crate) fn put(tenant: &Tenant) -> Op {
    let Tenant { id: Reference(instructions), order, since, rev, demand, ending } = tenant.clone();
    let Order { tenant: id, reference, purposes, categories, until, attestation } = order;
    let body =
        Body { id: instructions, reference, purposes, categories, until, attestation, since, rev, demand, ending };
    Op::Put(key(&id), TENANT.encode(&serde_json::to_vec(&body).expect("plain values are JSON")))
}

/// The tenant that is stored so.
pub(crate) fn decode(key: &Key, body: &[u8]) -> Result<Tenant, Error> {
    let damaged = |found: String| Error::Damaged { what: "tenant", found };
    let TenantKey { tenant } = TenantKey::parse(key).map_err(StoreError::from)?;
    let tenant = tenant.parse().map_err(|_| damaged("a name that is no tenant's".to_owned()))?;
    let Body { id, reference, purposes, categories, until, attestation, since, rev, demand, ending } =
        serde_json::from_slice(body).map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
    let order = Order { tenant, reference, purposes, categories, until, attestation };
    Ok(Tenant { id: Reference(id), order, since, rev, demand, ending })
}

/// The tenants that `store` has, by name.
pub(crate) async fn tenants_in(store: &dyn Store) -> Result<Vec<Tenant>, Error> {
    let (mut tenants, mut range) = (Vec::new(), TenantKey::table().into());
    loop {
        let page = store.scan(range, SCAN_LIMIT_MAX).await?;
        for entry in page.entries {
            let (_, body) = TENANT.decode(&entry.value).map_err(StoreError::from)?;
            tenants.push(decode(&entry.key, body)?);
        }
        let Some(rest) = page.rest else { return Ok(tenants) };
        range = rest;
    }
}
