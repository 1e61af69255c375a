//! [`Token`]: an invitation to a cluster, as a word.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sayso_store_raft::NodeId;
use sayso_types::Name;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What a token starts with: its format and the version of it.
const PREFIX: &str = "sayso-join1.";
/// Characters that a token may have: with the longest names it has about 600.
const CHARS_MAX: usize = 2_048;
/// What a proof is about, so that it cannot be taken for one about something else.
const CONTEXT: &[u8] = b"sayso/join/v1";

/// What somebody needs to know to join a cluster. Whoever has it can, once, until it expires. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    /// The cluster.
    pub(crate) cluster: Name,
    /// The number of the new node.
    pub(crate) node: u64,
    /// Where the invitation is open: HOST:PORT.
    pub(crate) at: String,
    /// Until when, in seconds since the Unix epoch.
    pub(crate) expires: u64,
    /// SHA-256 of the certificate of the authority of the cluster's nodes.
    authority: [u8; 32],
    secret: [u8; 16],
}

/// Why something is no token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a join token: copy the whole line that `sayso store invite` printed")]
pub(crate) struct NoToken;

impl Token {
    /// A new one, with a secret of its own.
    pub(crate) fn new(cluster: Name, node: NodeId, at: String, expires: u64, authority: [u8; 32]) -> Self {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).expect("the operating system provides random bytes");
        Self { cluster, node: node.0, at, expires, authority, secret }
    }

    /// The new node.
    pub(crate) const fn id(&self) -> NodeId {
        NodeId(self.node)
    }

    /// The name under which the inviting command is known to those who join.
    pub(crate) fn inviter(&self) -> String {
        inviter(&self.cluster)
    }

    /// Whether `fingerprint` is that of the cluster's authority.
    pub(crate) fn vouches(&self, fingerprint: [u8; 32]) -> bool {
        self.authority == fingerprint
    }

    /// Whether its time is over at `now`, in seconds since the Unix epoch.
    pub(crate) const fn is_over(&self, now: u64) -> bool {
        now >= self.expires
    }

    /// Shows that whoever asks for `parts` has the token.
    pub(crate) fn prove(&self, parts: &[&str]) -> [u8; 32] {
        self.over(parts).finalize().into_bytes().into()
    }

    /// Whether `proof` shows that. Takes the same time whatever is wrong with it.
    pub(crate) fn is_proven(&self, parts: &[&str], proof: &[u8]) -> bool {
        self.over(parts).verify_slice(proof).is_ok()
    }

    fn over(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(CONTEXT);
        mac.update(&self.node.to_be_bytes());
        mac.update(&self.authority);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

/// The name under which whoever invites to `cluster` is known.
pub(crate) fn inviter(cluster: &Name) -> String {
    format!("invite.{cluster}.sayso.internal")
}

impl FromStr for Token {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let body = text.strip_prefix(PREFIX).filter(|_| text.len() <= CHARS_MAX).ok_or(NoToken)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(body).map_err(|_| NoToken)?;
        serde_json::from_slice(&bytes).map_err(|_| NoToken)
    }
}

impl Token {
    /// As it is printed.
    pub(crate) fn to_text(&self) -> String {
        let json = serde_json::to_vec(self).expect("names, numbers and bytes are JSON");
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(json))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("cluster", &self.cluster)
            .field("node", &self.node)
            .field("at", &self.at)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token::new(Name::constant("home"), NodeId(2), "10.0.0.1:4437".to_owned(), 1_000, [7; 32])
    }

    #[test]
    fn a_token_is_a_word_that_is_read_back() {
        let token = token();
        let text = token.to_text();
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{text}");
        assert_eq!(format!(" {text}\n").parse::<Token>(), Ok(token));
        for wrong in ["", "sayso-join1.", &text[..text.len() - 2], &text[1..], &"x".repeat(CHARS_MAX + 1)] {
            assert_eq!(wrong.parse::<Token>(), Err(NoToken), "{wrong}");
        }
    }

    #[test]
    fn a_proof_is_of_this_token_and_what_is_asked_for() {
        let (token, other) = (token(), token());
        let proof = token.prove(&["a", "bc"]);
        assert!(token.is_proven(&["a", "bc"], &proof));
        assert!(!token.is_proven(&["ab", "c"], &proof), "parts do not run into each other");
        assert!(!token.is_proven(&["a", "bc"], &proof[1..]));
        assert!(!other.is_proven(&["a", "bc"], &proof), "each has a secret of its own");
        let next = Token { node: 3, ..token };
        assert!(!next.is_proven(&["a", "bc"], &proof));
    }

    #[test]
    fn a_token_ends_and_does_not_print_its_secret() {
        let token = token();
        assert!(!token.is_over(999) && token.is_over(1_000));
        assert!(!format!("{token:?}").contains("secret"));
    }
}
