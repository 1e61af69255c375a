//! [`Ending`]: the sounds of -s, -ed and -ing.

/// A regular ending of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Plural, possessive, third person.
    S,
    /// Past.
    Ed,
    /// Progressive.
    Ing,
}

impl Ending {
    /// `stem` with the sound of this ending.
    pub(super) fn append(self, stem: &str) -> String {
        let Some(last) = stem.chars().next_back() else { return String::new() };
        let sound = match self {
            Self::S => match last {
                'p' | 't' | 'k' | 'f' | 'θ' => "s",
                's' | 'z' | 'ʃ' | 'ʒ' | 'ʧ' | 'ʤ' => "ᵻz",
                _ => "z",
            },
            Self::Ed => match last {
                't' => return format!("{}ᵻd", flap(stem)),
                'd' => "ᵻd",
                'p' | 'k' | 'f' | 'θ' | 'ʃ' | 's' | 'ʧ' => "t",
                _ => "d",
            },
            Self::Ing => return format!("{}ɪŋ", flap(stem)),
        };
        format!("{stem}{sound}")
    }
}

/// `stem` with its final t tapped, as Americans do after a vowel: "waiting".
fn flap(stem: &str) -> String {
    let follows_vowel = |rest: &&str| rest.ends_with(|c| "AIOWYiuæɑəɛɪɹʊʌ".contains(c));
    stem.strip_suffix('t').filter(follows_vowel).map_or_else(|| stem.to_owned(), |rest| format!("{rest}ɾ"))
}

/// The stems that `word` may have if it ends so, likeliest first.
pub(super) fn stems(word: &str, ending: Ending) -> Vec<String> {
    let len = word.chars().count();
    let strip = |suffix: &str, min: usize| (len >= min).then(|| word.strip_suffix(suffix)).flatten();
    let mut stems = Vec::new();
    match ending {
        Ending::S => {
            if !word.ends_with("ss") {
                stems.extend(strip("s", 3).map(str::to_owned));
            }
            stems.extend(strip("'s", 3).map(str::to_owned));
            if let Some(stem) = strip("ies", 5) {
                stems.push(format!("{stem}y"));
            } else {
                stems.extend(strip("es", 5).map(str::to_owned));
            }
        }
        Ending::Ed => {
            if !word.ends_with("dd") {
                stems.extend(strip("d", 4).map(str::to_owned));
            }
            if !word.ends_with("eed") {
                stems.extend(strip("ed", 5).map(str::to_owned));
            }
        }
        Ending::Ing => {
            if let Some(stem) = strip("ing", 5) {
                if len > 5 {
                    stems.push(stem.to_owned());
                }
                stems.push(format!("{stem}e"));
                stems.extend(undoubled(stem).map(str::to_owned));
            }
        }
    }
    stems
}

/// "stopp" is "stop", "panick" is "panic".
fn undoubled(stem: &str) -> Option<&str> {
    let mut end = stem.chars().rev();
    let (last, before) = (end.next()?, end.next()?);
    let doubled = last == before && "bcdgklmnprstvxz".contains(last);
    (doubled || (before == 'c' && last == 'k')).then(|| &stem[..stem.len() - last.len_utf8()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_follow_the_last_sound() {
        for (ending, stem, word) in [
            (Ending::S, "kˈæt", "kˈæts"),
            (Ending::S, "dˈɔɡ", "dˈɔɡz"),
            (Ending::S, "ɹˈOz", "ɹˈOzᵻz"),
            (Ending::Ed, "wˈɔk", "wˈɔkt"),
            (Ending::Ed, "plˈA", "plˈAd"),
            (Ending::Ed, "nˈid", "nˈidᵻd"),
            (Ending::Ed, "wˈAt", "wˈAɾᵻd"),
            (Ending::Ed, "ˈækt", "ˈæktᵻd"),
            (Ending::Ing, "wˈAt", "wˈAɾɪŋ"),
            (Ending::Ing, "ɡˈO", "ɡˈOɪŋ"),
        ] {
            assert_eq!(ending.append(stem), word);
        }
    }

    #[test]
    fn stems_undo_the_spelling() {
        assert_eq!(stems("stopping", Ending::Ing), ["stopp", "stoppe", "stop"]);
        assert_eq!(stems("parties", Ending::S), ["partie", "party"]);
        assert_eq!(stems("boxes", Ending::S), ["boxe", "box"]);
        assert_eq!(stems("glass", Ending::S), [""; 0]);
        assert_eq!(stems("baked", Ending::Ed), ["bake", "bak"]);
    }
}
