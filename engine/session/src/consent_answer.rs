//! Understands the answer to the consent question.
//!
//! A yes opens microphones, so it must be nothing but a yes: every word of the answer has to belong to a phrase below,
//! and no phrase may contradict another. Everything else is no answer, and the question is asked again: a wrong "yes"
//! cannot be taken back from the person who did not say it.

pub(crate) mod words;

use crate::Decision;

#[rustfmt::skip]
const YES: &[&str] = &[
    "yes", "yeah", "yep", "yup", "yes i do", "i do", "sure", "of course", "certainly", "absolutely", "definitely",
    "okay", "ok", "all right", "alright", "fine", "that is fine", "that is okay", "that is ok", "that is all right",
    "it is fine", "it is okay", "i agree", "i do agree", "agreed", "agree", "i consent", "i accept", "accepted",
    "i am okay with that", "i am fine with that", "go ahead", "go on", "please do", "you may", "you can", "sounds good",
    "i allow it", "i allow that", "i give my consent",
    "好", "好 的", "同 意", "我 同 意", "可 以", "是", "是 的", "行", "没 问 题", "沒 問 題", "当 然", "當 然",
];

#[rustfmt::skip]
const NO: &[&str] = &[
    "no", "nope", "nah", "never", "no way", "not at all", "not now", "not today", "no you may not", "you may not",
    "you can not", "you cannot", "i do not", "i do not agree", "i do not consent", "i do not accept", "i do not want that",
    "i do not want this", "i do not want to", "i do not want it", "i would not", "i would rather not", "rather not",
    "i disagree", "i refuse", "i decline", "i am not okay with that", "do not", "i do not allow it", "i do not allow that",
    "certainly not", "absolutely not", "definitely not", "of course not",
    "不", "不 要", "不 同 意", "我 不 同 意", "不 可 以", "不 行", "不 是", "不 用", "不 好", "我 不 要", "拒 绝", "拒 絕",
    "我 拒 绝", "我 拒 絕",
];

#[rustfmt::skip]
const MORE: &[&str] = &[
    "more", "tell me more", "say more", "tell me more about it", "tell me more about that", "i want to know more",
    "i would like to know more", "i want to hear more", "more information", "more details", "what else", "and then",
    "what does that mean", "what does it mean", "explain that", "explain it", "can you explain that", "can you tell me more",
    "更 多", "多 说 一 点", "多 说 点", "再 说 一 点", "说 详 细 一 点", "详 细 说 说", "告 诉 我 更 多", "我 想 知 道 更 多",
    "我 想 了 解 更 多", "还 有 呢", "什 么 意 思",
];

/// What may stand around an answer without changing it.
#[rustfmt::skip]
const POLITE: &[&str] = &[
    "please", "thanks", "thank you", "thank you very much", "oh", "well", "to that", "to this", "with that", "with this",
    "to it", "that", "do that", "do it", "uh", "um", "er", "hm", "hmm",
    "谢 谢", "謝 謝", "请", "請", "吧", "啊", "了",
];

/// What the person decided, if `text` says that clearly.
///
/// ```
/// use sayso_session::{Decision, consent_answer::understand};
///
/// assert_eq!(understand("Sure, go ahead."), Some(Decision::Agree));
/// assert_eq!(understand("I do not agree."), Some(Decision::Refuse));
/// assert_eq!(understand("Yes, but only today."), None);
/// ```
#[must_use]
pub fn understand(text: &str) -> Option<Decision> {
    let words = words::of(text);
    let mut rest = words.as_slice();
    let (mut yes, mut no) = (false, false);
    while !rest.is_empty() {
        let (agrees, refuses, polite) = (longest(rest, YES), longest(rest, NO), longest(rest, POLITE));
        let taken = agrees.max(refuses).max(polite);
        if taken == 0 {
            return None;
        }
        yes |= agrees == taken;
        no |= refuses == taken;
        rest = &rest[taken..];
    }
    match (yes, no) {
        (true, false) => Some(Decision::Agree),
        (false, true) => Some(Decision::Refuse),
        _ => None,
    }
}

/// Whether `text` asks to know more before there is an answer, and nothing else.
///
/// ```
/// use sayso_session::consent_answer::asks_for_more;
///
/// assert!(asks_for_more("Tell me more, please."));
/// assert!(!asks_for_more("Yes, tell me more."));
/// ```
#[must_use]
pub fn asks_for_more(text: &str) -> bool {
    is_made_of(text, MORE)
}

/// Whether `text` is one or more of `phrases`, politely or not, and nothing else.
pub(crate) fn is_made_of(text: &str, phrases: &[&str]) -> bool {
    let words = words::of(text);
    let mut rest = words.as_slice();
    let mut is_there = false;
    while !rest.is_empty() {
        let (said, polite) = (longest(rest, phrases), longest(rest, POLITE));
        let taken = said.max(polite);
        if taken == 0 {
            return false;
        }
        is_there |= said == taken;
        rest = &rest[taken..];
    }
    is_there
}

/// Words of the longest of `phrases` that `words` start with.
fn longest(words: &[String], phrases: &[&str]) -> usize {
    let starts = |phrase: &&&str| phrase.split(' ').zip(words).all(|(wanted, word)| wanted == word);
    let lengths = phrases.iter().filter(starts).map(|phrase| phrase.split(' ').count());
    lengths.filter(|len| *len <= words.len()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_yes_is_nothing_but_a_yes() {
        for text in [
            "Yes.",
            "yes",
            "YES!",
            "Yeah.",
            "Yes, I agree.",
            "Sure, go ahead.",
            "Yes please.",
            "Um, yes.",
            "Okay.",
            "OK",
            "I agree.",
            "I do.",
            "Yes, I do.",
            "Of course.",
            "That's fine.",
            "Okay, that’s fine",
            "I'm okay with that.",
            "Yes. Yes.",
            "Yes, you may.",
            "Yes, thank you.",
            "I consent to that.",
            "All right, go ahead.",
            "好的。",
            "同意",
            "我同意。",
            "可以",
            "是的，谢谢。",
            "好",
        ] {
            assert_eq!(understand(text), Some(Decision::Agree), "{text}");
        }
    }

    #[test]
    fn a_no_is_nothing_but_a_no() {
        for text in [
            "No.",
            "no",
            "Nope.",
            "No, thanks.",
            "No thank you.",
            "I do not agree.",
            "I don't agree.",
            "I don't accept that",
            "I don't consent.",
            "No, I don't.",
            "Never!",
            "I'd rather not.",
            "No, you may not.",
            "You can't.",
            "I don't want that.",
            "I refuse.",
            "Absolutely not.",
            "Not now.",
            "不要。",
            "不同意。",
            "我不同意",
            "不",
            "不可以，谢谢",
            "拒绝",
        ] {
            assert_eq!(understand(text), Some(Decision::Refuse), "{text}");
        }
    }

    #[test]
    fn everything_else_is_no_answer() {
        for text in [
            "",
            "?",
            "Yes and no.",
            "Yes, no.",
            "No, yes.",
            "Yeah, no.",
            "Yes... no, I don't know",
            "Maybe.",
            "Maybe later.",
            "I think so.",
            "Yes, but only today.",
            "Not if you keep it, okay",
            "No problem.",
            "I don't mind.",
            "What do you mean?",
            "What is that?",
            "Yes I do not.",
            "I don't know.",
            "Thank you.",
            "Yesterday.",
            "Know.",
            "He said yes.",
            "the house was sure to be sold and everyone in the village said yes to it",
            "Would yes be right?",
            "Say yes or no",
            "If you say so, yes.",
            "[BLANK_AUDIO]",
            "好不好",
            "好像不太行",
            "同意不同意",
            "可以或不可以",
            "可以吗",
            "我不知道",
            "Yes, I disagree.",
            "Okay, stop.",
            "Do you agree?",
            "Go forward ten meters.",
            "Four queen of clubs.",
        ] {
            assert_eq!(understand(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_word_that_is_not_part_of_an_answer_makes_it_none(text in "[a-z]{1,8}( [a-z]{1,8}){0,4}") {
            let known = |word: &str| [YES, NO, POLITE].concat().iter().any(|phrase| phrase.split(' ').any(|w| w == word));
            prop_assume!(!text.split(' ').all(known));
            prop_assert_eq!(understand(&text), None);
        }
    }

    #[test]
    fn a_no_beside_a_yes_is_no_yes() {
        for (yes, no) in YES.iter().flat_map(|yes| NO.iter().map(move |no| (yes, no))) {
            for text in [format!("{yes}, {no}"), format!("{no}, {yes}")] {
                assert_ne!(understand(&text), Some(Decision::Agree), "{text}");
            }
        }
    }
}
