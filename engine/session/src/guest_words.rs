//! Understands that a guest is there, or has left.
//!
//! As an answer to the consent question, this must be nothing but that: whoever speaks *about* guests wants an answer.

use crate::GuestMode;
use crate::consent_answer::is_made_of;

#[rustfmt::skip]
const ON: &[&str] = &[
    "guest mode", "guest mode on", "visitor mode", "turn on guest mode", "turn guest mode on", "switch to guest mode",
    "switch on guest mode", "start guest mode", "begin guest mode", "enter guest mode", "go into guest mode",
    "go to guest mode", "use guest mode", "turn on visitor mode", "switch to visitor mode", "start visitor mode",
    "i am a guest", "i am a guest here", "i am a visitor", "i am only a guest", "i am just a guest", "i am just visiting",
    "访 客 模 式", "打 开 访 客 模 式", "开 启 访 客 模 式", "进 入 访 客 模 式", "启 动 访 客 模 式", "启 用 访 客 模 式",
    "切 换 到 访 客 模 式", "切 换 访 客 模 式", "客 人 模 式", "打 开 客 人 模 式", "进 入 客 人 模 式", "切 换 到 客 人 模 式",
    "我 是 客 人", "我 是 访 客", "我 是 来 做 客 的",
    "訪 客 模 式", "打 開 訪 客 模 式", "開 啟 訪 客 模 式", "進 入 訪 客 模 式", "啟 動 訪 客 模 式", "啟 用 訪 客 模 式",
    "切 換 到 訪 客 模 式", "切 換 訪 客 模 式", "打 開 客 人 模 式", "進 入 客 人 模 式", "切 換 到 客 人 模 式", "我 是 訪 客",
    "我 是 來 做 客 的",
];

#[rustfmt::skip]
const OFF: &[&str] = &[
    "guest mode off", "visitor mode off", "turn off guest mode", "turn guest mode off", "switch off guest mode",
    "end guest mode", "stop guest mode", "leave guest mode", "exit guest mode", "quit guest mode", "close guest mode",
    "guest mode is over", "no more guest mode", "turn off visitor mode", "end visitor mode", "leave visitor mode",
    "i am back", "i am back again", "it is me again", "the guest is gone", "the guest has left", "the guests are gone",
    "the guests have left", "my guest is gone", "my guest has left", "the visitor is gone", "the visitor has left",
    "关 闭 访 客 模 式", "退 出 访 客 模 式", "结 束 访 客 模 式", "停 止 访 客 模 式", "离 开 访 客 模 式", "关 掉 访 客 模 式",
    "关 闭 客 人 模 式", "退 出 客 人 模 式", "结 束 客 人 模 式", "我 回 来", "我 回 来 了", "客 人 走", "客 人 走 了", "访 客 走 了",
    "客 人 离 开 了", "访 客 离 开 了",
    "關 閉 訪 客 模 式", "退 出 訪 客 模 式", "結 束 訪 客 模 式", "停 止 訪 客 模 式", "離 開 訪 客 模 式", "關 掉 訪 客 模 式",
    "關 閉 客 人 模 式", "結 束 客 人 模 式", "我 回 來", "我 回 來 了", "訪 客 走 了", "客 人 離 開 了", "訪 客 離 開 了",
];

/// What the person wants of guest mode, if `text` says that and nothing else.
///
/// ```
/// use sayso_session::{GuestMode, guest_words::understand};
///
/// assert_eq!(understand("Guest mode, please."), Some(GuestMode::On));
/// assert_eq!(understand("我回来了"), Some(GuestMode::Off));
/// assert_eq!(understand("What is guest mode?"), None);
/// ```
#[must_use]
pub fn understand(text: &str) -> Option<GuestMode> {
    match (is_made_of(text, ON), is_made_of(text, OFF)) {
        (true, false) => Some(GuestMode::On),
        (false, true) => Some(GuestMode::Off),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_who_is_there_is_announced_in_many_words() {
        for text in [
            "Guest mode.",
            "guest mode on",
            "Please turn on guest mode.",
            "Switch to guest mode, please",
            "Guest-mode!",
            "I'm a guest.",
            "Oh, I'm just visiting.",
            "Guest mode. Guest mode.",
            "访客模式",
            "请打开访客模式。",
            "切换到访客模式吧",
            "我是客人。",
            "打開訪客模式",
        ] {
            assert_eq!(understand(text), Some(GuestMode::On), "{text}");
        }
    }

    #[test]
    fn a_guest_who_has_left_is_announced_in_many_words() {
        for text in [
            "Guest mode off.",
            "Turn guest mode off, please.",
            "Please leave guest mode",
            "I'm back.",
            "Well, it's me again!",
            "The guest has left.",
            "退出访客模式",
            "我回来了。",
            "客人走了",
            "關閉訪客模式，謝謝",
        ] {
            assert_eq!(understand(text), Some(GuestMode::Off), "{text}");
        }
    }

    #[test]
    fn who_speaks_about_guests_is_not_taken_for_one() {
        for text in [
            "",
            "Thank you.",
            "Please.",
            "What is guest mode?",
            "Is guest mode on?",
            "Do not turn on guest mode",
            "My back hurts",
            "I'm back in ten minutes",
            "I am a guest writer",
            "Guest mode on, guest mode off",
            "We have a guest tonight, what shall I cook?",
            "guest",
            "yes",
            "访客模式是什么",
            "客人喜欢吃什么",
            "我回来晚了",
            "不要打开访客模式",
        ] {
            assert_eq!(understand(text), None, "{text}");
        }
    }

    #[test]
    fn no_answer_to_the_consent_question_is_about_guests() {
        for phrase in ON.iter().chain(OFF) {
            assert_eq!(crate::consent_answer::understand(phrase), None, "{phrase}");
        }
    }
}
