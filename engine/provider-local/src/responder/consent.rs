//! Yes, no, and "I withdraw my consent".
//!
//! A yes opens microphones, so it must be nothing but a yes: every word of the answer has to belong to a phrase
//! below, and no phrase may contradict another. Everything else is no answer, and the question is asked again.

use sayso_provider::Action;

use super::utterance::{Utterance, strip};

#[rustfmt::skip]
const YES: &[&str] = &[
    "yes", "yeah", "yep", "yup", "yes i do", "i do", "sure", "of course", "certainly", "absolutely", "definitely",
    "okay", "ok", "all right", "alright", "fine", "that is fine", "that is okay", "that is ok", "it is fine",
    "it is okay", "i agree", "i do agree", "agreed", "agree", "i consent", "i accept", "i am okay with that",
    "i am fine with that", "go ahead", "go on", "please do", "you may", "you can", "sounds good", "i allow it",
    "i allow that", "i give my consent",
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

/// What may stand around an answer without changing it.
#[rustfmt::skip]
const POLITE: &[&str] = &[
    "thanks", "thank you", "thank you very much", "oh", "well", "to that", "to this", "with that", "with this", "to it",
    "that", "do that", "do it", "谢 谢", "謝 謝", "请", "請", "吧", "啊", "了",
];

#[rustfmt::skip]
const WITHDRAW: &[&str] = &[
    "stop listening", "withdraw my consent", "withdraw consent", "withdraw my permission", "revoke my consent",
    "revoke my permission", "take back my consent", "do not listen", "do not listen to me",
    "i no longer agree", "i no longer consent", "i do not consent anymore", "i do not agree anymore",
    "delete what you know about me", "delete everything you know about me", "delete all you know about me",
    "delete my data", "delete all my data", "erase my data", "erase what you know about me",
    "erase everything you know about me", "stop recording",
    "不 要 听", "别 听", "停 止 收 听", "撤 回 同 意", "撤 销 同 意", "撤 回 我 的 同 意", "撤 销 我 的 同 意", "删 除 我 的 数 据",
];

/// Whether `text` is a clear yes ([`Action::Agree`]) or a clear no ([`Action::Refuse`]) to a question. Anything
/// mixed, hesitant or off the question is neither.
#[must_use]
pub fn consent_answer(text: &str) -> Option<Action> {
    answer(&Utterance::new(text))
}

/// As [`consent_answer`].
pub(super) fn answer(utterance: &Utterance) -> Option<Action> {
    let words = utterance.plain();
    let mut rest = words.as_slice();
    let (mut yes, mut no) = (false, false);
    while !rest.is_empty() {
        let longest_of = |phrases: &[&str]| {
            phrases
                .iter()
                .filter_map(|phrase| strip(rest, phrase))
                .map(|after| rest.len() - after.len())
                .max()
                .unwrap_or(0)
        };
        let (agrees, refuses, polite) = (longest_of(YES), longest_of(NO), longest_of(POLITE));
        let longest = agrees.max(refuses).max(polite);
        if longest == 0 {
            return None;
        }
        yes |= agrees == longest;
        no |= refuses == longest;
        rest = &rest[longest..];
    }
    match (yes, no) {
        (true, false) => Some(Action::Agree),
        (false, true) => Some(Action::Refuse),
        _ => None,
    }
}

/// Whether the person wants the engine to stop listening and forget them.
pub(super) fn withdraws(utterance: &Utterance) -> bool {
    WITHDRAW.iter().any(|phrase| {
        utterance.find(phrase).is_some_and(|at| {
            let before = &utterance.plain()[..at];
            // "do not stop listening" and "should I stop listening" are no withdrawals
            !before
                .iter()
                .any(|word| matches!(*word, "not" | "never" | "how" | "what" | "why" | "should" | "if" | "when" | "不"))
        })
    })
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
            "Okay.",
            "OK",
            "I agree.",
            "I do.",
            "Yes, I do.",
            "Of course.",
            "That's fine.",
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
            assert_eq!(consent_answer(text), Some(Action::Agree), "{text}");
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
            "不要",
            "不同意。",
            "我不同意",
            "不",
            "不可以，谢谢",
            "拒绝",
        ] {
            assert_eq!(consent_answer(text), Some(Action::Refuse), "{text}");
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
            "Maybe.",
            "I think so.",
            "Yes, but only today.",
            "No problem.",
            "I don't mind.",
            "What do you mean?",
            "Yes I do not.",
            "I don't know.",
            "Thank you.",
            "Yesterday.",
            "Know.",
            "He said yes.",
            "Would yes be right?",
            "Say yes or no",
            "If you say so, yes.",
            "[BLANK_AUDIO]",
            "好不好",
            "同意不同意",
            "可以吗",
            "我不知道",
            "Yes, I disagree.",
            "Okay, stop.",
            "Do you agree?",
            "Four queen of clubs.",
        ] {
            assert_eq!(consent_answer(text), None, "{text}");
        }
    }

    #[test]
    fn a_withdrawal_is_heard_inside_a_sentence() {
        for text in [
            "Stop listening.",
            "Please stop listening to me!",
            "I withdraw my consent.",
            "Don't listen to me anymore.",
            "Hey, I want to withdraw my consent",
            "Delete what you know about me.",
            "Delete all my data please",
            "不要听了",
            "撤回同意",
        ] {
            assert!(withdraws(&Utterance::new(text)), "{text}");
        }
        for text in [
            "Don't stop listening.",
            "How do I withdraw my consent?",
            "Stop.",
            "I was listening.",
            "Should I stop listening?",
        ] {
            assert!(!withdraws(&Utterance::new(text)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_word_that_is_not_part_of_an_answer_makes_it_none(text in "[a-z]{1,8}( [a-z]{1,8}){0,4}") {
            let known = |word: &str| [YES, NO, POLITE].concat().iter().any(|phrase| phrase.split(' ').any(|w| w == word));
            prop_assume!(!Utterance::new(&text).plain().into_iter().all(known));
            prop_assert_eq!(consent_answer(&text), None);
        }
    }
}
