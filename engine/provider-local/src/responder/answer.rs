//! [`answer`]: the words and actions for each intent.

use jiff::Zoned;
use sayso_provider::{Action, Exchange, Fact, Reply, Request};

use super::arithmetic::Sum;
use super::intent::Intent;
use super::memory::{Memory, NAME, capitalised, sentence};
use super::utterance::Utterance;

/// Words of the person that are said back when nothing else fits: enough to see what was heard, short enough to bear.
const HEARD_WORDS_MAX: usize = 12;

/// Answers `request` at the time `now`, in the person's time zone.
#[must_use]
pub fn answer(request: &Request, now: &Zoned) -> Vec<Reply> {
    let name = find(&request.facts, NAME).map(|fact| fact.value.as_str());
    match Intent::of(&Utterance::new(&request.text)) {
        Intent::HowToWithdraw => saying("Just say: I withdraw my consent. Then I stop listening at once."),
        Intent::Stop => vec![Reply::Act(Action::Stop)],
        Intent::Goodbye => acting(Action::Stop, &format!("Goodbye{}.", addressed(name))),
        Intent::Repeat => repeat(request.earlier.iter().chain(&request.history)),
        // "what is the capital of France" asks for a fact, but not for one that this person told
        Intent::Memory(Memory::Recall(key)) if key.starts_with("the ") && find(&request.facts, &key).is_none() => {
            found(request)
        }
        Intent::Memory(memory) => remember(memory, &request.facts),
        Intent::Time => {
            saying(&format!("It is {}.", now.strftime(if now.minute() == 0 { "%-I %P" } else { "%-I:%M %P" })))
        }
        Intent::Date(days) => date(now, days),
        Intent::Sum(sum) => saying(&solved(&sum)),
        Intent::Help => saying(
            "You can ask me for the time, the date or a sum. You can tell me your name, or things to remember. \
             Say stop listening, and I stop at once.",
        ),
        Intent::Who => saying("I am a voice assistant. I answer by fixed rules, on this device's own server."),
        Intent::Mood => saying("I am fine, thank you. What can I do for you?"),
        Intent::Thanks => saying("You are welcome."),
        Intent::Greeting => saying(&format!("{}{}. What can I do for you?", greeting(now), addressed(name))),
        Intent::Nothing => saying("I did not hear any words."),
        Intent::Unknown => found(request),
    }
}

fn saying(text: &str) -> Vec<Reply> {
    vec![Reply::Text(text.to_owned())]
}

/// The action first: it must not wait for the words.
fn acting(action: Action, text: &str) -> Vec<Reply> {
    vec![Reply::Act(action), Reply::Text(text.to_owned())]
}

fn addressed(name: Option<&str>) -> String {
    name.map(|name| format!(", {name}")).unwrap_or_default()
}

fn greeting(now: &Zoned) -> &'static str {
    match now.hour() {
        5..12 => "Good morning",
        12..18 => "Good afternoon",
        18..23 => "Good evening",
        _ => "Hello",
    }
}

fn date(now: &Zoned, days: i32) -> Vec<Reply> {
    let day = match days {
        0 => "Today is",
        1.. => "Tomorrow is",
        _ => "Yesterday was",
    };
    // a calendar ends somewhere: there is no day after its last one
    let Ok(date) = now.date().checked_add(jiff::Span::new().days(days)) else {
        return saying("I do not know that date.");
    };
    saying(&format!("{day} {}.", date.strftime("%A, %B %-d, %Y")))
}

fn repeat<'a>(mut history: impl DoubleEndedIterator<Item = &'a Exchange>) -> Vec<Reply> {
    match history.rfind(|exchange| !exchange.heard.trim().is_empty()) {
        Some(exchange) => saying(exchange.heard.trim()),
        None => saying("I have not said anything yet."),
    }
}

fn solved(sum: &Sum) -> String {
    match sum {
        Sum::Is(text, value) if value.is_spoken_exactly() => format!("{} is {value}.", capitalised(text)),
        Sum::Is(text, value) => format!("{} is about {value}.", capitalised(text)),
        Sum::ByZero => "I am sorry, nothing can be divided by zero.".to_owned(),
        Sum::TooLarge => "I am sorry, that is too large for me.".to_owned(),
    }
}

fn remember(memory: Memory, facts: &[Fact]) -> Vec<Reply> {
    match memory {
        Memory::Remember(fact) => {
            let text = if fact.key == NAME {
                format!("Nice to meet you, {}.", fact.value)
            } else {
                format!("I will remember that {}.", sentence(&fact))
            };
            acting(Action::Remember(fact), &text)
        }
        Memory::Recall(key) => match find(facts, &key) {
            Some(fact) => saying(&format!("{}.", capitalised(&sentence(fact)))),
            None => saying("You have not told me that yet."),
        },
        Memory::RecallAll => saying(&all(facts)),
        Memory::Forget(None) => acting(Action::Forget(None), "I have forgotten everything that you told me."),
        Memory::Forget(Some(key)) => acting(Action::Forget(Some(key)), "I have forgotten that."),
    }
}

fn find<'a>(facts: &'a [Fact], key: &str) -> Option<&'a Fact> {
    facts.iter().find(|fact| fact.key == key)
}

fn all(facts: &[Fact]) -> String {
    let sentences: Vec<String> = facts.iter().map(sentence).collect();
    match sentences.as_slice() {
        [] => "You have not told me anything to remember.".to_owned(),
        [only] => format!("You told me that {only}."),
        [first @ .., last] => format!("You told me that {}, and that {last}.", first.join(", that ")),
    }
}

/// What the person's own documents say of it; no rule knows better.
fn found(request: &Request) -> Vec<Reply> {
    match request.passages.first() {
        Some(passage) => saying(&format!("Your documents say: {passage}")),
        None => unknown(&request.text),
    }
}

fn unknown(text: &str) -> Vec<Reply> {
    let heard = shortened(text);
    saying(&format!("I heard: {heard}. I can tell the time and the date, do sums, and remember things for you."))
}

/// The first words of `text`, without the mark at their end.
fn shortened(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let said = words[..words.len().min(HEARD_WORDS_MAX)].join(" ");
    let said = said.trim_end_matches(|c: char| !c.is_alphanumeric());
    if words.len() > HEARD_WORDS_MAX { format!("{said}, and so on") } else { said.to_owned() }
}
