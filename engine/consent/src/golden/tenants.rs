//! What tenants instruct, and whose a document is.

use super::*;
use crate::tables::{DOCUMENT, DocumentKey, TENANT};
use crate::tenants::{Demand, Ending, Order, Tenant, Why, stored};

#[test]
fn a_tenant_is_stored_as_it_was() {
    let instructed = Tenant {
        id: Reference([6; 16]),
        order: Order {
            tenant: "acme".parse().unwrap(),
            reference: "contract 7".into(),
            purposes: [Purpose::VOICE_INTERACTION].into(),
            categories: [Category::TRANSCRIPT, Category::VOICE_AUDIO].into(),
            until: Some(WallTime(NOW.0 + 9)),
            attestation: None,
        },
        since: NOW,
        rev: 3,
        demand: None,
        ending: None,
    };
    let due = Some(WallTime(NOW.0 + 5));
    let demand = Demand::new(Reference([8; 16]), "where it is from".into(), due, &profile(), NOW).unwrap();
    let attested = Order { attestation: Some("statement 3".into()), ..instructed.order.clone() };
    let answering = Tenant { order: attested, demand: Some(demand), ..instructed.clone() };
    let ending = Ending {
        why: Why::Instructed,
        at: WallTime(NOW.0 + 1),
        people: 2,
        reached: Some(SUBJECT),
        is_everybody: true,
        notice: None,
        not_before: None,
        erased_at: Some(WallTime(NOW.0 + 2)),
    };
    let told = Ending { notice: Some(NoticeId([7; 16])), not_before: Some(WallTime(NOW.0 + 3)), ..ending };
    let ended = Tenant { ending: Some(ending), ..instructed.clone() };
    let told = Tenant { ending: Some(told), ..instructed.clone() };
    for (name, tenant) in [("tenant", instructed), ("tenant_told", told), ("tenant_answering", answering)] {
        let Op::Put(key, value) = stored::put(&tenant) else { panic!("{name} is put") };
        assert_golden(name, &key, &value);
        assert_eq!(stored::decode(&key, &value[2..]).unwrap(), tenant);
    }

    // what version 1 wrote, when nobody was told
    let Op::Put(key, value) = stored::put(&ended) else { panic!("it is put") };
    let value = Schema::new("tenant", 1, 1).encode(&value[2..]);
    assert_golden("tenant_first", &key, &value);
    assert_eq!(TENANT.decode(&value).unwrap().0, 1);
    assert_eq!(stored::decode(&key, &value[2..]).unwrap(), ended);
    // and version 2, when nobody attested anything
    let value = Schema::new("tenant", 1, 2).encode(&value[2..]);
    assert_golden("tenant_second", &key, &value);
    assert_eq!(TENANT.decode(&value).unwrap().0, 2);
}

#[test]
fn whose_a_document_is_is_stored_as_it_was() {
    let key = DocumentKey { sha256: vec![9; 32] };
    assert_golden("document", &key.key(), &DOCUMENT.encode(&SUBJECT.0));
}
