//! `Debug` of the messages that hold speech, a person's words or a credential: what they are, not what they hold.

use core::fmt;

use crate::device::v1::{AudioPacket, Hello, PictureOffer, PicturePart, Sentence, TextInput, Transcript, Welcome};
use crate::peer::v1::{Batch, Entry, Operation, Outcome, Record, Requirement, entry, outcome, requirement};

macro_rules! shows {
    ($($message:ident { $($field:ident),* })*) => {$(
        impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($message))$(.field(stringify!($field), &self.$field))*.finish_non_exhaustive()
            }
        }
    )*};
}

shows! {
    AudioPacket { turn, sequence, timestamp_ms }
    Batch { token }
    Entry { log_id }
    Hello { versions, firmware, capabilities, uplink, downlink, language }
    Operation {}
    Outcome {}
    PictureOffer { turn, format, bytes }
    PicturePart { turn }
    Record {}
    Requirement {}
    Sentence { turn, at_ms }
    TextInput { turn }
    Transcript { turn }
    Welcome { version, uplink, downlink, limits, resumed }
}

macro_rules! shows_which {
    ($($choice:ident::$name:ident { $($variant:ident),* })*) => {$(
        impl fmt::Debug for $choice::$name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant(_) => stringify!($variant)),* })
            }
        }
    )*};
}

shows_which! {
    entry::Payload { Blank, Proposal, Membership }
    outcome::Outcome { Committed, Conflict }
    requirement::Condition { Absent, Version, Value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_credentials_do_not_show() {
        let text = TextInput { turn: 3, text: "my secret".into() };
        assert_eq!(format!("{text:?}"), "TextInput { turn: 3, .. }");
        let hello = Hello { auth_token: "sayso1.secret".into(), device_id: "anna's".into(), ..Hello::default() };
        let shown = format!("{hello:?}");
        assert!(!shown.contains("secret") && !shown.contains("anna"), "{shown}");
        let proposal = Entry { log_id: None, payload: Some(entry::Payload::Proposal("anna".into())) };
        assert_eq!(format!("{proposal:?} {:?}", proposal.payload), "Entry { log_id: None, .. } Some(Proposal)");
    }
}
