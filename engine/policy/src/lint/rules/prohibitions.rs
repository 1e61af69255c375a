//! Rules about what no consent opens.

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{Processing, ProcessorState, Prohibition, PurposeRule};

pub(in crate::lint) static PROHIBITION_CONTRADICTED: Rule = Rule {
    id: "PROHIBITION_CONTRADICTED",
    breach: "the profile promises never to do what it declares to do",
    source: "XZ-3.0, ZG-4.1; a promise that is broken by the next line is none",
    waivable: true,
    look: contradicted,
};

fn contradicted(case: &Case<'_>) -> Found {
    let document = case.document;
    // what depends on age or data leaves the rest of a purpose open
    let plain: Vec<_> = document.prohibition.iter().filter(|p| p.when.is_none() && p.category.is_none()).collect();
    let mut found = Found::new();
    for purpose in document.purpose.values() {
        if plain.iter().any(|prohibition| shuts(prohibition, purpose)) {
            let message = "a prohibition shuts it for everybody; remove the purpose, or narrow the prohibition";
            found.push((format!("purpose.{}", purpose.id), message.to_owned()));
        }
    }
    let no_training = plain.iter().any(|p| p.purpose.is_none() && p.processing == Some(Processing::Train));
    for receiver in document.processor.values() {
        if no_training && receiver.state == ProcessorState::Active && receiver.trains_on_data == Some(true) {
            let message = "it trains models, which a prohibition forbids; agree that it does not, or suspend it";
            found.push((format!("processor.{}.trains_on_data", receiver.id), message.to_owned()));
        }
    }
    found
}

fn shuts(prohibition: &Prohibition, purpose: &PurposeRule) -> bool {
    let named = match &prohibition.purpose {
        Some(prohibited) => prohibited.names(purpose.id, Some(purpose)),
        None => prohibition.processing.is_some(),
    };
    named && prohibition.processing.is_none_or(|processing| purpose.processing.contains(&processing))
}
