//! KEKs that no node ever sees: the transit engine of a HashiCorp Vault or an OpenBao wraps and unwraps.
//!
//! ```text
//!   POST {address}/v1/{mount}/encrypt/{key}   {"plaintext": base64}    ▶ {"data": {"ciphertext": "vault:v1:…"}}
//!   POST {address}/v1/{mount}/decrypt/{key}   {"ciphertext": …}        ▶ {"data": {"plaintext": base64}}
//!   POST {address}/v1/{mount}/rewrap/{key}    {"ciphertext": …}        ▶ {"data": {"ciphertext": "vault:v2:…"}}
//! ```
//!
//! What is encrypted is SHA-256 of the context, then the key: rewrapping knows no additional data, so the context travels
//! inside and is compared. The service rotates its key by itself (`vault write -f transit/keys/NAME/rotate`); an older
//! version is out of use once `min_decryption_version` is above it.

mod client;
pub mod error;
mod transit;

pub use error::OptionError;
pub use transit::{Token, TransitKek, TransitOptions};
