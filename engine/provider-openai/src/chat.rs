//! The JSON of chat completions: what is asked, and the pieces in which an answer comes.

use std::borrow::Cow;

use sayso_provider::Request;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Renders `request` as a body. Its texts are wiped.
pub(crate) fn render(model: &str, mut request: Request) -> Vec<u8> {
    let body = Completion { model, messages: messages(&request), stream: true };
    let json = serde_json::to_vec(&body).expect("strings and booleans serialize");
    wipe(&mut request);
    json
}

#[derive(Serialize)]
struct Completion<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    stream: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Cow<'a, str>,
}

/// Role and facts as one system message in front, because the templates of many models take no other; then the
/// conversation, of which only what was heard counts as said.
fn messages(request: &Request) -> Vec<Message<'_>> {
    let mut system = Cow::Borrowed(request.role.as_str());
    if !request.facts.is_empty() {
        let separator = if system.is_empty() { "" } else { "\n\n" };
        let text = system.to_mut();
        text.push_str(separator);
        text.push_str("The person asked you to remember:");
        for fact in &request.facts {
            text.extend(["\n- ", &fact.key, ": ", &fact.value]);
        }
    }
    let spoken = request.history.iter().flat_map(|e| [("user", e.said.as_str()), ("assistant", e.heard.as_str())]);
    let conversation = spoken.filter(|(_, text)| !text.is_empty()).chain([("user", request.text.as_str())]);
    let head = (!system.is_empty()).then_some(Message { role: "system", content: system });
    head.into_iter().chain(conversation.map(|(role, text)| Message { role, content: text.into() })).collect()
}

fn wipe(request: &mut Request) {
    let Request { text, history, facts, role: _written_by_the_integrator } = request;
    text.zeroize();
    for exchange in history {
        exchange.said.zeroize();
        exchange.heard.zeroize();
    }
    for fact in facts {
        fact.key.zeroize();
        fact.value.zeroize();
    }
}

/// A piece of an answer.
#[derive(Deserialize)]
pub(crate) struct Chunk {
    /// One, or none in a piece that tells about usage.
    #[serde(default)]
    pub(crate) choices: Vec<Choice>,
    /// What some services send in place of a status code when they fail on the way.
    pub(crate) error: Option<IgnoredAny>,
}

/// The answer that is being given.
#[derive(Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    pub(crate) delta: Delta,
    /// Why it ends here.
    pub(crate) finish_reason: Option<String>,
}

/// More of the answer.
#[derive(Default, Deserialize)]
pub(crate) struct Delta {
    pub(crate) content: Option<String>,
}

#[cfg(test)]
mod tests {
    use sayso_provider::{Exchange, Fact};
    use serde_json::{Value, json};

    use super::*;

    fn rendered(request: Request) -> Value {
        serde_json::from_slice(&render("m", request)).unwrap()
    }

    #[test]
    fn everything_that_a_responder_is_told_becomes_a_message() {
        let request = Request {
            text: "Who am I?".into(),
            history: vec![
                Exchange { said: "Hi.".into(), heard: "Hello!".into() },
                Exchange { said: "Sing.".into(), heard: String::new() },
            ],
            facts: vec![Fact { key: "name".into(), value: "Anna \"A\"".into() }],
            role: "Be kind.".into(),
        };
        let expected = json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be kind.\n\nThe person asked you to remember:\n- name: Anna \"A\""},
                {"role": "user", "content": "Hi."},
                {"role": "assistant", "content": "Hello!"},
                {"role": "user", "content": "Sing."},
                {"role": "user", "content": "Who am I?"},
            ],
            "stream": true,
        });
        assert_eq!(rendered(request), expected);
    }

    #[test]
    fn what_is_not_there_is_no_message() {
        let request = Request { text: "Hi.".into(), ..Request::default() };
        assert_eq!(rendered(request)["messages"], json!([{"role": "user", "content": "Hi."}]));
    }
}
