//! `Debug` of the messages that hold speech, a person's words or a credential: what they are, not what they hold.

use core::fmt;

use crate::device::v1::{AudioPacket, Hello, Sentence, TextInput, Transcript, Welcome};

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
    Hello { versions, firmware, capabilities, uplink, downlink, language }
    Sentence { turn, at_ms }
    TextInput { turn }
    Transcript { turn }
    Welcome { version, uplink, downlink, limits, resumed }
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
    }
}
