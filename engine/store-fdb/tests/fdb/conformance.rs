//! The contract's conformance suite, on a part of a cluster.

use crate::part::Part;

sayso_store::conformance!(match Part::new() {
    Some(part) => part,
    None => return,
});
