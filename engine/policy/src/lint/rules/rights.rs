//! Rules about what people may ask for.

use std::collections::BTreeMap;

use sayso_types::RegionClass;

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{RightChannel, RightKind};
use crate::words::spelled;

pub(in crate::lint) static RIGHT_MISSING: Rule = Rule {
    id: "RIGHT_MISSING",
    breach: "a right that a named law gives is not offered",
    source: "clauses 1.6.4, defect D7 (XZ, CA: no copy, no explanation); cn-pipl:44-50, gdpr:15-22",
    waivable: false,
    look: missing,
};

fn missing(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    for rule in case.law.rights() {
        if applies(case, rule.kind) && !case.document.rights.offers.contains_key(&rule.kind) {
            let kind = spelled(&rule.kind);
            let message = format!("people have this right by law ({}); write [rights.offers.{kind}]", rule.src);
            found.entry(format!("rights.offers.{kind}")).or_insert(message);
        }
    }
    found.into_iter().collect()
}

/// Whether there is anything that the right could be used against.
fn applies(case: &Case<'_>, kind: RightKind) -> bool {
    let document = case.document;
    match kind {
        RightKind::RefuseOverseas => {
            let abroad = |class: RegionClass| class == RegionClass::Overseas;
            document.transfers.overseas || document.processor.values().any(|p| abroad(p.region_class))
        }
        RightKind::MarketingOptOut => document.purpose.values().any(|purpose| purpose.dpv.contains("Marketing")),
        _ => true,
    }
}

pub(in crate::lint) static ERASURE_GROUND_MISSING: Rule = Rule {
    id: "ERASURE_GROUND_MISSING",
    breach: "data is not erased on a ground on which a named law demands it",
    source: "XZ-5.3, CA-5.1.2, clauses 1.6.4; cn-pipl:47, gdpr:17-1",
    waivable: false,
    look: ground_missing,
};

fn ground_missing(case: &Case<'_>) -> Found {
    let Some(erase) = case.document.rights.offers.get(&RightKind::Erase) else { return Found::new() };
    // no list is every ground
    if erase.grounds.is_empty() {
        return Found::new();
    }
    let asked = case.law.rights().iter().filter(|rule| rule.kind == RightKind::Erase);
    let missing = asked.filter_map(|rule| {
        let grounds: Vec<_> = rule.grounds.difference(&erase.grounds).map(spelled).collect();
        (!grounds.is_empty()).then(|| format!("{} ({})", grounds.join(", "), rule.src))
    });
    let missing: Vec<_> = missing.collect();
    if missing.is_empty() {
        return Found::new();
    }
    let message = format!("the law also demands erasure on: {}; add them", missing.join("; "));
    vec![("rights.offers.erase.grounds".to_owned(), message)]
}

pub(in crate::lint) static RIGHT_NO_CHANNEL: Rule = Rule {
    id: "RIGHT_NO_CHANNEL",
    breach: "a right is offered and nothing says how it is used",
    source: "XZ-5, CA-5.1, XS-V; cn-pipl:50, gdpr:12-2",
    waivable: false,
    look: no_channel,
};

fn no_channel(case: &Case<'_>) -> Found {
    let offers = case.document.rights.offers.iter();
    // being told that the service ends is nothing that one asks for
    let mute = offers.filter(|(kind, right)| right.channel.is_empty() && **kind != RightKind::ShutdownNotice);
    mute.map(|(kind, _)| {
        let message = "say through what it is used, such as [\"console\", \"voice\"]";
        (format!("rights.offers.{}.channel", spelled(kind)), message.to_owned())
    })
    .collect()
}

pub(in crate::lint) static RIGHT_CHANNEL_UNREACHABLE: Rule = Rule {
    id: "RIGHT_CHANNEL_UNREACHABLE",
    breach: "a right is used by writing or calling, and nothing says where to",
    source: "defects D4, D5 (CA, XS); cn-pipl:17, cn-pipl:50, gdpr:12-2",
    waivable: false,
    look: unreachable,
};

fn unreachable(case: &Case<'_>) -> Found {
    let contact = &case.document.controller.contact;
    let ways =
        [(RightChannel::Email, "email", contact.has_email()), (RightChannel::Phone, "phone", contact.has_phone())];
    let offers = &case.document.rights.offers;
    let lost = ways.into_iter().filter(|(.., leads_somewhere)| !leads_somewhere).filter_map(|(channel, key, _)| {
        let by_it = offers.iter().filter(|(_, right)| right.channel.contains(&channel));
        let by_it: Vec<_> = by_it.map(|(kind, _)| spelled(kind)).collect();
        let message = format!(
            "nothing there leads to anybody, and by `{}` people are to use: {}; write it, or offer them another channel",
            spelled(&channel),
            by_it.join(", ")
        );
        (!by_it.is_empty()).then(|| (format!("controller.contact.{key}"), message))
    });
    lost.collect()
}

pub(in crate::lint) static WITHDRAW_HARDER_THAN_GIVING: Rule = Rule {
    id: "WITHDRAW_HARDER_THAN_GIVING",
    breach: "consent is given on the spot and withdrawn by writing to somebody",
    source: "XS-V.3, conflict C15; cn-pipl:15, gdpr:7-3",
    waivable: false,
    look: harder,
};

fn harder(case: &Case<'_>) -> Found {
    let Some(withdraw) = case.document.rights.offers.get(&RightKind::Withdraw) else { return Found::new() };
    let slow = withdraw.channel.iter().all(|channel| channel.is_slow());
    if withdraw.channel.is_empty() || !slow {
        return Found::new();
    }
    let message = "people agree on the spot, so they must be able to withdraw there; add \"voice\", \"device\" or \
                   \"console\"";
    vec![("rights.offers.withdraw.channel".to_owned(), message.to_owned())]
}

pub(in crate::lint) static DEADLINE_MISSING: Rule = Rule {
    id: "DEADLINE_MISSING",
    breach: "nothing says by when a request is answered, or by when a child's data goes",
    source: "XZ, AW, CA (defect D7), clauses 1.6.6; cn-pipl:50, gdpr:12-3",
    waivable: false,
    look: no_deadline,
};

fn no_deadline(case: &Case<'_>) -> Found {
    let rights = &case.document.rights;
    let owed = !rights.offers.is_empty() || !case.law.answers().is_empty();
    let mut found = Found::new();
    if rights.respond_within.is_none() && owed {
        let by_law: Vec<_> = case.law.answers().iter().map(|rule| format!("{} ({})", rule.within, rule.src)).collect();
        let write = match by_law.is_empty() {
            true => "a time, such as \"P15WD\"".to_owned(),
            false => format!("that of the law or less: {}", by_law.join(", ")),
        };
        let message = format!("nobody knows by when a request is answered; write {write}");
        found.push(("rights.respond_within".to_owned(), message));
    }
    let minors = &case.document.minors;
    if minors.guardian_required_below > 0 && minors.erase_on_discovery.is_none() {
        let message = "say how soon data goes that a child gave without a guardian, such as \"P3WD\"";
        found.push(("minors.erase_on_discovery".to_owned(), message.to_owned()));
    }
    found
}
