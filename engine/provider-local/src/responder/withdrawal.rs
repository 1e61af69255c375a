//! "I withdraw my consent", in the words that people have for it. The answer to the consent question is not heard here:
//! it goes to no responder.

use super::utterance::Utterance;

#[rustfmt::skip]
const WITHDRAW: &[&str] = &[
    "stop listening", "withdraw my consent", "withdraw consent", "withdraw my permission", "revoke my consent",
    "revoke my permission", "take back my consent", "do not listen", "do not listen to me",
    "i no longer agree", "i no longer consent", "i do not consent anymore", "i do not agree anymore",
    "delete what you know about me", "delete everything you know about me", "delete all you know about me",
    "delete my data", "delete all my data", "erase my data", "erase what you know about me",
    "erase everything you know about me", "stop recording",
    "不 要 听", "别 听", "停 止 聆 听", "停 止 收 听", "撤 回 同 意", "撤 销 同 意", "撤 回 我 的 同 意", "撤 销 我 的 同 意", "删 除 我 的 数 据",
];

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
    use super::*;

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
            "停止聆听",
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
}
