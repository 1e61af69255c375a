//! [`Name`]: a short identifier held inline, so that labels are `Copy` and compare without following a pointer.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is empty or longer than [`Name::LEN_MAX`].
    #[error("a name has 1 to {max} characters, this has {0}", max = Name::LEN_MAX)]
    Length(usize),
    /// It holds something other than lower-case letters, digits, `_`, `-` or `.`.
    #[error("a name is made of a-z, 0-9, '_', '-' and '.'; character {0} is something else")]
    Character(usize),
}

/// 1 to 31 characters of `a-z 0-9 _ - .`, inline and `Copy`: how profiles name purposes, categories and processors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    bytes: [u8; Self::LEN_MAX],
    len: u8,
}

impl Name {
    /// Most characters in a name.
    pub const LEN_MAX: usize = 31;

    /// Parses `text`.
    ///
    /// # Errors
    /// [`NameError`] says which character or length is wrong.
    pub const fn parse(text: &str) -> Result<Self, NameError> {
        let source = text.as_bytes();
        if source.is_empty() || source.len() > Self::LEN_MAX {
            return Err(NameError::Length(source.len()));
        }
        let mut bytes = [0; Self::LEN_MAX];
        let mut i = 0;
        while i < source.len() {
            let b = source[i];
            if !(b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-' || b == b'.') {
                return Err(NameError::Character(i));
            }
            bytes[i] = b;
            i += 1;
        }
        Ok(Self { bytes, len: source.len() as u8 })
    }

    /// A name known when this is compiled; a malformed one fails the build.
    #[must_use]
    pub const fn constant(text: &'static str) -> Self {
        match Self::parse(text) {
            Ok(name) => name,
            Err(_) => panic!("a constant name must be well formed"),
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.len as usize]).expect("only ASCII gets in")
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(s: &str) -> Result<Self, NameError> {
        Self::parse(s)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).map_err(|e| serde::de::Error::custom(format_args!("{text:?}: {e}")))
    }
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$cdoc:meta])* $constant:ident = $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Name);

        impl $name {
            $($(#[$cdoc])* pub const $constant: Self = Self(Name::constant($text));)*

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(s: &str) -> Result<Self, NameError> {
                Name::parse(s).map(Self)
            }
        }
    };
}

named! {
    /// What data is used for. Profiles define them; the constants are those that the engine itself acts under.
    Purpose {
        /// Reading a notice to a person; carries no personal data.
        NOTICE = "notice";
        /// Understanding the person's answer to a consent question.
        CONSENT_ANSWER = "consent_answer";
        /// A conversation by voice or text.
        VOICE_INTERACTION = "voice_interaction";
        /// Remembering facts beyond the conversation.
        MEMORY = "memory";
        /// Telling the person what a picture shows.
        VISION = "vision";
        /// Keeping what was said, so that it can be gone on with and looked up.
        HISTORY = "history";
        /// Keeping how it was said, to make recognition and voices better.
        IMPROVE_VOICE = "improve_voice";
        /// Answering from the person's own documents.
        KNOWLEDGE = "knowledge";
        /// Telling people apart by their voices.
        SPEAKER_IDENTITY = "speaker_identity";
    }
}

named! {
    /// What kind of data it is. Profiles define them; the constants are those that the engine itself handles.
    Category {
        /// The text of a notice or prompt: written by the controller, about nobody.
        NOTICE_TEXT = "notice_text";
        /// Recorded or streamed speech of the person.
        VOICE_AUDIO = "voice_audio";
        /// What the person said, as text, with the conversation so far.
        TRANSCRIPT = "transcript";
        /// What is answered to the person.
        REPLY_TEXT = "reply_text";
        /// Facts that the person asked to have remembered.
        MEMORY_SUMMARY = "memory_summary";
        /// A picture that a device took, with what is asked about it.
        IMAGE = "image";
        /// What was said and answered, kept beyond the conversation.
        CHAT_HISTORY = "chat_history";
        /// The sound of what was said, kept beyond the conversation.
        CONVERSATION_AUDIO = "conversation_audio";
        /// Documents that the person gave to be answered from.
        KNOWLEDGE_BASE = "knowledge_base";
    }
}

named! {
    /// A receiver of data, as the processor registry names it.
    ProcessorId {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_wrong() {
        assert_eq!(Name::parse("voice_audio").map(|n| n.to_string()), Ok("voice_audio".into()));
        assert_eq!(Name::parse(""), Err(NameError::Length(0)));
        assert_eq!(Name::parse("Voice"), Err(NameError::Character(0)));
        assert_eq!(Name::parse(&"a".repeat(32)), Err(NameError::Length(32)));
    }
}
