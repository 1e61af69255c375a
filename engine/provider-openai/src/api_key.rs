//! [`ApiKey`].

use core::fmt;

use http::HeaderValue;
use zeroize::Zeroizing;

use crate::Error;

/// A bearer token. It is not shown in `Debug` and is wiped when dropped.
#[derive(Clone)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// Takes `key` as it is sent after `Bearer `.
    ///
    /// # Errors
    /// [`Error::ApiKey`] when it is empty or holds a space, a line break or anything beyond ASCII.
    pub fn new(key: String) -> Result<Self, Error> {
        let key = Zeroizing::new(key);
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::ApiKey);
        }
        Ok(Self(key))
    }

    /// The value of the `authorization` header, marked as sensitive. It lives as long as the request's head.
    pub(crate) fn authorization(&self) -> HeaderValue {
        let text = Zeroizing::new(format!("Bearer {}", *self.0));
        let mut value = HeaderValue::from_str(&text).expect("a key is visible ASCII");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sent_but_not_shown() {
        let key = ApiKey::new("sk-secret".to_owned()).unwrap();
        assert_eq!(key.authorization().to_str().unwrap(), "Bearer sk-secret");
        assert!(!format!("{key:?} {:?}", key.authorization()).contains("secret"));
    }

    #[test]
    fn what_would_break_the_header_is_no_key() {
        for bad in ["", "sk-secret\n", "a b", "schlüssel"] {
            assert!(matches!(ApiKey::new(bad.to_owned()), Err(Error::ApiKey)), "{bad:?}");
        }
    }
}
