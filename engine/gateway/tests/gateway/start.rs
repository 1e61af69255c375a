//! What keeps a gateway from starting.

use std::net::UdpSocket;
use std::sync::Arc;

use rustls::RootCertStore;
use sayso_gateway::{Error, Gateway, GatewayOptions, Limits};
use sayso_runtime::{SystemClock, Tasks};

use crate::authority::Authority;
use crate::fake_sessions::FakeSessions;
use crate::node::options;

fn bind(options: GatewayOptions) -> Error {
    let (fake, _) = FakeSessions::new();
    Gateway::bind(options, fake, Tasks::new(), Arc::new(SystemClock::new())).expect_err("it does not start")
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let holder = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = holder.local_addr().unwrap();
    let error = bind(GatewayOptions { listen, ..options(&Authority::new(), Limits::default()) });
    assert!(matches!(error, Error::Bind { addr, .. } if addr == listen), "{error}");
    assert!(error.to_string().contains("choose another address"), "{error}");
}

#[tokio::test]
async fn a_key_of_another_certificate_is_named() {
    let mut options = options(&Authority::new(), Limits::default());
    options.tls.key = Authority::new().node().key;
    assert!(matches!(bind(options), Error::Certificate(_)));
}

#[tokio::test]
async fn a_node_that_could_authenticate_nobody_does_not_start() {
    let mut options = options(&Authority::new(), Limits::default());
    options.tokens = None;
    options.tls.device_roots = RootCertStore::empty();
    assert!(matches!(bind(options), Error::NoAuthentication));
}
