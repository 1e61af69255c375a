//! [`Tongue`]: a language that the engine writes its own sentences in.

use core::str::FromStr;

use crate::profile::Language;

/// A language that the engine writes its own sentences in. A profile's texts may be in any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tongue {
    /// English.
    #[default]
    English,
    /// Chinese, in simplified characters.
    Chinese,
}

impl Tongue {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Its BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// The one that people read who were asked in `language`, a BCP 47 tag: English where it is neither.
    #[must_use]
    pub fn of(language: &str) -> Self {
        if language.split('-').next() == Some(Self::Chinese.tag()) { Self::Chinese } else { Self::English }
    }

    /// The same as profiles name languages.
    #[must_use]
    pub const fn language(self) -> Language {
        Language::constant(self.tag())
    }

    /// The one of two texts that is in this language.
    pub(crate) const fn pick<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

impl FromStr for Tongue {
    type Err = String;

    /// Reads a BCP 47 tag by its language: `zh-CN` is Chinese.
    fn from_str(text: &str) -> Result<Self, String> {
        let primary = text.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let known = Self::ALL.into_iter().find(|tongue| tongue.tag() == primary);
        known.ok_or_else(|| format!("`{text}` is not a language of the engine; choose en or zh"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tags() {
        assert_eq!("zh-CN".parse(), Ok(Tongue::Chinese));
        assert_eq!("EN".parse(), Ok(Tongue::English));
        assert!("fr".parse::<Tongue>().unwrap_err().contains("choose en or zh"));
    }
}
