//! [`Intent`]: what the person wants.

use super::arithmetic::{self, Sum};
use super::memory::{self, Memory};
use super::utterance::Utterance;

/// What an utterance asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// How one takes one's consent back. Whoever does so is heard before anything is answered.
    HowToWithdraw,
    /// No more talking.
    Stop,
    /// Good night.
    Goodbye,
    /// The last answer again.
    Repeat,
    /// Something to remember, recall or forget.
    Memory(Memory),
    /// The time of day.
    Time,
    /// The date, so many days from today.
    Date(i32),
    /// A sum.
    Sum(Sum),
    /// What is possible.
    Help,
    /// Who is speaking.
    Who,
    /// How are you.
    Mood,
    /// Thanks.
    Thanks,
    /// Hello.
    Greeting,
    /// Nothing was said.
    Nothing,
    /// None of these.
    Unknown,
}

#[rustfmt::skip]
const STOP: &[&str] = &[
    "stop", "stop it", "stop that", "stop now", "stop talking", "stop speaking", "be quiet", "quiet", "shut up", "silence",
    "enough", "that is enough", "that is all", "never mind", "nevermind", "forget it", "cancel",
    "停", "停 止", "停 下", "安 静", "安 靜", "别 说 了", "別 說 了",
];
#[rustfmt::skip]
const GOODBYE: &[&str] = &[
    "goodbye", "good bye", "bye", "bye bye", "see you", "see you later", "see you soon", "good night", "talk to you later",
    "thanks goodbye", "thank you goodbye", "thanks bye", "再 见", "再 見", "拜 拜",
];
#[rustfmt::skip]
const REPEAT: &[&str] = &[
    "repeat", "repeat it", "can you repeat", "could you repeat", "pardon", "pardon me", "come again", "once more",
    "one more time", "again", "what", "sorry",
];
#[rustfmt::skip]
/// As [`REPEAT`], also inside of a longer sentence.
const AGAIN: &[&str] = &[
    "say that again", "say it again", "repeat that", "repeat what you said", "what did you say",
    "what did you just say",
];
#[rustfmt::skip]
const TIME: &[&str] = &[
    "what time is it", "what is the time", "tell me the time", "what time it is", "the time please", "do you have the time",
    "how late is it", "the current time",
];
#[rustfmt::skip]
const DATE: &[&str] = &[
    "what day is it", "what day is today", "what is the date", "what date is it", "what is today", "what is today's date",
    "what day it is", "tell me the date", "which day is it", "what is the day", "today's date", "what year is it",
    "what month is it", "what weekday is it", "tell me what day it is",
];
const TOMORROW: &[&str] =
    &["what day is tomorrow", "what is tomorrow", "what date is tomorrow", "what is tomorrow's date"];
const YESTERDAY: &[&str] =
    &["what day was yesterday", "what was yesterday", "what date was yesterday", "what was yesterday's date"];
#[rustfmt::skip]
const HELP: &[&str] = &[
    "help", "help me", "can you help me", "i need help", "what can you do", "what do you do", "what can i say",
    "what can i ask", "what can i ask you", "what are your commands", "how does this work", "what else can you do",
];
#[rustfmt::skip]
const WHO: &[&str] = &["who are you", "what are you", "what is your name", "are you a robot", "are you human", "are you a machine"];
const MOOD: &[&str] = &["how are you", "how are you doing", "how do you do", "how is it going", "how are you today"];
const THANKS: &[&str] =
    &["thank you", "thanks", "thank you very much", "thanks a lot", "many thanks", "谢 谢", "謝 謝"];
const GREETING: &[&str] =
    &["hello", "hi", "hey", "good morning", "good afternoon", "good evening", "there", "你 好", "您 好"];

/// Words to begin with that change nothing about what follows.
const LEADS: &[&str] = &["okay", "ok", "so", "well", "now", "and", "oh"];

impl Intent {
    /// What `utterance` asks for. What protects the person comes first.
    pub(super) fn of(utterance: &Utterance) -> Self {
        if utterance.words().is_empty() {
            return Self::Nothing;
        }
        let body = utterance.without_leads(&[GREETING, LEADS].concat());
        if body.starts("how") && body.has_any(&["withdraw", "revoke", "stop listening"]) {
            return Self::HowToWithdraw;
        }
        for (phrases, intent) in [
            (STOP, Self::Stop),
            (GOODBYE, Self::Goodbye),
            (THANKS, Self::Thanks),
            (REPEAT, Self::Repeat),
            (HELP, Self::Help),
            (WHO, Self::Who),
            (MOOD, Self::Mood),
            (GREETING, Self::Greeting),
        ] {
            if body.is_any(phrases) {
                return intent;
            }
        }
        for (phrases, intent) in [
            (AGAIN, Self::Repeat),
            (TIME, Self::Time),
            (TOMORROW, Self::Date(1)),
            (YESTERDAY, Self::Date(-1)),
            (DATE, Self::Date(0)),
        ] {
            if body.has_any(phrases) {
                return intent;
            }
        }
        if let Some(memory) = memory::parse(&body) {
            return Self::Memory(memory);
        }
        if let Some(sum) = arithmetic::sum(&body) {
            return Self::Sum(sum);
        }
        Self::Unknown
    }
}
