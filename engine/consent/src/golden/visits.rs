//! What is stored of guests.

use super::*;
use crate::tables::{VISIT, VisitKey};
use crate::visits::Visit;

#[test]
fn a_visit_is_stored_as_it_was() {
    let device = ("acme".parse().unwrap(), "kitchen".parse().unwrap());
    let (id, ends_at) = (Reference([6; 16]), WallTime(NOW.0 + 14_400_000));
    let visit = Visit { id, device: device.clone(), subject: SUBJECT, began_at: NOW, ends_at };
    let key = VisitKey { tenant: "acme".to_owned(), device: "kitchen".to_owned() };
    let value = VISIT.encode(&visit.encode());
    assert_golden("visit", &key.key(), &value);
    assert_eq!(Visit::decode(device, &value[2..]).unwrap(), visit);
}
