//! Rules about each processor.

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{Processor, ProcessorRole, ProcessorState, Volume};

/// The processors that get data now and that somebody else runs.
fn strangers<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Processor> {
    let processors = case.document.processor.values();
    processors.filter(|processor| processor.state == ProcessorState::Active && !processor.is_own())
}

fn says_nothing(text: Option<&str>) -> bool {
    /// What people write where they have nothing to write.
    const PLACEHOLDERS: [&str; 7] = ["", "…", "...", "tbd", "todo", "unknown", "third party"];
    text.is_none_or(|text| PLACEHOLDERS.contains(&text.trim().to_lowercase().as_str()))
}

pub(in crate::lint) static PROC_CONTRACT_MISSING: Rule = Rule {
    id: "PROC_CONTRACT_MISSING",
    breach: "somebody else gets data and no contract binds them",
    source: "XZ-3.1, AW-4.1, CA-3.1.6, XS-II.1; cn-pipl:21, gdpr:28-3",
    waivable: false,
    look: contract,
};

fn contract(case: &Case<'_>) -> Found {
    // who decides on its own is bound by law, not by instruction
    let unbound = strangers(case).filter(|p| !p.independent_controller && says_nothing(p.contract.as_deref()));
    unbound
        .map(|p| {
            let message = "no contract binds it; write the name or number of one, or set state = \"draft\"";
            (format!("processor.{}.contract", p.id), message.to_owned())
        })
        .collect()
}

pub(in crate::lint) static PROC_PARTICULARS_MISSING: Rule = Rule {
    id: "PROC_PARTICULARS_MISSING",
    breach: "somebody else gets data and people are not told who that is and what they do with it",
    source: "XZ-3.1, XZ-4.6c, XZ-7.2; cn-pipl:23, cn-pipl:39, gdpr:13-1-e",
    waivable: false,
    look: particulars,
};

fn particulars(case: &Case<'_>) -> Found {
    let mut found = Found::new();
    for p in strangers(case) {
        let missing = [
            ("party", says_nothing(Some(&p.party)), "the legal name of who runs it"),
            ("contact", says_nothing(p.contact.as_deref()), "how people reach them"),
            ("privacy_url", says_nothing(p.privacy_url.as_deref()), "the address of their privacy policy"),
            ("region", says_nothing(Some(&p.region)), "the country that it stands in"),
            (
                "declared_retention",
                p.declared_retention.is_none(),
                "how long they keep what they get, such as \"P30D\"",
            ),
            ("trains_on_data", p.trains_on_data.is_none(), "whether they train models on it: true or false"),
        ];
        for (key, _, what) in missing.into_iter().filter(|(_, missing, _)| *missing) {
            found.push((format!("processor.{}.{key}", p.id), format!("is not said; write {what}")));
        }
        if p.zero_retention && p.declared_retention.as_ref().and_then(|d| d.period()).is_some_and(|d| !d.is_zero()) {
            let message = "contradicts `zero_retention = true`; write \"PT0S\", or take the promise back";
            found.push((format!("processor.{}.declared_retention", p.id), message.to_owned()));
        }
    }
    found
}

pub(in crate::lint) static PROC_ROLE_CONTRADICTED: Rule = Rule {
    id: "PROC_ROLE_CONTRADICTED",
    breach: "what a receiver is said to be does not go together",
    source: "CA-3.1.4, CA-3.1.6, XS-II.1.1; cn-pipl:21, gdpr:28-10",
    waivable: false,
    look: roles,
};

fn roles(case: &Case<'_>) -> Found {
    let mut found = Found::new();
    for p in case.document.processor.values() {
        let contradictions = [
            (
                "role",
                p.role.is_some() && p.is_own(),
                "the operator itself is none; name who runs it in `party`, or remove it",
            ),
            (
                "partner_type",
                p.partner_type.is_some() && p.role != Some(ProcessorRole::Partner),
                "is said of partners; write role = \"partner\", or remove it",
            ),
            (
                "instructions_ref",
                p.instructions_ref.is_some() && p.independent_controller,
                "whoever decides itself follows no instructions; remove it, or `independent_controller`",
            ),
        ];
        for (key, _, message) in contradictions.into_iter().filter(|(_, contradicts, _)| *contradicts) {
            found.push((format!("processor.{}.{key}", p.id), message.to_owned()));
        }
    }
    found
}

pub(in crate::lint) static PROC_INSTRUCTIONS_MISSING: Rule = Rule {
    id: "PROC_INSTRUCTIONS_MISSING",
    breach: "an affiliate, partner or contractor gets data and nothing says whose instructions it follows",
    source: "CA-3.1.6, ZG-D1.2; cn-pipl:21, gdpr:28-3-a",
    waivable: false,
    look: instructions,
};

fn instructions(case: &Case<'_>) -> Found {
    let bound =
        strangers(case).filter(|p| !p.independent_controller && p.role.is_some_and(ProcessorRole::is_instructed));
    let unbound = bound.filter(|p| says_nothing(p.instructions_ref.as_deref()));
    unbound
        .map(|p| {
            let message = "is not said; write the name or number of the instructions that it follows, or \
                           independent_controller = true";
            (format!("processor.{}.instructions_ref", p.id), message.to_owned())
        })
        .collect()
}

pub(in crate::lint) static DUE_DILIGENCE_MISSING: Rule = Rule {
    id: "DUE_DILIGENCE_MISSING",
    breach: "the policy promises to look at processors, and nobody has, or too long ago",
    source: "XZ-7.3, AW-4.1, XS-II.1",
    waivable: false,
    look: due_diligence,
};

fn due_diligence(case: &Case<'_>) -> Found {
    let rules = &case.document.registry;
    if !rules.due_diligence_required {
        return Found::new();
    }
    let effective = case.document.profile.effective_at.moment();
    let mut found = Found::new();
    for p in strangers(case) {
        let problem = match &p.due_diligence {
            None => "nobody has looked at it; write when, who and for how long that holds, or set state = \"draft\""
                .to_owned(),
            Some(_) if effective.is_some_and(|from| p.examined_until().is_some_and(|until| until <= from)) => {
                "had run out before the policy holds; look at it again".to_owned()
            }
            Some(done) => match rules.due_diligence_valid {
                Some(limit) if crate::Period::from(done.valid).may_exceed(limit) => {
                    format!("holds for {}, and the policy promises {limit}; shorten it", done.valid)
                }
                _ => continue,
            },
        };
        found.push((format!("processor.{}.due_diligence", p.id), problem));
    }
    found
}

pub(in crate::lint) static VOLUME_UNKEEPABLE: Rule = Rule {
    id: "VOLUME_UNKEEPABLE",
    breach: "how much a processor gets at most is said of what it does not get, or so that it cannot be kept",
    source: "ZG-D1.2; cn-pipl:21, gdpr:28-3",
    waivable: false,
    look: volumes,
};

fn volumes(case: &Case<'_>) -> Found {
    let mut found = Found::new();
    for p in case.document.processor.values() {
        for (category, volume) in &p.volume {
            let problem = match *volume {
                _ if !p.accepts.contains(category) => "it does not accept that; remove it, or add it to `accepts`",
                Volume { per_call: None, per_day: None } => {
                    "says nothing; write bytes as per_call, or per_call and per_day"
                }
                Volume { per_call: None, .. } => {
                    "what one call may have is set aside of the day; write that as per_call, too"
                }
                Volume { per_call: Some(0), .. } => "lets nothing go there; remove the category from `accepts` instead",
                Volume { per_call: Some(call), per_day: Some(day) } if call > day => {
                    "one call may have more than a day; lower per_call, or raise per_day"
                }
                _ => continue,
            };
            found.push((format!("processor.{}.volume.{category}", p.id), problem.to_owned()));
        }
    }
    found
}
