//! What the person asks to have remembered, asks for again, and asks to have forgotten.
//!
//! A fact's key is what it is about: `name` and `keys` are the person's own, `the meeting` is not, and a note that is
//! about no one thing has its whole text behind `that `. Values are worded as they are said to the person: "in your bag".

use sayso_provider::Fact;

use super::utterance::{Utterance, Word, strip};

/// Key of the person's name.
pub(super) const NAME: &str = "name";

/// Most words of a name: longer ones are a sentence that merely begins like one.
const NAME_WORDS_MAX: usize = 4;

/// What is to be done with memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    /// Keep this.
    Remember(Fact),
    /// Say what is known about this key.
    Recall(String),
    /// Say all that is known.
    RecallAll,
    /// Forget this key, or all.
    Forget(Option<String>),
}

const REMEMBER: [&str; 8] = [
    "remember that",
    "remember",
    "do not forget that",
    "do not forget",
    "keep in mind that",
    "keep in mind",
    "note that",
    "make a note that",
];
const RECALL: [&str; 17] = [
    "what is",
    "what are",
    "what was",
    "where is",
    "where are",
    "where did i put",
    "where did i leave",
    "who is",
    "who are",
    "when is",
    "when are",
    "do you know",
    "do you remember",
    "tell me",
    "how old is",
    "what did i say about",
    "what do you know about",
];
const RECALL_ALL: [&str; 8] = [
    "what do you remember",
    "what do you remember about me",
    "what do you know about me",
    "what have i told you",
    "what did i tell you",
    "tell me what you remember",
    "tell me what you know about me",
    "what did i ask you to remember",
];
const FORGET_ALL: [&str; 8] = [
    "everything",
    "everything about me",
    "everything you know about me",
    "everything i told you",
    "all",
    "all about me",
    "me",
    "what you know about me",
];
const NAME_IS: [&str; 4] = ["my name is", "i am called", "call me", "my name's"];

/// What `utterance` asks of memory, if anything.
pub(super) fn parse(utterance: &Utterance) -> Option<Memory> {
    if utterance.has_any(&["do you remember me"]) || utterance.is_any(&["who am i", "do you know who i am"]) {
        return Some(Memory::Recall(NAME.to_owned()));
    }
    if utterance.is_any(&RECALL_ALL) {
        return Some(Memory::RecallAll);
    }
    forget(utterance).or_else(|| recall(utterance)).or_else(|| name(utterance)).or_else(|| remember(utterance))
}

fn forget(utterance: &Utterance) -> Option<Memory> {
    let at = utterance.find("forget")?;
    let plain = utterance.plain();
    let (before, rest) = (&plain[..at], &plain[at + 1..]);
    if before.iter().any(|word| matches!(*word, "not" | "never" | "i" | "did")) {
        return None;
    }
    if FORGET_ALL.iter().any(|all| all.split(' ').eq(rest.iter().copied())) {
        return Some(Memory::Forget(None));
    }
    key(rest).map(|key| Memory::Forget(Some(key)))
}

fn recall(utterance: &Utterance) -> Option<Memory> {
    let plain = utterance.plain();
    let rest = RECALL.iter().rev().find_map(|question| {
        let at = utterance.find(question).filter(|at| *at <= 1)?;
        strip(&plain[at..], question)
    })?;
    // "do you know where my keys are" asks the same as "where are my keys"
    let rest = rest.strip_prefix(&["where"]).or_else(|| rest.strip_prefix(&["what"])).unwrap_or(rest);
    if matches!(rest, ["my" | "the", _, ..]) { key(rest).map(Memory::Recall) } else { None }
}

fn name(utterance: &Utterance) -> Option<Memory> {
    let words = utterance.after_any(&NAME_IS)?;
    let end =
        words.iter().position(|word| matches!(word.plain.as_str(), "and" | "but" | "what")).unwrap_or(words.len());
    let words = &words[..end];
    let is_name = |word: &Word| word.plain.chars().all(|c| c.is_alphabetic() || c == '\'') && word.plain != "not";
    if words.is_empty() || words.len() > NAME_WORDS_MAX || !words.iter().all(is_name) {
        return None;
    }
    let value = words.iter().map(|word| capitalised(&word.written)).collect::<Vec<_>>().join(" ");
    Some(Memory::Remember(Fact { key: NAME.to_owned(), value }))
}

fn remember(utterance: &Utterance) -> Option<Memory> {
    if utterance.has_any(&["do you remember", "i remember"]) {
        return None;
    }
    let words = utterance.after_any(&REMEMBER).filter(|words| words.len() > 1)?;
    let verb = words.iter().position(|word| matches!(word.plain.as_str(), "is" | "are"));
    let about_thing = matches!(words[0].plain.as_str(), "my" | "the");
    if let Some(verb) = verb.filter(|verb| about_thing && *verb > 1 && verb + 1 < words.len()) {
        let subject: Vec<&str> = words[..verb].iter().map(|word| word.plain.as_str()).collect();
        let value = to_the_person(&words[verb + 1..]);
        return key(&subject).map(|key| Memory::Remember(Fact { key, value }));
    }
    let value = to_the_person(words);
    Some(Memory::Remember(Fact { key: format!("that {}", value.to_lowercase()), value }))
}

/// The key for what `words` are about.
fn key(words: &[&str]) -> Option<String> {
    let end =
        words.iter().rposition(|word| !matches!(*word, "is" | "are" | "was" | "were" | "again" | "now" | "anymore"))?;
    let words = &words[..=end];
    let own = words.iter().position(|word| *word == "my");
    let other = words.iter().position(|word| *word == "the");
    match (own, other, words) {
        (Some(at), ..) if at < end => Some(words[at + 1..].join(" ")),
        (None, Some(at), _) if at < end => Some(words[at..].join(" ")),
        (None, None, ["that", rest @ ..]) if !rest.is_empty() => {
            let words: Vec<Word> =
                rest.iter().map(|word| Word { plain: (*word).to_owned(), written: (*word).to_owned() }).collect();
            Some(format!("that {}", to_the_person(&words)))
        }
        _ => None,
    }
}

/// `fact` as it is said to the person: "your keys are in the drawer".
pub(super) fn sentence(fact: &Fact) -> String {
    let Fact { key, value } = fact;
    let verb = if is_plural(key) { "are" } else { "is" };
    if key.starts_with("that ") {
        value.clone()
    } else if key.starts_with("the ") {
        format!("{key} {verb} {value}")
    } else {
        format!("your {key} {verb} {value}")
    }
}

fn is_plural(noun: &str) -> bool {
    let singular = ["ss", "us", "is", "'s"];
    noun.ends_with('s') && !singular.iter().any(|ending| noun.ends_with(ending))
}

/// `words`, which the person says of themselves, as said to them.
fn to_the_person(words: &[Word]) -> String {
    let mut said = Vec::new();
    let mut before = "";
    for word in words {
        said.push(match (before, word.plain.as_str()) {
            (_, "i" | "me") => "you",
            ("i", "am") => "are",
            ("i", "was") => "were",
            (_, "my") => "your",
            (_, "mine") => "yours",
            (_, "myself") => "yourself",
            // the first word of a contraction holds all of its text, unless it was turned round
            ("i", plain) if word.written.is_empty() => plain,
            _ => word.written.as_str(),
        });
        before = &word.plain;
    }
    said.retain(|word| !word.is_empty());
    said.join(" ")
}

pub(super) fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Memory> {
        parse(&Utterance::new(text))
    }

    fn fact(key: &str, value: &str) -> Option<Memory> {
        Some(Memory::Remember(Fact { key: key.into(), value: value.into() }))
    }

    #[test]
    fn facts_are_taken_apart() {
        for (text, key, value) in [
            ("My name is Anna.", "name", "Anna"),
            ("Hello, my name is anna maria", "name", "Anna Maria"),
            ("Please call me Bob.", "name", "Bob"),
            ("Remember that my keys are in the drawer.", "keys", "in the drawer"),
            ("Remember my keys are in my bag", "keys", "in your bag"),
            ("Don't forget that my favorite color is blue.", "favorite color", "blue"),
            ("Remember that my dog's name is Rex.", "dog's name", "Rex"),
            ("Remember the meeting is at 5 pm.", "the meeting", "at 5 pm"),
            ("Remember that I like tea.", "that you like tea", "you like tea"),
            ("Remember that I'm allergic to nuts.", "that you are allergic to nuts", "you are allergic to nuts"),
            ("Remember I was in Rome", "that you were in rome", "you were in Rome"),
        ] {
            assert_eq!(parsed(text), fact(key, value), "{text}");
        }
    }

    #[test]
    fn questions_and_orders_name_the_same_keys() {
        for (text, expected) in [
            ("What is my name?", Memory::Recall("name".into())),
            ("What's my name?", Memory::Recall("name".into())),
            ("Do you know my name?", Memory::Recall("name".into())),
            ("Who am I?", Memory::Recall("name".into())),
            ("Where are my keys?", Memory::Recall("keys".into())),
            ("Do you know where my keys are?", Memory::Recall("keys".into())),
            ("When is the meeting?", Memory::Recall("the meeting".into())),
            ("What is my dog's name?", Memory::Recall("dog's name".into())),
            ("What do you remember about me?", Memory::RecallAll),
            ("What do you know about me?", Memory::RecallAll),
            ("Forget my name.", Memory::Forget(Some("name".into()))),
            ("Forget where my keys are", Memory::Forget(Some("keys".into()))),
            ("Please forget about the meeting.", Memory::Forget(Some("the meeting".into()))),
            ("Forget that I like tea.", Memory::Forget(Some("that you like tea".into()))),
            ("Forget everything.", Memory::Forget(None)),
            ("Forget everything about me!", Memory::Forget(None)),
        ] {
            assert_eq!(parsed(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_ask_nothing_of_memory() {
        for text in [
            "",
            "I forget things.",
            "Remember.",
            "Do you remember?",
            "My name is not Bob.",
            "What is love?",
            "Forget it.",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn facts_are_said_to_the_person() {
        for (key, value, said) in [
            ("name", "Anna", "your name is Anna"),
            ("keys", "in the drawer", "your keys are in the drawer"),
            ("address", "Main Street", "your address is Main Street"),
            ("the meeting", "at 5", "the meeting is at 5"),
            ("that you like tea", "you like tea", "you like tea"),
        ] {
            assert_eq!(sentence(&Fact { key: key.into(), value: value.into() }), said);
        }
    }
}
