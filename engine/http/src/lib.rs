//! Plain HTTP/1 for what is about nobody in particular: a witness is shown hashes, and a public page shows what everybody may
//! know. [`HttpServer`] has the bounds that such a server needs on an open network; what is answered says whoever runs it.
//! TLS is for the proxy in front of it.

mod server;

pub use server::{Answer, BindError, CONNECTIONS_MAX, HttpServer, Request, text};
