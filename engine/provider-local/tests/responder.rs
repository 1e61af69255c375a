//! What the rules answer to what a recogniser may hear.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::sync::Arc;

use jiff::Zoned;
use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use sayso_provider::{Action, Exchange, Fact, Reply, Request, conformance};
use sayso_provider_local::RuleResponder;
use sayso_provider_local::responder::answer;
use sayso_types::ManualClock;

const FALLBACK: &str = "I can tell the time and the date, do sums, and remember things for you.";

/// Saturday, seven minutes past nine in the evening.
fn now() -> Zoned {
    date(2026, 11, 21).at(21, 7, 0, 0).to_zoned(TimeZone::UTC).unwrap()
}

fn fact(key: &str, value: &str) -> Fact {
    Fact { key: key.into(), value: value.into() }
}

fn known() -> Vec<Fact> {
    vec![fact("name", "Anna"), fact("keys", "in the drawer")]
}

/// The words and the actions of the answer to `request`.
fn answered(request: &Request) -> (String, Vec<Action>) {
    let (mut text, mut actions) = (String::new(), Vec::new());
    for reply in answer(request, &now()) {
        match reply {
            Reply::Text(part) => text.push_str(&part),
            Reply::Act(action) => actions.push(action),
        }
    }
    (text, actions)
}

fn says(text: &str, facts: Vec<Fact>) -> (String, Vec<Action>) {
    answered(&Request { text: text.into(), facts, ..Request::default() })
}

#[test]
fn questions_are_answered() {
    for (text, expected) in [
        ("Hello.", "Good evening. What can I do for you?"),
        ("Hi there!", "Good evening. What can I do for you?"),
        ("Good morning", "Good evening. What can I do for you?"),
        ("你好", "Good evening. What can I do for you?"),
        ("How are you?", "I am fine, thank you. What can I do for you?"),
        ("Hello, how are you today?", "I am fine, thank you. What can I do for you?"),
        ("Thank you.", "You are welcome."),
        ("Thanks!", "You are welcome."),
        ("谢谢", "You are welcome."),
        ("What time is it?", "It is 9:07 pm."),
        ("what's the time", "It is 9:07 pm."),
        ("Can you tell me what time it is, please?", "It is 9:07 pm."),
        ("Hey, do you have the time?", "It is 9:07 pm."),
        ("What day is it today?", "Today is Saturday, November 21, 2026."),
        ("What is the date?", "Today is Saturday, November 21, 2026."),
        ("What's today's date?", "Today is Saturday, November 21, 2026."),
        ("What day is tomorrow?", "Tomorrow is Sunday, November 22, 2026."),
        ("What day was yesterday?", "Yesterday was Friday, November 20, 2026."),
        ("What is twelve times seven?", "12 times 7 is 84."),
        ("What's 12 x 7?", "12 times 7 is 84."),
        ("15 plus 4", "15 plus 4 is 19."),
        ("15 + 4 =", "15 plus 4 is 19."),
        ("How much is 10 divided by 4?", "10 divided by 4 is 2.5."),
        ("10 / 3", "10 divided by 3 is about 3.3333."),
        ("twenty percent of fifty", "20 percent of 50 is 10."),
        ("What is 15% of 80?", "15 percent of 80 is 12."),
        ("Tell me what is 2 plus 3 times 4", "2 plus 3 times 4 is 14."),
        ("How much is zero point one plus zero point two?", "0.1 plus 0.2 is 0.3."),
        ("One hundred and five minus twenty-one", "105 minus 21 is 84."),
        ("Divide 9 by 3.", "9 divided by 3 is 3."),
        ("Add five and seven.", "5 plus 7 is 12."),
        ("Subtract 2 from 9.", "9 minus 2 is 7."),
        ("Two thousand times three million", "2000 times 3000000 is 6000000000."),
        ("What is 5 divided by zero?", "I am sorry, nothing can be divided by zero."),
        ("What is my name?", "You have not told me that yet."),
        ("Where are my keys?", "You have not told me that yet."),
        ("What do you remember about me?", "You have not told me anything to remember."),
        ("Say that again.", "I have not said anything yet."),
        ("Who are you?", "I am a voice assistant. I answer by fixed rules, on this device's own server."),
        ("How do I withdraw my consent?", "Just say: I withdraw my consent. Then I stop listening at once."),
        ("", "I did not hear any words."),
        (" ... ", "I did not hear any words."),
    ] {
        assert_eq!(says(text, vec![]), (expected.to_owned(), vec![]), "{text}");
    }
}

#[test]
fn help_says_what_there_is() {
    for text in ["Help!", "Help me, please.", "What can you do?", "What can I ask you?", "Okay, what can I say?"] {
        let (said, actions) = says(text, vec![]);
        assert!(said.contains("time, the date or a sum") && said.contains("stop listening"), "{text}: {said}");
        assert_eq!(actions, []);
    }
}

#[test]
fn facts_are_remembered() {
    for (text, key, value, expected) in [
        ("My name is Anna.", "name", "Anna", "Nice to meet you, Anna."),
        ("my name's anna", "name", "Anna", "Nice to meet you, Anna."),
        ("Hello, my name is Anna.", "name", "Anna", "Nice to meet you, Anna."),
        ("Call me Bob.", "name", "Bob", "Nice to meet you, Bob."),
        ("I'm called Mary Ann", "name", "Mary Ann", "Nice to meet you, Mary Ann."),
        (
            "Remember that my keys are in the drawer.",
            "keys",
            "in the drawer",
            "I will remember that your keys are in the drawer.",
        ),
        (
            "Please remember my favorite color is blue.",
            "favorite color",
            "blue",
            "I will remember that your favorite color is blue.",
        ),
        (
            "Don't forget that my bag is in my car",
            "bag",
            "in your car",
            "I will remember that your bag is in your car.",
        ),
        (
            "Remember that the meeting is at 5 pm.",
            "the meeting",
            "at 5 pm",
            "I will remember that the meeting is at 5 pm.",
        ),
        ("Remember that I like tea.", "that you like tea", "you like tea", "I will remember that you like tea."),
    ] {
        assert_eq!(says(text, vec![]), (expected.to_owned(), vec![Action::Remember(fact(key, value))]), "{text}");
    }
}

#[test]
fn facts_are_recalled() {
    for (text, expected) in [
        ("What is my name?", "Your name is Anna."),
        ("What's my name?", "Your name is Anna."),
        ("Do you know my name?", "Your name is Anna."),
        ("Who am I?", "Your name is Anna."),
        ("Do you remember me?", "Your name is Anna."),
        ("Where are my keys?", "Your keys are in the drawer."),
        ("Where did I put my keys?", "Your keys are in the drawer."),
        ("Do you know where my keys are?", "Your keys are in the drawer."),
        ("Hey, where are my keys?", "Your keys are in the drawer."),
        ("Where is my wallet?", "You have not told me that yet."),
        ("What do you remember about me?", "You told me that your name is Anna, and that your keys are in the drawer."),
        ("What do you know about me?", "You told me that your name is Anna, and that your keys are in the drawer."),
        ("Hello", "Good evening, Anna. What can I do for you?"),
    ] {
        assert_eq!(says(text, known()), (expected.to_owned(), vec![]), "{text}");
    }
}

#[test]
fn facts_are_forgotten() {
    for (text, key) in [
        ("Forget my name.", Some("name")),
        ("Please forget my name", Some("name")),
        ("Forget where my keys are.", Some("keys")),
        ("Forget about my keys", Some("keys")),
        ("Forget everything.", None),
        ("Forget all about me.", None),
        ("Forget what you know about me.", None),
    ] {
        let (said, actions) = says(text, known());
        assert_eq!(actions, [Action::Forget(key.map(str::to_owned))], "{text}");
        assert!(said.starts_with("I have forgotten"), "{text}: {said}");
    }
}

#[test]
fn the_conversation_ends_and_consent_is_withdrawn() {
    for (action, texts) in [(
        Action::Stop,
        &[
            "Stop.",
            "STOP!",
            "Stop it, please.",
            "Be quiet.",
            "Shut up!",
            "Goodbye.",
            "Bye bye",
            "Good night.",
            "That's all.",
            "Never mind.",
            "Okay, goodbye.",
            "停",
            "再见",
            "安静",
        ][..],
    )] {
        for text in texts {
            assert_eq!(says(text, known()).1, std::slice::from_ref(&action), "{text}");
        }
    }
}

#[test]
fn ends_are_acknowledged_in_words_where_words_are_wanted() {
    assert_eq!(says("Goodbye.", known()).0, "Goodbye, Anna.");
    assert_eq!(says("Stop.", vec![]).0, "", "who wants silence gets silence");
}

#[test]
fn the_last_words_that_were_heard_are_repeated() {
    let exchange = |said: &str, heard: &str| Exchange { said: said.into(), heard: heard.into() };
    let history = vec![exchange("What time is it?", "It is 9:07"), exchange("stop", "")];
    for text in ["Say that again.", "Can you repeat that, please?", "What did you say?", "Pardon?", "Again!"] {
        let request = Request { text: text.into(), history: history.clone(), ..Request::default() };
        assert_eq!(answered(&request), ("It is 9:07".to_owned(), vec![]), "{text}");
    }
}

#[test]
fn what_was_said_in_an_earlier_conversation_is_repeated_and_what_documents_say_is_read_out() {
    let earlier = vec![Exchange { said: "What time is it?".into(), heard: "It is 9:07".into() }];
    let request = Request { text: "Say that again.".into(), earlier, ..Request::default() };
    assert_eq!(answered(&request), ("It is 9:07".to_owned(), vec![]));
    let passages = vec!["The key is under the mat.".to_owned(), "The mat is blue.".to_owned()];
    for text in ["Where did I put the key?", "What is the colour of the mat?"] {
        let request = Request { text: text.into(), passages: passages.clone(), ..Request::default() };
        assert_eq!(answered(&request).0, "Your documents say: The key is under the mat.", "{text}");
    }
    let request = Request { text: "What is two plus two?".into(), passages, ..Request::default() };
    assert_eq!(answered(&request).0, "2 plus 2 is 4.", "what a rule knows it says");
}

#[test]
fn anything_else_is_said_back_in_short() {
    for (text, heard) in [
        ("Go forward ten meters.", "Go forward ten meters"),
        ("Four queen of clubs", "Four queen of clubs"),
        ("He was not an ill-disposed young man.", "He was not an ill-disposed young man"),
        ("What is the capital of France?", "What is the capital of France"),
        ("Don't stop listening.", "Don't stop listening"),
        ("Yes and no", "Yes and no"),
        ("My name is not important here", "My name is not important here"),
        ("今天天气怎么样？", "今天天气怎么样"),
        (
            "Had he married a more amiable woman, he might have been made still more respectable than he was.",
            "Had he married a more amiable woman, he might have been made, and so on",
        ),
    ] {
        assert_eq!(says(text, known()), (format!("I heard: {heard}. {FALLBACK}"), vec![]), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_gets_one_answer_and_the_same_one_each_time(
        text in "((what|is|my|name|remember|that|forget|five|point|hundred|divided|by|minus|and|no|yes|stop|不|好|\\PC) ?){0,12}",
    ) {
        let replies = says(&text, known());
        prop_assert_eq!(&replies, &says(&text, known()));
        prop_assert!(!replies.0.is_empty() || replies.1 == [Action::Stop]);
    }
}

#[tokio::test]
async fn it_keeps_the_contract_of_responders() {
    let responder = Arc::new(RuleResponder::new(Arc::new(ManualClock::new()), TimeZone::UTC));
    conformance::responder::all(responder).await;
}
