//! The JSON of chat completions: what is asked, and the pieces in which an answer comes.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sayso_provider::{Request, Sight};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// Renders `request` as a body. Its texts are wiped.
pub(crate) fn render(model: &str, mut request: Request) -> Vec<u8> {
    let body = Completion { model, messages: messages(&request), stream: true };
    let json = serde_json::to_vec(&body).expect("strings and booleans serialize");
    wipe(&mut request);
    json
}

/// Room for what stands around a picture in JSON.
const AROUND_PICTURE_BYTES: usize = 1_024;

/// Renders a picture, as a data URL, and what is asked about it as a body. Both are wiped. Where nothing is asked, it is
/// asked in `language` what the picture shows.
pub(crate) fn render_sight(model: &str, language: &str, sight: Sight) -> Vec<u8> {
    let Sight { picture, question } = sight;
    let question = Zeroizing::new(question);
    let asked = if question.trim().is_empty() { what_it_shows(language) } else { question.as_str() };
    let start = format!("data:{};base64,", picture.format().media_type());
    let len = start.len() + picture.bytes().len().div_ceil(3) * 4;
    // of its length from the beginning: what grows leaves copies behind
    let mut url = Zeroizing::new(String::with_capacity(len));
    url.push_str(&start);
    STANDARD.encode_string(picture.bytes(), &mut url);
    let content = [Part::Text { text: asked }, Part::ImageUrl { image_url: ImageUrl { url: &url } }];
    let mut json = Vec::with_capacity(url.len() + 6 * asked.len() + model.len() + AROUND_PICTURE_BYTES);
    let body = Completion { model, messages: vec![Seen { role: "user", content }], stream: true };
    serde_json::to_writer(&mut json, &body).expect("strings and booleans serialize");
    json
}

fn what_it_shows(language: &str) -> &'static str {
    if language == "zh" || language.starts_with("zh-") {
        "这张图片里有什么？请用一两句话回答。"
    } else {
        "What does this picture show? Answer in one or two sentences."
    }
}

#[derive(Serialize)]
struct Completion<'a, M> {
    model: &'a str,
    messages: Vec<M>,
    stream: bool,
}

#[derive(Serialize)]
struct Seen<'a> {
    role: &'static str,
    content: [Part<'a>; 2],
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: ImageUrl<'a> },
}

#[derive(Serialize)]
struct ImageUrl<'a> {
    url: &'a str,
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
    if !request.passages.is_empty() {
        let separator = if system.is_empty() { "" } else { "\n\n" };
        let text = system.to_mut();
        text.push_str(separator);
        text.push_str("From the person's own documents; use it where it answers what they ask:");
        for passage in &request.passages {
            text.extend(["\n\n", passage.as_str()]);
        }
    }
    let spoken = request
        .earlier
        .iter()
        .chain(&request.history)
        .flat_map(|e| [("user", e.said.as_str()), ("assistant", e.heard.as_str())]);
    let conversation = spoken.filter(|(_, text)| !text.is_empty()).chain([("user", request.text.as_str())]);
    let head = (!system.is_empty()).then_some(Message { role: "system", content: system });
    head.into_iter().chain(conversation.map(|(role, text)| Message { role, content: text.into() })).collect()
}

fn wipe(request: &mut Request) {
    let Request { text, history, earlier, facts, remembers: _, passages, role: _written_by_the_integrator } = request;
    text.zeroize();
    passages.iter_mut().for_each(Zeroize::zeroize);
    for exchange in earlier.iter_mut().chain(history) {
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
    use sayso_types::{Picture, PictureFormat};
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
            earlier: vec![Exchange { said: "Bye.".into(), heard: "Good night.".into() }],
            facts: vec![Fact { key: "name".into(), value: "Anna \"A\"".into() }],
            remembers: true,
            passages: vec!["The key is under the mat.".into()],
            role: "Be kind.".into(),
        };
        let expected = json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be kind.\n\nThe person asked you to remember:\n- name: Anna \"A\"\n\nFrom the person's own documents; use it where it answers what they ask:\n\nThe key is under the mat."},
                {"role": "user", "content": "Bye."},
                {"role": "assistant", "content": "Good night."},
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
    fn a_picture_is_a_data_url_beside_what_is_asked_about_it() {
        let picture = || Picture::new(PictureFormat::Jpeg, vec![0xff, 0xd8, 0xff, 0xe0].into()).unwrap();
        let rendered = |language, question: &str| -> Value {
            let sight = Sight { picture: picture(), question: question.to_owned() };
            serde_json::from_slice(&render_sight("m", language, sight)).unwrap()
        };
        let expected = |text: &str| {
            json!({
                "model": "m",
                "messages": [{"role": "user", "content": [
                    {"type": "text", "text": text},
                    {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4A=="}},
                ]}],
                "stream": true,
            })
        };
        assert_eq!(rendered("en", "Is it \"open\"?"), expected("Is it \"open\"?"));
        assert_eq!(rendered("de", " "), expected("What does this picture show? Answer in one or two sentences."));
        assert_eq!(rendered("zh-CN", ""), expected("这张图片里有什么？请用一两句话回答。"));
    }

    #[test]
    fn what_is_not_there_is_no_message() {
        let request = Request { text: "Hi.".into(), ..Request::default() };
        assert_eq!(rendered(request)["messages"], json!([{"role": "user", "content": "Hi."}]));
    }
}
