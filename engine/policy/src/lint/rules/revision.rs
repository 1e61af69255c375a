//! Rules about how the policy changes.

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::Acceptance;

pub(in crate::lint) static REVISION_SILENT_ACCEPT: Rule = Rule {
    id: "REVISION_SILENT_ACCEPT",
    breach: "a change that matters holds for people who did not agree to it",
    source: "XZ-9.3, XS-VI, ZG-U2, conflict C2; cn-pipl:14",
    waivable: false,
    look: silent,
};

fn silent(case: &Case<'_>) -> Found {
    if case.document.revision.material == Acceptance::Consent {
        return Found::new();
    }
    let message = "going on to use the service is no consent to what is new; write \"consent\" (for changes of wording, \
                   `editorial` may stay as it is)";
    vec![("revision.material".to_owned(), message.to_owned())]
}
