//! [`History`]: what was said in earlier conversations, as it is kept.

use std::sync::Arc;

use sayso_consent::Register;
use sayso_consent::keep::NewItem;
use sayso_consent::keep::item::JSON;
use sayso_policy::Profile;
use sayso_types::dialogue::Exchange;
use sayso_types::{Category, ConsentVersion, Purpose, SessionId, SubjectId, TurnId, WallTime};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// An exchange as it is kept. What it is called is what a policy calls the attributes of a history: one that declares only some
/// of them has only those.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptExchange {
    text: Text,
    /// When it was over, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<Place>,
}

#[derive(Serialize, Deserialize)]
struct Text {
    said: String,
    heard: String,
}

#[derive(Serialize, Deserialize)]
struct Place {
    session: String,
    turn: u32,
}

/// The item of an exchange; `None` when `profile` lets no text of it be kept.
fn item(profile: &Profile, exchange: Exchange, session: SessionId, turn: TurnId, at: WallTime) -> Option<NewItem> {
    let rule = profile.category(Category::CHAT_HISTORY)?;
    let declares = |attribute| rule.attrs.is_empty() || rule.attrs.contains(attribute);
    if !declares("text") {
        return None;
    }
    let Exchange { said, heard } = exchange;
    let kept = KeptExchange {
        text: Text { said, heard },
        time: declares("time").then_some(at.0),
        context: declares("context").then(|| Place { session: session.to_string(), turn: turn.0 }),
    };
    let json = Zeroizing::new(serde_json::to_vec(&kept).expect("texts and numbers are JSON"));
    let mut item = NewItem::new(Category::CHAT_HISTORY, Purpose::HISTORY, JSON, Vec::new());
    item.content = json;
    Some(item)
}

/// Keeps `exchange`, which was over at `at`.
pub(crate) async fn keep_exchange(
    register: &Arc<Register>,
    subject: SubjectId,
    cv: ConsentVersion,
    exchange: Exchange,
    (session, turn, at): (SessionId, TurnId, WallTime),
) {
    if let Some(item) = item(&register.profile(), exchange, session, turn, at) {
        super::keep(register, subject, cv, item).await;
    }
}

/// The way to what is kept of earlier conversations.
pub(crate) struct History;

impl History {
    /// The latest `count` exchanges, oldest first; fewer where what is kept may not be used, or cannot be read.
    pub(crate) async fn latest(register: &Arc<Register>, subject: SubjectId, count: usize) -> Vec<Exchange> {
        let kept = match register.list_kept(subject, Some(Category::CHAT_HISTORY)).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(%error, "what was said before cannot be read; the conversation begins without it");
                return Vec::new();
            }
        };
        let kept: Vec<_> = kept.into_iter().filter(|kept| super::is_told(kept, subject, Purpose::HISTORY)).collect();
        let mut latest = Vec::new();
        for kept in &kept[kept.len().saturating_sub(count)..] {
            let Ok(Some(kept)) = register.kept(subject, kept.id).await else { continue };
            // what an integrator keeps in the same category has a shape of its own
            if let Ok(KeptExchange { text: Text { said, heard }, .. }) = serde_json::from_slice(&kept.content) {
                latest.push(Exchange { said, heard });
            }
        }
        latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(attrs: &str) -> Profile {
        let home = include_str!("../../../../deploy/profiles/home.toml");
        let purpose = "purpose = [\n  { id = \"history\", dpv = \"RequestedServiceProvision\", basis = \"Consent\" },";
        let category = format!(
            "\n[category.chat_history]\ndpv = [\"pd:Communication\"]\nsensitivity = \"high\"\npurposes = [\"history\"]\nnecessity = \"Optional\"\n\
             at_rest = \"allowed\"\n{attrs}retention = {{ trigger = \"withdraw\", after = \"PT0S\", action = \"erase\" }}\n"
        );
        Profile::parse(&(home.replacen("purpose = [", purpose, 1) + &category)).unwrap()
    }

    /// As it is in every store: a change here needs a reader for what was kept before.
    #[test]
    fn an_exchange_is_kept_in_these_words_with_its_time_and_its_place() {
        let exchange = || Exchange { said: "What time is it?".into(), heard: "Ten past four.".into() };
        let kept = |attrs: &str| {
            let at = (SessionId([0xab; 16]), TurnId(7), WallTime(1_795_000_000_000));
            let item = item(&profile(attrs), exchange(), at.0, at.1, at.2)?;
            Some(String::from_utf8(item.content.to_vec()).unwrap())
        };
        let text = r#"{"text":{"said":"What time is it?","heard":"Ten past four."}"#;
        let time = r#","time":1795000000000"#;
        let context = r#","context":{"session":"abababababababababababababababab","turn":7}"#;
        assert_eq!(kept("").as_deref(), Some(&*format!("{text}{time}{context}}}")));
        assert_eq!(kept("attrs = [\"text\", \"time\"]\n").as_deref(), Some(&*format!("{text}{time}}}")));
        assert_eq!(kept("attrs = [\"time\"]\n"), None);
        let read: KeptExchange = serde_json::from_str(&format!("{text}{time}{context}}}")).unwrap();
        assert_eq!((read.text.said.as_str(), read.text.heard.as_str()), ("What time is it?", "Ten past four."));
    }
}
