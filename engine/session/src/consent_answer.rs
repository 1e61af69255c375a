//! Understands a spoken answer to the consent question. Strict: what is not clearly one or the other is neither,
//! because a wrong "yes" cannot be taken back from the person who did not say it.

use crate::Decision;

/// Phrases in which a person agrees, as words; compared after lower-casing and dropping punctuation.
const AGREE: &[&str] = &[
    "yes", "yeah", "yep", "sure", "ok", "okay", "agree", "agreed", "accept", "fine", "alright", "absolutely", "certainly",
    "definitely", "of course", "go ahead", "that is fine", "thats fine", "you may", "i do", "please do", "all right",
];
/// Phrases in which a person does not agree. Checked on the same text: one of these beside a yes makes it unclear.
const REFUSE: &[&str] = &["no", "nope", "nah", "not", "dont", "never", "refuse", "decline", "disagree", "stop", "wont", "cannot", "cant"];
/// Words that make any answer unclear: the person hesitates or asks back.
const UNCLEAR: &[&str] = &["maybe", "perhaps", "later", "what", "why", "unless", "unsure", "but", "if"];
/// Chinese answers, whole: agreement.
const AGREE_ZH: &[&str] = &["好", "好的", "好啊", "可以", "同意", "我同意", "是", "是的", "行", "没问题", "當然", "当然"];
/// Chinese answers, whole: refusal.
const REFUSE_ZH: &[&str] = &["不", "不要", "不行", "不可以", "不同意", "我不同意", "不好", "拒绝", "拒絕"];
/// A real answer is short. In a longer utterance "yes" is as likely to be about something else.
const WORDS_MAX: usize = 10;

/// What the person decided, if that is clear.
#[must_use]
pub fn understand(text: &str) -> Option<Decision> {
    let chinese: String = text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).collect();
    if !chinese.is_empty() {
        let is = |phrases: &[&str]| phrases.contains(&chinese.as_str());
        return if is(AGREE_ZH) {
            Some(Decision::Agree)
        } else if is(REFUSE_ZH) {
            Some(Decision::Refuse)
        } else {
            None
        };
    }
    let plain: String = text
        .chars()
        .filter(|c| *c != '\'' && *c != '’')
        .map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    if words.is_empty() || words.len() > WORDS_MAX {
        return None;
    }
    let padded = format!(" {} ", words.join(" "));
    let says = |phrases: &[&str]| phrases.iter().any(|p| padded.contains(&format!(" {p} ")));
    if says(UNCLEAR) {
        return None;
    }
    match (says(AGREE), says(REFUSE)) {
        (true, false) => Some(Decision::Agree),
        // "I do not agree": a negation turns the agreement that it stands before into a refusal.
        (_, true) if !begins_with_yes(&words) => Some(Decision::Refuse),
        _ => None,
    }
}

/// "Yes, no, I mean ..." is unclear; "I do not agree" is not.
fn begins_with_yes(words: &[&str]) -> bool {
    words.first().is_some_and(|w| ["yes", "yeah", "yep", "sure", "ok", "okay"].contains(w))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_answers_are_understood_and_nothing_else_is() {
        let agree = Some(Decision::Agree);
        let refuse = Some(Decision::Refuse);
        let cases = [
            ("Yes.", agree),
            ("Yes, I agree.", agree),
            ("Sure, go ahead!", agree),
            ("Okay, that's fine", agree),
            ("好的。", agree),
            ("我同意", agree),
            ("No.", refuse),
            ("No, thank you.", refuse),
            ("I do not agree.", refuse),
            ("I don't accept that", refuse),
            ("不同意", refuse),
            ("不要。", refuse),
            ("", None),
            ("Maybe later.", None),
            ("Yes... no, I don't know", None),
            ("What is that?", None),
            ("Go forward ten meters.", None),
            ("Not if you keep it, okay", None),
            ("the house was sure to be sold and everyone in the village said yes to it", None),
            ("好像不太行", None),
        ];
        for (text, expect) in cases {
            assert_eq!(understand(text), expect, "{text:?}");
        }
    }
}
