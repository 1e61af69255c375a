//! Rules about the controller.

use crate::lint::rule::Found;
use crate::profile::Document;

/// No way to reach the controller that works.
pub(in crate::lint) fn missing(document: &Document) -> Found {
    if document.controller.contact.is_usable() {
        return Found::new();
    }
    let message =
        "nobody could be reached: give an address, a phone number, an e-mail address, or a page with https://";
    vec![("controller.contact".to_owned(), message.to_owned())]
}
