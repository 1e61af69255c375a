//! Rules about how people are told.

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{Carrier, NoticeForm, NoticeOccasion, ProcessorState};
use crate::words::spelled;

pub(in crate::lint) static NOTICE_NOT_CARRIED_OUT: Rule = Rule {
    id: "NOTICE_NOT_CARRIED_OUT",
    breach: "people are to be told through something that the engine cannot use and no service of the profile carries",
    source: "CA-4.5, CA-7.1, XS-III.3.5, XS-V.5, XS-VII, ZG-P5, ZG-S3c, ZG-U2, clauses 1.6.2 and 1.6.7; cn-pipl:57, gdpr:34",
    waivable: true,
    look: not_carried_out,
};

fn not_carried_out(case: &Case<'_>) -> Found {
    let mut promised = Vec::new();
    for (occasion, duty) in &case.document.notify {
        let occasion = spelled(occasion);
        let forms = duty.form.iter().map(|form| (spelled(form), form.takes())).collect::<Vec<_>>();
        let channels = duty.channels.iter().map(|channel| (spelled(channel), channel.takes())).collect();
        promised
            .extend([(format!("notify.{occasion}.form"), forms), (format!("notify.{occasion}.channels"), channels)]);
    }
    // authorities are told by people
    if let Some(subjects) = &case.document.incident.subjects {
        let channels = subjects.channels.iter().map(|channel| (spelled(channel), channel.takes())).collect();
        promised.push(("incident.subjects.channels".to_owned(), channels));
    }
    let open = |(key, through): (String, Vec<(String, Option<Carrier>)>)| {
        let missing =
            through.into_iter().filter_map(|(name, takes)| Some(format!("{name} ({})", wants(case, takes?)?)));
        let missing: Vec<_> = missing.collect();
        (!missing.is_empty()).then(|| {
            let message = format!(
                "the engine has devices speak and serves a page, and nothing carries {}; name the service among the \
                 processors, take the way out, or waive this with who tells people by that way",
                missing.join(", ")
            );
            (key, message)
        })
    };
    promised.into_iter().filter_map(open).chain(opening(case)).collect()
}

/// Whenever somebody begins to use the service their device is written to, and nothing else is done.
fn opening(case: &Case<'_>) -> Found {
    let Some(duty) = case.document.notify.get(&NoticeOccasion::Session) else { return Vec::new() };
    let mut found = Vec::new();
    if !duty.form.iter().eq([&NoticeForm::Screen]) || !duty.channels.is_empty() {
        let message = "whoever begins to use the service is told on the screen of the device, and the engine does it in no \
                       other way; write form = [\"screen\"], without channels, or waive this with who tells people";
        found.push(("notify.session.form".to_owned(), message.to_owned()));
    }
    let url = case.document.profile.url.as_deref();
    if !url.is_some_and(|url| url.starts_with("https://") || url.starts_with("http://")) {
        let message = "whoever begins to use the service is shown where the policy is read, and it does not say where that \
                       is; write its address, url = \"https://...\", or waive this with who tells people";
        found.push(("profile.url".to_owned(), message.to_owned()));
    }
    found
}

/// What `carrier` wants that the profile does not have.
fn wants(case: &Case<'_>, carrier: Carrier) -> Option<String> {
    let Carrier::Service(kind) = carrier else { return Some("people send it".to_owned()) };
    let mut processors = case.document.processor.values();
    let is_there = processors.any(|one| one.kind == kind && one.state == ProcessorState::Active);
    (!is_there).then(|| format!("no active processor of kind \"{}\"", spelled(&kind)))
}
