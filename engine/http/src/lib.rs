//! Plain HTTP/1 for what is about nobody in particular: a witness is shown hashes, and a public page shows what everybody may
//! know. [`HttpServer`] has the bounds that such a server needs on an open network; what is answered says whoever runs it.
//! TLS is for the proxy in front of it. [`exchange()`] asks one thing, of a witness, or of a receiver that is to delete.

mod exchange;
mod server;

pub use exchange::{ExchangeError, exchange};
pub use server::{Answer, BindError, CONNECTIONS_MAX, HttpServer, Request, text};
