//! Rules about the list of processors as a whole, and the order in which they are chosen.

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{Processing, Processor, ProcessorState};
use crate::words::spelled;

pub(in crate::lint) static PROC_LIST_MISSING: Rule = Rule {
    id: "PROC_LIST_MISSING",
    breach: "data is handed on and the policy names no receiver",
    source: "CA-9, defect D4; cn-pipl:23, gdpr:13-1-e",
    waivable: false,
    look: missing,
};

fn missing(case: &Case<'_>) -> Found {
    let registry = &case.document.registry;
    if registry.uses.is_empty() || !registry.announces.is_empty() {
        return Found::new();
    }
    let uses = registry.uses.iter().map(spelled).collect::<Vec<_>>().join(", ");
    let message = format!("the service hands data to {uses} and names none of them; name them to people, then here");
    vec![("registry.announces".to_owned(), message)]
}

pub(in crate::lint) static PROC_UNREGISTERED_IN_USE: Rule = Rule {
    id: "PROC_UNREGISTERED_IN_USE",
    breach: "a sort of receiver is used that the policy does not name or the profile does not list",
    source: "XZ-1.11, XZ-7.1, defect D2; cn-pipl:23, gdpr:30-1-d",
    waivable: false,
    look: unregistered,
};

fn unregistered(case: &Case<'_>) -> Found {
    let registry = &case.document.registry;
    let processors = || case.document.processor.values().filter(|p| p.state != ProcessorState::Terminated);
    let mut found = Found::new();
    for kind in &registry.uses {
        let name = spelled(kind);
        if !registry.announces.is_empty() && !registry.announces.contains(kind) {
            let message = format!("`{name}` is used and not named to people; name it to them, then in `announces`");
            found.push((format!("registry.uses.{name}"), message));
        } else if !processors().any(|p| p.kind == *kind) {
            let message = format!("`{name}` is used and no entry of `processor` is one; add it");
            found.push((format!("registry.uses.{name}"), message));
        }
    }
    let named = |kind| registry.announces.contains(kind) || registry.uses.contains(kind);
    if !registry.announces.is_empty() {
        for p in processors().filter(|p| p.state == ProcessorState::Active && !named(&p.kind)) {
            let message = format!("`{}` is not named to people; add it to registry.announces", spelled(&p.kind));
            found.push((format!("processor.{}.kind", p.id), message));
        }
    }
    found
}

pub(in crate::lint) static RECIPIENT_UNNAMED: Rule = Rule {
    id: "RECIPIENT_UNNAMED",
    breach: "consent to hand data on must name who receives it, and somebody receives it whom people are not told of first",
    source: "XZ-3.4, AW-4.2b, CA-3.1.1; cn-pipl:23",
    waivable: false,
    look: unnamed,
};

fn unnamed(case: &Case<'_>) -> Found {
    if !case.document.registry.named_recipients {
        return Found::new();
    }
    let handed_on = |p: &Processor| {
        let purposes = p.purposes.iter().filter_map(|id| case.document.purpose.get(id));
        purposes.into_iter().find(|rule| rule.processing.contains(&Processing::Share))
    };
    let strangers = case.document.processor.values().filter(|p| p.state == ProcessorState::Active && !p.is_own());
    let unnamed = strangers.filter(|p| !p.independent_controller).filter_map(|p| Some((p, handed_on(p)?)));
    unnamed
        .map(|(p, purpose)| {
            let message = format!(
                "data is handed on to it for {}, so people must be told of it by its name before it gets any; write true",
                purpose.id
            );
            (format!("processor.{}.independent_controller", p.id), message)
        })
        .collect()
}

pub(in crate::lint) static ROUTING_PREFERS_FARTHER: Rule = Rule {
    id: "ROUTING_PREFERS_FARTHER",
    breach: "data goes further although a nearer receiver would do",
    source: "XZ-4.6d; cn-pipl:6, gdpr:25-2",
    waivable: true,
    look: farther,
};

fn farther(case: &Case<'_>) -> Found {
    let prefer = &case.document.routing.prefer;
    if !prefer.is_empty() && prefer.is_sorted_by(|near, far| near < far) {
        return Found::new();
    }
    let message = "try the nearest first: write local, domestic, overseas in this order, each once";
    vec![("routing.prefer".to_owned(), message.to_owned())]
}
