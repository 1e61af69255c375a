//! Sayso: serve, demo, device, models, init, verify.
fn main() {}
