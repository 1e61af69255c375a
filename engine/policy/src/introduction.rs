//! [`Introduction`]: what a person is told of a service before the first thing of theirs goes there, because somebody else
//! runs it who decides by a policy of their own what is done with data.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::profile::{Language, Processor};
use crate::words::words;
use crate::{ConsentState, Profile, Tongue};

/// What is told of one processor.
#[derive(Clone, Copy, Debug)]
pub struct Introduction<'a> {
    of: &'a Processor,
}

/// SHA-256 over all that is told: as long as it is the same, whoever was told need not be told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntroductionHash(#[serde(with = "hex")] pub [u8; 32]);

impl Processor {
    /// What a person is told of it before it gets anything of theirs, if it decides itself what it does with that.
    #[must_use]
    pub fn introduction(&self) -> Option<Introduction<'_>> {
        self.independent_controller.then_some(Introduction { of: self })
    }
}

impl Introduction<'_> {
    /// Over what it says, in whatever language.
    ///
    /// # Panics
    /// Never: plain values are JSON.
    #[must_use]
    pub fn hash(&self) -> IntroductionHash {
        let Processor { id, kind, party, region, contact, privacy_url, .. } = self.of;
        let said = serde_json::to_vec(&(id, kind, party, region, contact, privacy_url)).expect("plain values are JSON");
        IntroductionHash(Sha256::new().chain_update(b"sayso introduction v1\n").chain_update(said).finalize().into())
    }

    /// What is read out in `language`. Of an address only the name of the machine can be listened to; all of it is
    /// [shown](Self::written).
    #[must_use]
    pub fn spoken(&self, language: Language) -> String {
        let Processor { party, kind, .. } = self.of;
        let (tongue, at) = (tongue(language), self.of.privacy_url.as_deref().map(machine));
        let what = words(kind, tongue);
        match tongue {
            Tongue::English => {
                let at = at.map(|at| format!(", which is shown here and stands at {at}")).unwrap_or_default();
                format!(
                    "For {what}, what concerns you goes to {party}. They handle it by a privacy policy of their own{at}."
                )
            }
            Tongue::Chinese => {
                let at = at.map(|at| format!("，该政策已显示在屏幕上，网址为 {at}")).unwrap_or_default();
                format!("{what}由{party}提供，相关信息会交给对方，由对方按自己的隐私政策处理{at}。")
            }
        }
    }

    /// What is shown in `language`: the same, with the whole address and how people reach them.
    #[must_use]
    pub fn written(&self, language: Language) -> String {
        let Processor { party, region, contact, privacy_url, kind, .. } = self.of;
        let tongue = tongue(language);
        let what = words(kind, tongue);
        let more =
            |said: &str, more: &Option<String>| more.as_ref().map(|more| format!("{said}{more}")).unwrap_or_default();
        match tongue {
            Tongue::English => format!(
                "For {what}, what concerns you goes to {party} ({region}). They handle it by a privacy policy of their own.{}{}",
                more(" Their policy: ", privacy_url),
                more(" How to reach them: ", contact)
            ),
            Tongue::Chinese => format!(
                "{what}由{party}（{region}）提供，相关信息会交给对方，由对方按自己的隐私政策处理。{}{}",
                more("其隐私政策：", privacy_url),
                more("。联系方式：", contact)
            ),
        }
    }
}

/// The engine's own language that comes closest.
fn tongue(language: Language) -> Tongue {
    language.as_str().parse().unwrap_or_default()
}

/// The name of the machine in an address of the web.
fn machine(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

impl ConsentState {
    /// Whether the person was told of `receiver`, if there is something to tell.
    #[must_use]
    pub fn was_told_of(&self, receiver: &Processor) -> bool {
        receiver.introduction().is_none_or(|introduction| self.told.contains(&introduction.hash()))
    }
}

impl Profile {
    /// What is told of each processor of which there is something to tell.
    pub fn introductions(&self) -> impl Iterator<Item = Introduction<'_>> {
        self.processors().filter_map(Processor::introduction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Draft;

    const HOME: &str = include_str!("../../../deploy/profiles/home.toml");

    fn told(of: &str) -> (IntroductionHash, [String; 4]) {
        let text = format!(
            "extends = \"home.toml\"\nprocessor = [{{ id = \"whisper-local\", independent_controller = true, {of} }}]"
        );
        let draft = Draft::parse(&text, Some(HOME)).unwrap_or_else(|e| panic!("{e}"));
        let one = draft.document().processor[&"whisper-local".parse().unwrap()].introduction().unwrap();
        let [en, zh] = Tongue::ALL.map(Tongue::language);
        (one.hash(), [one.spoken(en), one.written(en), one.spoken(zh), one.written(zh)])
    }

    #[test]
    fn people_are_told_who_it_is_and_where_their_policy_stands() {
        let (_, texts) = told(
            "party = \"Far Ltd\", region = \"US\", privacy_url = \"https://far.example.com/privacy?of=all\", contact = \"dpo@far.example.com\"",
        );
        assert_eq!(
            texts,
            [
                "For speech recognition, what concerns you goes to Far Ltd. They handle it by a privacy policy of their own, which is shown here and stands at far.example.com.",
                "For speech recognition, what concerns you goes to Far Ltd (US). They handle it by a privacy policy of their own. Their policy: https://far.example.com/privacy?of=all How to reach them: dpo@far.example.com",
                "语音识别由Far Ltd提供，相关信息会交给对方，由对方按自己的隐私政策处理，该政策已显示在屏幕上，网址为 far.example.com。",
                "语音识别由Far Ltd（US）提供，相关信息会交给对方，由对方按自己的隐私政策处理。其隐私政策：https://far.example.com/privacy?of=all。联系方式：dpo@far.example.com",
            ]
        );
        let (_, bare) = told("party = \"Far Ltd\"");
        assert_eq!(
            bare[0],
            "For speech recognition, what concerns you goes to Far Ltd. They handle it by a privacy policy of their own."
        );
    }

    #[test]
    fn whatever_else_is_told_is_another_hash_and_nothing_else_is() {
        let far = "party = \"Far Ltd\", privacy_url = \"https://far.example.com/privacy\"";
        let (hash, _) = told(far);
        for other in [
            "party = \"Near Ltd\", privacy_url = \"https://far.example.com/privacy\"",
            "party = \"Far Ltd\", privacy_url = \"https://far.example.com/privacy/2\"",
            "party = \"Far Ltd\"",
            &format!("{far}, contact = \"dpo@far.example.com\""),
            &format!("{far}, region = \"US\""),
            &format!("{far}, kind = \"tts\", accepts = [\"reply_text\"], purposes = [\"voice_interaction\"]"),
        ] {
            assert_ne!(told(other).0, hash, "{other}");
        }
        assert_eq!(told(&format!("{far}, trains_on_data = false")).0, hash, "which is not told");
        assert_eq!(machine("far.example.com"), "far.example.com");
    }
}
