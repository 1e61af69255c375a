//! The layers of a notice that somebody was given, by the keys of their texts in the profile.

use sayso_policy::Profile;
use sha2::{Digest, Sha256};

use crate::evidence::Answer;

/// What was read out or shown to whoever gives `answer`, in that order: the question, alone (`spoken`) or after what has changed
/// (`changed`), or the text of a screen (`screen`), and then each further layer that they wanted to hear (`more.0`, `more.1`).
/// None of a text that is not the profile's, such as an integrator's own.
pub(super) fn given(profile: &Profile, answer: &Answer) -> Vec<String> {
    let is = |text: &str| Sha256::digest(text.as_bytes()).as_slice() == answer.notice_sha256;
    let found = profile.document().notice.iter().find_map(|(language, notice)| {
        let first: &[&str] = if is(&notice.spoken) {
            &["spoken"]
        } else if is(&notice.spoken_again(*language)) {
            &["changed", "spoken"]
        } else if is(&notice.screen) {
            &["screen"]
        } else {
            return None;
        };
        Some((first, notice.more.len()))
    });
    let Some((first, most)) = found else { return Vec::new() };
    let more = (0..most.min(answer.question.more())).map(|layer| format!("more.{layer}"));
    first.iter().map(|key| (*key).to_owned()).chain(more).collect()
}
