//! Rules about the controller.

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;

pub(in crate::lint) static CTRL_MISSING: Rule = Rule {
    id: "CTRL_MISSING",
    breach: "nobody could reach the controller",
    source: "XZ-0.1, CA-8, XS-VII; cn-pipl:17, gdpr:13-1-a",
    waivable: false,
    look: missing,
};

fn missing(case: &Case<'_>) -> Found {
    if case.document.controller.contact.is_usable() {
        return Found::new();
    }
    let message =
        "nobody could be reached: give an address, a phone number, an e-mail address, or a page with https://";
    vec![("controller.contact".to_owned(), message.to_owned())]
}
