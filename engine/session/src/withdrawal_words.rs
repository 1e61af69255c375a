//! Understands that a person takes back what they agreed to.
//!
//! It is heard here, before anybody answers: whoever answers, it means the same. Unlike a yes it may be part of what is
//! said, because a stop too many costs a question, and one too few a promise.

use crate::Taken;
use crate::consent_answer::words;

#[rustfmt::skip]
const EVERYTHING: &[&str] = &[
    "stop listening", "withdraw my consent", "withdraw consent", "withdraw my permission", "revoke my consent",
    "revoke my permission", "take back my consent", "do not listen", "do not listen to me",
    "i no longer agree", "i no longer consent", "i do not consent anymore", "i do not agree anymore",
    "delete what you know about me", "delete everything you know about me", "delete all you know about me",
    "delete my data", "delete all my data", "erase my data", "erase what you know about me",
    "erase everything you know about me", "stop recording",
    "不 要 听", "别 听", "停 止 聆 听", "停 止 收 听", "撤 回 同 意", "撤 销 同 意", "撤 回 我 的 同 意", "撤 销 我 的 同 意", "删 除 我 的 数 据",
    "不 要 聽", "別 聽", "停 止 聆 聽", "停 止 收 聽", "撤 銷 同 意", "撤 銷 我 的 同 意", "刪 除 我 的 資 料", "刪 除 我 的 數 據",
];

#[rustfmt::skip]
const KEPT: &[&str] = &[
    "do not save this", "do not save that", "do not save it", "do not save anything", "do not save what i say",
    "do not save our conversation", "do not save this conversation", "do not keep this", "do not keep that",
    "do not keep any of this", "do not keep what i say", "do not store this", "do not store that", "do not store what i say",
    "stop saving", "stop keeping what i say", "stop storing what i say",
    "不 要 保 存", "别 保 存", "不 要 存 下 来", "不 要 储 存", "停 止 保 存", "不 要 留 存",
    "別 保 存", "不 要 儲 存", "不 要 存 下 來",
];

#[rustfmt::skip]
const VOICE: &[&str] = &[
    "forget my voice", "forget how i sound", "delete my voice", "delete my voiceprint", "delete my voice print",
    "erase my voice", "erase my voiceprint", "erase my voice print", "forget my voiceprint", "forget my voice print",
    "do not recognise my voice", "do not recognize my voice", "stop recognising my voice", "stop recognizing my voice",
    "忘 记 我 的 声 音", "忘 掉 我 的 声 音", "删 除 我 的 声 音", "删 除 我 的 声 纹", "忘 掉 我 的 声 纹", "别 再 识 别 我 的 声 音",
    "忘 記 我 的 聲 音", "忘 掉 我 的 聲 音", "刪 除 我 的 聲 音", "刪 除 我 的 聲 紋", "忘 掉 我 的 聲 紋",
];

/// What before it makes it something else: "do not stop listening", "how do I withdraw my consent".
const OTHERWISE: &[&str] =
    &["not", "never", "how", "what", "why", "should", "if", "when", "不", "别", "別", "怎", "如"];

/// What the person takes back, if `text` says that.
///
/// ```
/// use sayso_session::{Taken, withdrawal_words::understand};
///
/// assert_eq!(understand("Please stop listening to me!"), Some(Taken::Everything));
/// assert_eq!(understand("Don't save this."), Some(Taken::WhatIsKept));
/// assert_eq!(understand("忘掉我的声音"), Some(Taken::Voice));
/// assert_eq!(understand("How do I withdraw my consent?"), None);
/// ```
#[must_use]
pub fn understand(text: &str) -> Option<Taken> {
    let words = words::of(text);
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| says(&words, phrase));
    let of = |phrases, taken: Taken| says(phrases).then_some(taken);
    of(EVERYTHING, Taken::Everything).or_else(|| of(VOICE, Taken::Voice)).or_else(|| of(KEPT, Taken::WhatIsKept))
}

/// Whether `phrase` is among `words`, and nothing before it turns it round.
fn says(words: &[String], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let at = words.windows(phrase.len()).position(|window| window.iter().eq(&phrase));
    at.is_some_and(|at| !words[..at].iter().any(|word| OTHERWISE.contains(&word.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_withdrawal_is_heard_inside_a_sentence() {
        for (taken, texts) in [
            (
                Taken::Everything,
                &[
                    "Stop listening.",
                    "Please stop listening to me!",
                    "I withdraw my consent.",
                    "Don't listen to me anymore.",
                    "Hey, I want to withdraw my consent",
                    "Delete what you know about me.",
                    "Delete all my data please",
                    "Stop listening and forget my voice",
                    "不要听了",
                    "停止聆听",
                    "撤回同意",
                    "請停止收聽",
                ][..],
            ),
            (
                Taken::WhatIsKept,
                &[
                    "Don't save this.",
                    "Hey, please don't save that!",
                    "Do not keep any of this",
                    "不要保存",
                    "请别保存这个",
                ],
            ),
            (
                Taken::Voice,
                &[
                    "Forget my voice.",
                    "Can you forget my voice, please?",
                    "Delete my voiceprint",
                    "忘记我的声音",
                    "删除我的声纹吧",
                ],
            ),
        ] {
            for text in texts {
                assert_eq!(understand(text), Some(taken), "{text}");
            }
        }
    }

    #[test]
    fn who_speaks_about_it_takes_nothing_back() {
        for text in [
            "",
            "Don't stop listening.",
            "How do I withdraw my consent?",
            "Stop.",
            "I was listening.",
            "Should I stop listening?",
            "Don't forget my voice.",
            "What if I say stop listening?",
            "Save this.",
            "Remember my voice.",
            "别忘记我的声音",
            "怎么撤回同意",
        ] {
            assert_eq!(understand(text), None, "{text}");
        }
    }
}
